"""Show a line per column of a table: its type, its missing share, its distribution and its findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lavendertown.profile.evidence import ColumnProfile
from lavendertown.ui.components.shared.markdown import show_hidden_characters

_KIND_NAMES = {
    "number": "Number",
    "text": "Text",
    "time": "Date or time",
    "boolean": "Yes or no",
    "other": "Other",
}
_SHOWN_BARS = 15
ROW_HEIGHT = 32
_MAX_ROWS_SHOWN = 14


def draw_columns(
    profiles: Sequence[ColumnProfile],
    finding_counts: Mapping[str, int],
    column_count: int,
    key: str,
    *,
    is_selectable: bool = True,
) -> str | None:
    """Show a line per column, and return the column that the person selected.

    Args:
        profiles: The columns.
        finding_counts: The number of findings by column.
        column_count: The number of columns of the table, of which the first may have profiles only.
        key: The key of the grid.
        is_selectable: Whether a column can be selected.
    """
    frame = pd.DataFrame([_column_line(profile, finding_counts.get(profile.name, 0)) for profile in profiles])
    shown = min(len(profiles), _MAX_ROWS_SHOWN)
    event = st.dataframe(
        frame,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=ROW_HEIGHT * (shown + 1) + 4,
        key=key,
        on_select="rerun" if is_selectable else "ignore",
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
    if len(profiles) < column_count:
        st.caption(f"The first {len(profiles):,} of {column_count:,} columns.")
    rows = [] if isinstance(event, DeltaGenerator) else event.selection.rows
    return profiles[rows[0]].name if rows and rows[0] < len(profiles) else None


def _column_line(profile: ColumnProfile, findings: int) -> dict[str, Any]:
    return {
        "Column": show_hidden_characters(profile.name),
        "Findings": findings,
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
