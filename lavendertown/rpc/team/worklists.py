"""Worklists for RPC and MCP: created from a file that a caller sends, and read back, in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import NotFoundError
from lavendertown.core.run_readings import read_run_reading
from lavendertown.core.settings import load_settings
from lavendertown.interchange.worklists.answers import FilledRows, RowAnswer, RowProblem, join_filled_rows
from lavendertown.interchange.worklists.worklist_file import FindingRows, Worklist
from lavendertown.rpc.team.files import server_files

MAX_FILLED_FILES = 100
"""The maximum number of filled files that one call reads."""


def collect_report_rows(
    storage: Storage,
    report_id: str,
    finding_ids: Sequence[str],
    *,
    first: int | None,
    key: Sequence[str],
    content: bytes,
    name: str,
    table: str | None,
) -> list[FindingRows]:
    """Return the affected rows of findings of a report, from the file that it was made of.

    Args:
        storage: The team's storage.
        report_id: The report.
        finding_ids: The findings; by default all open ones.
        first: The maximum number of rows of each; None for all.
        key: The columns that identify a row; by default those of the report.
        content: The content of the file.
        name: Its name.
        table: The table to read of several; None for the only one.

    Raises:
        NotFoundError: There is no such report, or it does not have one of the findings.
        InvalidInputError: The report was not made of this file, no row is left, or there are too many.
        UnreadableTableError: The file cannot be read.
        FileLimitError: It needs more memory or time than the server allows.
    """
    from lavendertown.inspection.tasks import COLLECT_REPORT_ROWS

    settings = load_settings()
    chosen = storage.worklists.choose_findings(report_id, finding_ids, first)
    report = storage.load_report(report_id)
    if report is None:
        raise NotFoundError(f"There is no report {report_id[:200]!r}; it may have been deleted.")
    evidence = storage.reports.load_evidence(report_id)
    known = read_run_reading(report.metadata)
    arguments = {
        "reading": dict(known.given) if known is not None else {},
        "table": table or None,
        "findings": [(finding_id, finding.to_dict()) for finding_id, finding in chosen],
        "dataset": str(report.metadata.get("dataset") or ""),
        "coverage": report.metadata.get("coverage") or {},
        "evidence": storage.findings.place_samples(evidence, chosen).to_dict() if evidence else None,
        "key": list(key),
        "masks": list(settings.evidence_mask),
        "keeps_samples": settings.evidence_samples,
    }
    rows = server_files().run_task(COLLECT_REPORT_ROWS, content, name, arguments)
    return [FindingRows(**each) for each in rows]


def write_file(worklist: Worklist) -> bytes:
    """Return the file of a worklist; imported in a call, because RPC works without the Excel library."""
    from lavendertown.interchange.worklists.worklist_file import write_worklist

    return write_worklist(worklist)


def read_filled_files(files: Sequence[tuple[str, bytes]]) -> FilledRows:
    """Return the answers in filled files, each with its name and content.

    Raises:
        InvalidInputError: A file is no worklist, or its answer columns are missing.
        UnreadableTableError: A file cannot be read.
        FileLimitError: A file needs more memory or time than the server allows.
    """
    return join_filled_rows([_read_filled_file(name, content) for name, content in files])


def _read_filled_file(name: str, content: bytes) -> FilledRows:
    from lavendertown.inspection.tasks import READ_WORKLIST

    read: dict[str, Any] = server_files().run_task(READ_WORKLIST, content, name, {})
    return FilledRows(
        tuple(RowAnswer(**each) for each in read["answers"]),
        tuple(RowProblem(**each) for each in read["problems"]),
        frozenset((worklist_id, number) for worklist_id, number in read["rows"]),
    )
