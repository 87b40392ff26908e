"""The filters of the reports list. The address holds them, so a link shows the same list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from lavendertown import clock
from lavendertown.ui.components import words

FACETS = {
    "author": "Author",
    "dataset": "Dataset",
    "status": "Status",
    "severity": "Severity",
    "tag": "Tags",
}
"""Query parameter → its name on the screen."""

NOBODY = "Nobody"
NOBODY_KEY = "-"
"""How the address says that nobody looks after a finding: an empty value would be none."""
TEXT = "q"
DAYS = "when"
PAGE = "page"
_KEPT = "filters:kept"


def restore(arrived: bool) -> None:
    """On coming back from another screen with a bare address, take up the filters that were left."""
    if arrived and not any(st.query_params.get_all(name) for name in FACETS):
        for name, values in st.session_state.get(_KEPT, {}).items():
            st.query_params[name] = values
    st.session_state[_KEPT] = {
        name: st.query_params.get_all(name) for name in FACETS if st.query_params.get_all(name)
    }


def chosen() -> dict[str, Any]:
    """Return the filters in force, as the storage's query methods take them."""
    found: dict[str, Any] = {
        "tags" if name == "tag" else name: tuple(st.query_params.get_all(name))
        for name in FACETS
        if st.query_params.get_all(name)
    }
    return found | text_and_days_chosen()


def bar(count: Callable[[dict[str, Any]], Mapping[str, Mapping[str, int]]]) -> dict[str, Any]:
    """Draw the filter row: text, date range and one menu a facet; return the filters in force.

    Args:
        count: Counts reports by each facet's values under the filters it is given.
    """
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        text_and_days("Search reports", "Search titles, datasets, findings", "Date range")
        # Only now: on a first visit the two widgets above take their values from the address.
        found = chosen()
        counts = count(found)
        for name, label in FACETS.items():
            menu(name, label, counts[name], "No report has any.", first_page)
    return found


def text_and_days(search: str, hint: str, days: str) -> None:
    """Show what every list begins with: a text to search for, and a range of days.

    Args:
        search: What the text field is called.
        hint: What it looks into.
        days: What the days are.
    """
    st.text_input(
        search,
        placeholder=hint,
        type="search",
        icon=":material/search:",
        label_visibility="collapsed",
        key=TEXT,
        width=250,
        live=True,
        bind="query-params",
        persist_state="session",
        on_change=first_page,
    )
    st.date_input(
        days,
        value=[],
        label_visibility="collapsed",
        width=226,
        format="YYYY-MM-DD",
        key=DAYS,
        bind="query-params",
        persist_state="session",
        on_change=first_page,
    )


def text_and_days_chosen() -> dict[str, Any]:
    """Return the text and the days in force, as the storage's query methods take them."""
    found: dict[str, Any] = {}
    text = str(st.session_state.get(TEXT) or "").strip()
    if text:
        found["search"] = text
    days = tuple(st.session_state.get(DAYS) or ())
    if len(days) == 2:
        found["start_date"] = clock.day_start(days[0], words.zone())
        found["end_date"] = clock.day_end(days[1], words.zone())
    return found


def menu(name: str, label: str, counts: Mapping[str, int], none: str, after: Callable[[], None]) -> None:
    """One facet. A menu, not a multiselect: there the label is the value and counts change it.

    Args:
        name: The query parameter that holds what is chosen.
        label: Its name on the screen.
        counts: How many there are of each value.
        none: Said where there is no value.
        after: Called when something was chosen.
    """
    now = st.query_params.get_all(name)
    values = sorted(set(counts) - {""} | set(now), key=lambda v: (-counts.get(v, 0), _name(name, v)))
    options = ["", *values] if now else values
    if not options:
        st.button(label, key=f"none:{name}", disabled=True, help=none)
        return

    def shown(value: str) -> str:
        if not value:
            return f":material/close: Any {label.lower()}"
        mark = ":material/check: " if value in now else ""
        return f"{mark}{words.plain(_name(name, value))}  :gray[{counts.get(value, 0)}]"

    text = label
    if len(now) == 1:
        text = f":violet[**{words.plain(_name(name, now[0]))}**]"
    elif now:
        text = f":violet[**{label} · {len(now)}**]"
    st.menu_button(
        text,
        options,
        key=f"menu:{name}",
        format_func=shown,
        on_click=_toggle,
        args=(name, after),
    )


def _name(facet: str, value: str) -> str:
    if facet == "status":
        return words.status_name(value)
    if facet == "severity" and value in words.SEVERITIES:
        return words.SEVERITIES[value][2]
    if facet == "seen":
        return words.seen_name(value)
    if facet == "type":
        return words.ghost(value)
    return NOBODY if facet == "assignee" and value == NOBODY_KEY else value


def _toggle(name: str, after: Callable[[], None]) -> None:
    value = st.session_state[f"menu:{name}"]
    now = st.query_params.get_all(name)
    if not value:
        now = []
    elif value in now:
        now = [other for other in now if other != value]
    else:
        now = [*now, value]
    if now:
        st.query_params[name] = now
    else:
        st.query_params.pop(name, None)
    after()


def first_page() -> None:
    """Go back to the first page; a filter that changed makes the old page meaningless."""
    st.session_state[PAGE] = 1


def clear() -> None:
    """Take every filter off."""
    for name in FACETS:
        st.query_params.pop(name, None)
    st.session_state[TEXT] = ""
    st.session_state[DAYS] = ()
    first_page()


def week_start(day: dt.date) -> dt.date:
    """Return the Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())
