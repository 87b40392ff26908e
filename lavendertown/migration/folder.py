"""A data folder as a source, today's and 0.7's: read file by file, so that its size does not matter."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lavendertown import clock, codec
from lavendertown.errors import DamagedRecordError, StorageUnavailableError
from lavendertown.identity import is_legacy_id
from lavendertown.migration.quarantine import Quarantine
from lavendertown.migration.sources import Source, author_of
from lavendertown.records.files import FileStore, formats, report_format
from lavendertown.records.files.fields import UnreadableError
from lavendertown.records.files.journal import Journal
from lavendertown.records.files.layout import Layout, file_name
from lavendertown.records.values import (
    PLAIN,
    AnnotationRecord,
    AuditEvent,
    Kind,
    PlainRecord,
    Record,
    ReportRecord,
    RuleSetRecord,
)

_SUFFIX = ".json"
_FEW = 5000


class FolderSource(Source):
    """Reports, threads, rule sets and audit files of a data folder.

    Args:
        folder: The data folder.
        zone: Where times without a zone were written; None is here.
        quarantine: Takes what cannot be read.
    """

    def __init__(self, folder: Path, zone: dt.tzinfo | None, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self.store = FileStore(folder)
        self._layout = Layout(folder)
        self._journal = Journal(self._layout)
        self._zone = zone
        # Reports whose file is not called after them, and those with annotations inside (0.7's).
        self._odd_names: dict[str, str] = {}
        self._embedding: list[str] = []
        # 0.7's ids that annotations stand under, each with the newest finding that bears it.
        self._waiting: set[str] = set()
        self._bearers: dict[str, tuple[dt.datetime, str, str]] = {}

    def total(self) -> int:
        self._finish_change()
        layout = self._layout
        reports = (
            len(_names(layout.reports)) + len(_names(layout.rulesets)) + len(_names(layout.old_rulesets))
        )
        threads = sum(
            (layout.annotations / name).read_bytes().count(b'"finding_id"')
            for name in _names(self._layout.annotations)
        )
        reports += sum(len(_names(layout.plain(kind))) for kind in PLAIN)
        return reports + threads + sum(_lines(path) for path in self._audit_files())

    def reports(self) -> Iterator[ReportRecord]:
        self._finish_change()
        self._waiting = {name.removesuffix(_SUFFIX) for name in _names(self._layout.annotations)}
        self._waiting = {name for name in self._waiting if is_legacy_id(name)}
        self._embedding.clear()
        self._bearers.clear()
        self._strays()
        taken: dict[str, str] = {}
        for path, data in self._read_all(self._layout.reports):
            try:
                record = report_format.read_report(data, self._zone)
            except UnreadableError as error:
                self._lay_aside(path, str(error))
                continue
            if record.id in taken:
                self._lay_aside(path, f"its id {record.id!r} is taken by reports/{taken[record.id]}")
                continue
            taken[record.id] = path.name
            self._note(path, data, record)
            yield record

    def aliases(self) -> Mapping[str, str]:
        found = {old: name for old, (_, _, name) in self._bearers.items()}
        path = self._layout.aliases
        if path.exists():
            try:
                found |= formats.read_aliases(formats.parse(path.read_bytes()))
            except UnreadableError as error:
                self._lay_aside(path, str(error))
        return found

    def annotations(self) -> Iterator[AnnotationRecord]:
        taken: dict[str, bytes] = {}
        for path, data in self._read_all(self._layout.annotations):
            if not isinstance(data, list):
                self._lay_aside(path, "no list of annotations in it")
                continue
            yield from self._thread(path, data, None, taken)
        for name in self._embedding:
            path = self._layout.reports / name
            data = self._read(path)
            if data is not None:
                yield from self._thread(path, data.get("annotations"), str(data.get("id")), taken)

    def rulesets(self) -> Iterator[RuleSetRecord]:
        taken: dict[str, Path] = {}
        for folder in (self._layout.rulesets, self._layout.old_rulesets):
            for path, data in self._read_all(folder):
                try:
                    record = formats.read_ruleset(data, _written(path))
                except UnreadableError as error:
                    self._lay_aside(path, str(error))
                    continue
                other = taken.setdefault(record.id, path)
                if other is path:
                    yield record
                elif other.parent == folder:
                    self._lay_aside(path, f"its name {record.id!r} is taken by {self._item(other)}")

    def plain(self, kind: Kind) -> Iterator[PlainRecord]:
        taken: dict[str, Path] = {}
        for path, data in self._read_all(self._layout.plain(kind)):
            try:
                record = formats.read_plain(kind, data)
            except UnreadableError as error:
                self._lay_aside(path, str(error))
                continue
            other = taken.setdefault(record.id, path)
            if other is path:
                yield record
            else:
                self._lay_aside(path, f"its id {record.id!r} is taken by {self._item(other)}")

    def events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        for path in self._audit_files():
            if path.stem >= f"{since:%Y-%m}":
                # What an earlier move brought along stands behind what is younger.
                yield from sorted(self._events(path, since), key=lambda event: event.at)

    def read(self, kind: Kind, record_id: str, finding_id: str = "") -> Record | None:
        try:
            match kind:
                case Kind.REPORT:
                    data = self._read(self._report_path(record_id))
                    return None if data is None else report_format.read_report(data, self._zone)
                case Kind.ANNOTATION:
                    thread = self._read(self._layout.thread(finding_id)) or []
                    found = next((each for each in thread if each["id"] == record_id), None)
                    return None if found is None else formats.read_annotation(found, None, self._zone)
                case Kind.RULESET:
                    path = self._layout.ruleset(record_id)
                    data = self._read(path)
                    return None if data is None else formats.read_ruleset(data, _written(path))
                case Kind.TRIAGE | Kind.PERSON | Kind.VIEW:
                    data = self._read(self._layout.plain(kind) / file_name(record_id))
                    return None if data is None else formats.read_plain(kind, data)
        except (UnreadableError, TypeError, KeyError):
            # It was met when all files were gone through, and lies in quarantine.
            return None

    def changed_by(self, record: Record) -> str:
        # The audit log is asked through the store, which keeps all it reads in memory.
        few = len(_names(self._layout.reports)) <= _FEW
        return super().changed_by(record) if few else author_of(record)

    def set_aside(self, record: Record, reason: str) -> None:
        if isinstance(record, ReportRecord):
            self._lay_aside(self._report_path(record.id), reason)
        else:
            super().set_aside(record, reason)

    def _finish_change(self) -> None:
        """Let a change be whole that a killed writer committed, as everybody does who reads the folder."""
        path = self._journal.intent
        try:
            self._journal.finish_pending()
        except (DamagedRecordError, StorageUnavailableError) as error:
            self._lay_aside(path, str(error))
        if path.exists() and not os.access(self._layout.root, os.W_OK):
            self._lay_aside(path, "a change that was interrupted, and cannot be finished in this folder")

    def _report_path(self, record_id: str) -> Path:
        return self._layout.reports / self._odd_names.get(record_id, file_name(record_id))

    def _note(self, path: Path, data: Mapping[str, Any], record: ReportRecord) -> None:
        if path.name != file_name(record.id):
            self._odd_names[record.id] = path.name
        if data.get("format") is None:
            self.sample(self._item(path), data["created_at"], record.created_at)
            if data.get("annotations"):
                self._embedding.append(path.name)
        for finding in record.findings if self._waiting else ():
            if finding.legacy_id in self._waiting:
                bearer = (record.created_at, record.id, finding.fingerprint)
                self._bearers[finding.legacy_id] = max(self._bearers.get(finding.legacy_id, bearer), bearer)

    def _thread(
        self, path: Path, thread: list[Any], report_id: str | None, taken: dict[str, bytes]
    ) -> Iterator[AnnotationRecord]:
        for number, data in enumerate(thread):
            item = f"{self._item(path)} annotation {number + 1}"
            try:
                record = formats.read_annotation(data, report_id, self._zone)
            except UnreadableError as error:
                self.quarantine.add(item, str(error), codec.dumps(data, indent=True))
                continue
            self.sample(item, data["timestamp"], record.created_at)
            digest = hashlib.sha256(formats.write_thread([_bare(record)])).digest()[:16]
            known = taken.setdefault(record.id, digest)
            if known is digest:
                yield record
            elif known != digest:
                reason = f"its id {record.id!r} is taken by another annotation with other content"
                self.quarantine.add(item, reason, codec.dumps(data, indent=True))

    def _events(self, path: Path, since: dt.datetime) -> Iterator[AuditEvent]:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    event = formats.read_event(line, f"{path.stem}:{number}")
                except UnreadableError as error:
                    self.quarantine.add(f"{self._item(path)}:{number}", str(error), line)
                    continue
                if event.at >= since:
                    yield event

    def _strays(self) -> None:
        """Lay aside what 0.7 wrote beside its folders, for ids that were paths."""
        for path in sorted(self._layout.root.glob("*.json")):
            try:
                data = formats.parse(path.read_bytes())
            except (UnreadableError, OSError):
                continue
            if isinstance(data, dict) and {"id", "findings"} <= data.keys():
                self._lay_aside(path, f"lies outside reports/: its id {data['id']!r} is a path")
            elif isinstance(data, list) and data and isinstance(data[0], dict) and "finding_id" in data[0]:
                about = data[0]["finding_id"]
                self._lay_aside(path, f"lies outside annotations/: its finding id {about!r} is a path")

    def _read_all(self, folder: Path) -> Iterator[tuple[Path, Any]]:
        for name in _names(folder):
            data = self._read(folder / name)
            if data is not None:
                yield folder / name, data

    def _read(self, path: Path) -> Any:
        """Return the JSON in a file; None, and the file in quarantine, where there is none."""
        if path.is_symlink() and not path.resolve().is_relative_to(self._layout.root.resolve()):
            self._lay_aside(path, "is a link that leads out of the data folder")
            return None
        try:
            return formats.parse(path.read_bytes())
        except FileNotFoundError:
            return None
        except UnreadableError as error:
            self._lay_aside(path, str(error))
        except OSError as error:
            self.quarantine.add(self._item(path), error.strerror or str(error), b"")
        return None

    def _lay_aside(self, path: Path, reason: str) -> None:
        self.quarantine.add(self._item(path), reason, path)

    def _item(self, path: Path) -> str:
        return str(path.relative_to(self._layout.root))

    def _audit_files(self) -> list[Path]:
        return sorted(self._layout.audit.glob("*.jsonl"))


def _bare(annotation: AnnotationRecord) -> AnnotationRecord:
    """Without the report that carried it: that is all an embedded copy has more."""
    return replace(annotation, report_id=None)


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.suffix == _SUFFIX)


def _written(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, clock.UTC)


def _lines(path: Path) -> int:
    with path.open("rb") as handle:
        return sum(1 for _ in handle)
