"""Column types that mean the same on every database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

from lavendertown import clock


class Utc(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC time.

    Whole microseconds since 1970 on SQLite, ``timestamptz`` on PostgreSQL, ``DATETIME(6)`` on MariaDB.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    # The processors are written out, without TypeDecorator's own layers: lists of reports are mostly times.
    def bind_processor(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return _to_microseconds
        return None if dialect.name == "postgresql" else _without_zone

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        if dialect.name == "sqlite":
            return _from_microseconds
        return _in_utc if dialect.name == "postgresql" else with_zone


_MICROSECOND = dt.timedelta(microseconds=1)
_EPOCH = clock.EPOCH
_UTC = clock.UTC


def _to_microseconds(value: dt.datetime | None) -> int | None:
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def _from_microseconds(value: int | None) -> dt.datetime | None:
    return None if value is None else _EPOCH + dt.timedelta(0, 0, value)


def _in_utc(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.astimezone(_UTC)


def _without_zone(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.astimezone(_UTC).replace(tzinfo=None)


def with_zone(value: dt.datetime | None) -> dt.datetime | None:
    """Return a time of MariaDB's, which has no zone, as what it is: UTC."""
    return None if value is None else value.replace(tzinfo=_UTC)


Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A surrogate key; INTEGER on SQLite, where it then is the rowid."""

Json = sa.JSON(none_as_null=True)
"""Plain JSON data; None is NULL."""


def name(length: int) -> sa.types.TypeEngine[str]:
    """A text that ids and sort keys use: compared byte by byte on every backend."""
    exact = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(exact, "postgresql")
