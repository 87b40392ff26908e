"""Split streams of records and events into batches, each written in one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from lavendertown.records.record_classes import AuditEvent, Record, ReportRecord

FINDINGS_PER_BATCH = 20_000
FINDINGS_PER_EXCLUSIVE_BATCH = 80_000
"""For a target that nobody else uses yet: larger batches write fewer database pages twice."""
RECORDS_PER_BATCH = 5_000

_Record = TypeVar("_Record", bound=Record)


def batch_records(
    records: Iterable[_Record], max_findings: int = FINDINGS_PER_BATCH
) -> Iterator[list[_Record]]:
    """Yield batches of at most :data:`RECORDS_PER_BATCH` records and about ``max_findings`` findings."""
    batch: list[_Record] = []
    findings = 0
    for record in records:
        batch.append(record)
        findings += len(record.findings) if isinstance(record, ReportRecord) else 0
        if findings >= max_findings or len(batch) >= RECORDS_PER_BATCH:
            yield batch
            batch, findings = [], 0
    if batch:
        yield batch


def batch_events(events: Iterable[AuditEvent]) -> Iterator[list[AuditEvent]]:
    """Yield batches of audit events, which must be sorted by time; events of the same time stay together."""
    batch: list[AuditEvent] = []
    for event in events:
        if len(batch) >= RECORDS_PER_BATCH and event.at != batch[-1].at:
            yield batch
            batch = []
        batch.append(event)
    if batch:
        yield batch


def count_findings(records: Sequence[Record]) -> int:
    """Return the number of findings in these records."""
    return sum(len(record.findings) for record in records if isinstance(record, ReportRecord))
