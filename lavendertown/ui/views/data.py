"""Data screen: state of the storage, backup, restore, trash, export and import, notifications."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui.components.data import backups, notifications, storage_health, trash
from lavendertown.ui.components.shared import layout

WIDTH = 960
TABS = {
    "Backup": backups.draw_backup_panel,
    "Restore": backups.draw_restore_panel,
    "Trash": trash.show_trash,
    "Export and import": backups.draw_export_import_panel,
    "Notifications": notifications.show_notifications,
}


def render_data_page() -> None:
    """Draw the screen."""
    layout.draw_page_header("Data")
    with st.container(width=WIDTH):
        storage_health.show_health()
        storage_health.show_schema()
        for tab, draw in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
            with tab:
                if tab.open:
                    draw()


render_data_page()
