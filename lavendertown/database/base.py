"""The declarative base of an application's own classes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, MappedColumn, declared_attr, has_inherited_table

from lavendertown.database import tables
from lavendertown.database.plurals import table_name
from lavendertown.errors import ConfigurationError

_OWNER = "lavendertown_class"


class Base(DeclarativeBase):
    """Classes derived from it are known to LavenderTown by being imported.

    Raises:
        ConfigurationError: A class is defined whose table's name another class, or LavenderTown, has.
    """

    @classmethod
    def __table_cls__(cls, name: str, metadata: sa.MetaData, *parts: Any, **options: Any) -> sa.Table:
        if not options.get("extend_existing"):
            _refuse_taken(cls, name, metadata, options.get("schema"))
        table = sa.Table(name, metadata, *parts, **options)
        table.info.setdefault(_OWNER, _full_name(cls))
        return table


class TableMixin:
    """Names the table after the class: ``UserProfile`` has ``user_profiles``.

    An explicit ``__tablename__`` wins. A class derived from a mapped one shares its table, unless it has
    a primary key of its own.
    """

    @declared_attr.directive
    def __tablename__(cls) -> str | None:
        if has_inherited_table(cls) and not _has_primary_key(cls):  # type: ignore[arg-type]
            return None
        return table_name(cls.__name__)  # type: ignore[attr-defined]


def _has_primary_key(mapped: type[Any]) -> bool:
    columns = (each.column if isinstance(each, MappedColumn) else each for each in vars(mapped).values())
    return any(isinstance(each, sa.Column) and each.primary_key for each in columns)


def _refuse_taken(new: type[Any], name: str, metadata: sa.MetaData, schema: str | None) -> None:
    """Refuse a name that is taken; SQLite does not tell upper from lower case."""
    if schema is None and name.lower() in tables.metadata.tables:
        raise ConfigurationError(
            f"The class {_full_name(new)} cannot have the table {name!r}: it is LavenderTown's own. "
            "Give the class another __tablename__."
        )
    for table in metadata.tables.values():
        if (table.name.lower(), table.schema) == (name.lower(), schema or metadata.schema):
            raise ConfigurationError(_taken(new, name, table.info.get(_OWNER)))


def _taken(new: type[Any], name: str, owner: str | None) -> str:
    if owner == _full_name(new):
        return f"The class {owner}, with the table {name!r}, was defined twice. Import its module only once."
    holder = f"the class {owner}" if owner else "a table without a class"
    return (
        f"The class {_full_name(new)} cannot have the table {name!r}: {holder} has it. "
        "Give one of them another __tablename__."
    )


def _full_name(named: type[Any]) -> str:
    return f"{named.__module__}.{named.__qualname__}"
