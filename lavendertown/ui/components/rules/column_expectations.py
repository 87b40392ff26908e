"""What is expected of the columns of a dataset: a line a column, and the form of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import CheckConfiguration, ColumnSettings
from lavendertown.rules.expectations import describe_column, read_value
from lavendertown.rules.values import format_scalar
from lavendertown.ui import check_actions
from lavendertown.ui.components.rules import check_table, rule_data
from lavendertown.ui.components.shared import person
from lavendertown.ui.components.shared.formatting import escape_markdown, inline_code

_UNIQUE = {None: "Not set", True: "Values are unique", False: "Repeated values are expected"}


def draw_columns(dataset: str, configuration: CheckConfiguration) -> None:
    """Draw what is set for each column, and the form and the checks of the chosen one."""
    for name, settings in configuration.columns.items():
        phrases = "; ".join(escape_markdown(each) for each in describe_column(settings))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{inline_code(name)} {phrases}", width="stretch")
            st.button(
                "Clear",
                type="tertiary",
                icon=":material/close:",
                key=f"columns:clear:{name}",
                on_click=person.run_with_name,
                args=("page", _save, dataset, name, settings, ColumnSettings()),
            )
    names = list(dict.fromkeys([*rule_data.column_names(dataset), *configuration.columns]))
    column = st.selectbox(
        "Column or pattern",
        names,
        index=None,
        placeholder="Choose a column, or type a pattern such as *_note",
        accept_new_options=True,
        key=f"columns:chosen:{dataset}",
    )
    if column:
        _draw_form(dataset, column, configuration.column(column))
        st.markdown("## Checks on this column", anchors=False)
        check_table.draw_checks(dataset, configuration, column)


def _draw_form(dataset: str, column: str, settings: ColumnSettings) -> None:
    # What is stored is part of the key: after a save or an undo, the fields show it.
    key = f"column:{dataset}:{column}:{hash(str(settings.to_dict()))}"
    with st.container(border=True):
        optional = st.checkbox("Empty values are expected", bool(settings.optional), key=f"{key}:optional")
        by_text = {format_scalar(value): value for value in settings.allowed}
        allowed = st.multiselect(
            "Allowed values",
            list(by_text),
            default=list(by_text),
            accept_new_options=True,
            select_all=False,
            key=f"{key}:allowed",
            help="No check of single values reports them.",
        )
        left, right = st.columns(2)
        low = left.text_input("Lowest value", _to_text(settings.low), key=f"{key}:low")
        high = right.text_input("Highest value", _to_text(settings.high), key=f"{key}:high")
        pattern = left.text_input(
            "Pattern (regular expression)",
            settings.pattern or "",
            placeholder="[A-Z]{2}-[0-9]{4}",
            key=f"{key}:pattern",
        )
        unique = right.selectbox(
            "Repeated values",
            list(_UNIQUE),
            index=list(_UNIQUE).index(settings.unique),
            format_func=_UNIQUE.__getitem__,
            key=f"{key}:unique",
        )
        kind = _kind_of_column(dataset, column)
        wanted = replace(
            settings,
            optional=optional or (None if settings.optional is None else False),
            allowed=_read_values(allowed, by_text, kind),
            low=_read_bound(low, settings.low, kind),
            high=_read_bound(high, settings.high, kind),
            pattern=pattern.strip() or None,
            unique=unique,
        )
        st.button(
            "Save column",
            key="columns:save",
            disabled=wanted == settings,
            on_click=person.run_with_name,
            args=("page", _save, dataset, column, settings, wanted),
        )


def _kind_of_column(dataset: str, column: str) -> str:
    table = rule_data.session_table(dataset)
    evidence = table.evidence if table is not None else rule_data.stored_evidence(dataset)
    profile = evidence.column(column) if evidence is not None else None
    # Without data, a typed number is a number: bounds are rarely texts.
    return profile.kind if profile is not None else "number"


def _read_values(texts: Sequence[str], stored: dict[str, Any], kind: str) -> tuple[Any, ...]:
    return tuple(stored[text] if text in stored else read_value(text, kind) for text in texts)


def _read_bound(text: str, stored: Any, kind: str) -> Any:
    text = text.strip()
    if not text:
        return None
    return stored if text == _to_text(stored) else read_value(text, kind)


def _to_text(value: Any) -> str:
    return "" if value is None else format_scalar(value)


def _save(dataset: str, column: str, shown: ColumnSettings, settings: ColumnSettings) -> None:
    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        if configuration.column(column) != shown:
            raise InvalidInputError(
                f"The settings of {column} were changed in the meantime. Reload the page, then save again."
            )
        return configuration.with_column(column, settings)

    check_actions.change_checks(dataset, change, "page")
