"""Read one sheet of an Excel or OpenDocument workbook as a table."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import fastexcel
import polars as pl

from lavendertown.core.cell_range import CellRange, parse_cell_range
from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, ColumnType, Reading
from lavendertown.tables.frames import DECLARED, from_columns, unique_names
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.infer import convert_columns, infer_cells, is_null_word
from lavendertown.tables.table import Table
from lavendertown.tables.text_files.header import (
    MAX_ROWS_ABOVE,
    MAX_ROWS_BELOW,
    count_rows_below,
    differs_in_type,
    find_header,
    find_header_above_data,
    find_rows_below,
    has_second_header,
    join_header_rows,
    names_columns,
)
from lavendertown.tables.value_kinds import ClassifiedColumn
from lavendertown.tables.wording import join_names
from lavendertown.tables.workbooks.cell_kinds import (
    ErrorCells,
    classify_cells,
    collect_error_cells,
    convert_by_kind,
    count_lost_error_cells,
    error_series,
    may_mix_kinds,
)
from lavendertown.tables.workbooks.workbook_extent import check_workbook
from lavendertown.tables.workbooks.workbook_xml import MergedRange, counts_days_from_1904, read_merged_ranges

_SAMPLE_ROWS = 200
_MIN_PROSE_BLANKS = 2.0
_MAX_PROSE_ROWS, _MAX_TITLE_ROWS = 50, 5
_MAX_NUMBERS_IN_PROSE = 0.35
_MAX_EXACT_FLOAT = 2**53
_NO_DAY, _NO_DAY_TEXT = dt.date(1899, 12, 31), "^1899-12-31 "
"""The day that the reader gives to a time of day; the first day of a workbook is 1900-01-01."""

# fastexcel warns about every empty column on standard error; the checks report empty columns anyway.
logging.getLogger("fastexcel.types.dtype").setLevel(logging.ERROR)


def read_workbook(
    raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS, reading: Reading = DETECT
) -> Table:
    """Read the given sheet, or the first visible one that looks like a table.

    Raises:
        FileLimitError: The workbook has too many cells or columns, or unpacks to too many bytes.
        UnreadableTableError: The workbook is password-protected, damaged or empty, or does not have the
            given sheet.
    """
    check_workbook(raw, name, limits)
    book = _open_workbook(raw, name)
    chosen = _choose_sheet(book, name, reading)
    if reading.cell_range is not None:
        chosen = _crop_sheet(chosen, parse_cell_range(reading.cell_range), name)
    table = _build_table(book, chosen, raw, name, reading)
    table.guesses.extend(_describe_lost_errors(raw))
    return replace(table, sheets=tuple(book.sheet_names))


def read_cell_texts(
    raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS
) -> dict[str, tuple[int, list[list[str]]]]:
    """Return all cells of a workbook as texts: for each sheet, the rows above the first cell, and the rows.

    An empty cell is an empty text. Charts are left out.

    Raises:
        FileLimitError: The workbook has too many cells or columns, or unpacks to too many bytes.
        UnreadableTableError: The workbook is password-protected or damaged.
    """
    check_workbook(raw, name, limits)
    book = _open_workbook(raw, name)
    texts: dict[str, tuple[int, list[list[str]]]] = {}
    unreadable: UnreadableTableError | None = None
    for each in book.sheet_names:
        try:
            sheet = _read_sheet(book, each, name)
        except UnreadableTableError as error:  # such as a chart
            unreadable = error
        else:
            texts[each] = sheet.first_row, [[cell or "" for cell in row] for row in sheet.cells.iter_rows()]
    if unreadable is not None and not texts:
        raise unreadable
    return texts


@dataclass(frozen=True)
class _Sheet:
    """A sheet with cells.

    Attributes:
        name: Its name.
        cells: Its cells as text.
        errors: Its error cells.
        first_row: The empty rows above the first cell, which ``cells`` does not have.
        first_column: The empty columns left of the first cell, which ``cells`` does not have.
        others: Sentence parts about the other sheets.
    """

    name: str
    cells: pl.DataFrame
    errors: ErrorCells
    first_row: int
    first_column: int
    others: tuple[str, ...] = ()


def _choose_sheet(book: fastexcel.ExcelReader, name: str, reading: Reading) -> _Sheet:
    names = book.sheet_names
    if reading.sheet is not None:
        if reading.sheet not in names:
            raise UnreadableTableError(
                f"{name} has no sheet '{reading.sheet}'; its sheets are {', '.join(names)}."
            )
        sheet = _read_sheet(book, reading.sheet, name)
        if not sheet.cells.height or not sheet.cells.width:
            raise UnreadableTableError(f"{name}: the sheet '{reading.sheet}' is empty; choose another.")
        return sheet
    hidden = [each for each in names if len(names) > 1 and _is_hidden(book, each, name)]
    fallback: _Sheet | None = None
    prose: list[str] = []
    for each in sorted(names, key=lambda each: each in hidden):
        sheet = _read_sheet(book, each, name)
        if not sheet.cells.height or not sheet.cells.width:
            continue
        fallback = fallback or sheet
        if each in hidden and prose:
            break
        if not _is_prose(sheet.cells):
            others = [f"'{other}' is text" for other in prose]
            others += [f"'{other}' is hidden" for other in hidden if other != each]
            return replace(sheet, others=tuple(others))
        prose.append(each)
    if fallback is None:
        raise UnreadableTableError(f"{name} is empty: no sheet has any cells.")
    return fallback


def _crop_sheet(sheet: _Sheet, wanted: CellRange, name: str) -> _Sheet:
    """Return the sheet without the cells outside a range, and without empty rows above and below."""
    left = max(0, wanted.first_column - sheet.first_column)
    right = max(0, wanted.last_column - sheet.first_column + 1)
    top = max(0, wanted.first_row - sheet.first_row)
    bottom = sheet.cells.height
    if wanted.last_row is not None:
        bottom = min(bottom, max(0, wanted.last_row - sheet.first_row + 1))
    columns = sheet.cells.columns[left:right]
    errors = {
        column - left: {row: error for row, error in rows.items() if top <= row < bottom}
        for column, rows in sheet.errors.items()
        if left <= column < right
    }
    cells = sheet.cells.select(columns)[top:bottom]
    filled = {row - top for rows in errors.values() for row in rows}
    if columns:
        filled |= {*cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()}
    if not filled:
        raise UnreadableTableError(
            f"{name}: the cells {wanted} of the sheet '{sheet.name}' are empty; its cells are "
            f"{_range_of(sheet)}."
        )
    first, last = min(filled), max(filled)
    return replace(
        sheet,
        cells=cells[first : last + 1],
        errors={
            column: {row - top - first: error for row, error in rows.items()}
            for column, rows in errors.items()
        },
        first_row=sheet.first_row + top + first,
        first_column=sheet.first_column + left,
    )


def _range_of(sheet: _Sheet) -> CellRange:
    """Return the range of the cells that are read."""
    return CellRange(
        sheet.first_row,
        sheet.first_row + sheet.cells.height - 1,
        sheet.first_column,
        sheet.first_column + sheet.cells.width - 1,
    )


def _is_hidden(book: fastexcel.ExcelReader, sheet: str, name: str) -> bool:
    try:
        return bool(book.load_sheet(sheet, header_row=None, n_rows=0).visible != "visible")
    except fastexcel.FastExcelError:
        return False  # such as a chart, which reading it reports


def _is_prose(cells: pl.DataFrame) -> bool:
    """Return whether a sheet has explanations rather than a table.

    These are text or a few cells in one column, or few rows in two: sentences next to names or values.
    """
    columns = [column.drop_nulls() for column in cells.get_columns() if column.null_count() < len(column)]
    words = max(float(texts.str.count_matches(r"\s+").mean() or 0.0) for texts in columns)  # type: ignore[arg-type]
    if len(columns) == 1:
        return words >= _MIN_PROSE_BLANKS or cells.height < _MAX_TITLE_ROWS
    if len(columns) > 2 or cells.height > _MAX_PROSE_ROWS or words < _MIN_PROSE_BLANKS:
        return False
    numbers = sum(int(texts.str.contains(patterns.PLAIN_NUMBER).sum()) for texts in columns)
    return numbers <= _MAX_NUMBERS_IN_PROSE * cells.height


def _read_sheet(book: fastexcel.ExcelReader, sheet: str, name: str) -> _Sheet:
    cells, errors = _read_cells(book, sheet, name)
    if not cells.width:
        return _Sheet(sheet, cells, errors, 0, 0)
    used = book.load_sheet(sheet, header_row=None, n_rows=0)
    # With skip_rows, the reader counts rows from the top of the sheet instead of from the first cell.
    whole = book.load_sheet(sheet, header_row=None, n_rows=0, skip_rows=0)
    first_column = used.available_columns()[0].absolute_index
    return _Sheet(sheet, cells, errors, whole.total_height - used.total_height, first_column)


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
    book: fastexcel.ExcelReader,
    sheet: _Sheet,
    raw: bytes,
    name: str,
    reading: Reading,
) -> Table:
    first, header_rows = _find_header_rows(sheet, name, reading)
    if reading.cell_range is None:
        sheet = _leave_out_outer_columns(sheet, first)
    cells, errors = sheet.cells, sheet.errors
    start = first + header_rows
    head = [
        [cell or errors.get(i, {}).get(row, "") for i, cell in enumerate(cells.row(row))]
        for row in range(first, start)
    ]
    renamed: list[str] = []
    given_names = join_header_rows(head) if head else [f"column {i + 1}" for i in range(cells.width)]
    names = unique_names(given_names, renamed)
    data, below = cells[start:], list[str]()
    if reading.cell_range is None or parse_cell_range(reading.cell_range).last_row is None:
        data, below = _leave_out_rows_below(data)
    typed = _read_typed(book, sheet, start, data)
    if reading.null_words is not None:
        data, typed = _drop_null_words(data, typed, reading.null_words)
    ambiguous = {
        i: texts
        for i, texts in enumerate(data.get_columns())
        if typed is None or may_mix_kinds(texts, typed.to_series(i))
    }
    kinds = classify_cells(book, sheet.name, ambiguous, sheet.first_row + start, sheet.first_column)
    columns = [
        _choose_column(texts, typed.to_series(i) if typed is not None else None, kinds.get(i))
        for i, texts in enumerate(data.get_columns())
    ]
    columns, notes = convert_columns(names, columns, data.get_columns(), reading)
    columns, inferred = infer_cells(
        names, columns, data.get_columns(), reading, from_1904=counts_days_from_1904(raw)
    )
    notes += [*inferred, *below]
    height = data.height
    columns, filled = _fill_merged(columns, read_merged_ranges(raw, sheet.name), sheet, start, height)
    if filled:
        merged_names = join_names([names[i] for i in filled])
        notes.append(f"{merged_names}: each merged cell counts for all of its rows.")
    declared = [
        DECLARED if _may_declare(column, reading.types.get(label)) else frozenset[str]()
        for label, column in zip(names, columns, strict=True)
    ]
    long = [names[i] for i, c in enumerate(columns) if isinstance(c, pl.Series) and _has_long_number(c)]
    if long:
        notes.append(f"{join_names(long)}: a workbook keeps only the first 15 digits of longer numbers.")
    found = Reading(
        sheet=sheet.name,
        cell_range=str(_range_of(sheet)),
        header_row=sheet.first_row + first + 1 if header_rows else 0,
        header_rows=header_rows or None,
        skip_lines=sheet.first_row + first,
    )
    return from_columns(
        names,
        columns,
        height=height,
        name=name,
        guesses=[_describe_sheet(book, sheet, first, header_rows, reading), *notes, *renamed],
        declared=declared,
        errors=[error_series(errors.get(i, {}), start, height) for i in range(data.width)],
        reading=reading.fill_from(found),
    )


def _describe_sheet(
    book: fastexcel.ExcelReader, sheet: _Sheet, first: int, header_rows: int, reading: Reading
) -> str:
    count = len(book.sheet_names)
    others = f": {'; '.join(sheet.others)}" if sheet.others else ""
    which = f"the sheet '{sheet.name}'" + (f" (of {count}{others})" if count > 1 else "")
    which += f", cells {reading.cell_range}" if reading.cell_range else ""
    first += sheet.first_row
    if not header_rows:
        return f"Read {which}; no row names the columns."
    if header_rows == 1:
        return f"Read {which}; its row {first + 1} names the columns."
    return f"Read {which}; its rows {first + 1} to {first + header_rows} name the columns."


def _leave_out_outer_columns(sheet: _Sheet, first: int) -> _Sheet:
    """Return the sheet without the columns at its edges that have cells only above a row, such as a title."""
    filled = [
        i for i, column in enumerate(sheet.cells[first:].get_columns()) if column.null_count() < len(column)
    ]
    filled += [i for i, rows in sheet.errors.items() if any(row >= first for row in rows)]
    if not filled:
        return sheet
    left, right = min(filled), max(filled) + 1
    return replace(
        sheet,
        cells=sheet.cells.select(sheet.cells.columns[left:right]),
        errors={i - left: rows for i, rows in sheet.errors.items() if left <= i < right},
        first_column=sheet.first_column + left,
    )


def _leave_out_rows_below(data: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return the cells without totals and remarks at the end, and a sentence about these."""
    below = find_rows_below(data.tail(MAX_ROWS_BELOW).rows())
    if not below or len(below) == data.height:
        return data, []
    above = data[: -len(below)]
    numbers = {i: column.cast(pl.Float64, strict=False) for i, column in enumerate(above.get_columns())}
    count, note = count_rows_below(
        below, {i: each for i, each in numbers.items() if 2 * each.null_count() < len(each)}
    )
    if not count:
        return data, []
    rows = data.head(data.height - count)
    filled = rows.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
    return rows.head(int(filled[-1]) + 1 if len(filled) else 0), [note]


def _take_rows(column: pl.Series | ClassifiedColumn, rows: list[int]) -> pl.Series | ClassifiedColumn:
    if isinstance(column, pl.Series):
        return column.gather(rows)
    return replace(
        column,
        values=column.values.gather(rows),
        kinds=column.kinds.gather(rows) if column.kinds is not None else None,
        texts=column.texts.gather(rows) if column.texts is not None else None,
    )


def _fill_merged(
    columns: Sequence[pl.Series | ClassifiedColumn],
    merged: Sequence[MergedRange],
    sheet: _Sheet,
    start: int,
    height: int,
) -> tuple[list[pl.Series | ClassifiedColumn], list[int]]:
    """Repeat the value of each vertically merged cell in its rows; also return the changed columns."""
    rows_by_column: dict[int, list[int]] = {}
    above = sheet.first_row + start
    for area in merged:
        place, top, last = (
            area.first_column - sheet.first_column,
            area.first_row - above,
            area.last_row - above,
        )
        last = min(last, height - 1)
        if area.first_column == area.last_column and 0 <= place < len(columns) and 0 <= top < last:
            rows = rows_by_column.setdefault(place, list(range(height)))
            rows[top : last + 1] = [top] * (last + 1 - top)
    filled = [_take_rows(c, rows_by_column[i]) if i in rows_by_column else c for i, c in enumerate(columns)]
    return filled, sorted(rows_by_column)


def _describe_lost_errors(raw: bytes) -> list[str]:
    lost = count_lost_error_cells(raw)
    if not lost:
        return []
    cells = "1 cell of the file holds" if lost == 1 else f"{lost:,} cells of the file hold"
    return [
        f"{cells} an error such as #DIV/0!; reading an OpenDocument file gives empty text or zero instead. "
        "Save it as .xlsx to see which."
    ]


def _find_header_rows(sheet: _Sheet, name: str, reading: Reading) -> tuple[int, int]:
    """Return the first row of the header or, without a header, of the data, and the number of header rows."""
    cells = sheet.cells
    if reading.header_row:
        first = max(0, reading.header_row - 1 - sheet.first_row)
    elif reading.skip_lines is not None:
        first = max(0, reading.skip_lines - sheet.first_row)
    else:
        first = _detect_header_row(cells)
    if first >= cells.height:
        raise UnreadableTableError(
            f"{name}: the table is said to start at row {sheet.first_row + first + 1:,}, but the last row of "
            f"the sheet '{sheet.name}' is {sheet.first_row + cells.height:,}; choose an earlier row."
        )
    if reading.header_row == 0:
        return first, 0
    if reading.header_rows is not None:
        return first, min(reading.header_rows, cells.height - first)
    if reading.header_row is None and not _names_columns(cells[first:]):
        return first, 0
    return first, 2 if has_second_header(cells[first:].head(_SAMPLE_ROWS).rows()) else 1


def _names_columns(cells: pl.DataFrame) -> bool:
    head, *body = cells.head(_SAMPLE_ROWS).rows()
    return not body or not all(head) or names_columns(head, body)


def _detect_header_row(cells: pl.DataFrame) -> int:
    """Return the row that names the columns: the first, or the one below a title and remarks."""
    rows = cells.head(MAX_ROWS_ABOVE).rows()
    if cells.width < 2:
        return 0
    sample = cells.head(_SAMPLE_ROWS).rows()
    filled = [i for i, row in enumerate(sample) if any(row)]
    set_off = {i for i in range(1, len(filled)) if filled[i] - filled[i - 1] > 1}
    below_remarks = find_header_above_data([sample[i] for i in filled], set_off)
    if below_remarks is not None:
        return filled[below_remarks]
    found = find_header(rows, cells.width)
    below = rows[found + 1 :]
    sure = cells.width > 2 or (found and not any(rows[found - 1])) or differs_in_type(rows[found], below)
    return found if below and sure else 0


def _read_typed(
    book: fastexcel.ExcelReader, sheet: _Sheet, start: int, data: pl.DataFrame
) -> pl.DataFrame | None:
    """Return the cells with the types the reader infers, or None if it fails."""
    try:
        typed = book.load_sheet(
            sheet.name,
            header_row=None,
            skip_rows=sheet.first_row + start,
            n_rows=data.height,
            schema_sample_rows=None,
            use_columns=[sheet.first_column + i for i in range(data.width)],
        ).to_polars()
    except fastexcel.FastExcelError:
        return None  # for example incompatible kinds, or an error cell
    return typed.head(data.height) if typed.height >= data.height and typed.width == data.width else None


def _may_declare(column: pl.Series | ClassifiedColumn, wanted: ColumnType | None) -> bool:
    """Return whether numbers and dates in a text column are a fault.

    They are not if the user wants text, or if the column also has placeholders for missing values.
    """
    values = column.values if isinstance(column, ClassifiedColumn) else column
    if values.dtype != pl.String:
        return True
    return wanted != "text" and not values.str.contains(patterns.DISGUISED_NULL).any()


def _drop_null_words(
    data: pl.DataFrame, typed: pl.DataFrame | None, words: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Empty the cells with one of the words, in the cells as text and in those with a type."""
    for i, texts in enumerate(data.get_columns()):
        is_missing = is_null_word(texts, words)
        if not is_missing.any():
            continue
        for frame in (data, typed):
            if frame is not None:
                values = pl.when(~is_missing).then(frame.to_series(i)).alias(frame.columns[i])
                frame.replace_column(i, pl.select(values).to_series())
    return data, typed


def _choose_column(
    texts: pl.Series, typed: pl.Series | None, kinds: pl.Series | None
) -> pl.Series | ClassifiedColumn:
    """Return the typed cells, or their texts if the types would lose some.

    For a number column with stray text, the reader returns numbers and drops the text.
    """
    is_text = typed is None or typed.dtype == pl.String
    if kinds is not None and (is_text or kinds.drop_nulls().n_unique() > 1):
        column = convert_by_kind(texts, kinds)
    elif typed is None or typed.null_count() != texts.null_count():
        column = texts
    else:
        column = typed
    if isinstance(column, ClassifiedColumn):
        return replace(column, values=column.values.str.replace(_NO_DAY_TEXT, ""))
    if isinstance(column.dtype, pl.Datetime) and (column.dt.date() == _NO_DAY).all():
        return column.dt.time()
    return _restore_integers(column) if column.dtype == pl.Float64 else column


def _has_long_number(column: pl.Series) -> bool:
    return column.dtype == pl.Float64 and bool(((column.abs() >= _MAX_EXACT_FLOAT) & (column % 1 == 0)).any())


def _restore_integers(column: pl.Series) -> pl.Series:
    """Convert whole floats to integers: Excel stores every number as a float."""
    present = column.drop_nulls()
    exact = bool(((present == present.round()) & (present.abs() < _MAX_EXACT_FLOAT)).all())
    return column.cast(pl.Int64) if len(present) and exact else column
