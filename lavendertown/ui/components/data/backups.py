"""Panels for backup, restore, export and import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from lavendertown.core import clock
from lavendertown.transfer.backups.changes import KindChanges
from lavendertown.ui.components.data import data_actions, data_files, data_queries, storage_health
from lavendertown.ui.components.data.data_actions import ReplacementPreview, Source
from lavendertown.ui.components.migrate.dry_run import KIND_NAMES
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_time,
    inline_code,
)

MAX_LISTED = 10


def draw_backup_panel() -> None:
    """Draw the panel to make and download backups."""
    settings = data_queries.current_settings()
    if data_queries.uses_database():
        st.markdown(
            "A backup copies the whole database to a file on the server; colleagues can keep working."
        )
    else:
        st.markdown(
            "A backup copies all records to an archive on the server; saving pauses until it finishes."
        )
    st.button(
        "Back up now",
        type="primary",
        icon=":material/save:",
        key="data:back up",
        on_click=data_actions.back_up,
    )
    _list_files(data_files.list_backup_files(settings), "No backups yet. Make one before major changes.")
    if not data_queries.uses_database():
        st.caption("An archive can be restored here, or into a database. Unpacked, it is a data folder.")


def _list_files(found: list[data_files.BackupFile], none: str) -> None:
    """List files of the server with download buttons."""
    if not found:
        st.caption(none)
        return
    with st.container(border=True, gap="xsmall"):
        for copy in found[:MAX_LISTED]:
            with st.container(
                horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                st.markdown(
                    f"{inline_code(copy.path.name)} &ensp;:small[:gray[{_describe_backup(copy)}]]",
                    width="stretch",
                )
                st.download_button(
                    "Download",
                    lambda path=copy.path: path.open("rb"),  # type: ignore[misc]
                    copy.path.name,
                    "application/octet-stream",
                    key=f"data:download:{copy.path.name}",
                    icon=":material/download:",
                    type="tertiary",
                    on_click="ignore",
                )
    if len(found) > MAX_LISTED:
        st.caption(
            f"The newest {MAX_LISTED} of {len(found):,}; the others are in "
            f"{inline_code(str(found[0].path.parent))}."
        )


def _describe_backup(copy: data_files.BackupFile) -> str:
    made = dt.datetime.fromtimestamp(copy.modified_at, clock.UTC)
    return f"{storage_health.format_size(copy.size)} · {format_time(made)}"


def draw_restore_panel() -> None:
    """Draw the panel to restore a backup, with a preview of the changes."""
    st.markdown("Restoring replaces all data. The current data is backed up first, so this can be undone.")
    found = {copy.path.name: copy for copy in data_files.list_backup_files(data_queries.current_settings())}
    left, right = st.columns(2, gap="medium")
    with left:
        name = st.selectbox(
            "A backup on the server",
            list(found),
            index=None,
            key="data:restore:file",
            format_func=lambda name: f"{name}  ({_describe_backup(found[name])})" if name in found else name,
            placeholder="Choose one" if found else "None yet",
            disabled=not found,
        )
    with right:
        uploaded = st.file_uploader("or a file from your computer", key="data:restore:upload")
    source: Source | None = uploaded or (found[name].path if name in found else None)
    _preview_and_replace(data_actions.RESTORE, source, "Replace all data with this backup")


def draw_export_import_panel() -> None:
    """Draw the panel to export all tables and to import an export."""
    if not data_queries.uses_database():
        storage_health.explain_database_only("An export of all tables")
        return
    st.markdown("**Export.** All tables as CSV in one zip file, which every supported database can import.")
    st.button("Export now", icon=":material/archive:", key="data:export", on_click=data_actions.export_tables)
    _list_files(
        data_files.list_backup_files(data_queries.current_settings(), exports=True), "No exports yet."
    )
    st.markdown(
        "**Import.** Importing replaces all data in the database, which is backed up first. "
        "If a row cannot be imported, nothing changes."
    )
    uploaded = st.file_uploader("Exported zip file", type="zip", key="data:import:upload")
    _preview_and_replace(data_actions.IMPORT, uploaded, "Replace all data with this export")


def _preview_and_replace(what: str, source: Source | None, label: str) -> None:
    """Draw the button for a preview of the changes, and after the preview the button that applies them."""
    state_key = f"data:{what}:preview"
    if source is None:
        st.session_state.pop(state_key, None)
    button = f"data:{what}:look"
    if st.button("Preview changes", key=button, icon=":material/preview:", disabled=source is None):
        with st.spinner("Checking every row. Nothing is changed."):
            st.session_state[state_key] = (
                data_actions.preview_replacement(what, source) if source is not None else None
            )
    preview: ReplacementPreview | None = st.session_state.get(state_key)
    if source is None or preview is None or preview.source != data_actions.identify_source(source):
        return
    if preview.refusal:
        _show_refusal(preview)
        return
    _show_changes(preview)
    layout.show_notice(f"data:{what}")
    st.button(
        label,
        type="primary",
        key=f"data:{what}:do",
        icon=":material/published_with_changes:",
        disabled=layout.has_question(f"data:{what}"),
        on_click=person.run_with_name,
        args=(f"data:{what}", _replace_data, what, source, state_key),
    )


def _replace_data(what: str, source: Source, state_key: str) -> None:
    if data_actions.replace_all_data(what, source):
        st.session_state.pop(state_key, None)


def _show_refusal(preview: ReplacementPreview) -> None:
    st.error(preview.refusal, icon=":material/error:")
    if preview.problems:
        with st.container(height=240, border=True):
            st.markdown("\n".join(f"- {escape_markdown(problem)}" for problem in preview.problems))


def _show_changes(preview: ReplacementPreview) -> None:
    """Show which records come back, go or return to another state; below, the row counts that change."""
    noun, group, groups = data_actions.describe_units()
    rows = format_count(sum(preview.new_counts.values()), noun)
    st.markdown(f"**The file is valid.** It contains {rows}.")
    if preview.changes:
        with st.container(border=True, gap="small"):
            for name, changes in preview.changes.items():
                st.markdown(f"**{KIND_NAMES[name]}**  \n{_describe_kind_changes(changes)}")
    else:
        st.markdown("Reports, comments and decisions stay as they are.")
    with st.expander(f"Numbers of {noun}s", key="data:counts"):
        _show_row_counts(preview, noun, group, groups)


def _describe_kind_changes(changes: KindChanges) -> str:
    parts = (
        (changes.returning, "comes back", "come back", changes.returning_names),
        (changes.leaving, "goes", "go", changes.leaving_names),
        (changes.reverted, "returns to another state", "return to another state", changes.reverted_names),
    )
    return "  \n".join(
        f"{count:,} {one if count == 1 else many}: :small[:gray[{_list_names(names, count)}]]"
        for count, one, many, names in parts
        if count
    )


def _list_names(names: Sequence[str], count: int) -> str:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return "; ".join(map(escape_markdown, names)) + more


def _show_row_counts(preview: ReplacementPreview, noun: str, group: str, groups: str) -> None:
    names = sorted(preview.current_counts.keys() | preview.new_counts.keys())
    changed = [
        name for name in names if preview.current_counts.get(name, 0) != preview.new_counts.get(name, 0)
    ]
    if changed:
        lines = {
            inline_code(n): f"{preview.current_counts.get(n, 0):,} → {preview.new_counts.get(n, 0):,}"
            for n in changed
        }
        st.table(lines, border="horizontal", alt=f"Number of {noun}s before and after, if different")
    unchanged = format_count(len(names) - len(changed), group, groups)
    others = "other " if changed else ""
    st.caption(
        f"{unchanged.replace(' ', ' ' + others, 1)}: same number of {noun}s, possibly with different content."
    )
