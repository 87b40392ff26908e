"""Filters of the Activity screen, stored in the URL: person, type, action, since, until, record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from lavendertown.core import clock
from lavendertown.ui.components.shared import audit_text
from lavendertown.ui.components.shared.formatting import escape_markdown, reader_time_zone

MENUS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "person": ("Person", "actor", str),
    "kind": ("Type", "component", lambda value: audit_text.component_name(value).capitalize()),
    "operation": ("Action", "operation", audit_text.operation_name),
}
"""Query parameter → label, argument of ``audit_log``, and formatter of a value."""

PAGE_PARAMETER = "part"
_SINCE, _UNTIL, _RECORD = "since", "until", "record"


def draw_filter_bar(values: dict[str, Iterable[str]]) -> dict[str, Any]:
    """Draw the filter row; return the current filters as arguments of ``audit_log``.

    Args:
        values: The values of each menu.
    """
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        for name in MENUS:
            _draw_menu(name, values[name])
        for key, label in ((_SINCE, "Since"), (_UNTIL, "Until")):
            st.markdown(f":small[:gray[{label}]]", width="content")
            st.date_input(
                label,
                value=None,
                key=key,
                width=130,
                format="YYYY-MM-DD",
                label_visibility="collapsed",
                bind="query-params",
                on_change=show_first_page,
            )
        st.text_input(
            "Record",
            key=_RECORD,
            type="search",
            icon=":material/tag:",
            placeholder="Record ID",
            label_visibility="collapsed",
            width=190,
            bind="query-params",
            on_change=show_first_page,
        )
    return chosen_filters()


def chosen_filters() -> dict[str, Any]:
    """Return the current filters."""
    chosen: dict[str, Any] = {
        argument: tuple(st.query_params.get_all(name))
        for name, (_, argument, _) in MENUS.items()
        if st.query_params.get_all(name)
    }
    since: dt.date | None = st.session_state.get(_SINCE)
    until: dt.date | None = st.session_state.get(_UNTIL)
    if since:
        chosen["since"] = clock.day_start(since, reader_time_zone())
    if until:
        chosen["until"] = clock.day_end(until, reader_time_zone())
    record = str(st.session_state.get(_RECORD) or "").strip()
    if record:
        chosen["record_id"] = record
    return chosen


def is_reversed() -> bool:
    """Return whether the last day is before the first, so that no change can match."""
    since, until = st.session_state.get(_SINCE), st.session_state.get(_UNTIL)
    return bool(since and until and until < since)


def _draw_menu(name: str, values: Iterable[str]) -> None:
    label, _, format_value = MENUS[name]
    now = st.query_params.get_all(name)
    options = [
        *([""] if now else []),
        *sorted({*values, *now}, key=lambda value: format_value(value).casefold()),
    ]

    def shown(value: str) -> str:
        if not value:
            return (
                f":material/close: Any {label.lower()}"
                if name != "operation"
                else ":material/close: Anything"
            )
        return f"{':material/check: ' if value in now else ''}{escape_markdown(format_value(value))}"

    text = label
    if len(now) == 1:
        text = f":violet[**{escape_markdown(format_value(now[0]))}**]"
    elif now:
        text = f":violet[**{label} · {len(now)}**]"
    key = f"activity:menu:{name}"
    st.menu_button(
        text, options, key=key, format_func=shown, on_click=_toggle_value, args=(name,), disabled=not options
    )


def _toggle_value(name: str) -> None:
    value, now = st.session_state[f"activity:menu:{name}"], st.query_params.get_all(name)
    now = [] if not value else [each for each in now if each != value] if value in now else [*now, value]
    if now:
        st.query_params[name] = now
    else:
        st.query_params.pop(name, None)
    show_first_page()


def current_page() -> int:
    """Return the current page of the list; 1 has the newest events."""
    text = st.query_params.get(PAGE_PARAMETER, "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def show_page(number: int) -> None:
    """Show another page."""
    st.query_params[PAGE_PARAMETER] = str(number)


def show_first_page() -> None:
    """Go to the first page, as the page number is meaningless after a filter changed."""
    st.query_params.pop(PAGE_PARAMETER, None)


def clear_filters() -> None:
    """Clear all filters."""
    for name in MENUS:
        st.query_params.pop(name, None)
    st.session_state[_SINCE] = st.session_state[_UNTIL] = None
    st.session_state[_RECORD] = ""
    show_first_page()
