"""Read delimited text: detect delimiter and header, handle quotes and ragged lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pc  # type: ignore[import-untyped]

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, NO_DELIMITER, Reading
from lavendertown.tables.frames import from_columns, unique_names
from lavendertown.tables.inference import infer
from lavendertown.tables.table import Table
from lavendertown.tables.text_files.header import (
    MAX_ROWS_BELOW,
    count_rows_below,
    find_rows_below,
    join_header_rows,
)
from lavendertown.tables.text_files.text_encoding import decode_text
from lavendertown.tables.text_files.text_layout import BLANK, DELIMITERS, TextLayout, detect_layout

_BLOCK_SIZE = 1 << 24


def read_delimited(
    raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS, reading: Reading = DETECT
) -> Table:
    """Read delimited text as a table.

    Raises:
        FileLimitError: The file has too many columns or cells.
        UnreadableTableError: The file is empty or broken, or does not fit the given settings; the message
            names the line if it is known.
    """
    return build_text_table(read_text_rows(raw, name, limits, reading), name, reading)


@dataclass
class TextRows:
    """The rows of a delimited file, before the types of its columns are inferred.

    Attributes:
        names: The names of the columns; empty if the file names none.
        data: The cells as text, one column each.
        layout: The layout that the file was read with.
        notes: Sentences about the layout and about repaired lines.
        found: The settings that the file was read with.
    """

    names: list[str]
    data: pl.DataFrame
    layout: TextLayout
    notes: list[str]
    found: Reading

    @property
    def labels(self) -> list[str]:
        """The names of the columns, with their numbers in place of missing ones."""
        return [label or f"column {i + 1}" for i, label in enumerate(self.names)]


def read_text_rows(raw: bytes, name: str, limits: FileLimits, reading: Reading) -> TextRows:
    """Read delimited text as rows of text.

    Raises:
        FileLimitError: The file has too many columns or cells.
        UnreadableTableError: As for :func:`read_delimited`.
    """
    text, encoding, label = decode_text(raw, name, reading.encoding)
    layout = detect_layout(text, name, reading)
    limits.check_shape(layout.text.count("\n"), layout.width, name)
    rows, repairs = _read_rows(layout)
    head = rows.head(layout.header_rows).rows()
    names = join_header_rows(head) if head else [""] * layout.width
    data = rows[layout.header_rows :]
    names, data = _drop_empty_last_column(names, data, repairs)
    notes = [layout.describe(label), *layout.notes, *repairs, *filter(None, [layout.doubt])]
    return TextRows(names, data, layout, notes, replace(layout.reading, encoding=encoding))


def build_text_table(rows: TextRows, name: str, reading: Reading) -> Table:
    """Infer the types of the columns and return the rows as a table."""
    notes, renamed = list(rows.notes), list[str]()
    names = unique_names(rows.names if rows.layout.header_rows else rows.labels, renamed)
    typed, data = _infer_without_totals(names, rows.data, rows.layout, notes, reading)
    return from_columns(
        names,
        typed.columns,
        height=data.height,
        name=name,
        guesses=[*notes, *typed.guesses, *renamed],
        declared=[frozenset()] * len(names),
        reading=reading.fill_from(replace(rows.found, decimal=typed.decimal)),
    )


def _infer_without_totals(
    names: list[str], data: pl.DataFrame, layout: TextLayout, notes: list[str], reading: Reading
) -> tuple[infer.InferredColumns, pl.DataFrame]:
    """Infer the types of the columns; leave out a last row that holds the sums of the others."""

    def infer_columns(rows: pl.DataFrame) -> infer.InferredColumns:
        comma_delimited = layout.delimiter == "," or (layout.delimiter == NO_DELIMITER and layout.width == 1)
        return infer.infer_types(names, rows.get_columns(), comma_delimited=comma_delimited, reading=reading)

    below = find_rows_below(data.tail(MAX_ROWS_BELOW).rows())
    if not below or len(below) == data.height:
        return infer_columns(data), data
    above = data[: -len(below)]
    typed = infer_columns(above)
    numbers = {i: each.values for i, each in enumerate(typed.columns) if each.values.dtype.is_numeric()}
    count, note = count_rows_below(below, numbers)
    if count:
        notes.append(note)
    if count < len(below):
        above = data[: data.height - count]
        typed = infer_columns(above)
    return typed, above


def _read_rows(layout: TextLayout) -> tuple[pl.DataFrame, list[str]]:
    """Return all records as text, including the header, and notes on repaired lines."""
    if layout.text.count('"') % 2:
        _refuse_open_quote(layout)
    if layout.delimiter == BLANK:
        return _read_python(layout)  # Arrow takes each blank for the end of a field
    try:
        return _read_arrow(layout), []
    except pa.ArrowInvalid:
        # Arrow rejects ragged lines; the slower csv module knows the line and repairs harmless ones.
        return _read_python(layout)


def _read_arrow(layout: TextLayout) -> pl.DataFrame:
    table = pc.read_csv(
        io.BytesIO(layout.text.encode("utf-8")),
        read_options=pc.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK_SIZE),
        parse_options=pc.ParseOptions(
            delimiter=layout.delimiter,
            newlines_in_values='"' in layout.text,
            ignore_empty_lines=layout.width > 1,
        ),
        convert_options=pc.ConvertOptions(
            column_types={f"f{i}": pa.large_string() for i in range(layout.width)},
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,
        ),
    )
    if table.num_columns != layout.width:
        raise pa.ArrowInvalid("the width of the first record differs from the sample")
    return pl.DataFrame(table)


def _read_python(layout: TextLayout) -> tuple[pl.DataFrame, list[str]]:
    reader = layout.open_records()
    records: list[list[str | None]] = []
    short: list[int] = []
    long = 0
    start = layout.first_line
    try:
        for record in reader:
            line, start = start, layout.first_line + reader.line_num
            if not record and layout.width > 1:
                continue
            if len(record) > layout.width:
                _refuse_long(layout, record, line)
                long += 1
            if len(record) < layout.width and layout.width > 1:
                short.append(line)
            padded = record[: layout.width] + [""] * (layout.width - len(record))
            records.append([cell or None for cell in padded])
    except csv.Error as error:
        reason = str(error)
        if "field larger" in reason:
            reason = f"a field is longer than {csv.field_size_limit():,} characters; a quote may be missing"
        raise UnreadableTableError(f"{layout.name}, line {start:,}: {reason}.") from error
    frame = pl.DataFrame(records, schema={f"f{i}": pl.String for i in range(layout.width)}, orient="row")
    return frame, _repair_notes(short, long)


def _refuse_long(layout: TextLayout, record: Sequence[str], line: int) -> None:
    if any(cell.strip() for cell in record[layout.width :]):
        raise UnreadableTableError(
            f"{layout.name}, line {line:,}: {len(record)} fields, but the first line has {layout.width}. "
            f"Put quotes around fields that contain {DELIMITERS.get(layout.delimiter, layout.delimiter)}."
        )


def _repair_notes(short: Sequence[int], long: int) -> list[str]:
    notes = []
    if short:
        lines = "1 line is" if len(short) == 1 else f"{len(short):,} lines are"
        notes.append(
            f"{lines} shorter than the first (line {short[0]:,}{' and others' if len(short) > 1 else ''}); "
            "the missing fields are read as empty."
        )
    if long:
        lines = "1 line ends" if long == 1 else f"{long:,} lines end"
        notes.append(f"{lines} in surplus delimiters, which are left out.")
    return notes


def _refuse_open_quote(layout: TextLayout) -> None:
    reader = layout.open_records(strict=True)
    start = layout.first_line
    try:
        for _ in reader:
            start = layout.first_line + reader.line_num
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise UnreadableTableError(
                f"{layout.name}, line {start:,}: a quote is opened but never closed."
            ) from error


def _drop_empty_last_column(
    names: list[str], data: pl.DataFrame, guesses: list[str]
) -> tuple[list[str], pl.DataFrame]:
    """Drop a last column without a name and values, which appears if every line ends in a delimiter."""
    last = data.width - 1
    if last < 1 or names[last].strip() or data.get_column(data.columns[last]).null_count() < data.height:
        return names, data
    guesses.append("Every line ends in a delimiter; the empty last column is left out.")
    return names[:last], data.select(data.columns[:last])
