"""The charts of Trends: plain dictionaries. Each bar carries the text of what it counts."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lavendertown.collaboration.counted import Counted
from lavendertown.ui.components import charts, words
from lavendertown.ui.components.trend_steps import Step

Row = Mapping[str, Any]
DAY = 86_400
MOST_PEOPLE = 10


class Mark(NamedTuple):
    """One bar: how high it is, and the findings it counts."""

    label: str
    value: int | float
    counted: Counted

    @property
    def custom(self) -> list[str]:
        """What the browser gives back when the bar is clicked."""
        return [str(self.counted), self.label]


def bars(name: str, colour: str, marks: Sequence[Mark], hover: str) -> dict[str, Any]:
    """Return upright bars, one a step."""
    return {
        "type": "bar",
        "name": name,
        "x": [mark.label for mark in marks],
        "y": [mark.value for mark in marks],
        "customdata": [mark.custom for mark in marks],
        "marker": {"color": charts.ink()[colour]},
        "hovertemplate": "%{x}: " + hover + "<extra>" + name + "</extra>",
    }


def over_time(traces: list[dict[str, Any]], height: int = 230, legend: bool = True) -> charts.Figure:
    """Stack bars over the steps."""
    x = charts.axis(type="category", nticks=6, tickangle=0, showgrid=False)
    figure = charts.figure(traces, height, x, charts.axis(nticks=5, rangemode="tozero"), legend)
    figure["layout"] |= {"clickmode": "event+select", "dragmode": False}
    return figure


def severities(rows: Sequence[Row], steps: Sequence[Step]) -> dict[str, list[Mark]]:
    """Return what the latest runs had found at the end of each step, by severity."""
    totals: dict[tuple[str, Any], int] = defaultdict(int)
    for row in rows:
        for severity in words.SEVERITIES:
            totals[severity, row["at"]] += row[severity]
    return {
        severity: [
            Mark(step.label, totals[severity, step.end], Counted("seen", step.end, step.end, severity))
            for step in steps
        ]
        for severity in words.SEVERITIES
    }


def severity_traces(marks: Mapping[str, Sequence[Mark]]) -> list[dict[str, Any]]:
    """Return one trace a severity."""
    return [
        bars(name, severity, marks[severity], "%{y:,}") for severity, (_, _, name) in words.SEVERITIES.items()
    ]


def statuses(rows: Sequence[Row], steps: Sequence[Step]) -> dict[str, list[Mark]]:
    """Return how many findings were open, and how many closed, at the end of each step."""
    by_end = {row["at"]: row for row in rows}
    return {
        "open": [Mark(s.label, by_end[s.end]["open"], Counted("open", s.end, s.end)) for s in steps],
        "closed": [Mark(s.label, by_end[s.end]["closed"], Counted("closed", s.end, s.end)) for s in steps],
    }


def status_traces(marks: Mapping[str, Sequence[Mark]]) -> list[dict[str, Any]]:
    """Return one trace for open findings, one for closed ones."""
    return [
        bars("Open", "strong", marks["open"], "%{y:,}"),
        bars("Closed", "soft", marks["closed"], "%{y:,}"),
    ]


def median_days(closings: Sequence[Row]) -> float | None:
    """Return the median time from open to closed in days, None where nothing was closed."""
    took = [row["seconds"] / DAY for row in closings]
    return statistics.median(took) if took else None


def days(number: float | None) -> str:
    """Return a time in words: ``3 days``, ``5 hours``."""
    if number is None:
        return "–"
    if number < 1:
        hours = round(number * 24)
        return words.count(hours, "hour") if hours else "< 1 hour"
    return words.count(round(number), "day")


def times_to_close(closings: Sequence[Row], steps: Sequence[Step]) -> list[Mark]:
    """Return the median time from open to closed, in days, of what was closed in each step."""
    out = []
    for step in steps:
        took = median_days([row for row in closings if step.start <= row["at"] < step.end])
        out.append(Mark(step.label, took or 0.0, Counted("closing", step.start, step.end)))
    return out


def closers(closings: Sequence[Row], steps: Sequence[Step]) -> list[Mark]:
    """Return who closed how many findings in all these steps."""
    counts: dict[str, set[str]] = defaultdict(set)
    for row in closings:
        counts[row["author"]].add(row["finding_id"])
    start, end = steps[0].start, steps[-1].end
    return [Mark(name, len(of), Counted("closing", start, end, name)) for name, of in counts.items()]


def finders(rows: Sequence[Row], steps: Sequence[Step]) -> list[Mark]:
    """Return who reported how many findings of the latest runs."""
    counts: dict[str, int] = defaultdict(int)
    end = steps[-1].end
    for row in rows:
        if row["at"] == end:
            counts[row["author"]] += sum(row[severity] for severity in words.SEVERITIES)
    return [Mark(name, number, Counted("found", end, end, name)) for name, number in counts.items() if number]


def people(found: Sequence[Mark], closed: Sequence[Mark]) -> charts.Figure:
    """Draw for each person what is found in their latest runs, and what they closed."""
    totals: dict[str, float] = defaultdict(float)
    for mark in (*found, *closed):
        totals[mark.label] += mark.value
    names = sorted(totals, key=lambda name: (-totals[name], name))[:MOST_PEOPLE]
    traces = [
        _lying(name, colour, [mark for mark in marks if mark.label in names], names)
        for name, colour, marks in (("Reported", "soft", found), ("Closed", "strong", closed))
    ]
    step = 1 if max(totals.values(), default=0) < 8 else None
    x = charts.axis(dtick=step, nticks=5, rangemode="tozero")
    figure = charts.figure(traces, 230, x, charts.by_name(names))
    figure["layout"] |= {"clickmode": "event+select", "dragmode": False, "barmode": "group"}
    return figure


def _lying(name: str, colour: str, marks: Sequence[Mark], names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [names.index(mark.label) for mark in marks],
        "x": [mark.value for mark in marks],
        "customdata": [mark.custom for mark in marks],
        "marker": {"color": charts.ink()[colour]},
        "hovertemplate": "%{customdata[1]}: %{x:,}<extra>" + name + "</extra>",
    }
