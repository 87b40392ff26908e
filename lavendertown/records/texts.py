"""What a search looks into: casefolded texts whose parts cannot be matched across."""

from __future__ import annotations

from collections.abc import Iterable

from lavendertown.records.values import FindingRecord, ReportRecord

SEPARATOR = "\x1f"


def report_text(report: ReportRecord) -> str:
    """Return what a search for reports looks into: title, dataset and descriptions."""
    return _joined((report.title, report.dataset, *(f.description for f in report.findings)))


def finding_text(finding: FindingRecord) -> str:
    """Return what a search for findings looks into: description, column and dataset."""
    return _joined((finding.description, finding.column, finding.dataset))


def ruleset_text(name: str, description: str) -> str:
    """Return what a search for rule sets looks into."""
    return _joined((name, description))


def _joined(parts: Iterable[str]) -> str:
    return SEPARATOR.join(parts).casefold()
