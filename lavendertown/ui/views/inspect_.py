"""Inspect screen: upload a table, show its findings, save them as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.core.findings import finding_columns
from lavendertown.core.reading import Reading
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.profile.evidence import ColumnProfile
from lavendertown.rules.expectations import describe_column
from lavendertown.ui import errors, inspections, queries
from lavendertown.ui.components.finding import expected
from lavendertown.ui.components.inspect import (
    bundle_preview,
    compare_with,
    import_mapping,
    import_preview,
    inspection_results,
    inspection_state,
    reading_panel,
    save_report,
    table_profile,
    upload_form,
)
from lavendertown.ui.components.shared import column_profiles, layout
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, inline_code
from lavendertown.ui.inspections import Inspection
from lavendertown.ui.server.uploads import Upload

_POLL_SECONDS = 0.1


def render_inspect_page() -> None:
    """Draw the screen: upload, then progress, then findings."""
    layout.draw_page_header("Inspect")
    if layout.is_first_run():
        inspection_state.forget_refusal()
    repeated, result = inspection_state.repeated_inspection(), inspection_state.current_result()
    inspection, bundle = inspection_state.current_inspection(), inspection_state.current_bundle()
    if bundle is not None:
        bundle_preview.draw_bundle(bundle)
    elif repeated is not None:
        show_progress(repeated, inspection_state.stop_repeating, inspection_state.finish_repeating)
    elif result is not None and inspection is not None:
        show_results(result, inspection)
    elif inspection is None:
        upload_form.ask_for_file()
    elif inspection.tables_to_choose():
        upload_form.ask_for_table(inspection)
    elif inspection.has_results_to_import():
        import_preview.draw_import(inspection)
    else:
        show_progress(inspection, inspection_state.start_over, inspection_state.finish_inspection)


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


def show_results(result: InspectionResult, inspection: Inspection) -> None:
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
            st.button("Start over", type="tertiary", on_click=inspection_state.start_over)
            if isinstance(inspection.upload, Upload) and inspection.upload.table:
                st.button(
                    "Other table", type="tertiary", on_click=inspection_state.inspect_table, args=(None,)
                )
            if import_mapping.looks_like_results(result):
                st.button(
                    "Import as results",
                    type="tertiary",
                    help="The columns look like those of results of checks.",
                    on_click=import_mapping.request_dialog,
                )
            compare_with.draw_menu(result, inspection.comparison, inspection_state.compare_again)
            is_save_clicked = st.button("Save as report", type="primary", icon=":material/save:")
    compare_with.show_notice()
    for place in (inspections.CHECKS_PLACE, inspections.KEY_PLACE):
        layout.show_notice(place)
    offer_to_check_again(result)
    reading_panel.show_reading(result, inspection_state.read_again, import_mapping.request_dialog)
    left, right = layout.draw_two_columns([1, 1.1])
    with left:
        st.markdown("## Columns", anchors=False)
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
    import_mapping.draw_requested_dialog(result)
    if is_save_clicked:
        layout.withdraw_question("save")
        save_report.open_save_dialog(result, inspection_state.reset_after_saving)


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
            on_click=inspection_state.read_again,
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
            "No problems found",
            f"{format_count(coverage['checks_run'], 'check')} ran over "
            f"{format_count(coverage['rows'], 'row')} and all passed. "
            "Save it anyway: a clean run is part of the history.",
        )
        return
    shown = [
        index for index, each in enumerate(findings) if column is None or column in finding_columns(each)
    ]
    heading = "Findings" if column is None else f"Findings in {escape_markdown(column)}"
    st.markdown(f"## {heading}", anchors=False)
    if not shown:
        st.caption("No check found anything in this column.")
        return
    listed, cells = st.tabs(["List", "Affected cells"], key=f"inspect:tabs:{key}", on_change="rerun")
    with listed:
        inspection_results.show_findings(
            findings,
            result,
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
