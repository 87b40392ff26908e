"""Screen for URLs that do not belong to any screen."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui.components.shared import layout


def render_missing_page() -> None:
    """Show that the page does not exist, with links to the main screens."""
    layout.show_empty_state(
        "explore_off",
        "Page not found",
        "Nothing is at this address. Check the link, or open one of these pages.",
        lambda: st.page_link(layout.FINDINGS, label="Findings", icon=":material/inbox:"),
        lambda: st.page_link(layout.REPORTS, label="Reports", icon=":material/description:"),
        lambda: st.page_link(layout.INSPECT, label="Inspect", icon=":material/troubleshoot:"),
    )


render_missing_page()
