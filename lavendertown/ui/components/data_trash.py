"""The trash: deleted reports, comments and rule sets, and their way back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lavendertown.ui import data_actions, data_reads, reads
from lavendertown.ui.components import frame, words


def show() -> None:
    """List what was deleted, with when and by whom, and take out what is ticked."""
    counts = data_reads.trash_counts()
    if not any(counts.values()):
        frame.empty("delete", "The trash is empty", "What somebody deletes waits here and can be restored.")
        return
    kind = st.radio(
        "Kind",
        list(data_reads.KINDS),
        key="data:trash:kind",
        horizontal=True,
        label_visibility="collapsed",
        index=next(number for number, kind in enumerate(counts) if counts[kind]),
        format_func=lambda kind: f"{data_reads.KINDS[kind]} ({counts[kind]:,})",
    )
    if not counts[kind]:
        st.caption(f"No {data_reads.KINDS[kind].lower()} in the trash.")
        return
    pages = -(-counts[kind] // reads.PAGE_SIZE)
    number = min(st.session_state.get(f"data:trash:page:{kind}", 1), pages)
    rows = data_reads.trash(kind, reads.PAGE_SIZE, (number - 1) * reads.PAGE_SIZE)
    with st.container(border=True, gap="xsmall"):
        ticked = [row["id"] for row in rows if _row(kind, row)]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.button(
            f"Restore {len(ticked)} selected" if ticked else "Restore selected",
            type="primary",
            icon=":material/restore_from_trash:",
            key="data:trash:restore",
            disabled=not ticked,
            on_click=data_actions.take_out,
            args=(kind, ticked),
        )
        ids = [row["id"] for row in rows]
        st.button("Select all on this page", key="data:trash:all", on_click=_tick, args=(kind, ids))
    if pages > 1:
        st.pagination(pages, key=f"data:trash:page:{kind}", width="content")


def _row(kind: str, row: dict[str, Any]) -> bool:
    who = f" by {words.plain(row['deleted_by'])}" if row["deleted_by"] else ""
    about = f"{words.plain(row['about'])} · " if row["about"] else ""
    name = words.plain(row["name"] if len(row["name"]) <= 90 else row["name"][:89] + "…")
    return st.checkbox(
        f"**{name}** &ensp;:small[:gray[{about}deleted {words.moment(row['deleted_at'])}{who}]]",
        key=_key(kind, row["id"]),
    )


def _key(kind: str, record_id: str) -> str:
    return f"data:trash:{kind}:{record_id}"


def _tick(kind: str, ids: list[str]) -> None:
    for each in ids:
        st.session_state[_key(kind, each)] = True
