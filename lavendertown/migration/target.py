"""The store that is moved into; in a dry run it is only read, and need not exist."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lavendertown.config import load_settings
from lavendertown.errors import InvalidInputError
from lavendertown.migration.digest import event_digest
from lavendertown.migration.places import Place, open_store, state
from lavendertown.migration.sources import last_actor
from lavendertown.records.accessor import Import, WritePath
from lavendertown.records.contract import Store
from lavendertown.records.queries import AuditQuery, Deleted, ReportQuery
from lavendertown.records.values import EVERYTHING, AuditEvent, Kind, Move, Page, Record

_OLD = (
    "{words} was written by LavenderTown 0.7 and cannot be moved into as it is; nothing was changed. Bring "
    "it up to date with: lavendertown db upgrade --url … (it is backed up first), or choose another target."
)


class Target:
    """What a move reads and writes in its target.

    Args:
        place: Where it is.
        store: The open store; None where nothing is yet and nothing is to be made.

    Attributes:
        blank: Whether the store held nothing at all when it was opened.
    """

    def __init__(self, place: Place, store: Store | None) -> None:
        self.place = place
        self._store = store
        self._writes = WritePath(store) if store is not None else None
        self.blank = store is None or _is_blank(store)
        self.unfinished = self._unfinished()

    @classmethod
    def open(cls, place: Place, *, dry_run: bool) -> Target:
        """Open the target; in a dry run one that is empty is left as it is.

        Raises:
            InvalidInputError: It was written by 0.7.
            SchemaError: It has another schema.
            StorageUnavailableError: It does not answer.
        """
        found = state(place)
        if found == "old":
            raise InvalidInputError(_OLD.format(words=place.words))
        return cls(place, None if dry_run and found == "empty" else open_store(place))

    @property
    def store(self) -> Store:
        """The open store."""
        assert self._store is not None
        return self._store

    def holds(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Record]:
        """Return those records that the target has."""
        return self._store.read_many(kind, ids) if self._store is not None else {}

    def lacks(self, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        """Return those events that the target does not have; they come oldest first."""
        if self._store is None or not events:
            return list(events)
        query = AuditQuery(since=events[0].at, until=events[-1].at)
        held = Counter(map(event_digest, self._store.scan(query, EVERYTHING)))
        missing = []
        for event in events:
            name = event_digest(event)
            if held[name]:
                held[name] -= 1
            else:
                missing.append(event)
        return missing

    def aliases(self) -> Mapping[str, str]:
        """Return the older ids of findings that the target keeps."""
        return self._store.aliases() if self._store is not None else {}

    def changed_by(self, record: Record) -> str:
        """Return who changed one of the target's records last."""
        return last_actor(self.store, record)

    def changed_here(
        self, kind: Kind, ids: Sequence[str], since: dt.datetime, events: Iterable[AuditEvent]
    ) -> set[str]:
        """Return those ids whose records were changed in the target itself since a moment.

        Args:
            events: The source's since then; what they tell was done there. Not read if not needed.
        """
        told: dict[bytes, str] = {}
        for record_id in ids if self._store is not None else ():
            query = AuditQuery(components=(kind.value,), record_ids=(record_id,), since=since)
            told |= {event_digest(event): record_id for event in self.store.scan(query, EVERYTHING)}
        for event in events if told else ():
            told.pop(event_digest(event), None)
        return set(told.values())

    def write(self, incoming: Import) -> None:
        """Take records over, in one unit of work."""
        assert self._writes is not None
        self._writes.bring(incoming)

    def close(self) -> None:
        """Let go of connections."""
        if self._store is not None:
            self._store.close()

    def _unfinished(self) -> Move | None:
        moves = self._store.moves() if self._store is not None else ()
        return next((move for move in reversed(moves) if move.finished_at is None), None)


def _is_blank(store: Store) -> bool:
    return not (
        store.count(ReportQuery(deleted=Deleted.INCLUDED))
        or store.scan(AuditQuery(), Page(limit=1))
        or store.moves()
    )


def quarantine_folder(source: Place, target: Place, move_id: str) -> Path:
    """Return where copies of what cannot be moved are laid: beside the target, never in the source."""
    if target.folder is not None:
        beside = target.folder
    elif target.file is not None:
        beside = target.file.parent
    else:
        beside = load_settings().data_dir
    source_folder = source.folder
    if source_folder is not None and beside.resolve().is_relative_to(source_folder.resolve()):
        beside = source_folder.resolve()
        return beside.with_name(f"{beside.name}-quarantine") / move_id
    return beside / "quarantine" / move_id
