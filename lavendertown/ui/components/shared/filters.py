"""Filters of the reports list. They are stored in the URL, so that a link shows the same list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lavendertown.collaboration import view_filters
from lavendertown.core import clock
from lavendertown.ui.components.shared.formatting import (
    DUE_NAMES,
    SEVERITIES,
    attention_name,
    escape_markdown,
    ghost_type_name,
    reader_time_zone,
    run_state_name,
    status_name,
)

FACETS = {
    "author": "Author",
    "dataset": "Dataset",
    "status": "Status",
    "severity": "Severity",
    "tag": "Tags",
}
"""Query parameter → label."""

NOBODY = "Nobody"
NOBODY_KEY = view_filters.NOBODY
TEXT = view_filters.TEXT
FIRST_DAY, LAST_DAY = view_filters.FIRST_DAY, view_filters.LAST_DAY
PAGE = "page"
REVERSED = "Until is before Since: choose a later day for Until, or clear the filters."
_RECENT = {7: "Last 7 days", 30: "Last 30 days"}
_KEPT = "filters:kept"
_UNFOLDED = "filters:unfolded"


def restore_filters(is_first_run: bool) -> None:
    """Restore the previous filters when the user returns from another screen to a URL without filters."""
    if is_first_run and not any(st.query_params.get_all(name) for name in FACETS):
        for name, values in st.session_state.get(_KEPT, {}).items():
            st.query_params[name] = values
    st.session_state[_KEPT] = {
        name: st.query_params.get_all(name) for name in FACETS if st.query_params.get_all(name)
    }


def chosen_filters() -> dict[str, Any]:
    """Return the current filters as arguments of the storage's query methods."""
    chosen: dict[str, Any] = {
        "tags" if name == "tag" else name: tuple(st.query_params.get_all(name))
        for name in FACETS
        if st.query_params.get_all(name)
    }
    return chosen | chosen_text_and_days()


def draw_filter_bar(count: Callable[[dict[str, Any]], Mapping[str, Mapping[str, int]]]) -> dict[str, Any]:
    """Draw the filter row (text, days, one menu per facet); return the current filters.

    Args:
        count: Counts reports by the values of each facet for the given filters.
    """
    menus = draw_text_and_days("Search reports", "Search titles, datasets, findings", "Date", FACETS)
    # After the widgets above, which read their values from the URL on a first visit.
    chosen = chosen_filters()
    counts = count(chosen)
    with menus:
        for name, label in FACETS.items():
            draw_filter_menu(name, label, counts[name], "No report has any.", go_to_first_page)
    return chosen


def draw_text_and_days(search: str, hint: str, days: str, names: Collection[str]) -> DeltaGenerator:
    """Draw the search field and the menu of days that every list has; return the place for the other menus.

    In a narrow window, a button shows and hides all but the search field.

    Args:
        search: The label of the search field.
        hint: The placeholder of the search field.
        days: The label of the menu of days.
        names: The query parameters of the filter menus.
    """
    is_open = bool(st.session_state.get(_UNFOLDED))
    _adopt_old_address()
    count = sum(1 for name in names if st.query_params.get_all(name)) + any(chosen_days())
    with st.container(
        horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center", key="filter-row"
    ):
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
            on_change=go_to_first_page,
        )
        with st.container(key="filter-fold", width="content"):
            st.button(
                f":violet[**Filters · {count}**]" if count else "Filters",
                icon=":material/expand_less:" if is_open else ":material/tune:",
                key="filters:fold",
                on_click=_toggle_fold,
            )
        menus = st.container(
            horizontal=True,
            wrap=False,
            gap="xsmall",
            vertical_alignment="center",
            key=f"filter-menus-{'open' if is_open else 'folded'}",
        )
    with menus:
        _draw_days(days)
    return menus


def _adopt_old_address() -> None:
    """Take the days of a link of an earlier version, which had both in one parameter."""
    name = view_filters.OLD_DAYS
    if name in st.query_params:
        set_days(view_filters.parse_days({name: st.query_params.get_all(name)}))
        st.query_params.pop(name)


def _draw_days(label: str) -> None:
    first, last = chosen_days()
    with st.popover(_describe_days(label, first, last), key="filter:days"):
        with st.container(horizontal=True, gap="xsmall", wrap=False):
            for key, name in ((FIRST_DAY, "Since"), (LAST_DAY, "Until")):
                st.date_input(
                    name,
                    value=None,
                    width=150,
                    format="YYYY-MM-DD",
                    key=key,
                    bind="query-params",
                    persist_state="session",
                    on_change=go_to_first_page,
                )
        with st.container(horizontal=True, gap="xsmall"):
            for days, text in _RECENT.items():
                st.button(text, key=f"filter:days:{days}", on_click=_choose_recent, args=(days,))
            if first or last:
                st.button(
                    "Any day", type="tertiary", key="filter:days:any", on_click=_choose_recent, args=(None,)
                )


def _describe_days(label: str, first: dt.date | None, last: dt.date | None) -> str:
    """Return the label of the menu of days: what is chosen, or its name."""
    if first and last:
        label = f"{_format_day(first)} to {_format_day(last)}"
    elif first:
        label = f"Since {_format_day(first)}"
    elif last:
        label = f"Until {_format_day(last)}"
    return f":violet[**{label}**]" if first or last else label


def _format_day(day: dt.date) -> str:
    return clock.format_short_day(day) if day.year == _today().year else clock.format_day(day)


def _today() -> dt.date:
    return clock.now().astimezone(reader_time_zone()).date()


def _choose_recent(days: int | None) -> None:
    set_days((_today() - dt.timedelta(days=days - 1) if days else None, None))
    go_to_first_page()


def _toggle_fold() -> None:
    st.session_state[_UNFOLDED] = not st.session_state.get(_UNFOLDED)


def chosen_text_and_days() -> dict[str, Any]:
    """Return the current text and days as arguments of the storage's query methods."""
    chosen: dict[str, Any] = {}
    text = str(st.session_state.get(TEXT) or "").strip()
    if text:
        chosen["search"] = text
    first, last = chosen_days()
    if first:
        chosen["start_date"] = clock.day_start(first, reader_time_zone())
    if last:
        chosen["end_date"] = clock.day_end(last, reader_time_zone())
    return chosen


def chosen_days() -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last day of the list; None for one that is not set."""
    in_address = view_filters.parse_days(
        {name: st.query_params.get_all(name) for name in (FIRST_DAY, LAST_DAY)}
    )
    # Before the fields are drawn for the first time, the address is the only place that has the days.
    first, last = (
        st.session_state.get(name, day) for name, day in zip((FIRST_DAY, LAST_DAY), in_address, strict=True)
    )
    return first, last


def set_days(days: tuple[dt.date | None, dt.date | None]) -> None:
    """Set the first and the last day of the list. Call this before drawing the filters."""
    st.session_state[FIRST_DAY], st.session_state[LAST_DAY] = days


def is_reversed() -> bool:
    """Return whether the last day is before the first, so that nothing can match."""
    first, last = chosen_days()
    return bool(first and last and last < first)


def draw_filter_menu(
    name: str, label: str, counts: Mapping[str, int], none: str, after: Callable[[], None]
) -> None:
    """Draw the menu of one facet.

    It is not a multiselect, as labels identify values there, and these labels contain changing counts.

    Args:
        name: The query parameter with the selected values.
        label: The label of the menu.
        counts: The number of items for each value.
        none: The help text if there are no values.
        after: Called after a selection.
    """
    now = st.query_params.get_all(name)
    values = sorted(set(counts) - {""} | set(now), key=lambda v: (-counts.get(v, 0), _value_name(name, v)))
    options = ["", *values] if now else values
    if not options:
        st.button(label, key=f"none:{name}", disabled=True, help=none)
        return

    def shown(value: str) -> str:
        if not value:
            return f":material/close: Any {label.lower()}"
        mark = ":material/check: " if value in now else ""
        return f"{mark}{escape_markdown(_value_name(name, value))}  :gray[{counts.get(value, 0)}]"

    text = label
    if len(now) == 1:
        text = f":violet[**{escape_markdown(_value_name(name, now[0]))}**]"
    elif now:
        text = f":violet[**{label} · {len(now)}**]"
    st.menu_button(
        text,
        options,
        key=f"menu:{name}",
        format_func=shown,
        on_click=_toggle_value,
        args=(name, after),
    )


def _value_name(facet: str, value: str) -> str:
    if facet == "status":
        return status_name(value)
    if facet == "severity" and value in SEVERITIES:
        return SEVERITIES[value][2]
    if facet == "seen":
        return run_state_name(value)
    if facet == "attention":
        return attention_name(value)
    if facet == "due":
        return DUE_NAMES.get(value, value)
    if facet == "type":
        return ghost_type_name(value)
    return NOBODY if facet == "assignee" and value == NOBODY_KEY else value


def _toggle_value(name: str, after: Callable[[], None]) -> None:
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


def go_to_first_page() -> None:
    """Go to the first page, as the page number is meaningless after a filter changed."""
    st.session_state[PAGE] = 1


def clear_filters() -> None:
    """Clear all filters."""
    for name in FACETS:
        st.query_params.pop(name, None)
    st.session_state[TEXT] = ""
    set_days((None, None))
    go_to_first_page()
