"""What the database stores of an instance, and what its caller read."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.mutable import MutableBase

_READ_VALUES = "lavendertown_read_values"
_BATCH_SIZE = 500
_watched: set[type] = set()


def read_stored_rows(
    session: orm.Session, mapped: type, key: str, names: Sequence[str], keys: Sequence[Any]
) -> list[dict[str, Any]]:
    """Return the values of these attributes as the database holds them, for the rows with these keys.

    Whatever a default, a trigger or a column's type made of what was written is seen.
    """
    columns = [getattr(mapped, name) for name in names]
    found: list[dict[str, Any]] = []
    with session.no_autoflush:
        for start in range(0, len(keys), _BATCH_SIZE):
            query = sa.select(*columns).where(getattr(mapped, key).in_(keys[start : start + _BATCH_SIZE]))
            found += [dict(zip(names, row, strict=True)) for row in session.execute(query)]
    return found


def set_stored_values(instance: Any, values: Mapping[str, Any]) -> None:
    """Set these values on an instance as read from the database, without any change to write."""
    state = orm.attributes.instance_state(instance)
    for name, value in values.items():
        current = state.dict.get(name)
        # A tracked value knows its instance; an equal one is kept.
        if not (isinstance(current, MutableBase) and current == value and name not in state.committed_state):
            orm.attributes.set_committed_value(instance, name, value)
    _remember_values(state, values)


def is_mutable(value: Any) -> bool:
    """Return whether a value can be changed without being replaced."""
    return isinstance(value, dict | list | set | bytearray)


def copy_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of values by attribute, to be compared with them after they may have changed in place."""
    return {name: copy.deepcopy(value) if is_mutable(value) else value for name, value in values.items()}


def set_changed_value(instance: Any, name: str, value: Any) -> None:
    """Set a value on an instance in a session and have it written, also if it was changed in place."""
    state = orm.attributes.instance_state(instance)
    changed_already = is_mutable(value) and state.dict.get(name) is value
    setattr(instance, name, value)
    if changed_already:
        orm.attributes.flag_modified(instance, name)


def mark_as_stored(instance: Any, values: Mapping[str, Any]) -> None:
    """Let a transient instance be a stored row with these values, so that later changes to it are seen."""
    orm.make_transient_to_detached(instance)
    set_stored_values(instance, values)


def changed_in_place(instance: Any, name: str) -> bool:
    """Return whether a dictionary or list differs from what was read, without having been replaced."""
    state = orm.attributes.instance_state(instance)
    read = state.info.get(_READ_VALUES, {})
    return name in read and name in state.dict and bool(state.dict[name] != read[name])


def value_as_read(instance: Any, name: str) -> tuple[bool, Any]:
    """Return whether a changed attribute's former value is known, and that value."""
    state = orm.attributes.instance_state(instance)
    read = state.info.get(_READ_VALUES, {})
    if name in read:
        return True, read[name]
    former = state.committed_state.get(name, orm.base.NO_VALUE)
    return former is not orm.base.NO_VALUE, former


def watch_mutable_values(mapped: type) -> None:
    """Remember, from now on, what is read into the dictionaries and lists of a class's instances."""
    if mapped in _watched:
        return
    _watched.add(mapped)
    sa.event.listen(mapped, "load", _on_load, propagate=True)
    sa.event.listen(mapped, "refresh", _on_refresh, propagate=True)
    sa.event.listen(mapped, "after_insert", _on_insert, propagate=True)
    sa.event.listen(mapped, "after_update", _on_update, propagate=True)


def _on_load(instance: Any, _context: Any) -> None:
    state = orm.attributes.instance_state(instance)
    _remember_values(state, state.dict)


def _on_refresh(instance: Any, _context: Any, names: Collection[str] | None) -> None:
    state = orm.attributes.instance_state(instance)
    _remember_values(state, state.dict if names is None else names)


def _on_insert(_mapper: Any, _connection: Any, instance: Any) -> None:
    state = orm.attributes.instance_state(instance)
    _remember_values(state, state.dict)


def _on_update(_mapper: Any, _connection: Any, instance: Any) -> None:
    state = orm.attributes.instance_state(instance)
    _remember_values(state, state.committed_state)


def _remember_values(state: orm.InstanceState[Any], names: Collection[str] | Mapping[str, Any]) -> None:
    """Keep copies of those values that can be changed in place."""
    read = dict(state.info.get(_READ_VALUES, {}))
    columns = state.mapper.column_attrs
    for name in names:
        value = state.dict.get(name)
        if is_mutable(value) and name in columns:
            read[name] = copy.deepcopy(value)
        else:
            read.pop(name, None)
    if read or _READ_VALUES in state.info:
        state.info[_READ_VALUES] = read
