"""Build the charts of the Trends screen as dictionaries. Each bar carries its selection of findings."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.formatting import SEVERITIES, format_count
from lavendertown.ui.components.trends.trend_steps import TimeStep

Row = Mapping[str, Any]
DAY_SECONDS = 86_400
MAX_PEOPLE = 10


class DataPoint(NamedTuple):
    """One bar: its height and the selection of findings that it counts."""

    label: str
    value: int | float
    counted: ChartSelection

    @property
    def custom_data(self) -> list[str]:
        """The data that the browser returns when the bar is clicked."""
        return [str(self.counted), charts.escape_label(self.label)]


def bar_trace(name: str, colour: str, marks: Sequence[DataPoint], hover: str) -> dict[str, Any]:
    """Return vertical bars, one per step."""
    return {
        "type": "bar",
        "name": name,
        "x": [mark.label for mark in marks],
        "y": [mark.value for mark in marks],
        "customdata": [mark.custom_data for mark in marks],
        "marker": {"color": charts.theme_colors()[colour]},
        "hovertemplate": "%{x}: " + hover + "<extra>" + name + "</extra>",
    }


def stacked_bars(traces: list[dict[str, Any]], height: int = 230, legend: bool = True) -> charts.Figure:
    """Return a chart of stacked bars over the steps."""
    x = charts.axis_layout(type="category", nticks=6, tickangle=0, showgrid=False)
    figure = charts.chart_layout(traces, height, x, charts.axis_layout(nticks=5, rangemode="tozero"), legend)
    figure["layout"] |= {"clickmode": "event+select", "dragmode": False}
    return figure


def severity_points(rows: Sequence[Row], steps: Sequence[TimeStep]) -> dict[str, list[DataPoint]]:
    """Return the number of findings in the latest runs at the end of each step, by severity."""
    totals: dict[tuple[str, Any], int] = defaultdict(int)
    for row in rows:
        for severity in SEVERITIES:
            totals[severity, row["at"]] += row[severity]
    return {
        severity: [
            DataPoint(
                step.label, totals[severity, step.end], ChartSelection("seen", step.end, step.end, severity)
            )
            for step in steps
        ]
        for severity in SEVERITIES
    }


def severity_traces(marks: Mapping[str, Sequence[DataPoint]]) -> list[dict[str, Any]]:
    """Return one trace per severity."""
    return [
        bar_trace(name, severity, marks[severity], "%{y:,}") for severity, (_, _, name) in SEVERITIES.items()
    ]


def status_points(rows: Sequence[Row], steps: Sequence[TimeStep]) -> dict[str, list[DataPoint]]:
    """Return the number of open and closed findings at the end of each step."""
    by_end = {row["at"]: row for row in rows}
    return {
        "open": [
            DataPoint(s.label, by_end[s.end]["open"], ChartSelection("open", s.end, s.end)) for s in steps
        ],
        "closed": [
            DataPoint(s.label, by_end[s.end]["closed"], ChartSelection("closed", s.end, s.end)) for s in steps
        ],
    }


def status_traces(marks: Mapping[str, Sequence[DataPoint]]) -> list[dict[str, Any]]:
    """Return one trace for open and one for closed findings."""
    return [
        bar_trace("Open", "strong", marks["open"], "%{y:,}"),
        bar_trace("Closed", "soft", marks["closed"], "%{y:,}"),
    ]


def median_days(closings: Sequence[Row]) -> float | None:
    """Return the median time from open to closed in days, or None if nothing was closed."""
    durations = [row["seconds"] / DAY_SECONDS for row in closings]
    return statistics.median(durations) if durations else None


def format_days(number: float | None) -> str:
    """Format a duration: ``3 days``, ``5 hours``."""
    if number is None:
        return "–"
    if number < 1:
        hours = round(number * 24)
        return format_count(hours, "hour") if hours else "< 1 hour"
    return format_count(round(number), "day")


def time_to_close_points(closings: Sequence[Row], steps: Sequence[TimeStep]) -> list[DataPoint]:
    """Return the median time from open to closed, in days, of the findings closed in each step."""
    points = []
    for step in steps:
        durations = median_days([row for row in closings if step.start <= row["at"] < step.end])
        points.append(
            DataPoint(step.label, durations or 0.0, ChartSelection("closing", step.start, step.end))
        )
    return points


def closed_by_person(closings: Sequence[Row], steps: Sequence[TimeStep]) -> list[DataPoint]:
    """Return the number of findings closed by each person in all steps."""
    counts: dict[str, set[str]] = defaultdict(set)
    for row in closings:
        counts[row["author"]].add(row["finding_id"])
    start, end = steps[0].start, steps[-1].end
    return [
        DataPoint(name, len(ids), ChartSelection("closing", start, end, name)) for name, ids in counts.items()
    ]


def reported_by_person(rows: Sequence[Row], steps: Sequence[TimeStep]) -> list[DataPoint]:
    """Return the number of findings reported by each person in the latest runs."""
    counts: dict[str, int] = defaultdict(int)
    end = steps[-1].end
    for row in rows:
        if row["at"] == end:
            counts[row["author"]] += sum(row[severity] for severity in SEVERITIES)
    return [
        DataPoint(name, number, ChartSelection("found", end, end, name))
        for name, number in counts.items()
        if number
    ]


def people_chart(reported: Sequence[DataPoint], closed: Sequence[DataPoint]) -> charts.Figure:
    """Return a chart of the reported and closed findings of each person."""
    totals: dict[str, float] = defaultdict(float)
    for mark in (*reported, *closed):
        totals[mark.label] += mark.value
    names = sorted(totals, key=lambda name: (-totals[name], name))[:MAX_PEOPLE]
    traces = [
        _horizontal_bars(name, colour, [mark for mark in marks if mark.label in names], names)
        for name, colour, marks in (("Reported", "soft", reported), ("Closed", "strong", closed))
    ]
    step = 1 if max(totals.values(), default=0) < 8 else None
    x = charts.axis_layout(dtick=step, nticks=5, rangemode="tozero")
    figure = charts.chart_layout(traces, 230, x, charts.name_axis(names))
    figure["layout"] |= {"clickmode": "event+select", "dragmode": False, "barmode": "group"}
    return figure


def _horizontal_bars(
    name: str, colour: str, marks: Sequence[DataPoint], names: Sequence[str]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [names.index(mark.label) for mark in marks],
        "x": [mark.value for mark in marks],
        "customdata": [mark.custom_data for mark in marks],
        "marker": {"color": charts.theme_colors()[colour]},
        "hovertemplate": "%{customdata[1]}: %{x:,}<extra>" + name + "</extra>",
    }
