"""The hint that plain files hold more than they answer well for."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import frame

MOST_REPORTS = 2_000
"""How many reports plain files answer well for, by `make bench-desk`."""


def hint() -> None:
    """Point to the wizard where plain files hold very many reports."""
    number = reads.count_reports({}) if reads.in_files() else 0
    if number <= MOST_REPORTS:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":violet[:material/folder_open:] **{number:,} reports lie in plain files.** "
            ":gray[A database answers faster from here on; everything moves along, and there is a way back.]",
            width="stretch",
        )
        st.page_link(frame.MIGRATE, label="Move to a database", icon=":material/local_shipping:")
