"""The store of the write path for the rows of a mapped class."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.database import model_children
from lavendertown.database.application import Database
from lavendertown.database.model_keys import KeyIndex, key_text
from lavendertown.database.model_records import MappedModel, ModelRecord
from lavendertown.database.session import Session
from lavendertown.database.stored_values import read_stored_rows, set_changed_value, set_stored_values
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import ALL_ITEMS, AuditEvent, ChangeSet, Page, StoredVersion
from lavendertown.records.store import UnitOfWork
from lavendertown.records.write_path import represented_person
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.writing import audit_log


class ModelUnitOfWork(UnitOfWork):
    """A unit of work on the rows of a mapped class.

    Attributes:
        session: The session; hooks receive it.
    """

    def __init__(
        self,
        session: Session,
        model: MappedModel,
        audited: bool,
        keys: Mapping[str, Any],
        stored: dict[str, dict[str, Any]],
    ) -> None:
        self.session = session
        self._model = model
        self._audited = audited
        self._keys = keys
        self._stored = stored
        self._rows: dict[str, Any] = {}
        self._children: list[Any] = []
        self._affected_children: list[model_children.AffectedChild] = []
        self._written: Sequence[ModelRecord] = ()

    def lock_versions(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], StoredVersion]:
        keys = list(keys)
        for _, record_id in keys:
            self._rows.pop(record_id, None)
        self._rows |= self._load_rows({record_id: self._keys[record_id] for _, record_id in keys})
        return {
            (self._model.component, record_id): self._stored_version(self._rows[record_id])
            for _, record_id in keys
            if record_id in self._rows
        }

    def read_record(self, kind: str, record_id: str) -> Any:
        row = self._rows.get(record_id)
        if row is None:
            return None
        return ModelRecord(
            kind, record_id, row, {}, {}, self._row_version(row), deleted_at=self._row_deleted_at(row)
        )

    def assign_ids(self, records: Sequence[Any]) -> Sequence[Any]:
        added: list[ModelRecord] = []
        for record in records:
            assert isinstance(record, ModelRecord)
            self._add_instance(record)
            added.append(record)
        self.session.flush()
        return [replace(each, id=self._model.id_of(each.instance)) for each in added]

    def apply_changes(self, changes: ChangeSet) -> None:
        records: Sequence[Any] = changes.records
        for record in records:
            assert isinstance(record, ModelRecord)
            self._write_record(record)
        self._written = records
        self.read_written_rows()
        self._refuse_unfindable_rows(changes)
        if self._audited:
            batch = StatementBatch(self.session.connection())
            events = [self._add_stored_values(event) for event in changes.events]
            if events and self._children:
                events += model_children.audit_children(
                    self.session, self._children, events[0], represented_person()
                )
            if events:
                events += model_children.audit_affected_children(
                    self.session, self._affected_children, events
                )
            audit_log.append_events(batch, events)
            batch.flush()

    def find_row(self, record: ModelRecord) -> Any:
        """Return the object in the session that is written for a record."""
        return self._rows.get(cast(str, record.id), record.instance)

    def read_written_rows(self) -> None:
        """Read what the database made of the written records, into their rows of the session."""
        self.session.flush()
        rows = {cast(str, record.id): self.find_row(record) for record in self._written}
        keys = {
            record_id: getattr(row, self._model.key)
            for record_id, row in rows.items()
            if row in self.session and not sa.inspect(row).deleted
        }
        index = KeyIndex(keys)
        found = self._read_stored(keys)
        stored = {index.find_id(values[self._model.key]): values for values in found}
        for record_id in keys:
            values = stored.get(record_id)
            if values is None:
                # The database may return a key in another form, such as a text in another case.
                values = next(iter(self._read_stored({record_id: keys[record_id]})), None)
            if values is not None:
                self._stored[record_id] = values
                set_stored_values(rows[record_id], values)

    def _read_stored(self, keys: Mapping[str, Any]) -> list[dict[str, Any]]:
        names = list(self._model.columns)
        return read_stored_rows(self.session, self._model.cls, self._model.key, names, list(keys.values()))

    def _refuse_unfindable_rows(self, changes: ChangeSet) -> None:
        """Refuse a new row that is not found by the key that was given for it."""
        for _, record_id in changes.new_keys:
            # A key that the database assigns is not known before.
            if record_id is not None and record_id not in self._stored:
                raise InvalidInputError(
                    f"The id {record_id!r} of a record of {self._model.component} is not what the database "
                    "stores, so that the record could not be found by it; nothing was written. Give it in "
                    "the form of its column."
                )

    def _add_stored_values(self, event: AuditEvent) -> AuditEvent:
        """Return an audit event whose id and state after the change are what the database stored."""
        row, stored = self._rows.get(event.record_id), self._stored.get(event.record_id)
        if row is not None:
            event = replace(event, record_id=self._model.id_of(row))
        if stored is None or event.after is None:
            return event
        after = {**event.after, **self._model.summarize_values(stored)}
        return replace(event, record_id=key_text(stored[self._model.key]), after=after)

    def _write_record(self, record: ModelRecord) -> None:
        row = self._rows.get(cast(str, record.id))
        if row is None:
            if record.instance not in self.session:
                self._add_instance(record)
            return
        if record.deleted_at is not None and not self._model.soft_deletes:
            if sa.inspect(row).deleted or row in self.session.deleted:
                # It was deleted with another row of this change.
                return
            self._affected_children += model_children.delete_with_children(self.session, row)
            return
        if record.values:
            model_children.refuse_related_changes(record.instance, self._model.component, record.values)
        for name, value in record.values.items():
            set_changed_value(row, name, value)
        self._set_row_state(row, record)

    def _add_instance(self, record: ModelRecord) -> None:
        self._set_row_state(record.instance, record)
        self._children += model_children.check_new_children(record.instance)
        self.session.add(record.instance)

    def _set_row_state(self, row: Any, record: ModelRecord) -> None:
        if self._model.versioned:
            row.version = record.version
        if self._model.soft_deletes:
            row.deleted_at = record.deleted_at

    def _load_rows(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """Return those rows as they are stored now, by the text of their keys, locked."""
        named = list(keys.items())
        found: dict[str, Any] = {}
        for start in range(0, len(named), 500):
            asked = dict(named[start : start + 500])
            index = KeyIndex(asked)
            rows = {
                index.find_id(getattr(row, self._model.key)): row for row in self._select_rows(asked.values())
            }
            if None in rows:
                # The database considers keys as equal that Python does not, such as texts in another case.
                del rows[None]
                for record_id in asked.keys() - rows.keys():
                    if same := self._select_rows([asked[record_id]]):
                        rows[record_id] = same[0]
            found |= cast("dict[str, Any]", rows)
        return found

    def _select_rows(self, keys: Iterable[Any]) -> Sequence[Any]:
        query: Any = sa.select(self._model.cls).where(
            getattr(self._model.cls, self._model.key).in_(list(keys))
        )
        with self.session.no_autoflush:
            # Tables of relationships that are loaded by a join cannot be locked.
            own_tables: list[Any] = list(sa.inspect(self._model.cls).tables)
            query = query.with_for_update(of=own_tables).execution_options(populate_existing=True)
            return self.session.scalars(query).unique().all()

    def _stored_version(self, row: Any) -> StoredVersion:
        summary = self._model.summarize_values(self._model.for_instance(row).values_of(row))
        return StoredVersion(self._row_version(row), self._row_deleted_at(row), summary)

    def _row_version(self, row: Any) -> int:
        # At least 1, because version 0 means that the row does not exist.
        return (row.version or 1) if self._model.versioned else 1

    def _row_deleted_at(self, row: Any) -> dt.datetime | None:
        moment = row.deleted_at if self._model.soft_deletes else None
        return clock.to_utc(moment, clock.UTC) if moment is not None else None


class ModelStore:
    """What the write path needs of a store: units of work, and the audit log.

    Attributes:
        stored_values: What the database stored of each written record, by its id.
        added: The new instances of the latest flush, also if it failed: those of hooks and children included.
    """

    def __init__(
        self,
        database: Database,
        model: MappedModel,
        audited: bool,
        keys: Mapping[str, Any],
        has_after_hooks: bool,
    ) -> None:
        self._database = database
        self._model = model
        self._audited = audited
        self._keys = keys
        self._has_after_hooks = has_after_hooks
        self.stored_values: dict[str, dict[str, Any]] = {}
        self.added: list[Any] = []

    @contextlib.contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Open a unit of work, or join the current one."""
        with self._database.transaction() as session, _listen_before_flush(session, self._note_added):
            self.stored_values.clear()
            unit = ModelUnitOfWork(session, self._model, self._audited, self._keys, self.stored_values)
            yield unit
            if self._has_after_hooks:
                unit.read_written_rows()

    def _note_added(self, session: orm.Session, *_: Any) -> None:
        self.added = list(session.new)

    def scan(self, query: AuditQuery, page: Page = ALL_ITEMS) -> Sequence[AuditEvent]:
        """Return audit events, newest first."""
        statement, values = audit_log.events_statement(query)
        with self._database.use_session() as session:
            rows = session.connection().execute(statement.limit(page.limit), values).all()
        return [audit_log.event_from_row(row) for row in rows]


@contextlib.contextmanager
def _listen_before_flush(session: orm.Session, listener: Callable[..., None]) -> Iterator[None]:
    sa.event.listen(session, "before_flush", listener)
    try:
        yield
    finally:
        sa.event.remove(session, "before_flush", listener)
