"""The discussion of a finding: a thread that follows the store, and a form that keeps what is typed."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from lavendertown.collaboration.models import Annotation
from lavendertown.errors import StorageUnavailableError
from lavendertown.ui import actions, reads
from lavendertown.ui.components import frame, live, person, words
from lavendertown.ui.components.avatar import avatar

_EDITING = "thread:editing"
_CHANGED = "thread:changed"
"""Set by a reader's own change in the thread: the whole page has to follow it."""


@st.fragment(run_every=live.EVERY)
def thread(finding_id: str) -> None:
    """Show the annotations on a finding, oldest first, and those of others as they come."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()
    kept = f"thread:last:{finding_id}"
    try:
        notes = reads.discussion(finding_id)
        st.session_state[kept] = notes
    except StorageUnavailableError:
        # The banner above the page says that the store is down; here stays what was read last.
        notes = st.session_state.get(kept, [])
    if notes:
        st.markdown(f":small[:gray[{words.count(len(notes), 'comment')}]]")
    if not notes:
        st.caption("No comments yet. Say what you know; the thread follows this finding to the next run.")
    with st.container(gap=None):
        for note in notes:
            _entry(note)


def _entry(note: Annotation) -> None:
    with (
        st.chat_message(note.author, avatar=avatar(note.author, reads.person(note.author)["initials"])),
        st.container(gap="xxsmall"),
    ):
        head = f"**{words.plain(note.author)}** :small[:gray[{words.ago(note.timestamp)}]]"
        if note.status:
            head += f" :small[:gray[set]] {words.status_badge(note.status)}"
        mine = note.author == person.me()
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(head, width="stretch")
            if mine:
                st.menu_button(
                    "Change",
                    ["Edit…", "Delete"],
                    icon=":material/more_horiz:",
                    type="tertiary",
                    key=f"thread:menu:{note.id}",
                    on_click=_own,
                    args=(note,),
                )
        text = words.comment(note.comment)
        if st.session_state.get(_EDITING) == note.id and mine:
            _editor(note)
            text = ""
        text += ("\n\n" if text and note.tags else "") + words.tag_badges(note.tags)
        if text:
            st.markdown(text, anchors=False)


def _own(note: Annotation) -> None:
    if st.session_state[f"thread:menu:{note.id}"] == "Delete":
        actions.delete_comment(note)
        st.session_state[_CHANGED] = True
    else:
        st.session_state[_EDITING] = note.id
        st.session_state[f"thread:version:{note.id}"] = note
        st.session_state[f"thread:text:{note.id}"] = note.comment


def _editor(note: Annotation) -> None:
    frame.notice(actions.FORM + note.id)
    st.text_area("Your comment", key=f"thread:text:{note.id}", height=96)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Save", key=f"thread:save:{note.id}", on_click=_save, args=(note,))
        st.button("Cancel", key=f"thread:cancel:{note.id}", type="tertiary", on_click=_stop_editing)


def _save(note: Annotation) -> None:
    opened: Annotation = st.session_state.get(f"thread:version:{note.id}", note)
    if actions.edit_comment(opened, str(st.session_state[f"thread:text:{note.id}"])):
        _stop_editing()
    else:
        st.session_state[f"thread:version:{note.id}"] = reads.annotation(note.id) or opened


def _stop_editing() -> None:
    st.session_state.pop(_EDITING, None)


def form(finding_id: str, status: str) -> None:
    """Ask for a comment, tags and a status; what is typed stays until it was saved.

    Args:
        finding_id: The finding it is about.
        status: The finding's status as this page shows it.
    """
    frame.notice(actions.FORM)
    # Each comment gets a form of its own, so that a late browser cannot bring the last one back.
    name = f"form:{finding_id}:{st.session_state.get(_sent(finding_id), 0)}"
    with st.form(name, clear_on_submit=False, enter_to_submit=False):
        st.text_area(
            "Add a comment",
            placeholder="What did you find out? Markdown works.",
            height=72,
            label_visibility="collapsed",
            key=f"{name}:comment",
            persist_state="session",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            _beside_the_comment(name)
            with st.container(horizontal_alignment="right"):
                st.form_submit_button(
                    "Comment",
                    type="primary",
                    icon=":material/send:",
                    key=f"{name}:send",
                    on_click=_send,
                    args=(name, finding_id, status),
                )


def _sent(finding_id: str) -> str:
    return f"form:sent:{finding_id}"


def _beside_the_comment(name: str) -> None:
    st.multiselect(
        "Tags",
        reads.known_tags(),
        accept_new_options=True,
        placeholder="Tags",
        label_visibility="collapsed",
        width=126,
        select_all=False,
        key=f"{name}:tags",
        persist_state="session",
    )
    st.multiselect(
        "Mention",
        [each for each in reads.people() if each != person.me()],
        placeholder="@ Mention",
        label_visibility="collapsed",
        width=126,
        select_all=False,
        key=f"{name}:mentions",
        persist_state="session",
    )
    st.selectbox(
        "New status",
        list(words.STATUSES),
        index=None,
        format_func=words.status_name,
        placeholder="Keep status",
        label_visibility="collapsed",
        width=126,
        key=f"{name}:status",
        persist_state="session",
    )


def mentioning(comment: str, people: Iterable[str]) -> str:
    """Return a comment that mentions these people, each once: ``@Ana``."""
    missing = [f"@{name}" for name in people if f"@{name}".casefold() not in comment.casefold()]
    return "\n\n".join(part for part in (comment.strip(), " ".join(missing)) if part)


def _send(name: str, finding_id: str, status: str) -> None:
    draft = actions.Draft(
        finding_id=finding_id,
        comment=mentioning(
            str(st.session_state.get(f"{name}:comment") or ""),
            st.session_state.get(f"{name}:mentions") or (),
        ),
        tags=tuple(st.session_state.get(f"{name}:tags") or ()),
        status=st.session_state.get(f"{name}:status"),
        seen_status=status,
    )
    if actions.annotate(draft):
        st.session_state[_sent(finding_id)] = st.session_state.get(_sent(finding_id), 0) + 1
