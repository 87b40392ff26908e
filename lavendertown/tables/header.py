"""Find the rows that name the columns, the lines above them, and a row of totals below the data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from lavendertown.tables import patterns

Record = Sequence[str | None]
"""The cells of a row as text; None or empty for an empty cell."""

MAX_ROWS_ABOVE = 30
_MIN_BODY_ROWS = 3
_TYPED_SHARE = 0.9
_YEARS = range(1800, 2101)
_TOTAL = re.compile(
    r"^\W*(?:(?:grand|sub|overall)[ -]?)?"
    r"(?:totals?|sum|summe|gesamt(?:summe)?|insgesamt|totale|suma|som)\W*$",
    re.IGNORECASE,
)


def is_title_row(record: Record, width: int) -> bool:
    """Return whether a row above the table is a title or a remark rather than the names of columns.

    It is blank, has only its first cell, or, in a table of at least four columns, only a name and a value.
    """
    filled = [place for place, cell in enumerate(record) if cell and cell.strip()]
    return not filled or filled == [0] or (filled == [0, 1] and width >= 4)


def find_header(records: Sequence[Record], width: int) -> int:
    """Return the index of the row that names the columns: the first that is not a title or a remark."""
    for i, record in enumerate(records[:MAX_ROWS_ABOVE]):
        if not is_title_row(record, width):
            return i
    return 0


def names_columns(head: Record, body: Sequence[Record]) -> bool:
    """Return whether a row names the columns: True unless it looks like the rows below."""
    columns = _columns(body, len(head))
    typed = [i for i, values in enumerate(columns) if value_type(values) != "text"]
    if not typed or any(value_type([head[i]]) != value_type(columns[i]) for i in typed):
        return True
    return all(_is_year(head[i]) and not all(map(_is_year, columns[i])) for i in typed)


def differs_in_type(head: Record, body: Sequence[Record]) -> bool:
    """Return whether some column has numbers or dates in the body, but not in this row."""
    columns = _columns(body, len(head))
    return any(
        value_type(values) != "text" and value_type([head[i]]) == "text" for i, values in enumerate(columns)
    )


def has_second_header(records: Sequence[Record]) -> bool:
    """Return whether the second row names the columns too, below group names that span several columns.

    The group row leaves the cells of its group empty, or repeats the name; the second row has text where
    the rows below have numbers or dates.
    """
    if len(records) < 2 + _MIN_BODY_ROWS:
        return False
    groups, names, body = records[0], records[1], records[2:]
    if not _has_groups(groups):
        return False
    columns = _columns(body, len(groups))
    typed = [i for i, values in enumerate(columns) if value_type(values) != "text"]
    named = [i for i in typed if names[i] and value_type([names[i]]) == "text"]
    return len(named) >= 2 and len(named) == len([i for i in typed if names[i]])


def join_header_rows(rows: Sequence[Record]) -> list[str]:
    """Return one name a column; a group name counts for the empty cells to its right."""
    *groups, last = [[(cell or "").strip() for cell in row] for row in rows]
    names = []
    for i, name in enumerate(last):
        parts = [_spanning_name(group, i, named=bool(name)) for group in groups]
        names.append(" ".join(part for part in (*parts, name) if part))
    return names


def may_be_totals(last: Record) -> bool:
    """Return whether a row is labelled as a total, such as ``Grand total``."""
    label = next((cell for cell in last if cell and cell.strip()), "")
    return bool(label and _TOTAL.match(label.strip()))


def is_totals_row(last: Record, sums: Mapping[int, float]) -> bool:
    """Return whether a row is labelled as a total and holds the sums of the rows above.

    Args:
        last: The last row of the table.
        sums: The sum of the other rows, by the position of each number column.
    """
    totals = [(cell, sums[i]) for i, cell in enumerate(last) if i in sums and cell and cell.strip()]
    return may_be_totals(last) and bool(totals) and all(_may_equal(cell, number) for cell, number in totals)


def _may_equal(cell: str, number: float) -> bool:
    """Return whether a cell equals a number in any notation, up to the digits that it shows."""
    digits = re.sub(r"[^0-9.,+-]", "", cell)
    for plain in (digits, digits.replace(",", ""), digits.replace(".", "").replace(",", ".")):
        try:
            value = float(plain)
        except ValueError:
            continue
        decimals = len(plain.partition(".")[2])
        if abs(value - number) <= 0.5 * 10**-decimals + 1e-9 * abs(number):
            return True
    return False


def _has_groups(record: Record) -> bool:
    cells = [(cell or "").strip() for cell in record]
    after_first = cells[next((i for i, cell in enumerate(cells) if cell), 0) :]
    present = [cell for cell in cells if cell]
    return "" in after_first or len(set(present)) < len(present)


def _spanning_name(group: Sequence[str], place: int, *, named: bool) -> str:
    if group[place] or not named:
        return group[place]
    return next((name for name in reversed(group[:place]) if name), "")


def _columns(body: Sequence[Record], width: int) -> list[list[str]]:
    return [[record[i] or "" for record in body if len(record) == width] for i in range(width)]


def value_type(values: Sequence[str | None]) -> str:
    """Return ``number`` or ``date`` if more than nine of ten present values are one, otherwise ``text``."""
    present = pl.Series([value for value in values if value], dtype=pl.String)
    if not len(present):
        return "text"
    for name, pattern in (("number", patterns.NUMBER), ("date", patterns.DATE)):
        if float(present.str.contains(pattern).mean() or 0.0) > _TYPED_SHARE:  # type: ignore[arg-type]
            return name
    return "text"


def _is_year(value: str | None) -> bool:
    return bool(value) and str(value).isdecimal() and int(str(value)) in _YEARS
