"""The one write path. Dashboard, CLI, RPC, Python API, migration and seeds all write through it.

validate -> before-hooks -> version check -> record and audit event, together or not at all ->
after-hooks -> commit -> outward hooks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lavendertown import clock
from lavendertown.errors import ConflictError, RaceError
from lavendertown.records import rules
from lavendertown.records.contract import Store, Unit
from lavendertown.records.hooks import Hooks
from lavendertown.records.queries import AuditQuery
from lavendertown.records.shape import RECORDS, Shape
from lavendertown.records.values import (
    AnnotationRecord,
    AuditEvent,
    ChangeSet,
    Kind,
    Move,
    Page,
    Record,
    ReportRecord,
    Stamp,
)


@dataclass(frozen=True, slots=True)
class Put:
    """Store this record, new or changed.

    Attributes:
        expected: The version the caller read; None writes over any, 0 demands that there is none yet.
        actor: Who does it; the record's author by default.
        lenient: A copy that equals the stored record is left alone, whatever its version.
    """

    record: Record
    expected: int | None = None
    actor: str | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """Put this record into the trash. One that is not there, or already is in it, is left out."""

    kind: str
    id: str
    actor: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Take this record back out of the trash."""

    kind: str
    id: str
    actor: str


Change = Put | Remove | Restore


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as another store holds it.

    Attributes:
        replaces: The version this store held when the two were compared; None where it held none.
    """

    record: Record
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """What one unit of work takes over from another store.

    Attributes:
        history: Audit events of the other store that this one lacks, oldest first; and the one
            about the move.
        aliases: Older ids of findings, and the ids they have today.
        move: The line in the ledger of moves.
    """

    records: Sequence[Incoming] = ()
    history: Sequence[AuditEvent] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    move: Move | None = None


_Key = tuple[str, str]
_ATTEMPTS = 5


@dataclass(slots=True)
class _Draft:
    """A change set in the making, with the operation of each record for the after-hooks."""

    at: dt.datetime
    puts: list[Record] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    fresh: set[_Key] = field(default_factory=set)
    headers_only: set[str] = field(default_factory=set)


class WritePath:
    """Every change to a store goes through :meth:`commit`, what comes from another one through :meth:`bring`.

    Attributes:
        guards: Called before each commit ends; one that raises undoes it.
    """

    def __init__(self, store: Store, hooks: Hooks | None = None, shape: Shape = RECORDS) -> None:
        self.store = store
        self.hooks = hooks or Hooks()
        self._shape = shape
        self.guards: list[Callable[[], None]] = []

    def commit(self, changes: Sequence[Change]) -> list[Record]:
        """Carry the changes out in one unit of work, all or none.

        Returns:
            The records as they are stored now, without those that needed no change.

        Raises:
            InvalidInputError: A record may not be stored.
            ConflictError: A record is not at the version the caller read.
            StorageError: The store could not write.
        """
        checked = [self._checked(change) for change in changes if _possible(change)]
        if not checked:
            return []
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                draft = self._write(checked)
                break
            except RaceError:
                if attempt == _ATTEMPTS:
                    raise
        if draft.events:
            for hook in self.hooks.outward:
                hook(draft.events)
        return draft.puts

    def bring(self, incoming: Import) -> None:
        """Take over records of another store in one unit of work, all or none.

        They keep their ids, versions, times and history; one that replaces a stored record gets a
        version above both, so that whoever edits the old one is told. Hooks do not run, and no audit
        event is written but those handed in.

        Raises:
            InvalidInputError: A record may not be stored.
            RaceError: This store no longer holds what the records were compared with.
            StorageError: The store could not write.
        """
        found = [replace(each, record=self._shape.check(each.record)) for each in incoming.records]
        with self.store.unit() as unit:
            stamps = unit.stamps(self._shape.key(each.record) for each in found)
            puts, fresh = [], set()
            for each in found:
                key = self._shape.key(each.record)
                stored = stamps[key].version if key in stamps else None
                if stored != each.replaces:
                    raise RaceError(
                        f"{self._shape.name(key[0])} {key[1]!r} was changed in the meantime; nothing was "
                        "written. Try again."
                    )
                if stored is None:
                    fresh.add(key)
                    puts.append(each.record)
                else:
                    puts.append(replace(each.record, version=max(each.record.version, stored + 1)))
            unit.apply(
                ChangeSet(
                    tuple(puts),
                    tuple(incoming.history),
                    frozenset(fresh),
                    aliases=incoming.aliases,
                    move=incoming.move,
                )
            )

    def _write(self, changes: Sequence[Change]) -> _Draft:
        with self.store.unit() as unit:
            draft = self._draft(unit, changes)
            if draft.puts:
                unit.apply(self._change_set(draft))
            for record, operation in zip(draft.puts, draft.operations, strict=True):
                self.hooks.run_after(unit, self._shape.key(record)[0], operation, record)
            # Last, and before the commit: whoever froze the store meanwhile may have moved it away.
            for guard in self.guards:
                guard()
        return draft

    def _draft(self, unit: Unit, changes: Sequence[Change]) -> _Draft:
        foreseen = [change.record for change in changes if isinstance(change, Put)]
        keys = [self._key(change) for change in changes]
        again = len(set(keys)) < len(keys)
        stamps = dict(unit.stamps((key for key in keys if key[1]), foreseen))
        draft = _Draft(clock.now())
        for change, asked in zip(changes, keys, strict=True):
            stamp = stamps.get(asked)
            if isinstance(change, Put):
                drafted = self._put(change, stamp, draft.at)
            else:
                drafted = _flip(unit, change, stamp)
            if drafted is None:
                continue
            operation, record, actor = drafted
            record = self._changed(unit, draft, operation, record)
            key = self._shape.key(record)
            if stamp is None:
                draft.fresh.add(key)
            draft.puts.append(record)
            draft.operations.append(operation)
            event = self._event(draft.at, actor, operation, record, stamp)
            draft.events.append(event)
            if again and key[1]:
                stamps[key] = Stamp(record.version, record.deleted_at, self._shape.header(record))
        self._place(unit, draft)
        return draft

    def _changed(self, unit: Unit, draft: _Draft, operation: str, record: Record) -> Record:
        """Return the record as the before-hooks leave it, with its new times."""
        kind, record_id = self._shape.key(record)
        record = self.hooks.run_before(unit, kind, operation, record)
        if operation in ("delete", "restore"):
            record = replace(record, deleted_at=draft.at if operation == "delete" else None)
            if kind == Kind.REPORT:
                draft.headers_only.add(record_id)
        return record if record.updated_at is draft.at else replace(record, updated_at=draft.at)

    def _event(
        self, at: dt.datetime, actor: str, operation: str, record: Record, stamp: Stamp | None
    ) -> AuditEvent:
        kind, record_id = self._shape.key(record)
        told, after = self._shape.told(operation, record)
        return AuditEvent(at, actor, str(kind), record_id, told, stamp.header if stamp else None, after)

    def _place(self, unit: Unit, draft: _Draft) -> None:
        """Let the store give ids to the records that come without."""
        without = [n for n, record in enumerate(draft.puts) if not self._shape.key(record)[1]]
        placed = unit.place([draft.puts[n] for n in without]) if without else []
        for n, record in zip(without, placed, strict=True):
            draft.puts[n] = record
            event = draft.events[n]
            draft.events[n] = self._event(event.at, event.actor, draft.operations[n], record, None)
            draft.fresh.add(self._shape.key(record))

    def _put(self, change: Put, stamp: Stamp | None, at: dt.datetime) -> tuple[str, Record, str] | None:
        record = change.record
        if stamp is not None and change.lenient and _same(stamp, self._shape.header(record)):
            return None
        found = stamp.version if stamp else 0
        if stamp is not None and (stamp.deleted_at or not self._shape.fits(record, change.expected, stamp)):
            raise self._conflict(change, stamp)
        actor = change.actor or self._shape.author(record)
        drafted = replace(record, version=found + 1, updated_at=at)
        return "update" if stamp else "create", drafted, actor

    def _conflict(self, change: Put, stamp: Stamp) -> ConflictError:
        kind, record_id = self._key(change)
        query = AuditQuery(components=(str(kind),), record_ids=(record_id,))
        last = next(iter(self.store.scan(query, Page(limit=1))), None)
        by = f" by {last.actor} on {last.at:%Y-%m-%d %H:%M} UTC" if last else ""
        name = f"{self._shape.name(kind)} {record_id!r}"
        if stamp.deleted_at:
            message = f"{name} was deleted{by}; restore it before saving it."
        elif change.expected == 0:
            saved = f", saved{by}" if by else ""
            message = f"{name} exists already{saved}, at version {stamp.version}; nothing was written."
        else:
            message = (
                f"{name} was changed{by}: it is at version {stamp.version}, you edited version "
                f"{change.expected}. Load it again and repeat your change."
            )
        return ConflictError(
            message,
            kind=str(kind),
            record_id=record_id,
            stored_version=stamp.version,
            changed_by=last.actor if last else None,
        )

    def _checked(self, change: Change) -> Change:
        if change.actor is not None:
            rules.check_actor(change.actor)
        if not isinstance(change, Put):
            return change
        record = self._shape.check(change.record)
        return change if record is change.record else replace(change, record=record)

    def _key(self, change: Change) -> _Key:
        if isinstance(change, Put):
            return self._shape.key(change.record)
        return change.kind, change.id

    def _change_set(self, draft: _Draft) -> ChangeSet:
        # A record that was changed twice in one unit is written once, as it stands at the end.
        last = {self._shape.key(record): record for record in draft.puts}
        rewritten = {
            key[1]
            for key in last
            if key[0] == Kind.REPORT and key[1] in draft.headers_only and key not in draft.fresh
        }
        return ChangeSet(
            tuple(last.values()), tuple(draft.events), frozenset(draft.fresh), frozenset(rewritten)
        )


def _possible(change: Change) -> bool:
    """Tell whether there can be such a record; nothing was ever stored under an id that cannot be."""
    return isinstance(change, Put) or rules.is_id(change.id)


def _same(stamp: Stamp, new: Any) -> bool:
    ignored = ("version", "updated_at", "report_id")
    return stamp.deleted_at is None and all(
        new[name] == value for name, value in stamp.header.items() if name not in ignored
    )


def _flip(unit: Unit, change: Remove | Restore, stamp: Stamp | None) -> tuple[str, Record, str] | None:
    deleting = isinstance(change, Remove)
    if stamp is None or (stamp.deleted_at is not None) == deleting:
        return None
    record = unit.read(change.kind, change.id)
    if record is None:
        return None
    raised = replace(record, version=stamp.version + 1)
    return "delete" if deleting else "restore", raised, change.actor


__all__ = ["AnnotationRecord", "Change", "Put", "Remove", "ReportRecord", "Restore", "WritePath"]
