"""The charts of the exported page, as figures of Plotly in plain dictionaries and the light colours."""

from __future__ import annotations

import datetime as dt
import html
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lavendertown.core.findings import SEVERITIES, column_label
from lavendertown.interchange.exports.content import ExportedFinding
from lavendertown.interchange.wording import shorten
from lavendertown.profile.finding_charts import MarkedHistogram, ValueBars, choose_chart

Figure = dict[str, Any]
COLORS = {"error": "#C43D55", "warning": "#D98A2B", "info": "#6F93D6", "strong": "#7B61C9"}
_GRID, _TEXT = "#ECE8F3", "#5F5872"
_MAX_BARS = 12
_MANY = 8


def severity_by_column(findings: Sequence[ExportedFinding]) -> tuple[Figure, str]:
    """Return a chart of the findings by column and severity, and its text alternative.

    At most twelve columns are shown, those with the most severe findings.
    """
    counts: dict[str, Counter[str]] = {}
    for finding in findings:
        counts.setdefault(finding.column, Counter())[finding.severity] += 1
    order = sorted(counts, key=lambda column: ([-counts[column][s] for s in reversed(SEVERITIES)], column))
    columns = order[:_MAX_BARS]
    names = [column_label(column) for column in columns]
    traces = [
        _bars(names, [counts[column][severity] for column in columns], COLORS[severity])
        | {"name": severity.capitalize()}
        for severity in reversed(SEVERITIES)
    ]
    alt = "Findings by column: " + "; ".join(
        f"{name} {counts[column].total():,}" for name, column in zip(names, columns, strict=True)
    )
    return _figure(traces, names, legend=True), alt


def explain_finding(finding: ExportedFinding) -> tuple[Figure, str, str] | None:
    """Return a chart of the affected values or the column, its text alternative and its caption."""
    chart = choose_chart(
        finding.profile,
        finding.samples,
        finding.ghost_type,
        finding.row_count,
        finding.metadata,
        finding.first_row,
    )
    if isinstance(chart, ValueBars):
        return _value_bars(chart, COLORS[finding.severity])
    return _histogram(chart, COLORS[finding.severity]) if chart is not None else None


def _value_bars(chart: ValueBars, severity_colour: str) -> tuple[Figure, str, str]:
    names = [each.value or "(empty)" for each in chart.values]
    counts = [each.count for each in chart.values]
    alt = "; ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True))
    colours = [severity_colour if each else COLORS["strong"] for each in chart.affected]
    figure = _figure([_bars(names, counts, colours)], names, legend=False)
    return figure, f"{chart.caption}: {alt}", chart.caption


def _histogram(chart: MarkedHistogram, severity_colour: str) -> tuple[Figure, str, str]:
    """Return the distribution; affected values and those outside the bins have the colour of the severity."""
    histogram, is_time = chart.histogram, chart.is_time
    bins, width = len(histogram.counts), histogram.end - histogram.start
    edges = [_format_edge(histogram.start + width * i / bins, is_time) for i in range(bins + 1)]
    names = [f"{start} to {end}" for start, end in itertools.pairwise(edges)]
    places = list(range(bins))
    counts = [count - affected for count, affected in zip(histogram.counts, chart.marked, strict=True)]
    colours = [COLORS["strong"]] * bins
    for place, count, name in (
        (-2, histogram.below, f"below {edges[0]}"),
        (bins + 1, histogram.above, f"above {edges[-1]}"),
    ):
        if count:
            places.append(place)
            counts.append(count)
            names.append(name)
            colours.append(severity_colour)
    traces = [_columns(places, counts, names, colours)]
    if any(chart.marked):
        traces.append(_columns(places[:bins], chart.marked, names[:bins], severity_colour))
    x = _axis() | {
        "tickmode": "array",
        "tickvals": [-0.5, bins - 0.5],
        "ticktext": [edges[0], edges[-1]],
        "range": [-4, bins + 3] if histogram.below or histogram.above else [-1, bins],
        "showgrid": False,
    }
    layout = _layout(170) | {"bargap": 0.08, "xaxis": x, "yaxis": _axis() | {"rangemode": "tozero"}}
    layout["barmode"] = "stack"
    return {"data": traces, "layout": layout}, chart.describe_distribution(edges), chart.caption


def _columns(
    places: Sequence[int], counts: Sequence[int], names: Sequence[str], colour: str | Sequence[str]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": list(places),
        "y": list(counts),
        "customdata": list(names),
        "marker": {"color": colour},
        "hovertemplate": "%{customdata}: %{y:,}<extra></extra>",
    }


def _bars(names: Sequence[str], counts: Sequence[int], colour: str | Sequence[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(counts))),
        "x": list(counts),
        "customdata": [_escape_label(name) for name in names],
        "marker": {"color": colour},
        "hovertemplate": "%{customdata}: %{x:,}<extra></extra>",
    }


def _figure(traces: list[dict[str, Any]], names: Sequence[str], *, legend: bool) -> Figure:
    # Positions are the values, as two long names may be shortened to the same text.
    y = _axis() | {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [_escape_label(shorten(name, 24)) for name in names],
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
    }
    layout = _layout(50 + 24 * max(2, len(names)) + (30 if legend else 0))
    layout |= {"barmode": "stack", "bargap": 0.34, "showlegend": legend, "yaxis": y}
    totals = [sum(counts) for counts in zip(*(trace["x"] for trace in traces), strict=True)]
    # Plotly would write a tick at half a finding as a whole one.
    ticks = {"dtick": 1} if max(totals, default=0) < _MANY else {"nticks": 5}
    layout |= {"xaxis": _axis() | {"rangemode": "tozero", "tickformat": ",d", **ticks}}
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    return {"data": traces, "layout": layout}


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12, "color": _TEXT, "family": "system-ui, sans-serif"},
    }


def _axis() -> dict[str, Any]:
    return {"gridcolor": _GRID, "zeroline": False, "fixedrange": True, "automargin": True}


def _escape_label(text: str) -> str:
    """Escape a text for Plotly, which interprets some HTML elements, including links."""
    return html.escape(text, quote=False)


def _format_edge(edge: float, is_time: bool) -> str:
    if not is_time:
        return f"{edge:,.4g}" if abs(edge) < 10_000 else f"{edge:,.0f}"
    try:
        return f"{dt.datetime.fromtimestamp(edge, dt.UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return "before year 1" if edge < 0 else "after year 9999"
