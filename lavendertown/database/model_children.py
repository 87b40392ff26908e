"""Rows that are stored or deleted together with another row, through its relationships: audited too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core.errors import ConfigurationError, InvalidInputError
from lavendertown.database.model_keys import key_text, python_type_of
from lavendertown.database.model_records import MappedModel, make_validator, summarize_values
from lavendertown.records.record_classes import AuditEvent

_components: dict[type, str] = {}
_QUERIED = ("dynamic", "raise", "raise_on_sql")
"""Ways of loading a relationship that do not give its rows as a collection."""


@dataclass(frozen=True)
class AffectedChild:
    """A row that changes because its parent is deleted: what the audit log keeps of it.

    Attributes:
        before: Its values before.
        row: The row that remains, without its foreign key; None if it is deleted, too.
    """

    component: str
    record_id: str
    before: dict[str, Any]
    row: Any = None


def register_component(mapped: type, component: str) -> None:
    """Register the component name under which a class is audited, also for its rows as children."""
    _components[mapped] = component


def key_type_of(component: str) -> type | None:
    """Return the type of the primary keys of a component's class; None if no accessor was made for it."""
    for mapped, name in _components.items():
        if name == component:
            mapper: orm.Mapper[Any] = sa.inspect(mapped)
            return python_type_of(mapper.primary_key[0])
    return None


def check_new_children(instance: Any) -> list[Any]:
    """Return the new instances that are stored together with this one.

    Raises:
        InvalidInputError: A value of one of them may not be stored.
    """
    children = _find_new_children(instance)
    for child in children:
        columns = _columns_of(child)
        given = _given_values(child, columns)
        converted = make_validator(type(child), columns)(given, is_new=True)
        for name, value in converted.items():
            if value is not given[name]:
                setattr(child, name, value)
    return children


def refuse_related_changes(instance: Any, component: str, changed: Collection[str]) -> None:
    """Refuse to save a stored row with changed relationships, because only its own values are saved.

    Args:
        instance: The row.
        component: The component's name.
        changed: The attributes that are saved; they may include the foreign key of a changed relationship.

    Raises:
        InvalidInputError: A related row is new, or, outside of a session, a relationship was changed.
    """
    state = orm.attributes.instance_state(instance)
    new = sorted({type(child).__name__ for child in _find_new_children(instance)})
    if new:
        raise InvalidInputError(
            f"A new {' or '.join(new)} cannot be saved through a stored record of {component}; "
            "nothing was written. Insert it with an accessor of its own class."
        )
    if state.session is not None:
        # A flush of the session writes the change.
        return
    unsaved = [
        relation.key
        for relation in state.mapper.relationships
        if not relation.viewonly
        and state.attrs[relation.key].history.has_changes()
        and not _is_saved_as_value(relation, changed)
    ]
    if unsaved:
        raise InvalidInputError(
            f"The change of {' and '.join(unsaved)} in a stored record of {component} cannot be saved; "
            "nothing was written. Change the foreign key, or save the related rows themselves."
        )


def audit_children(
    session: orm.Session, children: Sequence[Any], parent: AuditEvent, on_behalf_of: str
) -> list[AuditEvent]:
    """Return the audit events of children just written, with the values that the database stored.

    Args:
        session: The session.
        children: The children.
        parent: The audit event of the row through which they were stored.
        on_behalf_of: The person for whom the actor acts; empty for none.
    """
    mark = {"on_behalf_of": on_behalf_of} if on_behalf_of else {}
    return [_audit_child(session, child, parent, mark) for child in children]


def delete_with_children(session: orm.Session, row: Any) -> list[AffectedChild]:
    """Mark a row as deleted; return the rows that its relationships delete with it, or release.

    Raises:
        ConfigurationError: SQLAlchemy cannot find the rows of a relationship.
    """
    _refuse_write_only(row)
    deleted_before = sa.util.IdentitySet(session.deleted)
    released = _find_released_children(session, row)
    session.delete(row)
    deleted = [child for child in session.deleted if child is not row and child not in deleted_before]
    affected = [_describe_affected(child, None) for child in deleted]
    return affected + [_describe_affected(child, child) for child in released if child not in session.deleted]


def audit_affected_children(
    session: orm.Session, children: Sequence[AffectedChild], written: Sequence[AuditEvent]
) -> list[AuditEvent]:
    """Return the audit events of rows that changed because the rows of audit events were deleted."""
    parent, events = written[0], []
    named = {(event.component, event.record_id) for event in written}
    for child in children:
        if (child.component, child.record_id) in named:
            continue
        operation, after = "delete", None
        if child.row is not None:
            session.refresh(child.row, list(_columns_of(child.row)))
            operation, after = "update", _summarize_child(child.row)
        if after != child.before:
            name, record_id = child.component, child.record_id
            events.append(
                AuditEvent(parent.at, parent.actor, name, record_id, operation, child.before, after)
            )
    return events


def _describe_affected(child: Any, remaining: Any) -> AffectedChild:
    return AffectedChild(_component_of(child), _record_id_of(child), _summarize_child(child), remaining)


def _find_released_children(session: orm.Session, row: Any) -> list[Any]:
    """Return the rows whose foreign keys SQLAlchemy sets to NULL when a row is deleted."""
    released: list[Any] = []
    for relation in orm.attributes.instance_state(row).mapper.relationships:
        if (
            relation.direction is orm.ONETOMANY
            and not relation.viewonly
            and not relation.cascade.delete
            and not relation.passive_deletes
            and relation.lazy != "noload"
        ):
            if relation.lazy in _QUERIED:
                released += _query_related(session, row, relation)
                continue
            found = getattr(row, relation.key)
            if relation.uselist:
                released += orm.collections.collection_adapter(found)
            elif found is not None:
                released.append(found)
    return released


def _refuse_write_only(row: Any) -> None:
    for relation in orm.attributes.instance_state(row).mapper.relationships:
        if relation.lazy == "write_only" and not (relation.passive_deletes or relation.viewonly):
            raise ConfigurationError(
                f"{relation} is write_only, so its rows are not found when a row of {type(row).__name__} is "
                "deleted; nothing was written. Give the relationship passive_deletes=True."
            )


def _query_related(session: orm.Session, row: Any, relation: orm.RelationshipProperty[Any]) -> Sequence[Any]:
    query = sa.select(relation.mapper.class_).where(orm.with_parent(row, relation.class_attribute))
    return session.scalars(query).unique().all()


def _audit_child(session: orm.Session, child: Any, parent: AuditEvent, mark: dict[str, str]) -> AuditEvent:
    session.refresh(child, list(_columns_of(child)))
    after = _summarize_child(child) | mark
    component, record_id = _component_of(child), _record_id_of(child)
    return AuditEvent(parent.at, parent.actor, component, record_id, "create", None, after)


def _component_of(child: Any) -> str:
    return _components.get(type(child), str(orm.attributes.instance_state(child).mapper.local_table))


def _record_id_of(child: Any) -> str:
    key = orm.attributes.instance_state(child).identity or ()
    return key_text(key[0]) if len(key) == 1 else key_text(",".join(key_text(part) for part in key))


def _summarize_child(child: Any) -> dict[str, Any]:
    values = {name: getattr(child, name) for name in _columns_of(child)}
    return summarize_values(_component_of(child), values)


def _find_new_children(instance: Any) -> list[Any]:
    """Return the new instances that are related to this one, directly or not, and stored with it."""
    state = orm.attributes.instance_state(instance)
    related = state.mapper.cascade_iterator("save-update", state)
    return [child for child, _, of, _ in related if of.key is None and child is not instance]


def _is_saved_as_value(relation: orm.RelationshipProperty[Any], changed: Collection[str]) -> bool:
    """Return whether a relationship is a foreign key of the row whose attributes are saved."""
    columns = [relation.parent.get_property_by_column(each).key for each in relation.local_columns]
    return relation.direction is orm.MANYTOONE and all(name in changed for name in columns)


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
