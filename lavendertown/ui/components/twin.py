"""The question whether a finding is one that vanished when it came."""

from __future__ import annotations

import streamlit as st

from lavendertown.collaboration.triage import Decision
from lavendertown.ui import reads, triage
from lavendertown.ui.components import desk_grid, words


def question(held: reads.Row) -> None:
    """Ask whether this finding is the vanished one it looks like, if there is one.

    Args:
        held: The finding as the desk lists it.
    """
    old = next(iter(reads.desk_rows((held["twin"],))), None) if held["twin"] else None
    if old is None:
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f":violet[:material/join:] **Is this the same as “{words.plain(old['description'])}”?** "
            f":small[:gray[It was seen last on {words.moment(old['last_seen'])}, in "
            f"{words.count(old['times_seen'], 'report')}, on the same column; the latest run does not "
            "say that its check ran, and this one came right after it.]]"
        )
        with st.container(horizontal=True, gap="xsmall"):
            st.button(
                "Same finding",
                icon=":material/merge:",
                key=f"twin:same:{held['finding_id']}",
                help="Its thread, status and assignee go on here. You can undo this.",
                on_click=triage.take_over,
                args=(held["finding_id"], old["finding_id"]),
            )
            st.button(
                "Different",
                type="tertiary",
                key=f"twin:different:{held['finding_id']}",
                help="Do not ask again.",
                on_click=_different,
                args=(held,),
            )
            st.button(
                "Look at it",
                type="tertiary",
                icon=":material/visibility:",
                key=f"twin:look:{held['finding_id']}",
                on_click=desk_grid.open_finding,
                args=(old["finding_id"],),
            )


def _different(held: reads.Row) -> None:
    decision = Decision(stands_alone=True)
    triage.decide([held["finding_id"]], decision, "kept for itself", seen=held["version"])
