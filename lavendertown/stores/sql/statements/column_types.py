"""Column types with the same meaning on every database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

from lavendertown.core import clock


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC time.

    Whole microseconds since 1970 on SQLite, ``timestamptz`` on PostgreSQL, ``DATETIME(6)`` on MariaDB.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    # Overridden to avoid the overhead of TypeDecorator: most values in a list of reports are times.
    def bind_processor(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return _to_microseconds
        return None if dialect.name == "postgresql" else _to_naive_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        if dialect.name == "sqlite":
            return _from_microseconds
        return _to_utc if dialect.name == "postgresql" else attach_utc


_MICROSECOND = dt.timedelta(microseconds=1)
_EPOCH = clock.EPOCH
_UTC = clock.UTC


def _to_microseconds(value: dt.datetime | None) -> int | None:
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def _from_microseconds(value: int | None) -> dt.datetime | None:
    return None if value is None else _EPOCH + dt.timedelta(0, 0, value)


def _to_utc(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.astimezone(_UTC)


def _to_naive_utc(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.astimezone(_UTC).replace(tzinfo=None)


def attach_utc(value: dt.datetime | None) -> dt.datetime | None:
    """Return a time from MariaDB, which is UTC without a time zone, with the time zone UTC."""
    return None if value is None else value.replace(tzinfo=_UTC)


SurrogateKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A surrogate key; INTEGER on SQLite, which makes it the rowid."""

JsonData = sa.JSON(none_as_null=True)
"""JSON data; None is stored as NULL."""


class NativeTypeAsText(sa.types.UserDefinedType[str]):
    """A database-specific type whose values are read and written in their text form.

    Args:
        name: The type's SQL name.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return the type's SQL name."""
        return self.name

    def bind_expression(self, bindvalue: sa.BindParameter[str]) -> sa.ColumnElement[str]:
        """Return the expression that converts text to a value."""
        return sa.cast(bindvalue, self)

    def column_expression(self, colexpr: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Return the expression that converts a value to text."""
        return sa.cast(colexpr, sa.Text)


def exact_text(length: int) -> sa.types.TypeEngine[str]:
    """Return the type of ids and sort keys: text compared byte by byte on every database."""
    exact = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(exact, "postgresql")
