"""The versions of a dataset's check configuration, from the audit log."""

from __future__ import annotations

import streamlit as st

from lavendertown.collaboration.parts.dataset_settings import settings_record_id
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.expectations import list_changes
from lavendertown.ui import check_actions, queries
from lavendertown.ui.components.shared import person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_time

_MAX_VERSIONS = 50


def draw_history(dataset: str, current: CheckConfiguration) -> None:
    """Draw who changed what, newest first, with a button to return to a version."""
    chosen = {"component": "dataset_settings", "record_id": settings_record_id(dataset)}
    shown = 0
    for event in queries.audit_events(chosen, _MAX_VERSIONS):
        before, after = check_actions.configurations_of_event(event)
        if before is None or after is None:
            shown += 1
            st.caption("A change by another version of LavenderTown cannot be shown.")
            continue
        changes = list_changes(before, after)
        if not changes:
            continue
        shown += 1
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            what = check_actions.describe_changes(before, after)
            who = f"**{escape_markdown(event['actor'])}** :gray[{format_time(event['at'])}]"
            st.markdown(f"{who}  \n:small[{what}]", width="stretch")
            st.button(
                "Restore this version",
                type="tertiary",
                icon=":material/history:",
                key=f"versions:{event['at'].isoformat()}",
                disabled=after == current,
                on_click=person.run_with_name,
                args=("page", _restore, dataset, after),
            )
    if not shown:
        st.caption("Nobody has changed the checks of this dataset yet.")


def _restore(dataset: str, configuration: CheckConfiguration) -> None:
    check_actions.change_checks(dataset, lambda _: configuration, "page")
