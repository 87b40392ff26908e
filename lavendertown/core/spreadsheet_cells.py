"""Escape text for files that are opened with a spreadsheet program."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")  # noqa: RUF001
"""Characters that begin a formula in spreadsheets, including their full-width forms."""


def escape_formula(value: object) -> object:
    """Return a cell value that no spreadsheet runs as a formula: such text gets a leading apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
