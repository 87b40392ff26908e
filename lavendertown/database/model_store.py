"""The rows of one mapped class as a store of the write path."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from lavendertown import clock
from lavendertown.database import audit
from lavendertown.database.application import Database
from lavendertown.database.model_records import Model, ModelRecord
from lavendertown.database.sessions import Session
from lavendertown.database.writer import Writer
from lavendertown.records.contract import Unit
from lavendertown.records.queries import AuditQuery
from lavendertown.records.values import EVERYTHING, AuditEvent, ChangeSet, Page, Stamp


class ModelUnit(Unit):
    """One unit of work on one class, in a session.

    Attributes:
        session: The unit of work's session; hooks receive it.
    """

    def __init__(self, session: Session, model: Model, audited: bool) -> None:
        self.session = session
        self._model = model
        self._audited = audited
        self._rows: dict[str, Any] = {}

    def stamps(
        self, keys: Iterable[tuple[str, str]], foreseen: Sequence[Any] = ()
    ) -> Mapping[tuple[str, str], Stamp]:
        ids = {record_id: self._model.parse_id(record_id) for _, record_id in keys}
        names = {key: record_id for record_id, key in ids.items() if key is not None}
        return {
            (self._model.component, names[getattr(row, self._model.key)]): self._stamp(row)
            for row in self._load(list(names))
        }

    def read(self, kind: str, record_id: str) -> Any:
        row = self._rows.get(record_id)
        if row is None:
            return None
        return ModelRecord(kind, record_id, row, {}, {}, self._version(row), deleted_at=self._deleted(row))

    def place(self, records: Sequence[Any]) -> Sequence[Any]:
        placed: list[ModelRecord] = []
        for record in records:
            assert isinstance(record, ModelRecord)
            self._mark(record.instance, record)
            self.session.add(record.instance)
            placed.append(record)
        self.session.flush()
        return [replace(each, id=str(getattr(each.instance, self._model.key))) for each in placed]

    def apply(self, changes: ChangeSet) -> None:
        puts: Sequence[Any] = changes.puts
        for record in puts:
            assert isinstance(record, ModelRecord)
            self._write(record)
        self.session.flush()
        if self._audited:
            writer = Writer(self.session.connection())
            audit.append(writer, changes.events)
            writer.flush()

    def _write(self, record: ModelRecord) -> None:
        row = self._rows.get(record.id)
        if row is None:
            if record.instance not in self.session:
                self._mark(record.instance, record)
                self.session.add(record.instance)
            return
        if record.deleted_at is not None and not self._model.deleted:
            self.session.delete(row)
            return
        for name, value in record.values.items():
            setattr(row, name, value)
        self._mark(row, record)

    def _mark(self, row: Any, record: ModelRecord) -> None:
        if self._model.versioned:
            row.version = record.version
        if self._model.deleted:
            row.deleted_at = record.deleted_at

    def _load(self, ids: Sequence[Any]) -> Sequence[Any]:
        """Return those rows as they are stored now, locked."""
        key = getattr(self._model.cls, self._model.key)
        found: list[Any] = []
        with self.session.no_autoflush:
            for start in range(0, len(ids), 500):
                query: Any = (
                    sa.select(self._model.cls).where(key.in_(ids[start : start + 500])).with_for_update()
                )
                found += self.session.scalars(query.execution_options(populate_existing=True))
        self._rows |= {str(getattr(row, self._model.key)): row for row in found}
        return found

    def _stamp(self, row: Any) -> Stamp:
        header = self._model.header(self._model.values_of(row))
        return Stamp(self._version(row), self._deleted(row), header)

    def _version(self, row: Any) -> int:
        # A row that is stored is at version 1 at least: 0 means that there is none.
        return (row.version or 1) if self._model.versioned else 1

    def _deleted(self, row: Any) -> dt.datetime | None:
        moment = row.deleted_at if self._model.deleted else None
        return clock.to_utc(moment, clock.UTC) if moment is not None else None


class ModelStore:
    """What the write path needs of a store: units of work, and the audit log."""

    def __init__(self, database: Database, model: Model, audited: bool) -> None:
        self._database = database
        self._model = model
        self._audited = audited

    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        """Open a unit of work, or join the one at hand."""
        with self._database.transaction() as session:
            yield ModelUnit(session, self._model, self._audited)

    def scan(self, query: AuditQuery, page: Page = EVERYTHING) -> Sequence[AuditEvent]:
        """Return audit events, newest first."""
        statement, values = audit.select(query)
        with self._database.use_session() as session:
            rows = session.connection().execute(statement.limit(page.limit), values).all()
        return [audit.event(row) for row in rows]
