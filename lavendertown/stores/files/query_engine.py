"""Run queries on the cache of a data folder."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain

from lavendertown.core.findings import SEVERITIES
from lavendertown.records.fields import attribute_getter, shared_fields
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    DeletedFilter,
    FindingQuery,
    FlatRecordQuery,
    ReportFacet,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    FindingRecord,
    FindingSummary,
    FlatRecord,
    NotificationRecord,
    ReportRecord,
    ReportSummary,
    RuleSetRecord,
    RuleSetSummary,
    TriageRecord,
)
from lavendertown.records.search_text import annotation_text, finding_text, ruleset_text
from lavendertown.records.summaries import count_severities
from lavendertown.stores.files.cache import FolderCache, ReportEntry
from lavendertown.stores.files.thread_index import OPEN, ThreadState

MAX_CACHED_COUNTS = 500


def matching_reports(cache: FolderCache, query: ReportQuery) -> Iterator[ReportEntry]:
    """Yield the matching reports, newest first."""
    fingerprint = (
        cache.threads.resolve_fingerprint(query.finding_id) if query.finding_id is not None else None
    )
    is_unfiltered = query == ReportQuery(deleted=query.deleted)
    for entry in cache.sorted_reports:
        report = entry.record
        if not _is_visible(report.deleted_at, query.deleted):
            continue
        if is_unfiltered or (
            _matches_any(report.id, query.ids)
            and _matches_any(report.author, query.author)
            and _matches_any(report.dataset, query.dataset)
            and _is_between(report.created_at, query.start_date, query.end_date)
            and query.search in entry.search_text
            and (not query.severity or not entry.severities.isdisjoint(query.severity))
            and (fingerprint is None or fingerprint in report_fingerprints(cache, report.id))
            and (not query.status or not _report_statuses(cache, entry).isdisjoint(query.status))
            and (not query.tags or _report_tags(cache, entry).issuperset(query.tags))
        ):
            yield entry


def count_by_value(cache: FolderCache, query: ReportQuery, by: ReportFacet) -> Mapping[str, int]:
    """Return the number of matching reports for each value of a facet."""
    counts = cache.facet_counts.get((query, by))
    if counts is None:
        if len(cache.facet_counts) > MAX_CACHED_COUNTS:
            cache.facet_counts.clear()
        values = (_facet_values(cache, entry, by) for entry in matching_reports(cache, query))
        counts = cache.facet_counts[query, by] = Counter(chain.from_iterable(values))
    return counts


def _facet_values(cache: FolderCache, entry: ReportEntry, by: ReportFacet) -> Iterable[str]:
    match by:
        case ReportFacet.AUTHOR:
            return (entry.record.author,)
        case ReportFacet.DATASET:
            return (entry.record.dataset,)
        case ReportFacet.STATUS:
            return _report_statuses(cache, entry)
        case ReportFacet.SEVERITY:
            return entry.severities
        case ReportFacet.TAG:
            return _report_tags(cache, entry)


def _report_statuses(cache: FolderCache, entry: ReportEntry) -> frozenset[str]:
    return _read_discussion(cache, entry)[0]


def _report_tags(cache: FolderCache, entry: ReportEntry) -> frozenset[str]:
    return _read_discussion(cache, entry)[1].union(entry.record.tags)


def _read_discussion(cache: FolderCache, entry: ReportEntry) -> tuple[frozenset[str], frozenset[str]]:
    """Return the statuses and tags of a report's findings."""
    discussion = cache.discussion_by_report.get(entry.record.id)
    if discussion is None:
        threads = cache.threads
        fingerprints: Set[str] = entry.fingerprints
        if not fingerprints.isdisjoint(threads.merged):
            fingerprints = {threads.follow_merges(each) for each in fingerprints}
        # Most findings have no annotations and are open: one set operation finds those that have some.
        annotated = fingerprints & threads.annotated_fingerprints()
        states = [threads.state_of(each) for each in annotated]
        statuses = {state.status for state in states}
        if len(annotated) < len(fingerprints):
            statuses.add(OPEN)
        discussion = cache.discussion_by_report[entry.record.id] = (
            frozenset(statuses),
            frozenset(chain.from_iterable(state.tags for state in states)),
        )
    return discussion


def matching_findings(cache: FolderCache, query: FindingQuery) -> Iterator[FindingSummary]:
    """Yield the matching occurrences: newest report first, then in the order of the report."""
    fingerprints = {cache.threads.resolve_fingerprint(finding_id) for finding_id in query.finding_id}
    for entry in cache.sorted_reports:
        report = entry.record
        if not (
            _is_visible(report.deleted_at, query.deleted)
            and (query.report_id is None or report.id == query.report_id)
            and _matches_any(report.author, query.author)
            and _is_between(report.created_at, query.start_date, query.end_date)
        ):
            continue
        for position, finding in enumerate(report.findings):
            if fingerprints and cache.threads.follow_merges(finding.fingerprint) not in fingerprints:
                continue
            if _finding_matches(finding, cache.threads.state_of(finding.fingerprint), query):
                yield summarize_finding(cache, report, position, finding)


def _finding_matches(finding: FindingRecord, state: ThreadState, query: FindingQuery) -> bool:
    return (
        _matches_any(finding.dataset, query.dataset)
        and _matches_any(finding.ghost_type, query.ghost_type)
        and _matches_any(finding.column, query.column)
        and _matches_any(finding.severity, query.severity)
        and _matches_any(state.status, query.status)
        and set(state.tags).issuperset(query.tags)
        and (not query.search or query.search in finding_text(finding))
    )


def matching_annotations(cache: FolderCache, query: AnnotationQuery) -> list[AnnotationRecord]:
    """Return the matching annotations in order."""
    if query.finding_id:
        fingerprints = {cache.threads.resolve_fingerprint(finding_id) for finding_id in query.finding_id}
        candidates = [a for each in sorted(fingerprints) for a in cache.threads.annotations_on(each)]
    else:
        candidates = list(cache.threads.by_id.values())
    in_report = report_fingerprints(cache, query.report_id)
    matching = [
        a
        for a in candidates
        if _is_visible(a.deleted_at, query.deleted)
        and _matches_any(a.id, query.ids)
        and _matches_any(a.author, query.author)
        and _is_between(a.created_at, query.start_date, query.end_date)
        and set(a.tags).issuperset(query.tags)
        and (not query.status or a.status in query.status)
        and query.search in annotation_text(a)
        and (a.comment != "" or not query.with_comment)
        and (
            query.report_id is None
            or a.report_id == query.report_id
            or cache.threads.resolve_fingerprint(a.finding_id) in in_report
        )
    ]
    matching.sort(key=lambda a: (a.created_at, a.id), reverse=query.newest_first)
    return matching


def report_fingerprints(
    cache: FolderCache, report_id: str | None, severities: Sequence[str] = ()
) -> set[str]:
    """Return the fingerprints of the findings in a report; empty if there is no such report."""
    entry = cache.reports.get(report_id) if report_id is not None else None
    findings = entry.record.findings if entry else ()
    matching = (finding for finding in findings if not severities or finding.severity in severities)
    return {cache.threads.follow_merges(finding.fingerprint) for finding in matching}


def matching_rulesets(cache: FolderCache, query: RuleSetQuery) -> list[RuleSetRecord]:
    """Return the matching rule sets, sorted by name."""
    return [
        ruleset
        for _, ruleset in sorted(cache.rulesets.items())
        if _is_visible(ruleset.deleted_at, query.deleted) and query.search in ruleset_text(ruleset)
    ]


def matching_flat_records(cache: FolderCache, query: FlatRecordQuery) -> list[FlatRecord]:
    """Return the matching flat records, sorted by id."""
    ids = frozenset(query.ids)
    return [
        record
        for record in cache.flat_records(query.kind)
        if _is_visible(record.deleted_at, query.deleted)
        and (not ids or record.id in ids)
        and (not query.merged or (isinstance(record, TriageRecord) and record.merged_into))
        and (not query.report_id or getattr(record, "report_id", "") == query.report_id)
        and (not query.pending or (isinstance(record, NotificationRecord) and record.next_attempt_at))
        and (query.finished_until is None or _is_finished(record, query.finished_until))
    ]


def _is_finished(record: FlatRecord, until: dt.datetime) -> bool:
    """Return whether a record is a notification that is not to be sent any more, unchanged since a time."""
    is_over = isinstance(record, NotificationRecord) and record.next_attempt_at is None
    return is_over and record.updated_at <= until


def matching_events(cache: FolderCache, query: AuditQuery) -> list[AuditEvent]:
    """Return the matching audit events, newest first."""
    return [
        event
        for event in reversed(cache.audit_events())
        if _matches_any(event.actor, query.actor)
        and _matches_any(event.component, query.component)
        and _matches_any(event.operation, query.operation)
        and _matches_any(event.record_id, query.record_id)
        and _is_between(event.at, query.since, query.until)
    ]


def known_tags(cache: FolderCache) -> list[str]:
    """Return the tags of live reports and findings, most used first, then by name."""
    counts: Counter[str] = Counter()
    for entry in cache.sorted_reports:
        if entry.record.deleted_at is None:
            counts.update(set(entry.record.tags))
    for fingerprint in cache.threads.annotated_fingerprints():
        counts.update(cache.threads.state_of(fingerprint).tags)
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


_REPORT_FIELDS = shared_fields(ReportRecord, ReportSummary)
_FINDING_FIELDS = tuple(each.name for each in shared_fields(FindingRecord, FindingSummary))
_RULESET_FIELDS = shared_fields(RuleSetRecord, RuleSetSummary)
_report_values = attribute_getter(_REPORT_FIELDS)
_report_names = tuple(each.name for each in _REPORT_FIELDS)


def summarize_report(report: ReportRecord) -> ReportSummary:
    """Return the summary of a report."""
    counts = count_severities(report)
    return ReportSummary(
        **dict(zip(_report_names, _report_values(report), strict=True)),
        finding_count=len(report.findings),
        error_count=counts[SEVERITIES[2]],
        warning_count=counts[SEVERITIES[1]],
        info_count=counts[SEVERITIES[0]],
    )


def summarize_finding(
    cache: FolderCache, report: ReportRecord, position: int, finding: FindingRecord
) -> FindingSummary:
    """Return the summary of an occurrence."""
    state = cache.threads.state_of(finding.fingerprint)
    occurrences = cache.threads.occurrences_of(finding.fingerprint, report.created_at)
    return FindingSummary(
        finding_id=cache.threads.follow_merges(finding.fingerprint),
        report_id=report.id,
        position=position,
        **{name: getattr(finding, name) for name in _FINDING_FIELDS},
        seen_at=report.created_at,
        status=state.status,
        tags=state.tags,
        comment_count=state.comment_count,
        first_seen=occurrences.first_seen,
        last_seen=occurrences.last_seen,
        times_seen=occurrences.times_seen,
    )


def summarize_ruleset(ruleset: RuleSetRecord) -> RuleSetSummary:
    """Return the summary of a rule set."""
    values = {each.file_key: getattr(ruleset, each.name) for each in _RULESET_FIELDS}
    return RuleSetSummary(**values, rule_count=len(ruleset.rules))


def _matches_any(value: str, allowed: tuple[str, ...]) -> bool:
    return not allowed or value in allowed


def _is_between(time: dt.datetime, start: dt.datetime | None, end: dt.datetime | None) -> bool:
    return (start is None or time >= start) and (end is None or time <= end)


def _is_visible(deleted_at: dt.datetime | None, deleted: DeletedFilter) -> bool:
    return deleted is DeletedFilter.INCLUDED or (deleted_at is not None) == (deleted is DeletedFilter.ONLY)
