"""Show what an inspected table contains: its size, a line per column, and its affected cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.inspection.result_files import FIRST_ROWS, InspectionResult
from lavendertown.profile.evidence import ColumnProfile
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.formatting import format_count, format_percent
from lavendertown.ui.components.shared.markdown import show_hidden_characters

WHOLE_ROWS = "*"
_KIND_NAMES = {
    "number": "Number",
    "text": "Text",
    "time": "Date or time",
    "boolean": "Yes or no",
    "other": "Other",
}
_SHOWN_BARS = 15
_ROW_HEIGHT = 32
_MAX_ROWS_SHOWN = 14


def describe_table(result: InspectionResult) -> str:
    """Describe the size of the table, its completeness, and the checks that ran."""
    cells = sum(profile.count for profile in result.evidence.columns)
    missing = sum(profile.nulls for profile in result.evidence.columns)
    coverage = result.coverage
    parts = [format_count(result.row_count, "row"), format_count(len(result.columns), "column")]
    if cells:
        parts.append(f"{format_percent(1 - missing / cells)} of cells filled")
    parts.append(f"{format_count(coverage['checks_run'], 'check')} in {coverage['seconds']:.1f} s")
    return " · ".join([*parts, f"{coverage['passed']:,} passed"])


def draw_columns(result: InspectionResult, key: str) -> str | None:
    """Show a line per column, and return the column that the person selected.

    Args:
        result: The inspection.
        key: The key of the grid.
    """
    profiles = result.evidence.columns
    frame = pd.DataFrame([_column_line(profile, result.findings) for profile in profiles])
    shown = min(len(profiles), _MAX_ROWS_SHOWN)
    event = st.dataframe(
        frame,
        hide_index=True,
        row_height=_ROW_HEIGHT,
        height=_ROW_HEIGHT * (shown + 1) + 4,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Column": st.column_config.TextColumn(width=130),
            "Findings": st.column_config.NumberColumn(width=70),
            "Type": st.column_config.TextColumn(width=90),
            "Missing": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=100),
            "Distribution": st.column_config.BarChartColumn(y_min=0, width=90),
            "Distinct": st.column_config.NumberColumn(format="localized", width=80),
        },
        alt="Columns of the table",
    )
    if len(profiles) < len(result.columns):
        st.caption(f"The first {len(profiles):,} of {len(result.columns):,} columns.")
    rows = event.selection.rows
    return profiles[rows[0]].name if rows and rows[0] < len(profiles) else None


def _column_line(profile: ColumnProfile, findings: Sequence[GhostFinding]) -> dict[str, Any]:
    return {
        "Column": show_hidden_characters(profile.name),
        "Findings": sum(profile.name in finding_columns(finding) for finding in findings),
        "Type": _KIND_NAMES.get(profile.kind, profile.kind),
        "Missing": profile.nulls / profile.count if profile.count else 0.0,
        "Distribution": _bars(profile),
        "Distinct": profile.distinct,
        "Range or most frequent": _describe_values(profile),
    }


def _describe_values(profile: ColumnProfile) -> str:
    if profile.minimum is not None and profile.maximum is not None:
        return f"{_format(profile.minimum)} to {_format(profile.maximum)}"
    if profile.top and profile.top[0].count > 1:
        return f"{show_hidden_characters(profile.top[0].value) or '(empty)'} ({profile.top[0].count:,})"
    return ""


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}"
    # Years have no thousands separator.
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _bars(profile: ColumnProfile) -> list[int] | None:
    if profile.histogram is not None and len(profile.histogram.counts) > 1:
        counts = profile.histogram.counts
        step = -(-len(counts) // _SHOWN_BARS)
        return [sum(counts[start : start + step]) for start in range(0, len(counts), step)]
    return [each.count for each in profile.top] if len(profile.top) > 1 else None


def draw_affected_cells(result: InspectionResult, findings: Sequence[GhostFinding], key: str) -> None:
    """Show the first affected rows with their affected cells in the colour of the severity.

    Args:
        result: The inspection.
        findings: The findings to show, most severe first.
        key: The key of the grid.
    """
    severities: dict[tuple[int, str], str] = {}
    positions: dict[int, None] = {}
    for finding in findings:
        for position in (finding.row_indices or [])[:FIRST_ROWS]:
            if len(positions) >= FIRST_ROWS and position not in positions:
                break
            positions[position] = None
            columns = result.columns if finding.column == WHOLE_ROWS else finding_columns(finding)
            for column in columns:
                severities.setdefault((position, column), finding.severity)
    if not positions:
        st.caption("No finding names particular rows.")
        return
    rows = result.rows(sorted(positions))
    colours = charts.theme_colors()
    marks = pd.DataFrame("", index=rows.index, columns=rows.columns)
    for (position, column), severity in severities.items():
        if position in marks.index and column in marks.columns:
            marks.loc[position, column] = f"background-color: {colours[severity]}40"
    rows = rows.set_axis(rows.index + result.evidence.first_row, axis=0)
    rows.index.name = "Row"
    marks = marks.set_axis(rows.index, axis=0)
    styled = rows.style.apply(lambda _: marks, axis=None)
    st.dataframe(styled, row_height=_ROW_HEIGHT, key=key, alt="Affected rows with marked cells")
    st.caption(
        f"The first {format_count(len(rows), 'affected row')}. Cells of errors are red, of "
        "warnings orange, of infos blue."
    )
