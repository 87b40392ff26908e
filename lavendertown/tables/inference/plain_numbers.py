"""Read text columns whose values are all plain numbers."""

from __future__ import annotations

import polars as pl

from lavendertown.tables.exact_numbers import parse_numbers
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.column_matches import all_match, any_match

_MIN_ID_SHARE = 0.6


def has_decimal_comma(column: pl.Series) -> bool:
    """Return whether a text column has numbers whose comma can only be a decimal sign."""
    return (
        column.null_count() < len(column)
        and all_match(column, patterns.COMMA_NUMBER)
        and any_match(column, patterns.SURE_COMMA_NUMBER)
    )


def parse_number_column(column: pl.Series, decimal_comma: bool) -> tuple[pl.Series | None, str]:
    """Return the numbers, or None, and the notation they were written in.

    Without numbers, the second value is ``code`` if the digits are not a quantity, ``lost digits`` if some
    were shortened to scientific notation, and ``long`` if no number type can represent all of them.
    """
    if column.null_count() == len(column):
        return None, ""
    if decimal_comma and all_match(column, patterns.COMMA_NUMBER) and not any_match(column, patterns.CODE):
        plain = column.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        notation = "grouped by points" if any_match(column, r"\.") else ""
        return _cast_numbers(plain, "decimal comma" if any_match(column, ",") else notation)
    if has_lost_digits(column):
        return None, "lost digits"
    if all_match(column, patterns.PLAIN_NUMBER):
        return (None, "code") if any_match(column, patterns.CODE) else _cast_numbers(column, "")
    if (
        not decimal_comma
        and all_match(column, patterns.GROUPED_NUMBER)
        and not any_match(column, patterns.CODE)
    ):
        return _cast_numbers(column.str.replace_all(",", "", literal=True), "grouped")
    return None, ""


def has_lost_digits(column: pl.Series) -> bool:
    """Return whether most values are long whole numbers, and others of them are in scientific notation."""
    if not any_match(column, patterns.SHORTENED_NUMBER) or not any_match(column, patterns.LONG_DIGITS):
        return False
    ids = column.str.contains(f"{patterns.SHORTENED_NUMBER}|{patterns.LONG_DIGITS}")
    return int(ids.sum()) >= _MIN_ID_SHARE * (len(column) - column.null_count())


def explain_scientific_codes(column: pl.Series) -> str:
    """Return why an identifier stays text: some of its digits are in scientific notation; empty if none are.

    Only whole numbers count: those in scientific notation with a fraction are measurements.
    """
    if not any_match(column, patterns.SCIENTIFIC_NUMBER):
        return ""
    present = column.drop_nulls()
    parts = present.str.extract_groups(patterns.SCIENTIFIC_NUMBER).struct.unnest()
    exponents = parts["exponent"].cast(pl.Int64, strict=False)
    is_whole = exponents >= parts["decimals"].fill_null("").str.len_chars()
    digits = present.str.contains(patterns.WHOLE_NUMBER)
    if not is_whole.all() or int(digits.sum()) + len(is_whole.drop_nulls()) < _MIN_ID_SHARE * len(present):
        return ""
    if any_match(present, patterns.SPREADSHEET_NUMBER):
        return "some of its long numbers are in scientific notation and have lost digits"
    example = present.filter(exponents.is_not_null())[0].strip()
    return f"the name says that it holds codes, and {example} is no quantity"


def _cast_numbers(column: pl.Series, how: str) -> tuple[pl.Series | None, str]:
    if any_match(column, patterns.LONG_NUMBER):
        exact = parse_numbers(column)
        return (None, "long") if exact is None else (exact, how)
    whole = all_match(column, patterns.WHOLE_NUMBER)
    return column.str.strip_chars().str.strip_prefix("+").cast(pl.Int64 if whole else pl.Float64), how


def describe_code(column: pl.Series) -> str:
    """Return why the digits of a column are codes, with an example."""
    example = column.filter(column.str.contains(patterns.CODE)).item(0).strip()
    if example.lstrip("+-").startswith("0"):
        return f"it holds values that begin with a zero, such as {example}"
    return f"it holds values that are codes rather than quantities, such as {example}"
