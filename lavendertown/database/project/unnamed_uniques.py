"""Unique constraints without a name in SQLite, which alembic neither notices as removed nor can drop.

They get the names that PostgreSQL gives them, so a migration that drops one runs on either database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import DropConstraintOp, MigrateOperation, ModifyTableOps, OpContainer
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult

PLUGIN = "lavendertown.unnamed_uniques"
"""The name under which alembic finds the comparison."""

_NAMING_CONVENTION = {"uq": "%(table_name)s_%(column_0_N_name)s_key"}


class DropUnnamedUniqueOp(DropConstraintOp):
    """Drop a unique constraint that has a name by the naming convention only."""


class ModifyUnnamedOps(ModifyTableOps):
    """Change a table whose unnamed unique constraints are reflected with names by the naming convention."""


def mark_unnamed_drops(container: OpContainer) -> None:
    """Replace the operations on tables that drop unnamed constraints, so that the migration names them."""
    for position, each in enumerate(container.ops):
        if isinstance(each, ModifyTableOps) and any(isinstance(op, DropUnnamedUniqueOp) for op in each.ops):
            container.ops[position] = ModifyUnnamedOps(each.table_name, each.ops, schema=each.schema)


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
            modify_ops.ops.append(DropUnnamedUniqueOp.from_constraint(constraint))
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
