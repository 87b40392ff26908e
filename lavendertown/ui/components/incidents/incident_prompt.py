"""Show the incident of a finding, or suggest which findings to group with it."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import incident_actions, queries
from lavendertown.ui.components.findings import inbox_actions
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    inline_code,
    short_description,
)

_DISMISSED = "incident:dismissed"
_MAX_NAMED = 3


def show_incident_of_finding(inbox_row: queries.Row) -> None:
    """Show the incident of a finding; without one, suggest others to group with it."""
    if inbox_row["incident_id"]:
        _show_incident(inbox_row["incident_id"])
    elif inbox_row["finding_id"] not in st.session_state.get(_DISMISSED, ()):
        _show_suggestion(inbox_row)


def _show_incident(incident_id: str) -> None:
    incident = queries.find_incident(incident_id)
    if incident is not None:
        st.page_link(
            layout.INCIDENT,
            label=f"Incident **{escape_markdown(incident['title'])}** "
            f":small[:gray[{describe_open_members(incident)}]]",
            icon=":material/hub:",
            query_params={"id": incident_id},
        )


def describe_open_members(incident: queries.Row) -> str:
    """Return how many findings of an incident are open: ``2 of 3 findings open``."""
    total = len(incident["members"])
    return f"{incident['open_count']:,} of {format_count(total, 'finding')} open"


def _show_suggestion(inbox_row: queries.Row) -> None:
    name = inbox_row["finding_id"]
    suggestion = queries.suggest_incident(name)
    if suggestion is None:
        return
    ids, incident = suggestion["finding_ids"], suggestion["incident"]
    place = f"incident:suggestion:{name}"
    with st.container(border=True, gap="xsmall"):
        st.markdown(_describe_suggestion(suggestion, inbox_row))
        layout.show_notice(place)
        with st.container(horizontal=True, gap="xsmall"):
            if incident is not None:
                st.button(
                    "Add to incident",
                    icon=":material/hub:",
                    key=f"incident:add:{name}",
                    on_click=person.run_with_name,
                    args=(place, incident_actions.add_findings, incident, ids, place),
                )
            else:
                st.button(
                    "Group…",
                    icon=":material/hub:",
                    key=f"incident:group:{name}",
                    on_click=inbox_actions.open_dialog,
                    args=("group", ids),
                )
            st.button(
                "Not now", type="tertiary", key=f"incident:dismiss:{name}", on_click=_dismiss, args=(name,)
            )


def _describe_suggestion(suggestion: queries.Row, inbox_row: queries.Row) -> str:
    ids = suggestion["finding_ids"]
    others = queries.inbox_rows(tuple(each for each in ids if each != inbox_row["finding_id"]))
    is_column = suggestion["trait"] == "column"
    where = (
        f"on the column {inline_code(inbox_row['column'])} in the same run"
        if is_column
        else "in nearly the same rows of one run"
    )
    if suggestion["incident"] is not None:
        title = escape_markdown(suggestion["incident"]["title"])
        question = f"Add {'this' if len(ids) == 1 else f'these {len(ids):,} findings'} to **{title}**?"
        why = f"Other findings {where} are in this incident."
    else:
        question, why = f"**Group these {len(ids):,} findings?**", f"They are {where}"
        named = [short_description(row["description"]) for row in others[:_MAX_NAMED]]
        more = f" and {len(others) - _MAX_NAMED:,} more" if len(others) > _MAX_NAMED else ""
        why += f", with {'; '.join(f'“{escape_markdown(each)}”' for each in named)}{more}."
    return f":violet[:material/hub:] {question} :small[:gray[{why}]]"


def _dismiss(finding_id: str) -> None:
    st.session_state[_DISMISSED] = {*st.session_state.get(_DISMISSED, ()), finding_id}
