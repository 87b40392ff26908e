"""Ask which columns of an inspected table say what, to import it as results of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lavendertown.core.errors import InvalidInputError, LavenderTownError
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.interchange import ReadRun
from lavendertown.interchange.mapping import ROLES, ResultMapping, suggest_mapping
from lavendertown.ui import actions, errors, inspections, queries
from lavendertown.ui.components.inspect import import_preview
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown

_REQUESTED = "inspect:mapping:requested"
_READ = "inspect:mapping:read"
_PLACE = "import"
_NONE = "—"
_MAX_SHOWN = 5
_LABELS = {
    "dataset": ("Dataset", ""),
    "column": ("Column", "The column that the check is about."),
    "check": ("Check", "The name of the check."),
    "status": ("Status", "Passed, failed, warning, error or skipped; without it, every row is a failure."),
    "severity": ("Severity", "Info, warning or error."),
    "rows": ("Failing rows", "Their number."),
    "value": ("Value", "What the check measured."),
    "time": ("Time", "When the check ran."),
}


def looks_like_results(result: InspectionResult) -> bool:
    """Return whether the columns of a table have the names of a check and its status."""
    return not result.source_name and {"check", "status"} <= suggest_mapping(result.columns).keys()


def request_dialog() -> None:
    """Open the dialog in this run."""
    st.session_state[_REQUESTED] = True


def draw_requested_dialog(result: InspectionResult) -> None:
    """Draw the dialog if it was requested."""
    if st.session_state.pop(_REQUESTED, False):
        layout.withdraw_question(_PLACE)
        _draw_dialog(result)


@st.dialog("Import as results", width="large", icon=":material/download:")
def _draw_dialog(result: InspectionResult) -> None:
    if layout.has_queued_navigation():
        # Only a run of the whole page closes the dialog; this run also opens what was imported.
        st.rerun()
    st.caption("Each row of the table is a check. Say which column is which; this is remembered.")
    mapping = _draw_roles(result)
    dataset = result.dataset
    if "dataset" not in mapping:
        dataset = str(
            st.selectbox(
                "Dataset of all rows",
                dict.fromkeys([result.dataset, *queries.known_datasets()]),
                accept_new_options=True,
                key=f"{_key(result)}:dataset name",
                width=360,
            )
            or ""
        ).strip()
    try:
        ResultMapping(mapping)
        runs = _read_runs(result, mapping, dataset or result.dataset)
        previews = [queries.current_storage().imports.preview(each) for each in runs]
    except InvalidInputError as error:
        st.markdown(f":small[:red[{escape_markdown(errors.error_message(error)[0])}]]")
        return
    except LavenderTownError as error:
        errors.show_error(error)
        return
    for preview in previews[:_MAX_SHOWN]:
        import_preview.draw_preview(preview)
    if len(previews) > _MAX_SHOWN:
        st.caption(f"And {len(previews) - _MAX_SHOWN:,} more datasets.")
    layout.show_notice(_PLACE)
    st.button(
        "Import",
        type="primary",
        icon=":material/download:",
        disabled=all(each.is_saved for each in previews) or layout.has_question(_PLACE),
        key=f"{_key(result)}:import",
        on_click=person.run_with_name,
        args=(_PLACE, _import, runs, result.columns, mapping),
    )


def _key(result: InspectionResult) -> str:
    return f"inspect:mapping:{result.folder.name}"


def _draw_roles(result: InspectionResult) -> dict[str, str]:
    """Draw a field for each role; return the chosen columns by role."""
    begin = queries.current_storage().imports.load_mapping(result.columns) or suggest_mapping(result.columns)
    chosen: dict[str, str] = {}
    options = [_NONE, *result.columns]
    with st.container(horizontal=True, gap="small"):
        for role in ROLES:
            label, about = _LABELS[role]
            column = st.selectbox(
                label,
                options,
                index=options.index(begin[role]) if begin.get(role) in options else 0,
                key=f"{_key(result)}:{role}",
                help=about or None,
                width=160,
            )
            if column and column != _NONE:
                chosen[role] = column
    return chosen


def _read_runs(result: InspectionResult, mapping: Mapping[str, str], dataset: str) -> list[ReadRun]:
    """Return the results in the table, read once for each choice."""
    choice = (result.folder.name, dict(mapping), dataset)
    read_for, runs = st.session_state.get(_READ, (None, []))
    if read_for != choice:
        runs = inspections.map_results(result, mapping, dataset)
        st.session_state[_READ] = (choice, runs)
    return list(runs)


def _import(runs: Sequence[ReadRun], columns: Sequence[str], mapping: Mapping[str, str]) -> None:
    import_preview.show_imported(actions.import_runs(runs, columns, mapping))
