"""Who I am, and how to change it."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui.components import frame, person


def page() -> None:
    """Show the name in use and let it be changed."""
    frame.head("Who you are")
    with st.container(border=True, width=460):
        person.form("Use this name")
    if person.me():
        with st.container(border=True, width=460):
            person.about_me()


page()
