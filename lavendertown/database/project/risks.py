"""What a generated migration does to rows that are there, and cannot know: renames, for example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateTableOp,
    DropColumnOp,
    MigrateOperation,
)

from lavendertown.database.project.model_discovery import OWN_TABLES


def describe_risks(operations: Sequence[MigrateOperation]) -> Iterator[str]:
    """Say what a migration does to rows that are there: a rename is seen as a new column, for example."""
    added = [each for each in operations if isinstance(each, AddColumnOp)]
    dropped = [each for each in operations if isinstance(each, DropColumnOp)]
    for new in added:
        column = f"{new.table_name}.{new.column.name}"
        former = [each.column_name for each in dropped if each.table_name == new.table_name]
        if former:
            yield (
                f"The migration drops {', '.join(former)} of {new.table_name} with its values and adds "
                f"{new.column.name}. If that is a rename, write in the migration: op.alter_column("
                f"{new.table_name!r}, {former[0]!r}, new_column_name={new.column.name!r})."
            )
        if not new.column.nullable and new.column.server_default is None:
            yield (
                f"The column {column} is new, cannot be empty and has no server_default, so the migration "
                "fails where the table has rows. Give the column a server_default."
            )
    for each in operations:
        if isinstance(each, AlterColumnOp) and each.modify_nullable is False and each.existing_nullable:
            yield (
                f"The column {each.table_name}.{each.column_name} cannot be empty from now on, so the "
                "migration fails where a row has no value in it. Fill them in the migration before."
            )


def describe_renamed_tables(
    operations: Sequence[MigrateOperation], metadata: sa.MetaData, connection: sa.Connection | None
) -> Iterator[str]:
    """Name the tables that may be new names of others: a table without a model has most of their columns."""
    if connection is None:
        return
    for new in operations:
        if not isinstance(new, CreateTableOp):
            continue
        columns = {each.name for each in new.columns if isinstance(each, sa.Column)}
        schema = f", schema={new.schema!r}" if new.schema else ""
        for former, stored in _columns_without_model(metadata, connection, new.schema).items():
            if 2 * len(columns & stored) > max(len(columns), len(stored)):
                yield (
                    f"The migration creates the table {new.table_name} and leaves {former} as it is, which "
                    "has most of its columns and no model. If that is a rename, replace op.create_table and "
                    "the changes of foreign keys to it by: "
                    f"op.rename_table({former!r}, {new.table_name!r}{schema})."
                )


def _columns_without_model(
    metadata: sa.MetaData, connection: sa.Connection, schema: str | None
) -> dict[str, set[str]]:
    """Return the names of the columns of each table that neither a model nor LavenderTown describes."""
    described = {table.name for table in metadata.tables.values() if table.schema == schema}
    tables = sa.inspect(connection).get_multi_columns(schema=schema)
    return {
        name: {column["name"] for column in columns}
        for (_, name), columns in tables.items()
        if name is not None and name not in described | OWN_TABLES
    }
