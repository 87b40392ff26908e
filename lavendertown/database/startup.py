"""Startup of an application's database: choosing it and creating its tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core.errors import ConfigurationError
from lavendertown.database import application
from lavendertown.database.base import Base
from lavendertown.stores.sql.schema.revisions import lock_schema


def bootstrap(*, database_url: str | None = None, create_tables: bool = True) -> None:
    """Set the application's database and create its tables.

    Args:
        database_url: The database; by default, the one that was set before, or the configured one.
        create_tables: Whether to create missing tables: LavenderTown's, which include the audit log, and
            those of the imported classes on :class:`~lavendertown.database.Base` and of SQLModel. Classes
            on a ``DeclarativeBase`` of their own belong to migrations, or to their ``metadata.create_all``.

    Raises:
        ConfigurationError: The URL is invalid, or names an unsupported database, or a class has a primary key
            of several columns that are not all foreign keys, as those of an association table are.
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    refuse_composite_keys(each for registry in _registries() for each in registry.mappers)
    if database_url is not None:
        application.set_database_url(database_url)
    if create_tables:
        database = application.current_database()
        database.prepare_schema()
        for registry in _registries():
            create_missing_tables(database.engine, registry.metadata)


def create_missing_tables(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """Create the missing tables; the unique values of soft-deleted rows can be used again."""
    for table in metadata.tables.values():
        free_unique_values(table)
    with engine.begin() as connection:
        lock_schema(connection)
        metadata.create_all(connection)


def free_unique_values(table: sa.Table) -> None:
    """Replace the unique constraints of a table with ``deleted_at`` by unique indexes on its live rows."""
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
    for unique_columns in columns:
        name = f"uq_{table.name}_{'_'.join(column.name for column in unique_columns)}_live"
        sa.Index(name, *unique_columns, unique=True, sqlite_where=live, postgresql_where=live)


def _is_partial(index: sa.Index) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


def refuse_composite_keys(mappers: Iterable[orm.Mapper[Any]]) -> None:
    """Refuse classes whose rows no accessor can address, because their primary key has several columns.

    Raises:
        ConfigurationError: There is such a class, and its table is not an association table.
    """
    for mapper in mappers:
        key = mapper.primary_key
        if len(key) > 1 and not all(column.foreign_keys for column in key):
            raise ConfigurationError(
                f"The primary key of {mapper.class_.__name__} has the columns "
                f"{' and '.join(column.name for column in key)}. Give it one primary key column, and a "
                "UniqueConstraint for the combination."
            )


def _registries() -> list[orm.registry]:
    """Return the registries of all classes that the application has imported."""
    registries = [Base.registry]
    sqlmodel = sys.modules.get("sqlmodel")
    if sqlmodel is not None:
        registries.append(sqlmodel.SQLModel._sa_registry)
    return registries
