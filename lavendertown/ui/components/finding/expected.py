"""The dialog "Expected": say that what a finding reports is expected, or what is expected of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lavendertown.core.findings import WHOLE_ROW, GhostFinding
from lavendertown.core.settings import load_settings
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.profile.evidence import ColumnProfile, FindingSamples
from lavendertown.profile.masking import is_masked
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.expectations import (
    COLUMN_KINDS,
    Expectation,
    ExpectationKind,
    add_expectation,
    possible_kinds,
    read_value,
)
from lavendertown.rules.suggestions import describe_shapes
from lavendertown.rules.tuned_checks import RANGE_CHECKS
from lavendertown.ui import check_actions, queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, inline_code

_KIND, _VALUES, _LOW, _HIGH, _PATTERN = (
    f"expected:{name}" for name in ("kind", "values", "low", "high", "pattern")
)
_DONE = "expected:done"
_NAMES = {
    ExpectationKind.OPTIONAL: "Empty values are expected",
    ExpectationKind.ALLOWED: "These values are valid",
    ExpectationKind.RANGE: "Values are in a range",
    ExpectationKind.PATTERN: "Values match a pattern",
    ExpectationKind.UNIQUE: "Values are unique",
    ExpectationKind.REPEATED: "Repeated values are expected",
    ExpectationKind.NO_CHECK: "Do not run this check here",
}
_MAX_VALUES = 20
_SAMPLE_KEYS = ("placeholders", "spellings", "samples")


@dataclass(frozen=True)
class Subject:
    """What an expectation is about.

    Attributes:
        dataset: The dataset.
        column: The column, as findings name it.
        kinds: What can be expected, the most fitting first.
        check: The check of the finding; empty for a column.
        text: The finding, or the column, in plain text.
        profile: The profile of the column; None if there is none.
        values: The affected values, or the most frequent ones of the column.
    """

    dataset: str
    column: str
    kinds: tuple[ExpectationKind, ...]
    check: str = ""
    text: str = ""
    profile: ColumnProfile | None = None
    values: tuple[str, ...] = ()

    @property
    def is_masked(self) -> bool:
        """Whether the values of the column must not be shown or stored by themselves."""
        return is_masked(self.column, load_settings().evidence_mask)


def subject_of_row(row: queries.Row, dataset: str) -> Subject:
    """Return the subject for a finding in a report.

    Args:
        row: The finding in a report.
        dataset: The dataset that it belongs to now.
    """
    evidence = queries.load_evidence(row["report_id"])
    findings = queries.current_storage().findings
    samples = findings.find_samples(evidence, row["finding_id"], row["column"]) if evidence else None
    profile = evidence.column(row["column"]) if evidence else None
    return _subject(dataset, row["column"], row["description"], row["metadata"], profile, samples)


def subject_of_finding(result: InspectionResult, position: int) -> Subject:
    """Return the subject for a finding of an inspection by its position."""
    finding: GhostFinding = result.findings[position]
    samples, profile = result.evidence.samples.get(str(position)), result.evidence.column(finding.column)
    return _subject(result.dataset, finding.column, finding.description, finding.metadata, profile, samples)


def subject_of_column(dataset: str, profile: ColumnProfile) -> Subject:
    """Return the subject for a column of an inspection."""
    values = tuple(each.value for each in profile.top[:_MAX_VALUES])
    return Subject(dataset, profile.name, COLUMN_KINDS, "", "", profile, values)


def _subject(
    dataset: str,
    column: str,
    description: str,
    metadata: Mapping[str, Any],
    profile: ColumnProfile | None,
    samples: FindingSamples | None,
) -> Subject:
    check, params = str(metadata.get("check") or ""), metadata.get("params") or {}
    # The finding of another tool is not reported by a check of ours.
    kinds = () if metadata.get("check_id") or not dataset else possible_kinds(check, params, column)
    return Subject(dataset, column, kinds, check, description, profile, _affected_values(samples, metadata))


def _affected_values(samples: FindingSamples | None, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    values: list[Any] = []
    if samples is not None:
        values = [each.value for each in samples.frequent]
        values = values or [row.values.get(samples.column) for row in samples.rows if samples.column]
    if not values:
        values = next((list(metadata[name]) for name in _SAMPLE_KEYS if metadata.get(name)), [])
    return tuple(dict.fromkeys(str(value) for value in values if value is not None))[:_MAX_VALUES]


def draw_button(subject: Subject, key: str, label: str = "Expected…") -> None:
    """Draw the button that opens the dialog; nothing if nothing can be expected."""
    if not subject.kinds:
        return
    help_text = "Say what is expected here; the next run does not report it."
    if st.button(label, type="tertiary", icon=":material/rule:", key=key, help=help_text):
        # The fields of the dialog keep their values, also when it opens for another finding.
        for name in (_DONE, _KIND, _VALUES, _LOW, _HIGH, _PATTERN):
            st.session_state.pop(name, None)
        layout.withdraw_question(check_actions.PLACE)
        open_dialog(subject)


@st.dialog("Expected", icon=":material/rule:")
def open_dialog(subject: Subject) -> None:
    """Ask what is expected, and save it to the check configuration of the dataset."""
    if st.session_state.pop(_DONE, False):
        # Only a run of the whole page closes the dialog.
        st.rerun()
    st.markdown(escape_markdown(subject.text) if subject.text else f"Column {inline_code(subject.column)}")
    kind = subject.kinds[0]
    if len(subject.kinds) > 1:
        kind = st.radio("What is expected?", subject.kinds, format_func=_NAMES.__getitem__, key=_KIND)
    _draw_fields(subject, kind)
    effect = (
        "The next run does not report it; stored reports keep it."
        if subject.check
        else "The next run uses it."
    )
    st.caption(f"Saved to the checks of {inline_code(subject.dataset)} for the team. {effect}")
    layout.show_notice(check_actions.PLACE)
    st.button(
        "Save",
        type="primary",
        key="expected:save",
        disabled=layout.has_question(check_actions.PLACE),
        on_click=_ask_name_and_save,
        args=(subject, kind),
    )


def _draw_fields(subject: Subject, kind: ExpectationKind) -> None:
    column, profile = inline_code(subject.column), subject.profile
    values: Sequence[str] = () if subject.is_masked else subject.values
    match kind:
        case ExpectationKind.OPTIONAL:
            st.markdown(f"The check for empty values does not run on {column}.")
        case ExpectationKind.ALLOWED:
            st.multiselect(
                "Valid values",
                values,
                default=values if subject.check else None,
                accept_new_options=True,
                select_all=False,
                key=_VALUES,
            )
        case ExpectationKind.RANGE:
            known = profile is not None and not subject.is_masked
            low, high = (profile.minimum, profile.maximum) if known and profile else (None, None)
            left, right = st.columns(2)
            left.text_input("Lowest value", _to_text(low), key=_LOW)
            right.text_input("Highest value", _to_text(high), key=_HIGH)
            st.caption("Both are part of the range; empty for no limit. Values outside become findings.")
        case ExpectationKind.PATTERN:
            top = () if profile is None or subject.is_masked else tuple(each.value for each in profile.top)
            pattern = describe_shapes([*top, *values])
            st.text_input("Regular expression", pattern, placeholder="[A-Z]{2}-[0-9]{4}", key=_PATTERN)
            st.caption("It describes whole values. Values of another form become findings.")
        case ExpectationKind.UNIQUE:
            st.markdown(f"Rows that repeat a value of {column} become findings.")
        case ExpectationKind.REPEATED:
            st.markdown(f"Repeated values of {column} are not reported.")
        case ExpectationKind.NO_CHECK:
            where = "this dataset" if subject.column == WHOLE_ROW else column
            st.markdown(f"The check {inline_code(subject.check)} does not run on {where}.")
    if subject.is_masked and kind in (ExpectationKind.ALLOWED, ExpectationKind.RANGE):
        st.caption("Values of this column are masked; what you enter here is stored readable.")


def _to_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _ask_name_and_save(subject: Subject, kind: ExpectationKind) -> None:
    # The fields are read now: their values are gone once the person has entered a name.
    person.run_with_name(check_actions.PLACE, _save, subject.dataset, _read_expectation(subject, kind))


def _read_expectation(subject: Subject, kind: ExpectationKind) -> Expectation:
    state = st.session_state
    # Without a profile, the check tells that the column has numbers.
    default = "number" if subject.check in RANGE_CHECKS else ""
    column_kind = subject.profile.kind if subject.profile is not None else default

    def bound(key: str) -> Any:
        text = str(state.get(key) or "").strip()
        return read_value(text, column_kind) if text else None

    match kind:
        case ExpectationKind.ALLOWED:
            values = tuple(read_value(each, column_kind) for each in state.get(_VALUES) or ())
            return Expectation(kind, subject.column, values=values)
        case ExpectationKind.RANGE:
            return Expectation(kind, subject.column, low=bound(_LOW), high=bound(_HIGH))
        case ExpectationKind.PATTERN:
            return Expectation(kind, subject.column, pattern=str(state.get(_PATTERN) or "").strip())
    return Expectation(kind, subject.column, check=subject.check)


def _save(dataset: str, expectation: Expectation) -> None:
    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        return add_expectation(configuration, expectation)

    if check_actions.change_checks(dataset, change):
        st.session_state[_DONE] = True
