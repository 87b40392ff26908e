"""One call that makes an application's database ready."""

from __future__ import annotations

import sys

import sqlalchemy as sa

from lavendertown.database import application
from lavendertown.database.base import Base
from lavendertown.database.schema import lock


def bootstrap(*, database_url: str | None = None, create_tables: bool = True) -> None:
    """Choose the application's database and make its tables.

    Args:
        database_url: SQLite or PostgreSQL; the one chosen before, or the configured one, by default.
        create_tables: Whether LavenderTown's tables (the audit log among them) and those of all
            classes known by now are made where they are missing.

    Raises:
        ConfigurationError: The URL is not one, or of a database that is not supported.
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: It does not answer.
    """
    if database_url is not None:
        application.set_database_url(database_url)
    if create_tables:
        database = application.current()
        database.prepare()
        for metadata in _known():
            create(database.engine, metadata)


def create(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """Make the tables that are missing; unique values of softly deleted rows are free again."""
    for table in metadata.tables.values():
        free_unique_values(table)
    with engine.begin() as connection:
        lock(connection)
        metadata.create_all(connection)


def free_unique_values(table: sa.Table) -> None:
    """Turn the unique columns of a table with ``deleted_at`` into indexes over its live rows."""
    if "deleted_at" not in table.columns:
        return
    live = table.c.deleted_at.is_(None)
    columns: list[tuple[sa.Column[object], ...]] = []
    for constraint in [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]:
        columns.append(tuple(constraint.columns))
        table.constraints.discard(constraint)
    for index in [each for each in table.indexes if each.unique and not _is_partial(each)]:
        columns.append(tuple(index.columns))
        table.indexes.discard(index)
    for column in table.columns:
        column.unique = None
    for chosen in columns:
        name = f"uq_{table.name}_{'_'.join(column.name for column in chosen)}_live"
        sa.Index(name, *chosen, unique=True, sqlite_where=live, postgresql_where=live)


def _is_partial(index: sa.Index) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


def _known() -> list[sa.MetaData]:
    """Return where the classes are registered that an application has imported."""
    found = [Base.metadata]
    sqlmodel = sys.modules.get("sqlmodel")
    if sqlmodel is not None:
        found.append(sqlmodel.SQLModel.metadata)
    return found
