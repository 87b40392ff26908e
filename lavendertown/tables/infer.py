"""Gives text columns the types their values have, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from lavendertown.tables import patterns

_GLANCE = 1_000
_NAMED = 3
_ISO_DAY = "2024-01-31"


@dataclass
class Typed:
    """Columns with types.

    Attributes:
        series: The columns.
        guesses: What was guessed, as sentences.
    """

    series: list[pl.Series] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)


def typed(names: Sequence[str], columns: Sequence[pl.Series], *, comma_delimited: bool) -> Typed:
    """Read text columns as numbers and dates where every value is one.

    A column stays text as soon as one value is something else, and where digits are a code (leading
    zeros); checks then speak of the values as they are written.

    Args:
        names: The columns' names, for the sentences.
        columns: Text columns.
        comma_delimited: Whether commas part the fields, which makes decimal commas unlikely.
    """
    decimal_comma = not comma_delimited and any(_share_sure_comma(column) for column in columns)
    made = Typed()
    days: list[str] = []
    numbers: list[str] = []
    grouped: list[str] = []
    for name, column in zip(names, columns, strict=True):
        number, how = _number(column, decimal_comma)
        if how == "code":
            made.guesses.append(f"{name} is kept as text: {_code_reason(column)}.")
        if number is not None:
            made.series.append(number)
            numbers += [name] if how == "decimal comma" else []
            grouped += [name] if how == "grouped" else []
            continue
        date, sentence = dates(name, column)
        made.series.append(date)
        if sentence:
            made.guesses.append(sentence)
        elif date.dtype != pl.String:
            days.append(name)
    if numbers:
        made.guesses.append(f"{listed(numbers)}: the comma is read as the decimal sign (12,5 is 12.5).")
    if grouped:
        made.guesses.append(f"{listed(grouped)}: commas are read as thousands separators (1,234 is 1234).")
    if days:
        made.guesses.append(f"{listed(days)}: read as dates, year first ({_ISO_DAY}).")
    return made


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence: ``a, b, c and 4 more``."""
    rest = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _all(column: pl.Series, pattern: str) -> bool:
    glance = column.head(_GLANCE).drop_nulls()
    return bool(glance.str.contains(pattern).all()) and bool(column.drop_nulls().str.contains(pattern).all())


def _any(column: pl.Series, pattern: str) -> bool:
    return bool(column.drop_nulls().str.contains(pattern).any())


def _share_sure_comma(column: pl.Series) -> bool:
    return (
        column.null_count() < len(column)
        and _all(column, patterns.COMMA_NUMBER)
        and _any(column, patterns.SURE_COMMA_NUMBER)
    )


def _number(column: pl.Series, decimal_comma: bool) -> tuple[pl.Series | None, str]:
    """Return the numbers, or None, and how they were written (``code`` where digits are none)."""
    if column.null_count() == len(column):
        return None, ""
    if decimal_comma and _all(column, patterns.COMMA_NUMBER) and not _any(column, patterns.CODE):
        plain = column.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        return _cast(plain), "decimal comma" if _any(column, ",") else ""
    if _all(column, patterns.PLAIN_NUMBER):
        return (None, "code") if _any(column, patterns.CODE) else (_cast(column), "")
    if not decimal_comma and _all(column, patterns.GROUPED_NUMBER) and not _any(column, patterns.CODE):
        return _cast(column.str.replace_all(",", "", literal=True)), "grouped"
    return None, ""


def _cast(column: pl.Series) -> pl.Series:
    whole = _all(column, patterns.WHOLE_NUMBER)
    return column.str.strip_chars().str.strip_prefix("+").cast(pl.Int64 if whole else pl.Float64)


def _code_reason(column: pl.Series) -> str:
    example = column.filter(column.str.contains(patterns.CODE)).item(0).strip()
    if example.lstrip("+-").startswith("0"):
        return f"it holds values that begin with a zero, such as {example}"
    return f"it holds values that are codes rather than quantities, such as {example}"


def dates(name: str, column: pl.Series) -> tuple[pl.Series, str]:
    """Return a text column as dates or times where every value is one, else as it is.

    The second value is a sentence where the order of day and month was guessed or could not be.
    """
    if column.null_count() == len(column):
        return column, ""
    if _all(column, patterns.ISO_DATE):
        return _iso(column), ""
    if _all(column, patterns.PARTS_DATE):
        return _parts(name, column)
    return column, ""


def _iso(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    if _all(column, patterns.ISO_DAY):
        return _kept_if_lost(column, text.str.to_date("%Y-%m-%d", strict=False))
    text = text.str.replace("T", " ", literal=True).str.replace(",", ".", literal=True)
    text = text.str.replace(r" ?(?:Z|UTC)$", "+00:00").str.replace(r"^(\S+)$", "$1 00:00:00")
    text = text.str.replace(r"^(\S+ +[0-9]+:[0-9]+)( ?[+-][0-9:]+)?$", "${1}:00${2}")
    zoned = text.str.contains(r" .*[+-]\d\d:?\d\d$").drop_nulls()
    if zoned.any() and not zoned.all():
        return column
    text = text.str.replace(r" ([+-]\d\d:?\d\d)$", "$1")
    pattern = "%Y-%m-%d %H:%M:%S%.f%z" if zoned.any() else "%Y-%m-%d %H:%M:%S%.f"
    return _kept_if_lost(column, text.str.to_datetime(pattern, strict=False, time_unit="us"))


def _parts(name: str, column: pl.Series) -> tuple[pl.Series, str]:
    text = column.str.strip_chars()
    if not bool(text.drop_nulls().str.contains(r"[0-9]{4}$").all()):
        return column, ""
    numbers = text.str.extract_all(r"[0-9]+").list
    first, second = (numbers.get(i, null_on_oob=True).cast(pl.Int64) for i in (0, 1))
    order = _order(first, second, text)
    if order is None:
        return column, f"{name} is kept as text: day and month cannot be told apart ({text.drop_nulls()[0]})."
    iso = text.str.replace_all(r"[./-]", "-")
    parsed = _kept_if_lost(
        column, iso.str.to_date("%d-%m-%Y" if order == "day" else "%m-%d-%Y", strict=False)
    )
    if parsed is column:
        return column, ""
    return (
        parsed,
        f"{name}: read as dates, {order} first ({text.drop_nulls()[0]} is {parsed.drop_nulls()[0]}).",
    )


def _order(first: pl.Series, second: pl.Series, text: pl.Series) -> str | None:
    high_first, high_second = int(first.max() or 0), int(second.max() or 0)  # type: ignore[arg-type]
    if high_first > 12 >= high_second:
        return "day"
    if high_second > 12 >= high_first:
        return "month"
    # Dates with points are written day first wherever they are written.
    dotted = bool(text.drop_nulls().str.contains(".", literal=True).all())
    return "day" if dotted and high_second <= 12 else None


def _kept_if_lost(column: pl.Series, parsed: pl.Series) -> pl.Series:
    return column if parsed.null_count() > column.null_count() else parsed
