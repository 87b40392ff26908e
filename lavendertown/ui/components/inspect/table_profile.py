"""Show what an inspected table contains: its size, and its affected cells."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lavendertown.core.findings import WHOLE_ROW, GhostFinding, finding_columns
from lavendertown.inspection.result_files import FIRST_ROWS, InspectionResult
from lavendertown.profile.measure import to_plain_value
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.column_profiles import ROW_HEIGHT
from lavendertown.ui.components.shared.formatting import format_cell, format_count, format_percent


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
            columns = result.columns if finding.column == WHOLE_ROW else finding_columns(finding)
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
    styled = rows.style.apply(lambda _: marks, axis=None).format(
        lambda cell: format_cell(to_plain_value(cell))
    )
    st.dataframe(styled, row_height=ROW_HEIGHT, key=key, alt="Affected rows with marked cells")
    st.caption(
        f"The first {format_count(len(rows), 'affected row')}. Cells of errors are red, of "
        "warnings orange, of infos blue."
    )
