"""Read a data folder, also one of 0.7, as the source of a migration, file by file to save memory."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import DamagedRecordError, StorageUnavailableError
from lavendertown.core.fingerprints import is_legacy_id
from lavendertown.records.legacy_values import normalize_annotation, normalize_report
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    AnnotationRecord,
    AuditEvent,
    FlatRecord,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
)
from lavendertown.stores.files import FileStore, formats, report_format
from lavendertown.stores.files.journal import Journal
from lavendertown.stores.files.json_fields import UnreadableError
from lavendertown.stores.files.layout import Layout, file_name
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source, record_author

_SUFFIX = ".json"
_MAX_REPORTS_TO_AUDIT = 5000


class FolderSource(Source):
    """Reads the record files and audit files of a data folder.

    Args:
        folder: The data folder.
        zone: The time zone for times without one; None for the local time zone.
        quarantine: Takes the unreadable items.
    """

    def __init__(self, folder: Path, zone: dt.tzinfo | None, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self.store = FileStore(folder)
        self._layout = Layout(folder)
        self._journal = Journal(self._layout)
        self._zone = zone
        # Reports whose file is not named after their id, and files of 0.7 with annotations inside.
        self._irregular_file_names: dict[str, str] = {}
        self._files_with_annotations: list[str] = []
        # Finding ids of 0.7 that annotations refer to, each with the newest finding that has it.
        self._annotated_legacy_ids: set[str] = set()
        self._newest_by_legacy_id: dict[str, tuple[dt.datetime, str, str]] = {}

    def count_items(self) -> int:
        self._finish_pending_change()
        layout = self._layout
        reports = (
            len(_json_file_names(layout.reports_dir))
            + len(_json_file_names(layout.rulesets_dir))
            + len(_json_file_names(layout.old_rulesets_dir))
        )
        threads = sum(
            (layout.annotations_dir / name).read_bytes().count(b'"finding_id"')
            for name in _json_file_names(self._layout.annotations_dir)
        )
        reports += sum(len(_json_file_names(layout.flat_dir(kind))) for kind in FLAT_RECORD_CLASSES)
        return reports + threads + sum(_count_lines(path) for path in self._audit_files())

    def read_reports(self) -> Iterator[ReportRecord]:
        self._finish_pending_change()
        self._annotated_legacy_ids = {
            finding_id
            for name in _json_file_names(self._layout.annotations_dir)
            if is_legacy_id(finding_id := name.removesuffix(_SUFFIX))
        }
        self._files_with_annotations.clear()
        self._newest_by_legacy_id.clear()
        self._quarantine_misplaced_files()
        taken: dict[str, str] = {}
        for path, data in self._read_json_files(self._layout.reports_dir):
            try:
                record = report_format.read_report(data, self._zone)
            except UnreadableError as error:
                self._quarantine_file(path, str(error))
                continue
            if record.id in taken:
                self._quarantine_file(
                    path, f"its id {record.id!r} is already used by reports/{taken[record.id]}"
                )
                continue
            taken[record.id] = path.name
            self._note_report(path, data, record)
            yield record

    def read_aliases(self) -> Mapping[str, str]:
        aliases = {old: new for old, (_, _, new) in self._newest_by_legacy_id.items()}
        path = self._layout.aliases_file
        if path.exists():
            try:
                aliases |= formats.read_aliases(formats.parse_json(path.read_bytes()))
            except UnreadableError as error:
                self._quarantine_file(path, str(error))
        return aliases

    def read_annotations(self) -> Iterator[AnnotationRecord]:
        taken: dict[str, bytes] = {}
        for path, data in self._read_json_files(self._layout.annotations_dir):
            if not isinstance(data, list):
                self._quarantine_file(path, "it contains no list of annotations")
                continue
            yield from self._read_thread(path, data, None, taken)
        for name in self._files_with_annotations:
            path = self._layout.reports_dir / name
            data = self._read_json_file(path)
            if data is not None:
                yield from self._read_thread(path, data.get("annotations"), str(data.get("id")), taken)

    def read_rulesets(self) -> Iterator[RuleSetRecord]:
        taken: dict[str, Path] = {}
        for folder in (self._layout.rulesets_dir, self._layout.old_rulesets_dir):
            for path, data in self._read_json_files(folder):
                try:
                    record = formats.read_ruleset(data, _modified_at(path))
                except UnreadableError as error:
                    self._quarantine_file(path, str(error))
                    continue
                other = taken.setdefault(record.id, path)
                if other is path:
                    yield record
                elif other.parent == folder:
                    self._quarantine_file(
                        path, f"its name {record.id!r} is already used by {self._item_name(other)}"
                    )

    def read_flat_records(self, kind: RecordKind) -> Iterator[FlatRecord]:
        taken: dict[str, Path] = {}
        for path, data in self._read_json_files(self._layout.flat_dir(kind)):
            try:
                record = formats.read_flat_record(kind, data)
            except UnreadableError as error:
                self._quarantine_file(path, str(error))
                continue
            other = taken.setdefault(record.id, path)
            if other is path:
                yield record
            else:
                self._quarantine_file(
                    path, f"its id {record.id!r} is already used by {self._item_name(other)}"
                )

    def read_events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        for path in self._audit_files():
            if path.stem >= f"{since:%Y-%m}":
                # Events of an earlier migration were appended after newer ones.
                yield from sorted(self._read_audit_file(path, since), key=lambda event: event.at)

    def read_record(self, kind: RecordKind, record_id: str, finding_id: str = "") -> Record | None:
        try:
            match kind:
                case RecordKind.REPORT:
                    data = self._read_json_file(self._report_path(record_id))
                    return None if data is None else report_format.read_report(data, self._zone)
                case RecordKind.ANNOTATION:
                    thread = self._read_json_file(self._layout.thread_file(finding_id)) or []
                    data = next((each for each in thread if each["id"] == record_id), None)
                    return None if data is None else formats.read_annotation(data, None, self._zone)
                case RecordKind.RULESET:
                    path = self._layout.ruleset_file(record_id)
                    data = self._read_json_file(path)
                    return None if data is None else formats.read_ruleset(data, _modified_at(path))
                case _:
                    data = self._read_json_file(self._layout.flat_dir(kind) / file_name(record_id))
                    return None if data is None else formats.read_flat_record(kind, data)
        except (UnreadableError, TypeError, KeyError):
            # Quarantined already, when all files were read.
            return None

    def changed_by(self, record: Record) -> str:
        # The store keeps everything it reads in memory, so the audit log of a large folder is not read.
        is_small = len(_json_file_names(self._layout.reports_dir)) <= _MAX_REPORTS_TO_AUDIT
        return super().changed_by(record) if is_small else record_author(record)

    def quarantine_record(self, record: Record, reason: str) -> None:
        if isinstance(record, ReportRecord):
            self._quarantine_file(self._report_path(record.id), reason)
        else:
            super().quarantine_record(record, reason)

    def _finish_pending_change(self) -> None:
        """Complete a committed change that a killed writer left, as every reader of the folder does."""
        path = self._journal.intent_path
        try:
            self._journal.finish_pending()
        except (DamagedRecordError, StorageUnavailableError) as error:
            self._quarantine_file(path, str(error))
        if path.exists() and not os.access(self._layout.root, os.W_OK):
            self._quarantine_file(
                path, "it is an interrupted change, which cannot be completed because the folder is read-only"
            )

    def _report_path(self, record_id: str) -> Path:
        return self._layout.reports_dir / self._irregular_file_names.get(record_id, file_name(record_id))

    def _note_report(self, path: Path, data: Mapping[str, Any], record: ReportRecord) -> None:
        if path.name != file_name(record.id):
            self._irregular_file_names[record.id] = path.name
        if data.get("format") is None:
            self.note_normalized(self._item_name(path), data, normalize_report(data))
            self.note_time_sample(self._item_name(path), data["created_at"], record.created_at)
            if data.get("annotations"):
                self._files_with_annotations.append(path.name)
        for finding in record.findings if self._annotated_legacy_ids else ():
            if finding.legacy_id in self._annotated_legacy_ids:
                candidate = (record.created_at, record.id, finding.fingerprint)
                self._newest_by_legacy_id[finding.legacy_id] = max(
                    self._newest_by_legacy_id.get(finding.legacy_id, candidate), candidate
                )

    def _read_thread(
        self, path: Path, thread: list[Any], report_id: str | None, taken: dict[str, bytes]
    ) -> Iterator[AnnotationRecord]:
        for number, data in enumerate(thread):
            item = f"{self._item_name(path)} annotation {number + 1}"
            try:
                record = formats.read_annotation(data, report_id, self._zone)
            except UnreadableError as error:
                self.quarantine.add_item(item, str(error), json_codec.dumps(data, indent=True))
                continue
            self.note_time_sample(item, data["timestamp"], record.created_at)
            if formats.is_old_annotation(data):
                self.note_normalized(item, data, normalize_annotation(data))
            digest = hashlib.sha256(formats.write_thread([_without_report(record)])).digest()[:16]
            other = taken.setdefault(record.id, digest)
            if other is digest:
                yield record
            elif other != digest:
                reason = f"its id {record.id!r} is already used by an annotation with other content"
                self.quarantine.add_item(item, reason, json_codec.dumps(data, indent=True))

    def _read_audit_file(self, path: Path, since: dt.datetime) -> Iterator[AuditEvent]:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    event = formats.read_event(line, f"{path.stem}:{number}")
                except UnreadableError as error:
                    self.quarantine.add_item(f"{self._item_name(path)}:{number}", str(error), line)
                    continue
                if event.at >= since:
                    yield event

    def _quarantine_misplaced_files(self) -> None:
        """Quarantine files that 0.7 wrote outside its folders because an id was a path."""
        for path in sorted(self._layout.root.glob("*.json")):
            try:
                data = formats.parse_json(path.read_bytes())
            except (UnreadableError, OSError):
                continue
            if isinstance(data, dict) and {"id", "findings"} <= data.keys():
                self._quarantine_file(
                    path, f"it is outside of reports/, because its id {data['id']!r} is a path"
                )
            elif isinstance(data, list) and data and isinstance(data[0], dict) and "finding_id" in data[0]:
                finding_id = data[0]["finding_id"]
                self._quarantine_file(
                    path, f"it is outside of annotations/, because its finding id {finding_id!r} is a path"
                )

    def _read_json_files(self, folder: Path) -> Iterator[tuple[Path, Any]]:
        for name in _json_file_names(folder):
            data = self._read_json_file(folder / name)
            if data is not None:
                yield folder / name, data

    def _read_json_file(self, path: Path) -> Any:
        """Return the JSON in a file; None if there is no file, or if it is unreadable and was quarantined."""
        if path.is_symlink() and not path.resolve().is_relative_to(self._layout.root.resolve()):
            self._quarantine_file(path, "it is a link to a file outside of the data folder")
            return None
        try:
            return formats.parse_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except UnreadableError as error:
            self._quarantine_file(path, str(error))
        except OSError as error:
            self.quarantine.add_item(self._item_name(path), error.strerror or str(error), b"")
        return None

    def _quarantine_file(self, path: Path, reason: str) -> None:
        self.quarantine.add_item(self._item_name(path), reason, path)

    def _item_name(self, path: Path) -> str:
        return str(path.relative_to(self._layout.root))

    def _audit_files(self) -> list[Path]:
        return sorted(self._layout.audit_dir.glob("*.jsonl"))


def _without_report(annotation: AnnotationRecord) -> AnnotationRecord:
    """Return the annotation without its report, the only field that an embedded copy has in addition."""
    return replace(annotation, report_id=None)


def _json_file_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.suffix == _SUFFIX)


def _modified_at(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, clock.UTC)


def _count_lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)
