"""Ask whether a new finding is the same as one that disappeared."""

from __future__ import annotations

import streamlit as st

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.ui import queries, triage_actions
from lavendertown.ui.components.findings import finding_list
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_time,
    inline_code,
)


def ask_if_duplicate(inbox_row: queries.Row) -> None:
    """Ask whether this finding continues its possible duplicate, if it has one.

    Args:
        inbox_row: The inbox row of the finding.
    """
    old = next(iter(queries.inbox_rows((inbox_row["twin"],))), None) if inbox_row["twin"] else None
    if old is None:
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f":violet[:material/join:] **Is this the same as “{escape_markdown(old['description'])}”?** "
            f":small[:gray[It was seen last on {format_time(old['last_seen'])}, in "
            f"{format_count(old['times_seen'], 'report')}, {_describe_column(inbox_row, old)}; the "
            "latest run does not say that its check ran, and this one came right after it.]]"
        )
        place = f"twin:{inbox_row['finding_id']}"
        layout.show_notice(place)
        with st.container(horizontal=True, gap="xsmall"):
            st.button(
                "Same finding",
                icon=":material/merge:",
                key=f"twin:same:{inbox_row['finding_id']}",
                help="Its thread, status and assignee go on here. You can undo this.",
                on_click=person.run_with_name,
                args=(place, triage_actions.adopt_history, inbox_row["finding_id"], old["finding_id"]),
            )
            st.button(
                "Different",
                type="tertiary",
                key=f"twin:different:{inbox_row['finding_id']}",
                help="Do not ask again.",
                on_click=person.run_with_name,
                args=(place, _mark_distinct, inbox_row),
            )
            st.button(
                "Check the source",
                type="tertiary",
                icon=":material/visibility:",
                key=f"twin:look:{inbox_row['finding_id']}",
                on_click=finding_list.open_finding,
                args=(old["finding_id"],),
            )


def _describe_column(inbox_row: queries.Row, old: queries.Row) -> str:
    if inbox_row["column"] == old["column"]:
        return "on the same column"
    names = [inline_code(each["column"]) for each in (old, inbox_row)]
    return f"on the column {names[0]}, which is gone; {names[1]} may be its new name"


def _mark_distinct(inbox_row: queries.Row) -> None:
    decision = Decision(stands_alone=True)
    triage_actions.decide_findings(
        [inbox_row["finding_id"]], decision, "kept for itself", seen=inbox_row["version"]
    )
