"""Merge findings that certainly continue a vanished one, when the report in which they appear is saved."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from lavendertown.collaboration.parts.comparison import find_next_run, find_previous_run
from lavendertown.collaboration.parts.context import StorageContext
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR, Triage, was_decided_by_person
from lavendertown.core.errors import ConflictError, StorageError
from lavendertown.core.fingerprints import check_key, executed_check_keys
from lavendertown.inbox.identity_passes import Candidate, IdentityMatch, match_findings
from lavendertown.inbox.run_tables import read_run_table
from lavendertown.records.queries import FindingQuery, FlatRecordQuery, ReportQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    FindingSummary,
    RecordKind,
    ReportRecord,
    ReportSummary,
    TriageRecord,
)

_log = logging.getLogger(__name__)


def adopt_certain_histories(context: StorageContext, triage: Triage, reports: Iterable[ReportRecord]) -> None:
    """Merge the findings that vanished before these new reports into those that certainly continue them.

    Each report is compared with the run before it. Only a report that lists its columns or its completed
    checks can show that a match is certain; of others nothing is read. The reports are saved already, so a
    failure is logged and does not fail the save; the findings are then offered as look-alikes.

    A report that is not the latest run of its dataset may change what runs after it continued. Merges that
    it may have changed are undone, unless a person decided since, and those runs are compared again. So the
    order in which reports are saved does not matter.

    Args:
        context: The storage.
        triage: Merges the findings.
        reports: Reports that were just saved for the first time.
    """
    new = {report.id: report for report in sorted(reports, key=lambda each: (each.created_at, each.id))}
    for report in new.values():
        if not report.dataset:
            continue
        try:
            for run in _undo_changed_merges(context, triage, report):
                if run.id == report.id or run.id not in new:
                    _adopt_for_report(context, triage, run)
        except (ConflictError, StorageError) as error:
            _log.warning("Findings of report %r were not merged with earlier ones: %s", report.id, error)


def _undo_changed_merges(context: StorageContext, triage: Triage, report: ReportRecord) -> list[ReportRecord]:
    """Undo the automatic merges that a report may change; return the runs to compare again, oldest first.

    The report is one of them. Without a later run, nothing else changes.
    """
    following = find_next_run(context, report)
    if following is None:
        return [report]
    present = context.store.report_fingerprints([report.id, following.id])
    merged = context.store.scan(FlatRecordQuery(RecordKind.TRIAGE, merged=True), ALL_ITEMS)
    continued = triage.undo_automatic_merges(
        each.id
        for each in merged
        if isinstance(each, TriageRecord) and context.resolve_finding(each.id) in present
    )
    runs: dict[str, ReportSummary | ReportRecord] = {report.id: report, following.id: following}
    for finding_id in continued:
        seen = context.store.scan(ReportQuery(dataset=(report.dataset,), finding_id=finding_id), ALL_ITEMS)
        runs |= {each.id: each for each in seen[-1:]}
    ordered = sorted(runs.values(), key=lambda each: (each.created_at, each.id))
    records = (context.read_record(RecordKind.REPORT, each.id) for each in ordered)
    return [each for each in records if isinstance(each, ReportRecord)]


def _adopt_for_report(context: StorageContext, triage: Triage, report: ReportRecord) -> None:
    if not report.findings or not _lists_its_table(report.metadata):
        return
    matches = [match for match in _match_with_previous_run(context, report) if match.certain]
    # A finding about which a person decided keeps its triage; it is only offered.
    stored = triage.read_records([match.finding_id for match in matches])
    decided = {name for name, record in stored.items() if was_decided_by_person(record)}
    matches = [match for match in matches if match.finding_id not in decided]
    if matches:
        triage.adopt_histories(
            {match.vanished_id: match.finding_id for match in matches},
            AUTOMATIC_ACTOR,
            {match.vanished_id: match.reason for match in matches},
        )


def _lists_its_table(metadata: Mapping[str, object]) -> bool:
    coverage = metadata.get("coverage")
    return isinstance(coverage, Mapping) and bool(coverage.get("column_names") or coverage.get("ran"))


def _match_with_previous_run(context: StorageContext, report: ReportRecord) -> list[IdentityMatch]:
    """Match the findings that vanished between the previous run and a report with those that appeared."""
    store = context.store
    previous = find_previous_run(context, report)
    if previous is None:
        return []
    current_ids, previous_ids = (
        store.report_fingerprints([report_id]) for report_id in (report.id, previous.id)
    )
    if not current_ids - previous_ids or not previous_ids - current_ids:
        return []
    executed = executed_check_keys(report.metadata, report.dataset)
    appeared = [
        each
        for each in _findings_of_report(context, report.id)
        if each.finding_id not in previous_ids and each.first_seen == report.created_at
    ]
    vanished = [
        each
        for each in _findings_of_report(context, previous.id)
        if each.finding_id not in current_ids
        and check_key(each.metadata, each.dataset, each.column) not in executed
    ]
    if not appeared or not vanished:
        return []
    tables = (read_run_table(store, each) for each in (previous.id, report.id))
    return match_findings([*map(_to_candidate, vanished)], [*map(_to_candidate, appeared)], *tables)


def _findings_of_report(context: StorageContext, report_id: str) -> list[FindingSummary]:
    """Return the findings of a report, each once."""
    found = context.store.scan(FindingQuery(report_id=report_id), ALL_ITEMS)
    return list({each.finding_id: each for each in reversed(found)}.values())


def _to_candidate(finding: FindingSummary) -> Candidate:
    params = finding.metadata.get("params")
    return Candidate(
        finding.finding_id,
        finding.ghost_type,
        finding.column,
        finding.severity,
        finding.description,
        finding.row_count,
        str(finding.metadata.get("check") or ""),
        params if isinstance(params, Mapping) else {},
        str(finding.metadata.get("check_id") or ""),
    )
