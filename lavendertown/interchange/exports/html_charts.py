"""The charts of the exported page, as figures of Plotly in plain dictionaries and the light colours."""

from __future__ import annotations

import datetime as dt
import html
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lavendertown.core.findings import SEVERITIES
from lavendertown.interchange.exports.content import ExportedFinding
from lavendertown.interchange.wording import shorten
from lavendertown.profile.evidence import ColumnProfile, Histogram, ValueCount

Figure = dict[str, Any]
COLORS = {"error": "#C43D55", "warning": "#D98A2B", "info": "#6F93D6", "strong": "#7B61C9"}
_GRID, _TEXT = "#ECE8F3", "#5F5872"
_MAX_BARS = 12
_MAX_VALUES = 6


def severity_by_column(findings: Sequence[ExportedFinding]) -> tuple[Figure, str]:
    """Return a chart of the findings by column and severity, and its text alternative.

    At most twelve columns are shown, those with the most severe findings.
    """
    counts: dict[str, Counter[str]] = {}
    for finding in findings:
        counts.setdefault(finding.column, Counter())[finding.severity] += 1
    order = sorted(counts, key=lambda column: ([-counts[column][s] for s in reversed(SEVERITIES)], column))
    columns = order[:_MAX_BARS]
    names = ["whole row" if column == "*" else column for column in columns]
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
    samples, profile = finding.samples, finding.profile
    if samples is not None and len(samples.frequent) > 1 and samples.frequent[0].count > 1:
        return _value_bars(samples.frequent, COLORS[finding.severity], "Most frequent affected values")
    if profile is None:
        return None
    if profile.histogram is not None and len(profile.histogram.counts) > 1:
        return _histogram(profile, profile.histogram, COLORS[finding.severity])
    if profile.top and profile.top[0].count > 1:
        return _value_bars(profile.top, COLORS["strong"], "Most frequent values of the column")
    return None


def _value_bars(counted: Sequence[ValueCount], colour: str, caption: str) -> tuple[Figure, str, str]:
    shown = counted[:_MAX_VALUES]
    names = [each.value or "(empty)" for each in shown]
    alt = "; ".join(f"{name} {each.count:,}" for name, each in zip(names, shown, strict=True))
    figure = _figure([_bars(names, [each.count for each in shown], colour)], names, legend=False)
    return figure, f"{caption}: {alt}", caption


def _histogram(profile: ColumnProfile, histogram: Histogram, severity_colour: str) -> tuple[Figure, str, str]:
    """Return the distribution; values outside the bins are bars in the colour of the severity."""
    bins, width = len(histogram.counts), histogram.end - histogram.start
    is_time = profile.kind == "time"
    edges = [_format_edge(histogram.start + width * i / bins, is_time) for i in range(bins + 1)]
    names = [f"{start} to {end}" for start, end in itertools.pairwise(edges)]
    places, counts = list(range(bins)), list(histogram.counts)
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
    trace = {
        "type": "bar",
        "x": places,
        "y": counts,
        "customdata": names,
        "marker": {"color": colours},
        "hovertemplate": "%{customdata}: %{y:,}<extra></extra>",
    }
    x = _axis() | {
        "tickmode": "array",
        "tickvals": [-0.5, bins - 0.5],
        "ticktext": [edges[0], edges[-1]],
        "range": [-4, bins + 3] if histogram.below or histogram.above else [-1, bins],
        "showgrid": False,
    }
    layout = _layout(170) | {"bargap": 0.08, "xaxis": x, "yaxis": _axis() | {"rangemode": "tozero"}}
    alt = f"Distribution of {profile.name} from {edges[0]} to {edges[-1]}"
    if histogram.below or histogram.above:
        alt += f", with {histogram.below:,} values below and {histogram.above:,} above"
    return {"data": [trace], "layout": layout}, alt, "Distribution of the column"


def _bars(names: Sequence[str], counts: Sequence[int], colour: str) -> dict[str, Any]:
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
    layout |= {"xaxis": _axis() | {"rangemode": "tozero", "nticks": 5, "tickformat": ",d"}}
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
