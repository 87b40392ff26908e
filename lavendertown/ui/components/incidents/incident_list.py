"""Show the incidents, one line each."""

from __future__ import annotations

import streamlit as st

from lavendertown.core import statuses
from lavendertown.ui import queries
from lavendertown.ui.components.findings import inbox_filters
from lavendertown.ui.components.incidents import incident_prompt
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_relative_time,
    status_badge,
)

_PAGE = "incidents:page"


def show_incidents() -> None:
    """Show one page of the incidents, open ones first."""
    rows = queries.list_incidents()
    if not rows:
        layout.show_empty_state(
            "hub",
            "No incidents yet",
            "An incident groups findings with one cause. Select findings in the list, then choose Group.",
            lambda: st.button(
                "Show open findings",
                icon=":material/inbox:",
                on_click=inbox_filters.open_view,
                args=("open",),
            ),
        )
        return
    open_count = sum(1 for row in rows if row["state"] == statuses.StatusCategory.OPEN)
    st.caption(f"{format_count(len(rows), 'incident')} · {open_count:,} open")
    pages = -(-len(rows) // queries.PAGE_SIZE)
    number = min(st.session_state.get(_PAGE, 1), pages)
    with st.container(border=True, gap="xsmall"):
        for row in rows[(number - 1) * queries.PAGE_SIZE : number * queries.PAGE_SIZE]:
            _draw_incident(row)
    if pages > 1:
        st.pagination(pages, key=_PAGE, width="content")


def _draw_incident(row: queries.Row) -> None:
    parts = [
        incident_prompt.describe_open_members(row),
        escape_markdown(row["assignee"]) or "Unassigned",
        format_relative_time(row["created_at"]),
    ]
    if row["comment_count"]:
        parts.append(f":material/chat_bubble: {row['comment_count']:,}")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.page_link(
            layout.INCIDENT,
            label=f"**{escape_markdown(row['title'])}** &ensp;:small[:gray[{' · '.join(parts)}]]",
            query_params={"id": row["id"]},
            width="stretch",
        )
        st.markdown(format_status(row), width="content")


def format_status(row: queries.Row) -> str:
    """Return the status of an incident as a badge: the status of all its findings, or open or closed."""
    if row["status"]:
        return status_badge(row["status"])
    is_open = row["state"] == statuses.StatusCategory.OPEN
    return ":violet-badge[Open]" if is_open else ":gray-badge[Closed]"
