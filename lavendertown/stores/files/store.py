"""The store on a data folder."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from lavendertown.records import summaries
from lavendertown.records.change_feed import ChangePage
from lavendertown.records.identities import (
    Acceptance,
    AnnotationText,
    DatasetRuns,
    Identity,
    LastOccurrences,
    StatusChange,
)
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    FindingQuery,
    FlatRecordQuery,
    Query,
    ReportFacet,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import (
    FIRST_PAGE,
    FLAT_RECORD_CLASSES,
    KIND_BY_CLASS,
    AnnotationRecord,
    AuditEvent,
    ChangeSet,
    MigrationRecord,
    Page,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
    StoredVersion,
    UnreadableItem,
)
from lavendertown.records.store import Store, UnitOfWork
from lavendertown.stores.files import change_feed, formats, inbox_reads, query_engine, report_format
from lavendertown.stores.files.audit_files import list_audit_files
from lavendertown.stores.files.cache import FolderCache
from lavendertown.stores.files.journal import Journal, translate_os_errors
from lavendertown.stores.files.layout import Layout, file_name

RESCAN_SECONDS = 0.5
"""The time for which a scan of the folder is trusted if no store has written since."""


class FileStore(Store):
    """Reports, annotations and rule sets as JSON files in one folder.

    Args:
        root: The data folder. The first write creates it if it does not exist.
    """

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self._journal = Journal(self.layout)
        self._cache = FolderCache(self.layout)
        self._read_lock = threading.RLock()
        self._last_scan: tuple[str, float] = ("", 0.0)

    @contextlib.contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        with self._journal.lock_folder():
            with self._read_lock:
                self._cache.refresh()
            unit = FileUnitOfWork(self._cache)
            yield unit
            if unit.changes is not None:
                files = _changed_files(self._cache, unit.changes)
                removed = [
                    self.layout.flat_dir(kind) / file_name(name) for kind, name in unit.changes.removed
                ]
                self._journal.commit_files(files, _audit_lines(self.layout, unit.changes.events), removed)

    def read_record(self, kind: RecordKind, record_id: str) -> Record | None:
        with self._refreshed_cache() as cache:
            return _read_whole(cache, kind, record_id)

    def read_records(self, kind: RecordKind, ids: Sequence[str]) -> Mapping[str, Record]:
        with self._refreshed_cache() as cache:
            records = ((record_id, _read_whole(cache, kind, record_id)) for record_id in ids)
            return {record_id: record for record_id, record in records if record is not None}

    def read_light_report(self, report_id: str) -> ReportRecord | None:
        with self._refreshed_cache() as cache:
            return _read_cached_report(cache, report_id)

    def scan(self, query: Query, page: Page = FIRST_PAGE) -> Sequence[Any]:
        with self._refreshed_cache() as cache:
            end = None if page.limit is None else page.offset + page.limit
            return list(islice(_scan_cache(cache, query), page.offset, end))

    def count(self, query: Query) -> int:
        with self._refreshed_cache() as cache:
            return sum(1 for _ in _find_matches(cache, query))

    def group_reports(self, query: ReportQuery, by: ReportFacet) -> Mapping[str, int]:
        with self._refreshed_cache() as cache:
            return query_engine.count_by_value(cache, query, by)

    def resolve_fingerprint(self, finding_id: str) -> str:
        with self._refreshed_cache() as cache:
            return cache.threads.resolve_fingerprint(finding_id)

    def aliases(self) -> Mapping[str, str]:
        with self._refreshed_cache() as cache:
            return dict(cache.threads.aliases)

    def finding_rows(self, report_id: str, position: int) -> bytes | None:
        with self._refreshed_cache() as cache:
            if report_id not in cache.reports:
                return None
            report = cache.read_full_report(report_id)
        if report is None or not 0 <= position < len(report.findings):
            return None
        return report.findings[position].rows

    def read_identities(
        self, fingerprints: Sequence[str] | None = None, datasets: Sequence[str] | None = None
    ) -> Iterable[Identity]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_identities(cache, fingerprints, datasets)

    def annotation_texts(self, fingerprints: Sequence[str] | None = None) -> Iterable[AnnotationText]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_annotation_texts(cache, fingerprints)

    def latest_runs(self, datasets: Sequence[str] | None = None) -> Mapping[str, DatasetRuns]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_latest_runs(cache, datasets)

    def executed_check_keys(self, report_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_executed_check_keys(cache, report_ids)

    def acceptances(self, fingerprints: Sequence[str] | None = None) -> Mapping[str, Acceptance]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_acceptances(cache, fingerprints)

    def last_occurrences(self, fingerprints: Sequence[str]) -> Mapping[str, LastOccurrences]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_last_occurrences(cache, fingerprints)

    def report_fingerprints(
        self, report_ids: Sequence[str], severities: Sequence[str] = ()
    ) -> frozenset[str]:
        with self._refreshed_cache() as cache:
            return frozenset().union(
                *(query_engine.report_fingerprints(cache, each, severities) for each in report_ids)
            )

    def status_changes(self, datasets: Sequence[str] | None = None) -> Sequence[StatusChange]:
        with self._refreshed_cache() as cache:
            return inbox_reads.read_status_changes(cache, datasets)

    def events_since(self, mark: Any) -> tuple[Any, Sequence[AuditEvent] | None]:
        with self._refreshed_cache() as cache:
            return cache.events_since(mark)

    def read_changes(self, cursor: str, limit: int) -> ChangePage:
        self._journal.finish_pending()
        with translate_os_errors(self.layout.root):
            return change_feed.read_changes(self.layout.audit_dir, cursor, limit)

    def end_of_changes(self) -> str:
        self._journal.finish_pending()
        with translate_os_errors(self.layout.root):
            return change_feed.read_end(self.layout.audit_dir)

    def known_tags(self) -> Sequence[str]:
        with self._refreshed_cache() as cache:
            return query_engine.known_tags(cache)

    def change_token(self) -> str:
        self._journal.finish_pending()
        return self._change_marks()

    def _change_marks(self) -> str:
        """Return values that change with every write by a store: folder times and audit file sizes."""
        layout = self.layout
        with translate_os_errors(layout.root):
            folders = (
                layout.reports_dir,
                layout.annotations_dir,
                layout.rulesets_dir,
                *map(layout.flat_dir, FLAT_RECORD_CLASSES),
            )
            marks = [_folder_mark(path) for path in folders]
            marks += [f"{path.stem}:{path.stat().st_size}" for path in list_audit_files(layout.audit_dir)]
        return " ".join(marks)

    def migrations(self) -> Sequence[MigrationRecord]:
        self._journal.finish_pending()
        with self._read_lock, translate_os_errors(self.layout.root):
            return self._cache.migrations()

    @contextlib.contextmanager
    def block_writes(self) -> Iterator[None]:
        with self._journal.lock_folder():
            yield

    @contextlib.contextmanager
    def replace_all(self) -> Iterator[Path]:
        """Replace all content atomically by the files that the block writes to the yielded empty folder.

        Other writers are blocked while the block runs.
        """
        with self._journal.lock_folder():
            staged = self.layout.journal_dir / "replacing.new"
            with translate_os_errors(self.layout.root):
                staged.mkdir(self.layout.root.stat().st_mode & 0o777)
            yield staged
            self._journal.replace_folders(staged, self.layout.record_dirs)

    def check_readable(self) -> None:
        with self._refreshed_cache(), translate_os_errors(self.layout.root):
            if self.layout.root.exists():
                next(self.layout.root.iterdir(), None)

    def describe(self) -> str:
        return f"files in {_relative_path(self.layout.root)}"

    def unreadable_items(self) -> Sequence[UnreadableItem]:
        with self._refreshed_cache() as cache:
            cache.audit_events()
            return cache.unreadable_items()

    def close(self) -> None:
        """Do nothing: the store keeps no files open."""

    @contextlib.contextmanager
    def _refreshed_cache(self) -> Iterator[FolderCache]:
        self._journal.finish_pending()
        with self._read_lock, translate_os_errors(self.layout.root):
            self._refresh_if_changed()
            yield self._cache

    def _refresh_if_changed(self) -> None:
        """Scan the folder, unless the last scan was very recent and no store has written since.

        Only an in-place change by another program is noticed with this small delay. If any file is
        unreadable the folder is always scanned, because somebody may be repairing it.
        """
        marks = self._change_marks()
        trusted = self._cache.is_whole and time.monotonic() - self._last_scan[1] < RESCAN_SECONDS
        if marks != self._last_scan[0] or not trusted:
            self._cache.refresh()
            # The delay counts from the end, because the first scan of a large folder takes longer than it.
            self._last_scan = marks, time.monotonic()


class FileUnitOfWork(UnitOfWork):
    """A unit of work, which holds the folder's lock."""

    def __init__(self, cache: FolderCache) -> None:
        self._cache = cache
        self.changes: ChangeSet | None = None

    def lock_versions(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], StoredVersion]:
        versions = {}
        for kind, record_id in keys:
            record = _read_without_rows(self._cache, RecordKind(kind), record_id)
            if record is not None:
                versions[kind, record_id] = StoredVersion(
                    record.version, record.deleted_at, summaries.summarize_record(record)
                )
        return versions

    def read_record(self, kind: str, record_id: str) -> Record | None:
        for record in self.changes.records if self.changes is not None else ():
            if (KIND_BY_CLASS[type(record)], record.id) == (kind, record_id):
                return record
        return _read_whole(self._cache, RecordKind(kind), record_id)

    def apply_changes(self, changes: ChangeSet) -> None:
        self.changes = changes


def _scan_cache(cache: FolderCache, query: Query) -> Iterable[Any]:
    matches = _find_matches(cache, query)
    match query:
        case ReportQuery():
            return (query_engine.summarize_report(entry.record) for entry in matches)
        case RuleSetQuery():
            return map(query_engine.summarize_ruleset, matches)
        case _:
            return matches


def _find_matches(cache: FolderCache, query: Query) -> Iterable[Any]:
    match query:
        case ReportQuery():
            return query_engine.matching_reports(cache, query)
        case FindingQuery():
            return query_engine.matching_findings(cache, query)
        case AnnotationQuery():
            return query_engine.matching_annotations(cache, query)
        case RuleSetQuery():
            return query_engine.matching_rulesets(cache, query)
        case FlatRecordQuery():
            return query_engine.matching_flat_records(cache, query)
        case AuditQuery():
            return query_engine.matching_events(cache, query)


def _read_without_rows(cache: FolderCache, kind: RecordKind, record_id: str) -> Record | None:
    """Return a record from the cache, without rows; refuse one whose file is unreadable."""
    match kind:
        case RecordKind.REPORT:
            return _read_cached_report(cache, record_id)
        case RecordKind.ANNOTATION:
            return cache.threads.by_id.get(record_id)
        case RecordKind.RULESET:
            cache.refuse_unreadable(cache.layout.ruleset_file(record_id))
            return cache.rulesets.get(record_id)
        case _:
            return cache.flat_record(kind, record_id)


def _read_cached_report(cache: FolderCache, report_id: str) -> ReportRecord | None:
    cache.refuse_unreadable(cache.report_path(report_id))
    entry = cache.reports.get(report_id)
    return entry.record if entry else None


def _read_whole(cache: FolderCache, kind: RecordKind, record_id: str) -> Record | None:
    record = _read_without_rows(cache, kind, record_id)
    if isinstance(record, ReportRecord):
        return cache.read_full_report(record_id)
    return record


def _audit_lines(layout: Layout, events: Iterable[AuditEvent]) -> dict[Path, bytes]:
    """Return the lines to append to each audit file."""
    lines: dict[Path, bytearray] = defaultdict(bytearray)
    for event in events:
        lines[layout.audit_file(event.at)] += formats.write_event(event)
    return {path: bytes(text) for path, text in lines.items()}


def _changed_files(cache: FolderCache, changes: ChangeSet) -> dict[Path, bytes]:
    """Return the files that the change set rewrites, with their new content."""
    files: dict[Path, bytes] = {}
    annotations: dict[str, AnnotationRecord] = {}
    for record in changes.records:
        if isinstance(record, ReportRecord):
            files[cache.report_path(record.id)] = report_format.write_report(record)
            # Version 0.7 embedded annotations in the report's file; rewriting it moves them to threads.
            entry = cache.reports.get(record.id)
            for embedded in entry.embedded if entry else ():
                annotations.setdefault(embedded.id, cache.threads.by_id.get(embedded.id, embedded))
        elif isinstance(record, RuleSetRecord):
            files[cache.layout.ruleset_file(record.id)] = formats.write_ruleset(record)
        elif isinstance(record, AnnotationRecord):
            annotations[record.id] = record
        else:
            folder = cache.layout.flat_dir(KIND_BY_CLASS[type(record)])
            files[folder / file_name(record.id)] = formats.write_flat_record(record)
    reports = [record for record in changes.records if isinstance(record, ReportRecord)]
    aliases = {**changes.aliases, **cache.threads.find_new_aliases(reports, annotations.values())}
    if not aliases.keys() <= cache.threads.aliases.keys():
        cache.refuse_unreadable(cache.layout.aliases_file)
        files[cache.layout.aliases_file] = formats.write_aliases(aliases | cache.threads.aliases)
    if changes.migration is not None:
        files[cache.layout.migration_file(changes.migration.id)] = formats.write_migration(changes.migration)
    return files | _changed_threads(cache, annotations)


def _changed_threads(cache: FolderCache, annotations: Mapping[str, AnnotationRecord]) -> dict[Path, bytes]:
    """Return the new content of the thread files that contain these annotations, or did before."""
    new_ids = {annotation.finding_id for annotation in annotations.values()}
    stored = (cache.threads.by_id.get(annotation_id) for annotation_id in annotations)
    former_ids = {annotation.finding_id for annotation in stored if annotation is not None}
    files: dict[Path, bytes] = {}
    for finding_id in sorted(new_ids | former_ids):
        path = cache.layout.thread_file(finding_id)
        cache.refuse_unreadable(path)
        thread = [a for a in cache.stored_thread(path) if a.id not in annotations]
        thread += [a for a in annotations.values() if a.finding_id == finding_id]
        thread.sort(key=lambda a: (a.created_at, a.id))
        files[path] = formats.write_thread(thread)
    return files


def _folder_mark(folder: Path) -> str:
    try:
        return str(folder.stat().st_mtime_ns)
    except FileNotFoundError:
        return "-"


def _relative_path(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
