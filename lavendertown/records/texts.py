"""What a search looks into: casefolded texts whose parts cannot be matched across."""

from __future__ import annotations

from collections.abc import Iterable

from lavendertown.records.values import ReportRecord

SEPARATOR = "\x1f"


def report_text(report: ReportRecord) -> str:
    """Return what a search for reports looks into: title, dataset and descriptions."""
    return _joined((report.title, report.dataset, *(f.description for f in report.findings)))


def finding_text(description: str, column: str, dataset: str) -> str:
    """Return what a search for findings looks into."""
    return f"{description}{SEPARATOR}{column}{SEPARATOR}{dataset}".casefold()


def ruleset_text(name: str, description: str) -> str:
    """Return what a search for rule sets looks into."""
    return _joined((name, description))


def _joined(parts: Iterable[str]) -> str:
    return SEPARATOR.join(parts).casefold()
