"""The one clock. Times inside LavenderTown are aware and in UTC."""

from __future__ import annotations

import datetime as dt

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC, to the microsecond."""
    return dt.datetime.now(UTC)


def to_utc(moment: dt.datetime, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the same instant in UTC.

    A time without a zone is read in ``zone``, or in the machine's local zone when that is None.
    """
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def to_microseconds(moment: dt.datetime) -> int:
    """Return whole microseconds since 1970-01-01 UTC; exact, also before 1970."""
    return (to_utc(moment) - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> dt.datetime:
    """Return the aware UTC time that :func:`to_microseconds` counted."""
    return EPOCH + dt.timedelta(0, 0, value)


def parse(text: str, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Read an ISO 8601 time; one without a zone is read in ``zone`` (default: local).

    Raises:
        ValueError: The text is not an ISO 8601 time.
    """
    return to_utc(dt.datetime.fromisoformat(text), zone)


def day_start(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the first instant of a calendar day in ``zone`` (default: local), in UTC."""
    return to_utc(dt.datetime.combine(day, dt.time.min), zone)


def day_end(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the last microsecond of a calendar day in ``zone`` (default: local), in UTC."""
    return to_utc(dt.datetime.combine(day, dt.time.max), zone)
