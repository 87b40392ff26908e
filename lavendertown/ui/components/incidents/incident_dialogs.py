"""The dialogs that group findings into an incident, rename it and close it."""

from __future__ import annotations

import streamlit as st

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.core import statuses
from lavendertown.ui import incident_actions, queries, triage_actions
from lavendertown.ui.components.findings import inbox_actions
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_TARGET, _TITLE, _OWNER = "incident:target", "incident:title", "incident:owner"
_NEW = ""


def draw_group_dialog(ids: list[str], _: str) -> None:
    """Draw the form that puts findings into a new incident, or adds them to an open one."""
    titles = {row["id"]: row["title"] for row in queries.list_incidents("open")}
    target = _NEW
    if titles:
        target = st.selectbox(
            "Incident",
            [_NEW, *titles],
            format_func=lambda each: "New incident" if each == _NEW else titles.get(each, each),
            key=_TARGET,
        )
    if target == _NEW:
        people = [inbox_actions.NOBODY, *person.list_assignees()]
        with st.container(key="focus-title"):
            st.text_input("Title", key=_TITLE, placeholder="What is the cause?", max_chars=200)
        st.selectbox("Owner", people, key=_OWNER, accept_new_options=True)
    st.caption("Each finding keeps its own thread and status. Closing the incident closes all of them.")

    def work() -> None:
        if target == _NEW:
            owner = str(st.session_state[_OWNER] or inbox_actions.NOBODY).strip()
            is_done = incident_actions.group_findings(
                str(st.session_state[_TITLE]),
                ids,
                "" if owner == inbox_actions.NOBODY else owner,
                triage_actions.FORM,
            )
        else:
            incident = {"id": target, "title": titles[target]}
            is_done = incident_actions.add_findings(incident, ids, triage_actions.FORM)
        inbox_actions.finish_dialog(is_done)

    count = format_count(len(ids), "finding")
    inbox_actions.draw_submit_button(f"Group {count}" if target == _NEW else f"Add {count}", work)


def draw_title_dialog(_: list[str], incident_id: str) -> None:
    """Draw the form for another title, for the version that the page shows."""
    incident = queries.find_incident(incident_id)
    if incident is None:
        st.caption("This incident was deleted.")
        return
    layout.show_notice(triage_actions.FORM)
    # In a form, Enter saves.
    with st.form("incident:title form", border=False):
        with st.container(key="focus-title"):
            st.text_input("Title", incident["title"], key=f"{_TITLE}:{incident['version']}", max_chars=200)

        def work() -> None:
            title = str(st.session_state[f"{_TITLE}:{incident['version']}"])
            inbox_actions.finish_dialog(
                incident_actions.rename_incident(incident, title, triage_actions.FORM)
            )

        st.form_submit_button(
            "Rename",
            type="primary",
            disabled=layout.has_question(triage_actions.FORM),
            on_click=person.run_with_name,
            args=(triage_actions.FORM, work),
        )


def draw_close_dialog(_: list[str], incident_id: str) -> None:
    """Draw the form for the reason with which all open findings of an incident are closed."""
    incident = queries.find_incident(incident_id)
    if incident is None:
        st.caption("This incident was deleted.")
        return
    st.markdown(f"**{escape_markdown(incident['title'])}**")

    def close(decision: Decision, done: str) -> bool:
        return incident_actions.close_incident(incident, decision, done, triage_actions.FORM)

    inbox_actions.draw_closing_form(list_open_members(incident), "", close)


def list_open_members(incident: queries.Row) -> list[str]:
    """Return the ids of the open findings of an incident."""
    rows = queries.inbox_rows(tuple(incident["members"]))
    return [row["finding_id"] for row in rows if not statuses.is_closed(row["status"])]
