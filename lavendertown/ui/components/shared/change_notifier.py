"""Announce changes of other users on an open page, without changing the page itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import streamlit as st

from lavendertown.core.clock import EPOCH
from lavendertown.core.errors import StorageError
from lavendertown.ui import errors, queries, replaced_data
from lavendertown.ui.components.shared import person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

REFRESH_INTERVAL = "2s"
_WATCHED_COMPONENTS = ("report", "annotation", "finding", "incident", "store")
_SINCE = "live:since"
_NEWS_LINE = "news-line"


def set_baseline() -> None:
    """Store the time of the latest change; later changes by others are announced on this page."""
    st.session_state[_SINCE] = queries.time_of_latest_change()


@st.fragment(run_every=REFRESH_INTERVAL)
def show_changes(
    report_id: str | None = None,
    findings: tuple[str, ...] = (),
    open_finding_id: str = "",
    on_show: Callable[[], None] | None = None,
    also: tuple[str, ...] = (),
) -> None:
    """Show the number of changes by others since :func:`set_baseline`, with a button to load them.

    The notice is at a place of its own in the top bar, see ``assets/shell.css``, and moves nothing.

    Args:
        report_id: Only changes to this report and to ``findings``; None for every change.
        findings: Finding ids on the page.
        open_finding_id: The finding whose thread is open; new comments appear there automatically.
        on_show: Called before the page is redrawn with the changes.
        also: Components of the audit log that the page shows besides reports and findings.
    """
    try:
        changes = _new_changes(report_id, findings, open_finding_id, also)
    except StorageError as error:
        errors.show_error(error)
        return
    if changes:
        with st.container(
            horizontal=True, vertical_alignment="center", gap="xsmall", width="content", key=_NEWS_LINE
        ):
            st.markdown(f":violet[:material/sync:] {_describe_changes(changes)}", width="content")
            shown = st.button(
                "Show",
                key=f"live:show:{report_id}",
                type="tertiary",
                icon=":material/refresh:",
                on_click=on_show,
            )
            if shown:
                st.rerun()


def _new_changes(
    report_id: str | None, findings: tuple[str, ...], open_finding_id: str, also: tuple[str, ...]
) -> list[queries.Row]:
    since: dt.datetime = st.session_state.get(_SINCE, EPOCH)
    watched = {*_WATCHED_COMPONENTS, *also}
    events = [
        e
        for e in queries.changes_since(since)
        if e["at"] > since and e["actor"] != person.current_name() and e["component"] in watched
    ]
    if report_id is None:
        return events
    return [event for event in events if _concerns_page(event, report_id, findings, open_finding_id)]


def _concerns_page(
    event: queries.Row, report_id: str, findings: tuple[str, ...], open_finding_id: str
) -> bool:
    if event["component"] == "store":
        return True
    if event["component"] == "report":
        return bool(event["record_id"] == report_id)
    state = event["after"] or event["before"] or {}
    finding_id = state.get("finding_id")
    return finding_id in findings and (finding_id != open_finding_id or bool(state.get("status")))


def _describe_changes(changes: list[queries.Row]) -> str:
    replaced = [
        each
        for each in changes
        if each["component"] == "store" and each["operation"] in replaced_data.REPLACING_OPERATIONS
    ]
    what = "All data was replaced" if replaced else format_count(len(changes), "new change")
    return f"**{what}** :gray[by {escape_markdown(_author_names(replaced or changes))}]"


def _author_names(events: list[queries.Row]) -> str:
    names = list(dict.fromkeys(event["actor"] for event in events))
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
