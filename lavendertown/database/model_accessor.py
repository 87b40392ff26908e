"""Create, read, update and delete rows of an application's own classes, through the write path."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.engine import URL

from lavendertown.core.errors import ConflictError, InvalidInputError
from lavendertown.database import application, model_children, stored_values
from lavendertown.database.model_keys import key_text
from lavendertown.database.model_records import (
    MappedModel,
    ModelRecord,
    ModelRecordType,
    names_filled_by_parents,
)
from lavendertown.database.model_store import ModelStore, ModelUnitOfWork
from lavendertown.database.refused_rows import name_refused_row
from lavendertown.database.session import Session
from lavendertown.database.unique_violations import name_row, report_unique_violations
from lavendertown.records.hooks import Hooks
from lavendertown.records.store import Store, UnitOfWork
from lavendertown.records.write_path import Change, DeleteRecord, RestoreRecord, SaveRecord, WritePath
from lavendertown.stores.sql.connection.errors import first_line, translate_errors

ModelType = TypeVar("ModelType")
Hook = Callable[[Session, Any], object]

# By component and moment; each hook by what identifies it when its module is run again.
_HOOKS: dict[str, dict[str, dict[Any, Hook]]] = {}


class ModelAccessor(Generic[ModelType]):
    """Typed access to a mapped class, either a SQLModel or a SQLAlchemy declarative class.

    Rows of a class with ``deleted_at`` are soft-deleted. A save is refused if the row was changed since it
    was read: by comparing the version if the class has an integer ``version``, otherwise by comparing the
    values that were read with the stored ones. Calls inside a ``transaction()`` take part in it.

    The ``actor`` of a write is its name in the audit log. By default it is that of the current unit of work,
    else on a project's own page of the dashboard the visitor, else ``"internal"``.

    Hooks run for the writes of every accessor with the same component name, in the order in which they
    were registered. A function of the same name and module takes the place of the one registered before,
    so a module that runs again, as a Streamlit page does, registers each of its hooks once. New rows that
    are stored through a relationship of another one are checked and audited, but run no hooks.

    Attributes:
        model: The class.
        component: The component's name.
        mapped_model: The properties of the class: its key, its columns, soft deletion and versions.

    Args:
        model: The class, with one primary key column.
        component_name: The component of its rows in the audit log.
        enable_auditing: Whether changes are written to the audit log.
        database: The database; by default, the application's.

    Raises:
        ConfigurationError: The class is not mapped, or does not have exactly one primary key column.
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
        self.mapped_model = MappedModel.inspect_class(model, component_name)
        stored_values.watch_mutable_values(model)
        model_children.register_component(model, component_name)
        self._audited = enable_auditing
        self._given_database = database

    def get(self, id: Any, include_deleted: bool = False) -> ModelType | None:
        """Return the row with a primary key; None if it does not exist or is deleted.

        Raises:
            InvalidInputError: No row can have this primary key.
        """
        key = self.mapped_model.convert_key(id)
        with self._open_session() as session:
            options = self.mapped_model.loading_options()
            row: ModelType | None = session.get(self.model, key, options=options)
            if row is None or (self._is_deleted(row) and not include_deleted):
                return None
            return row

    def all(self, include_deleted: bool = False) -> list[ModelType]:
        """Return all rows in the order of their primary keys; soft-deleted ones only on request."""
        query = sa.select(self.model).order_by(getattr(self.model, self.mapped_model.key))
        query = query.options(*self.mapped_model.loading_options())
        if self.mapped_model.soft_deletes and not include_deleted:
            query = query.where(getattr(self.model, "deleted_at").is_(None))  # noqa: B009 - not every class has it
        with self._open_session() as session:
            # A relationship that is loaded by a join repeats the row.
            return list(session.scalars(query).unique())

    def insert(self, obj: ModelType, actor: str | None = None) -> ModelType:
        """Store a new row and return it with its primary key.

        Raises:
            InvalidInputError: Values are invalid; the message names all of them.
            ConflictError: Another row already has this primary key or the value of a unique column.
        """
        return self.insert_many([obj], actor)[0]

    def insert_many(self, objs: Iterable[ModelType], actor: str | None = None) -> list[ModelType]:
        """Store new rows in one unit of work, all or none, and return them."""
        new = _read_list(objs, "insert_many", "rows")
        for position, obj in enumerate(new, 1):
            with _name_position(position if len(new) > 1 else 0):
                self._check_instance(obj)
        if len({type(obj) for obj in new}) < 2:
            accessor = self._accessor_of(new[0]) if new else self
            return accessor._insert_rows(new, actor)
        with self.current_database().transaction():
            known = sa.util.IdentitySet()
            for position, obj in enumerate(new, 1):
                if obj not in known:
                    known.add(obj)
                    with _name_position(position):
                        self._accessor_of(obj)._insert_rows([obj], actor)
        return new

    def _insert_rows(self, new: list[ModelType], actor: str | None) -> list[ModelType]:
        """Store new rows of the accessor's own class."""
        records, known = [], set()
        positions: dict[str, int] = {}
        for position, obj in enumerate(new, 1):
            # The same object twice is one row.
            if id(obj) in known:
                continue
            known.add(id(obj))
            record = self._make_new_record(obj, position if len(new) > 1 else 0)
            if record.id is not None and positions.setdefault(record.id, position) != position:
                raise ConflictError(
                    f"Row {position} of insert_many: Row {positions[record.id]} has the same "
                    f"{self.mapped_model.key} {record.id!r}; nothing was written. Choose another one.",
                    kind=self.component,
                    record_id=record.id,
                )
            records.append(record)
        with (
            name_refused_row(self.current_database(), self.mapped_model, new),
            _name_taken_key(self.component, positions if len(records) > 1 else {}),
        ):
            self._commit_changes([SaveRecord(cast(Any, record), 0, actor) for record in records])
        return new

    def save(self, obj: ModelType, actor: str | None = None) -> ModelType:
        """Store a new row, or the changed values of an existing one, and return it.

        Raises:
            InvalidInputError: Values are invalid; the message names all of them.
            ConflictError: The row was changed or deleted since it was read.
        """
        self._check_instance(obj)
        if type(obj) is not self.model:
            return self._accessor_of(obj).save(obj, actor)
        is_stored = orm.attributes.instance_state(cast(Any, obj)).key is not None
        if is_stored:
            self._refuse_unloaded(obj)
        changed, loaded = self._find_changes(obj)
        if is_stored:
            model_children.refuse_related_changes(obj, self.component, changed)
            self._refuse_key_change(changed)
            if not changed:
                return obj
        expected = getattr(obj, "version", None) if self.mapped_model.versioned and is_stored else None
        record = self._make_record(obj, changed, {} if self.mapped_model.versioned else loaded)
        with _withhold_changes(obj, changed, loaded):
            self._commit_changes([SaveRecord(cast(Any, record), expected, actor)])
        return obj

    def delete(self, id: Any, actor: str | None = None) -> bool:
        """Delete a row, or soft-delete it if the class has ``deleted_at``; return whether it existed."""
        return self.delete_many([id], actor) == 1

    def delete_many(self, ids: Iterable[Any], actor: str | None = None) -> int:
        """Delete rows in one unit of work; return how many existed. A repeated id counts once.

        Raises:
            InvalidInputError: No row can have one of these primary keys; nothing was deleted.
        """
        keys = self._convert_keys(ids)
        return self._commit_changes([DeleteRecord(self.component, text, actor) for text in keys], keys)

    def restore(self, id: Any, actor: str | None = None) -> bool:
        """Restore a soft-deleted row; return whether the row exists now, deleted before or not.

        Raises:
            InvalidInputError: No row can have this primary key.
        """
        keys = self._convert_keys([id])
        changes = [RestoreRecord(self.component, text, actor) for text in keys]
        return self._commit_changes(changes, keys) == 1 or self.get(id) is not None

    def before_insert(self) -> Callable[[Hook], Hook]:
        """Register a hook that may change the new instance, or raise to refuse it."""
        return self._register_hook("before create")

    def after_insert(self) -> Callable[[Hook], Hook]:
        """Register a hook that runs after the row was written, inside the unit of work."""
        return self._register_hook("after create")

    def before_update(self) -> Callable[[Hook], Hook]:
        """Register a hook that may change the instance, or raise to refuse the change."""
        return self._register_hook("before update")

    def after_update(self) -> Callable[[Hook], Hook]:
        """Register a hook that runs after the change was written, inside the unit of work."""
        return self._register_hook("after update")

    def before_delete(self) -> Callable[[Hook], Hook]:
        """Register a hook that may raise to refuse the deletion."""
        return self._register_hook("before delete")

    def after_delete(self) -> Callable[[Hook], Hook]:
        """Register a hook that runs after the deletion was written, inside the unit of work."""
        return self._register_hook("after delete")

    def _register_hook(self, when: str) -> Callable[[Hook], Hook]:
        def register(hook: Hook) -> Hook:
            registered = _HOOKS.setdefault(self.component, {}).setdefault(when, {})
            registered[_hook_identity(hook)] = hook
            return hook

        return register

    def current_database(self) -> application.Database:
        """Return the database of the accessor, by default the application's."""
        return self._given_database or application.current_database()

    @contextlib.contextmanager
    def _open_session(self) -> Iterator[Any]:
        database = self.current_database()
        with (
            translate_errors(database.url),
            _report_unstorable_values(self.component, database.url),
            database.use_session() as session,
        ):
            yield session

    def _convert_keys(self, ids: Iterable[Any]) -> dict[str, Any]:
        """Return primary keys by their texts, each once."""
        keys = [self.mapped_model.convert_key(one) for one in _read_list(ids, "delete_many", "ids")]
        return {key_text(key): key for key in keys}

    def _commit_changes(self, changes: Sequence[Change], keys: Mapping[str, Any] | None = None) -> int:
        database = self.current_database()
        actor = database.current_actor()
        if actor is not None:
            changes = [replace(each, actor=actor) if each.actor is None else each for each in changes]
        saved = [cast(ModelRecord, each.record) for each in changes if isinstance(each, SaveRecord)]
        keys = keys or {
            each.id: getattr(each.instance, self.mapped_model.key) for each in saved if each.id is not None
        }
        positions = {id(each.instance): n for n, each in enumerate(saved, 1)} if len(saved) > 1 else {}
        hooks = self._collect_hooks(positions)
        store = ModelStore(database, self.mapped_model, self._audited, keys, bool(hooks.after))
        path = WritePath(cast(Store, store), hooks, ModelRecordType(self.mapped_model))

        def find_written() -> list[tuple[Any, Mapping[str, Any]]]:
            if saved:
                given = {id(each.instance): each.values for each in saved}
                instances = sa.util.IdentitySet([*(each.instance for each in saved), *store.added])
                return [(each, given.get(id(each), {})) for each in instances]
            rows = [self.get(key, include_deleted=True) for key in keys.values()]
            return [(row, {}) for row in rows if row is not None]

        with (
            translate_errors(database.url),
            _report_unstorable_values(self.component, database.url),
            report_unique_violations(
                database,
                self.mapped_model,
                find_written,
                [each.instance for each in saved] if len(saved) > 1 else (),
            ),
        ):
            written = path.commit(changes)
        for record in written:
            self._refresh_instance(cast(Any, record), store.stored_values)
        return len(written)

    def _collect_hooks(self, positions: Mapping[int, int]) -> Hooks:
        """Return the hooks; a refusal of an instance with a position, by its identity, names it."""
        registered = _HOOKS.get(self.component, {})
        hooks = Hooks()
        for operation in ("create", "update", "delete"):
            for hook in registered.get(f"before {operation}", {}).values():
                hooks.add_before(self.component, operation, self._wrap_before_hook(hook, positions))
            for hook in registered.get(f"after {operation}", {}).values():
                hooks.add_after(self.component, operation, self._wrap_after_hook(hook))
        return hooks

    def _wrap_before_hook(self, hook: Hook, positions: Mapping[int, int]) -> Any:
        def run(unit: UnitOfWork, record: ModelRecord) -> ModelRecord:
            session, instance = cast(ModelUnitOfWork, unit).session, record.instance
            if cast(ModelUnitOfWork, unit).find_row(record) is instance:
                # An instance in the session has the stored values again since its row was locked.
                for name, value in record.values.items():
                    stored_values.set_changed_value(instance, name, value)
            before = stored_values.copy_values(self.mapped_model.values_of(instance))
            with session.no_autoflush, _name_position(positions.get(id(instance), 0)):
                hook(session, instance)
                changed = self._find_hook_changes(instance, before)
            if not changed:
                return record
            if orm.attributes.instance_state(instance).key is not None:
                self._refuse_key_change(changed)
            for name, value in changed.items():
                stored_values.set_changed_value(instance, name, value)
            values = {**record.values, **changed}
            record_id = self._record_id(instance, values)
            soft_deletes = self.mapped_model.soft_deletes
            deleted_at = changed.get("deleted_at", record.deleted_at) if soft_deletes else record.deleted_at
            return replace(record, id=record_id, values=values, deleted_at=deleted_at)

        return run

    def _wrap_after_hook(self, hook: Hook) -> Any:
        def run(unit: UnitOfWork, record: ModelRecord) -> None:
            session, instance = cast(ModelUnitOfWork, unit).session, record.instance
            row = cast(ModelUnitOfWork, unit).find_row(record)
            if orm.attributes.instance_state(row).deleted:
                hook(session, instance)
                return
            before = stored_values.copy_values(self.mapped_model.values_of(instance))
            hook(session, instance)
            changed = self._find_hook_changes(instance, before)
            self._refuse_key_change(changed)
            for name, value in changed.items():
                stored_values.set_changed_value(row, name, value)

        return run

    def _find_hook_changes(self, instance: Any, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the validated values that a hook has changed, in place or not."""
        after = self.mapped_model.values_of(instance)
        changed = {name: value for name, value in after.items() if value != before.get(name, value)}
        is_new = orm.attributes.instance_state(instance).key is None
        return self.mapped_model.validate(changed, is_new=is_new) if changed else {}

    def _refuse_key_change(self, changed: Mapping[str, Any]) -> None:
        if self.mapped_model.key in changed:
            raise InvalidInputError(
                f"The {self.mapped_model.key} of a stored record of {self.component} cannot be changed; "
                "insert another record and delete this one."
            )

    def _refuse_unloaded(self, obj: Any) -> None:
        """Refuse an instance whose values a rollback has discarded, so that its changes are not known."""
        state = orm.attributes.instance_state(obj)
        if state.session is None and self.mapped_model.key in state.expired_attributes:
            raise InvalidInputError(
                f"The values of this record of {self.component} are not loaded any more, because its "
                "transaction was rolled back or has ended; load the record again."
            )

    def _make_record(self, obj: Any, values: dict[str, Any], loaded: dict[str, Any]) -> ModelRecord:
        deleted_at = values.get("deleted_at") if self.mapped_model.soft_deletes else None
        record_id = self._record_id(obj, values)
        return ModelRecord(self.component, record_id, obj, values, loaded, deleted_at=deleted_at)

    def _given_values(self, obj: Any) -> dict[str, Any]:
        """Return all values of a new instance, without a key or version that is assigned later."""
        assigned = {self.mapped_model.key} | names_filled_by_parents(obj)
        if self.mapped_model.versioned:
            assigned.add("version")
        values = self.mapped_model.values_of(obj)
        return {name: value for name, value in values.items() if value is not None or name not in assigned}

    def _find_changes(self, obj: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the values to write, and the values that the caller read in these attributes."""
        state = orm.attributes.instance_state(obj)
        if state.key is None:
            given = getattr(obj, "model_fields_set", None) or state.dict.keys()
            names = [name for name in self.mapped_model.columns if name in given]
            if getattr(obj, self.mapped_model.key) is None:
                return self._given_values(obj), {}
            return {name: getattr(obj, name) for name in names if name != self.mapped_model.key}, {}
        managed = ("version",) if self.mapped_model.versioned else ()
        changed = {
            name: getattr(obj, name)
            for name in self.mapped_model.columns
            if name not in managed
            and (state.attrs[name].history.has_changes() or stored_values.changed_in_place(obj, name))
        }
        read = {name: stored_values.value_as_read(obj, name) for name in changed}
        return changed, {name: value for name, (known, value) in read.items() if known}

    def _refresh_instance(self, record: ModelRecord, stored: Mapping[str, Mapping[str, Any]]) -> None:
        """Set the stored values on the caller's instance."""
        values = stored.get(cast(str, record.id))
        if values is None or not record.values:
            return
        if orm.attributes.instance_state(record.instance).key is None:
            stored_values.mark_as_stored(record.instance, values)
        else:
            stored_values.set_stored_values(record.instance, values)

    def _record_id(self, obj: Any, values: dict[str, Any]) -> str | None:
        """Return an instance's primary key as text, or None; the key gets its column's type."""
        given = getattr(obj, self.mapped_model.key)
        if given is None:
            return None
        key = self.mapped_model.convert_key(given)
        if orm.attributes.instance_state(obj).key is None and key is not given:
            setattr(obj, self.mapped_model.key, key)
        if self.mapped_model.key in values:
            values[self.mapped_model.key] = key
        return key_text(key)

    def _make_new_record(self, obj: Any, position: int) -> ModelRecord:
        """Return the validated record of a new instance; errors name its position, counted from 1."""
        with _name_position(position):
            record = self._make_record(obj, self._given_values(obj), {})
            record = ModelRecordType(self.mapped_model).validate_record(record)
            self.mapped_model.summarize_values(record.values)
            model_children.check_new_children(obj)
        return record

    def _accessor_of(self, obj: ModelType) -> ModelAccessor[ModelType]:
        """Return the accessor for an object's own class, which may have more columns than this one."""
        if type(obj) is self.model:
            return self
        derived = copy.copy(self)
        derived.model = type(obj)
        derived.mapped_model = self.mapped_model.for_instance(obj)
        return derived

    def _check_instance(self, obj: Any) -> None:
        if not isinstance(obj, self.model):
            raise InvalidInputError(
                f"A {type(obj).__name__} cannot be stored as a record of {self.component}; "
                f"give a {self.model.__name__}."
            )

    def _is_deleted(self, row: Any) -> bool:
        return self.mapped_model.soft_deletes and row.deleted_at is not None


@contextlib.contextmanager
def _name_position(position: int) -> Iterator[None]:
    """Name the position of a row of insert_many in the sentence that refuses it; 0 for the only row."""
    try:
        yield
    except ValueError as error:
        if not position or type(error) not in (ValueError, InvalidInputError):
            raise
        raise InvalidInputError(name_row(str(error), position)) from error


def _read_list(values: Any, method: str, what: str) -> list[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{method} takes a list of {what}, not a {type(values).__name__}.")
    return list(values)


@contextlib.contextmanager
def _name_taken_key(component: str, positions: Mapping[str, int]) -> Iterator[None]:
    """Name the position of a row of insert_many whose primary key is taken, by the ids of the rows."""
    try:
        yield
    except ConflictError as error:
        position = positions.get(error.record_id, 0)
        if error.kind != component or not position:
            raise
        raise ConflictError(
            name_row(str(error), position),
            kind=error.kind,
            record_id=error.record_id,
            stored_version=error.stored_version,
            changed_by=error.changed_by,
        ) from error


def _hook_identity(hook: Hook) -> Any:
    """Return what identifies a function when its module runs again: module, name, line of a lambda."""
    name = getattr(hook, "__qualname__", None)
    code = getattr(hook, "__code__", None)
    if name is None or getattr(hook, "__self__", None) is not None:
        # A method of an object, or a callable object.
        return hook
    is_lambda = name.endswith("<lambda>")
    return hook.__module__, name, code.co_firstlineno if is_lambda and code is not None else 0


@contextlib.contextmanager
def _withhold_changes(obj: Any, changed: Mapping[str, Any], loaded: Mapping[str, Any]) -> Iterator[None]:
    """Withhold changes to an instance in a session, so that no flush writes them before validation."""
    if orm.attributes.instance_state(obj).session is None:
        yield
        return
    for name in loaded:
        orm.attributes.set_committed_value(obj, name, loaded[name])
    try:
        yield
    except BaseException:
        for name, value in changed.items():
            setattr(obj, name, value)
        raise


@contextlib.contextmanager
def _report_unstorable_values(component: str, url: URL) -> Iterator[None]:
    """Turn errors that SQLAlchemy or a driver raises for a value into one sentence."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if not isinstance(error, sa.exc.DataError):
            raise
        raise InvalidInputError(
            f"A value of {component} cannot be stored: {first_line(url, error)}. Correct the value."
        ) from error
    except (sa.exc.StatementError, OverflowError) as error:
        reason = getattr(error, "orig", None) or error
        raise InvalidInputError(
            f"A value of {component} cannot be stored: {str(reason).rstrip('.')}. Correct the value."
        ) from error
