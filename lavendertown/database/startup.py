"""Startup of an application's database: choosing it and creating its tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.schema import conv

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
    """Restrict the unique values of a table with ``deleted_at`` to its live rows.

    Unique constraints become unique indexes, which are checked at once even if the constraint is deferrable.
    Unique indexes keep their expressions and options, and their conditions are extended. Names that were
    given are kept.
    """
    if "deleted_at" not in table.columns:
        return
    for constraint in [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]:
        table.constraints.discard(constraint)
        options = {
            name: value for name, value in constraint.dialect_kwargs.items() if name.startswith("postgresql_")
        }
        _add_live_index(table, constraint, list(constraint.columns), options)
    for index in [each for each in table.indexes if each.unique]:
        if isinstance(index.name, conv) and index.dialect_kwargs.get("sqlite_where") is None:
            table.indexes.discard(index)
            _add_live_index(table, index, index.expressions, dict(index.dialect_kwargs))
        else:
            _restrict_to_live(index, table)
    for column in table.columns:
        if column.unique:
            # A copy of the table would get the indexes of these flags as well.
            column.index = None
        column.unique = None


def _add_live_index(
    table: sa.Table,
    source: sa.UniqueConstraint | sa.Index,
    expressions: Iterable[Any],
    options: dict[str, Any],
) -> None:
    name = source.name
    if not isinstance(name, str) or isinstance(name, conv):
        name = f"uq_{table.name}_{'_'.join(column.name for column in source.columns)}_live"
    _restrict_to_live(sa.Index(name, *expressions, unique=True, **options), table)


def _restrict_to_live(index: sa.Index, table: sa.Table) -> None:
    for name in ("sqlite_where", "postgresql_where"):
        condition = index.dialect_kwargs.get(name)
        index.dialect_kwargs[name] = _live_condition(condition, table.c.deleted_at)


def _live_condition(condition: Any, deleted_at: sa.Column[Any]) -> Any:
    """Return the condition of an index on live rows; one about deletions stays as it is."""
    if condition is None:
        return deleted_at.is_(None)
    if deleted_at.name in str(condition):
        return condition
    if isinstance(condition, (str, sa.TextClause)):
        # Text is not put in parentheses by itself.
        condition = sa.text(f"({condition})")
    return sa.and_(condition, deleted_at.is_(None))


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
