"""Streams cut into portions, each of which is one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from lavendertown.records.values import AuditEvent, Record, ReportRecord

FINDINGS_AT_ONCE = 20_000
FINDINGS_AT_ONCE_ALONE = 80_000
"""Where nobody waits for the target: the more at once, the fewer pages are written twice."""
RECORDS_AT_ONCE = 5_000

_Record = TypeVar("_Record", bound=Record)


def portions(records: Iterable[_Record], most: int = FINDINGS_AT_ONCE) -> Iterator[list[_Record]]:
    """Yield the records in portions of at most so many records and, about, so many findings."""
    portion: list[_Record] = []
    findings = 0
    for record in records:
        portion.append(record)
        findings += len(record.findings) if isinstance(record, ReportRecord) else 0
        if findings >= most or len(portion) >= RECORDS_AT_ONCE:
            yield portion
            portion, findings = [], 0
    if portion:
        yield portion


def moments(events: Iterable[AuditEvent]) -> Iterator[list[AuditEvent]]:
    """Yield audit events, which come oldest first, in portions that never divide a moment."""
    portion: list[AuditEvent] = []
    for event in events:
        if len(portion) >= RECORDS_AT_ONCE and event.at != portion[-1].at:
            yield portion
            portion = []
        portion.append(event)
    if portion:
        yield portion


def findings_in(records: Sequence[Record]) -> int:
    """Return how many findings these records hold."""
    return sum(len(record.findings) for record in records if isinstance(record, ReportRecord))
