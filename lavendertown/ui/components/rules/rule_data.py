"""The data that rules of a dataset can be tried on: this session's table, or stored samples."""

from __future__ import annotations

from lavendertown.inspection.result_files import InspectionResult
from lavendertown.profile.evidence import Evidence
from lavendertown.ui import queries
from lavendertown.ui.components.inspect import inspection_state


def session_table(dataset: str) -> InspectionResult | None:
    """Return the table of this dataset that is open on Inspect; None if there is none."""
    result = inspection_state.current_result()
    return result if result is not None and result.dataset == dataset else None


def stored_evidence(dataset: str) -> Evidence | None:
    """Return the evidence of the latest report of a dataset; None if there is none."""
    latest = queries.list_reports({"dataset": dataset}, 1)
    return queries.load_evidence(latest[0]["id"]) if latest else None


def column_names(dataset: str) -> list[str]:
    """Return the columns of this session's table, or of the latest report; empty if they are not known."""
    table = session_table(dataset)
    if table is not None:
        return list(table.columns)
    evidence = stored_evidence(dataset)
    return [profile.name for profile in evidence.columns] if evidence is not None else []
