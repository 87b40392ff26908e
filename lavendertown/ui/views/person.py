"""Screen with the user's name and profile."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui.components.shared import layout, person


def render_person_page() -> None:
    """Draw the forms for the name and the profile."""
    layout.draw_page_header("Your name")
    with st.container(border=True, width=460):
        person.draw_name_form("person:change", "Use this name")
    if person.current_name():
        with st.container(border=True, width=460):
            person.draw_profile_form()


render_person_page()
