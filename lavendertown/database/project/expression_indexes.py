"""Indexes on expressions in SQLite, which alembic does not compare because it cannot reflect them.

Those that are missing by name are created. One that no model has any more is not noticed.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateIndexOp, ModifyTableOps
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult

PLUGIN = "lavendertown.expression_indexes"
"""The name under which alembic finds the comparison."""


@contextlib.contextmanager
def hide_skipping() -> Iterator[None]:
    """Hide alembic's warning that it does not compare an index that is compared here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        yield


def _find_missing(
    context: AutogenContext,
    modify_ops: ModifyTableOps,
    schema: str | None,
    table_name: str,
    stored: sa.Table | None,
    described: sa.Table | None,
) -> PriorityDispatchResult:
    if context.connection is None or context.connection.dialect.name != "sqlite" or described is None:
        return PriorityDispatchResult.CONTINUE
    catalog = sa.table("sqlite_master", sa.column("name"), sa.column("type"), schema=schema)
    names = set(context.connection.scalars(sa.select(catalog.c.name).where(catalog.c.type == "index")))
    for index in sorted(described.indexes, key=lambda each: str(each.name)):
        if index.name not in names and not all(isinstance(each, sa.Column) for each in index.expressions):
            modify_ops.ops.append(CreateIndexOp.from_index(index))
    return PriorityDispatchResult.CONTINUE


Plugin(PLUGIN).add_autogenerate_comparator(_find_missing, "table")
