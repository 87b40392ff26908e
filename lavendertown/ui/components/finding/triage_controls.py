"""Show and change the triage state of a finding: status, assignee, note, snooze, merge."""

from __future__ import annotations

import streamlit as st

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.core import clock, statuses
from lavendertown.core.settings import load_settings
from lavendertown.inbox.attention import AttentionReason
from lavendertown.ui import actions, demo_store, queries, triage_actions
from lavendertown.ui.components.finding import duplicate_prompt, expected
from lavendertown.ui.components.findings import inbox_actions
from lavendertown.ui.components.incidents import incident_prompt
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    STATUSES,
    comment_markdown,
    escape_markdown,
    format_count,
    format_percent,
    format_time,
    status_name,
)

_NOTE, _MERGE = "Pin a note…", "Merge with…"
_UNMERGE = "Take apart: "
_TICKET = "Create a ticket: "


def draw_controls(row: queries.Row, inbox_row: queries.Row | None) -> None:
    """Draw status, assignee and the menu with other actions, and below them the current decisions.

    Args:
        row: The occurrence of the finding in a report.
        inbox_row: The inbox row of the finding; None if no live report contains it.
    """
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        _draw_status(row)
        if inbox_row is not None:
            _draw_assignee(inbox_row)
            _draw_more_menu(inbox_row)
        dataset = inbox_row["dataset"] if inbox_row is not None else row["dataset"]
        expected.draw_button(expected.subject_of_row(row, dataset), f"detail:expected:{row['finding_id']}")
    layout.show_notice(_notice_place(row["finding_id"]))
    if inbox_row is not None:
        _show_attention(inbox_row)
        duplicate_prompt.ask_if_duplicate(inbox_row)
        incident_prompt.show_incident_of_finding(inbox_row)
        _show_decision(inbox_row)


def _notice_place(finding_id: str) -> str:
    return f"decided:{finding_id}"


def _draw_status(row: queries.Row) -> None:
    # The stored status is part of the key. If the value of the select box were set here instead, a browser
    # with the old state would send the old value back, which would count as a choice.
    key = f"detail:status:{row['finding_id']}:{row['status']}"
    options = list(STATUSES)
    st.selectbox(
        "Status",
        options,
        index=options.index(row["status"]),
        format_func=status_name,
        key=key,
        width=150,
        label_visibility="collapsed",
        on_change=_set_status,
        args=(row["finding_id"], row["status"], key),
    )


def _set_status(finding_id: str, seen: str, key: str) -> None:
    chosen = st.session_state[key]
    st.session_state[key] = seen
    if statuses.is_closed(chosen) and chosen != seen:
        inbox_actions.open_dialog(f"reason:{chosen}", [finding_id])
    elif chosen != seen:
        draft = actions.AnnotationDraft(finding_id, "", (), chosen, seen)
        person.run_with_name(_notice_place(finding_id), actions.add_annotation, draft)


def _draw_assignee(inbox_row: queries.Row) -> None:
    people = list(
        dict.fromkeys(
            [inbox_actions.NOBODY, *filter(None, [inbox_row["assignee"]]), *person.list_assignees()]
        )
    )
    key = f"detail:assignee:{inbox_row['finding_id']}:{inbox_row['version']}"
    st.selectbox(
        "Assignee",
        people,
        index=people.index(inbox_row["assignee"] or inbox_actions.NOBODY),
        format_func=lambda name: "Unassigned" if name == inbox_actions.NOBODY else name,
        key=key,
        width=170,
        label_visibility="collapsed",
        on_change=_save_assignee,
        args=(inbox_row, key),
    )


def _save_assignee(inbox_row: queries.Row, key: str) -> None:
    name = st.session_state[key]
    # Until the change is saved, the select box shows the current assignee.
    st.session_state[key] = inbox_row["assignee"] or inbox_actions.NOBODY
    who = "" if name == inbox_actions.NOBODY else str(name)
    done = f"assigned to {who}" if who else "assigned to nobody"
    ids, decision = [inbox_row["finding_id"]], Decision(assignee=who)
    person.run_with_name(
        _notice_place(inbox_row["finding_id"]),
        lambda: triage_actions.decide_findings(ids, decision, done, seen=inbox_row["version"]),
    )


def _draw_more_menu(inbox_row: queries.Row) -> None:
    key = f"detail:more:{inbox_row['finding_id']}"
    merged = queries.merged_finding_ids(inbox_row["finding_id"])
    snooze = (
        [inbox_actions.UNSNOOZE]
        if inbox_row["snoozed"]
        else [*inbox_actions.SNOOZES, inbox_actions.UNTIL_DOUBLED]
    )
    names = {
        name: f"Snooze: {name[0].lower()}{name[1:]}" for name in snooze if name != inbox_actions.UNSNOOZE
    }
    # Findings of the demo concern nobody outside.
    targets = () if demo_store.is_shown() else load_settings().tickets
    tickets = [f"{_TICKET}{target.name}" for target in targets]
    parts = {f"{_UNMERGE}{name}": f"Take apart again: {escape_markdown(name[:12])}…" for name in merged}
    st.menu_button(
        "Actions",
        [_NOTE, *snooze, _MERGE, *parts, *tickets],
        format_func=lambda option: names.get(option, parts.get(option, escape_markdown(option))),
        type="tertiary",
        icon=":material/more_horiz:",
        key=key,
        on_click=_handle_more_menu,
        args=(inbox_row, key),
    )


def _handle_more_menu(inbox_row: queries.Row, key: str) -> None:
    option, ids = st.session_state[key], [inbox_row["finding_id"]]
    if option == _NOTE:
        inbox_actions.open_note_dialog(inbox_row)
    elif option == _MERGE:
        inbox_actions.open_dialog("merge", ids)
    elif option.startswith(_TICKET):
        place = _notice_place(ids[0])
        name = option.removeprefix(_TICKET)
        person.run_with_name(place, triage_actions.create_ticket, ids[0], name, place)
    elif option.startswith(_UNMERGE):
        person.run_with_name(
            _notice_place(ids[0]), triage_actions.unmerge_finding, option.removeprefix(_UNMERGE)
        )
    else:
        person.run_with_name(_notice_place(ids[0]), inbox_actions.snooze_selected, ids, option)


def _show_attention(inbox_row: queries.Row) -> None:
    """Show why the finding needs attention, and offer to close one whose check passes."""
    if inbox_row["attention_text"]:
        st.warning(escape_markdown(inbox_row["attention_text"]), icon=":material/notification_important:")
    if inbox_row["due_at"] is not None:
        is_overdue = inbox_row["due_at"] <= clock.now()
        words = ":red[:material/event_busy: Overdue since" if is_overdue else ":gray[:material/event: Due"
        st.markdown(f":small[{words} {format_time(inbox_row['due_at'])}.]]")
    if inbox_row["seen"] == "passing" and not statuses.is_closed(inbox_row["status"]):
        runs = queries.count_passing_runs(inbox_row["finding_id"])
        if runs >= load_settings().triage_runs_to_confirm:
            _offer_to_close(inbox_row["finding_id"], runs)


def _offer_to_close(finding_id: str, runs: int) -> None:
    reason = f"Its check passed in the last {runs:,} runs."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":small[:green[:material/task_alt:] {reason}]", width="content")
        decision = Decision(status=statuses.FIXED.name, reason=reason)
        st.button(
            "Close as fixed",
            type="tertiary",
            key=f"detail:passing:{finding_id}",
            on_click=person.run_with_name,
            args=(
                _notice_place(finding_id),
                triage_actions.decide_findings,
                [finding_id],
                decision,
                "set to Fixed",
            ),
        )


def _describe_fix_check(inbox_row: queries.Row) -> str:
    if inbox_row["verified_in"]:
        return f":green[:material/verified: Verified] in the run of {format_time(inbox_row['verified_at'])}."
    waited = inbox_row["runs_since_fix"]
    since = f" {format_count(waited, 'run')} since did not complete its check." if waited else ""
    return f":gray[:material/hourglass_empty: Waiting for a run that completes its check.{since}]"


def _describe_acceptance(inbox_row: queries.Row) -> str:
    if inbox_row["ceiling_count"] is not None:
        ceiling = f"up to {format_count(inbox_row['ceiling_count'], 'row')}"
    elif inbox_row["ceiling_share"] is not None:
        ceiling = f"up to {format_percent(inbox_row['ceiling_share'])} of the rows"
    elif inbox_row["has_no_ceiling"]:
        ceiling = "without limit"
    else:
        ceiling = "without limit, as its size when it was accepted is not known"
    until = inbox_row["accepted_until"]
    end = f" until {format_time(until)}" if until else ""
    return f":gray[Accepted {ceiling}{end}.]"


def _show_decision(inbox_row: queries.Row) -> None:
    if inbox_row["note"]:
        st.info(comment_markdown(inbox_row["note"]), icon=":material/push_pin:")
    if inbox_row["owner_rule"] and inbox_row["assignee"]:
        who = escape_markdown(inbox_row["assignee"])
        st.markdown(f":small[:gray[Assigned to {who} by owner rule.]]")
    if inbox_row["regressed_at"] is not None and AttentionReason.REGRESSED not in inbox_row["attention"]:
        fixed = format_time(inbox_row["fixed_at"])
        st.markdown(
            f":small[:red[:material/history: Regressed] since {format_time(inbox_row['regressed_at'])}; "
            f":gray[it was fixed on {fixed}.]]"
        )
    if inbox_row["close_reason"] and statuses.is_closed(inbox_row["status"]):
        st.markdown(f":small[:gray[Closed:] {escape_markdown(inbox_row['close_reason'])}]")
    if inbox_row["accepted_at"] is not None:
        st.markdown(f":small[{_describe_acceptance(inbox_row)}]")
    if inbox_row["status"] == statuses.FIXED.name:
        st.markdown(f":small[{_describe_fix_check(inbox_row)}]")
    if inbox_row["snoozed"]:
        until = inbox_row["snooze_until"]
        when = f"until {format_time(until)}" if until else "until it gets worse"
        st.markdown(f":small[:gray[:material/snooze: Snoozed {when}.]]")
