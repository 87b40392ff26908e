"""Parse dates and times as text, in one format or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from lavendertown.core.reading import DateOrder
from lavendertown.tables.inference.text_columns import TextColumn

_TIME = (
    r"(?:[T ,]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
    r" ?(?P<half>[AaPp])?(?:\.?[Mm]\.?)?)?\s*$"
)
_YEAR_FIRST = r"^\s*(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})" + _TIME
_COMPACT = r"^\s*(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})\s*$"
_PARTS = (
    r"^\s*(?P<first>[0-9]{1,2})(?P<sign>[./-])(?P<second_part>[0-9]{1,2})[./-](?P<year>[0-9]{4}|[0-9]{2})"
    + _TIME
)
_MONTHS = {
    "jan": 1, "jän": 1, "ene": 1, "gen": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3,
    "maa": 3, "apr": 4, "avr": 4, "abr": 4, "may": 5, "mai": 5, "mei": 5, "mag": 5, "maj": 5, "jun": 6,
    "juin": 6, "giu": 6, "jul": 7, "juil": 7, "lug": 7, "aug": 8, "aoû": 8, "aou": 8, "ago": 8, "sep": 9,
    "set": 9, "oct": 10, "okt": 10, "ott": 10, "out": 10, "nov": 11, "dec": 12, "dez": 12, "déc": 12,
    "dic": 12,
}  # fmt: skip
"""The starts of the names of months in English, German, French, Spanish, Italian, Portuguese and Dutch."""

_MONTH = rf"(?P<name>(?i:{'|'.join(_MONTHS)}))\p{{L}}*\.?"
_DAY_MONTH = r"^\s*(?P<day>[0-9]{1,2})\.?[ -]" + _MONTH + r"[ ,-]+(?P<year>[0-9]{4}|[0-9]{2})" + _TIME
_MONTH_DAY = r"^\s*" + _MONTH + r" (?P<day>[0-9]{1,2}),? (?P<year>[0-9]{4})" + _TIME
_START = r"^\s*(?:[0-9]{1,4}[-./ ]|(?:19|20)[0-9]{6}|" + _MONTH + r" )"
"""The start of every date; a cheap test before the exact ones."""

_PIVOT = 69
"""Two-digit years from here on are of the 20th century, as POSIX has it."""


@dataclass(frozen=True)
class DateText:
    """A text column parsed as dates.

    Attributes:
        values: The dates, or times if a value has one; null where the text is none.
        unresolved: The number of dates whose day and month cannot be told apart; they are null.
    """

    values: pl.Series
    unresolved: int


def parse_date_text(column: TextColumn, order: DateOrder | None = None) -> DateText:
    """Parse the values that are dates in any of the usual formats.

    Args:
        column: A text column.
        order: What dates such as 03/02/2018 start with; detected by default.
    """
    patterns = (_YEAR_FIRST, _COMPACT, _PARTS, _DAY_MONTH, _MONTH_DAY)
    used = tuple(each for each in patterns if column.any_match(each)) if column.any_match(_START) else ()
    if not used:
        return DateText(pl.Series(column.values.name, [None] * len(column), dtype=pl.Date), 0)
    if _PARTS in used:
        parts, unresolved = _extract_parts(column.values, used, order)
        times = _to_times(parts)
    else:
        times, unresolved = column.derive_values(_time_parser(used)), 0
    values = times["time"]
    return DateText(values if times["has_clock"].any() else values.cast(pl.Date), unresolved)


@cache
def _time_parser(patterns: tuple[str, ...]) -> Callable[[pl.Series], pl.DataFrame]:
    """Return a function that parses dates of these patterns, which each have one order of their parts."""
    return lambda values: _to_times(_extract_parts(values, patterns, None)[0])


def _extract_parts(
    values: pl.Series, patterns: Sequence[str], order: DateOrder | None
) -> tuple[pl.DataFrame, int]:
    """Return the texts of the parts of dates, and the number of dates whose order is unresolved."""
    fields = ("year", "month", "day", "hour", "minute", "second", "half")
    frame = pl.DataFrame({name: pl.Series([None] * len(values), dtype=pl.String) for name in fields})
    unresolved = 0
    for pattern in patterns:
        parts = values.str.extract_groups(pattern).struct.unnest()
        if pattern == _PARTS:
            day, month, unresolved = _split_day_and_month(parts, order)
            parts = parts.with_columns(day=day, month=month, year=pl.when(day.is_not_null()).then("year"))
        elif "name" in parts.columns:
            parts = _with_month_number(parts)
        known = parts["year"].is_not_null() & frame["year"].is_null()
        frame = frame.with_columns(
            pl.when(known).then(parts[name]).otherwise(pl.col(name)).alias(name)
            for name in fields
            if name in parts.columns
        )
    return frame, unresolved


def _split_day_and_month(parts: pl.DataFrame, order: DateOrder | None) -> tuple[pl.Series, pl.Series, int]:
    """Return the days and months of dates such as 31.01.2024, null where the order is unresolved."""
    first, second = parts["first"], parts["second_part"]
    if order in ("day", "month"):
        return (first, second, 0) if order == "day" else (second, first, 0)
    day = month = pl.Series([None] * len(first), dtype=pl.String)
    unresolved = 0
    for sign in (".", "/", "-"):
        here = (parts["sign"] == sign).fill_null(value=False)
        detected = day_month_order(first.filter(here), second.filter(here), dotted=sign == ".")
        if detected is None:
            unresolved += int(here.sum())
            continue
        days, months = (first, second) if detected == "day" else (second, first)
        day = pl.select(pl.when(here).then(days).otherwise(day)).to_series()
        month = pl.select(pl.when(here).then(months).otherwise(month)).to_series()
    return day, month, unresolved


def day_month_order(first: pl.Series, second: pl.Series, *, dotted: bool) -> DateOrder | None:
    """Return what dates start with, given their first and second numbers; None if it is unresolved.

    Dates with dots are day first in every country that uses them.
    """
    if not len(first.drop_nulls()):
        return None
    high_first, high_second = (int(each.cast(pl.Int64).max() or 0) for each in (first, second))  # type: ignore[arg-type]
    if high_first > 12 >= high_second:
        return "day"
    if high_second > 12 >= high_first:
        return "month"
    return "day" if dotted and high_second <= 12 else None


def _with_month_number(parts: pl.DataFrame) -> pl.DataFrame:
    numbers = {name: str(number) for name, number in _MONTHS.items()}
    return parts.with_columns(month=parts["name"].str.to_lowercase().replace_strict(numbers, default=None))


def _to_times(parts: pl.DataFrame) -> pl.DataFrame:
    """Return dates and times from the texts of their parts, and whether they have a time of day."""
    number = {name: pl.col(name).cast(pl.Int64, strict=False) for name in parts.columns if name != "half"}
    short = pl.col("year").str.len_chars() == 2
    century = pl.when(number["year"] >= _PIVOT).then(1900).otherwise(2000)
    year = pl.when(short).then(number["year"] + century).otherwise(number["year"])
    half = pl.col("half").str.to_lowercase()
    hour = number["hour"].fill_null(0)
    hour = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    text = pl.format(
        "{}-{}-{} {}:{}:{}",
        year.cast(pl.String).str.zfill(4),
        *(
            part.cast(pl.String).str.zfill(2)
            for part in (
                number["month"],
                number["day"],
                hour,
                number["minute"].fill_null(0),
                number["second"].fill_null(0),
            )
        ),
    )
    time = text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return parts.select(time=time, has_clock=pl.col("hour").is_not_null())
