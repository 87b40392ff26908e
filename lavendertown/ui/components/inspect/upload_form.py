"""Ask for the data to inspect: an upload, a configured source, or a table of a file with several."""

from __future__ import annotations

import streamlit as st

from lavendertown import demo, tables
from lavendertown.core.settings import load_settings
from lavendertown.ui import errors, inspections
from lavendertown.ui.components.inspect import inspection_state, source_menu
from lavendertown.ui.components.shared import layout
from lavendertown.ui.inspections import Inspection


def ask_for_file() -> None:
    """Draw the upload of a table; a file, the sample or a source opens Inspect if another screen asked."""
    inspections.prepare_worker()
    refusal, about_source = inspection_state.current_refusal()
    with st.container(border=True, width=760):
        st.markdown("## Upload a file", anchors=False)
        files = st.file_uploader(
            "Table file, or several files that form one table",
            accept_multiple_files=True,
            max_upload_size=load_settings().limits_upload_mb,
            label_visibility="collapsed",
            key=f"inspect:file:{inspection_state.upload_round()}",
        )
        if refusal is not None and not about_source:
            errors.show_error(refusal)
        formats = f"{', '.join(tables.FORMAT_LABELS[:-1])} or {tables.FORMAT_LABELS[-1]}"
        st.caption(f"{formats}, also zipped; several files are read as one table.")
        st.caption(
            "Results of dbt, Great Expectations, Soda, Pandera and others, and bundles of reports, are "
            "imported instead."
        )
        st.caption("Stays on this server, for your session only.")
        if demo.is_available():
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.markdown(":gray[No file to try?]", width="content")
                st.button(
                    "Try sample data",
                    type="tertiary",
                    icon=":material/science:",
                    on_click=_inspect_sample,
                )
    sources = load_settings().sources
    if sources or about_source:
        with st.container(border=True, width=760):
            st.markdown("## Configured sources", anchors=False)
            if sources:
                source_menu.draw_source_menu(sources, _inspect_source)
            if refusal is not None and about_source:
                errors.show_error(refusal)
    if files:
        inspection_state.inspect_files(files)
        _open_inspect()
        st.rerun()


def _inspect_sample() -> None:
    inspection_state.inspect_sample()
    _open_inspect()


def _inspect_source(name: str) -> None:
    inspection_state.inspect_source(name)
    _open_inspect()


def _open_inspect() -> None:
    has_file = inspection_state.current_inspection() or inspection_state.current_bundle()
    if layout.current_screen() != "inspect" and has_file is not None:
        layout.queue_navigation(layout.INSPECT)


def ask_for_table(inspection: Inspection) -> None:
    """Ask which table of the file to read."""
    with st.container(border=True, width=760):
        source_menu.draw_table_choice(
            inspection.upload.name, inspection.tables_to_choose(), inspection_state.inspect_table
        )
        st.button("Start over", type="tertiary", on_click=inspection_state.start_over)
