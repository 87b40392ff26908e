"""Read text columns whose values are all dates in one notation."""

from __future__ import annotations

import polars as pl

from lavendertown.core.reading import DateOrder
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.date_text import day_month_order
from lavendertown.tables.inference.text_columns import TextColumn

_ZONE = r":[0-9]{2}(?:[.,][0-9]+)? ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})\s*$"


def parse_dates(name: str, column: TextColumn, date_order: DateOrder | None = None) -> tuple[pl.Series, str]:
    """Convert a text column to dates or times if every value is one; otherwise return it unchanged.

    The second value is a sentence if the order of day and month was guessed or is ambiguous.
    """
    if not column.present:
        return column.values, ""
    if column.all_match(patterns.ISO_DATE):
        return _parse_iso_dates(column), ""
    if column.all_match(patterns.PARTS_DATE):
        return _parse_day_month_dates(name, column.values, date_order)
    return column.values, ""


def _parse_iso_dates(column: TextColumn) -> pl.Series:
    text = column.values.str.strip_chars()
    if column.all_match(patterns.ISO_DAY):
        return _parsed_or_original(column.values, text.str.to_date("%Y-%m-%d", strict=False))
    text = text.str.replace("T", " ", literal=True).str.replace(",", ".", literal=True)
    text = text.str.replace(r" ?(?:Z|UTC)$", "+00:00").str.replace(r"^(\S+)$", "$1 00:00:00")
    text = text.str.replace(r"^(\S+ +[0-9]+:[0-9]+)( ?[+-][0-9:]+)?$", "${1}:00${2}")
    zoned = text.str.contains(r" .*[+-]\d\d:?\d\d$").drop_nulls()
    if zoned.any() and not zoned.all():
        return column.values
    text = text.str.replace(r" ([+-]\d\d:?\d\d)$", "$1")
    pattern = "%Y-%m-%d %H:%M:%S%.f%z" if zoned.any() else "%Y-%m-%d %H:%M:%S%.f"
    return _parsed_or_original(column.values, text.str.to_datetime(pattern, strict=False, time_unit="us"))


def has_several_zones(column: TextColumn) -> bool:
    """Return whether times were converted from several time zones, which the values no longer show."""
    return column.any_match(_ZONE) and column.values.drop_nulls().str.extract(_ZONE).n_unique() > 1


def _parse_day_month_dates(
    name: str, column: pl.Series, date_order: DateOrder | None
) -> tuple[pl.Series, str]:
    text = column.str.strip_chars()
    if not bool(text.drop_nulls().str.contains(r"[0-9]{4}$").all()):
        return column, ""
    numbers = text.str.extract_all(r"[0-9]+").list
    first, second = (numbers.get(i, null_on_oob=True).cast(pl.Int64) for i in (0, 1))
    with_dots = text.drop_nulls().str.contains(".", literal=True)
    dotted = bool(with_dots.all())
    if with_dots.any() and not dotted:
        return column, ""  # each sign may have an order of its own
    order = date_order if date_order in ("day", "month") else day_month_order(first, second, dotted=dotted)
    if order is None:
        return column, describe_unresolved(name, column)
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


def has_several_signs(column: pl.Series) -> bool:
    """Return whether dates such as 31/01/2024 and 31-01-2024 are mixed, which the values no longer show."""
    return column.drop_nulls().str.extract(r"^\s*[0-9]{1,2}([./-])").n_unique() > 1


def describe_unresolved(name: str, column: pl.Series) -> str:
    """Return a sentence about a column whose days and months cannot be told apart."""
    example = column.drop_nulls()[0].strip()
    return f"{name} is kept as text: day and month cannot be told apart ({example})."


def _parsed_or_original(column: pl.Series, parsed: pl.Series) -> pl.Series:
    return column if parsed.null_count() > column.null_count() else parsed
