"""New rows that are stored through the relationships of another row: validated and audited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.database.model_keys import key_text
from lavendertown.database.model_records import MappedModel, make_validator, summarize_values
from lavendertown.records.record_classes import AuditEvent

_components: dict[type, str] = {}


def register_component(mapped: type, component: str) -> None:
    """Register the component name under which a class is audited, also for its rows as children."""
    _components[mapped] = component


def check_new_children(instance: Any) -> list[Any]:
    """Return the new instances that are stored together with this one.

    Raises:
        InvalidInputError: A value of one of them may not be stored.
    """
    state = orm.attributes.instance_state(instance)
    related = state.mapper.cascade_iterator("save-update", state)
    children = [child for child, _, of, _ in related if of.key is None and child is not instance]
    for child in children:
        columns = _columns_of(child)
        given = _given_values(child, columns)
        converted = make_validator(type(child), columns)(given)
        for name, value in converted.items():
            if value is not given[name]:
                setattr(child, name, value)
    return children


def audit_children(
    session: orm.Session, children: Sequence[Any], at: dt.datetime, actor: str
) -> list[AuditEvent]:
    """Return the audit events of children just written, with the values that the database stored."""
    return [_audit_child(session, child, at, actor) for child in children]


def _audit_child(session: orm.Session, child: Any, at: dt.datetime, actor: str) -> AuditEvent:
    columns = _columns_of(child)
    session.refresh(child, list(columns))
    state = orm.attributes.instance_state(child)
    component = _components.get(type(child), str(state.mapper.local_table))
    key = state.identity or ()
    record_id = key_text(key[0]) if len(key) == 1 else key_text(",".join(key_text(part) for part in key))
    after = summarize_values(component, {name: getattr(child, name) for name in columns})
    return AuditEvent(at, actor, component, record_id, "create", None, after)


def _columns_of(instance: Any) -> dict[str, sa.Column[Any]]:
    return MappedModel.find_columns(orm.attributes.instance_state(instance).mapper)


def _given_values(child: Any, columns: dict[str, sa.Column[Any]]) -> dict[str, Any]:
    """Return the values of a child, without those that its relationship or the database fills in."""
    values = {name: getattr(child, name) for name in columns}
    return {
        name: value
        for name, value in values.items()
        if value is not None or not (columns[name].primary_key or columns[name].foreign_keys)
    }
