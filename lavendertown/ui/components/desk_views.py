"""The desk's views, filters and order. The address holds them all, so a link shows the same list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lavendertown.collaboration.counted import Counted
from lavendertown.collaboration.triage import CLOSED
from lavendertown.ui import reads, triage
from lavendertown.ui.components import filters, person, trend_steps

FACETS = {
    "severity": ("severity", "Severity"),
    "dataset": ("dataset", "Dataset"),
    "type": ("ghost_type", "Type"),
    "seen": ("seen", "Seen"),
    "status": ("status", "Status"),
    "assignee": ("assignee", "Assignee"),
    "author": ("author", "Discussed by"),
    "tag": ("tags", "Tags"),
}
"""Query parameter → what the storage calls it, and its name on the screen."""
ORDERS = {
    "severity": "Gravest first",
    "last_seen": "Last seen first",
    "first_seen": "Newest first",
    "last_count": "Most rows first",
    "times_seen": "Seen most often first",
    "comment_count": "Most discussed first",
}
VIEW, SORT, COUNTED = "view", "sort", "counted"
OPEN = ("open", "needs-investigation")
_NAMES = {
    "attention": "Needs attention",
    "open": "Open",
    "mine": "Mine",
    "closed": "Closed",
    "all": "All",
    "mentions": "Mentions me",
    "snoozed": "Snoozed",
    "twins": "Look-alikes",
}
_MORE = ("mentions", "snoozed", "twins")
_ALWAYS = ("attention", "open", "mine", "closed", "all")
_MENU = "desk:views"
_SAVE = "Save this view…"
_DELETE = "Delete this view"
_TURN = "desk:turn"
NO_MATCH = "\x00"


def turn() -> int:
    """Return a number that is another one when the list is to be read anew."""
    return int(st.session_state.get(_TURN, 0))


def read_anew() -> None:
    """Have the list read anew; until then it stays as it is, whatever others do."""
    st.session_state[_TURN] = turn() + 1


def view() -> str:
    """Return the view in force."""
    named = st.query_params.get(VIEW, "open")
    return named if named in _NAMES else "open"


def base(name: str) -> dict[str, Any]:
    """Return what a view asks for."""
    me = person.me()
    views: dict[str, dict[str, Any]] = {
        "attention": {"status": OPEN, "seen": ("new", "regressed"), "snoozed": "hidden"},
        "open": {"status": OPEN, "snoozed": "hidden"},
        "mine": {"assignee": (me,), "status": (*OPEN, "reviewed")},
        "closed": {"status": CLOSED},
        "all": {},
        "mentions": {"mentions": me},
        "snoozed": {"snoozed": "only"},
        "twins": {"twins": True},
    }
    return views[name]


def counted() -> str:
    """Return which figure's findings are listed, empty where none's."""
    return str(st.query_params.get(COUNTED, ""))


def chosen() -> dict[str, Any]:
    """Return view and filters in force, as the storage's desk takes them."""
    found = dict(base(view()))
    for name, (key, _) in FACETS.items():
        values = tuple("" if v == filters.NOBODY_KEY else v for v in st.query_params.get_all(name))
        if values and key in found:
            # Within the view: what it leaves out stays out.
            values = tuple(v for v in values if v in found[key]) or (NO_MATCH,)
        if values:
            found[key] = values
    if counted():
        found["counted"] = counted()
    found |= filters.text_and_days_chosen()
    return {key: list(v) if isinstance(v, tuple) else v for key, v in found.items()}


def order() -> str:
    """Return what the list is ordered by."""
    named = st.query_params.get(SORT, "severity")
    return named if named in ORDERS else "severity"


def switcher() -> None:
    """Show the views with their counts, and a menu with the others."""
    now = view()
    for name in _ALWAYS if now in _ALWAYS else (*_ALWAYS, now):
        count = f"{reads.count_desk(base(name)):,}"
        here = name == now
        st.button(
            f":violet[**{_NAMES[name]} {count}**]" if here else f"{_NAMES[name]} :gray[{count}]",
            type="secondary" if here else "tertiary",
            key=f"desk:view:{name}",
            on_click=go,
            args=(name,),
        )
    saved = [row["name"] for row in reads.saved_views()]
    options = [*(_NAMES[name] for name in _MORE), *saved, _SAVE]
    if st.session_state.get("desk:saved") in saved:
        options.append(_DELETE)
    st.menu_button("Views", options, type="tertiary", icon=":material/bookmark:", key=_MENU, on_click=_menu)


def go(name: str) -> None:
    """Show a view."""
    st.query_params[VIEW] = name
    st.session_state.pop("desk:saved", None)
    filters.first_page()
    read_anew()


def _menu() -> None:
    picked = st.session_state[_MENU]
    if picked == _SAVE:
        st.session_state["desk:dialog"] = ("view", ())
    elif picked == _DELETE:
        triage.delete_view(st.session_state.pop("desk:saved"))
    elif picked in (more := {_NAMES[name]: name for name in _MORE}):
        go(more[picked])
    else:
        _take(next(row for row in reads.saved_views() if row["name"] == picked))


def query() -> dict[str, list[str]]:
    """Return what the address says of the list, for a saved view."""
    names = (VIEW, SORT, COUNTED, filters.TEXT, *FACETS)
    return {name: st.query_params.get_all(name) for name in names if st.query_params.get_all(name)}


def _take(saved: reads.Row) -> None:
    clear()
    for name, values in saved["query"].items():
        if name in (VIEW, SORT, COUNTED, *FACETS) and isinstance(values, list):
            st.query_params[name] = [str(value) for value in values]
    st.session_state[filters.TEXT] = str((saved["query"].get(filters.TEXT) or [""])[0])
    st.session_state["desk:saved"] = saved["name"]
    read_anew()


def clear() -> None:
    """Take every filter off; the view stays."""
    for name in (COUNTED, *FACETS):
        st.query_params.pop(name, None)
    st.session_state[filters.TEXT] = ""
    st.session_state[filters.DAYS] = ()
    filters.first_page()


def bar() -> dict[str, Any]:
    """Draw the filter row; return view and filters in force."""
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        filters.text_and_days("Search findings", "Search findings and comments", "Last seen")
        # Only now: on a first visit the two widgets above take their values from the address.
        found = chosen()
        counts = reads.desk_facets(found)
        for name, (key, label) in FACETS.items():
            filters.menu(name, label, _named(name, counts[key]), "No finding has any.", filters.first_page)
    return found


def _named(name: str, counts: Mapping[str, int]) -> dict[str, int]:
    if name != "assignee":
        return dict(counts)
    return {value or filters.NOBODY_KEY: count for value, count in counts.items()}


def sorter() -> None:
    """Show what the list is ordered by, and let it be chosen."""
    now = order()
    st.menu_button(
        ORDERS[now],
        list(ORDERS),
        format_func=lambda name: f"{':material/check: ' if name == now else ''}{ORDERS[name]}",
        type="tertiary",
        icon=":material/sort:",
        key="desk:sort",
        on_click=_order_by,
    )


def _order_by() -> None:
    st.query_params[SORT] = st.session_state["desk:sort"]
    filters.first_page()


def figure() -> None:
    """Say which figure's findings are listed, and let it be taken off."""
    if counted():
        st.button(
            f":violet[**{trend_steps.in_words(Counted.parse(counted()))}**]",
            type="tertiary",
            icon=":material/close:",
            key="desk:counted",
            help="Show all again",
            on_click=_uncount,
        )


def _uncount() -> None:
    st.query_params.pop(COUNTED, None)
    filters.first_page()


def is_filtered() -> bool:
    """Tell whether anything narrows the view."""
    return bool(
        st.session_state.get(filters.TEXT)
        or st.session_state.get(filters.DAYS)
        or counted()
        or any(st.query_params.get_all(name) for name in FACETS)
    )


def show_all() -> None:
    """Take every filter off and show all findings."""
    clear()
    go("all")
