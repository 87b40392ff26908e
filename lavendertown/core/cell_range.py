"""Ranges of a sheet's cells, such as ``B4:H200``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lavendertown.core.errors import InvalidInputError

_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})?:\$?([A-Za-z]{1,3})\$?([0-9]{1,7})?")


@dataclass(frozen=True)
class CellRange:
    """A rectangle of cells; rows and columns are counted from 0, as in a frame.

    Attributes:
        first_row: The first row.
        last_row: The last row; None for the last one of the sheet.
        first_column: The first column.
        last_column: The last column.
    """

    first_row: int
    last_row: int | None
    first_column: int
    last_column: int

    def __str__(self) -> str:
        first = "" if self.last_row is None and not self.first_row else self.first_row + 1
        last = "" if self.last_row is None else self.last_row + 1
        return f"{_column_letters(self.first_column)}{first}:{_column_letters(self.last_column)}{last}"


def parse_cell_range(text: str) -> CellRange:
    """Return the range that a text such as ``B4:H200``, ``B4:H`` (to the last row) or ``B:H`` names.

    Raises:
        InvalidInputError: The text is not a range, or its end is before its start.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise InvalidInputError(f"{text!r} is not a range of cells; give one such as B4:H200 or B4:H.")
    first_column, last_column = _column_number(match[1]), _column_number(match[3])
    first_row = int(match[2] or 1) - 1
    last_row = int(match[4]) - 1 if match[4] else None
    if first_row < 0 or last_column < first_column or (last_row is not None and last_row < first_row):
        raise InvalidInputError(
            f"The range {text!r} ends before it starts; give the upper left cell and then the lower right "
            "one, such as B4:H200."
        )
    return CellRange(first_row, last_row, first_column, last_column)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _column_letters(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
