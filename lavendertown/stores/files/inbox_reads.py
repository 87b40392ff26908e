"""Read findings over all reports, their runs and threads from the cache of a data folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lavendertown.core import statuses
from lavendertown.core.fingerprints import check_key, executed_check_keys, mask_description
from lavendertown.core.run_readings import reading_digest
from lavendertown.records.identities import (
    MAX_RUNS,
    Acceptance,
    AnnotationText,
    DatasetRuns,
    Identity,
    LastOccurrences,
    StatusChange,
)
from lavendertown.records.record_classes import FindingRecord
from lavendertown.records.search_text import annotation_text
from lavendertown.stores.files.cache import FolderCache, ReportEntry
from lavendertown.stores.files.thread_index import OPEN, Occurrences, find_regression_time

ACCEPTED = statuses.ACCEPTED.name


def read_identities(
    cache: FolderCache, fingerprints: Sequence[str] | None, datasets: Sequence[str] | None
) -> list[Identity]:
    """Return the findings in live reports, each once."""
    live = cache.threads.live_occurrences()
    return [
        _build_identity(cache, each)
        for each in (live if fingerprints is None else fingerprints)
        if each in live and (datasets is None or _describing_occurrence(live[each]).dataset in datasets)
    ]


def _build_identity(cache: FolderCache, fingerprint: str) -> Identity:
    state = cache.threads.state_of(fingerprint)
    occurrences = cache.threads.live_occurrences()[fingerprint]
    assert occurrences.newest is not None
    _, _, newest = occurrences.newest
    description_source = _describing_occurrence(occurrences)
    return Identity(
        fingerprint,
        description_source.dataset,
        description_source.ghost_type,
        description_source.column,
        mask_description(description_source.description),
        newest.severity,
        state.status,
        state.fixed_at,
        state.regressed_at,
        occurrences.first_seen,
        occurrences.last_seen,
        occurrences.times_seen,
        state.comment_count,
        occurrences.times[0].row_count,
        occurrences.share,
        check_key(description_source.metadata, description_source.dataset, description_source.column),
        state.tags,
    )


def read_annotation_texts(cache: FolderCache, fingerprints: Sequence[str] | None) -> list[AnnotationText]:
    """Return the searched texts of the live annotations."""
    threads = cache.threads
    return [
        AnnotationText(fingerprint, annotation.author, annotation_text(annotation))
        for fingerprint in (threads.annotated_fingerprints() if fingerprints is None else fingerprints)
        for annotation in threads.annotations_on(fingerprint)
        if annotation.deleted_at is None
    ]


def read_status_changes(cache: FolderCache, datasets: Sequence[str] | None) -> list[StatusChange]:
    """Return the live annotations that set a status, oldest first."""
    threads, changes = cache.threads, []
    for fingerprint in threads.annotated_fingerprints():
        occurrences = threads.live_occurrences().get(fingerprint)
        if datasets is not None and (
            occurrences is None or _describing_occurrence(occurrences).dataset not in datasets
        ):
            continue
        for each in threads.annotations_on(fingerprint):
            if each.deleted_at is None and each.status is not None:
                regressed_at = find_regression_time(each, occurrences)
                change = StatusChange(
                    fingerprint, each.created_at, each.status or OPEN, each.author, regressed_at
                )
                changes.append((each, change))
    return [change for _, change in sorted(changes, key=lambda pair: (pair[0].created_at, pair[0].id))]


def _describing_occurrence(occurrences: Occurrences) -> FindingRecord:
    """Return the occurrence that describes a finding: its own rather than one of a merged finding."""
    assert occurrences.newest is not None
    return occurrences.own_occurrence or occurrences.newest[2]


def read_latest_runs(cache: FolderCache, datasets: Sequence[str] | None) -> dict[str, DatasetRuns]:
    """Return the latest runs of each dataset."""
    runs: dict[str, list[ReportEntry]] = defaultdict(list)
    for entry in cache.sorted_reports:
        report = entry.record
        requested = datasets is None or report.dataset in datasets
        if requested and report.deleted_at is None and len(runs[report.dataset]) < MAX_RUNS:
            runs[report.dataset].append(entry)
    return {dataset: _summarize_runs(entries) for dataset, entries in runs.items() if entries}


def _summarize_runs(entries: Sequence[ReportEntry]) -> DatasetRuns:
    newest = entries[0].record
    times = tuple(entry.record.created_at for entry in entries)
    ids = tuple(entry.record.id for entry in entries)
    digests = tuple(reading_digest(entry.record.metadata) for entry in entries)
    return DatasetRuns(times, ids, executed_check_keys(newest.metadata, newest.dataset), digests)


def read_executed_check_keys(cache: FolderCache, report_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the keys of the checks that each of these reports completed."""
    wanted = frozenset(report_ids)
    return {
        entry.record.id: executed_check_keys(entry.record.metadata, entry.record.dataset)
        for entry in cache.sorted_reports
        if entry.record.id in wanted
    }


def read_acceptances(cache: FolderCache, fingerprints: Sequence[str] | None) -> dict[str, Acceptance]:
    """Return the acceptance of each finding whose status is accepted."""
    threads, acceptances = cache.threads, {}
    for fingerprint in threads.annotated_fingerprints() if fingerprints is None else fingerprints:
        if threads.state_of(fingerprint).status != ACCEPTED:
            continue
        accepted_at = max(
            each.created_at
            for each in threads.annotations_on(fingerprint)
            if each.deleted_at is None and each.status == ACCEPTED
        )
        occurrences = threads.live_occurrences().get(fingerprint)
        times = occurrences.times if occurrences else ()
        counts = (each.row_count for each in times if each.at <= accepted_at)
        acceptances[fingerprint] = Acceptance(accepted_at, next(counts, None))
    return acceptances


def read_last_occurrences(cache: FolderCache, fingerprints: Sequence[str]) -> dict[str, LastOccurrences]:
    """Return the latest occurrences of these findings."""
    last_occurrences = {}
    for fingerprint in fingerprints:
        occurrences = cache.threads.live_occurrences().get(fingerprint)
        if occurrences is not None and occurrences.newest is not None:
            report, position, finding = occurrences.newest
            latest = tuple((each.report_id, each.row_count) for each in occurrences.times[:MAX_RUNS])
            last_occurrences[fingerprint] = LastOccurrences(report.id, position, finding.description, latest)
    return last_occurrences
