"""What is done with the selected findings, and the dialogs that ask for more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from lavendertown import clock
from lavendertown.collaboration.triage import CLOSED, Decision
from lavendertown.ui import reads, triage
from lavendertown.ui.components import desk_grid, desk_views, frame, words

DIALOG = "desk:dialog"
"""Which dialog is asked for, and the findings it is about."""
NOBODY = "Nobody"
_NOTE = "desk:note"
SNOOZES = {
    "Until tomorrow": dt.timedelta(days=1),
    "For a week": dt.timedelta(days=7),
    "For a month": dt.timedelta(days=30),
}
TWICE = "Until it is twice as bad"
WAKE = "Wake up"


def ask(dialog: str, ids: list[str]) -> None:
    """Have a dialog opened in this run: reason:STATUS, assign, comment, note:VERSION, merge, view or help."""
    st.session_state[DIALOG] = (dialog, tuple(ids))


def ask_note(held: reads.Row) -> None:
    """Have the dialog opened in which a note is pinned, on what is on the screen."""
    st.session_state[_NOTE] = held["note"]
    ask(f"note:{held['version']}", [held["finding_id"]])


def bar(matching: int) -> None:
    """Show what can be done with the selection, at the bottom of the window."""
    ids = desk_grid.selected()
    if not ids:
        return
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", gap="xsmall", border=True):
        st.markdown(f":violet-badge[**{len(ids):,} selected**]", width="content")
        st.menu_button(
            "Status",
            list(words.STATUSES),
            format_func=words.status_name,
            icon=":material/flag:",
            key="desk:bulk:status",
            on_click=lambda: set_status(ids, st.session_state["desk:bulk:status"]),
        )
        people = [NOBODY, *reads.people()]
        st.menu_button(
            "Assign",
            people,
            icon=":material/person:",
            key="desk:bulk:assign",
            on_click=lambda: assign(ids, st.session_state["desk:bulk:assign"]),
        )
        st.button(
            "Comment and tag",
            icon=":material/add_comment:",
            key="desk:bulk:comment",
            on_click=ask,
            args=("comment", ids),
        )
        st.menu_button(
            "Snooze",
            [*SNOOZES, TWICE, WAKE],
            icon=":material/snooze:",
            key="desk:bulk:snooze",
            on_click=lambda: snooze(ids, st.session_state["desk:bulk:snooze"]),
        )
        if len(ids) > 1:
            st.button(
                "Merge",
                icon=":material/merge:",
                key="desk:bulk:merge",
                on_click=ask,
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
            "Clear", type="tertiary", icon=":material/close:", key="desk:bulk:clear", on_click=desk_grid.clear
        )


def _select_all() -> None:
    desk_grid.select(reads.desk_ids(desk_views.chosen(), desk_views.order()))


def _done(went_well: bool) -> None:
    if went_well:
        desk_grid.clear()
        desk_views.read_anew()


def set_status(ids: list[str], status: str) -> None:
    """Set a status; a closing one asks for the reason first."""
    if status in CLOSED:
        ask(f"reason:{status}", ids)
    else:
        done = f"set to {words.status_name(status)}"
        _done(triage.decide(ids, Decision(status=status), done))


def assign(ids: list[str], name: str) -> None:
    """Have somebody, or nobody, look after findings."""
    who = "" if name == NOBODY else name
    done = f"assigned to {words.plain(who)}" if who else "assigned to nobody"
    _done(triage.decide(ids, Decision(assignee=who), done))


def snooze(ids: list[str], how: str) -> None:
    """Put findings to sleep, or wake them up."""
    if how == WAKE:
        decision, done = Decision(wake=True), "awake again"
    elif how == TWICE:
        decision, done = Decision(snooze_factor=2), "asleep until twice as bad"
    else:
        until = clock.now() + SNOOZES[how]
        decision, done = Decision(snooze_until=until), f"asleep until {words.moment(until)}"
    _done(triage.decide(ids, decision, done))


def dialogs() -> None:
    """Open the dialog that was asked for, once."""
    asked: tuple[str, tuple[str, ...]] | None = st.session_state.get(DIALOG)
    if asked is None:
        return
    title, draw = _DIALOGS[asked[0].partition(":")[0]]

    def content() -> None:
        if DIALOG not in st.session_state:
            # Its own button ended it; only a run of the whole page takes it away.
            st.rerun()
        # Anew each time: what it is about may change while it is open.
        name, ids = st.session_state[DIALOG]
        draw(list(ids), name.partition(":")[2])

    st.dialog(title, on_dismiss=_close)(content)()


def _close() -> None:
    st.session_state.pop(DIALOG, None)
    st.session_state.pop(f"frame:notice:{triage.FORM}", None)


def _finish(went_well: bool) -> None:
    if went_well:
        _close()
    _done(went_well)


def _button(label: str, work: Any) -> None:
    frame.notice(triage.FORM)
    st.button(label, type="primary", key="desk:dialog:do", on_click=work)


def _reason(ids: list[str], status: str) -> None:
    name = words.status_name(status)
    st.caption(
        f"{words.count(len(ids), 'finding')} will be set to {name}. Colleagues read why in the thread."
    )
    st.text_area("Why?", key="desk:reason", height=80, placeholder="Mended in the loader, by design, …")

    def work() -> None:
        decision = Decision(status=status, reason=str(st.session_state["desk:reason"]).strip())
        _finish(triage.decide(ids, decision, f"set to {name}", place=triage.FORM))

    _button(f"Set to {name}", work)


def _assign(ids: list[str], _: str) -> None:
    st.selectbox("Who looks after it?", [NOBODY, *reads.people()], key="desk:assign", accept_new_options=True)

    def work() -> None:
        name = str(st.session_state["desk:assign"] or NOBODY).strip()
        who = "" if name == NOBODY else name
        decision = Decision(assignee=who)
        _finish(triage.decide(ids, decision, f"assigned to {words.plain(name)}", place=triage.FORM))

    _button("Assign", work)


def _comment(ids: list[str], _: str) -> None:
    st.text_area(
        "Comment", key="desk:comment", height=96, placeholder="Goes on each of them. @name mentions."
    )
    st.multiselect("Tags", reads.known_tags(), key="desk:tags", accept_new_options=True, select_all=False)

    def work() -> None:
        comment = str(st.session_state["desk:comment"]).strip()
        decision = Decision(comment=comment, tags=tuple(st.session_state["desk:tags"]))
        _finish(triage.decide(ids, decision, "commented", place=triage.FORM))

    _button(f"Add to {words.count(len(ids), 'finding')}", work)


def _note(ids: list[str], version: str) -> None:
    st.text_area("Pinned note", key=_NOTE, height=96, persist_state="session")

    def work() -> None:
        decision = Decision(note=str(st.session_state[_NOTE]).strip())
        seen = int(version)
        went_well = triage.decide(ids, decision, "with another note", place=triage.FORM, seen=seen)
        if not went_well:
            # Whoever was told may put theirs on top.
            ask(f"note:{reads.triage(ids[0])['version']}", ids)
        _finish(went_well)

    _button("Pin", work)


def _merge(ids: list[str], _: str) -> None:
    rows = reads.desk_rows(tuple(ids))
    if len(rows) == 1:
        rows += [r for r in reads.desk({"dataset": rows[0]["dataset"]}, "severity", 200) if r not in rows]
    names = {row["finding_id"]: f"{row['description']} ({desk_grid.where(row)})" for row in rows}
    st.caption("They are handled as one from now on. Each report keeps what it says; you can undo this.")
    options = [name for name in names if len(ids) > 1 or name != ids[0]]
    st.selectbox("Keep", options, format_func=lambda name: names[name], key="desk:merge")

    def work() -> None:
        into = str(st.session_state["desk:merge"])
        _finish(triage.merge([name for name in ids if name != into], into))

    _button("Merge", work)


def _view(_: list[str], __: str) -> None:
    st.text_input("Name", key="desk:view name", placeholder="Orders, open, nobody's")
    st.caption("View, filters, search and order are saved, for everybody.")

    def work() -> None:
        name = str(st.session_state["desk:view name"]).strip()
        if triage.save_view(name, desk_views.query()):
            st.session_state["desk:saved"] = name
            _close()

    _button("Save for everybody", work)


KEYS = {
    "J / K": "next, previous finding",
    "O": "open the first finding, or close the one that is open",
    "X": "close the finding: set it to Fixed",
    "A": "assign it",
    "M": "write a comment",
    "H": "this list",
}


SEEN_MEANS = {
    "new": "seen first in the latest run of its dataset",
    "ongoing": "in the latest run, and in earlier ones",
    "regressed": "was set to Fixed and was seen since; it is open again",
    "passing": "its check ran in the latest run and found nothing",
    "not_checked": "absent, and the latest run does not say that its check ran",
}


def _help(_: list[str], __: str) -> None:
    st.markdown("**Keys** :small[:gray[silent while you type]]")
    st.table({f"`{key}`": text for key, text in KEYS.items()}, border="horizontal", alt="Keys")
    st.markdown("**Seen** :small[:gray[what the runs say]]")
    meanings = {words.seen_badge(seen): text for seen, text in SEEN_MEANS.items()}
    st.table(meanings, border="horizontal", alt="What the words in the column Seen mean")


_DIALOGS: dict[str, tuple[str, Any]] = {
    "reason": ("Close findings", _reason),
    "assign": ("Assign", _assign),
    "comment": ("Comment and tag", _comment),
    "note": ("Pin a note", _note),
    "merge": ("Merge findings", _merge),
    "view": ("Save this view", _view),
    "help": ("Help", _help),
}
