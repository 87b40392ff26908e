"""How things are said: names, badges, ages, shares. Plain functions from values to Markdown."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from lavendertown import clock

SEVERITIES = {
    "error": ("red", ":material/error:", "Error"),
    "warning": ("orange", ":material/warning:", "Warning"),
    "info": ("blue", ":material/info:", "Info"),
}
"""Severity → colour, icon and name, most serious first."""

STATUSES = {
    "open": ("violet", ":material/radio_button_unchecked:", "Open"),
    "needs-investigation": ("orange", ":material/search:", "Investigating"),
    "reviewed": ("blue", ":material/visibility:", "Reviewed"),
    "fixed": ("green", ":material/check_circle:", "Fixed"),
    "accepted": ("gray", ":material/task_alt:", "Accepted"),
    "false_positive": ("gray", ":material/do_not_disturb_on:", "False alarm"),
}
"""Stored status → colour, icon and name."""

SEEN = {
    "new": ("violet", "New"),
    "regressed": ("red", "Back again"),
    "ongoing": ("gray", "Ongoing"),
    "passing": ("green", "Passing"),
    "not_checked": ("gray", "Not checked"),
}
"""What its dataset's runs say of a finding → colour and name."""

GHOSTS = {
    "null": "Empty values",
    "disguised_null": "Stand-ins for empty",
    "type": "Wrong type",
    "outlier": "Outliers",
    "duplicate": "Duplicates",
    "constant": "Constant",
    "format": "Format",
    "category": "Category",
    "date": "Date",
    "rule": "Rule",
    "drift": "Drift",
    "check_error": "Check did not run",
}
"""Ghost type → words; other tools' types are shown as they come."""

PRESSING = ("needs-investigation", "open", "reviewed", "accepted", "false_positive", "fixed")
"""Statuses by how much they ask for attention."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~$:])")


def plain(text: str) -> str:
    """Return a text so that Markdown shows it letter for letter, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def headline(description: str) -> str:
    """Return a finding's sentence up to its counts, which lists show in a column of their own."""
    short = re.split(r"(?: in|:) [\d.,]+ of [\d.,]+ ", description, maxsplit=1)[0]
    return re.sub(r" \([\d.,]+\)\.?$", "", short).rstrip(".: ") or description


def code(text: str) -> str:
    """Return a text as inline code."""
    line = " ".join(str(text).replace("`", "'").split())
    return f"`{line}`" if line else ""


def comment(text: str) -> str:
    """Return a comment's Markdown without pictures: one from elsewhere would tell who reads it."""
    return text.replace("![", "!\u2060[")


def severity_badge(severity: str) -> str:
    """Return the coloured badge of a severity, icon and word."""
    colour, icon, name = SEVERITIES[severity]
    return f":{colour}-badge[{icon} {name}]"


def severity_icon(severity: str) -> str:
    """Return the coloured icon of a severity."""
    colour, icon, _ = SEVERITIES[severity]
    return f":{colour}[{icon}]"


def seen_badge(seen: str) -> str:
    """Return the coloured badge of what the runs say of a finding."""
    colour, name = SEEN[seen]
    return f":{colour}-badge[{name}]"


def seen_name(seen: str) -> str:
    """Return the word for what the runs say of a finding."""
    return SEEN[seen][1] if seen in SEEN else seen


def status_name(status: str) -> str:
    """Return the word for a status."""
    return STATUSES[status][2] if status in STATUSES else status


def status_badge(status: str) -> str:
    """Return the coloured badge of a status, icon and word."""
    colour, icon, name = STATUSES.get(status, ("gray", ":material/label:", plain(status)))
    return f":{colour}-badge[{icon} {name}]"


def tag_badges(tags: Iterable[str], most: int | None = None) -> str:
    """Return tags as gray badges; beyond ``most``, how many more there are."""
    tags = list(tags)
    shown = tags if most is None else tags[:most]
    more = len(tags) - len(shown)
    badges = " ".join(f":gray-badge[{plain(tag)}]" for tag in shown)
    return badges + (f" :small[:gray[+{more}]]" if more else "")


def severity_counts(row: Mapping[str, Any]) -> str:
    """Return a report's number of errors, warnings and notes, or that it is clean."""
    parts = [
        f":{colour}[{icon} {compact(row[f'{name}_count'])}]"
        for name, (colour, icon, _) in SEVERITIES.items()
        if row[f"{name}_count"]
    ]
    return " ".join(parts) or ":green[:material/check_circle: clean]"


def compact(number: int) -> str:
    """Return a number in at most four characters, such as ``1.2k``."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}".removesuffix(".0") + "k" if number < 10_000 else f"{number // 1000}k"


def ghost(ghost_type: str) -> str:
    """Return a ghost type in words."""
    return GHOSTS.get(ghost_type, ghost_type)


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 finding``, ``12 findings``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 as percent, never rounding something down to nothing."""
    if share is None:
        return "unknown"
    if share == 0 or share >= 1:
        return f"{share:.0%}".replace("%", " %")
    if share < 0.001:
        return "< 0.1 %"
    return f"{min(share, 0.999) * 100:.1f}".removesuffix(".0") + " %"


def zone() -> dt.tzinfo:
    """Return the reader's time zone, UTC where the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return clock.UTC


def moment(when: dt.datetime) -> str:
    """Return a time in the reader's zone: ``20 Nov 2026, 23:51``."""
    return f"{when.astimezone(zone()):%d %b %Y, %H:%M}".lstrip("0")


def ago(when: dt.datetime) -> str:
    """Return how long ago something was, in its largest whole unit."""
    seconds = (clock.now() - when).total_seconds()
    if seconds < 60:
        return "just now"
    steps = ((3600, 60, "min"), (86400, 3600, "h"), (604800, 86400, "d"), (4838400, 604800, "w"))
    for below, unit, name in steps:
        if seconds < below:
            return f"{int(seconds // unit)} {name} ago"
    return f"{when.astimezone(zone()):%d %b %Y}".lstrip("0")
