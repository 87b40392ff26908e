"""What a query means, told over the image of a data folder."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain

from lavendertown.models import SEVERITIES
from lavendertown.records.files.image import Image, ReportEntry
from lavendertown.records.files.threads import OPEN, State
from lavendertown.records.headers import severity_counts
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    By,
    Deleted,
    FindingQuery,
    PlainQuery,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.texts import finding_text, ruleset_text
from lavendertown.records.values import (
    AnnotationRecord,
    AuditEvent,
    FindingHeader,
    FindingRecord,
    PlainRecord,
    ReportHeader,
    ReportRecord,
    RuleSetHeader,
    RuleSetRecord,
    TriageRecord,
)

MOST_COUNTED = 500


def matching_reports(image: Image, query: ReportQuery) -> Iterator[ReportEntry]:
    """Yield the matching reports, newest first."""
    holder = image.threads.resolve(query.finding_id) if query.finding_id is not None else None
    everything = query == ReportQuery(deleted=query.deleted)
    for entry in image.listed:
        report = entry.record
        if not _visible(report.deleted_at, query.deleted):
            continue
        if everything or (
            _among(report.id, query.ids)
            and _among(report.author, query.authors)
            and _among(report.dataset, query.datasets)
            and _within(report.created_at, query.start, query.end)
            and query.search in entry.text
            and (not query.severities or not entry.severities.isdisjoint(query.severities))
            and (holder is None or holder in held(image, report.id))
            and (not query.statuses or not _statuses(image, entry).isdisjoint(query.statuses))
            and (not query.tags or _tags(image, entry).issuperset(query.tags))
        ):
            yield entry


def grouped(image: Image, query: ReportQuery, by: By) -> Mapping[str, int]:
    """Count the matching reports under each value."""
    known = image.counted.get((query, by))
    if known is None:
        if len(image.counted) > MOST_COUNTED:
            image.counted.clear()
        values = (_values(image, entry, by) for entry in matching_reports(image, query))
        known = image.counted[query, by] = Counter(chain.from_iterable(values))
    return known


def _values(image: Image, entry: ReportEntry, by: By) -> Iterable[str]:
    match by:
        case By.AUTHOR:
            return (entry.record.author,)
        case By.DATASET:
            return (entry.record.dataset,)
        case By.STATUS:
            return _statuses(image, entry)
        case By.SEVERITY:
            return entry.severities
        case By.TAG:
            return _tags(image, entry)


def _statuses(image: Image, entry: ReportEntry) -> frozenset[str]:
    return _talk(image, entry)[0]


def _tags(image: Image, entry: ReportEntry) -> frozenset[str]:
    return _talk(image, entry)[1].union(entry.record.tags)


def _talk(image: Image, entry: ReportEntry) -> tuple[frozenset[str], frozenset[str]]:
    """Return the statuses and tags of a report's findings."""
    known = image.talk.get(entry.record.id)
    if known is None:
        threads = image.threads
        names: Set[str] = entry.names
        if not names.isdisjoint(threads.merged):
            names = {threads.canonical(name) for name in names}
        # Most findings of most reports were never talked about: those are told apart all at once.
        discussed = names & threads.annotated()
        states = [threads.state(name) for name in discussed]
        others = {OPEN} if len(discussed) < len(names) else set()
        statuses, tags = {state.status for state in states} | others, (state.tags for state in states)
        known = image.talk[entry.record.id] = frozenset(statuses), frozenset(chain.from_iterable(tags))
    return known


def matching_findings(image: Image, query: FindingQuery) -> Iterator[FindingHeader]:
    """Yield the matching occurrences: newest report first, then in the report's order."""
    wanted = {image.threads.resolve(name) for name in query.finding_ids}
    for entry in image.listed:
        report = entry.record
        if not (
            _visible(report.deleted_at, query.deleted)
            and (query.report_id is None or report.id == query.report_id)
            and _among(report.author, query.authors)
            and _within(report.created_at, query.start, query.end)
        ):
            continue
        for position, finding in enumerate(report.findings):
            if wanted and image.threads.canonical(finding.fingerprint) not in wanted:
                continue
            if _finding_matches(finding, image.threads.state(finding.fingerprint), query):
                yield finding_header(image, report, position, finding)


def _finding_matches(finding: FindingRecord, state: State, query: FindingQuery) -> bool:
    return (
        _among(finding.dataset, query.datasets)
        and _among(finding.ghost_type, query.ghost_types)
        and _among(finding.column, query.columns)
        and _among(finding.severity, query.severities)
        and _among(state.status, query.statuses)
        and set(state.tags).issuperset(query.tags)
        and (
            not query.search
            or query.search in finding_text(finding.description, finding.column, finding.dataset)
        )
    )


def matching_annotations(image: Image, query: AnnotationQuery) -> list[AnnotationRecord]:
    """Return the matching annotations in order."""
    if query.finding_ids:
        names = {image.threads.resolve(name) for name in query.finding_ids}
        pool = [a for name in sorted(names) for a in image.threads.thread(name)]
    else:
        pool = list(image.threads.by_id.values())
    inside = held(image, query.report_id)
    found = [
        a
        for a in pool
        if _visible(a.deleted_at, query.deleted)
        and _among(a.id, query.ids)
        and _among(a.author, query.authors)
        and _within(a.created_at, query.start, query.end)
        and set(a.tags).issuperset(query.tags)
        and (not query.statuses or a.status in query.statuses)
        and query.search in a.comment.casefold()
        and (
            query.report_id is None
            or a.report_id == query.report_id
            or image.threads.resolve(a.finding_id) in inside
        )
    ]
    found.sort(key=lambda a: (a.created_at, a.id), reverse=query.newest_first)
    return found


def held(image: Image, report_id: str | None, severities: Sequence[str] = ()) -> set[str]:
    """Return the fingerprints of the findings a report holds; none where there is no such report."""
    entry = image.reports.get(report_id) if report_id is not None else None
    findings = entry.record.findings if entry else ()
    wanted = (finding for finding in findings if not severities or finding.severity in severities)
    return {image.threads.canonical(finding.fingerprint) for finding in wanted}


def matching_rulesets(image: Image, query: RuleSetQuery) -> list[RuleSetRecord]:
    """Return the matching rule sets by name."""
    return [
        ruleset
        for _, ruleset in sorted(image.rulesets.items())
        if _visible(ruleset.deleted_at, query.deleted)
        and query.search in ruleset_text(ruleset.id, ruleset.description)
    ]


def matching_plain(image: Image, query: PlainQuery) -> list[PlainRecord]:
    """Return the matching flat records by id."""
    return [
        record
        for _, record in sorted(image.plain[query.kind].items())
        if _visible(record.deleted_at, query.deleted)
        and _among(record.id, query.ids)
        and (not query.merged or (isinstance(record, TriageRecord) and record.merged_into))
    ]


def matching_events(image: Image, query: AuditQuery) -> list[AuditEvent]:
    """Return the matching audit events, newest first."""
    return [
        event
        for event in reversed(image.audit())
        if _among(event.actor, query.actors)
        and _among(event.component, query.components)
        and _among(event.operation, query.operations)
        and _among(event.record_id, query.record_ids)
        and _within(event.at, query.since, query.until)
    ]


def known_tags(image: Image) -> list[str]:
    """Return the tags of live reports and findings, most used first, then by name."""
    counts: Counter[str] = Counter()
    for entry in image.listed:
        if entry.record.deleted_at is None:
            counts.update(set(entry.record.tags))
    for name in image.threads.annotated():
        counts.update(image.threads.state(name).tags)
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


def report_header(report: ReportRecord) -> ReportHeader:
    """Return a report as it is listed."""
    counts = severity_counts(report)
    return ReportHeader(
        id=report.id,
        title=report.title,
        author=report.author,
        dataset=report.dataset,
        created_at=report.created_at,
        updated_at=report.updated_at,
        finding_count=len(report.findings),
        error_count=counts[SEVERITIES[2]],
        warning_count=counts[SEVERITIES[1]],
        info_count=counts[SEVERITIES[0]],
        tags=report.tags,
        version=report.version,
        deleted_at=report.deleted_at,
    )


def finding_header(
    image: Image, report: ReportRecord, position: int, finding: FindingRecord
) -> FindingHeader:
    """Return a finding as it is listed."""
    state = image.threads.state(finding.fingerprint)
    sight = image.threads.sight(finding.fingerprint, report.created_at)
    return FindingHeader(
        finding_id=image.threads.canonical(finding.fingerprint),
        report_id=report.id,
        position=position,
        dataset=finding.dataset,
        ghost_type=finding.ghost_type,
        column=finding.column,
        severity=finding.severity,
        description=finding.description,
        row_count=finding.row_count,
        share=finding.share,
        metadata=finding.metadata,
        seen_at=report.created_at,
        status=state.status,
        tags=state.tags,
        comment_count=state.comment_count,
        first_seen=sight.first_seen,
        last_seen=sight.last_seen,
        times_seen=sight.times_seen,
    )


def ruleset_header(ruleset: RuleSetRecord) -> RuleSetHeader:
    """Return a rule set as it is listed."""
    return RuleSetHeader(
        ruleset.id,
        ruleset.description,
        len(ruleset.rules),
        ruleset.updated_at,
        ruleset.version,
        ruleset.deleted_at,
    )


def _among(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _within(moment: dt.datetime, start: dt.datetime | None, end: dt.datetime | None) -> bool:
    return (start is None or moment >= start) and (end is None or moment <= end)


def _visible(deleted_at: dt.datetime | None, deleted: Deleted) -> bool:
    return deleted is Deleted.INCLUDED or (deleted_at is not None) == (deleted is Deleted.ONLY)
