"""Recognize dates written as numbers: 20240131, 20240131093000, and the day numbers of spreadsheets."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl

from lavendertown.tables.inference.column_names import is_identifier, split_words

_COMPACT = r"^\s*(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-2][0-9][0-5][0-9]"
COMPACT_DATE = _COMPACT + r"(?:[0-5][0-9])?)?\s*$"
"""A date as 20240131, with hours and minutes or seconds as 202401310930 and 20240131093000."""

_DATE_NAME = re.compile(
    r"dates?|datum|fecha|data|day|days|tag|timestamp|at|on|since|until|from|to|dob|birthday"
)
_SURE_DATE_NAME = re.compile(r"dates?|datum|fecha|timestamp|dob|birthday")
_MIN_SHARE = 0.9
_MIN_VALUES = 3
_MIN_DISTINCT = 8
_FIRST_COMPACT = 19_000_101
_FIRST_DAY, _LAST_DAY = 18_264, 73_050
"""1950-01-01 and 2099-12-31 as a spreadsheet counts days."""

_EPOCH_1900 = dt.datetime(1899, 12, 30)
_EPOCH_1904 = dt.datetime(1904, 1, 1)


def find_dates_in_numbers(name: str, numbers: pl.Series, *, from_1904: bool = False) -> pl.Series | None:
    """Return a column of numbers as dates, or times, if they are such; null for other numbers.

    Args:
        name: The column's name.
        numbers: The column as numbers.
        from_1904: Whether a workbook counts days from 1904 instead of 1900.
    """
    dates = find_compact_dates(name, numbers)
    return dates if dates is not None else find_day_numbers(name, numbers, from_1904=from_1904)


def find_compact_dates(name: str, numbers: pl.Series) -> pl.Series | None:
    """Return a column of whole numbers as dates if they are written as 20240131.

    At least nine of ten must be dates. Without a name that says so, all must be, and at least eight differ.

    Args:
        name: The column's name.
        numbers: The column as numbers.
    """
    present = len(numbers) - numbers.null_count()
    if not numbers.dtype.is_integer() or present < _MIN_VALUES:
        return None
    if int((numbers >= _FIRST_COMPACT).sum()) < _MIN_SHARE * present:
        return None
    texts = numbers.cast(pl.String)
    fits = texts.str.contains(COMPACT_DATE).fill_null(value=False)
    if int(fits.sum()) < _MIN_SHARE * present or not fits.any():
        return None
    values = _parse_compact(texts)
    found = present - (values.null_count() - numbers.null_count())
    sure = _is_named(name, _DATE_NAME)
    if not sure and (found < present or numbers.n_unique() < _MIN_DISTINCT or is_identifier(name)):
        return None
    return values if found >= _MIN_SHARE * present else None


def _parse_compact(texts: pl.Series) -> pl.Series:
    padded = texts.str.pad_end(14, "0")
    fits = texts.str.len_chars().is_in([8, 12, 14])
    times = padded.str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us")
    times = pl.select(pl.when(fits).then(times)).to_series()
    return times.cast(pl.Date) if bool((texts.str.len_chars() == 8).all()) else times


def find_day_numbers(name: str, numbers: pl.Series, *, from_1904: bool = False) -> pl.Series | None:
    """Return a column of numbers as dates if they are the day numbers of a spreadsheet: 45292 is 2024-01-01.

    The name must say that they are dates, and at least nine of ten must be of the years 1950 to 2099.

    Args:
        name: The column's name.
        numbers: The column as numbers.
        from_1904: Whether the workbook counts days from 1904 instead of 1900.
    """
    present = len(numbers) - numbers.null_count()
    if present < _MIN_VALUES or not numbers.dtype.is_numeric() or not _is_named(name, _SURE_DATE_NAME):
        return None
    fits = numbers.is_between(_FIRST_DAY, _LAST_DAY).fill_null(value=False)
    if int(fits.sum()) < _MIN_SHARE * present:
        return None
    days = pl.select(pl.when(fits).then(numbers)).to_series()
    return convert_day_numbers(days, from_1904=from_1904)


def convert_day_numbers(days: pl.Series, *, from_1904: bool = False) -> pl.Series:
    """Return the day numbers of a spreadsheet as dates, or as times if one has a fraction."""
    start = _EPOCH_1904 if from_1904 else _EPOCH_1900
    seconds = (days.cast(pl.Float64) * 86_400).round()
    times = pl.select(pl.lit(start) + pl.duration(seconds=pl.lit(seconds.cast(pl.Int64)))).to_series()
    present = days.drop_nulls()
    return times.cast(pl.Date) if bool((present == present.floor()).all()) else times.cast(pl.Datetime("us"))


def are_day_numbers(numbers: pl.Series, dates: pl.Series) -> bool:
    """Return whether numbers among real dates are day numbers: they are near the dates.

    Args:
        numbers: The numbers of the column, without nulls.
        dates: Its dates, without nulls.
    """
    if len(numbers) == 0 or len(dates) < _MIN_VALUES:
        return False
    if not bool(numbers.is_between(_FIRST_DAY, _LAST_DAY).all()):
        return False
    times = convert_day_numbers(numbers).cast(pl.Datetime("us"))
    known = dates.cast(pl.Datetime("us"))
    margin = max(dt.timedelta(days=366), known.max() - known.min())  # type: ignore[operator]
    return bool(times.is_between(known.min() - margin, known.max() + margin).all())  # type: ignore[operator]


def _is_named(name: str, pattern: re.Pattern[str]) -> bool:
    words = split_words(name)
    return bool(words) and bool(pattern.fullmatch(words[-1]) or _SURE_DATE_NAME.fullmatch(words[0]))
