"""Show the discussion of a finding: a thread with live updates, and a comment form that keeps its input."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from lavendertown.collaboration.models import Annotation
from lavendertown.core.errors import StorageUnavailableError
from lavendertown.records.search_text import fold_text
from lavendertown.ui import actions, queries
from lavendertown.ui.components.shared import change_notifier, layout, person
from lavendertown.ui.components.shared.avatar import avatar_image
from lavendertown.ui.components.shared.formatting import (
    STATUSES,
    comment_markdown,
    escape_markdown,
    format_count,
    format_relative_time,
    status_badge,
    status_name,
    tag_badges,
)

_EDITING = "thread:editing"
_CHANGED = "thread:changed"
"""Set by a change of the user in the thread; it makes the whole page rerun."""

_NO_COMMENTS = "No comments yet. Say what you know; the thread follows this finding to the next run."


@st.fragment(run_every=change_notifier.REFRESH_INTERVAL)
def show_thread(finding_id: str, empty: str = _NO_COMMENTS) -> None:
    """Show the annotations on a finding or an incident, oldest first, with live updates.

    Args:
        finding_id: The finding or incident.
        empty: Shown if there are none.
    """
    if st.session_state.pop(_CHANGED, False):
        st.rerun()
    last_key = f"thread:last:{finding_id}"
    try:
        annotations = queries.list_annotations(finding_id)
        st.session_state[last_key] = annotations
    except StorageUnavailableError:
        # The banner at the top reports the error; show the last known comments.
        annotations = st.session_state.get(last_key, [])
    if annotations:
        st.markdown(f":small[:gray[{format_count(len(annotations), 'comment')}]]")
    if not annotations:
        st.caption(empty)
    with st.container(gap=None):
        for annotation in annotations:
            _draw_annotation(annotation)


def _draw_annotation(annotation: Annotation) -> None:
    with (
        st.chat_message(
            annotation.author,
            avatar=avatar_image(annotation.author, queries.read_person(annotation.author)["initials"]),
        ),
        st.container(gap="xxsmall"),
    ):
        age = format_relative_time(annotation.timestamp)
        head = f"**{escape_markdown(annotation.author)}** :small[:gray[{age}]]"
        if annotation.status:
            head += f" :small[:gray[set]] {status_badge(annotation.status)}"
        mine = bool(person.current_name()) and annotation.author == person.current_name()
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(head, width="stretch")
            if mine:
                st.menu_button(
                    "Change",
                    ["Edit…", "Delete"],
                    icon=":material/more_horiz:",
                    type="tertiary",
                    key=f"thread:menu:{annotation.id}",
                    on_click=_handle_menu,
                    args=(annotation,),
                )
        text = comment_markdown(annotation.comment)
        if st.session_state.get(_EDITING) == annotation.id and mine:
            _draw_editor(annotation)
            text = ""
        text += ("\n\n" if text and annotation.tags else "") + tag_badges(annotation.tags)
        if text:
            st.markdown(text, anchors=False)


def _handle_menu(annotation: Annotation) -> None:
    if st.session_state[f"thread:menu:{annotation.id}"] == "Delete":
        actions.delete_comment(annotation)
        st.session_state[_CHANGED] = True
    else:
        st.session_state[_EDITING] = annotation.id
        st.session_state[f"thread:version:{annotation.id}"] = annotation
        st.session_state[f"thread:text:{annotation.id}"] = annotation.comment


def _draw_editor(annotation: Annotation) -> None:
    layout.show_notice(actions.FORM + annotation.id)
    st.text_area("Your comment", key=f"thread:text:{annotation.id}", height=96)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Save", key=f"thread:save:{annotation.id}", on_click=_save_edit, args=(annotation,))
        st.button("Cancel", key=f"thread:cancel:{annotation.id}", type="tertiary", on_click=_stop_editing)


def _save_edit(annotation: Annotation) -> None:
    opened: Annotation = st.session_state.get(f"thread:version:{annotation.id}", annotation)
    if actions.edit_comment(opened, str(st.session_state[f"thread:text:{annotation.id}"])):
        _stop_editing()
    else:
        st.session_state[f"thread:version:{annotation.id}"] = queries.find_annotation(annotation.id) or opened


def _stop_editing() -> None:
    st.session_state.pop(_EDITING, None)


def draw_comment_form(finding_id: str, status: str) -> None:
    """Draw the form for a comment, tags and a status; the input is kept until it is saved.

    Args:
        finding_id: The finding to comment on.
        status: The status of the finding on this page.
    """
    place = _notice_place(finding_id)
    layout.show_notice(actions.FORM)
    layout.show_notice(place)
    # Use a new form for each comment, so that a delayed message of the browser cannot restore the last one.
    name = f"form:{finding_id}:{st.session_state.get(_sent_count_key(finding_id), 0)}"
    # The comment is saved after the user enters a name; it is read-only until then.
    is_pending = layout.has_question(place)
    if is_pending:
        name = _copy_fields(name)
    with st.form(name, clear_on_submit=False, enter_to_submit=False):
        st.text_area(
            "Add a comment",
            placeholder="What did you find out? Markdown works.",
            height=72,
            label_visibility="collapsed",
            key=f"{name}:comment",
            persist_state="session",
            disabled=is_pending,
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            _draw_form_fields(name, disabled=is_pending)
            with st.container(horizontal_alignment="right"):
                st.form_submit_button(
                    "Comment",
                    type="primary",
                    icon=":material/send:",
                    key=f"{name}:send",
                    on_click=_submit_form,
                    args=(name, finding_id, status),
                    disabled=is_pending,
                )


def _copy_fields(name: str) -> str:
    """Return the name of a form with the same input: Streamlit forgets the input of disabled fields."""
    copy = f"{name}:pending"
    for field in ("comment", "tags", "mentions", "status"):
        st.session_state[f"{copy}:{field}"] = st.session_state.get(f"{name}:{field}")
    return copy


def _notice_place(finding_id: str) -> str:
    return f"{actions.FORM}:{finding_id}"


def _sent_count_key(finding_id: str) -> str:
    return f"form:sent:{finding_id}"


def _draw_form_fields(name: str, *, disabled: bool) -> None:
    st.multiselect(
        "Tags",
        queries.known_tags(),
        accept_new_options=True,
        placeholder="Tags",
        label_visibility="collapsed",
        width=126,
        select_all=False,
        key=f"{name}:tags",
        persist_state="session",
        disabled=disabled,
    )
    st.multiselect(
        "Mention",
        [each for each in queries.list_people() if each != person.current_name()],
        placeholder="@ Mention",
        label_visibility="collapsed",
        width=126,
        select_all=False,
        key=f"{name}:mentions",
        persist_state="session",
        disabled=disabled,
    )
    st.selectbox(
        "New status",
        list(STATUSES),
        index=None,
        format_func=status_name,
        placeholder="Keep status",
        label_visibility="collapsed",
        width=126,
        key=f"{name}:status",
        persist_state="session",
        disabled=disabled,
    )


def add_mentions(comment: str, people: Iterable[str]) -> str:
    """Add mentions of these people to a comment, each once: ``@Ana``."""
    missing = [f"@{name}" for name in people if fold_text(f"@{name}") not in fold_text(comment)]
    return "\n\n".join(part for part in (comment.strip(), " ".join(missing)) if part)


def _submit_form(name: str, finding_id: str, status: str) -> None:
    draft = actions.AnnotationDraft(
        finding_id=finding_id,
        comment=add_mentions(
            str(st.session_state.get(f"{name}:comment") or ""),
            st.session_state.get(f"{name}:mentions") or (),
        ),
        tags=tuple(st.session_state.get(f"{name}:tags") or ()),
        status=st.session_state.get(f"{name}:status"),
        displayed_status=status,
    )
    person.run_with_name(_notice_place(finding_id), _save_draft, draft)


def _save_draft(draft: actions.AnnotationDraft) -> None:
    finding_id = draft.finding_id
    if actions.add_annotation(draft):
        st.session_state[_sent_count_key(finding_id)] = (
            st.session_state.get(_sent_count_key(finding_id), 0) + 1
        )
