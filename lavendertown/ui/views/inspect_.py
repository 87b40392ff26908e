"""Inspect screen: upload a table, show its findings, save them as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

import streamlit as st

from lavendertown import demo, tables
from lavendertown.core.configured_sources import ConfiguredSource, find_source
from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import FileLimitError, LavenderTownError
from lavendertown.core.findings import finding_columns
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.settings import load_settings
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.profile.evidence import ColumnProfile
from lavendertown.rules.expectations import describe_column
from lavendertown.ui import errors, inspections, queries
from lavendertown.ui.components.finding import expected
from lavendertown.ui.components.inspect import (
    compare_with,
    inspection_results,
    reading_panel,
    save_report,
    source_menu,
    table_profile,
)
from lavendertown.ui.components.shared import column_profiles, layout
from lavendertown.ui.components.shared.affected_rows import ResultRows
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, inline_code
from lavendertown.ui.inspections import Comparison, Inspection
from lavendertown.ui.server import uploads
from lavendertown.ui.server.uploads import Upload

_INSPECTION = "inspect:running"
_REPEATED = "inspect:repeated"
_RESULT = "inspect:result"
_ROUND = "inspect:round"
_REFUSAL = "inspect:refusal"
_POLL_SECONDS = 0.1


def render_inspect_page() -> None:
    """Draw the screen: upload, then progress, then findings."""
    layout.draw_page_header("Inspect")
    if layout.is_first_run():
        st.session_state.pop(_REFUSAL, None)
    if _REPEATED in st.session_state:
        show_progress(st.session_state[_REPEATED], stop_repeating, finish_repeating)
    elif _RESULT in st.session_state:
        show_results(st.session_state[_RESULT])
    elif _INSPECTION in st.session_state and st.session_state[_INSPECTION].tables_to_choose():
        ask_for_table(st.session_state[_INSPECTION])
    elif _INSPECTION in st.session_state:
        show_progress(st.session_state[_INSPECTION], start_over, finish_inspection)
    else:
        ask_for_file()


def ask_for_file() -> None:
    """Draw the upload of a table."""
    inspections.prepare_worker()
    refusal, about_source = st.session_state.get(_REFUSAL, (None, False))
    with st.container(border=True, width=760):
        st.markdown("### Upload a file", anchors=False)
        files = st.file_uploader(
            "Table file, or several files that form one table",
            accept_multiple_files=True,
            max_upload_size=load_settings().limits_upload_mb,
            label_visibility="collapsed",
            key=f"inspect:file:{st.session_state.get(_ROUND, 0)}",
        )
        if refusal is not None and not about_source:
            errors.show_error(refusal)
        formats = f"{', '.join(tables.FORMAT_LABELS[:-1])} or {tables.FORMAT_LABELS[-1]}"
        st.caption(f"{formats}, also zipped; several files are read as one table.")
        st.caption("Stays on this server, for your session only.")
        if demo.is_available():
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.markdown(":gray[No file at hand?]", width="content")
                st.button(
                    "Try sample data", type="tertiary", icon=":material/science:", on_click=inspect_sample
                )
    sources = load_settings().sources
    if sources or about_source:
        with st.container(border=True, width=760):
            st.markdown("### Configured sources", anchors=False)
            if sources:
                source_menu.draw_source_menu(sources, inspect_source)
            if about_source:
                errors.show_error(refusal)
    if files:
        try:
            upload = uploads.keep_uploads(files)
            dataset = dataset_name(upload.parts[0] if upload.parts else upload.name)
            st.session_state[_INSPECTION] = _start_inspection(upload, dataset)
        except LavenderTownError as error:
            _show_refusal(error)
        st.rerun()


def ask_for_table(inspection: Inspection) -> None:
    """Ask which table of the file to read."""
    with st.container(border=True, width=760):
        source_menu.draw_table_choice(inspection.upload.name, inspection.tables_to_choose(), inspect_table)
        st.button("Start over", type="tertiary", on_click=start_over)


def _start_inspection(data: Upload | ConfiguredSource, dataset: str) -> Inspection:
    """Inspect data, read as the last time if settings are stored for its dataset."""
    st.session_state.pop(_REFUSAL, None)
    remembered = DETECT
    try:
        remembered = queries.stored_reading(dataset)
    except LavenderTownError as error:
        reading_panel.show_fallback(error)
    return inspections.start_inspection(data, remembered, remembered=remembered)


def inspect_source(name: str) -> None:
    """Inspect the configured source with this name, which the browser sent."""
    try:
        source = find_source(load_settings().sources, name)
        st.session_state[_INSPECTION] = _start_inspection(source, source.name)
    except LavenderTownError as error:
        _show_refusal(error, about_source=True)


def inspect_table(name: str | None) -> None:
    """Inspect the table of the upload with this name, which the browser sent; None to ask again."""
    current: Inspection = st.session_state[_INSPECTION]
    stop_repeating()
    st.session_state.pop(_RESULT, None)
    if isinstance(current.upload, Upload):
        try:
            chosen = _start_inspection(
                replace(current.upload, table=name), dataset_name(PurePath(name or current.upload.name).name)
            )
            st.session_state[_INSPECTION] = current.replaced_by(chosen)
        except LavenderTownError as error:
            _show_refusal(error)


def inspect_sample() -> None:
    """Inspect the sample table."""
    st.session_state.pop(_REFUSAL, None)
    st.session_state[_INSPECTION] = inspections.start_inspection(uploads.keep_sample())


def start_over() -> None:
    """Discard the file and its findings."""
    stop_repeating()
    inspection: Inspection | None = st.session_state.pop(_INSPECTION, None)
    if inspection is not None:
        _delete_compared_file(inspection)
        inspection.discard()
    _offer_new_upload()


def reset_after_saving() -> None:
    """Offer a new upload after saving; the saved report keeps the affected rows."""
    inspection: Inspection | None = st.session_state.pop(_INSPECTION, None)
    if inspection is not None:
        _delete_compared_file(inspection)
    _offer_new_upload()


def _offer_new_upload() -> None:
    st.session_state.pop(_RESULT, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def read_again(reading: Reading) -> None:
    """Inspect the file again with these settings; the result stays until that is done."""
    current: Inspection = st.session_state[_INSPECTION]
    st.session_state[_REPEATED] = inspections.start_inspection(
        current.upload,
        reading,
        remembered=current.remembered,
        keeps_upload=True,
        comparison=current.comparison,
    )


def compare_again(comparison: Comparison | None) -> None:
    """Inspect the file again and compare it; the result stays until that is done."""
    current: Inspection = st.session_state[_INSPECTION]
    result: InspectionResult = st.session_state[_RESULT]
    try:
        st.session_state[_REPEATED] = inspections.start_inspection(
            current.upload,
            Reading.from_dict(result.given),
            remembered=current.remembered,
            keeps_upload=True,
            comparison=comparison,
        )
    except LavenderTownError:
        if comparison is not None:
            comparison.delete_file()
        raise


def _delete_compared_file(inspection: Inspection, kept: Inspection | None = None) -> None:
    """Delete the file that an inspection compares with, unless another one does, too."""
    comparison = inspection.comparison
    if comparison is not None and (kept is None or kept.comparison is not comparison):
        comparison.delete_file()


def stop_repeating() -> None:
    """Cancel the repeated inspection, if one is running; the result of the one before stays."""
    repeated: Inspection | None = st.session_state.pop(_REPEATED, None)
    if repeated is not None:
        _delete_compared_file(repeated, st.session_state.get(_INSPECTION))
        repeated.discard()


def show_progress(
    inspection: Inspection, cancel: Callable[[], None], finish: Callable[[Inspection], None]
) -> None:
    """Show the progress of the inspection until it ends; it continues while the user is on another screen.

    Args:
        inspection: The inspection.
        cancel: Called by the Cancel button.
        finish: Called when the inspection has ended.
    """
    upload = inspection.upload
    size = ""
    if isinstance(upload, Upload) and not upload.is_sample:
        size = f" :gray[{upload.size / 1e6:,.1f} MB]"
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(upload.name)}**{size}")
        bar = st.progress(0.0, "Reading the file")
        # Drawn before the loop, as a button after it would not exist while the loop runs.
        st.button("Cancel", on_click=cancel)
        # Replaces the last line of the upload card, which would stay until the run ends.
        st.empty()
    # The same for the card of the configured sources.
    st.empty()
    while not inspection.task.wait(_POLL_SECONDS):
        share, text = inspection.current_progress()
        bar.progress(share, escape_markdown(text))
    finish(inspection)
    st.rerun()


def finish_inspection(inspection: Inspection) -> None:
    """Keep the result of an inspection that has ended, or offer a new upload if it failed.

    If it failed with stored settings, which may not fit this file, detect them instead.
    """
    if inspection.tables_to_choose():
        return
    try:
        st.session_state[_RESULT] = inspection.load_result()
    except FileLimitError as error:
        _show_refusal(error)
    except LavenderTownError as error:
        if inspection.remembered == DETECT:
            _show_refusal(error)
            return
        reading_panel.show_fallback(error)
        detecting = inspections.start_inspection(inspection.upload, keeps_upload=True)
        st.session_state[_INSPECTION] = inspection.replaced_by(detecting)


def finish_repeating(repeated: Inspection) -> None:
    """Replace the result by that of the repeated inspection; if that failed, the panel says why."""
    del st.session_state[_REPEATED]
    current: Inspection = st.session_state[_INSPECTION]
    try:
        result = repeated.load_result()
    except LavenderTownError as error:
        _delete_compared_file(repeated, current)
        repeated.discard()
        is_other = repeated.comparison is not current.comparison
        (compare_with if is_other else reading_panel).show_problem(error)
        return
    _delete_compared_file(current, repeated)
    st.session_state[_INSPECTION] = current.replaced_by(repeated)
    st.session_state[_RESULT] = result


def _show_refusal(error: LavenderTownError, *, about_source: bool = False) -> None:
    """Offer to inspect other data; the reason stays until then, or until the user leaves."""
    inspection: Inspection | None = st.session_state.get(_INSPECTION)
    if inspection is not None:
        about_source = isinstance(inspection.upload, ConfiguredSource)
    start_over()
    st.session_state[_REFUSAL] = (error, about_source)


def show_results(result: InspectionResult) -> None:
    """Show the findings and offer to save them."""
    name, findings = escape_markdown(result.name), result.findings
    with (
        st.container(border=True),
        st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"),
    ):
        st.markdown(
            f"**{format_count(len(findings), 'finding')}** in {name}  \n"
            f":small[:gray[{table_profile.describe_table(result)}{compare_with.describe(result)}]]",
            width="content",
        )
        with st.container(horizontal=True, width="content", gap="xsmall"):
            st.button("Start over", type="tertiary", on_click=start_over)
            upload = st.session_state[_INSPECTION].upload
            if isinstance(upload, Upload) and upload.table:
                st.button("Other table", type="tertiary", on_click=inspect_table, args=(None,))
            compare_with.draw_menu(result, st.session_state[_INSPECTION].comparison, compare_again)
            is_save_clicked = st.button("Save as report", type="primary", icon=":material/save:")
    compare_with.show_notice()
    offer_to_check_again(result)
    reading_panel.show_reading(result, read_again)
    left, right = st.columns([1, 1.1], gap="medium")
    with left:
        st.markdown("### Columns", anchors=False)
        column = (
            column_profiles.draw_columns(
                result.evidence.columns,
                Counter(name for each in result.findings for name in finding_columns(each)),
                len(result.columns),
                f"inspect:columns:{result.folder.name}",
            )
            if result.columns
            else None
        )
        profile = result.evidence.column(column) if column is not None else None
        if profile is None:
            st.caption("Select a column to see its findings only, and to say what is expected of it.")
        else:
            draw_column_expectations(result, profile)
    with right:
        show_result_findings(result, column)
    if is_save_clicked:
        layout.withdraw_question("save")
        save_report.open_save_dialog(result, reset_after_saving)


def offer_to_check_again(result: InspectionResult) -> None:
    """Offer to repeat the inspection if the checks of the dataset were changed since."""
    try:
        is_current = queries.checks_to_run(result.dataset).to_dict() == result.checks
    except LavenderTownError as error:
        errors.show_error(error)
        return
    if is_current:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":material/rule: The checks of {inline_code(result.dataset)} have changed since this run.",
            width="content",
        )
        st.button(
            "Check again",
            icon=":material/refresh:",
            on_click=read_again,
            args=(Reading.from_dict(result.given),),
        )


def draw_column_expectations(result: InspectionResult, profile: ColumnProfile) -> None:
    """Show what is expected of a column, with the button to add to it."""
    set_for = queries.stored_checks(result.dataset).settings_of_column(profile.name)
    phrases = "; ".join(escape_markdown(each) for each in describe_column(set_for))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = f"{inline_code(profile.name)}: {phrases or 'nothing is set'}"
        st.markdown(f":small[:gray[{text}]]", width="content")
        expected.draw_button(
            expected.subject_of_column(result.dataset, profile), f"inspect:column:{result.folder.name}"
        )


def show_result_findings(result: InspectionResult, column: str | None) -> None:
    """Show the findings, or those of one column, and the affected rows with marked cells."""
    findings, coverage, key = result.findings, result.coverage, result.folder.name
    if not findings:
        layout.show_empty_state(
            "task_alt",
            "No ghosts in this table",
            f"{format_count(coverage['checks_run'], 'check')} ran over "
            f"{format_count(coverage['rows'], 'row')} and all passed. "
            "Save it anyway: a clean run is part of the history.",
        )
        return
    shown = [
        index for index, each in enumerate(findings) if column is None or column in finding_columns(each)
    ]
    heading = "Findings" if column is None else f"Findings in {escape_markdown(column)}"
    st.markdown(f"### {heading}", anchors=False)
    if not shown:
        st.caption("No check found anything in this column.")
        return
    listed, cells = st.tabs(["List", "Affected cells"], key=f"inspect:tabs:{key}", on_change="rerun")
    with listed:
        inspection_results.show_findings(
            findings,
            ResultRows(result),
            f"inspect:finding:{key}",
            shown,
            lambda index: expected.draw_button(
                expected.subject_of_finding(result, index), f"inspect:expected:{key}:{index}"
            ),
        )
    with cells:
        if cells.open:
            table_profile.draw_affected_cells(result, [findings[i] for i in shown], f"inspect:cells:{key}")


render_inspect_page()
