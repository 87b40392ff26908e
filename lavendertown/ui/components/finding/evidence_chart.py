"""Draw the chart that explains a finding."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from lavendertown.core import clock
from lavendertown.profile.finding_charts import MarkedHistogram, ValueBars
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.formatting import format_cell


def draw_evidence_chart(chart: ValueBars | MarkedHistogram, severity: str, key: str) -> None:
    """Draw the chart of a finding, with its caption above."""
    figure, alt = make_figure(chart, severity)
    st.markdown(f"**{chart.caption}**")
    charts.draw_chart(figure, key, alt)


def make_figure(chart: ValueBars | MarkedHistogram, severity: str) -> tuple[charts.Figure, str]:
    """Return the figure, with what is affected in the colour of the severity, and its text alternative."""
    if isinstance(chart, MarkedHistogram):
        return _make_histogram(chart, severity)
    labels, counts = [format_cell(each.value) for each in chart.values], [each.count for each in chart.values]
    alt = "; ".join(f"{label} {count:,}" for label, count in zip(labels, counts, strict=True))
    colours = [severity if each else "strong" for each in chart.affected]
    return charts.value_bars(labels, counts, colours), f"{chart.caption}: {alt}"


def _make_histogram(chart: MarkedHistogram, severity: str) -> tuple[charts.Figure, str]:
    histogram, is_time = chart.histogram, chart.is_time
    bins, width = len(histogram.counts), histogram.end - histogram.start
    edges = [_format_edge(histogram.start + width * i / bins, is_time) for i in range(bins + 1)]
    outside = (histogram.below, histogram.above)
    figure = charts.value_histogram(edges, histogram.counts, outside, severity, chart.marked)
    return figure, chart.describe_distribution(edges)


def _format_edge(edge: float, is_time: bool) -> str:
    if not is_time:
        return charts.format_edge(edge)
    try:
        return clock.format_day(dt.datetime.fromtimestamp(edge, dt.UTC))
    except (OverflowError, ValueError, OSError):
        return "before year 1" if edge < 0 else "after year 9999"
