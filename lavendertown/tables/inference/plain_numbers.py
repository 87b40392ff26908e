"""Read text columns whose values are all plain numbers."""

from __future__ import annotations

import polars as pl

from lavendertown.tables.exact_numbers import parse_numbers
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.text_columns import TextColumn

_MIN_ID_SHARE = 0.6


def has_decimal_comma(column: TextColumn) -> bool:
    """Return whether a text column has numbers whose comma can only be a decimal sign."""
    return (
        column.present > 0
        and column.all_match(patterns.COMMA_NUMBER)
        and column.any_match(patterns.SURE_COMMA_NUMBER)
    )


def parse_number_column(column: TextColumn, decimal_comma: bool) -> tuple[pl.Series | None, str]:
    """Return the numbers, or None, and the notation they were written in.

    Without numbers, the second value is ``code`` if the digits are not a quantity, ``lost digits`` if some
    were shortened to scientific notation, and ``long`` if no number type can represent all of them.
    """
    if not column.present:
        return None, ""
    if decimal_comma and column.all_match(patterns.COMMA_NUMBER) and not column.any_match(patterns.CODE):
        plain = column.values.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        notation = "grouped by points" if column.any_match(r"\.") else ""
        return _cast_numbers(TextColumn(plain), "decimal comma" if column.any_match(",") else notation)
    if has_lost_digits(column):
        return None, "lost digits"
    if column.all_match(patterns.PLAIN_NUMBER):
        return (None, "code") if column.any_match(patterns.CODE) else _cast_numbers(column, "")
    if (
        not decimal_comma
        and column.all_match(patterns.GROUPED_NUMBER)
        and not column.any_match(patterns.CODE)
    ):
        return _cast_numbers(TextColumn(column.values.str.replace_all(",", "", literal=True)), "grouped")
    return None, ""


def has_lost_digits(column: TextColumn) -> bool:
    """Return whether most values are long whole numbers, and others of them are in scientific notation."""
    if not column.any_match(patterns.SHORTENED_NUMBER) or not column.any_match(patterns.LONG_DIGITS):
        return False
    ids = column.count_matches(f"{patterns.SHORTENED_NUMBER}|{patterns.LONG_DIGITS}")
    return ids >= _MIN_ID_SHARE * column.present


def explain_scientific_codes(column: TextColumn) -> str:
    """Return why an identifier stays text: some of its digits are in scientific notation; empty if none are.

    Only whole numbers count: those in scientific notation with a fraction are measurements.
    """
    if not column.any_match(patterns.SCIENTIFIC_NUMBER):
        return ""
    present = column.values.drop_nulls()
    parts = present.str.extract_groups(patterns.SCIENTIFIC_NUMBER).struct.unnest()
    exponents = parts["exponent"].cast(pl.Int64, strict=False)
    is_whole = exponents >= parts["decimals"].fill_null("").str.len_chars()
    digits = column.count_matches(patterns.WHOLE_NUMBER)
    if not is_whole.all() or digits + len(is_whole.drop_nulls()) < _MIN_ID_SHARE * len(present):
        return ""
    if column.any_match(patterns.SPREADSHEET_NUMBER):
        return "some of its long numbers are in scientific notation and have lost digits"
    example = present.filter(exponents.is_not_null())[0].strip()
    return f"the name says that it holds codes, and {example} is no quantity"


def _cast_numbers(column: TextColumn, how: str) -> tuple[pl.Series | None, str]:
    if column.any_match(patterns.LONG_NUMBER):
        exact = parse_numbers(column.values)
        return (None, "long") if exact is None else (exact, how)
    dtype = pl.Int64 if column.all_match(patterns.WHOLE_NUMBER) else pl.Float64
    numbers = column.values.cast(dtype, strict=False)
    if numbers.null_count() > column.values.null_count():
        numbers = column.values.str.strip_chars().str.strip_prefix("+").cast(dtype)
    return numbers, how


def describe_code(column: TextColumn) -> str:
    """Return why the digits of a column are codes, with an example."""
    example = column.values.filter(column.values.str.contains(patterns.CODE)).item(0).strip()
    if example.lstrip("+-").startswith("0"):
        return f"it holds values that begin with a zero, such as {example}"
    return f"it holds values that are codes rather than quantities, such as {example}"
