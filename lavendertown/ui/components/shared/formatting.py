"""Format values as Markdown: names, badges, times, percentages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from lavendertown.core import clock, statuses
from lavendertown.ui.components.shared import comment_text, markdown

_SECOND, _MINUTE, _HOUR, _DAY = (dt.timedelta(seconds=number) for number in (1, 60, 3_600, 86_400))
_AGES = (
    (44.5 * _SECOND, _MINUTE, "a few seconds", ""),
    (44.5 * _MINUTE, _MINUTE, "a minute", "minutes"),
    (21.5 * _HOUR, _HOUR, "an hour", "hours"),
    (25.5 * _DAY, _DAY, "a day", "days"),
    (319.5 * _DAY, 30.4368 * _DAY, "a month", "months"),
    (dt.timedelta.max, 365.2425 * _DAY, "a year", "years"),
)
"""Ages as moment.js words them: below which age, in which unit, its words for one and for several."""

SEVERITIES = {
    "error": ("red", ":material/error:", "Error"),
    "warning": ("orange", ":material/warning:", "Warning"),
    "info": ("blue", ":material/info:", "Info"),
}
"""Severity → colour, icon and name, most severe first."""

_STATUS_COLOURS = {
    statuses.OPEN: "violet",
    statuses.INVESTIGATING: "orange",
    statuses.REVIEWED: "blue",
    statuses.FIXED: "green",
    statuses.ACCEPTED: "gray",
    statuses.FALSE_POSITIVE: "gray",
}
STATUSES = {status.name: (_STATUS_COLOURS[status], status.icon, status.label) for status in statuses.ALL}
"""Stored status → colour, icon and name."""

RUN_STATES = {
    "new": ("violet", "New"),
    "regressed": ("red", "Regressed"),
    "ongoing": ("gray", "Ongoing"),
    "passing": ("green", "Passing"),
    "not_checked": ("gray", "Not run"),
    "reading_changed": ("blue", "Reading changed"),
    "check_changed": ("blue", "Check changed"),
}
"""Run state → colour and name."""

ATTENTION_NAMES = {
    "new": "New",
    "regressed": "Seen again after a fix",
    "worse": "Worse than accepted",
    "expired": "Acceptance or snooze ended",
    "unassigned": "Error without assignee",
    "unconfirmed": "Fix not confirmed",
}
"""Reason why a finding needs attention → name."""

DUE_NAMES = {"overdue": "Overdue", "not_yet": "Not yet due"}

GHOST_TYPES = {
    "null": "Empty values",
    "disguised_null": "Placeholder values",
    "type": "Wrong type",
    "outlier": "Outliers",
    "duplicate": "Duplicates",
    "constant": "Constant",
    "format": "Format",
    "category": "Category",
    "date": "Date",
    "dependency": "Dependency",
    "rule": "Rule",
    "drift": "Drift",
    "check_error": "Check did not run",
}
"""Ghost type → name; types of other tools are shown unchanged."""

escape_markdown = markdown.escape_text
"""Escape a text for Markdown, on one line."""

inline_code = markdown.code_span
"""Return a text as inline code."""

comment_markdown = comment_text.safe_markdown
"""Return the safe Markdown of a comment."""


def short_description(description: str) -> str:
    """Return a finding's description without its counts, which lists show in a separate column."""
    short = re.split(r"(?: in|:) [\d.,]+ of [\d.,]+ ", description, maxsplit=1)[0]
    return re.sub(r" \([\d.,]+\)\.?$", "", short).rstrip(".: ") or description


def severity_badge(severity: str) -> str:
    """Return the coloured badge of a severity with icon and name."""
    colour, icon, name = SEVERITIES[severity]
    return f":{colour}-badge[{icon} {name}]"


def severity_icon(severity: str) -> str:
    """Return the coloured icon of a severity."""
    colour, icon, _ = SEVERITIES[severity]
    return f":{colour}[{icon}]"


def run_state_badge(run_state: str) -> str:
    """Return the coloured badge of a run state."""
    colour, name = RUN_STATES[run_state]
    return f":{colour}-badge[{name}]"


def run_state_name(run_state: str) -> str:
    """Return the name of a run state."""
    return RUN_STATES[run_state][1] if run_state in RUN_STATES else run_state


def attention_name(reason: str) -> str:
    """Return the name of a reason why a finding needs attention."""
    return ATTENTION_NAMES.get(reason, reason)


def status_name(status: str) -> str:
    """Return the name of a status."""
    return STATUSES[status][2] if status in STATUSES else status


def status_badge(status: str) -> str:
    """Return the coloured badge of a status with icon and name."""
    colour, icon, name = STATUSES.get(status, ("gray", ":material/label:", escape_markdown(status)))
    return f":{colour}-badge[{icon} {name}]"


def tag_badges(tags: Iterable[str], limit: int | None = None) -> str:
    """Return tags as gray badges, and the number of tags beyond ``limit``."""
    tags = list(tags)
    shown = tags if limit is None else tags[:limit]
    more = len(tags) - len(shown)
    badges = " ".join(f":gray-badge[{escape_markdown(tag)}]" for tag in shown)
    return badges + (f" :small[:gray[+{more}]]" if more else "")


def severity_counts(row: Mapping[str, Any]) -> str:
    """Return the number of errors, warnings and infos of a report, or that it is clean."""
    parts = [
        f":{colour}[{icon} {format_compact(row[f'{name}_count'])}]"
        for name, (colour, icon, _) in SEVERITIES.items()
        if row[f"{name}_count"]
    ]
    return " ".join(parts) or ":green[:material/check_circle: clean]"


def format_compact(number: int) -> str:
    """Shorten a number, such as ``1.2k``."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}".removesuffix(".0") + "k" if number < 10_000 else f"{number // 1000}k"


def ghost_type_name(ghost_type: str) -> str:
    """Return the name of a ghost type."""
    return GHOST_TYPES.get(ghost_type, ghost_type)


def format_count(number: int, one: str, many: str | None = None) -> str:
    """Format a number with its noun: ``1 finding``, ``12 findings``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def format_cell(value: Any) -> str:
    """Format a cell as text that shows missing values and blanks."""
    if value is None:
        return "(missing)"
    text = str(value)
    if not text:
        return "(empty)"
    return markdown.show_hidden_characters(text) if text.strip() else f"({format_count(len(text), 'blank')})"


def describe_row_numbers(first_row: int) -> str:
    """Say how rows are numbered, given the number that the source counts for its first row of data."""
    return f"Rows as the file counts them; the data begins in row {first_row:,}."


def format_percent(share: float | None) -> str:
    """Format a share (0 to 1) as a percentage; only exact values become 0% or 100%."""
    if share is None:
        return "unknown"
    if share == 0 or share >= 1:
        return f"{share:.0%}"
    if share < 0.001:
        return "< 0.1%"
    return f"{min(share, 0.999) * 100:.1f}".removesuffix(".0") + "%"


def reader_time_zone() -> dt.tzinfo:
    """Return the user's time zone, or UTC if the browser does not send it."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return clock.UTC


def format_time(when: dt.datetime) -> str:
    """Format a time in the user's time zone: ``20 Nov 2026, 23:51``."""
    return f"{format_day(when)}, {format_time_of_day(when)}"


def format_time_of_day(when: dt.datetime) -> str:
    """Format the time of day in the user's time zone: ``23:51``."""
    return f"{when.astimezone(reader_time_zone()):%H:%M}"


def format_day(when: dt.datetime) -> str:
    """Format the day of a time in the user's time zone: ``7 Sep 2026``."""
    return clock.format_day(when.astimezone(reader_time_zone()))


def format_short_day(when: dt.datetime) -> str:
    """Format the day of a time in the user's time zone, without its year: ``7 Sep``."""
    return clock.format_short_day(when.astimezone(reader_time_zone()))


def format_relative_time(when: dt.datetime) -> str:
    """Format the age of a time in its largest unit: ``2 days ago``.

    The words are those of the grids, whose format ``"distance"`` is written by moment.js in the browser.
    """
    age = max(clock.now() - when, dt.timedelta())
    _, unit, one, many = next(row for row in _AGES if age < row[0])
    count = int(age / unit + 0.5)
    return f"{f'{count} {many}' if count > 1 else one} ago"
