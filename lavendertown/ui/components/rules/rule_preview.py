"""What a rule finds: in the table of this session, or among stored values."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import streamlit as st

from lavendertown.core import json_codec
from lavendertown.core.errors import LavenderTownError
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.inspector import Inspector
from lavendertown.profile.evidence import ColumnProfile
from lavendertown.rules.expectations import read_value
from lavendertown.rules.models import Rule
from lavendertown.rules.reference_rules import References
from lavendertown.ui import errors, inspections
from lavendertown.ui.components.rules import rule_data
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_VALUE_RULES = ("range", "enum", "regex", "length", "type")
_ANSWER = "rule:answer"
_LARGE_BYTES = 20_000_000
_MAX_NAMED = 5


def draw_preview(dataset: str, rule: Rule) -> None:
    """Show what a rule finds, and in which data."""
    table = rule_data.session_table(dataset)
    if table is not None:
        _draw_on_table(table, rule)
        return
    evidence = rule_data.stored_evidence(dataset)
    profile = evidence.column(rule.column) if evidence is not None and rule.column else None
    if profile is None or profile.masked or not profile.top or rule.rule_type not in _VALUE_RULES:
        st.caption("To see what the rule finds, open a file of this dataset on Inspect first.")
        return
    _draw_on_stored_values(profile, rule)


def _draw_on_table(table: InspectionResult, rule: Rule) -> None:
    is_large = table.source.exists() and table.source.stat().st_size > _LARGE_BYTES
    key = (table.folder.name, json_codec.dumps_canonical(rule.to_dict()))
    known: tuple[Any, dict[str, Any]] | None = st.session_state.get(_ANSWER)
    if known is None or known[0] != key:
        if is_large and not st.button(f"Try it on {escape_markdown(table.name)}", key="rule:try"):
            return
        try:
            with st.spinner(f"Checking {escape_markdown(table.name)}…"):
                known = (key, inspections.check_rule(table, rule))
        except LavenderTownError as error:
            errors.show_error(error)
            return
        st.session_state[_ANSWER] = known
    answer = known[1]
    name = escape_markdown(table.name)
    if answer["outcome"] == "passed":
        rows = format_count(answer["total"], "row")
        st.markdown(f":green[:material/check_circle:] All {rows} of {name} pass.")
    elif answer["outcome"] == "failed":
        st.markdown(f":orange[:material/error:] {escape_markdown(answer['description'])} :gray[({name})]")
        if answer["rows"]:
            st.dataframe(
                pd.DataFrame(answer["rows"]), hide_index=True, row_height=30, alt="First failing rows"
            )
    else:
        text = answer["description"] or "The table has no rows."
        st.markdown(f":orange[:material/warning:] {escape_markdown(text)}")


def _draw_on_stored_values(profile: ColumnProfile, rule: Rule) -> None:
    """Try a rule on the most frequent values that the latest report has of its column."""
    values = [read_value(each.value, profile.kind) for each in profile.top]
    kind: Any = pl.String
    if profile.kind == "number":
        kind = pl.Int64 if all(isinstance(value, int) for value in values) else pl.Float64
    frame = pl.DataFrame({rule.column or "": pl.Series(values, dtype=kind, strict=False)})
    findings = Inspector(frame, detectors=[], rules=[rule], references=References()).detect()
    failing = [values[row] for finding in findings for row in finding.row_indices or []]
    scope = f"the {len(values)} most frequent stored values"
    if any(finding.ghost_type == "check_error" for finding in findings):
        st.markdown(f":orange[:material/warning:] {escape_markdown(findings[0].description)}")
    elif failing:
        named = ", ".join(f"'{value}'" for value in failing[:_MAX_NAMED])
        st.markdown(f":orange[:material/error:] {len(failing)} of {scope} fail: {escape_markdown(named)}")
    else:
        st.markdown(f":green[:material/check_circle:] All of {scope} pass.")
    st.caption("Tried on stored samples only. To try it on all rows, open a file of this dataset on Inspect.")
