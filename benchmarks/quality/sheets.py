"""A table of texts that an error is planted in, and the kinds of errors."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

Sheet: TypeAlias = dict[str, list[str]]
"""The cells of a CSV file, by column name."""


@dataclass(frozen=True)
class Planted:
    """What was damaged.

    Attributes:
        columns: A finding on any of these columns may report it; "*" means whole rows.
        rows: The positions of the damaged rows, counted from 0.
        or_rows: Another correct answer, such as the copies without their originals.
    """

    columns: Sequence[str]
    rows: Sequence[int]
    or_rows: Sequence[int] | None = None


Plant: TypeAlias = Callable[[Sheet, Random], Planted]


@dataclass(frozen=True)
class Kind:
    """A kind of error.

    Attributes:
        name: Its name.
        tables: The names of the clean tables in which it can be planted.
        plant: Changes the sheet and returns what it changed.
    """

    name: str
    tables: Sequence[str]
    plant: Plant


def row_count(sheet: Sheet) -> int:
    """Return the number of rows."""
    return len(next(iter(sheet.values())))


def choose_rows(sheet: Sheet, random: Random, share: float = 0.015, least: int = 3) -> list[int]:
    """Return the positions of some rows in order, each with the same chance."""
    n = row_count(sheet)
    return sorted(random.sample(range(n), min(n, max(least, round(share * n)))))


def change_cells(sheet: Sheet, column: str, rows: Sequence[int], change: Callable[[str], str]) -> Planted:
    """Change the cells of a column in these rows; rows in which nothing changes do not count."""
    changed = []
    for row in rows:
        before = sheet[column][row]
        sheet[column][row] = change(before)
        if sheet[column][row] != before:
            changed.append(row)
    return Planted([column], changed)


def rows_where(sheet: Sheet, column: str, fits: Callable[[str], bool]) -> list[int]:
    """Return the positions of the rows whose cell fits."""
    return [row for row, cell in enumerate(sheet[column]) if fits(cell)]


def sheet_csv(sheet: Sheet) -> bytes:
    """Return the sheet as a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(sheet)
    writer.writerows(zip(*sheet.values(), strict=True))
    return text.getvalue().encode()
