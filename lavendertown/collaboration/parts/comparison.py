"""Compare two runs of a dataset: new, back, worse, better, gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from lavendertown.collaboration import converters
from lavendertown.collaboration.parts.context import StorageContext
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.core.fingerprints import check_key, executed_check_keys, ran_with_other_settings
from lavendertown.core.run_readings import is_read_differently, read_run_reading
from lavendertown.records import validation
from lavendertown.records.identities import add_counts, add_shares
from lavendertown.records.queries import FindingQuery, ReportQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    FindingSummary,
    Page,
    ReportRecord,
    ReportSummary,
)


class RunChange(StrEnum):
    """How a finding changed between two runs.

    NEW was never seen before; BACK was seen before, but not in the earlier run. WORSE and BETTER compare the
    severity, then the share of affected rows, or their number if a share is not known. GONE was checked and
    not found; NOT_CHECKED means that the later run does not state that the check ran. READING_CHANGED is a
    finding that only one of the runs has, because a person changed how its column is read; CHECK_CHANGED is
    the same for settings of its check.
    """

    NEW = "new"
    BACK = "back"
    WORSE = "worse"
    BETTER = "better"
    SAME = "same"
    GONE = "gone"
    NOT_CHECKED = "not_checked"
    READING_CHANGED = "reading_changed"
    CHECK_CHANGED = "check_changed"


def compare_reports(
    context: StorageContext, report_id: str, before_id: str | None = None
) -> dict[str, Any] | None:
    """Compare two reports; see :meth:`lavendertown.collaboration.parts.reports.Reports.compare`."""
    report = _find_live_report(context, report_id)
    if report is None:
        return None
    before = (
        _find_live_report(context, before_id) if before_id is not None else find_previous_run(context, report)
    )
    if before_id is not None and before is None:
        raise InvalidInputError(f"There is no report {before_id!r} to compare with; choose another one.")
    return {
        "report": converters.report_to_row(report),
        "before": converters.report_to_row(before) if before is not None else None,
        "findings": _compare_findings(context, report, before) if before is not None else [],
    }


def _compare_findings(
    context: StorageContext, report: ReportSummary, before: ReportSummary
) -> list[dict[str, Any]]:
    current, previous = _findings_by_id(context, report.id), _findings_by_id(context, before.id)
    metadata = [_read_metadata(context, each.id) for each in (before, report)]
    executed_before, executed = (executed_check_keys(each, report.dataset) for each in metadata)
    readings = [read_run_reading(each) for each in metadata]
    rows = []
    for finding_id, finding in current.items():
        earlier = previous.get(finding_id)
        change = _classify_change(finding, earlier, report)
        if earlier is None and is_read_differently(finding.column, *readings):
            change = RunChange.READING_CHANGED
        elif earlier is None and ran_with_other_settings(_check_key_of(finding), executed_before):
            change = RunChange.CHECK_CHANGED
        rows.append(_changed_finding_row(finding, earlier, change, is_present=True))
    for finding_id, finding in previous.items():
        if finding_id not in current:
            key = _check_key_of(finding)
            change = RunChange.GONE if key in executed else RunChange.NOT_CHECKED
            if is_read_differently(finding.column, *readings):
                change = RunChange.READING_CHANGED
            elif ran_with_other_settings(key, executed):
                change = RunChange.CHECK_CHANGED
            rows.append(_changed_finding_row(finding, finding, change, is_present=False))
    order = list(RunChange)
    return sorted(rows, key=lambda row: order.index(row["change"]))


def _check_key_of(finding: FindingSummary) -> str:
    return check_key(finding.metadata, finding.dataset, finding.column)


def _read_metadata(context: StorageContext, report_id: str) -> Mapping[str, Any]:
    record = context.read_light_report(report_id)
    return record.metadata if record is not None else {}


def _findings_by_id(context: StorageContext, report_id: str) -> dict[str, FindingSummary]:
    findings: dict[str, FindingSummary] = {}
    for finding in context.store.scan(FindingQuery(report_id=report_id), ALL_ITEMS):
        first = findings.get(finding.finding_id)
        findings[finding.finding_id] = finding if first is None else _add_rows(first, finding)
    return findings


def _add_rows(first: FindingSummary, again: FindingSummary) -> FindingSummary:
    """Return a finding with the rows of both of its occurrences in one report."""
    return replace(
        first,
        row_count=add_counts((first.row_count, again.row_count)),
        share=add_shares((first.share, again.share)),
    )


def _find_live_report(context: StorageContext, report_id: str) -> ReportSummary | None:
    if not validation.is_valid_id(report_id):
        return None
    return next(iter(context.store.scan(ReportQuery(ids=(report_id,)), Page(limit=1))), None)


def find_previous_run(context: StorageContext, report: ReportSummary | ReportRecord) -> ReportSummary | None:
    """Return the last live report of the same dataset before a report, or None."""
    if not report.dataset:
        return None
    query = ReportQuery(dataset=(report.dataset,), end_date=report.created_at)
    offset = 0
    while summaries := context.store.scan(query, Page(20, offset)):
        for summary in summaries:
            if (summary.created_at, summary.id) < (report.created_at, report.id):
                return summary
        offset += len(summaries)
    return None


def find_next_run(context: StorageContext, report: ReportSummary | ReportRecord) -> ReportSummary | None:
    """Return the first live report of the same dataset after a report, or None."""
    query = ReportQuery(dataset=(report.dataset,), start_date=report.created_at)
    end = context.store.count(query)
    while end > 0:
        start = max(0, end - 20)
        for summary in reversed(context.store.scan(query, Page(end - start, start))):
            if (summary.created_at, summary.id) > (report.created_at, report.id):
                return summary
        end = start
    return None


def _classify_change(
    current: FindingSummary, previous: FindingSummary | None, report: ReportSummary
) -> RunChange:
    if previous is None:
        return RunChange.BACK if current.first_seen < report.created_at else RunChange.NEW
    measures: tuple[tuple[float | None, float | None], ...] = (
        (SEVERITIES.index(current.severity), SEVERITIES.index(previous.severity)),
        (current.share, previous.share)
        if current.share is not None and previous.share is not None
        else (current.row_count, previous.row_count),
    )
    for new, old in measures:
        if new is not None and old is not None and new != old:
            return RunChange.WORSE if new > old else RunChange.BETTER
    return RunChange.SAME


def _changed_finding_row(
    finding: FindingSummary, previous: FindingSummary | None, change: RunChange, *, is_present: bool
) -> dict[str, Any]:
    before: Mapping[str, Any] = {
        "before_severity": previous.severity if previous is not None else None,
        "before_count": previous.row_count if previous is not None else None,
        "before_share": previous.share if previous is not None else None,
    }
    return {**converters.summary_to_row(finding), **before, "change": change.value, "is_present": is_present}
