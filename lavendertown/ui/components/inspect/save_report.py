"""Draw the dialog that saves the findings of an inspection as a report."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from lavendertown.collaboration.storage import get_finding_id
from lavendertown.core.settings import load_settings
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.profile.masking import find_masked_columns
from lavendertown.profile.measure import suggest_key
from lavendertown.ui import actions, queries, triage_actions
from lavendertown.ui.components.finding import finding_detail
from lavendertown.ui.components.inspect import dataset_field
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

WITH_SAMPLES = "save:samples"
ROW_KEY = "save:key"
_MAX_LISTED_COLUMNS = 8


@st.dialog("Save as report", icon=":material/save:")
def open_save_dialog(result: InspectionResult, on_saved: Callable[[], None]) -> None:
    """Ask for the details of the report, and describe the effect of saving.

    Args:
        result: The result to save.
        on_saved: Called after saving, to clear the page below the dialog.
    """
    st.text_input("Title", suggest_title(result.dataset), key="save:title")
    chosen = dataset_field.draw_dataset_field(result)
    st.multiselect("Tags", queries.known_tags(), accept_new_options=True, select_all=False, key="save:tags")
    st.text_area("Note for your colleagues", height=72, placeholder="Optional", key="save:note")
    _draw_samples_choice(result)
    st.caption(describe_effect(result, chosen.name))
    layout.show_notice("save")
    st.button(
        "Save report",
        type="primary",
        disabled=layout.has_question("save"),
        on_click=person.run_with_name,
        args=("save", save_report, result, on_saved),
    )
    if layout.has_queued_navigation():
        # Only a run of the whole page closes the dialog; this run also opens the report.
        st.rerun()


def _draw_samples_choice(result: InspectionResult) -> None:
    """Offer to store values of the table, and name the columns that they come from."""
    settings = load_settings()
    if not settings.evidence_samples:
        st.caption("Sample values are off in the settings; the text of a finding may still quote a value.")
        return
    columns = result.columns
    hidden = find_masked_columns(result.evidence, settings.evidence_mask)
    stored = [name for name in columns if name not in hidden]
    st.checkbox("Keep sample values for colleagues", True, key=WITH_SAMPLES)
    if not st.session_state[WITH_SAMPLES]:
        st.caption("The report keeps no sample rows; the text of a finding may still quote a value.")
        return
    masked = len(columns) - len(stored)
    note = f" {format_count(masked, 'column is', 'columns are')} masked." if masked else ""
    if not stored:
        st.caption(f"No value is stored.{note}")
        return
    listed = ", ".join(escape_markdown(name) for name in stored[:_MAX_LISTED_COLUMNS])
    more = f" and {len(stored) - _MAX_LISTED_COLUMNS} more" if len(stored) > _MAX_LISTED_COLUMNS else ""
    st.caption(f"Stored values come from {listed}{more}.{note}")
    _draw_key_field(result, stored)


def _draw_key_field(result: InspectionResult, columns: list[str]) -> None:
    """Let a person choose the columns that name a sample row, the unique ones first."""
    unique = {each.name for each in result.evidence.columns if 0 < each.count == each.distinct}
    st.multiselect(
        "Row key",
        sorted(columns, key=lambda name: name not in unique),
        _suggest_row_key(result, columns),
        key=ROW_KEY,
        select_all=False,
        placeholder="None: rows have numbers only",
        help="Columns that name each sample row, so that colleagues find it in the source. What you choose "
        "is used for the next file of the dataset, too.",
    )


def _suggest_row_key(result: InspectionResult, columns: list[str]) -> list[str]:
    """Return the row key to begin with, of the columns whose values may be stored."""
    known = [name for name in result.evidence.key if name in columns]
    return known or suggest_key([each for each in result.evidence.columns if each.name in columns])


def suggest_title(dataset: str) -> str:
    """Return a title for a dataset name: its words, with an initial capital."""
    text = re.sub(r"[_\W]+", " ", dataset).strip()
    return text[:1].upper() + text[1:]


def describe_effect(result: InspectionResult, dataset: str) -> str:
    """Describe who saves the report and where, and how many findings are already known."""
    name = f" as {escape_markdown(person.current_name())}" if person.current_name() else ""
    saves = f"Saved{name} in {escape_markdown(queries.storage_description())}."
    ids = tuple(get_finding_id(finding, dataset) for finding in result.findings)
    known = queries.known_findings(ids)
    if not ids or not known:
        return saves
    comments = sum(row["comment_count"] for row in known)
    seen = f"{saves} {format_count(len(known), 'finding was', 'findings were')} seen before"
    return (
        f"{seen}; {format_count(comments, 'comment comes', 'comments come')} along."
        if comments
        else f"{seen}."
    )


def reading_to_store(result: InspectionResult, dataset: str) -> dict[str, Any] | None:
    """Return the settings to store for the next files of a dataset; None to leave them unchanged.

    They are removed if the user reset those of this dataset.
    """
    return result.given if result.given or (result.remembered and dataset == result.dataset) else None


def save_report(result: InspectionResult, on_saved: Callable[[], None]) -> None:
    """Save the report, adopt history if chosen, and keep the affected rows in this session."""
    state = st.session_state
    if layout.has_queued_navigation():
        # Ignore a second click before the dialog closes.
        return
    chosen = dataset_field.chosen_dataset(result)
    if dataset_field.needs_confirmation(result, chosen):
        layout.queue_notice(
            "Choose first whether this is the same dataset or another one.",
            "problem",
            place="save",
            lead="Not saved.",
        )
        return
    hidden = find_masked_columns(result.evidence, load_settings().evidence_mask)
    suggested = _suggest_row_key(result, [name for name in result.columns if name not in hidden])
    # Streamlit accepts any text for a choice from the browser.
    key = [name for name in state.get(ROW_KEY, suggested) if name in result.columns]
    evidence = result.evidence_with_key(key)
    report_id = actions.save_inspection(
        findings=result.complete_findings(),
        title=str(state["save:title"] or ""),
        dataset=chosen.name,
        tags=state["save:tags"],
        note=str(state["save:note"] or ""),
        coverage=result.coverage,
        evidence=evidence,
        with_samples=bool(state.get(WITH_SAMPLES, True)),
        file="" if result.source_name else result.name,
        source=result.source_name,
        reading=reading_to_store(result, chosen.name),
        row_key=key if key != suggested else None,
    )
    if report_id is None:
        return
    if chosen.adoptable and state.get(dataset_field.ADOPT):
        triage_actions.adopt_dataset_history(chosen.adoptable, chosen.name)
    finding_detail.keep_result(report_id, replace(result, evidence=evidence))
    on_saved()
    layout.queue_navigation(layout.REPORT, report=report_id)
