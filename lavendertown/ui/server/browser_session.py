"""Identify the browser by a random key in a cookie that scripts cannot read.

The server sends the cookie with the page (see ``security.py``); it expires when the browser is closed. Data
of a single user is stored under the key, so that it is available after a reload. A browser without cookies
gets a new key with each page load.
"""

from __future__ import annotations

import re
import secrets

import streamlit as st

COOKIE = "lavendertown_session"
_KEY = "browser_session"
_FORM = re.compile(r"[\w-]{43}", re.ASCII)


def create_key() -> str:
    """Return a new, unguessable key."""
    return secrets.token_urlsafe(32)


def is_key(text: str) -> bool:
    """Return whether a text has the format of a key."""
    return bool(_FORM.fullmatch(text))


def session_key() -> str:
    """Return the key of the browser of this Streamlit session."""
    if _KEY not in st.session_state:
        sent = str(st.context.cookies.get(COOKIE, ""))
        st.session_state[_KEY] = sent if is_key(sent) else create_key()
    return str(st.session_state[_KEY])
