"""An in-memory cache of a data folder, without row positions.

A file is read again only if its inode, modification time or size has changed.
"""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lavendertown.core import clock
from lavendertown.core.errors import DamagedRecordError
from lavendertown.core.garbage_collection import gc_paused
from lavendertown.records.json_records import merged_into_map
from lavendertown.records.queries import ReportFacet, ReportQuery
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    AnnotationRecord,
    AuditEvent,
    FindingRecord,
    FlatRecord,
    MigrationRecord,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
    UnreadableItem,
)
from lavendertown.records.search_text import report_text
from lavendertown.stores.files import formats, report_format
from lavendertown.stores.files.audit_files import (
    AuditMark,
    checksum_before,
    end_of_last_line,
    is_same_file,
    list_audit_files,
    read_lines,
)
from lavendertown.stores.files.json_fields import UnreadableError
from lavendertown.stores.files.layout import Layout, file_name
from lavendertown.stores.files.thread_index import ThreadIndex

_Signature = tuple[int, int, int]
_BULK_FILES = 50
"""The number of files from which prefetching and pausing the garbage collector pay off."""


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One report file: the report without rows, and the annotations that version 0.7 embedded in it.

    Attributes:
        fingerprints: The fingerprints of the findings.
        severities: The severities of the findings.
        search_text: The searched text of the report.
    """

    path: Path
    record: ReportRecord
    embedded: tuple[AnnotationRecord, ...]
    fingerprints: frozenset[str]
    severities: frozenset[str]
    search_text: str

    @property
    def sort_key(self) -> tuple[dt.datetime, str]:
        """The key by which reports are sorted, highest first."""
        return self.record.created_at, self.record.id


class _DirectoryCache:
    """The files of one folder, each read once per change."""

    def __init__(self, path: Path, read: Callable[[str, Any], Any]) -> None:
        self.path = path
        self._read = read
        self._signatures: dict[str, _Signature] = {}
        self.items: dict[str, Any] = {}
        self.unreadable: dict[str, str] = {}

    def refresh(self) -> bool:
        """Read new and changed files, and return whether anything has changed."""
        current = dict(self._list_files())
        changed = [name for name, signature in current.items() if self._signatures.get(name) != signature]
        removed = [name for name in self._signatures if name not in current]
        for name in removed + changed:
            self.items.pop(name, None)
            self.unreadable.pop(name, None)
        if len(changed) >= _BULK_FILES:
            _prefetch_files(self.path, changed)
        for name in changed:
            self._load_file(name)
        self._signatures = current
        return bool(changed or removed)

    def _list_files(self) -> Iterator[tuple[str, _Signature]]:
        try:
            entries = os.scandir(self.path)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                if entry.name.endswith(".json"):
                    try:
                        status = entry.stat()
                    except FileNotFoundError:
                        continue
                    yield entry.name, (status.st_ino, status.st_mtime_ns, status.st_size)

    def _load_file(self, name: str) -> None:
        # A text, because creating a Path costs time for each of thousands of files.
        path = f"{self.path}/{name}"
        try:
            self.items[name] = self._read(path, formats.parse_json(_read_bytes(path)))
        except FileNotFoundError:
            return
        except UnreadableError as error:
            self.unreadable[name] = str(error)
        except OSError as error:
            self.unreadable[name] = error.strerror or str(error)


def _prefetch_files(folder: Path, names: Iterable[str]) -> None:
    """Ask the operating system to read these files in advance, all at once."""
    if not hasattr(os, "posix_fadvise"):
        return
    for name in names:
        # Errors are ignored here: reading the file reports them.
        with suppress(OSError):
            handle = os.open(f"{folder}/{name}", os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)


def _read_bytes(path: Path | str) -> bytes:
    # Unbuffered, because creating a buffer costs time for each of thousands of files.
    with io.FileIO(path) as file:
        return file.readall()


class FolderCache:
    """The content of a data folder, as of the last :meth:`refresh`.

    Attributes:
        facet_counts: Cached counts of reports per value of a facet, cleared with every change.
        discussion_by_report: Cached statuses and tags of a report's findings, by report id.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._report_files = _DirectoryCache(layout.reports_dir, _read_report_entry)
        self._thread_files = _DirectoryCache(
            layout.annotations_dir, lambda _, data: formats.read_thread(data)
        )
        self._ruleset_files = _DirectoryCache(layout.rulesets_dir, _read_ruleset)
        self._old_ruleset_files = _DirectoryCache(layout.old_rulesets_dir, _read_ruleset)
        self._alias_files = _DirectoryCache(
            layout.aliases_file.parent, lambda _, data: formats.read_aliases(data)
        )
        self._migration_files = _DirectoryCache(
            layout.migrations_dir, lambda _, data: formats.read_migration(data)
        )
        self._flat_files = {
            kind: _DirectoryCache(layout.flat_dir(kind), partial(_read_flat_record, kind))
            for kind in FLAT_RECORD_CLASSES
            if kind is not RecordKind.EVIDENCE
        }
        self._audit_files = _AuditFiles(layout)
        self.reports: dict[str, ReportEntry] = {}
        self.sorted_reports: list[ReportEntry] = []
        self.rulesets: dict[str, RuleSetRecord] = {}
        self._flat_records: dict[RecordKind, dict[str, FlatRecord]] = {kind: {} for kind in self._flat_files}
        self.threads = ThreadIndex()
        self.facet_counts: dict[tuple[ReportQuery, ReportFacet], Mapping[str, int]] = {}
        self.discussion_by_report: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def refresh(self) -> None:
        """Read the changes in the folder."""
        if self.sorted_reports:
            self._refresh_all()
        else:
            with gc_paused(should_freeze=lambda: len(self.sorted_reports) >= _BULK_FILES):
                self._refresh_all()

    def _refresh_all(self) -> None:
        reports = self._report_files.refresh()
        threads = self._thread_files.refresh()
        merged = self._refresh_flat_records()
        if reports:
            entries = self._report_files.items
            self.reports = {e.record.id: e for _, e in sorted(entries.items(), reverse=True)}
            self.sorted_reports = sorted(self.reports.values(), key=lambda e: e.sort_key, reverse=True)
        if reports or merged:
            self.threads.index_occurrences(self._all_occurrences(), self._dataset_names)
        aliases = self._alias_files.refresh()
        if aliases:
            self.threads.aliases = dict(self._alias_files.items.get(self.layout.aliases_file.name, {}))
        if reports or threads or aliases or merged:
            self.facet_counts.clear()
            changed = self.threads.index_annotations(self._all_annotations())
            if reports or aliases or merged or self.threads.merged:
                self.discussion_by_report.clear()
            else:
                for entry in self.sorted_reports:
                    if not entry.fingerprints.isdisjoint(changed):
                        self.discussion_by_report.pop(entry.record.id, None)
        if self._ruleset_files.refresh() | self._old_ruleset_files.refresh():
            rulesets = [*self._old_ruleset_files.items.values(), *self._ruleset_files.items.values()]
            self.rulesets = {ruleset.id: ruleset for ruleset in rulesets}

    def _refresh_flat_records(self) -> bool:
        """Read changed flat records, and return whether the merges of findings have changed."""
        for kind, folder in self._flat_files.items():
            if folder.refresh():
                self._flat_records[kind] = {r.id: r for _, r in sorted(folder.items.items(), reverse=True)}
        former, self.threads.merged = (
            self.threads.merged,
            merged_into_map(self._flat_records[RecordKind.TRIAGE].values()),
        )
        return former != self.threads.merged

    def flat_records(self, kind: RecordKind) -> Iterator[FlatRecord]:
        """Return the readable records of a flat kind by id. Evidence is large and is read one by one."""
        if kind is not RecordKind.EVIDENCE:
            yield from (record for _, record in sorted(self._flat_records[kind].items()))
            return
        for path in self._evidence_files():
            with suppress(DamagedRecordError):
                record = self._read_evidence(path)
                if record is not None:
                    yield record

    def flat_record(self, kind: RecordKind, record_id: str) -> FlatRecord | None:
        """Return a flat record; None if it is not stored.

        Raises:
            DamagedRecordError: Its file is unreadable.
        """
        path = self.layout.flat_dir(kind) / file_name(record_id)
        if kind is RecordKind.EVIDENCE:
            return self._read_evidence(path)
        self.refuse_unreadable(path)
        return self._flat_records[kind].get(record_id)

    def _evidence_files(self) -> list[Path]:
        return sorted(self.layout.flat_dir(RecordKind.EVIDENCE).glob("*.json"))

    def _read_evidence(self, path: Path) -> FlatRecord | None:
        try:
            return formats.read_flat_record(RecordKind.EVIDENCE, formats.parse_json(_read_bytes(path)))
        except FileNotFoundError:
            return None
        except (UnreadableError, OSError) as error:
            raise DamagedRecordError(f"The file {path} cannot be read: {error}.") from error

    def _unreadable_evidence(self) -> Iterator[UnreadableItem]:
        for path in self._evidence_files():
            try:
                self._read_evidence(path)
            except DamagedRecordError as error:
                yield UnreadableItem(f"{path.parent.name}/{path.name}", str(error.__cause__))

    def events_since(self, mark: AuditMark | None) -> tuple[AuditMark, list[AuditEvent] | None]:
        """Return the current mark, the end of each audit file, and the events after an earlier mark."""
        return self._audit_files.read_since(mark)

    def audit_events(self) -> list[AuditEvent]:
        """Return all events of the audit log, oldest first."""
        return self._audit_files.read_events()

    def migrations(self) -> list[MigrationRecord]:
        """Return the ledger of migrations into this folder, oldest first."""
        self._migration_files.refresh()
        return sorted(self._migration_files.items.values(), key=lambda each: (each.started_at, each.id))

    @property
    def is_whole(self) -> bool:
        """Whether all files are readable."""
        return not any(folder.unreadable for folder in self._directories())

    def _directories(self) -> tuple[_DirectoryCache, ...]:
        return (
            self._report_files,
            self._thread_files,
            self._ruleset_files,
            self._old_ruleset_files,
            self._alias_files,
            self._migration_files,
            *self._flat_files.values(),
        )

    def unreadable_items(self) -> list[UnreadableItem]:
        """Return the unreadable files, with the reasons."""
        items = [
            UnreadableItem(f"{folder.path.name}/{name}", reason)
            for folder in self._directories()
            for name, reason in sorted(folder.unreadable.items())
        ]
        items += self._unreadable_evidence()
        return items + self._duplicate_ids() + self._audit_files.unreadable_items()

    def refuse_unreadable(self, path: Path) -> None:
        """Refuse to replace an unreadable file.

        Raises:
            DamagedRecordError: The file is unreadable.
        """
        for folder in self._directories():
            if path.parent == folder.path and path.name in folder.unreadable:
                raise DamagedRecordError(
                    f"The file {path} cannot be read ({folder.unreadable[path.name]}) and was not changed; "
                    "repair it or move it away, then try again."
                )

    def report_path(self, report_id: str) -> Path:
        """Return the path of a report's file, whether it exists or not."""
        entry = self.reports.get(report_id)
        return entry.path if entry else self.layout.report_file(report_id)

    def stored_thread(self, path: Path) -> list[AnnotationRecord]:
        """Return the annotations in a thread file."""
        return list(self._thread_files.items.get(path.name, ()))

    def read_full_report(self, report_id: str) -> ReportRecord | None:
        """Return a report with its rows, read from its file; None if there is no such file.

        Raises:
            DamagedRecordError: The file is unreadable.
        """
        path = self.report_path(report_id)
        self.refuse_unreadable(path)
        try:
            return report_format.read_report(formats.parse_json(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (UnreadableError, OSError) as error:
            raise DamagedRecordError(f"The file {path} cannot be read: {error}.") from error

    def _all_occurrences(self) -> Iterable[tuple[ReportRecord, int, FindingRecord]]:
        for entry in self.sorted_reports:
            for position, finding in enumerate(entry.record.findings):
                yield entry.record, position, finding

    def _dataset_names(self) -> Iterator[str]:
        return (entry.record.dataset for entry in self.sorted_reports)

    def _all_annotations(self) -> list[AnnotationRecord]:
        """Return each annotation once; one in a thread file has priority over one embedded in a report."""
        annotations: dict[str, AnnotationRecord] = {}
        for _, thread in sorted(self._thread_files.items.items()):
            for annotation in thread:
                annotations.setdefault(annotation.id, annotation)
        for entry in self.reports.values():
            for annotation in entry.embedded:
                annotations.setdefault(annotation.id, annotation)
        return list(annotations.values())

    def _duplicate_ids(self) -> list[UnreadableItem]:
        used = {entry.path.name for entry in self.reports.values()}
        return [
            UnreadableItem(f"reports/{name}", f"another file has the same id {entry.record.id!r}")
            for name, entry in sorted(self._report_files.items.items())
            if name not in used
        ]


class _AuditFiles:
    """The audit log, of which each call reads only the new lines."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._ends: dict[str, tuple[int, int]] = {}
        self._events: dict[str, list[AuditEvent]] = {}
        self._unreadable: dict[str, list[UnreadableItem]] = {}

    def unreadable_items(self) -> list[UnreadableItem]:
        """Return the lines that were read and are no events, in the order of their files."""
        return [item for name in sorted(self._unreadable) for item in self._unreadable[name]]

    def read_events(self) -> list[AuditEvent]:
        paths = list_audit_files(self._layout.audit_dir)
        for name in self._events.keys() - {path.name for path in paths}:
            self._forget_file(name)
        for path in paths:
            self._read_new_lines(path)
        events = [event for name in sorted(self._events) for event in self._events[name]]
        # A migration appends imported events that are older than the events before them.
        return sorted(events, key=lambda event: event.at)

    def read_since(self, mark: AuditMark | None) -> tuple[AuditMark, list[AuditEvent] | None]:
        """Return the end of the last complete line of each file, and the events after the mark.

        The events are None if there is no mark, if the files were replaced since, as by a restore, or if an
        event is unreadable.
        """
        paths = list_audit_files(self._layout.audit_dir)
        if mark is None or not _is_mark_of(mark, paths):
            return _mark_end(paths), None
        new_mark, events = {}, []
        try:
            for path in paths:
                start = end = mark.get(path.name, (0, 0))[0]
                for line in read_lines(path, start):
                    end += len(line)
                    events.append(formats.read_event(line, path.stem))
                new_mark[path.name] = (end, checksum_before(path, end))
        except UnreadableError:
            return _mark_end(paths), None
        return new_mark, events

    def _read_new_lines(self, path: Path) -> None:
        if not is_same_file(path, *self._ends.get(path.name, (0, 0))):
            self._forget_file(path.name)
        start = end = self._ends.get(path.name, (0, 0))[0]
        events = self._events.setdefault(path.name, [])
        for line in read_lines(path, start):
            end += len(line)
            key = f"{path.stem}:{len(events):08d}"
            try:
                events.append(formats.read_event(line, key))
            except UnreadableError as error:
                item = UnreadableItem(f"audit/{path.name} after event {len(events)}", str(error))
                self._unreadable.setdefault(path.name, []).append(item)
        if end != start:
            self._ends[path.name] = (end, checksum_before(path, end))

    def _forget_file(self, name: str) -> None:
        for known in (self._ends, self._events, self._unreadable):
            known.pop(name, None)


def _mark_end(paths: Sequence[Path]) -> AuditMark:
    ends = {path: end_of_last_line(path) for path in paths}
    return {path.name: (end, checksum_before(path, end)) for path, end in ends.items()}


def _is_mark_of(mark: AuditMark, paths: Sequence[Path]) -> bool:
    """Return whether the files still have what was read up to a mark."""
    found = {path.name: path for path in paths}
    return all(name in found and is_same_file(found[name], *end) for name, end in mark.items())


def _read_report_entry(path: str, data: Any) -> ReportEntry:
    record = report_format.read_report(data, light=True)
    embedded = tuple(report_format.read_embedded_annotations(data, record.id))
    fingerprints = frozenset(finding.fingerprint for finding in record.findings)
    severities = frozenset(finding.severity for finding in record.findings)
    return ReportEntry(Path(path), record, embedded, fingerprints, severities, report_text(record))


def _read_flat_record(kind: RecordKind, path: str, data: Any) -> FlatRecord:
    return formats.read_flat_record(kind, data)


def _read_ruleset(path: str, data: Any) -> RuleSetRecord:
    seen_at = dt.datetime.fromtimestamp(Path(path).stat().st_mtime, clock.UTC)
    return formats.read_ruleset(data, seen_at)
