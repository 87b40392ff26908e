"""What was decided about a finding, and how it is changed: status, assignee, note, snooze, merge."""

from __future__ import annotations

import streamlit as st

from lavendertown.collaboration.triage import CLOSED, Decision
from lavendertown.ui import actions, reads, triage
from lavendertown.ui.components import desk_bulk, twin, words

_NOTE, _MERGE = "Pin a note…", "Merge with…"
_SPLIT = "Take apart: "


def controls(row: reads.Row, held: reads.Row | None) -> None:
    """Show status, assignee and the menu of the rest; below them what was decided.

    Args:
        row: The finding as a report holds it.
        held: As the desk lists it; None where no live report holds it.
    """
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        _status(row)
        if held is not None:
            _assignee(held)
            _more(held)
    if held is not None:
        twin.question(held)
        _told(held)


def _status(row: reads.Row) -> None:
    # The stored status is part of the key. Were the select's value set from here, a browser that
    # had not heard of it yet would send the old one back, and that would count as a choice.
    key = f"detail:status:{row['finding_id']}:{row['status']}"
    options = list(words.STATUSES)
    st.selectbox(
        "Status",
        options,
        index=options.index(row["status"]),
        format_func=words.status_name,
        key=key,
        width=150,
        label_visibility="collapsed",
        on_change=_set_status,
        args=(row["finding_id"], row["status"], key),
    )


def _set_status(finding_id: str, seen: str, key: str) -> None:
    chosen = st.session_state[key]
    st.session_state[key] = seen
    if chosen in CLOSED and chosen != seen:
        desk_bulk.ask(f"reason:{chosen}", [finding_id])
    elif chosen != seen:
        actions.annotate(actions.Draft(finding_id, "", (), chosen, seen))


def _assignee(held: reads.Row) -> None:
    people = list(dict.fromkeys([desk_bulk.NOBODY, *filter(None, [held["assignee"]]), *reads.people()]))
    key = f"detail:assignee:{held['finding_id']}:{held['version']}"
    st.selectbox(
        "Assignee",
        people,
        index=people.index(held["assignee"] or desk_bulk.NOBODY),
        format_func=lambda name: "Nobody assigned" if name == desk_bulk.NOBODY else name,
        key=key,
        width=170,
        label_visibility="collapsed",
        on_change=_assign,
        args=(held, key),
    )


def _assign(held: reads.Row, key: str) -> None:
    name = st.session_state[key]
    who = "" if name == desk_bulk.NOBODY else str(name)
    done = f"assigned to {words.plain(who)}" if who else "assigned to nobody"
    triage.decide([held["finding_id"]], Decision(assignee=who), done, seen=held["version"])


def _more(held: reads.Row) -> None:
    key = f"detail:more:{held['finding_id']}"
    merged = reads.merged_into(held["finding_id"])
    snooze = [desk_bulk.WAKE] if held["snoozed"] else [*desk_bulk.SNOOZES, desk_bulk.TWICE]
    names = {name: f"Snooze: {name[0].lower()}{name[1:]}" for name in snooze if name != desk_bulk.WAKE}
    parts = {f"{_SPLIT}{name}": f"Take apart again: {name[:12]}…" for name in merged}
    st.menu_button(
        "Decide",
        [_NOTE, *snooze, _MERGE, *parts],
        format_func=lambda option: names.get(option, parts.get(option, option)),
        type="tertiary",
        icon=":material/tune:",
        key=key,
        on_click=_chosen,
        args=(held, key),
    )


def _chosen(held: reads.Row, key: str) -> None:
    option, ids = st.session_state[key], [held["finding_id"]]
    if option == _NOTE:
        desk_bulk.ask_note(held)
    elif option == _MERGE:
        desk_bulk.ask("merge", ids)
    elif option.startswith(_SPLIT):
        triage.split(option.removeprefix(_SPLIT))
    else:
        desk_bulk.snooze(ids, option)


def _told(held: reads.Row) -> None:
    if held["note"]:
        st.info(words.comment(held["note"]), icon=":material/push_pin:")
    if held["regressed_at"] is not None:
        fixed = words.moment(held["fixed_at"])
        st.markdown(
            f":small[:red[:material/history: Back again] since {words.moment(held['regressed_at'])}; "
            f":gray[it was fixed on {fixed}.]]"
        )
    if held["close_reason"] and held["status"] in CLOSED:
        st.markdown(f":small[:gray[Closed:] {words.plain(held['close_reason'])}]")
    if held["snoozed"]:
        until = held["snooze_until"]
        when = f"until {words.moment(until)}" if until else "until it gets worse"
        st.markdown(f":small[:gray[:material/snooze: Asleep {when}.]]")
