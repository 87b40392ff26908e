"""Create, read, update and delete for an application's own classes, through the one write path."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.database import application
from lavendertown.database.errors import translated
from lavendertown.database.model_records import Model, ModelRecord, ModelShape
from lavendertown.database.model_store import ModelStore, ModelUnit
from lavendertown.database.sessions import Session
from lavendertown.records.accessor import Change, Put, Remove, Restore, WritePath
from lavendertown.records.contract import Store, Unit
from lavendertown.records.hooks import Hooks

ModelType = TypeVar("ModelType")
Hook = Callable[[Session, Any], object]

# Hooks belong to the class: every accessor of it runs them.
_HOOKS: dict[type, dict[str, list[Hook]]] = {}


class ModelAccessor(Generic[ModelType]):
    """Typed access to one mapped class, a SQLModel or a SQLAlchemy declarative one.

    Rows of a class with ``deleted_at`` are deleted softly. A class with an integer ``version`` refuses
    a save over a version that was not read; of any other, the values that were read are compared with
    those that are stored. Calls inside a ``transaction()`` take part in it.

    Args:
        model: The class. It has one primary key column.
        component_name: Names the rows in the audit log.
        enable_auditing: Whether changes are written to the audit log.
        database: The database; the application's by default.

    Raises:
        ConfigurationError: The class is not mapped, or has no single primary key.
    """

    def __init__(
        self,
        model: type[ModelType],
        component_name: str,
        *,
        enable_auditing: bool = True,
        database: application.Database | None = None,
    ) -> None:
        self.model = model
        self.component = component_name
        self._model = Model.of(model, component_name)
        self._audited = enable_auditing
        self._given = database

    def get(self, id: Any, include_deleted: bool = False) -> ModelType | None:
        """Return a row by its primary key, or None; deleted ones only when asked for."""
        with self._session() as session:
            found: ModelType | None = session.get(self.model, id)
            if found is None or (self._is_deleted(found) and not include_deleted):
                return None
            return found

    def all(self, include_deleted: bool = False) -> list[ModelType]:
        """Return all rows in the order of their primary keys; deleted ones only when asked for."""
        query = sa.select(self.model).order_by(getattr(self.model, self._model.key))
        if self._model.deleted and not include_deleted:
            query = query.where(getattr(self.model, "deleted_at").is_(None))  # noqa: B009 - not every class has it
        with self._session() as session:
            return list(session.scalars(query))

    def insert(self, obj: ModelType, actor: str = "internal") -> ModelType:
        """Store a new row and return it with its primary key.

        Raises:
            InvalidInputError: A value may not be stored; every such value is named.
            ConflictError: There is a row with this primary key already.
        """
        return self.insert_many([obj], actor)[0]

    def insert_many(self, objs: Iterable[ModelType], actor: str = "internal") -> list[ModelType]:
        """Store new rows in one unit of work, all or none; return them."""
        new = list(objs)
        self._commit(
            [Put(cast(Any, self._record(obj, self._given_values(obj), {})), 0, actor) for obj in new]
        )
        return new

    def save(self, obj: ModelType, actor: str = "internal") -> ModelType:
        """Store a row, new or changed, and return it. Only what was changed is written.

        Raises:
            InvalidInputError: A value may not be stored; every such value is named.
            ConflictError: Somebody else changed it since it was read, or it was deleted.
        """
        changed, loaded = self._changes(obj)
        known = orm.attributes.instance_state(cast(Any, obj)).key is not None
        if known and not changed:
            return obj
        expected = getattr(obj, "version", None) if self._model.versioned and known else None
        record = self._record(obj, changed, {} if self._model.versioned else loaded)
        with _held_back(obj, changed, loaded):
            self._commit([Put(cast(Any, record), expected, actor)])
        return obj

    def delete(self, id: Any, actor: str = "internal") -> bool:
        """Delete a row, softly where the class has ``deleted_at``; say whether it was there."""
        return self.delete_many([id], actor) == 1

    def delete_many(self, ids: Iterable[Any], actor: str = "internal") -> int:
        """Delete rows in one unit of work; return how many there were. An id named twice counts once."""
        return self._commit([Remove(self.component, str(one), actor) for one in dict.fromkeys(ids)])

    def restore(self, id: Any, actor: str = "internal") -> bool:
        """Bring a softly deleted row back; say whether it was deleted."""
        return self._commit([Restore(self.component, str(id), actor)]) == 1

    def before_insert(self) -> Callable[[Hook], Hook]:
        """Register a hook: it may change the new instance, or raise to refuse it."""
        return self._register("before create")

    def after_insert(self) -> Callable[[Hook], Hook]:
        """Register a hook: it runs after the row was written, inside the unit of work."""
        return self._register("after create")

    def before_update(self) -> Callable[[Hook], Hook]:
        """Register a hook: it may change the instance, or raise to refuse the change."""
        return self._register("before update")

    def after_update(self) -> Callable[[Hook], Hook]:
        """Register a hook: it runs after the change was written, inside the unit of work."""
        return self._register("after update")

    def before_delete(self) -> Callable[[Hook], Hook]:
        """Register a hook: it may raise to refuse the deletion."""
        return self._register("before delete")

    def after_delete(self) -> Callable[[Hook], Hook]:
        """Register a hook: it runs after the deletion was written, inside the unit of work."""
        return self._register("after delete")

    def _register(self, when: str) -> Callable[[Hook], Hook]:
        def register(hook: Hook) -> Hook:
            _HOOKS.setdefault(self.model, {}).setdefault(when, []).append(hook)
            return hook

        return register

    def _database(self) -> application.Database:
        return self._given or application.current()

    def _session(self) -> Any:
        return self._database().use_session()

    def _commit(self, changes: Sequence[Change]) -> int:
        database = self._database()
        actor = database.actor()
        if actor is not None:
            changes = [replace(each, actor=actor) if each.actor == "internal" else each for each in changes]
        store = ModelStore(database, self._model, self._audited)
        path = WritePath(cast(Store, store), self._hooks(), ModelShape(self._model))
        with translated(database.url):
            written = path.commit(changes)
        for record in written:
            self._refresh(cast(Any, record))
        return len(written)

    def _hooks(self) -> Hooks:
        registered = _HOOKS.get(self.model, {})
        hooks = Hooks()
        for operation in ("create", "update", "delete"):
            for hook in registered.get(f"before {operation}", ()):
                hooks.add_before(self.component, operation, self._before(hook))
            for hook in registered.get(f"after {operation}", ()):
                hooks.add_after(self.component, operation, self._after(hook))
        return hooks

    def _before(self, hook: Hook) -> Any:
        def run(unit: Unit, record: Any) -> Any:
            session = cast(ModelUnit, unit).session
            before = self._model.values_of(record.instance)
            with session.no_autoflush:
                hook(session, record.instance)
            after = self._model.values_of(record.instance)
            changed = {name: value for name, value in after.items() if value != before[name]}
            if not changed:
                return record
            self._model.check(changed)
            return self._record(record.instance, {**record.values, **changed}, record.loaded, like=record)

        return run

    def _after(self, hook: Hook) -> Any:
        def run(unit: Unit, record: Any) -> None:
            hook(cast(ModelUnit, unit).session, record.instance)

        return run

    def _record(
        self, obj: Any, values: dict[str, Any], loaded: dict[str, Any], like: ModelRecord | None = None
    ) -> ModelRecord:
        key = getattr(obj, self._model.key)
        record_id = "" if key is None else str(key)
        if like is None:
            return ModelRecord(self.component, record_id, obj, values, loaded)
        return ModelRecord(
            self.component, record_id, obj, values, loaded, like.version, like.updated_at, like.deleted_at
        )

    def _given_values(self, obj: Any) -> dict[str, Any]:
        """Return everything a new instance holds but the key the database shall choose."""
        values = self._model.values_of(obj)
        if values[self._model.key] is None:
            del values[self._model.key]
        return values

    def _changes(self, obj: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is to be written, and what the caller read in its place."""
        state = orm.attributes.instance_state(obj)
        if state.key is None:
            given = getattr(obj, "model_fields_set", None) or state.dict.keys()
            names = [name for name in self._model.columns if name in given]
            if getattr(obj, self._model.key) is None:
                return self._given_values(obj), {}
            return {name: getattr(obj, name) for name in names if name != self._model.key}, {}
        ours = ("version",) if self._model.versioned else ()
        changed = {
            name: getattr(obj, name)
            for name in self._model.columns
            if name not in ours and state.attrs[name].history.has_changes()
        }
        loaded = {name: state.committed_state.get(name) for name in changed}
        return changed, loaded

    def _refresh(self, record: ModelRecord) -> None:
        """Let the caller's instance say what is stored now."""
        state = orm.attributes.instance_state(record.instance)
        if state.session is not None:
            return
        for name, value in record.values.items():
            orm.attributes.set_committed_value(record.instance, name, value)
        if self._model.versioned:
            orm.attributes.set_committed_value(record.instance, "version", record.version)

    def _is_deleted(self, row: Any) -> bool:
        return self._model.deleted and row.deleted_at is not None


@contextlib.contextmanager
def _held_back(obj: Any, changed: Mapping[str, Any], loaded: Mapping[str, Any]) -> Iterator[None]:
    """Keep the changes to an instance of a running session from being flushed before they are checked."""
    if orm.attributes.instance_state(obj).session is None:
        yield
        return
    for name in changed:
        orm.attributes.set_committed_value(obj, name, loaded[name])
    try:
        yield
    except BaseException:
        for name, value in changed.items():
            setattr(obj, name, value)
        raise
