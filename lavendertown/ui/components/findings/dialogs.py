"""The dialogs of findings and incidents."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lavendertown.ui.components.findings import inbox_actions
from lavendertown.ui.components.incidents import incident_dialogs

DIALOGS: dict[str, tuple[str, Any]] = {
    "reason": ("Close findings", inbox_actions.draw_reason_dialog),
    "assign": ("Assign", inbox_actions.draw_assign_dialog),
    "comment": ("Comment and tag", inbox_actions.draw_comment_dialog),
    "note": ("Pin a note", inbox_actions.draw_note_dialog),
    "merge": ("Merge findings", inbox_actions.draw_merge_dialog),
    "view": ("Save this view", inbox_actions.draw_view_dialog),
    "help": ("Help", inbox_actions.draw_help_dialog),
    "group": ("Group findings", incident_dialogs.draw_group_dialog),
    "incident-close": ("Close incident", incident_dialogs.draw_close_dialog),
    "incident-title": ("Rename incident", incident_dialogs.draw_title_dialog),
}
"""Name of a dialog → its title, and the function that draws it for ids and the rest of the name."""


def draw_open_dialog() -> None:
    """Open the requested dialog once, see :func:`~.inbox_actions.open_dialog`."""
    requested: tuple[str, tuple[str, ...]] | None = st.session_state.get(inbox_actions.DIALOG)
    if requested is None:
        return
    title, draw = DIALOGS[requested[0].partition(":")[0]]

    if title.startswith("Close") and len(requested[1]) == 1:
        title = title.removesuffix("s")

    def content() -> None:
        if inbox_actions.DIALOG not in st.session_state:
            # Its own button closed it; only a run of the whole page removes it.
            st.rerun()
        # Read this in each run, as it may change while the dialog is open.
        name, ids = st.session_state[inbox_actions.DIALOG]
        draw(list(ids), name.partition(":")[2])

    st.dialog(title, on_dismiss=inbox_actions.close_dialog)(content)()
