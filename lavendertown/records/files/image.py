"""What a data folder holds, kept in memory without row positions and refreshed by file times.

A file whose inode, time and size stand still is not read again.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lavendertown import clock
from lavendertown.errors import DamagedRecordError
from lavendertown.records.files import formats, report_format
from lavendertown.records.files.fields import UnreadableError
from lavendertown.records.files.layout import Layout
from lavendertown.records.files.threads import Threads
from lavendertown.records.plain import merges
from lavendertown.records.queries import By, ReportQuery
from lavendertown.records.texts import report_text
from lavendertown.records.undisturbed import undisturbed
from lavendertown.records.values import (
    PLAIN,
    AnnotationRecord,
    AuditEvent,
    Damage,
    FindingRecord,
    Kind,
    Move,
    PlainRecord,
    ReportRecord,
    RuleSetRecord,
)

_Signature = tuple[int, int, int]
# So many files that it is worth to tell the system and the garbage collector of them.
_MANY = 50


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One report file: its content without rows, and the annotations 0.7 embedded in it.

    Attributes:
        names: The fingerprints of its findings.
        severities: Theirs.
        text: What a search looks into.
    """

    path: Path
    record: ReportRecord
    embedded: tuple[AnnotationRecord, ...]
    names: frozenset[str]
    severities: frozenset[str]
    text: str

    @property
    def order(self) -> tuple[dt.datetime, str]:
        """The key that reports are listed by, highest first."""
        return self.record.created_at, self.record.id


class _Folder:
    """The files of one folder, each read once for each change."""

    def __init__(self, path: Path, read: Callable[[Path, Any], Any]) -> None:
        self.path = path
        self._read = read
        self._seen: dict[str, _Signature] = {}
        self.items: dict[str, Any] = {}
        self.damage: dict[str, str] = {}

    def refresh(self) -> bool:
        """Read what is new or changed; tell whether anything is."""
        current = dict(self._list())
        changed = [name for name, signature in current.items() if self._seen.get(name) != signature]
        gone = [name for name in self._seen if name not in current]
        for name in gone + changed:
            self.items.pop(name, None)
            self.damage.pop(name, None)
        if len(changed) >= _MANY:
            _fetch(self.path / name for name in changed)
        for name in changed:
            self._load(name)
        self._seen = current
        return bool(changed or gone)

    def _list(self) -> Iterator[tuple[str, _Signature]]:
        try:
            entries = os.scandir(self.path)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                if entry.name.endswith(".json"):
                    try:
                        found = entry.stat()
                    except FileNotFoundError:
                        continue
                    yield entry.name, (found.st_ino, found.st_mtime_ns, found.st_size)

    def _load(self, name: str) -> None:
        path = self.path / name
        try:
            self.items[name] = self._read(path, formats.parse(_content(path)))
        except FileNotFoundError:
            return
        except UnreadableError as error:
            self.damage[name] = str(error)
        except OSError as error:
            self.damage[name] = error.strerror or str(error)


def _fetch(paths: Iterable[Path]) -> None:
    """Have the system read these files all at once, so that none is waited for by itself."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in paths:
        # What cannot be asked for is read all the same, and whoever reads it is told why not.
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)


def _content(path: Path) -> bytes:
    # Without a buffer of its own, which each of thousands of files would pay for.
    with path.open("rb", buffering=0) as file:
        return file.read()


class Image:
    """The content of a data folder, as of the last :meth:`refresh`.

    Attributes:
        counted: How many reports have each value, as it was asked since the last change.
        talk: Statuses and tags of the findings of those reports they were asked of, until one changes.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._report_files = _Folder(layout.reports, _report_entry)
        self._thread_files = _Folder(layout.annotations, lambda _, data: formats.read_thread(data))
        self._ruleset_files = _Folder(layout.rulesets, _ruleset)
        self._old_ruleset_files = _Folder(layout.old_rulesets, _ruleset)
        self._alias_files = _Folder(layout.aliases.parent, lambda _, data: formats.read_aliases(data))
        self._move_files = _Folder(layout.moves, lambda _, data: formats.read_move(data))
        self._plain_files = {
            kind: _Folder(layout.plain(kind), partial(_plain_record, kind)) for kind in PLAIN
        }
        self._audit = _AuditFiles(layout)
        self.reports: dict[str, ReportEntry] = {}
        self.listed: list[ReportEntry] = []
        self.rulesets: dict[str, RuleSetRecord] = {}
        self.plain: dict[Kind, dict[str, PlainRecord]] = {kind: {} for kind in PLAIN}
        self.threads = Threads()
        self.counted: dict[tuple[ReportQuery, By], Mapping[str, int]] = {}
        self.talk: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def refresh(self) -> None:
        """Take in what changed in the folder."""
        if self.listed:
            self._take_in()
        else:
            with undisturbed(keep=lambda: len(self.listed) >= _MANY):
                self._take_in()

    def _take_in(self) -> None:
        reports = self._report_files.refresh()
        threads = self._thread_files.refresh()
        merged = self._refresh_plain()
        if reports:
            entries = self._report_files.items
            self.reports = {e.record.id: e for _, e in sorted(entries.items(), reverse=True)}
            self.listed = sorted(self.reports.values(), key=lambda e: e.order, reverse=True)
        if reports or merged:
            self.threads.place(self._sightings())
        aliases = self._alias_files.refresh()
        if aliases:
            self.threads.aliases = dict(self._alias_files.items.get(self.layout.aliases.name, {}))
        if reports or threads or aliases or merged:
            self.counted.clear()
            told_anew = self.threads.fill(self._annotations())
            if reports or aliases or merged or self.threads.merged:
                self.talk.clear()
            else:
                for entry in self.listed:
                    if not entry.names.isdisjoint(told_anew):
                        self.talk.pop(entry.record.id, None)
        if self._ruleset_files.refresh() | self._old_ruleset_files.refresh():
            found = [*self._old_ruleset_files.items.values(), *self._ruleset_files.items.values()]
            self.rulesets = {ruleset.id: ruleset for ruleset in found}

    def _refresh_plain(self) -> bool:
        """Take in the flat records; tell whether other findings are merged now."""
        for kind, folder in self._plain_files.items():
            if folder.refresh():
                self.plain[kind] = {r.id: r for _, r in sorted(folder.items.items(), reverse=True)}
        former, self.threads.merged = self.threads.merged, merges(self.plain[Kind.TRIAGE].values())
        return former != self.threads.merged

    def events_since(self, mark: Mapping[str, int] | None) -> tuple[dict[str, int], list[AuditEvent] | None]:
        """Return how far each audit file goes now, and the events behind the mark."""
        return self._audit.since(mark)

    def audit(self) -> list[AuditEvent]:
        """Return the whole audit log, oldest first."""
        return self._audit.read()

    def moves(self) -> list[Move]:
        """Return the ledger of moves into this folder, oldest first."""
        self._move_files.refresh()
        return sorted(self._move_files.items.values(), key=lambda move: (move.started_at, move.id))

    @property
    def is_whole(self) -> bool:
        """Whether all files could be read."""
        return not any(folder.damage for folder in self._folders())

    def _folders(self) -> tuple[_Folder, ...]:
        return (
            self._report_files,
            self._thread_files,
            self._ruleset_files,
            self._old_ruleset_files,
            self._alias_files,
            self._move_files,
            *self._plain_files.values(),
        )

    def damage(self) -> list[Damage]:
        """Name the files that cannot be read, and why."""
        found = [
            Damage(f"{folder.path.name}/{name}", reason)
            for folder in self._folders()
            for name, reason in sorted(folder.damage.items())
        ]
        return found + self._repeated() + self._audit.damage

    def guard(self, path: Path) -> None:
        """Refuse to write over a file that could not be read.

        Raises:
            DamagedRecordError: It could not.
        """
        for folder in self._folders():
            if path.parent == folder.path and path.name in folder.damage:
                raise DamagedRecordError(
                    f"The file {path} cannot be read ({folder.damage[path.name]}) and is left as it is; "
                    "repair it or move it away, then try again."
                )

    def report_path(self, report_id: str) -> Path:
        """Return where a report lies, or will lie."""
        entry = self.reports.get(report_id)
        return entry.path if entry else self.layout.report(report_id)

    def stored_thread(self, path: Path) -> list[AnnotationRecord]:
        """Return the annotations in one thread's file."""
        return list(self._thread_files.items.get(path.name, ()))

    def full_report(self, report_id: str) -> ReportRecord | None:
        """Read a report's file with its rows; None where there is none.

        Raises:
            DamagedRecordError: It cannot be read.
        """
        path = self.report_path(report_id)
        self.guard(path)
        try:
            return report_format.read_report(formats.parse(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (UnreadableError, OSError) as error:
            raise DamagedRecordError(f"The file {path} cannot be read: {error}.") from error

    def _sightings(self) -> Iterable[tuple[ReportRecord, int, FindingRecord]]:
        for entry in self.listed:
            for position, finding in enumerate(entry.record.findings):
                yield entry.record, position, finding

    def _annotations(self) -> list[AnnotationRecord]:
        """Every annotation once: one in a thread's file wins over one embedded in a report."""
        found: dict[str, AnnotationRecord] = {}
        for _, thread in sorted(self._thread_files.items.items()):
            for annotation in thread:
                found.setdefault(annotation.id, annotation)
        for entry in self.reports.values():
            for annotation in entry.embedded:
                found.setdefault(annotation.id, annotation)
        return list(found.values())

    def _repeated(self) -> list[Damage]:
        shown = {entry.path.name for entry in self.reports.values()}
        return [
            Damage(f"reports/{name}", f"its id {entry.record.id!r} is taken by another file")
            for name, entry in sorted(self._report_files.items.items())
            if name not in shown
        ]


class _AuditFiles:
    """The audit log, read on from where the last reading ended."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._offsets: dict[str, int] = {}
        self._events: dict[str, list[AuditEvent]] = {}
        self.damage: list[Damage] = []

    def read(self) -> list[AuditEvent]:
        if not self._layout.audit.is_dir():
            return []
        for path in sorted(self._layout.audit.glob("*.jsonl")):
            self._read_on(path)
        events = [event for name in sorted(self._events) for event in self._events[name]]
        # What a move brought along is older than what stood in the file before.
        return sorted(events, key=lambda event: event.at)

    def since(self, mark: Mapping[str, int] | None) -> tuple[dict[str, int], list[AuditEvent] | None]:
        """Return where each file's last whole line ends now, and the events behind the mark.

        None instead of them where there is no mark, or one of them cannot be read.
        """
        found = sorted(self._layout.audit.glob("*.jsonl")) if self._layout.audit.is_dir() else []
        if mark is None:
            return {path.name: _whole_lines(path) for path in found}, None
        now, events = {}, []
        try:
            for path in found:
                start = mark.get(path.name, 0)
                lines = _lines_from(path, start)
                now[path.name] = start + len(lines)
                events += [formats.read_event(line, path.stem) for line in lines.splitlines()]
        except UnreadableError:
            return {path.name: _whole_lines(path) for path in found}, None
        return now, events

    def _read_on(self, path: Path) -> None:
        start = self._offsets.get(path.name, 0)
        whole = _lines_from(path, start)
        events = self._events.setdefault(path.name, [])
        for line in whole.splitlines():
            key = f"{path.stem}:{len(events):08d}"
            try:
                events.append(formats.read_event(line, key))
            except UnreadableError as error:
                self.damage.append(Damage(f"audit/{path.name} after event {len(events)}", str(error)))
        self._offsets[path.name] = start + len(whole)


def _lines_from(path: Path, start: int) -> bytes:
    """Return the whole lines behind a place; who writes may be in the middle of the last one."""
    with path.open("rb") as handle:
        handle.seek(start)
        data = handle.read()
    return data[: data.rfind(b"\n") + 1]


def _whole_lines(path: Path) -> int:
    """Return where a file's last whole line ends, most often without reading more than its last byte."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        handle.seek(max(0, size - 1))
        ends = handle.read(1) in (b"\n", b"")
    return size if ends else len(_lines_from(path, 0))


def _report_entry(path: Path, data: Any) -> ReportEntry:
    record = report_format.read_report(data, light=True)
    embedded = tuple(report_format.embedded_annotations(data, record.id))
    names = frozenset(finding.fingerprint for finding in record.findings)
    severities = frozenset(finding.severity for finding in record.findings)
    return ReportEntry(path, record, embedded, names, severities, report_text(record))


def _plain_record(kind: Kind, path: Path, data: Any) -> PlainRecord:
    return formats.read_plain(kind, data)


def _ruleset(path: Path, data: Any) -> RuleSetRecord:
    seen_at = dt.datetime.fromtimestamp(path.stat().st_mtime, clock.UTC)
    return formats.read_ruleset(data, seen_at)
