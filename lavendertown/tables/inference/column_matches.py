"""Match the values of text columns with regular expressions."""

from __future__ import annotations

import polars as pl

QUICK_CHECK_ROWS = 1_000
"""How many rows decide whether all others are looked at."""


def all_match(column: pl.Series, pattern: str) -> bool:
    """Return whether all values of a text column match a pattern; the first ones are tried first."""
    if not column.head(QUICK_CHECK_ROWS).str.contains(pattern).all():
        return False
    return len(column) <= QUICK_CHECK_ROWS or column.str.contains(pattern).all()


def any_match(column: pl.Series, pattern: str) -> bool:
    """Return whether a value of a text column matches a pattern."""
    return column.str.contains(pattern).any()
