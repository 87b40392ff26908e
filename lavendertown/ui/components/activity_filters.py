"""The filters of Activity: person, kind, operation, since, until, record. The address holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from lavendertown import clock
from lavendertown.ui.components import activity_words, words

MENUS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "person": ("Person", "actor", str),
    "kind": ("Kind", "component", lambda value: activity_words.kind(value).capitalize()),
    "operation": ("What was done", "operation", activity_words.operation),
}
"""Query parameter → its name on the screen, ``audit_log``'s argument, and how a value is shown."""

PART = "part"
_SINCE, _UNTIL, _RECORD = "since", "until", "record"


def bar(values: dict[str, Iterable[str]]) -> dict[str, Any]:
    """Draw the filter row; return the filters in force as ``audit_log`` takes them.

    Args:
        values: What each menu offers.
    """
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        for name in MENUS:
            _menu(name, values[name])
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
                on_change=first_part,
            )
        st.text_input(
            "Record",
            key=_RECORD,
            type="search",
            icon=":material/tag:",
            placeholder="Id of a record",
            label_visibility="collapsed",
            width=190,
            bind="query-params",
            on_change=first_part,
        )
    return chosen()


def chosen() -> dict[str, Any]:
    """Return the filters in force."""
    found: dict[str, Any] = {
        argument: tuple(st.query_params.get_all(name))
        for name, (_, argument, _) in MENUS.items()
        if st.query_params.get_all(name)
    }
    since: dt.date | None = st.session_state.get(_SINCE)
    until: dt.date | None = st.session_state.get(_UNTIL)
    if since:
        found["since"] = clock.day_start(since, words.zone())
    if until:
        found["until"] = clock.day_end(until, words.zone())
    record = str(st.session_state.get(_RECORD) or "").strip()
    if record:
        found["record_id"] = record
    return found


def _menu(name: str, values: Iterable[str]) -> None:
    label, _, say = MENUS[name]
    now = st.query_params.get_all(name)
    options = [*([""] if now else []), *sorted({*values, *now}, key=lambda each: say(each).casefold())]

    def shown(value: str) -> str:
        if not value:
            return (
                f":material/close: Any {label.lower()}"
                if name != "operation"
                else ":material/close: Anything"
            )
        return f"{':material/check: ' if value in now else ''}{words.plain(say(value))}"

    text = label
    if len(now) == 1:
        text = f":violet[**{words.plain(say(now[0]))}**]"
    elif now:
        text = f":violet[**{label} · {len(now)}**]"
    key = f"activity:menu:{name}"
    st.menu_button(
        text, options, key=key, format_func=shown, on_click=_toggle, args=(name,), disabled=not options
    )


def _toggle(name: str) -> None:
    value, now = st.session_state[f"activity:menu:{name}"], st.query_params.get_all(name)
    now = [] if not value else [each for each in now if each != value] if value in now else [*now, value]
    if now:
        st.query_params[name] = now
    else:
        st.query_params.pop(name, None)
    first_part()


def part() -> int:
    """Return which part of the list is shown; 1 is the newest."""
    text = st.query_params.get(PART, "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def turn(number: int) -> None:
    """Show another part."""
    st.query_params[PART] = str(number)


def first_part() -> None:
    """Go back to the newest: a filter that changed makes the old part meaningless."""
    st.query_params.pop(PART, None)


def clear() -> None:
    """Take every filter off."""
    for name in MENUS:
        st.query_params.pop(name, None)
    st.session_state[_SINCE] = st.session_state[_UNTIL] = None
    st.session_state[_RECORD] = ""
    first_part()
