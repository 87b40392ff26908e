"""Parse numbers written with a currency, a unit, a percent sign, or the separators of any country."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from lavendertown.tables.inference.text_columns import TextColumn

_CURRENCIES = (
    r"(?:US|CA|AU|NZ|HK|R)?\$|[€£¥₹₽₩₺₪฿]|kr\.?|Fr\.?|zł|Kč"
    r"|AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HUF|INR|JPY|MXN|NOK|NZD|PLN|SEK|TRY|USD|ZAR"
)
_BLANKS = " '\u2019\u00a0\u2009\u202f"
_UNIT = r"[A-Za-z\u00b5\u03a9\u00b0][A-Za-z\u00b0\u00b2\u00b30-9/]{0,5}"
_SIGN = r"[+\u2212-]"
_WRITTEN = (
    rf"^\s*(?P<open>\()?\s*(?P<sign>{_SIGN})?\s*(?P<prefix>{_CURRENCIES})?\s*(?P<inner>{_SIGN})?\s*"
    rf"(?P<digits>[0-9][0-9.,{_BLANKS}]*(?:[eE][+-]?[0-9]+)?|[.,][0-9]+)\s*"
    rf"(?P<suffix>%|\u2030|{_CURRENCIES}|{_UNIT})?\s*(?P<close>\))?(?P<after>[\u2212-])?\s*$"
)
_NOT_UNITS = r"^(?i:k|m|b|t|x|st|nd|rd|th|bn|mn|mio|mrd|e)$|[0-9]$"
"""Suffixes that change the number (10k), or make it a rank or a code (3rd, 12b, 4x4)."""

_UPPER_CODE = re.compile(r"(?!KG|KM|CM|MM|KB|MB|GB|TB|HP|PS|KW|HZ|ML|CL|DL|LB|OZ|FT|IN|YD)[A-Z]{2}")
"""Letters of a postcode such as 1012 AB; not the units that are written in capitals."""

_SPACED = rf"^[0-9]{{1,3}}(?:[{_BLANKS}][0-9]{{3}})+(?:[.,][0-9]+)?$"
_POINT = (
    r"^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$|^[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]+)?$"
)
"""Groups of two digits are those of India: 12,34,567 is 1234567."""

_COMMA = r"^(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)?(?:,[0-9]+)?$"
_SURE_COMMA = r",[0-9]{1,2}$|,[0-9]{4,}$|\..*,|^[0-9]{1,3}\.[0-9]{3}\.[0-9]{3}$"
_SURE_POINT = r"\.[0-9]{1,2}$|\.[0-9]{4,}$|,.*\.|,[0-9]{3},"
_LEADING_ZERO = r"^0[0-9]"
_MAX_DIGITS = 15
MIN_AFFIX_SHARE = 0.1
"""With fewer values that have a currency or unit, these values stand out and are no numbers of the column."""


@dataclass(frozen=True)
class NumberText:
    """A text column parsed as numbers.

    Attributes:
        values: The numbers; null where the text is none.
        affix: The currency, unit or percent sign of the numbers; empty if they have none.
        decimal: The decimal sign, ``.`` or ``,``.
    """

    values: pl.Series
    affix: str
    decimal: str


def parse_number_text(
    column: TextColumn, decimal: str | None = None, thousands: str | None = None
) -> NumberText | None:
    """Parse the values that are numbers in the usual notation of the column.

    Values with another unit than the usual one are not numbers of this column, nor are the few values with a
    unit in a column without. Return None if digits are
    codes (a leading zero, more than 15 digits) or may be phone numbers.

    Args:
        column: A text column.
        decimal: The decimal sign; detected by default.
        thousands: The only sign that may part thousands, empty for none; any by default.
    """
    if not column.any_match(_WRITTEN):
        return None
    if thousands is None:
        facts = column.derive_values(_read_numbers)
    else:
        parts = _split_numbers(column.values)
        signs = decimal or _other_decimal(parts["digits"], thousands)
        facts = _read_digits(parts.with_columns(digits=_without_thousands(parts["digits"], thousands, signs)))
        decimal = "."
    usual = _usual_affix(facts)
    if _UPPER_CODE.fullmatch(usual) and facts["has_length_of_postcode"].all():
        return None
    fits = pl.col("is_whole") & ((pl.col("affix") == "") | (pl.col("affix") == usual))
    fitting = facts.filter(fits)
    if not usual and _are_codes(fitting):
        return None
    if decimal is None:
        decimal = _detect_decimal(fitting)
    number = pl.col("comma_number" if decimal == "," else "point_number")
    values = facts.select(pl.when(fits).then(number).alias(column.values.name)).to_series()
    return NumberText(values, usual, decimal)


def _split_numbers(values: pl.Series) -> pl.DataFrame:
    """Return the parts of texts that are numbers in any notation; null in other texts."""
    parts = values.str.extract_groups(_WRITTEN).struct.unnest()
    return parts.with_columns(pl.col("digits").str.strip_chars())


def _read_numbers(values: pl.Series) -> pl.DataFrame:
    return _read_digits(_split_numbers(values))


def _read_digits(parts: pl.DataFrame) -> pl.DataFrame:
    """Return what the parts of each text mean, with a decimal point and with a decimal comma."""
    digits, blanks = pl.col("digits"), f"[{_BLANKS}]"
    affix = pl.col("prefix").fill_null("") + pl.col("suffix").fill_null("")
    minus = pl.any_horizontal(pl.col("sign", "inner", "after").is_in(["-", "\u2212"])).fill_null(value=False)
    is_spaced = digits.str.contains(blanks)
    frame = parts.select(
        digits=pl.when(~is_spaced | digits.str.contains(_SPACED)).then(digits.str.replace_all(blanks, "")),
        is_spaced=is_spaced,
        affix=affix,
        is_whole=(pl.col("open").is_null() == pl.col("close").is_null())
        & ~pl.col("suffix").fill_null("").str.contains(_NOT_UNITS),
        has_plus=pl.col("sign") == "+",
        is_negative=minus | pl.col("open").is_not_null(),
    )
    is_comma, is_point = digits.str.contains(_COMMA), digits.str.contains(_POINT)
    negate = pl.when("is_negative").then(-1.0).otherwise(1.0)
    comma_text = digits.str.replace_all(".", "", literal=True).str.replace(",", ".")
    point_text = digits.str.replace_all(",", "", literal=True)
    return frame.with_columns(
        is_whole=pl.col("is_whole") & digits.is_not_null(),
        has_affix=(pl.col("affix") != "") & digits.is_not_null(),
        has_length_of_postcode=digits.str.contains(r"^[0-9]{4,5}$"),
        is_code=digits.str.contains(_LEADING_ZERO) | (digits.str.count_matches("[0-9]") > _MAX_DIGITS),
        length=digits.str.len_chars(),
        is_comma=is_comma,
        is_point=is_point,
        is_surely_comma=digits.str.contains(_SURE_COMMA),
        is_surely_point=digits.str.contains(_SURE_POINT),
        comma_number=pl.when(is_comma).then(comma_text).cast(pl.Float64, strict=False) * negate,
        point_number=pl.when(is_point).then(point_text).cast(pl.Float64, strict=False) * negate,
    )


def _other_decimal(digits: pl.Series, thousands: str) -> str:
    """Return the decimal sign next to a separator that is set: the point or comma, what fits more numbers."""
    signs = [sign for sign in (".", ",") if sign != thousands]
    return min(signs, key=lambda sign: _without_thousands(digits, thousands, sign).null_count())


def _without_thousands(digits: pl.Series, thousands: str, decimal: str) -> pl.Series:
    """Return digits with a decimal point and without the separator; null where another sign is in them."""
    sign = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}.get(thousands, re.escape(thousands))
    groups = rf"|[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+" if thousands else ""
    pattern = rf"^(?:[0-9]+{groups})?(?:{re.escape(decimal)}[0-9]*)?(?:[eE][+-]?[0-9]+)?$"
    kept = pl.select(pl.when(digits.str.contains(pattern)).then(digits)).to_series()
    plain = kept.str.replace_all(sign, "") if thousands else kept
    return plain.str.replace(decimal, ".", literal=True)


def _usual_affix(facts: pl.DataFrame) -> str:
    """Return the most frequent affix; empty if few numbers have one, so that these stand out."""
    if not facts["has_affix"].any():
        return ""
    affix = facts["affix"].filter(facts["digits"].is_not_null())
    counts = affix.filter(affix != "").value_counts(sort=True)
    usual, count = counts.row(0) if len(counts) else ("", 0)
    return str(usual) if count >= MIN_AFFIX_SHARE * len(affix) else ""


def _are_codes(facts: pl.DataFrame) -> bool:
    if facts["is_code"].any():
        return True
    # Phone numbers have the same groups everywhere, or start with a plus.
    are_alike = facts["is_spaced"].all() and facts["length"].n_unique() == 1
    return bool(facts["is_spaced"].any()) and bool(are_alike or facts["has_plus"].any())


def _detect_decimal(facts: pl.DataFrame) -> str:
    comma, point = int(facts["is_comma"].sum()), int(facts["is_point"].sum())
    sure_comma, sure_point = int(facts["is_surely_comma"].sum()), int(facts["is_surely_point"].sum())
    return "," if sure_comma > sure_point and comma >= point else "."
