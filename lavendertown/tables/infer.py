"""Infer the types of text columns and describe what was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from lavendertown.tables import patterns
from lavendertown.tables.exact_numbers import parse_numbers

_QUICK_CHECK_ROWS = 1_000
_MAX_NAMES = 3
_ISO_DAY = "2024-01-31"


@dataclass
class InferredColumns:
    """Columns with inferred types.

    Attributes:
        series: The columns.
        guesses: Sentences that describe the guesses.
    """

    series: list[pl.Series] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)


def infer_types(
    names: Sequence[str], columns: Sequence[pl.Series], *, comma_delimited: bool
) -> InferredColumns:
    """Convert text columns to numbers or dates if every value is one.

    A column stays text if a single value is something else, or if its digits are codes (leading zeros),
    so that the checks see the values as written.

    Args:
        names: The column names, used in the guesses.
        columns: Text columns.
        comma_delimited: Whether commas separate the fields, which makes decimal commas unlikely.
    """
    decimal_comma = not comma_delimited and any(_has_decimal_comma(column) for column in columns)
    inferred = InferredColumns()
    days: list[str] = []
    numbers: list[str] = []
    grouped: list[str] = []
    for name, column in zip(names, columns, strict=True):
        number, how = _parse_number_column(column, decimal_comma)
        if how == "code":
            inferred.guesses.append(f"{name} is kept as text: {_describe_code(column)}.")
        if how == "long":
            inferred.guesses.append(f"{name} is kept as text: it holds numbers too long to be kept exactly.")
        if number is not None:
            inferred.series.append(number)
            numbers += [name] if how == "decimal comma" else []
            grouped += [name] if how == "grouped" else []
            continue
        date, sentence = parse_dates(name, column)
        inferred.series.append(date)
        if sentence:
            inferred.guesses.append(sentence)
        elif date.dtype != pl.String:
            days.append(name)
    if numbers:
        inferred.guesses.append(
            f"{join_names(numbers)}: the comma is read as the decimal sign (12,5 is 12.5)."
        )
    if grouped:
        inferred.guesses.append(
            f"{join_names(grouped)}: commas are read as thousands separators (1,234 is 1234)."
        )
    if days:
        inferred.guesses.append(f"{join_names(days)}: read as dates, year first ({_ISO_DAY}).")
    return inferred


def join_names(names: Sequence[str]) -> str:
    """Join names for a sentence: ``a, b, c and 4 more``."""
    rest = len(names) - _MAX_NAMES
    shown = ", ".join(names[:_MAX_NAMES])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _all_match(column: pl.Series, pattern: str) -> bool:
    sample = column.head(_QUICK_CHECK_ROWS).drop_nulls()
    return bool(sample.str.contains(pattern).all()) and bool(column.drop_nulls().str.contains(pattern).all())


def _any_match(column: pl.Series, pattern: str) -> bool:
    return bool(column.drop_nulls().str.contains(pattern).any())


def _has_decimal_comma(column: pl.Series) -> bool:
    return (
        column.null_count() < len(column)
        and _all_match(column, patterns.COMMA_NUMBER)
        and _any_match(column, patterns.SURE_COMMA_NUMBER)
    )


def _parse_number_column(column: pl.Series, decimal_comma: bool) -> tuple[pl.Series | None, str]:
    """Return the numbers, or None, and the notation they were written in.

    Without numbers, the second value is ``code`` if the digits are not a quantity, and ``long`` if no
    number type can represent all of them.
    """
    if column.null_count() == len(column):
        return None, ""
    if decimal_comma and _all_match(column, patterns.COMMA_NUMBER) and not _any_match(column, patterns.CODE):
        plain = column.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        return _cast_numbers(plain, "decimal comma" if _any_match(column, ",") else "")
    if _all_match(column, patterns.PLAIN_NUMBER):
        return (None, "code") if _any_match(column, patterns.CODE) else _cast_numbers(column, "")
    if (
        not decimal_comma
        and _all_match(column, patterns.GROUPED_NUMBER)
        and not _any_match(column, patterns.CODE)
    ):
        return _cast_numbers(column.str.replace_all(",", "", literal=True), "grouped")
    return None, ""


def _cast_numbers(column: pl.Series, how: str) -> tuple[pl.Series | None, str]:
    if _any_match(column, patterns.LONG_NUMBER):
        exact = parse_numbers(column)
        return (None, "long") if exact is None else (exact, how)
    whole = _all_match(column, patterns.WHOLE_NUMBER)
    return column.str.strip_chars().str.strip_prefix("+").cast(pl.Int64 if whole else pl.Float64), how


def _describe_code(column: pl.Series) -> str:
    example = column.filter(column.str.contains(patterns.CODE)).item(0).strip()
    if example.lstrip("+-").startswith("0"):
        return f"it holds values that begin with a zero, such as {example}"
    return f"it holds values that are codes rather than quantities, such as {example}"


def parse_dates(name: str, column: pl.Series) -> tuple[pl.Series, str]:
    """Convert a text column to dates or times if every value is one; otherwise return it unchanged.

    The second value is a sentence if the order of day and month was guessed or is ambiguous.
    """
    if column.null_count() == len(column):
        return column, ""
    if _all_match(column, patterns.ISO_DATE):
        return _parse_iso_dates(column), ""
    if _all_match(column, patterns.PARTS_DATE):
        return _parse_day_month_dates(name, column)
    return column, ""


def _parse_iso_dates(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    if _all_match(column, patterns.ISO_DAY):
        return _parsed_or_original(column, text.str.to_date("%Y-%m-%d", strict=False))
    text = text.str.replace("T", " ", literal=True).str.replace(",", ".", literal=True)
    text = text.str.replace(r" ?(?:Z|UTC)$", "+00:00").str.replace(r"^(\S+)$", "$1 00:00:00")
    text = text.str.replace(r"^(\S+ +[0-9]+:[0-9]+)( ?[+-][0-9:]+)?$", "${1}:00${2}")
    zoned = text.str.contains(r" .*[+-]\d\d:?\d\d$").drop_nulls()
    if zoned.any() and not zoned.all():
        return column
    text = text.str.replace(r" ([+-]\d\d:?\d\d)$", "$1")
    pattern = "%Y-%m-%d %H:%M:%S%.f%z" if zoned.any() else "%Y-%m-%d %H:%M:%S%.f"
    return _parsed_or_original(column, text.str.to_datetime(pattern, strict=False, time_unit="us"))


def _parse_day_month_dates(name: str, column: pl.Series) -> tuple[pl.Series, str]:
    text = column.str.strip_chars()
    if not bool(text.drop_nulls().str.contains(r"[0-9]{4}$").all()):
        return column, ""
    numbers = text.str.extract_all(r"[0-9]+").list
    first, second = (numbers.get(i, null_on_oob=True).cast(pl.Int64) for i in (0, 1))
    order = _day_month_order(first, second, text)
    if order is None:
        return column, f"{name} is kept as text: day and month cannot be told apart ({text.drop_nulls()[0]})."
    iso = text.str.replace_all(r"[./-]", "-")
    parsed = _parsed_or_original(
        column, iso.str.to_date("%d-%m-%Y" if order == "day" else "%m-%d-%Y", strict=False)
    )
    if parsed is column:
        return column, ""
    return (
        parsed,
        f"{name}: read as dates, {order} first ({text.drop_nulls()[0]} is {parsed.drop_nulls()[0]}).",
    )


def _day_month_order(first: pl.Series, second: pl.Series, text: pl.Series) -> str | None:
    high_first, high_second = int(first.max() or 0), int(second.max() or 0)  # type: ignore[arg-type]
    if high_first > 12 >= high_second:
        return "day"
    if high_second > 12 >= high_first:
        return "month"
    # Dates with dots are day first in every country that uses them.
    dotted = bool(text.drop_nulls().str.contains(".", literal=True).all())
    return "day" if dotted and high_second <= 12 else None


def _parsed_or_original(column: pl.Series, parsed: pl.Series) -> pl.Series:
    return column if parsed.null_count() > column.null_count() else parsed
