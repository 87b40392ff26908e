"""Suggest a database when a file store has many reports."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import queries
from lavendertown.ui.components.shared import layout

MAX_REPORTS = 2_000
"""Number of reports up to which file stores are fast, measured by `make bench-desk`."""


def show_large_store_hint() -> None:
    """Suggest the migration wizard if a file store has very many reports."""
    number = queries.count_reports({}) if queries.uses_files() else 0
    if number <= MAX_REPORTS:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":violet[:material/folder_open:] **{number:,} reports are stored in files.** "
            ":gray[A database is faster at this size. All data is migrated, and you can switch back.]",
            width="stretch",
        )
        st.page_link(layout.MIGRATE, label="Migrate storage", icon=":material/local_shipping:")
