"""Data: what store this is and how it does; backup, restore, trash, export and import."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui.components import data_copies, data_store, data_trash, frame

WIDTH = 960
TABS = {
    "Backup": data_copies.backup,
    "Restore": data_copies.restore,
    "Trash": data_trash.show,
    "Export and import": data_copies.exchange,
}


def page() -> None:
    """Draw the screen."""
    frame.head("Data")
    with st.container(width=WIDTH):
        data_store.health()
        data_store.diagram()
        for tab, draw in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
            with tab:
                if tab.open:
                    draw()


page()
