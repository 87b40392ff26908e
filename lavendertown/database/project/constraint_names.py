"""Names of unique constraints and foreign keys in a project's migrations.

A migration can only drop a constraint that has a name. Constraints without one get the name that PostgreSQL
gives them, so a migration runs on either database. SQLite gives none: there, alembic neither notices that an
unnamed unique constraint was removed, nor can it drop an unnamed constraint.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateTableOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    MigrateOperation,
    ModifyTableOps,
    OpContainer,
)
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult

PLUGIN = "lavendertown.constraint_names"
"""The name under which alembic finds the comparison."""

_NAMING_CONVENTION = {
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
}
_NAME_LENGTH = 63


class DropUnnamedConstraintOp(DropConstraintOp):
    """Drop a constraint that has a name by the naming convention only."""


class ModifyUnnamedOps(ModifyTableOps):
    """Change a table whose unnamed constraints are reflected with names by the naming convention."""


def name_new_constraints(operations: Iterable[MigrateOperation]) -> None:
    """Name the unique constraints and foreign keys that a migration creates, as PostgreSQL would."""
    taken: set[str] = set()
    for operation in operations:
        if isinstance(operation, CreateUniqueConstraintOp) and not operation.constraint_name:
            names = [str(getattr(each, "name", each)) for each in operation.columns]
            operation.constraint_name = _free_name(operation.table_name, names, "key", taken)
        elif isinstance(operation, CreateForeignKeyOp) and not operation.constraint_name:
            names = [str(each) for each in operation.local_cols]
            operation.constraint_name = _free_name(operation.source_table, names, "fkey", taken)
        elif isinstance(operation, CreateTableOp):
            for item in operation.columns:
                if isinstance(item, (sa.UniqueConstraint, sa.ForeignKeyConstraint)) and item.name is None:
                    label = "key" if isinstance(item, sa.UniqueConstraint) else "fkey"
                    names = [column.name for column in item.columns]
                    item.name = _free_name(operation.table_name, names, label, taken)


def name_dropped_foreign_keys(operations: Iterable[MigrateOperation]) -> None:
    """Name the unnamed foreign keys that a migration drops, by the naming convention."""
    for table in operations:
        if not isinstance(table, ModifyTableOps):
            continue
        for position, operation in enumerate(table.ops):
            if isinstance(operation, DropConstraintOp) and operation.constraint_name is None:
                constraint = operation.to_constraint()
                if isinstance(constraint, sa.ForeignKeyConstraint):
                    constraint.name = f"{table.table_name}_{'_'.join(constraint.column_keys)}_fkey"
                    table.ops[position] = DropUnnamedConstraintOp.from_constraint(constraint)


def mark_unnamed_drops(container: OpContainer) -> None:
    """Replace the operations on tables that drop unnamed constraints, so that the migration names them."""
    for position, each in enumerate(container.ops):
        if isinstance(each, ModifyTableOps) and any(
            isinstance(op, DropUnnamedConstraintOp) for op in each.ops
        ):
            container.ops[position] = ModifyUnnamedOps(each.table_name, each.ops, schema=each.schema)


def _free_name(table: str, columns: Sequence[str], label: str, taken: set[str]) -> str:
    """Return the name that PostgreSQL gives a constraint; it numbers the names that are taken."""
    for number in itertools.count():
        name = _clipped_name(table, "_".join(columns), f"{label}{number or ''}")
        if name not in taken:
            break
    taken.add(name)
    return name


def _clipped_name(table: str, columns: str, label: str) -> str:
    """Shorten the longer one of table and columns, as PostgreSQL does: the label tells the kind."""
    while len(f"{table}_{columns}_{label}".encode()) > _NAME_LENGTH:
        if len(table.encode()) > len(columns.encode()):
            table = table[:-1]
        else:
            columns = columns[:-1]
    return f"{table}_{columns}_{label}"


def _find_removed(
    context: AutogenContext,
    modify_ops: ModifyTableOps,
    schema: str | None,
    table_name: str,
    stored: sa.Table | None,
    described: sa.Table | None,
) -> PriorityDispatchResult:
    """Add an operation for each unnamed unique constraint that no model has any more."""
    if context.dialect is None or context.dialect.name != "sqlite" or stored is None or described is None:
        return PriorityDispatchResult.CONTINUE
    kept = {
        tuple(sorted(column.name for column in each.columns))
        for each in described.constraints
        if isinstance(each, sa.UniqueConstraint)
    }
    for found in context.inspector.get_unique_constraints(table_name, schema=schema):
        names = found["column_names"]
        if found["name"] is None and tuple(sorted(names)) not in kept:
            constraint = _named_constraint(table_name, schema, names)
            modify_ops.ops.append(DropUnnamedConstraintOp.from_constraint(constraint))
    return PriorityDispatchResult.CONTINUE


def _named_constraint(table_name: str, schema: str | None, names: Sequence[str]) -> sa.UniqueConstraint:
    constraint = sa.UniqueConstraint(*names, name=f"{table_name}_{'_'.join(names)}_key")
    sa.Table(table_name, sa.MetaData(), *map(sa.Column[Any], names), constraint, schema=schema)
    return constraint


@renderers.dispatch_for(ModifyUnnamedOps)
def _render_with_names(context: AutogenContext, operation: ModifyUnnamedOps) -> list[str]:
    plain: MigrateOperation = ModifyTableOps(operation.table_name, operation.ops, schema=operation.schema)
    first, *others = renderers.dispatch(plain)(context, plain)
    return [first.replace(") as ", f", naming_convention={_NAMING_CONVENTION!r}) as ", 1), *others]


Plugin(PLUGIN).add_autogenerate_comparator(_find_removed, "table")
