"""Kinds of workbook cells: numbers, dates, text, yes/no values, and errors such as #DIV/0!."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence

import fastexcel
import polars as pl

from lavendertown.tables.inference import patterns
from lavendertown.tables.value_kinds import ClassifiedColumn

ErrorCells = Mapping[int, Mapping[int, str]]
"""The error cells of a sheet: column index → row index → name such as ``#DIV/0!``."""

_UNKNOWN = "#ERROR!"
_ERROR_NAMES = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "Name": "#NAME?",
    "Num": "#NUM!",
    "Null": "#NULL!",
    "GettingData": "#GETTING_DATA",
}
ERROR_NAMES = (*_ERROR_NAMES.values(), _UNKNOWN)
"""Error names as a spreadsheet displays them."""

_ERROR_CELL = re.compile(r"'Error\((\w+)\)'$")
_TRUE_FALSE = r"^(?:true|false)$"
_OPEN_DOCUMENT = "content.xml"
_OPEN_DOCUMENT_ERROR = b'calcext:value-type="error"'
_BLOCK_SIZE = 1 << 20
_TIME_CELL = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""The format in which the reader returns dates and times as text."""


def collect_error_cells(cell_errors: fastexcel.CellErrors | None) -> dict[int, dict[int, str]]:
    """Return the error cells among the cells that the reader could not convert to text."""
    cells: dict[int, dict[int, str]] = {}
    for error in cell_errors.errors if cell_errors else ():
        match = _ERROR_CELL.search(error.detail)
        if match:
            row, column = error.offset_position
            cells.setdefault(column, {})[row] = _ERROR_NAMES.get(match[1], _UNKNOWN)
    return cells


def error_series(errors: Mapping[int, str], first_row: int, height: int) -> pl.Series | None:
    """Return the error names of ``height`` rows of a column; null for cells without an error."""
    by_row = {row - first_row: name for row, name in errors.items() if first_row <= row < first_row + height}
    if not by_row:
        return None
    return pl.Series([by_row.get(row) for row in range(height)], dtype=pl.String)


def may_mix_kinds(texts: pl.Series, typed: pl.Series) -> bool:
    """Return whether a column may mix kinds, given its cells as text and as the type the reader chose."""
    if typed.null_count() != texts.null_count():
        return True
    if typed.dtype == pl.String:
        likely = patterns.NUMBER_OR_DATE_START + "|" + _TRUE_FALSE
    elif typed.dtype.is_numeric():
        likely = _TRUE_FALSE
    else:
        likely = patterns.PLAIN_NUMBER
    return bool(texts.str.contains(likely).any())


def classify_cells(
    book: fastexcel.ExcelReader,
    sheet: str,
    texts: Mapping[int, pl.Series],
    first_row: int,
    first_column: int,
) -> dict[int, pl.Series]:
    """Return the kind of each cell of some columns, by column.

    The reader loads a cell as boolean only if it is a boolean or a number, and as a date only if it is a
    date, a time or a number. Text cells load as neither.

    Args:
        book: The workbook.
        sheet: The sheet's name.
        texts: The cells as text by column index, starting at ``first_row``.
        first_row: The first row of data, counted from the top of the sheet.
        first_column: The column of the sheet that has the index 0 in ``texts``.
    """
    if not texts:
        return {}
    numeric = _load_as(book, sheet, "boolean", list(texts), first_row, first_column)
    dated_columns = [i for i, column in texts.items() if column.str.contains(_TIME_CELL).any()]
    dated = _load_as(book, sheet, "date", dated_columns, first_row, first_column) if dated_columns else {}
    return {
        i: _classify_cells(
            column, numeric[i].head(len(column)), dated[i].head(len(column)) if i in dated else None
        )
        for i, column in texts.items()
    }


def convert_by_kind(texts: pl.Series, kinds: pl.Series) -> pl.Series | ClassifiedColumn:
    """Convert a column of one kind to its type; keep a mixed column as text with its kinds."""
    distinct = kinds.drop_nulls().unique().to_list()
    if len(distinct) > 1:
        return ClassifiedColumn(texts, kinds)
    if distinct == ["number"]:
        typed = texts.cast(pl.Float64, strict=False)
    elif distinct == ["date"]:
        day = texts.str.replace(r"^(\S+)$", "$1 00:00:00").str.replace("T", " ", literal=True)
        typed = day.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False)
    elif distinct == ["yes/no"]:
        typed = texts == "true"
    else:
        return texts
    return typed if typed.null_count() == texts.null_count() else texts


def _load_as(
    book: fastexcel.ExcelReader,
    sheet: str,
    dtype: fastexcel.DType,
    columns: Sequence[int],
    first_row: int,
    first_column: int,
) -> dict[int, pl.Series]:
    wanted = [first_column + i for i in columns]
    cells = book.load_sheet(
        sheet, header_row=None, skip_rows=first_row, dtypes=dtype, use_columns=wanted
    ).to_polars()
    return {i: cells.to_series(position) for position, i in enumerate(sorted(columns))}


def _classify_cells(texts: pl.Series, numeric: pl.Series, dated: pl.Series | None) -> pl.Series:
    frame = pl.DataFrame({"text": texts, "numeric": numeric.is_not_null()})
    is_dated = pl.lit(False) if dated is None else pl.lit(dated.is_not_null() & numeric.is_null())
    return frame.select(
        pl.when(pl.col("text").is_null())
        .then(None)
        .when(is_dated)
        .then(pl.lit("date"))
        .when(pl.col("numeric") & pl.col("text").str.contains(_TRUE_FALSE))
        .then(pl.lit("yes/no"))
        .when(pl.col("numeric"))
        .then(pl.lit("number"))
        .otherwise(pl.lit("text"))
        .alias("kind")
    ).to_series()


def count_lost_error_cells(raw: bytes) -> int:
    """Count the error cells of an OpenDocument file, which the reader returns as empty text or zero."""
    if not raw.startswith(b"PK"):
        return 0
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if _OPEN_DOCUMENT not in archive.namelist():
            return 0
        count, rest = 0, b""
        with archive.open(_OPEN_DOCUMENT) as content:
            while block := content.read(_BLOCK_SIZE):
                count += (rest + block).count(_OPEN_DOCUMENT_ERROR)
                # One byte shorter than the pattern, so that no match is counted twice.
                rest = block[-len(_OPEN_DOCUMENT_ERROR) + 1 :]
    return count
