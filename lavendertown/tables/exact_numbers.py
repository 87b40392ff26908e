"""Store numbers beyond 64-bit precision as decimals or text instead of rounding them."""

from __future__ import annotations

import decimal
import numbers
from collections.abc import Sequence
from typing import Any

import polars as pl

_INT64 = 2**63
_UINT64 = 2**64
_EXACT_IN_FLOAT = 2**53
_PRECISION = 38
"""Maximum number of digits of a Polars decimal."""


def number_series(values: Sequence[Any]) -> pl.Series:
    """Return Python numbers (None for missing ones) as a series that stores each exactly.

    The first type that fits is used: Int64, UInt64, Float64, Decimal. Values with too many digits for a
    decimal become text; but if they are not all whole and floats keep them distinct, they become floats.
    """
    present = [value for value in values if value is not None]
    if all(isinstance(value, numbers.Integral) for value in present):
        return _whole_series([None if value is None else int(value) for value in values])
    if all(_fits_float(value) for value in present):
        return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)
    decimals = [None if value is None else _as_decimal(value) for value in values]
    exact = _decimal_series(decimals)
    if exact.dtype != pl.String:
        return exact
    rounded = pl.Series([None if value is None else float(value) for value in decimals], dtype=pl.Float64)
    return rounded if rounded.n_unique() == exact.n_unique() else exact


def parse_numbers(texts: pl.Series) -> pl.Series | None:
    """Parse plain decimal numbers exactly; return None if no number type can represent them all."""
    plain = texts.str.strip_chars().str.strip_prefix("+")
    for dtype in (pl.Int64, pl.UInt64, _decimal_type(plain)):
        if dtype is not None:
            parsed = plain.cast(dtype, strict=False)
            if parsed.null_count() == texts.null_count():
                return parsed
    return None


def _whole_series(values: Sequence[int | None]) -> pl.Series:
    present = [value for value in values if value is not None]
    least, most = min(present, default=0), max(present, default=0)
    if least >= -_INT64 and most < _INT64:
        return pl.Series(values, dtype=pl.Int64)
    if least >= 0 and most < _UINT64:
        return pl.Series(values, dtype=pl.UInt64)
    return _decimal_series([None if value is None else decimal.Decimal(value) for value in values])


def _fits_float(value: Any) -> bool:
    if isinstance(value, numbers.Integral):
        return abs(int(value)) <= _EXACT_IN_FLOAT
    if isinstance(value, decimal.Decimal):
        return value.is_infinite()
    return True


def _as_decimal(value: Any) -> decimal.Decimal:
    if isinstance(value, decimal.Decimal):
        return value
    if isinstance(value, numbers.Integral):
        return decimal.Decimal(int(value))
    return decimal.Decimal(repr(float(value)))


def _decimal_series(values: Sequence[decimal.Decimal | None]) -> pl.Series:
    present = [value for value in values if value is not None]
    if all(value.is_finite() for value in present):
        scale = max((_fraction_digits(value) for value in present), default=0)
        whole = max((value.adjusted() + 1 for value in present if value), default=1)
        if scale + max(whole, 0) <= _PRECISION:
            return pl.Series(values, dtype=pl.Decimal(_PRECISION, scale))
    return pl.Series([None if value is None else _format_decimal(value) for value in values], dtype=pl.String)


def _fraction_digits(value: decimal.Decimal) -> int:
    return max(0, -int(value.as_tuple().exponent))


def _format_decimal(value: decimal.Decimal) -> str:
    # Write all digits, but use scientific notation for exponents of 100 and more.
    return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < 100 else str(value)


def _decimal_type(plain: pl.Series) -> pl.Decimal | None:
    whole = plain.str.extract(r"^[+-]?([0-9]*)", 1).str.len_bytes().max()
    fraction = plain.str.extract(r"\.([0-9]*)$", 1).str.len_bytes().max()
    digits = (int(whole or 0), int(fraction or 0))  # type: ignore[arg-type]
    if plain.str.contains("[eE]").any() or sum(digits) > _PRECISION:
        return None
    return pl.Decimal(_PRECISION, digits[1])
