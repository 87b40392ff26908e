"""Show what the import of another tool's results changes, and import them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lavendertown.collaboration.parts.imports import ImportPreview
from lavendertown.core.errors import LavenderTownError
from lavendertown.interchange import ReadRun
from lavendertown.ui import actions, errors, queries
from lavendertown.ui.components.inspect import inspection_state
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count
from lavendertown.ui.inspections import Inspection
from lavendertown.ui.server.uploads import Upload

_RUNS = "inspect:import:runs"
_PLACE = "import"
_COUNTS = ("new", "regressed", "unchanged", "gone", "not_run")
_LABELS = {"new": "New", "regressed": "Back", "unchanged": "Unchanged", "gone": "Gone", "not_run": "Not run"}
_MAX_SHOWN = 20


def draw_import(inspection: Inspection) -> None:
    """Draw what each run of the files would change, with the buttons to import or to discard them."""
    runs = _runs_of(inspection)
    tools = sorted({each.run.tool or "LavenderTown" for each in runs})
    with st.container(border=True, width=760):
        name, upload = escape_markdown(inspection.upload.name), inspection.upload
        has = "have" if isinstance(upload, Upload) and upload.parts else "has"
        st.markdown(f"**{name}** {has} results of {escape_markdown(', '.join(tools))}.")
        runs = _choose_dataset(runs, inspection.folder.name)
        try:
            previews = [queries.current_storage().imports.preview(each) for each in runs]
        except LavenderTownError as error:
            errors.show_error(error)
            previews = []
        for preview in previews[:_MAX_SHOWN]:
            draw_preview(preview)
        if len(previews) > _MAX_SHOWN:
            st.caption(f"And {format_count(len(previews) - _MAX_SHOWN, 'more run')}.")
        layout.show_notice(_PLACE)
        with st.container(horizontal=True, gap="xsmall"):
            if any(not each.is_saved for each in previews):
                st.button(
                    f"Import {format_count(len(previews), 'run')}",
                    type="primary",
                    icon=":material/download:",
                    disabled=layout.has_question(_PLACE),
                    on_click=person.run_with_name,
                    args=(_PLACE, _import, runs),
                )
            st.button("Inspect as a table", on_click=inspection_state.inspect_as_table)
            st.button("Start over", type="tertiary", on_click=inspection_state.start_over)


def _runs_of(inspection: Inspection) -> list[ReadRun]:
    """Return the runs of the files, read once."""
    folder, runs = st.session_state.get(_RUNS, ("", []))
    if folder != inspection.folder.name:
        runs = inspection.load_runs()
        st.session_state[_RUNS] = (inspection.folder.name, runs)
    return list(runs)


def _choose_dataset(runs: list[ReadRun], key: str) -> list[ReadRun]:
    """Let the visitor choose the dataset of a single run; a whole report has its own."""
    if len(runs) != 1 or runs[0].run.report is not None:
        return runs
    named = runs[0].run.dataset
    known = [each for each in queries.known_datasets() if each != named]
    chosen = st.selectbox(
        "Dataset",
        [named, *known],
        accept_new_options=True,
        key=f"inspect:import:dataset:{key}",
        help="The findings join those of this dataset.",
        width=360,
    )
    return [replace(runs[0], run=replace(runs[0].run, dataset=str(chosen or "").strip() or named))]


def draw_preview(preview: ImportPreview) -> None:
    """Draw what an import would change."""
    joined = (
        f"{format_count(preview.report_count, 'report')} so far" if preview.report_count else "a new dataset"
    )
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(preview.dataset or preview.title)}** :gray[{joined}]")
        if preview.is_saved:
            st.markdown(":material/check: Imported before; importing it again changes nothing.")
            return
        st.caption(
            f"{format_count(preview.findings, 'finding')}, {preview.passed:,} passed, "
            f"{format_count(preview.errored, 'check')} could not run"
        )
        with st.container(horizontal=True, gap="medium"):
            for name in _COUNTS:
                st.metric(_LABELS[name], f"{getattr(preview, name):,}", width="content")


def _import(runs: Sequence[ReadRun]) -> None:
    show_imported(actions.import_runs(runs))


def show_imported(saved: Sequence[ImportPreview] | None) -> None:
    """Open what was imported; after an error, which is shown as a notice, nothing changes."""
    if saved is None:
        return
    inspection_state.start_over()
    if len(saved) == 1:
        layout.queue_navigation(layout.REPORT, report=saved[0].report_id)
    else:
        layout.queue_navigation(layout.REPORTS)
