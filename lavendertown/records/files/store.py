"""The store contract over a data folder."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from lavendertown.records import headers
from lavendertown.records.contract import Store, Unit
from lavendertown.records.files import desk, formats, matching, report_format
from lavendertown.records.files.image import Image
from lavendertown.records.files.journal import Journal, translated
from lavendertown.records.files.layout import Layout, file_name
from lavendertown.records.identities import Identity, Recent, Run, Said, Turn
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    By,
    FindingQuery,
    PlainQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.values import (
    FIRST,
    KIND_OF,
    PLAIN,
    AnnotationRecord,
    AuditEvent,
    ChangeSet,
    Damage,
    Kind,
    Move,
    Page,
    Record,
    ReportRecord,
    RuleSetRecord,
    Stamp,
)

A_MOMENT = 0.5
"""For how many seconds what was just looked through is not looked through again."""


class FileStore(Store):
    """Reports, annotations and rule sets as JSON files in one folder.

    Args:
        root: The data folder. It need not exist; the first write makes it.
    """

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self._journal = Journal(self.layout)
        self._image = Image(self.layout)
        self._reading = threading.RLock()
        self._looked: tuple[str, float] = ("", 0.0)

    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        with self._journal.locked():
            with self._reading:
                self._image.refresh()
            unit = FileUnit(self._image)
            yield unit
            if unit.changes is not None:
                files = _files(self._image, unit.changes)
                self._journal.commit(files, _audit(self.layout, unit.changes.events))

    def read(self, kind: Kind, record_id: str) -> Record | None:
        with self._fresh() as image:
            return _read(image, kind, record_id)

    def read_many(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Record]:
        with self._fresh() as image:
            found = ((record_id, _read(image, kind, record_id)) for record_id in ids)
            return {record_id: record for record_id, record in found if record is not None}

    def scan(self, query: Query, page: Page = FIRST) -> Sequence[Any]:
        with self._fresh() as image:
            end = None if page.limit is None else page.offset + page.limit
            return list(islice(_scan(image, query), page.offset, end))

    def count(self, query: Query) -> int:
        with self._fresh() as image:
            return sum(1 for _ in _scan(image, query))

    def group(self, query: ReportQuery, by: By) -> Mapping[str, int]:
        with self._fresh() as image:
            return matching.grouped(image, query, by)

    def resolve(self, finding_id: str) -> str:
        with self._fresh() as image:
            return image.threads.resolve(finding_id)

    def aliases(self) -> Mapping[str, str]:
        with self._fresh() as image:
            return dict(image.threads.aliases)

    def finding_rows(self, report_id: str, position: int) -> bytes | None:
        with self._fresh() as image:
            if report_id not in image.reports:
                return None
            report = image.full_report(report_id)
        if report is None or not 0 <= position < len(report.findings):
            return None
        return report.findings[position].rows

    def identities(
        self, names: Sequence[str] | None = None, datasets: Sequence[str] | None = None
    ) -> Iterable[Identity]:
        with self._fresh() as image:
            return desk.identities(image, names, datasets)

    def said(self, names: Sequence[str] | None = None) -> Iterable[Said]:
        with self._fresh() as image:
            return desk.said(image, names)

    def runs(self, datasets: Sequence[str] | None = None) -> Mapping[str, Run]:
        with self._fresh() as image:
            return desk.runs(image, datasets)

    def recent(self, names: Sequence[str]) -> Mapping[str, Recent]:
        with self._fresh() as image:
            return desk.recent(image, names)

    def fingerprints(self, report_ids: Sequence[str], severities: Sequence[str] = ()) -> frozenset[str]:
        with self._fresh() as image:
            found = (matching.held(image, report_id, severities) for report_id in report_ids)
            return frozenset().union(*found)

    def turns(self, datasets: Sequence[str] | None = None) -> Sequence[Turn]:
        with self._fresh() as image:
            return desk.turns(image, datasets)

    def events_since(self, mark: Any) -> tuple[Any, Sequence[AuditEvent] | None]:
        with self._fresh() as image:
            return image.events_since(mark)

    def known_tags(self) -> Sequence[str]:
        with self._fresh() as image:
            return matching.known_tags(image)

    def revision(self) -> str:
        self._journal.finish_pending()
        return self._marks()

    def _marks(self) -> str:
        """Return what moves with every change that goes through a store: times of folders, sizes of logs."""
        layout = self.layout
        with translated(layout.root):
            folders = (layout.reports, layout.annotations, layout.rulesets, *map(layout.plain, PLAIN))
            marks = [_mark(path) for path in folders]
            if layout.audit.is_dir():
                files = sorted(layout.audit.glob("*.jsonl"))
                marks += [f"{path.stem}:{path.stat().st_size}" for path in files]
        return " ".join(marks)

    def moves(self) -> Sequence[Move]:
        self._journal.finish_pending()
        with self._reading, translated(self.layout.root):
            return self._image.moves()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        with self._journal.locked():
            yield

    def check(self) -> None:
        with self._fresh(), translated(self.layout.root):
            if self.layout.root.exists():
                next(self.layout.root.iterdir(), None)

    def describe(self) -> str:
        return f"files in {_short(self.layout.root)}"

    def damage(self) -> Sequence[Damage]:
        with self._fresh() as image:
            image.audit()
            return image.damage()

    def close(self) -> None:
        """Nothing is held open."""

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[Image]:
        self._journal.finish_pending()
        with self._reading, translated(self.layout.root):
            self._refresh()
            yield self._image

    def _refresh(self) -> None:
        """Look through the folder, unless it was looked through a moment ago and nothing was written since.

        Only a file that somebody changes in its place, past every store, is noticed that moment late; not so
        where a file cannot be read, for somebody may be mending it.
        """
        marks, now = self._marks(), time.monotonic()
        trusted = self._image.is_whole and now - self._looked[1] < A_MOMENT
        if marks != self._looked[0] or not trusted:
            self._image.refresh()
            self._looked = marks, now


class FileUnit(Unit):
    """One unit of work, under the folder's lock."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.changes: ChangeSet | None = None

    def stamps(
        self, keys: Iterable[tuple[str, str]], foreseen: Sequence[Record] = ()
    ) -> Mapping[tuple[str, str], Stamp]:
        found = {}
        for kind, record_id in keys:
            record = _light(self._image, Kind(kind), record_id)
            if record is not None:
                found[kind, record_id] = Stamp(record.version, record.deleted_at, headers.header(record))
        return found

    def read(self, kind: str, record_id: str) -> Record | None:
        for record in self.changes.puts if self.changes is not None else ():
            if (KIND_OF[type(record)], record.id) == (kind, record_id):
                return record
        return _read(self._image, Kind(kind), record_id)

    def apply(self, changes: ChangeSet) -> None:
        self.changes = changes


def _scan(image: Image, query: Query) -> Iterable[Any]:
    match query:
        case ReportQuery():
            return (matching.report_header(e.record) for e in matching.matching_reports(image, query))
        case FindingQuery():
            return matching.matching_findings(image, query)
        case AnnotationQuery():
            return matching.matching_annotations(image, query)
        case RuleSetQuery():
            return map(matching.ruleset_header, matching.matching_rulesets(image, query))
        case PlainQuery():
            return matching.matching_plain(image, query)
        case AuditQuery():
            return matching.matching_events(image, query)


def _light(image: Image, kind: Kind, record_id: str) -> Record | None:
    """The record as the image holds it, rows left out; refuses one whose file is damaged."""
    match kind:
        case Kind.REPORT:
            image.guard(image.report_path(record_id))
            entry = image.reports.get(record_id)
            return entry.record if entry else None
        case Kind.ANNOTATION:
            return image.threads.by_id.get(record_id)
        case Kind.RULESET:
            image.guard(image.layout.ruleset(record_id))
            return image.rulesets.get(record_id)
        case Kind.TRIAGE | Kind.PERSON | Kind.VIEW:
            image.guard(image.layout.plain(kind) / file_name(record_id))
            return image.plain[kind].get(record_id)


def _read(image: Image, kind: Kind, record_id: str) -> Record | None:
    record = _light(image, kind, record_id)
    if isinstance(record, ReportRecord):
        return image.full_report(record_id)
    return record


def _audit(layout: Layout, events: Iterable[AuditEvent]) -> dict[Path, bytes]:
    """Return the lines to append, by audit file."""
    lines: dict[Path, bytearray] = defaultdict(bytearray)
    for event in events:
        lines[layout.audit_file(event.at)] += formats.write_event(event)
    return {path: bytes(text) for path, text in lines.items()}


def _files(image: Image, changes: ChangeSet) -> dict[Path, bytes]:
    """Return every file the change set rewrites, with its new content."""
    files: dict[Path, bytes] = {}
    said: dict[str, AnnotationRecord] = {}
    for record in changes.puts:
        if isinstance(record, ReportRecord):
            files[image.report_path(record.id)] = report_format.write_report(record)
            # 0.7 embedded annotations in the report's file; rewriting it moves them to their threads.
            entry = image.reports.get(record.id)
            for old in entry.embedded if entry else ():
                said.setdefault(old.id, image.threads.by_id.get(old.id, old))
        elif isinstance(record, RuleSetRecord):
            files[image.layout.ruleset(record.id)] = formats.write_ruleset(record)
        elif isinstance(record, AnnotationRecord):
            said[record.id] = record
        else:
            folder = image.layout.plain(KIND_OF[type(record)])
            files[folder / file_name(record.id)] = formats.write_plain(record)
    reports = [record for record in changes.puts if isinstance(record, ReportRecord)]
    named = {**changes.aliases, **image.threads.newly_named(reports, said.values())}
    if not named.keys() <= image.threads.aliases.keys():
        image.guard(image.layout.aliases)
        files[image.layout.aliases] = formats.write_aliases(named | image.threads.aliases)
    if changes.move is not None:
        files[image.layout.move(changes.move.id)] = formats.write_move(changes.move)
    return files | _threads(image, said)


def _threads(image: Image, said: Mapping[str, AnnotationRecord]) -> dict[Path, bytes]:
    """Return the thread files in which these annotations are now, or were."""
    names = {annotation.finding_id for annotation in said.values()}
    moved = {old.finding_id for old in map(image.threads.by_id.get, said) if old is not None}
    files: dict[Path, bytes] = {}
    for name in sorted(names | moved):
        path = image.layout.thread(name)
        image.guard(path)
        thread = [a for a in image.stored_thread(path) if a.id not in said]
        thread += [a for a in said.values() if a.finding_id == name]
        thread.sort(key=lambda a: (a.created_at, a.id))
        files[path] = formats.write_thread(thread)
    return files


def _mark(folder: Path) -> str:
    try:
        return str(folder.stat().st_mtime_ns)
    except FileNotFoundError:
        return "-"


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
