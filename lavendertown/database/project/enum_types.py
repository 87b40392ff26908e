"""PostgreSQL's enum types in a project's migrations.

Alembic creates the type of an enum column with a new table only, and never drops it. Here a migration creates
and drops each type by operations of its own, and its columns only refer to the type.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateTableOp,
    DropColumnOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

_Alter = TypeVar("_Alter", bound=AlterColumnOp)
_Enums = dict[tuple[str | None, str], sa.Enum]


class CreateEnumOp(MigrateOperation):
    """Create an enum type, and drop it on the way back unless it was there before."""

    def __init__(self, enum: sa.Enum, *, is_new: bool = True) -> None:
        self.enum = enum
        self.is_new = is_new

    def reverse(self) -> MigrateOperation:
        """Return the operation that drops the type."""
        return DropEnumOp(self.enum, is_kept=not self.is_new)


class DropEnumOp(MigrateOperation):
    """Drop an enum type."""

    def __init__(self, enum: sa.Enum, *, is_kept: bool = False) -> None:
        self.enum = enum
        self.is_kept = is_kept

    def reverse(self) -> MigrateOperation:
        """Return the operation that creates the type."""
        return CreateEnumOp(self.enum)


class AlterEnumColumnOp(AlterColumnOp):
    """Change the type of a column from or to an enum, which PostgreSQL does only with an explicit cast."""


def add_type_operations(
    upgrade: UpgradeOps,
    operations: Sequence[MigrateOperation],
    metadata: sa.MetaData,
    connection: sa.Connection | None,
) -> None:
    """Add operations that create the enum types that are new, and drop those that no column has any more.

    Args:
        upgrade: The operations of the migration, which are changed.
        operations: The same, each one with those inside it.
        metadata: The tables of the models.
        connection: The database; a type that is in it already is not dropped by a downgrade.
    """
    added, changed = _added_enums(operations)
    removed = _removed_enums(operations)
    kept = _collect_enums(
        column.type
        for table in metadata.tables.values()
        for column in table.columns
        if (table.schema, table.name, column.name) not in changed
    )
    stored = _stored_enums(connection)
    creations = [
        CreateEnumOp(enum, is_new=key not in stored)
        for key, enum in added.items()
        if key not in kept and key not in removed
    ]
    drops = [DropEnumOp(enum) for key, enum in removed.items() if key not in kept and key not in added]
    upgrade.ops[:] = [*creations, *upgrade.ops, *drops]
    for table in upgrade.ops:
        if isinstance(table, ModifyTableOps):
            table.ops[:] = [_with_cast(each) for each in table.ops]


def render_enum(enum: sa.Enum) -> str | None:
    """Render an enum that does not create its type; None for one that has none of its own."""
    if not _has_type(enum):
        return None
    reference = copy.copy(enum) if type(enum) is sa.Enum else _plain_enum(enum)
    reference.create_type = False
    return f"sa.{reference!r}"


def _added_enums(operations: Iterable[MigrateOperation]) -> tuple[_Enums, set[tuple[str | None, str, str]]]:
    """Return the enums of new and changed columns, and the schema, table and name of these columns."""
    types: list[TypeEngine[Any]] = []
    columns: set[tuple[str | None, str, str]] = set()
    for each in operations:
        if isinstance(each, CreateTableOp):
            for column in each.columns:
                if isinstance(column, sa.Column):
                    types.append(column.type)
                    columns.add((each.schema, each.table_name, column.name))
        elif isinstance(each, AddColumnOp):
            types.append(each.column.type)
            columns.add((each.schema, each.table_name, each.column.name))
        elif isinstance(each, AlterColumnOp) and each.modify_type is not None:
            types.append(each.modify_type)
            columns.add((each.schema, each.table_name, each.column_name))
    return _collect_enums(types), columns


def _removed_enums(operations: Iterable[MigrateOperation]) -> _Enums:
    types: list[TypeEngine[Any]] = []
    for each in operations:
        if isinstance(each, DropColumnOp):
            types.append(each.to_column().type)
        elif (
            isinstance(each, AlterColumnOp)
            and each.modify_type is not None
            and each.existing_type is not None
        ):
            types.append(each.existing_type)
    return _collect_enums(types)


def _collect_enums(types: Iterable[TypeEngine[Any]]) -> _Enums:
    return {(enum.schema, str(enum.name)): enum for each in types for enum in _enums_within(each)}


def _enums_within(column_type: TypeEngine[Any]) -> Iterator[sa.Enum]:
    if isinstance(column_type, TypeDecorator):
        yield from _enums_within(column_type.impl_instance)
    elif isinstance(column_type, sa.ARRAY):
        yield from _enums_within(column_type.item_type)
    elif isinstance(column_type, sa.Enum) and _has_type(column_type):
        yield column_type


def _has_type(enum: sa.Enum) -> bool:
    """Whether PostgreSQL stores an enum in a type of its own that a migration has to create."""
    return enum.native_enum and enum.create_type and bool(enum.name) and not enum._variant_mapping


def _stored_enums(connection: sa.Connection | None) -> set[tuple[str | None, str]]:
    if connection is None or connection.dialect.name != "postgresql":
        return set()
    inspector: Any = sa.inspect(connection)
    return {
        (None if each["visible"] else each["schema"], each["name"])
        for each in inspector.get_enums(schema="*")
    }


def _plain_enum(enum: sa.Enum) -> sa.Enum:
    return sa.Enum(*enum.enums, name=enum.name, schema=enum.schema)


def _with_cast(operation: MigrateOperation) -> MigrateOperation:
    if not isinstance(operation, AlterColumnOp) or operation.modify_type is None:
        return operation
    types = [each for each in (operation.modify_type, operation.existing_type) if each is not None]
    if not _collect_enums(types):
        return operation
    return _copy_as(AlterEnumColumnOp, operation)


def _copy_as(kind: type[_Alter], operation: AlterColumnOp) -> _Alter:
    arguments = {name: value for name, value in vars(operation).items() if name not in ("kw", "info")}
    return kind(**arguments, **operation.kw)


@renderers.dispatch_for(CreateEnumOp)
def _render_creation(_: AutogenContext, operation: CreateEnumOp) -> str:
    return f"sa.{_plain_enum(operation.enum)!r}.create(op.get_bind(), checkfirst=True)"


@renderers.dispatch_for(DropEnumOp)
def _render_drop(_: AutogenContext, operation: DropEnumOp) -> str | list[str]:
    if operation.is_kept:
        return []
    return f"sa.{_plain_enum(operation.enum)!r}.drop(op.get_bind(), checkfirst=True)"


@renderers.dispatch_for(AlterEnumColumnOp)
def _render_with_cast(context: AutogenContext, operation: AlterEnumColumnOp) -> str:
    plain: MigrateOperation = _copy_as(AlterColumnOp, operation)
    text = str(renderers.dispatch(plain)(context, plain))
    if operation.modify_type is None or not _collect_enums([operation.modify_type]):
        return text
    dialect: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    column = dialect.identifier_preparer.quote(operation.column_name)
    cast = f"{column}::text::{operation.modify_type.compile(dialect)}"
    return f"{text[:-1]},\n           postgresql_using={cast!r})"
