"""The declarative base class for an application's own classes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, MappedColumn, declared_attr, has_inherited_table

from lavendertown.core.errors import ConfigurationError
from lavendertown.database.table_names import table_name
from lavendertown.stores.sql.schema import tables

_OWNER = "lavendertown_class"


class Base(DeclarativeBase):
    """Declarative base class; LavenderTown knows its subclasses as soon as they are imported.

    Raises:
        ConfigurationError: A subclass has a table name that another class, or LavenderTown, already uses.
    """

    @classmethod
    def __table_cls__(cls, name: str, metadata: sa.MetaData, *parts: Any, **options: Any) -> sa.Table:
        if not options.get("extend_existing"):
            _refuse_taken_name(cls, name, metadata, options.get("schema"))
        table = sa.Table(name, metadata, *parts, **options)
        table.info.setdefault(_OWNER, _full_name(cls))
        return table


class TableMixin:
    """Derive the table's name from the class name, such as ``user_profiles`` for ``UserProfile``.

    An explicit ``__tablename__`` takes precedence. A subclass of a mapped class shares its table, unless it
    has a primary key of its own.
    """

    @declared_attr.directive
    def __tablename__(cls) -> str | None:
        if has_inherited_table(cls) and not _has_primary_key(cls):  # type: ignore[arg-type]
            return None
        return table_name(cls.__name__)  # type: ignore[attr-defined]


def _has_primary_key(mapped: type[Any]) -> bool:
    columns = (each.column if isinstance(each, MappedColumn) else each for each in vars(mapped).values())
    return any(isinstance(each, sa.Column) and each.primary_key for each in columns)


def _refuse_taken_name(new: type[Any], name: str, metadata: sa.MetaData, schema: str | None) -> None:
    """Refuse a table name that is already used, ignoring case as SQLite does."""
    if schema is None and name.lower() in tables.metadata.tables:
        raise ConfigurationError(
            f"The class {_full_name(new)} cannot use the table {name!r}, which belongs to LavenderTown. "
            "Give the class another __tablename__."
        )
    for table in metadata.tables.values():
        if (table.name.lower(), table.schema) == (name.lower(), schema or metadata.schema):
            raise ConfigurationError(_taken_message(new, name, table.info.get(_OWNER)))


def _taken_message(new: type[Any], name: str, owner: str | None) -> str:
    if owner == _full_name(new):
        return f"The class {owner} (table {name!r}) is defined twice. Import its module only once."
    holder = f"the class {owner}" if owner else "a table without a class"
    return (
        f"The class {_full_name(new)} cannot use the table {name!r}: {holder} already uses it. "
        "Give one of them another __tablename__."
    )


def _full_name(named: type[Any]) -> str:
    return f"{named.__module__}.{named.__qualname__}"
