"""Who I am: asked once, kept in this session and in a cookie of this browser."""

from __future__ import annotations

from urllib.parse import quote, unquote

import streamlit as st

from lavendertown.errors import InvalidInputError, LavenderTownError
from lavendertown.ui import reads
from lavendertown.ui.components import frame

COOKIE = "lavendertown_person"
YEAR = 365 * 24 * 3600
LONGEST = 80
_KEY = "person"
_CHOICE = "person:choice"
_REMEMBER = "person:remember"
_RUNS = "person:runs"


def me() -> str:
    """Return the visitor's name, empty when it was not given yet."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = unquote(st.context.cookies.get(COOKIE, ""))[:LONGEST]
    return str(st.session_state[_KEY])


def become(name: str) -> None:
    """Take a name for this session and have the browser remember it for a year.

    Raises:
        InvalidInputError: The name is empty or longer than 80 characters.
    """
    name = " ".join(name.split())
    if not name:
        raise InvalidInputError("Say a name; your colleagues see it beside what you write.")
    if len(name) > LONGEST:
        raise InvalidInputError(f"This name is longer than {LONGEST} characters; shorten it.")
    st.session_state[_KEY] = name
    st.session_state[_REMEMBER] = True


def remember() -> None:
    """Write the cookie in a session that took a name; in each run, for one may be over too soon."""
    if st.session_state.get(_REMEMBER):
        # An unchanged script is not run again by the browser; the number makes each one new.
        run = st.session_state[_RUNS] = st.session_state.get(_RUNS, 0) + 1
        cookie = f"{COOKIE}={quote(me(), safe='')}; path=/; max-age={YEAR}; SameSite=Lax"
        # Streamlit has no way to set a cookie; quote() leaves nothing that could end the string.
        script = f"<script>document.cookie = '{cookie}' // {run}\n</script>"
        st.html(script, unsafe_allow_javascript=True)


def form(action: str) -> None:
    """Ask for the name, offering those the team knows."""
    known = reads.people()
    options = list(dict.fromkeys(([me()] if me() else []) + known))
    st.selectbox(
        "Your name",
        options,
        index=0 if me() else None,
        key=_CHOICE,
        accept_new_options=True,
        placeholder="Type your name" if not known else "Type your name or choose it",
    )
    st.caption("Colleagues see it beside your reports and comments. There is no password.")
    problem = st.session_state.pop("person:problem", None)
    if problem:
        st.error(problem, icon=":material/edit:")
    st.button(action, type="primary", key="person:take", on_click=_take)


def _take() -> None:
    try:
        become(st.session_state.get(_CHOICE) or "")
    except InvalidInputError as error:
        st.session_state["person:problem"] = str(error)
        return
    introduce()


def introduce() -> None:
    """Make me known to the team, so that others can assign and mention me."""
    try:
        reads.storage().save_person(me(), actor=me())
    except LavenderTownError as error:
        # The name counts in this browser all the same.
        frame.say(f"**Your colleagues do not know you yet.** {error}", "problem")


def about_me() -> None:
    """Ask for what the team knows of me beside the name."""
    held = reads.person(me())
    st.text_input("Mail address", value=held["mail"], key="person:mail")
    st.text_input(
        "Initials on your picture", value=held["initials"], max_chars=4, key="person:initials", width=120
    )
    st.button("Save", key="person:save", on_click=_save)


def _save() -> None:
    mail, letters = (str(st.session_state[f"person:{name}"]).strip() for name in ("mail", "initials"))
    try:
        reads.storage().save_person(me(), mail=mail, initials=letters.upper(), actor=me())
    except LavenderTownError as error:
        frame.say(f"**Not saved.** {error}", "problem")
    else:
        frame.say("Saved. Your colleagues see it beside your name.")


@st.dialog("Who are you?", icon=":material/person:", dismissible=False)
def ask() -> None:
    """Ask a first visitor for a name."""
    form("Continue")
    if me():
        st.rerun()
