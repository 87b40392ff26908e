"""Excel and OpenDocument workbooks: one sheet as a table."""

from __future__ import annotations

import logging

import fastexcel
import polars as pl

from lavendertown.errors import UnreadableTableError
from lavendertown.tables import patterns
from lavendertown.tables.frames import DECLARED, from_columns
from lavendertown.tables.table import Table

_LOOK_FOR_HEADER = 10
_EXACT = 2**53

# It warns of every empty column on standard error; the checks say so themselves.
logging.getLogger("fastexcel.types.dtype").setLevel(logging.ERROR)


def read(raw: bytes, name: str) -> Table:
    """Read the first sheet that has cells.

    Raises:
        UnreadableTableError: The workbook is locked, broken or empty.
    """
    book = _open(raw, name)
    for sheet in book.sheet_names:
        cells = _cells(book, sheet, name)
        if cells.height and cells.width:
            return _table(book, sheet, cells, name)
    raise UnreadableTableError(f"{name} is empty: none of its sheets has cells.")


def _open(raw: bytes, name: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(raw)
    except fastexcel.FastExcelError as error:
        if "password" in str(error).lower() or b"E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d" in raw:
            raise UnreadableTableError(
                f"{name} is protected with a password; save a copy without one."
            ) from error
        raise UnreadableTableError(
            f"{name} cannot be opened as a workbook: it is damaged or of another format."
        ) from error


def _cells(book: fastexcel.ExcelReader, sheet: str, name: str) -> pl.DataFrame:
    """Return every cell of the sheet as text, without empty rows at its end."""
    try:
        cells = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise UnreadableTableError(f"{name}: the sheet '{sheet}' cannot be read.") from error
    if not cells.width:
        return cells
    filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
    return cells.head(int(filled[-1]) + 1 if len(filled) else 0)


def _table(book: fastexcel.ExcelReader, sheet: str, cells: pl.DataFrame, name: str) -> Table:
    header = _header_row(cells)
    names = [cell or "" for cell in cells.row(header)]
    data = cells[header + 1 :]
    typed = _typed(book, sheet, header, data)
    columns = [_column(data.to_series(i), typed) for i in range(data.width)]
    # A text column with stand-ins for "missing" may hold real numbers beside them; that is no fault.
    declared = [
        frozenset() if c.dtype == pl.String and c.str.contains(patterns.DISGUISED_NULL).any() else DECLARED
        for c in columns
    ]
    sheets = len(book.sheet_names)
    which = f"the sheet '{sheet}'" + (f" (of {sheets})" if sheets > 1 else "")
    guesses = [f"Read {which}; its row {header + 1} names the columns."]
    return from_columns(names, columns, height=data.height, name=name, guesses=guesses, declared=declared)


def _header_row(cells: pl.DataFrame) -> int:
    """Return the row that names the columns: the first, unless a title stands above them."""
    filled = [sum(cell is not None for cell in row) for row in cells.head(_LOOK_FOR_HEADER).rows()]
    if cells.width < 3 or filled[0] > 1:
        return 0
    return next((i for i, count in enumerate(filled) if count >= cells.width - 1), 0)


def _typed(book: fastexcel.ExcelReader, sheet: str, header: int, data: pl.DataFrame) -> pl.DataFrame | None:
    typed = book.load_sheet(sheet, header_row=header, schema_sample_rows=None).to_polars()
    return typed.head(data.height) if typed.height >= data.height and typed.width == data.width else None


def _column(texts: pl.Series, typed: pl.DataFrame | None) -> pl.Series:
    """Return the typed cells, or their texts where typing would lose some.

    The reader gives a number column with stray text as numbers, and the text as missing.
    """
    if typed is None:
        return texts
    column = typed.to_series(int(texts.name.rpartition("_")[2]))
    if column.null_count() != texts.null_count():
        return texts
    return _whole(column) if column.dtype == pl.Float64 else column


def _whole(column: pl.Series) -> pl.Series:
    """Excel knows no whole numbers; give them back."""
    present = column.drop_nulls()
    exact = bool(((present == present.round()) & (present.abs() < _EXACT)).all())
    return column.cast(pl.Int64) if len(present) and exact else column
