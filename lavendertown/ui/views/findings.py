"""Findings: every finding of all reports, each once, and what the team decides about it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import (
    crowded,
    desk_bulk,
    desk_grid,
    desk_views,
    detail,
    filters,
    frame,
    live,
    words,
)

_SHOWN = "desk:shown"


def page() -> None:
    """Draw the screen."""
    with frame.head("Findings"):
        news = st.container(width="content")
        if reads.count_desk({}):
            desk_views.switcher()
    if not reads.count_desk({}):
        nothing_yet()
        return
    chosen = desk_views.bar()
    matching = reads.count_desk(chosen)
    if not matching and not desk_grid.opened():
        nothing_here()
        desk_bulk.dialogs()
        return
    pages = max(1, -(-matching // reads.PAGE_SIZE))
    number = min(int(st.session_state.get(filters.PAGE) or 1), pages)
    rows = shown(chosen, number)
    with news:
        live.announce(on_show=desk_views.read_anew)
    current = opened(rows)
    draw(rows, current, matching)
    if pages > 1:
        st.pagination(pages, key=filters.PAGE, width="content", bind="query-params", persist_state="session")
    crowded.hint()
    desk_bulk.bar(matching)
    desk_bulk.dialogs()


def shown(chosen: dict[str, Any], number: int) -> list[reads.Row]:
    """Return the rows of a page: the same ones in the same order until the visitor asks for others."""
    about = (repr(chosen), desk_views.order(), number, desk_views.turn())
    held = st.session_state.get(_SHOWN)
    if held is None or held[0] != about or frame.arrived():
        live.mark()
        offset = (number - 1) * reads.PAGE_SIZE
        rows = reads.desk(chosen, desk_views.order(), reads.PAGE_SIZE, offset)
        st.session_state[_SHOWN] = (about, [row["finding_id"] for row in rows])
        return rows
    return reads.desk_rows(tuple(held[1]))


def opened(rows: list[reads.Row]) -> reads.Row | None:
    """Return the finding that is open, one that is not in the list too."""
    name = desk_grid.opened()
    if not name:
        return None
    found = next((row for row in rows if row["finding_id"] == name), None)
    others = [] if found else reads.desk_rows((name,))
    if found is None and not others:
        st.warning(f"There is no finding {words.code(name)} in any report.", icon=":material/search_off:")
    return found or next(iter(others), None)


def draw(rows: list[reads.Row], current: reads.Row | None, matching: int) -> None:
    """Show the list, and beside it the finding that is open."""
    if current is None:
        listing(rows, matching, narrow=False)
        return
    left, right = st.columns([1, 1.05], gap="medium")
    with left:
        listing(rows, matching, narrow=True)
    with right.container(border=True):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            keys(rows, current)
        occurrence = reads.finding(current["report_id"], current["finding_id"])
        if occurrence is not None:
            detail.detail(occurrence)


def listing(rows: list[reads.Row], matching: int, *, narrow: bool) -> None:
    """Show the grid under a line that says how many there are, and in which order."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(
            f"{words.count(matching, 'finding')} · rows counted in the latest run",
            width="content",
        )
        desk_views.figure()
        desk_views.sorter()
        if desk_views.is_filtered():
            clear_button("desk:clear")
        if not narrow:
            keys(rows, None)
        _key("Help", ":material/help:", "H", desk_bulk.ask, "help", [])
    if rows:
        desk_grid.grid(rows, narrow=narrow)


def keys(rows: list[reads.Row], current: reads.Row | None) -> None:
    """Show the buttons that keys press, too."""
    ids = [row["finding_id"] for row in rows]
    name = current["finding_id"] if current else ""
    place = ids.index(name) if name in ids else -1
    if current is not None:
        for label, icon, key, step in (
            ("Previous", ":material/keyboard_arrow_up:", "K", -1),
            ("Next", ":material/keyboard_arrow_down:", "J", 1),
        ):
            target = ids[(place + step) % len(ids)] if ids else name
            _key(label, icon, key, desk_grid.open_finding, target)
        _key("Close…", ":material/check_circle:", "X", desk_bulk.ask, "reason:fixed", [name])
        _key("Assign…", ":material/person:", "A", desk_bulk.ask, "assign", [name])
        _key("Comment…", ":material/add_comment:", "M", desk_bulk.ask, "comment", [name])
        _key("List", ":material/close_fullscreen:", "O", desk_grid.open_finding, "")
    elif ids:
        _key("Open the first", ":material/open_in_full:", "O", desk_grid.open_finding, ids[0])


def _key(label: str, icon: str, key: str, work: Any, *arguments: Any) -> None:
    st.button(
        label,
        icon=icon,
        type="tertiary",
        shortcut=key,
        key=f"desk:key:{key}",
        on_click=work,
        args=arguments,
    )


def clear_button(key: str) -> None:
    """Offer to take every filter off."""
    st.button(
        "Clear filters", type="tertiary", icon=":material/filter_alt_off:", key=key, on_click=desk_views.clear
    )


def nothing_yet() -> None:
    """Say where findings come from."""
    frame.empty(
        "inbox",
        "No findings yet",
        "A finding is what a check found. It keeps its discussion from run to run.",
        lambda: st.page_link(frame.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
    )


def nothing_here() -> None:
    """Say that the view is empty, and how to see more."""
    if desk_views.is_filtered():
        why = "Take the filters off, or choose another view."
        frame.empty(
            "filter_alt", "No finding matches these filters", why, lambda: clear_button("desk:clear again")
        )
        return
    frame.empty(
        "check_circle",
        "Nothing needs you",
        "No finding is in this view. Look at all of them, or run a check to see what is new.",
        lambda: st.button("Show all findings", on_click=desk_views.show_all),
    )


page()
