"""Time steps of the Trends screen: days, weeks or months in the user's time zone."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.core import clock
from lavendertown.ui.components.shared.formatting import (
    SEVERITIES,
    escape_markdown,
    format_day,
    reader_time_zone,
)
from lavendertown.ui.components.shared.weeks import week_start

PERIODS = {
    "4w": ("4 weeks, by day", "day", 28),
    "12w": ("12 weeks", "week", 12),
    "26w": ("6 months", "week", 26),
    "12m": ("12 months", "month", 12),
}
"""Query value → label, step, number of steps."""

DEFAULT_PERIOD = "12w"


class TimeStep(NamedTuple):
    """A day, a week or a month, from ``start`` until before ``end``."""

    label: str
    start: dt.datetime
    end: dt.datetime


def period_steps(period: str) -> list[TimeStep]:
    """Return the steps of a period, oldest first; the last one is not complete."""
    _, length, number = PERIODS[period]
    days = [_first_day(length, number - 1 - n) for n in range(number + 1)]
    bounds = [clock.day_start(day, reader_time_zone()) for day in days]
    labels = [f"{day:%b %Y}" if length == "month" else clock.format_short_day(day) for day in days]
    return [TimeStep(labels[n], bounds[n], bounds[n + 1]) for n in range(number)]


def _first_day(length: str, back: int) -> dt.date:
    """Return the first day of the step ``back`` steps ago; -1 means the next step."""
    today = clock.now().astimezone(reader_time_zone()).date()
    if length == "day":
        return today - dt.timedelta(days=back)
    if length == "week":
        return week_start(today) - dt.timedelta(weeks=back)
    months = today.year * 12 + today.month - 1 - back
    return dt.date(months // 12, months % 12 + 1, 1)


def describe_selection(counted: ChartSelection) -> str:
    """Describe the findings that a chart bar counts: ``open at the end of 22 Nov 2026``."""
    last = format_day(counted.end - dt.timedelta(microseconds=1))
    if counted.measure == "seen":
        of = f" {SEVERITIES[counted.value][2].lower()}s" if counted.value in SEVERITIES else ""
        return f"in the latest runs up to {last}{',' if of else ''}{of}"
    if counted.measure == "found":
        return f"reported by {escape_markdown(counted.value)}, in the latest runs up to {last}"
    if counted.measure in ("open", "closed"):
        return f"{counted.measure} at the end of {last}"
    by = f" by {escape_markdown(counted.value)}" if counted.value else ""
    return f"closed{by} from {format_day(counted.start)} to {last}"
