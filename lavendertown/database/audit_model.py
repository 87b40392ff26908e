"""The audit log as a mapped class, for an application's own queries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ColumnProperty, column_property, registry
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql import operators

from lavendertown.core.errors import InvalidInputError
from lavendertown.database.model_children import key_type_of
from lavendertown.database.model_keys import key_text
from lavendertown.stores.sql.schema.tables import audit_log

_ORDER_OPERATORS = (
    *(operators.lt, operators.le, operators.gt, operators.ge),
    *(operators.between_op, operators.not_between_op),
)


class AuditLog:
    """A change in the audit log, with the record before and after; a session refuses to change it.

    ``record_id`` can be tested for equality with keys of any type, such as ``AuditLog.record_id == user.id``
    (on the left side where the other one is a column). In an entry it is an integer if the component's class
    has integer keys, and an accessor of it exists; else text.
    """

    id: Any
    timestamp: Any
    actor: Any
    component: Any
    record_id: Any
    operation: Any
    before: Any
    after: Any

    def __repr__(self) -> str:
        at: dt.datetime = self.timestamp
        return f"<AuditLog {self.operation} {self.component} {self.record_id} by {self.actor} at {at:%F %T}>"


class _RecordIdComparator(ColumnProperty.Comparator[str]):
    """Compares a record's id, which is text, with keys of any type: values, lists of them and columns."""

    def operate(self, op: Any, *other: Any, **options: Any) -> Any:
        if op in _ORDER_OPERATORS and not all(isinstance(each, str) for each in other):
            raise InvalidInputError(
                "AuditLog.record_id is text, which sorts differently from numbers. Convert it first, such as "
                "sqlalchemy.cast(AuditLog.record_id, sqlalchemy.Integer)."
            )
        own: Any = self.__clause_element__()
        if any(_is_uuid(each) for each in other):
            # Databases without the type store UUIDs without hyphens.
            own = sa.func.replace(own, "-", "")
        return op(own, *(_to_key_text(each) for each in other), **options)

    def reverse_operate(self, op: Any, other: Any, **options: Any) -> Any:
        return op(_to_key_text(other), self.__clause_element__(), **options)


def _to_key_text(value: Any) -> Any:
    if value is None:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_key_text(each) for each in value]
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, sa.ColumnElement):
        return _to_text_column(value)
    if isinstance(value, sa.Select) and len(value.selected_columns) == 1:
        return value.with_only_columns(_to_text_column(value.selected_columns[0]), maintain_column_froms=True)
    return value if isinstance(value, sa.ClauseElement) else key_text(value)


def _is_uuid(value: Any) -> bool:
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, sa.Select) and len(value.selected_columns) == 1:
        value = value.selected_columns[0]
    return isinstance(value, sa.ColumnElement) and isinstance(value.type, sa.Uuid)


def _to_text_column(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    kinds = (sa.Integer, sa.Date, sa.Boolean)
    if isinstance(column.type, sa.Uuid):
        return sa.func.replace(sa.cast(column, sa.String), "-", "")
    return sa.cast(column, sa.String) if isinstance(column.type, kinds) else column


registry(metadata=audit_log.metadata).map_imperatively(
    AuditLog,
    audit_log,
    properties={
        "id": audit_log.c.key,
        "timestamp": audit_log.c.at,
        "record_id": column_property(audit_log.c.record_id, comparator_factory=_RecordIdComparator),
    },
)


def _restore_key(entry: AuditLog, *_: Any) -> None:
    """Give an entry the record's key as its class has it."""
    if key_type_of(entry.component) is int and entry.record_id.removeprefix("-").isdecimal():
        set_committed_value(entry, "record_id", int(entry.record_id))


def _refuse_change(mapper: Any, connection: sa.Connection, entry: AuditLog) -> None:
    raise InvalidInputError("The audit log cannot be changed; nothing was written.")


for _event in ("load", "refresh"):
    sa.event.listen(AuditLog, _event, _restore_key)
for _event in ("before_insert", "before_update", "before_delete"):
    sa.event.listen(AuditLog, _event, _refuse_change)
