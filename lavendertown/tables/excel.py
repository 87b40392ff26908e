"""Read one sheet of an Excel or OpenDocument workbook as a table."""

from __future__ import annotations

import logging

import fastexcel
import polars as pl

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.tables import patterns
from lavendertown.tables.cell_kinds import (
    ErrorCells,
    classify_cells,
    collect_error_cells,
    convert_by_kind,
    count_lost_error_cells,
    error_series,
    may_mix_kinds,
)
from lavendertown.tables.frames import DECLARED, from_columns
from lavendertown.tables.infer import join_names
from lavendertown.tables.table import Table
from lavendertown.tables.value_kinds import ClassifiedColumn
from lavendertown.tables.workbook_extent import check_workbook

_MAX_HEADER_ROWS = 10
_MAX_EXACT_FLOAT = 2**53

# fastexcel warns about every empty column on standard error; the checks report empty columns anyway.
logging.getLogger("fastexcel.types.dtype").setLevel(logging.ERROR)


def read_workbook(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Table:
    """Read the first sheet that has cells.

    Raises:
        FileLimitError: The workbook has too many cells or columns, or unpacks to too many bytes.
        UnreadableTableError: The workbook is password-protected, damaged or empty.
    """
    check_workbook(raw, name, limits)
    book = _open_workbook(raw, name)
    for sheet in book.sheet_names:
        cells, errors = _read_cells(book, sheet, name)
        if cells.height and cells.width:
            table = _build_table(book, sheet, cells, errors, name)
            table.guesses.extend(_describe_lost_errors(raw))
            return table
    raise UnreadableTableError(f"{name} is empty: no sheet has any cells.")


def _open_workbook(raw: bytes, name: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(raw)
    except fastexcel.FastExcelError as error:
        if "password" in str(error).lower() or b"E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d" in raw:
            raise UnreadableTableError(
                f"{name} is protected with a password; save a copy without a password."
            ) from error
        raise UnreadableTableError(
            f"{name} cannot be opened as a workbook: it is damaged or has a different format."
        ) from error


def _read_cells(book: fastexcel.ExcelReader, sheet: str, name: str) -> tuple[pl.DataFrame, ErrorCells]:
    """Return all cells of the sheet as text, without trailing empty rows, and its error cells."""
    try:
        batch, cell_errors = book.load_sheet(sheet, header_row=None, dtypes="string").to_arrow_with_errors()
    except fastexcel.FastExcelError as error:
        raise UnreadableTableError(
            f"{name}: sheet '{sheet}' cannot be read; save the workbook again."
        ) from error
    cells, errors = pl.DataFrame(batch), collect_error_cells(cell_errors)
    if not cells.width:
        return cells, errors
    filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
    last = max([int(filled[-1]) if len(filled) else -1, *(row for rows in errors.values() for row in rows)])
    return cells.head(last + 1), errors


def _build_table(
    book: fastexcel.ExcelReader, sheet: str, cells: pl.DataFrame, errors: ErrorCells, name: str
) -> Table:
    header = _find_header_row(cells)
    names = [cell or errors.get(i, {}).get(header, "") for i, cell in enumerate(cells.row(header))]
    data = cells[header + 1 :]
    typed = _read_typed(book, sheet, header, data)
    column_errors = [error_series(errors.get(i, {}), header + 1, data.height) for i in range(data.width)]
    ambiguous = {
        i: texts
        for i, texts in enumerate(data.get_columns())
        if typed is None or may_mix_kinds(texts, typed.to_series(i))
    }
    kinds = classify_cells(book, sheet, ambiguous, header + 1)
    columns = [
        _choose_column(texts, typed.to_series(i) if typed is not None else None, kinds.get(i))
        for i, texts in enumerate(data.get_columns())
    ]
    # Numbers in a text column are not a fault if the column also has placeholders for missing values.
    declared = [
        frozenset() if c.dtype == pl.String and c.str.contains(patterns.DISGUISED_NULL).any() else DECLARED
        for c in (column.values if isinstance(column, ClassifiedColumn) else column for column in columns)
    ]
    long = [names[i] for i, c in enumerate(columns) if isinstance(c, pl.Series) and _has_long_number(c)]
    sheets = len(book.sheet_names)
    which = f"the sheet '{sheet}'" + (f" (of {sheets})" if sheets > 1 else "")
    guesses = [f"Read {which}; its row {header + 1} names the columns."]
    if long:
        guesses.append(f"{join_names(long)}: a workbook keeps only the first 15 digits of longer numbers.")
    return from_columns(
        names,
        columns,
        height=data.height,
        name=name,
        guesses=guesses,
        declared=declared,
        errors=column_errors,
    )


def _describe_lost_errors(raw: bytes) -> list[str]:
    lost = count_lost_error_cells(raw)
    if not lost:
        return []
    cells = "1 cell of the file holds" if lost == 1 else f"{lost:,} cells of the file hold"
    return [
        f"{cells} an error such as #DIV/0!; reading an OpenDocument file gives empty text or zero instead. "
        "Save it as .xlsx to see which."
    ]


def _find_header_row(cells: pl.DataFrame) -> int:
    """Return the row that names the columns: the first, or the one below a title."""
    filled = [sum(cell is not None for cell in row) for row in cells.head(_MAX_HEADER_ROWS).rows()]
    if cells.width < 3 or filled[0] > 1:
        return 0
    return next((i for i, count in enumerate(filled) if count >= cells.width - 1), 0)


def _read_typed(
    book: fastexcel.ExcelReader, sheet: str, header: int, data: pl.DataFrame
) -> pl.DataFrame | None:
    """Return the cells with the types the reader infers, or None if it fails."""
    try:
        typed = book.load_sheet(sheet, header_row=header, schema_sample_rows=None).to_polars()
    except fastexcel.FastExcelError:
        return None  # for example incompatible kinds, or an error cell
    return typed.head(data.height) if typed.height >= data.height and typed.width == data.width else None


def _choose_column(
    texts: pl.Series, typed: pl.Series | None, kinds: pl.Series | None
) -> pl.Series | ClassifiedColumn:
    """Return the typed cells, or their texts if the types would lose some.

    For a number column with stray text, the reader returns numbers and drops the text.
    """
    if kinds is not None and (typed is None or kinds.drop_nulls().n_unique() > 1):
        column = convert_by_kind(texts, kinds)
    elif typed is None or typed.null_count() != texts.null_count():
        column = texts
    else:
        column = typed
    if isinstance(column, pl.Series) and column.dtype == pl.Float64:
        return _restore_integers(column)
    return column


def _has_long_number(column: pl.Series) -> bool:
    return column.dtype == pl.Float64 and bool(((column.abs() >= _MAX_EXACT_FLOAT) & (column % 1 == 0)).any())


def _restore_integers(column: pl.Series) -> pl.Series:
    """Convert whole floats to integers: Excel stores every number as a float."""
    present = column.drop_nulls()
    exact = bool(((present == present.round()) & (present.abs() < _MAX_EXACT_FLOAT)).all())
    return column.cast(pl.Int64) if len(present) and exact else column
