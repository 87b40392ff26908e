"""The user's name: requested before the first write, stored in the session and in a browser cookie."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

import streamlit as st

from lavendertown.core.errors import InvalidInputError, LavenderTownError
from lavendertown.ui import queries
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown
from lavendertown.ui.server import name_cookie

MAX_LENGTH = 80
EXPLANATION = "Enter your name. Colleagues see it on your comments."
_KEY = "person"
_REMEMBER = "person:remember"
_MAX_BUTTONS = 6
_WIDTH = 560
_INVISIBLE = {"Cc", "Cf", "Cs"}
"""Unicode categories of invisible characters, which would make different names look equal."""


def current_name() -> str:
    """Return the user's name, empty if unknown."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _name_from_cookie(st.context.cookies.get(name_cookie.COOKIE, ""))
    return str(st.session_state[_KEY])


def require_name() -> str:
    """Return the user's name for a write.

    Raises:
        InvalidInputError: The name is unknown.
    """
    if not current_name():
        raise InvalidInputError(EXPLANATION)
    return current_name()


def clean_name(text: str) -> str:
    """Normalize a name: remove invisible characters and extra spaces.

    Raises:
        InvalidInputError: The name is empty or longer than 80 characters.
    """
    normal = unicodedata.normalize("NFC", text)
    visible = (c for c in normal if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    name = " ".join("".join(visible).split())
    if not name:
        raise InvalidInputError(EXPLANATION)
    if len(name) > MAX_LENGTH:
        raise InvalidInputError(f"This name is longer than {MAX_LENGTH} characters; shorten it.")
    return name


def _name_from_cookie(cookie: str) -> str:
    """Return the name in a cookie, empty if it is not valid."""
    try:
        return clean_name(unquote(cookie))
    except InvalidInputError:
        return ""


def set_name(name: str) -> None:
    """Set the name for this session, and make the browser store it for a year.

    Raises:
        InvalidInputError: The name is empty or longer than 80 characters.
    """
    st.session_state[_KEY] = clean_name(name)
    st.session_state[_REMEMBER] = True


def store_name_in_browser() -> None:
    """Make the browser store the cookie if the name was set, until it has done so."""
    token = st.session_state.get(_REMEMBER)
    if not token:
        return
    if token is True:
        token = st.session_state[_REMEMBER] = name_cookie.register_name(current_name())
    if name_cookie.is_waiting(token):
        name_cookie.show_image(token)
    else:
        del st.session_state[_REMEMBER]


def run_with_name(place: str, write: Callable[..., object], *args: Any) -> None:
    """Run a write; if the user's name is unknown, ask for it first.

    Call this in a widget's callback, and pass the widget's value as an argument: the value of a menu or
    button is lost by the time the user has entered a name.

    Args:
        place: The place on the page for the question, as for :func:`layout.queue_notice`.
        write: The write, including follow-up actions.
        *args: The arguments of the write.
    """
    if current_name():
        write(*args)
    else:
        ask_name(place, partial(write, *args))


def ask_name(place: str, then: Callable[[], object]) -> None:
    """Ask for the user's name at a place on the page, in the next runs, until it is entered or canceled.

    Args:
        place: The place, as for :func:`layout.queue_notice`.
        then: Called after a name was entered.
    """
    layout.queue_question(partial(_draw_question, place, then), place=place)


def _draw_question(place: str, then: Callable[[], object]) -> None:
    def answered() -> None:
        layout.withdraw_question(place)
        then()

    with st.container(border=True, width=_WIDTH):
        draw_name_form("person:ask", "Continue", answered, cancel=partial(layout.withdraw_question, place))


def draw_name_form(
    key: str,
    action: str,
    then: Callable[[], object] = lambda: None,
    *,
    cancel: Callable[[], None] | None = None,
) -> None:
    """Draw a text field for the name, with the known names below it.

    Args:
        key: Prefix of the widget keys.
        action: The label of the button.
        then: Called after a name was entered.
        cancel: Called by the Cancel button; None for no button.
    """
    with st.form(key, border=False):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
            # shell.js focuses the field in a container with this key.
            with st.container(key="focus-name", width="stretch"):
                st.text_input("Your name", current_name(), key=f"{key}:name", autocomplete="name")
            st.form_submit_button(
                action, type="primary", key=f"{key}:take", on_click=_use_typed_name, args=(key, then)
            )
            if cancel is not None:
                st.form_submit_button("Cancel", type="tertiary", key=f"{key}:cancel", on_click=cancel)
        problem = st.session_state.pop(f"{key}:problem", None)
        if problem:
            st.markdown(f":red[:material/error: {escape_markdown(problem)}]")
        else:
            st.caption(EXPLANATION)
    _draw_known_names(key, then)


def _draw_known_names(key: str, then: Callable[[], object]) -> None:
    """Offer the known names as buttons, or as a searchable list if there are many."""
    names = [name for name in queries.list_people() if name != current_name()]
    if not names:
        return
    if len(names) > _MAX_BUTTONS:
        choice = f"{key}:known"
        st.selectbox(
            "Known names",
            names,
            index=None,
            placeholder="Or choose a known name",
            label_visibility="collapsed",
            key=choice,
            on_change=lambda: _use_name(key, str(st.session_state[choice] or ""), then),
        )
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.markdown(":small[:gray[Or continue as]]", width="content")
        for name in names:
            st.button(
                escape_markdown(name),
                key=f"{key}:known:{name}",
                on_click=_use_name,
                args=(key, name, then),
            )


def _use_typed_name(key: str, then: Callable[[], object]) -> None:
    _use_name(key, str(st.session_state[f"{key}:name"] or ""), then)


def _use_name(key: str, name: str, then: Callable[[], object]) -> None:
    try:
        set_name(name)
    except InvalidInputError as error:
        st.session_state[f"{key}:problem"] = str(error)
        return
    save_name_for_team()
    then()


def list_assignees() -> list[str]:
    """Return the names of all known people and of the user, whom the store may not know yet."""
    known, own = queries.list_people(), current_name()
    return known if not own or own in known else [own, *known]


def save_name_for_team() -> None:
    """Save the user's name for the team, so that others can assign and mention them."""
    try:
        queries.current_storage().people.save(current_name(), actor=current_name())
    except LavenderTownError as error:
        # The name is still valid in this browser.
        layout.queue_notice(str(error), "problem", lead="Your colleagues cannot see your name yet.")


def draw_profile_form() -> None:
    """Draw the form for the user's email address and initials."""
    profile = queries.read_person(current_name())
    st.text_input("Email", value=profile["mail"], key="person:mail")
    st.text_input("Avatar initials", value=profile["initials"], max_chars=4, key="person:initials", width=120)
    st.button("Save", key="person:save", on_click=_save_profile)


def _save_profile() -> None:
    mail, letters = (str(st.session_state[f"person:{name}"]).strip() for name in ("mail", "initials"))
    try:
        queries.current_storage().people.save(
            current_name(), mail=mail, initials=letters.upper(), actor=current_name()
        )
    except LavenderTownError as error:
        layout.queue_notice(str(error), "problem", lead="Not saved.")
    else:
        layout.queue_notice("Saved. Colleagues see it next to your name.")
