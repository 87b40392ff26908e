"""Show the trash: deleted reports, comments, incidents and other records, which can be restored."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lavendertown.ui import queries
from lavendertown.ui.components.data import data_actions, data_queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_time

_PLACE = "data:trash"


def show_trash() -> None:
    """List deleted records with time and actor, and restore the selected ones."""
    counts = data_queries.count_trash()
    if not any(counts.values()):
        layout.show_empty_state(
            "delete", "The trash is empty", "Deleted items stay here and can be restored."
        )
        return
    kind = st.radio(
        "Kind",
        list(data_queries.TRASH_KINDS),
        key="data:trash:kind",
        horizontal=True,
        label_visibility="collapsed",
        index=next(number for number, kind in enumerate(counts) if counts[kind]),
        format_func=lambda kind: f"{data_queries.TRASH_KINDS[kind]} ({counts[kind]:,})",
    )
    if not counts[kind]:
        st.caption(f"No {data_queries.TRASH_KINDS[kind].lower()} in the trash.")
        return
    pages = -(-counts[kind] // queries.PAGE_SIZE)
    number = min(st.session_state.get(f"data:trash:page:{kind}", 1), pages)
    rows = data_queries.list_trash(kind, queries.PAGE_SIZE, (number - 1) * queries.PAGE_SIZE)
    with st.container(border=True, gap="xsmall"):
        selected = [row["id"] for row in rows if _draw_row(kind, row)]
    layout.show_notice(_PLACE)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.button(
            f"Restore {len(selected)} selected" if selected else "Restore selected",
            type="primary",
            icon=":material/restore_from_trash:",
            key="data:trash:restore",
            disabled=not selected or layout.has_question(_PLACE),
            on_click=person.run_with_name,
            args=(_PLACE, data_actions.restore_from_trash, kind, selected),
        )
        ids = [row["id"] for row in rows]
        st.button("Select all on this page", key="data:trash:all", on_click=_select_rows, args=(kind, ids))
    if pages > 1:
        st.pagination(pages, key=f"data:trash:page:{kind}", width="content")


def _draw_row(kind: str, row: dict[str, Any]) -> bool:
    who = f" by {escape_markdown(row['deleted_by'])}" if row["deleted_by"] else ""
    about = f"{escape_markdown(row['about'])} · " if row["about"] else ""
    name = escape_markdown(row["name"] if len(row["name"]) <= 90 else row["name"][:89] + "…")
    return st.checkbox(
        f"**{name}** &ensp;:small[:gray[{about}deleted {format_time(row['deleted_at'])}{who}]]",
        key=_checkbox_key(kind, row["id"]),
    )


def _checkbox_key(kind: str, record_id: str) -> str:
    return f"data:trash:{kind}:{record_id}"


def _select_rows(kind: str, ids: list[str]) -> None:
    for each in ids:
        st.session_state[_checkbox_key(kind, each)] = True
