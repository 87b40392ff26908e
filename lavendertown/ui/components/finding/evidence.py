"""Show the evidence of a finding: sample rows with the affected value, and the distribution of its column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.core import clock
from lavendertown.profile.evidence import ColumnProfile, Evidence, FindingSamples, Histogram, ValueCount
from lavendertown.ui import queries
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.drift_picture import draw_picture, make_picture
from lavendertown.ui.components.shared.formatting import describe_row_numbers, format_count
from lavendertown.ui.components.shared.markdown import show_hidden_characters

SHOWN_ROWS = 5
_ROW_COLUMN = "Row"


def show_evidence(row: queries.Row) -> None:
    """Show the samples and the distribution that were saved with a report, if there are any.

    Args:
        row: The finding in a report.
    """
    evidence = queries.load_evidence(row["report_id"])
    picture = make_picture(row["metadata"])
    if evidence is None:
        if picture is not None:
            draw_picture(picture, _chart_key(row))
        return
    findings = queries.current_storage().findings
    samples = findings.find_samples(evidence, row["finding_id"], row["column"])
    figure, alt, caption = _make_chart(evidence.column(row["column"]), samples, row["severity"])
    has_samples = samples is not None and bool(samples.rows)
    is_pair = has_samples and (picture is not None or figure is not None)
    left, right = st.columns([1.3, 1], gap="medium") if is_pair else (st.container(), st.container())
    if samples is not None and has_samples:
        with left:
            _draw_samples(evidence, samples, row)
    if picture is not None:
        with right:
            draw_picture(picture, _chart_key(row))
    elif figure is not None:
        with right:
            _draw_distribution(figure, alt, caption, row)


def _draw_samples(evidence: Evidence, samples: FindingSamples, row: queries.Row) -> None:
    st.markdown("**Sample rows**")
    show_all = st.session_state.get(_all_key(row), False)
    shown = samples.rows if show_all else samples.rows[:SHOWN_ROWS]
    frame = pd.DataFrame(
        [
            {_ROW_COLUMN: f"{sample.position + evidence.first_row:,}", **_to_cells(sample.values)}
            for sample in shown
        ]
    )
    st.dataframe(frame, hide_index=True, row_height=30, height="content", alt="Sample rows")
    count = row["row_count"]
    some = f"{len(shown):,} of {format_count(count, 'row')}. " if count and count > len(shown) else ""
    st.caption(f"{some}{describe_row_numbers(evidence.first_row)}")
    if len(samples.rows) > SHOWN_ROWS:
        st.toggle(f"Show {len(samples.rows)} rows", key=_all_key(row))


def _all_key(row: queries.Row) -> str:
    return f"samples:{row['report_id']}:{row['position']}"


def _to_cells(values: dict[str, Any]) -> dict[str, str]:
    """Return the values as text: one column can have numbers and words."""
    return {name: _to_cell(value) for name, value in values.items()}


def _to_cell(value: Any) -> str:
    if value is None:
        return "(missing)"
    text = str(value)
    if not text:
        return "(empty)"
    return show_hidden_characters(text) if text.strip() else f"({format_count(len(text), 'blank')})"


def _draw_distribution(figure: charts.Figure, alt: str, caption: str, row: queries.Row) -> None:
    st.markdown(f"**{caption}**")
    charts.draw_chart(figure, _chart_key(row), alt)


def _chart_key(row: queries.Row) -> str:
    return f"evidence:{row['report_id']}:{row['position']}"


def _make_chart(
    profile: ColumnProfile | None, samples: FindingSamples | None, severity: str
) -> tuple[charts.Figure | None, str, str]:
    """Return the chart that explains a finding, its text alternative and its caption; None for no chart."""
    if samples is not None and len(samples.frequent) > 1 and samples.frequent[0].count > 1:
        return _make_bars(samples.frequent, severity, "Most frequent affected values")
    if profile is None:
        return None, "", ""
    if profile.histogram is not None and len(profile.histogram.counts) > 1:
        return _make_histogram(profile, profile.histogram, severity)
    if profile.top and profile.top[0].count > 1:
        return _make_bars(profile.top, "strong", "Most frequent values of the column")
    return None, "", ""


def _make_bars(counted: list[ValueCount], colour: str, caption: str) -> tuple[charts.Figure, str, str]:
    shown = counted[:6]
    labels, counts = [_to_cell(each.value) for each in shown], [each.count for each in shown]
    alt = "; ".join(f"{label} {count:,}" for label, count in zip(labels, counts, strict=True))
    return charts.value_bars(labels, counts, colour), f"{caption}: {alt}", caption


def _make_histogram(
    profile: ColumnProfile, histogram: Histogram, severity: str
) -> tuple[charts.Figure, str, str]:
    is_time = profile.kind == "time"
    outside = (histogram.below, histogram.above)
    bins, width = len(histogram.counts), histogram.end - histogram.start
    edges = [_format_edge(histogram.start + width * i / bins, is_time) for i in range(bins + 1)]
    alt = f"Distribution of {profile.name} from {edges[0]} to {edges[-1]}"
    alt += f", with {histogram.below:,} values below and {histogram.above:,} above" if any(outside) else ""
    figure = charts.value_histogram(edges, histogram.counts, outside, severity)
    return figure, alt, "Distribution of the column"


def _format_edge(edge: float, is_time: bool) -> str:
    if not is_time:
        return charts.format_edge(edge)
    try:
        return clock.format_day(dt.datetime.fromtimestamp(edge, dt.UTC))
    except (OverflowError, ValueError, OSError):
        return "before year 1" if edge < 0 else "after year 9999"
