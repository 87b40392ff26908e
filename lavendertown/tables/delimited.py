"""Read delimited text: detect delimiter and header, handle quotes and ragged lines."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pc  # type: ignore[import-untyped]

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.tables import infer, patterns
from lavendertown.tables.frames import from_columns
from lavendertown.tables.table import Table
from lavendertown.tables.text_encoding import decode_text

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_ROWS = 200
_NO_DELIMITER = "\x1f"
"""Delimiter of a file with one column, where commas are part of the text."""
_BLOCK_SIZE = 1 << 24
_YEARS = range(1800, 2101)


@dataclass
class _Layout:
    """The detected layout of a file, and its text from the header line on."""

    name: str
    text: str
    delimiter: str
    header: bool
    first_line: int
    width: int


def read_delimited(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Table:
    """Read delimited text as a table.

    Raises:
        FileLimitError: The file has too many columns or cells.
        UnreadableTableError: The file is empty or broken; the message names the line if it is known.
    """
    text, encoding = decode_text(raw, name)
    layout = _detect_layout(text, name)
    limits.check_shape(layout.text.count("\n"), layout.width, name)
    rows, guesses = _read_rows(layout)
    names = [cell or "" for cell in rows.row(0)] if layout.header else _numbered_names(layout.width)
    data = rows[1:] if layout.header else rows
    names, data = _drop_empty_last_column(names, data, guesses)
    typed = infer.infer_types(
        [label or f"column {i + 1}" for i, label in enumerate(names)],
        data.get_columns(),
        comma_delimited=layout.delimiter in (",", _NO_DELIMITER),
    )
    return from_columns(
        names,
        typed.series,
        height=data.height,
        name=name,
        guesses=[_describe_layout(layout, encoding), *guesses, *typed.guesses],
        declared=[frozenset()] * len(names),
    )


def _numbered_names(width: int) -> list[str]:
    return [f"column {i + 1}" for i in range(width)]


def _describe_layout(layout: _Layout, encoding: str) -> str:
    fields = f"{DELIMITERS.get(layout.delimiter)} between the fields" if layout.width > 1 else "one column"
    first = "the first line names the columns" if layout.header else "no line with column names"
    return f"Read as {encoding} text: {fields}, {first}."


def _detect_layout(text: str, name: str) -> _Layout:
    first_line, declared = 1, None
    if text[:5].lower().startswith("sep=") and text[4:5]:
        declared, (_, _, text), first_line = text[4], text.partition("\n"), 2
    stripped = text.lstrip("\r\n")
    first_line += text[: len(text) - len(stripped)].count("\n")
    text = stripped.rstrip("\r\n \x00")
    if not text.strip():
        raise UnreadableTableError(f"{name} is empty: it has no column names and no rows.")
    if "\x00" in text[:_SAMPLE_CHARACTERS]:
        raise UnreadableTableError(
            f"{name} contains binary data, not delimited text; choose a CSV, Excel, Parquet or JSON file."
        )
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    delimiter = declared if declared and declared in DELIMITERS else _detect_delimiter(text)
    sample = _read_sample(text, delimiter)
    return _Layout(name, text, delimiter, _has_header(sample), first_line, len(sample[0]))


def _read_sample(text: str, delimiter: str) -> list[list[str]]:
    part = text[:_SAMPLE_CHARACTERS]
    if len(part) < len(text):
        # Cut at a line end: half a line would lack its last fields.
        part = part.rpartition("\n")[0] or text.partition("\n")[0]
    records = csv.reader(io.StringIO(part, newline=""), delimiter=delimiter)
    try:
        return [record for record in islice(records, _SAMPLE_ROWS) if record]
    except csv.Error:
        return [part.partition("\n")[0].split(delimiter)]


def _detect_delimiter(text: str) -> str:
    """Return the delimiter with the most consistent field count, then with the most fields."""
    best, best_score = _NO_DELIMITER, (0.0, 0)
    for delimiter in DELIMITERS:
        sample = _read_sample(text, delimiter)
        width = len(sample[0])
        if width < 2:
            continue
        consistency = Counter(len(record) for record in sample)[width] / len(sample)
        score = (round(consistency, 1), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _has_header(sample: Sequence[Sequence[str]]) -> bool:
    """Return whether the first line names the columns: True unless it looks like the other lines."""
    head, body = sample[0], [record for record in sample[1:] if len(record) == len(sample[0])]
    if not body:
        return True
    columns = list(zip(*body, strict=True))
    typed = [i for i, values in enumerate(columns) if _value_type(values) != "text"]
    if not typed or any(_value_type([head[i]]) != _value_type(columns[i]) for i in typed):
        return True
    return all(_is_year(head[i]) and not all(map(_is_year, columns[i])) for i in typed)


def _value_type(values: Sequence[str]) -> str:
    present = pl.Series([value for value in values if value], dtype=pl.String)
    if not len(present):
        return "text"
    for value_type, pattern in (("number", patterns.NUMBER), ("date", patterns.DATE)):
        if float(present.str.contains(pattern).mean() or 0.0) > 0.9:  # type: ignore[arg-type]
            return value_type
    return "text"


def _is_year(value: str) -> bool:
    return value.isdecimal() and int(value) in _YEARS


def _read_rows(layout: _Layout) -> tuple[pl.DataFrame, list[str]]:
    """Return all records as text, including the header, and notes on repaired lines."""
    if layout.text.count('"') % 2:
        _refuse_open_quote(layout)
    try:
        return _read_arrow(layout), []
    except pa.ArrowInvalid:
        # Arrow rejects ragged lines; the slower csv module knows the line and repairs harmless ones.
        return _read_python(layout)


def _read_arrow(layout: _Layout) -> pl.DataFrame:
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


def _read_python(layout: _Layout) -> tuple[pl.DataFrame, list[str]]:
    reader = csv.reader(io.StringIO(layout.text, newline=""), delimiter=layout.delimiter)
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


def _refuse_long(layout: _Layout, record: Sequence[str], line: int) -> None:
    if any(cell.strip() for cell in record[layout.width :]):
        raise UnreadableTableError(
            f"{layout.name}, line {line:,}: {len(record)} fields, but the first line has {layout.width}. "
            f"Put quotes around fields that contain {DELIMITERS[layout.delimiter]}."
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


def _refuse_open_quote(layout: _Layout) -> None:
    reader = csv.reader(io.StringIO(layout.text, newline=""), delimiter=layout.delimiter, strict=True)
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
