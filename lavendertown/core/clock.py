"""Read, convert, parse and format times. All times inside LavenderTown are timezone-aware and in UTC."""

from __future__ import annotations

import datetime as dt

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = dt.datetime.min.replace(tzinfo=UTC)
LATEST = dt.datetime.max.replace(tzinfo=UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_MIDDLE_YEAR = 5_000


def now() -> dt.datetime:
    """Return the current time in UTC."""
    return dt.datetime.now(UTC)


def to_utc(timestamp: dt.datetime, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the same instant in UTC.

    A time without a zone is taken to be in ``zone``, or in the machine's local zone if that is None.
    """
    if timestamp.tzinfo is None and zone is not None:
        timestamp = timestamp.replace(tzinfo=zone)
    return timestamp.astimezone(UTC)


def to_utc_bound(timestamp: dt.datetime, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the same instant in UTC for use as a bound in comparisons.

    A time before year 1 or after year 9999 in UTC becomes :data:`EARLIEST` or :data:`LATEST`.
    """
    try:
        return to_utc(timestamp, zone)
    except (OverflowError, ValueError, OSError):
        return EARLIEST if timestamp.year < _MIDDLE_YEAR else LATEST


def microsecond_before(timestamp: dt.datetime) -> dt.datetime:
    """Return the time one microsecond earlier, but never earlier than :data:`EARLIEST`."""
    return max(timestamp, EARLIEST + _MICROSECOND) - _MICROSECOND


def to_microseconds(timestamp: dt.datetime) -> int:
    """Return the exact number of microseconds since 1970-01-01 UTC; negative before 1970."""
    return (to_utc(timestamp) - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> dt.datetime:
    """Return the UTC time for a number of microseconds since 1970-01-01 UTC."""
    return EPOCH + dt.timedelta(0, 0, value)


def parse_time(text: str, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Parse an ISO 8601 time; a time without a zone is taken to be in ``zone`` (default: local).

    Raises:
        ValueError: The text is not an ISO 8601 time.
    """
    return to_utc(dt.datetime.fromisoformat(text), zone)


def day_start(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the first instant of a calendar day in ``zone`` (default: local), in UTC."""
    return to_utc_bound(dt.datetime.combine(day, dt.time.min), zone)


def day_end(day: dt.date, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the last microsecond of a calendar day in ``zone`` (default: local), in UTC."""
    return to_utc_bound(dt.datetime.combine(day, dt.time.max), zone)


def format_day(day: dt.date) -> str:
    """Format a calendar day as text for people: ``7 Sep 2026``."""
    return f"{format_short_day(day)} {day.year}"


def format_short_day(day: dt.date) -> str:
    """Format a calendar day without its year: ``7 Sep``."""
    return f"{day.day} {day:%b}"
