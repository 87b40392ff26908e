"""The steps of time that Trends counts by: days, weeks or months, in the reader's zone."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from lavendertown import clock
from lavendertown.collaboration.counted import Counted
from lavendertown.ui.components import words

PERIODS = {
    "4w": ("4 weeks, by day", "day", 28),
    "12w": ("12 weeks", "week", 12),
    "26w": ("6 months", "week", 26),
    "12m": ("12 months", "month", 12),
}
"""Query value → its name, the length of a step, and how many there are."""
USUAL = "12w"


class Step(NamedTuple):
    """A day, a week or a month: from ``start`` until before ``end``."""

    label: str
    start: dt.datetime
    end: dt.datetime


def steps(period: str) -> list[Step]:
    """Return the steps of a period, oldest first; the last one is under way."""
    _, length, number = PERIODS[period]
    days = [_first_day(length, number - 1 - place) for place in range(number + 1)]
    bounds = [clock.day_start(day, words.zone()) for day in days]
    form = "%b %Y" if length == "month" else "%d %b"
    return [Step(f"{days[n]:{form}}", bounds[n], bounds[n + 1]) for n in range(number)]


def _first_day(length: str, back: int) -> dt.date:
    """Return the first day of the step so many steps ago; -1 is the next one."""
    today = clock.now().astimezone(words.zone()).date()
    if length == "day":
        return today - dt.timedelta(days=back)
    if length == "week":
        return today - dt.timedelta(days=today.weekday(), weeks=back)
    months = today.year * 12 + today.month - 1 - back
    return dt.date(months // 12, months % 12 + 1, 1)


def in_words(counted: Counted) -> str:
    """Say which findings a figure counts: ``open at the end of 22 Nov 2026``."""
    last = _day(counted.end - dt.timedelta(microseconds=1))
    if counted.what == "seen":
        of = f" {words.SEVERITIES[counted.which][2].lower()}s" if counted.which in words.SEVERITIES else ""
        return f"in the latest runs up to {last}{',' if of else ''}{of}"
    if counted.what == "found":
        return f"reported by {words.plain(counted.which)}, in the latest runs up to {last}"
    if counted.what in ("open", "closed"):
        return f"{counted.what} at the end of {last}"
    by = f" by {words.plain(counted.which)}" if counted.which else ""
    return f"closed{by} from {_day(counted.start)} to {last}"


def _day(moment: dt.datetime) -> str:
    return f"{moment.astimezone(words.zone()):%d %b %Y}".lstrip("0")
