"""Actions on the selected findings, and the dialogs for their input."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import streamlit as st

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.core import clock, statuses
from lavendertown.core.settings import load_settings
from lavendertown.ui import queries, triage_actions
from lavendertown.ui.components.findings import finding_list, inbox_filters
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    STATUSES,
    escape_markdown,
    format_count,
    format_time,
    reader_time_zone,
    run_state_badge,
    status_name,
)

DIALOG = "desk:dialog"
"""Session key of the requested dialog and its findings."""

NOBODY = "Nobody"
_NOTE = "desk:note"
_VIEW_NAME, _REPLACED_VIEW = "desk:view name", "desk:view replaced"
_OWN_REASON = "desk:own reason"
_CEILING, _CEILING_ROWS, _CEILING_PERCENT = "desk:ceiling", "desk:ceiling rows", "desk:ceiling percent"
_TWICE, _ROWS, _SHARE, _NO_LIMIT = "twice", "rows", "share", "none"
_ACCEPTED_UNTIL = "desk:accepted until"
_BAR = "desk:bulk"
"""The place of the question for the user's name before an action on the selection."""

SNOOZES = {
    "Until tomorrow": dt.timedelta(days=1),
    "For a week": dt.timedelta(days=7),
    "For a month": dt.timedelta(days=30),
}
UNTIL_DOUBLED = "Until rows double"
UNSNOOZE = "End the snooze"


def open_dialog(dialog: str, ids: list[str]) -> None:
    """Open a dialog in this run: one of :data:`~.dialogs.DIALOGS`, such as ``reason:STATUS``."""
    st.session_state[DIALOG] = (dialog, tuple(ids))


def open_note_dialog(inbox_row: queries.Row) -> None:
    """Open the dialog for the pinned note, for the version that the page shows."""
    st.session_state[_NOTE] = inbox_row["note"]
    open_dialog(f"note:{inbox_row['version']}", [inbox_row["finding_id"]])


def draw_selection_bar(matching: int) -> None:
    """Show the actions for the selected findings at the bottom of the window."""
    ids = finding_list.selected_ids()
    if not ids:
        return
    with st.bottom:
        layout.show_notice(_BAR)
        _draw_buttons(ids, matching)


def _draw_buttons(ids: list[str], matching: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", border=True):
        st.markdown(f":violet-badge[**{len(ids):,} selected**]", width="content")
        st.menu_button(
            "Status",
            list(STATUSES),
            format_func=status_name,
            icon=":material/flag:",
            key="desk:bulk:status",
            on_click=lambda: _set_status_of_selected(ids, st.session_state["desk:bulk:status"]),
        )
        people = [NOBODY, *person.list_assignees()]
        st.menu_button(
            "Assign",
            people,
            format_func=escape_markdown,
            icon=":material/person:",
            key="desk:bulk:assign",
            on_click=lambda: person.run_with_name(
                _BAR, assign_selected, ids, st.session_state["desk:bulk:assign"]
            ),
        )
        st.button(
            "Comment and tag",
            icon=":material/add_comment:",
            key="desk:bulk:comment",
            on_click=open_dialog,
            args=("comment", ids),
        )
        st.menu_button(
            "Snooze",
            [*SNOOZES, UNTIL_DOUBLED, UNSNOOZE],
            icon=":material/snooze:",
            key="desk:bulk:snooze",
            on_click=lambda: person.run_with_name(
                _BAR, snooze_selected, ids, st.session_state["desk:bulk:snooze"]
            ),
        )
        st.button(
            "Group…",
            icon=":material/hub:",
            key="desk:bulk:group",
            help="Put findings with one cause into an incident.",
            on_click=open_dialog,
            args=("group", ids),
        )
        if len(ids) > 1:
            st.button(
                "Merge",
                icon=":material/merge:",
                key="desk:bulk:merge",
                on_click=open_dialog,
                args=("merge", ids),
            )
        if len(ids) < matching:
            st.button(
                f"Select all {matching:,} that match",
                type="tertiary",
                key="desk:bulk:all",
                on_click=_select_all,
            )
        st.button(
            "Clear",
            type="tertiary",
            icon=":material/close:",
            key="desk:bulk:clear",
            on_click=finding_list.clear_selection,
        )


def _select_all() -> None:
    finding_list.select_ids(queries.inbox_ids(inbox_filters.chosen_filters(), inbox_filters.chosen_order()))


def _finish_bulk_action(is_successful: bool) -> None:
    if is_successful:
        finding_list.clear_selection()
        inbox_filters.refresh_inbox()


def _set_status_of_selected(ids: list[str], status: str) -> None:
    """Set a status; ask for the reason first if it closes the findings."""
    if statuses.is_closed(status):
        open_dialog(f"reason:{status}", ids)
    else:
        person.run_with_name(_BAR, set_status, ids, status)


def set_status(ids: list[str], status: str) -> None:
    """Set a status that does not need a reason."""
    _finish_bulk_action(
        triage_actions.decide_findings(ids, Decision(status=status), f"set to {status_name(status)}")
    )


def assign_selected(ids: list[str], name: str) -> None:
    """Assign findings to a person, or unassign them."""
    who = "" if name == NOBODY else name
    done = f"assigned to {who}" if who else "assigned to nobody"
    _finish_bulk_action(triage_actions.decide_findings(ids, Decision(assignee=who), done))


def snooze_selected(ids: list[str], how: str) -> None:
    """Snooze or unsnooze findings."""
    if how == UNSNOOZE:
        decision, done = Decision(unsnooze=True), "no longer snoozed"
    elif how == UNTIL_DOUBLED:
        decision, done = Decision(snooze_factor=2), "snoozed until rows double"
    else:
        until = clock.now() + SNOOZES[how]
        decision, done = Decision(snooze_until=until), f"snoozed until {format_time(until)}"
    _finish_bulk_action(triage_actions.decide_findings(ids, decision, done))


def close_dialog() -> None:
    """Close the open dialog."""
    st.session_state.pop(DIALOG, None)
    st.session_state.pop(f"frame:notice:{triage_actions.FORM}", None)


def finish_dialog(is_successful: bool) -> None:
    """Close the open dialog after its action succeeded."""
    if is_successful:
        close_dialog()
    _finish_bulk_action(is_successful)


def draw_submit_button(label: str, work: Any) -> None:
    """Draw the button that runs the action of a dialog, below its notice."""
    layout.show_notice(triage_actions.FORM)
    st.button(
        label,
        type="primary",
        key="desk:dialog:do",
        disabled=layout.has_question(triage_actions.FORM),
        on_click=person.run_with_name,
        args=(triage_actions.FORM, work),
    )


def draw_reason_dialog(ids: list[str], status: str) -> None:
    """Draw the form for the reason with which findings are closed."""

    def close(decision: Decision, done: str) -> bool:
        return triage_actions.decide_findings(ids, decision, done, place=triage_actions.FORM)

    draw_closing_form(ids, status, close)


def draw_closing_form(ids: list[str], status: str, close: Callable[[Decision, str], bool]) -> None:
    """Draw the form for the reason with which findings are closed.

    Args:
        ids: The findings.
        status: The closing status; empty to ask for it.
        close: Closes them; receives the decision and the rest of the notice, and returns whether it did.
    """
    if not status:
        status = str(
            st.segmented_control(
                "Close as",
                statuses.CLOSED_NAMES,
                default=statuses.FIXED.name,
                format_func=status_name,
                key="desk:close as",
                required=True,
            )
        )
    name = status_name(status)
    st.caption(
        f"{format_count(len(ids), 'finding')} will be set to {name}. Colleagues read why in the thread."
    )
    own_reasons = load_settings().triage_close_reasons
    if own_reasons:
        st.pills("Reason", own_reasons, key=_OWN_REASON, format_func=escape_markdown)
    with st.container(key="focus-reason"):
        st.text_area("Why?", key="desk:reason", height=80, placeholder="e.g. fixed in loader, by design")
    if status == statuses.ACCEPTED.name:
        _draw_acceptance_terms(ids)

    def work() -> None:
        parts = [st.session_state.get(_OWN_REASON), str(st.session_state["desk:reason"]).strip()]
        reason = ": ".join(part for part in parts if part)
        terms = _acceptance_terms() if status == statuses.ACCEPTED.name else {}
        finish_dialog(close(Decision(status=status, reason=reason, **terms), f"set to {name}"))

    draw_submit_button(f"Set to {name}", work)


def _draw_acceptance_terms(ids: list[str]) -> None:
    """Draw the fields for the size up to which findings are accepted, and for the end of it."""
    rows = queries.inbox_rows(tuple(ids[:1]))
    size = rows[0]["last_count"] if len(ids) == 1 and rows else None
    twice = f"Twice its size: {format_count(2 * size, 'row')}" if size is not None else "Twice its size"
    names = {_TWICE: twice, _ROWS: "A number of rows", _SHARE: "A share of the rows", _NO_LIMIT: "No limit"}
    kind = st.radio(
        "It needs attention again above",
        list(names),
        format_func=names.__getitem__,
        key=_CEILING,
        horizontal=True,
    )
    if kind == _ROWS:
        st.number_input("Rows", min_value=0, value=2 * size if size else 100, step=1, key=_CEILING_ROWS)
    elif kind == _SHARE:
        st.number_input("Percent of the rows", 0.0, 100.0, 5.0, key=_CEILING_PERCENT)
    st.date_input(
        "Accepted until", value=None, format="YYYY-MM-DD", key=_ACCEPTED_UNTIL, help="Empty: no end."
    )


def _acceptance_terms() -> dict[str, Any]:
    """Return the arguments of a decision for what was entered."""
    terms: dict[str, Any] = {}
    match st.session_state[_CEILING]:
        case "rows":
            terms["ceiling_count"] = int(st.session_state[_CEILING_ROWS])
        case "share":
            terms["ceiling_share"] = float(st.session_state[_CEILING_PERCENT]) / 100
        case "none":
            terms["has_no_ceiling"] = True
    day = st.session_state[_ACCEPTED_UNTIL]
    return terms | ({"accepted_until": clock.day_end(day, reader_time_zone())} if day else {})


def draw_assign_dialog(ids: list[str], _: str) -> None:
    """Draw the choice of an assignee."""
    with st.container(key="focus-assign"):
        people = [NOBODY, *person.list_assignees()]
        st.selectbox("Assignee", people, key="desk:assign", accept_new_options=True)

    def work() -> None:
        name = str(st.session_state["desk:assign"] or NOBODY).strip()
        who = "" if name == NOBODY else name
        decision = Decision(assignee=who)
        finish_dialog(
            triage_actions.decide_findings(ids, decision, f"assigned to {name}", place=triage_actions.FORM)
        )

    draw_submit_button("Assign", work)


def draw_comment_dialog(ids: list[str], _: str) -> None:
    """Draw the form for a comment and tags."""
    with st.container(key="focus-comment"):
        st.text_area(
            "Comment",
            key="desk:comment",
            height=96,
            placeholder="Added to every selected finding. @name mentions.",
        )
    st.multiselect("Tags", queries.known_tags(), key="desk:tags", accept_new_options=True, select_all=False)

    def work() -> None:
        comment = str(st.session_state["desk:comment"]).strip()
        decision = Decision(comment=comment, tags=tuple(st.session_state["desk:tags"]))
        finish_dialog(triage_actions.decide_findings(ids, decision, "commented", place=triage_actions.FORM))

    draw_submit_button(f"Add to {format_count(len(ids), 'finding')}", work)


def draw_note_dialog(ids: list[str], version: str) -> None:
    """Draw the form for the pinned note."""
    st.text_area("Pinned note", key=_NOTE, height=96, persist_state="session")

    def work() -> None:
        decision = Decision(note=str(st.session_state[_NOTE]).strip())
        seen = int(version)
        is_successful = triage_actions.decide_findings(
            ids, decision, "with another note", place=triage_actions.FORM, seen=seen
        )
        if not is_successful:
            # After the notice about the conflict, the next attempt may overwrite the new version.
            open_dialog(f"note:{queries.read_triage(ids[0])['version']}", ids)
        finish_dialog(is_successful)

    draw_submit_button("Pin", work)


def draw_merge_dialog(ids: list[str], _: str) -> None:
    """Draw the choice of the finding that is kept."""
    rows = queries.inbox_rows(tuple(ids))
    if len(rows) == 1:
        rows += [
            r for r in queries.inbox_page({"dataset": rows[0]["dataset"]}, "severity", 200) if r not in rows
        ]
    names = {row["finding_id"]: f"{row['description']} ({finding_list.format_column(row)})" for row in rows}
    st.caption("They'll share one thread from now on. Each report keeps its text; you can undo this.")
    options = [name for name in names if len(ids) > 1 or name != ids[0]]
    st.selectbox("Keep", options, format_func=lambda name: names[name], key="desk:merge")

    def work() -> None:
        into = str(st.session_state["desk:merge"])
        finish_dialog(triage_actions.merge_findings([name for name in ids if name != into], into))

    draw_submit_button("Merge", work)


def draw_view_dialog(_: list[str], __: str) -> None:
    """Draw the form for the name of a view."""
    layout.show_notice(triage_actions.FORM)
    # In a form, Enter saves.
    with st.form("desk:view form", border=False):
        with st.container(key="focus-view"):
            st.text_input("Name", key=_VIEW_NAME, placeholder="Open orders without an assignee")
        st.caption("View, filters, dates, search and order are saved for the team.")
        replaced = _view_to_replace()
        st.form_submit_button(
            "Replace for the team" if replaced else "Save for the team",
            type="primary",
            disabled=layout.has_question(triage_actions.FORM),
            on_click=person.run_with_name,
            args=(triage_actions.FORM, _save_view),
        )
        if replaced:
            # Below the button, which stays where it was clicked.
            st.warning(
                f"**{escape_markdown(replaced['author'])}** saved a view with this name on "
                f"{format_time(replaced['updated_at'])}. Save again to replace it for everybody.",
                icon=":material/warning:",
            )


def _view_to_replace() -> queries.Row | None:
    """Return the view of another person whose replacement the user has yet to confirm."""
    name = str(st.session_state.get(_VIEW_NAME) or "").strip()
    if not name or st.session_state.get(_REPLACED_VIEW) != name:
        return None
    return next((row for row in queries.saved_views() if row["name"] == name), None)


def _save_view() -> None:
    """Save the view; ask first if that replaces one of another person."""
    name = str(st.session_state[_VIEW_NAME]).strip()
    stored = next((row for row in queries.saved_views() if row["name"] == name), None)
    is_confirmed = st.session_state.pop(_REPLACED_VIEW, None) == name
    if stored is not None and stored["author"] != person.current_name() and not is_confirmed:
        st.session_state[_REPLACED_VIEW] = name
    elif triage_actions.save_view(name, inbox_filters.inbox_query()):
        st.session_state["desk:saved"] = name
        close_dialog()


KEYBOARD_SHORTCUTS = {
    "J / K": "next, previous finding",
    "O": "open the first finding, or close the one that is open",
    "X": "close the finding, with a reason",
    "A": "assign it",
    "M": "write a comment",
    "Ctrl + Enter": "send the comment",
    "/": "search",
    "?": "this list",
}


RUN_STATE_HELP = {
    "new": "seen first in the latest run of its dataset",
    "ongoing": "in the latest run, and in earlier ones",
    "regressed": "was set to Fixed and was seen since; it is open again",
    "passing": "its check ran in the latest run and found nothing",
    "not_checked": "absent, and the latest run does not say that its check ran",
    "reading_changed": "appeared or vanished because the settings for reading changed: not new, not gone",
    "check_changed": "appeared or vanished because settings of its check changed: not new, not gone",
}


def draw_help_dialog(_: list[str], __: str) -> None:
    """Draw the keys, and the meaning of run states."""
    st.markdown("**Keys** :small[:gray[silent while you type]]")
    st.table({f"`{key}`": text for key, text in KEYBOARD_SHORTCUTS.items()}, border="horizontal", alt="Keys")
    st.markdown("**Seen** :small[:gray[what the runs say]]")
    meanings = {run_state_badge(seen): text for seen, text in RUN_STATE_HELP.items()}
    st.table(meanings, border="horizontal", alt="What the words in the column Trend mean")
