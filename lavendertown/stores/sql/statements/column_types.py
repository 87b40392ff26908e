"""Column types with the same meaning on every database."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
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


def _aware_to_naive_utc(value: Any) -> Any:
    is_aware = isinstance(value, dt.datetime) and value.tzinfo is not None
    return _to_naive_utc(value) if is_aware else value


def attach_utc(value: dt.datetime | None) -> dt.datetime | None:
    """Return a time from MariaDB, which is UTC without a time zone, with the time zone UTC."""
    return None if value is None else value.replace(tzinfo=_UTC)


class SqliteDateTime(sqlite.DATETIME):
    """A time on SQLite: an aware one is stored as UTC, as the other databases do, not as its local time."""

    def bind_processor(self, dialect: Dialect) -> Any:
        to_text: Any = super().bind_processor(dialect)
        return lambda value: to_text(_aware_to_naive_utc(value))


class MariaDateTime(sa.DateTime):
    """A time on MariaDB: an aware one is stored as UTC."""

    def bind_processor(self, dialect: Dialect) -> Any:
        return _aware_to_naive_utc


def _to_utc_time(value: Any) -> Any:
    """Return a time of day with an offset as the same time in UTC, as the database keeps no offset."""
    if not isinstance(value, dt.time) or value.tzinfo is None:
        return value
    return dt.datetime.combine(_EPOCH.date(), value).astimezone(_UTC).time()


class SqliteTime(sqlite.TIME):
    """A time of day on SQLite: one with an offset is stored as UTC."""

    def bind_processor(self, dialect: Dialect) -> Any:
        to_text: Any = super().bind_processor(dialect)  # type: ignore[no-untyped-call]
        return lambda value: to_text(_to_utc_time(value))


class MariaTime(mysql.TIME):
    """A time of day on MariaDB: one with an offset is stored as UTC."""

    def bind_processor(self, dialect: Dialect) -> Any:
        return _to_utc_time


class ExactNumeric(sa.Numeric[Any]):
    """Decimal numbers on SQLite, which has no type for them.

    A number that SQLite's integers or floating-point numbers represent exactly is stored as one of them, so
    it is compared and sorted as a number. Any other is stored as its digits with a ``d`` at the end, without
    which SQLite would convert it to a floating-point number. Such a text is equal to the same number only,
    and sorts after all numbers. A number with more decimals than its column has is rounded when it is read.
    """

    def bind_processor(self, dialect: Dialect) -> Any:
        return self._to_stored

    def literal_processor(self, dialect: Dialect) -> Any:
        def process(value: Any) -> str:
            stored = self._to_stored(value)
            return f"'{stored}'" if isinstance(stored, str) else repr(stored)

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return self._from_stored

    def _to_stored(self, value: Any) -> Any:
        if value is None or isinstance(value, float):
            return value
        number = decimal.Decimal(value)
        if number == number.to_integral_value() and _FLOAT_INTEGERS < abs(number) < _INT64:
            return int(number)
        nearest = float(number)
        if decimal.Decimal(repr(nearest)) == number and self._has_readable_scale(number):
            return nearest
        digits = f"{number:f}"
        return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}{_TEXT_MARK}"

    def _from_stored(self, value: Any) -> Any:
        if value is None:
            return None
        is_text = isinstance(value, str)
        number = decimal.Decimal(value.removesuffix(_TEXT_MARK) if is_text else repr(value))
        if not self.asdecimal:
            return float(number)
        if not number.is_finite() or (is_text and self.scale is None):
            return number
        return number.quantize(
            decimal.Decimal(1).scaleb(-self._effective_decimal_return_scale), context=_READING_CONTEXT
        )

    def _has_readable_scale(self, number: decimal.Decimal) -> bool:
        """Return whether no decimals are lost when a floating-point number is read.

        Without a scale, SQLAlchemy reads a fixed number of decimals, which hides what a sum of
        floating-point numbers adds to the right.
        """
        exponent = number.as_tuple().exponent
        return self.scale is not None or (
            isinstance(exponent, int) and -exponent <= self._effective_decimal_return_scale
        )


_TEXT_MARK = "d"
_FLOAT_INTEGERS = 2**53
_INT64 = 2**63
# PostgreSQL rounds in this way, and its columns have up to 1,000 digits.
_READING_CONTEXT = decimal.Context(prec=2000, rounding=decimal.ROUND_HALF_UP)

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


class IntervalAsText(NativeTypeAsText):
    """PostgreSQL's INTERVAL in its text form, which also has months and years."""

    cache_ok = True


def exact_text(length: int) -> sa.types.TypeEngine[str]:
    """Return the type of ids and sort keys: text compared byte by byte on every database."""
    exact = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(exact, "postgresql")
