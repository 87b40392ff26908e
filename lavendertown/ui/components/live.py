"""What others do while a page is open: announced, never moved under the reader's hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import streamlit as st

from lavendertown.clock import EPOCH
from lavendertown.errors import StorageError
from lavendertown.ui import problems, reads
from lavendertown.ui.components import person, words

EVERY = "2s"
_NEWS = ("report", "annotation", "finding", "store")
_SINCE = "live:since"


def mark() -> None:
    """Note what the store holds now: later changes by others are news to this page."""
    latest = reads.latest_change()
    st.session_state[_SINCE] = latest["at"] if latest else EPOCH


@st.fragment(run_every=EVERY)
def announce(
    report_id: str | None = None,
    findings: tuple[str, ...] = (),
    reading: str = "",
    on_show: Callable[[], None] | None = None,
) -> None:
    """Say how many changes others made since :func:`mark`, with a button that shows them.

    It belongs where there is room for a line already: news must not push the page down.

    Args:
        report_id: Only changes to this report and to ``findings``; None for every change.
        findings: Finding ids on the page.
        reading: The finding whose thread is open: its comments appear by themselves.
        on_show: Called before the page is drawn with the news.
    """
    try:
        news = _news(report_id, findings, reading)
    except StorageError as error:
        problems.show(error)
        return
    if news:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
            st.markdown(
                f":violet[:material/sync:] **{words.count(len(news), 'new change')}** "
                f":gray[by {words.plain(_names(news))}]",
                width="content",
            )
            shown = st.button(
                "Show",
                key=f"live:show:{report_id}",
                type="tertiary",
                icon=":material/refresh:",
                on_click=on_show,
            )
            if shown:
                st.rerun()


def _news(report_id: str | None, findings: tuple[str, ...], reading: str) -> list[reads.Row]:
    since: dt.datetime = st.session_state.get(_SINCE, EPOCH)
    events = [
        e
        for e in reads.changes(since)
        if e["at"] > since and e["actor"] != person.me() and e["component"] in _NEWS
    ]
    if report_id is None:
        return events
    return [event for event in events if _concerns(event, report_id, findings, reading)]


def _concerns(event: reads.Row, report_id: str, findings: tuple[str, ...], reading: str) -> bool:
    if event["component"] == "report":
        return bool(event["record_id"] == report_id)
    state = event["after"] or event["before"] or {}
    about = state.get("finding_id")
    return about in findings and (about != reading or bool(state.get("status")))


def _names(events: list[reads.Row]) -> str:
    names = list(dict.fromkeys(event["actor"] for event in events))
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
