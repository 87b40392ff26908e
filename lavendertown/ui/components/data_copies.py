"""Backup, restore, export and import: what is there, what would happen, and the button that does it."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from lavendertown import clock
from lavendertown.ui import data_actions, data_files, data_reads
from lavendertown.ui.components import data_store, words
from lavendertown.ui.data_actions import Preview, Source

MOST = 10


def backup() -> None:
    """Make a backup, and download those that were made."""
    settings = data_reads.settings()
    if data_reads.on_database():
        st.markdown("A backup copies the whole database into one file on the server, while others work on.")
    else:
        st.markdown(
            "A backup copies all records into one zip on the server; who saves meanwhile waits for it."
        )
    st.button(
        "Back up now",
        type="primary",
        icon=":material/save:",
        key="data:back up",
        on_click=data_actions.back_up,
    )
    _listed(data_files.copies(settings), "No backup yet. Make one before you change anything big.")
    if not data_reads.on_database():
        st.caption(
            "To use such a zip, unpack it into an empty folder and name that folder with "
            "LAVENDERTOWN_DATA_DIR; what you have now stays as it is."
        )


def _listed(found: list[data_files.Copy], none: str) -> None:
    """List files of the server with a way to download them."""
    if not found:
        st.caption(none)
        return
    with st.container(border=True, gap="xsmall"):
        for copy in found[:MOST]:
            with st.container(
                horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                st.markdown(
                    f"{words.code(copy.path.name)} &ensp;:small[:gray[{_about(copy)}]]", width="stretch"
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
    if len(found) > MOST:
        st.caption(
            f"The newest {MOST} of {len(found):,}; the others are in {words.code(str(found[0].path.parent))}."
        )


def _about(copy: data_files.Copy) -> str:
    made = dt.datetime.fromtimestamp(copy.made, clock.UTC)
    return f"{data_store.size(copy.size)} · {words.moment(made)}"


def restore() -> None:
    """Put a backup back, after a look at what that would do."""
    if not data_reads.on_database():
        data_store.only_databases("Putting a backup in the place of everything")
        st.caption(
            "A zip of files is put back without overwriting anything: unpack it into an empty folder and "
            "name that folder with LAVENDERTOWN_DATA_DIR, or move its records in from there."
        )
        return
    st.markdown(
        "A backup takes the place of everything the database holds. What is there now is backed up first, so "
        "this can be undone."
    )
    found = {copy.path.name: copy for copy in data_files.copies(data_reads.settings())}
    left, right = st.columns(2, gap="medium")
    with left:
        name = st.selectbox(
            "A backup on the server",
            list(found),
            index=None,
            key="data:restore:file",
            format_func=lambda name: f"{name}  ({_about(found[name])})" if name in found else name,
            placeholder="Choose one" if found else "None yet",
            disabled=not found,
        )
    with right:
        uploaded = st.file_uploader("or one from your machine", key="data:restore:upload")
    source: Source | None = uploaded or (found[name].path if name in found else None)
    _tried(data_actions.RESTORE, source, "Replace everything with this backup")


def exchange() -> None:
    """Export all tables, and bring such an export in."""
    if not data_reads.on_database():
        data_store.only_databases("An export of all tables")
        return
    st.markdown("**Export.** All tables as CSV in one zip, which any of the databases can bring in.")
    st.button("Export now", icon=":material/archive:", key="data:export", on_click=data_actions.export)
    _listed(data_files.copies(data_reads.settings(), exports=True), "No export yet.")
    st.markdown(
        "**Import.** Such a zip takes the place of everything the database holds, which is backed up first; "
        "all of it comes in, or nothing."
    )
    uploaded = st.file_uploader("A zip that was exported", type="zip", key="data:import:upload")
    _tried(data_actions.IMPORT, uploaded, "Replace everything with this export")


def _tried(what: str, source: Source | None, label: str) -> None:
    """Offer a look at what would happen; after it, the button that does it."""
    kept = f"data:{what}:preview"
    if source is None:
        st.session_state.pop(kept, None)
    button = f"data:{what}:look"
    if st.button("See what would change", key=button, icon=":material/preview:", disabled=source is None):
        with st.spinner("Checking every row. Nothing is changed."):
            st.session_state[kept] = data_actions.preview(what, source) if source is not None else None
    found: Preview | None = st.session_state.get(kept)
    if source is None or found is None or found.source != data_actions.token(source):
        return
    if found.refused:
        _refused(found)
        return
    _rows(found)
    st.button(
        label,
        type="primary",
        key=f"data:{what}:do",
        icon=":material/published_with_changes:",
        on_click=_do,
        args=(what, source, kept),
    )


def _do(what: str, source: Source, kept: str) -> None:
    if data_actions.replace(what, source):
        st.session_state.pop(kept, None)


def _refused(found: Preview) -> None:
    st.error(words.plain(found.refused), icon=":material/error:")
    if found.problems:
        with st.container(height=240, border=True):
            st.markdown("\n".join(f"- {words.plain(problem)}" for problem in found.problems))


def _rows(found: Preview) -> None:
    """Show how many rows the tables have and would have, where that differs."""
    rows = words.count(sum(found.then.values()), "row")
    st.markdown(f"**It is whole and fits.** The database would hold {rows}.")
    names = sorted(found.now.keys() | found.then.keys())
    differ = [name for name in names if found.now.get(name, 0) != found.then.get(name, 0)]
    if differ:
        lines = {words.code(n): f"{found.now.get(n, 0):,} → {found.then.get(n, 0):,}" for n in differ}
        st.table(lines, border="horizontal", alt="Rows of each table that differs, now and then")
    same = words.count(len(names) - len(differ), "table")
    others = "other " if differ else ""
    st.caption(f"{same.replace(' ', ' ' + others, 1)}: as many rows as now, which may be other rows.")
