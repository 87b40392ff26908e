"""Incident screen: findings with one cause, their owner and discussion."""

from __future__ import annotations

import streamlit as st

from lavendertown.core import statuses
from lavendertown.ui import actions, incident_actions, queries
from lavendertown.ui.components.finding import thread
from lavendertown.ui.components.findings import dialogs, finding_list, inbox_actions, inbox_filters
from lavendertown.ui.components.incidents import incident_list, incident_prompt
from lavendertown.ui.components.shared import change_notifier, layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_relative_time,
    severity_badge,
    short_description,
    status_badge,
)

ID = "id"
_RENAME, _DELETE = "Rename…", "Delete"
_PAGE = "incident:page"


def render_incident_page() -> None:
    """Draw the screen."""
    incident_id = str(st.query_params.get(ID, ""))
    incident = queries.find_incident(incident_id) if incident_id else None
    if incident is None:
        show_no_incident()
        return
    draw_head(incident)
    if incident["deleted_at"] is not None:
        show_deleted(incident)
        return
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        draw_members(incident)
    with right:
        st.markdown("**Discussion**")
        thread.show_thread(
            incident_id,
            "No comments yet. Write what you know about the cause; it concerns all findings here.",
        )
        draw_comment_form(incident_id)
    dialogs.draw_open_dialog()


def draw_head(incident: queries.Row) -> None:
    """Draw the title, the status, the owner and the actions."""
    draw_back_link()
    made = f"{escape_markdown(incident['created_by'])} · {format_relative_time(incident['created_at'])}"
    is_deleted = incident["deleted_at"] is not None
    members = incident_prompt.describe_open_members(incident)
    meta = f"{incident_list.format_status(incident)} :gray[{members} · {made}]"
    with layout.draw_page_header(escape_markdown(incident["title"]), meta):
        change_notifier.set_baseline()
        change_notifier.show_changes()
        if is_deleted:
            return
        draw_owner(incident)
        if incident["state"] == statuses.StatusCategory.OPEN:
            st.button(
                "Close…",
                icon=":material/check_circle:",
                key="incident:close",
                help="Close all open findings with one reason.",
                on_click=inbox_actions.open_dialog,
                args=(f"incident-close:{incident['id']}", []),
            )
        else:
            st.button(
                "Reopen",
                icon=":material/undo:",
                key="incident:reopen",
                help="Open all closed findings again.",
                on_click=person.run_with_name,
                args=("page", incident_actions.reopen_incident, incident),
            )
        st.menu_button(
            "More",
            [_RENAME, _DELETE],
            icon=":material/more_horiz:",
            type="tertiary",
            key="incident:more",
            on_click=handle_more_menu,
            args=(incident,),
        )


def draw_back_link() -> None:
    """Draw the link to the list of incidents."""
    st.page_link(
        layout.FINDINGS,
        label="Incidents",
        icon=":material/arrow_back:",
        query_params={inbox_filters.VIEW: "incidents"},
    )


def draw_owner(incident: queries.Row) -> None:
    """Draw the choice of the owner."""
    nobody = inbox_actions.NOBODY
    people = list(dict.fromkeys([nobody, *filter(None, [incident["assignee"]]), *person.list_assignees()]))
    key = f"incident:owner:{incident['id']}:{incident['version']}"
    st.selectbox(
        "Owner",
        people,
        index=people.index(incident["assignee"] or nobody),
        format_func=lambda name: "No owner" if name == nobody else name,
        key=key,
        width=170,
        label_visibility="collapsed",
        accept_new_options=True,
        on_change=save_owner,
        args=(incident, key),
    )


def save_owner(incident: queries.Row, key: str) -> None:
    """Save the chosen owner; until then, the field shows the current one."""
    name = str(st.session_state[key] or inbox_actions.NOBODY).strip()
    st.session_state[key] = incident["assignee"] or inbox_actions.NOBODY
    owner = "" if name == inbox_actions.NOBODY else name
    person.run_with_name("page", incident_actions.assign_incident, incident, owner)


def handle_more_menu(incident: queries.Row) -> None:
    """Rename or delete the incident."""
    if st.session_state["incident:more"] == _RENAME:
        inbox_actions.open_dialog(f"incident-title:{incident['id']}", [])
    else:
        person.run_with_name("page", incident_actions.delete_incident, incident)


def draw_members(incident: queries.Row) -> None:
    """Show the findings, open ones first, with their status."""
    rows = sorted(
        queries.inbox_rows(tuple(incident["members"])), key=lambda row: statuses.is_closed(row["status"])
    )
    st.markdown(f"**{format_count(len(incident['members']), 'finding')}**")
    pages = max(1, -(-len(rows) // queries.PAGE_SIZE))
    number = min(st.session_state.get(_PAGE, 1), pages)
    with st.container(border=True, gap="xsmall"):
        for row in rows[(number - 1) * queries.PAGE_SIZE : number * queries.PAGE_SIZE]:
            draw_member(incident, row)
        if incident["absent_count"]:
            st.caption(f"{format_count(incident['absent_count'], 'finding')} in no report any more.")
    if pages > 1:
        st.pagination(pages, key=_PAGE, width="content")


def draw_member(incident: queries.Row, row: queries.Row) -> None:
    """Show one finding."""
    where = finding_list.format_column(row)
    owner = f" · {escape_markdown(row['assignee'])}" if row["assignee"] else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(severity_badge(row["severity"]), width="content")
        st.page_link(
            layout.FINDINGS,
            label=f"{escape_markdown(short_description(row['description']))} "
            f"&ensp;:small[:gray[{escape_markdown(where)}{owner}]]",
            query_params={inbox_filters.VIEW: "all", finding_list.FINDING: row["finding_id"]},
            width="stretch",
        )
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="xsmall"):
            st.markdown(status_badge(row["status"]), width="content")
            if len(incident["members"]) > 1:
                draw_remove_button(incident, row)


def draw_remove_button(incident: queries.Row, row: queries.Row) -> None:
    """Draw the button that takes a finding out of the incident."""
    st.button(
        "Remove",
        type="tertiary",
        icon=":material/close:",
        key=f"incident:remove:{row['finding_id']}",
        on_click=person.run_with_name,
        args=("page", incident_actions.remove_finding, incident, row["finding_id"]),
    )


def draw_comment_form(incident_id: str) -> None:
    """Draw the form for a comment; the text is kept until it is saved."""
    place = f"{actions.FORM}:{incident_id}"
    layout.show_notice(actions.FORM)
    layout.show_notice(place)
    sent = f"incident:sent:{incident_id}"
    # Use a new form for each comment, so that a delayed message of the browser cannot restore the last one.
    key = f"incident:comment:{incident_id}:{st.session_state.get(sent, 0)}"

    def send() -> None:
        text = str(st.session_state.get(key) or "")

        def save() -> None:
            if incident_actions.comment_on_incident(incident_id, text):
                st.session_state[sent] = st.session_state.get(sent, 0) + 1

        person.run_with_name(place, save)

    with st.form(f"{key}:form", clear_on_submit=False, enter_to_submit=False):
        st.text_area(
            "Add a comment",
            placeholder="What is the cause? Markdown works.",
            height=72,
            label_visibility="collapsed",
            key=key,
            persist_state="session",
        )
        st.form_submit_button(
            "Comment",
            type="primary",
            icon=":material/send:",
            key=f"{key}:send",
            disabled=layout.has_question(place),
            on_click=send,
        )


def show_deleted(incident: queries.Row) -> None:
    """Say that the incident is in the trash."""
    layout.show_empty_state(
        "delete",
        "This incident was deleted",
        "Its findings and comments are kept.",
        lambda: st.button(
            "Restore",
            icon=":material/restore_from_trash:",
            key="incident:restore",
            on_click=person.run_with_name,
            args=("page", incident_actions.restore_incident, incident),
        ),
    )


def show_no_incident() -> None:
    """Say that there is no such incident."""
    wanted = str(st.query_params.get(ID, ""))
    draw_back_link()
    layout.show_empty_state(
        "search_off",
        f"No incident “{wanted}”" if wanted else "No incident chosen",
        "Check the link; it may have been cut short, or the incident is in another store.",
        lambda: st.page_link(
            layout.FINDINGS,
            label="All incidents",
            icon=":material/hub:",
            query_params={"view": inbox_filters.INCIDENTS},
        ),
    )


render_incident_page()
