"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

from lavendertown import clock


class Utc(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC time: whole microseconds since 1970 on SQLite, ``timestamptz`` on PostgreSQL."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return (value - clock.EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return clock.EPOCH + dt.timedelta(microseconds=value)
        return clock.to_utc(value)


_MICROSECOND = dt.timedelta(microseconds=1)

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A surrogate key; INTEGER on SQLite, where it then is the rowid."""

Json = sa.JSON(none_as_null=True)
"""Plain JSON data; None is NULL."""


def name(length: int) -> sa.types.TypeEngine[str]:
    """A text that ids and sort keys use: compared byte by byte on every backend."""
    exact = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(exact, "postgresql")
