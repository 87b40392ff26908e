"""Parse numbers written with a currency, a unit, a percent sign, or the separators of any country."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

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
    column: pl.Series, decimal: str | None = None, thousands: str | None = None
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
    parts = column.str.extract_groups(_WRITTEN).struct.unnest()
    if parts["digits"].null_count() == len(column):
        return None
    digits = parts["digits"].str.strip_chars()
    if thousands is not None:
        digits = _without_thousands(digits, thousands, decimal or _other_decimal(digits, thousands))
        decimal = "."
    spaced = digits.str.contains(f"[{_BLANKS}]")
    digits = pl.select(pl.when(~spaced | digits.str.contains(_SPACED)).then(digits)).to_series()
    grouped = digits.str.replace_all(f"[{_BLANKS}]", "")
    suffix = parts["suffix"]
    affix = parts["prefix"].fill_null("") + suffix.fill_null("")
    usual = _usual_affix(affix.filter(grouped.is_not_null()))
    fits = (
        grouped.is_not_null()
        & ((affix == "") | (affix == usual))
        & ~suffix.fill_null("").str.contains(_NOT_UNITS)
        & (parts["open"].is_null() == parts["close"].is_null())
    )
    if _UPPER_CODE.fullmatch(usual) and bool(grouped.str.contains(r"^[0-9]{4,5}$").all()):
        return None
    if not usual and _are_codes(grouped.filter(fits), spaced.filter(fits), parts["sign"].filter(fits)):
        return None
    if decimal is None:
        decimal = _detect_decimal(grouped.filter(fits))
    pattern = _COMMA if decimal == "," else _POINT
    fits &= grouped.str.contains(pattern).fill_null(value=False)
    plain = grouped.str.replace_all("." if decimal == "," else ",", "", literal=True).str.replace(",", ".")
    values = pl.select(pl.when(fits).then(plain)).to_series().cast(pl.Float64, strict=False)
    signs = pl.DataFrame([parts["sign"], parts["inner"], parts["after"]]).select(
        pl.all().is_in(["-", "\u2212"])
    )
    negative = signs.select(pl.any_horizontal(pl.all())).to_series().fill_null(value=False)
    negative |= parts["open"].is_not_null()
    values = pl.select(pl.when(negative).then(-values).otherwise(values)).to_series()
    return NumberText(values, usual, decimal)


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


def _usual_affix(affix: pl.Series) -> str:
    """Return the most frequent affix; empty if few numbers have one, so that these stand out."""
    counts = affix.filter(affix != "").value_counts(sort=True)
    usual, count = counts.row(0) if len(counts) else ("", 0)
    return str(usual) if count >= MIN_AFFIX_SHARE * len(affix) else ""


def _are_codes(digits: pl.Series, spaced: pl.Series, signs: pl.Series) -> bool:
    if digits.str.contains(_LEADING_ZERO).any() or (digits.str.count_matches("[0-9]") > _MAX_DIGITS).any():
        return True
    # Phone numbers have the same groups everywhere, or start with a plus.
    alike = spaced.all() and digits.str.len_chars().n_unique() == 1
    return bool(spaced.any()) and bool(alike or (signs == "+").any())


def _detect_decimal(digits: pl.Series) -> str:
    comma = digits.str.contains(_COMMA).sum()
    point = digits.str.contains(_POINT).sum()
    sure_comma, sure_point = digits.str.contains(_SURE_COMMA).sum(), digits.str.contains(_SURE_POINT).sum()
    return "," if sure_comma > sure_point and comma >= point else "."
