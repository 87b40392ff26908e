"""Views of the inbox: the filters of a view, or of the address of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core import clock
from lavendertown.core.statuses import StatusCategory
from lavendertown.inbox.attention import AttentionReason

FACET_FILTERS = {
    "severity": "severity",
    "dataset": "dataset",
    "type": "ghost_type",
    "seen": "seen",
    "attention": "attention",
    "due": "due",
    "status": "status",
    "assignee": "assignee",
    "author": "author",
    "tag": "tags",
}
"""Parameter of the address → filter of the inbox."""
VIEW, SORT, COUNTED, TEXT = "view", "sort", "counted", "q"
FIRST_DAY, LAST_DAY = "from", "to"
OLD_DAYS = "when"
"""The parameter that held both days before; old links and saved views have it."""
DEFAULT_VIEW = "open"
NOBODY = "-"
"""The value in an address for "unassigned", because an empty value would mean no filter."""
MATCH_NOTHING = "\x01"
"""A value that nothing has. (The storage refuses NUL characters.)"""


def base_view_filters(view: str, person: str) -> dict[str, Any]:
    """Return the filters of a built-in view, for a person; without a name, nothing is theirs.

    Raises:
        KeyError: There is no such view.
    """
    views: dict[str, dict[str, Any]] = {
        "attention": {"attention": tuple(AttentionReason)},
        "open": {"state": (StatusCategory.OPEN,)},
        "mine": {"assignee": (person or MATCH_NOTHING,), "state": (StatusCategory.OPEN,)},
        "closed": {"state": (StatusCategory.CLOSED,)},
        "all": {},
        "mentions": {"mentions": person or MATCH_NOTHING},
        "snoozed": {"snoozed": "only"},
        "twins": {"twins": True},
        "incidents": {"incident": "any"},
    }
    return views[view]


def select_within_view(base: Mapping[str, Any], selected: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the filters of a view with selected values. Values outside of the view match nothing.

    Args:
        base: The filters of the view.
        selected: The values by parameter, see :data:`FACET_FILTERS`.
    """
    chosen = dict(base)
    for parameter, key in FACET_FILTERS.items():
        values = tuple("" if value == NOBODY else value for value in selected.get(parameter, ()))
        if values and key in chosen:
            values = tuple(value for value in values if value in chosen[key]) or (MATCH_NOTHING,)
        if values:
            chosen[key] = values
    return chosen


def saved_view_filters(query: Mapping[str, Any], person: str) -> dict[str, Any]:
    """Return the filters of a saved view; days are whole days in UTC.

    Args:
        query: What the view keeps: the parameters of the address, each a list of texts.
        person: Who "mine" and "mentions" are about.
    """
    values = {name: [str(each) for each in given] for name, given in query.items() if isinstance(given, list)}
    view = next(iter(values.get(VIEW, ())), DEFAULT_VIEW)
    try:
        base = base_view_filters(view, person)
    except KeyError:
        base = base_view_filters(DEFAULT_VIEW, person)
    chosen = select_within_view(base, values)
    if text := next(iter(values.get(TEXT, ())), "").strip():
        chosen["search"] = text
    if counted := next(iter(values.get(COUNTED, ())), ""):
        chosen["counted"] = counted
    first, last = parse_days(values)
    if first:
        chosen["start_date"] = clock.day_start(first, dt.UTC)
    if last:
        chosen["end_date"] = clock.day_end(last, dt.UTC)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in chosen.items()}


def parse_days(query: Mapping[str, Any]) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last day that a list shows; None for one that is not set or not a day.

    Args:
        query: The parameters of an address or of a saved view, each a list of texts.
    """
    old, first, last = (_as_list(query.get(name)) for name in (OLD_DAYS, FIRST_DAY, LAST_DAY))
    return _parse_day(first or old[:1]), _parse_day(last or old[1:2])


def _as_list(stored: object) -> list[Any]:
    return stored if isinstance(stored, list) else []


def _parse_day(texts: list[Any]) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(texts[0])) if texts else None
    except ValueError:
        return None
