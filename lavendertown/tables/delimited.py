"""CSV and its kin: delimiter, header, quotes, ragged lines."""

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

from lavendertown.errors import UnreadableTableError
from lavendertown.tables import infer, patterns
from lavendertown.tables.frames import from_columns
from lavendertown.tables.table import Table
from lavendertown.tables.text import decode

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 200_000
_SAMPLE_ROWS = 200
_NO_DELIMITER = "\x1f"
"""The file has one column; its commas are part of the text."""
_BLOCK = 1 << 24
_YEARS = range(1800, 2101)


@dataclass
class _Layout:
    """How a file is laid out, and its text from the header line on."""

    name: str
    text: str
    delimiter: str
    header: bool
    first_line: int
    width: int


def read(raw: bytes, name: str) -> Table:
    """Read delimited text.

    Raises:
        UnreadableTableError: It is empty or broken; the message names the line where it is known.
    """
    text, encoding = decode(raw, name)
    layout = _layout(text, name)
    rows, guesses = _rows(layout)
    names = [cell or "" for cell in rows.row(0)] if layout.header else _numbered(layout.width)
    data = rows[1:] if layout.header else rows
    names, data = _without_empty_tail(names, data, guesses)
    typed = infer.typed(
        [label or f"column {i + 1}" for i, label in enumerate(names)],
        data.get_columns(),
        comma_delimited=layout.delimiter in (",", _NO_DELIMITER),
    )
    return from_columns(
        names,
        typed.series,
        height=data.height,
        name=name,
        guesses=[_layout_sentence(layout, encoding), *guesses, *typed.guesses],
        declared=[frozenset()] * len(names),
    )


def _numbered(width: int) -> list[str]:
    return [f"column {i + 1}" for i in range(width)]


def _layout_sentence(layout: _Layout, encoding: str) -> str:
    parted = f"{DELIMITERS.get(layout.delimiter)} between the fields" if layout.width > 1 else "one column"
    first = "the first line names the columns" if layout.header else "no line with column names"
    return f"Read as {encoding} text: {parted}, {first}."


def _layout(text: str, name: str) -> _Layout:
    first_line, told = 1, None
    if text[:5].lower().startswith("sep=") and text[4:5]:
        told, (_, _, text), first_line = text[4], text.partition("\n"), 2
    stripped = text.lstrip("\r\n")
    first_line += text[: len(text) - len(stripped)].count("\n")
    text = stripped.rstrip("\r\n \x00")
    if not text.strip():
        raise UnreadableTableError(f"{name} is empty: it has neither column names nor rows.")
    if "\x00" in text[:_SAMPLE]:
        raise UnreadableTableError(f"{name} is not a table of text: it holds binary data.")
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    delimiter = told if told and told in DELIMITERS else _delimiter(text)
    sample = _sample(text, delimiter)
    return _Layout(name, text, delimiter, _has_header(sample), first_line, len(sample[0]))


def _sample(text: str, delimiter: str) -> list[list[str]]:
    part = text[:_SAMPLE]
    if len(part) < len(text):
        part = part.rpartition("\n")[0] or part
    records = csv.reader(io.StringIO(part, newline=""), delimiter=delimiter)
    try:
        return [record for record in islice(records, _SAMPLE_ROWS) if record]
    except csv.Error:
        return [part.partition("\n")[0].split(delimiter)]


def _delimiter(text: str) -> str:
    """Return the sign that parts the lines into the most even, then the most, fields."""
    best, best_score = _NO_DELIMITER, (0.0, 0)
    for delimiter in DELIMITERS:
        sample = _sample(text, delimiter)
        width = len(sample[0])
        if width < 2:
            continue
        even = Counter(len(record) for record in sample)[width] / len(sample)
        score = (round(even, 1), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _has_header(sample: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first line names the columns: it does unless it looks like all the others."""
    head, body = sample[0], [record for record in sample[1:] if len(record) == len(sample[0])]
    if not body:
        return True
    columns = list(zip(*body, strict=True))
    sure = [i for i, values in enumerate(columns) if _look(values) != "text"]
    if not sure or any(_look([head[i]]) != _look(columns[i]) for i in sure):
        return True
    return all(_is_year(head[i]) and not all(map(_is_year, columns[i])) for i in sure)


def _look(values: Sequence[str]) -> str:
    present = pl.Series([value for value in values if value], dtype=pl.String)
    if not len(present):
        return "text"
    for look, pattern in (("number", patterns.NUMBER), ("date", patterns.DATE)):
        if float(present.str.contains(pattern).mean() or 0.0) > 0.9:  # type: ignore[arg-type]
            return look
    return "text"


def _is_year(value: str) -> bool:
    return value.isdecimal() and int(value) in _YEARS


def _rows(layout: _Layout) -> tuple[pl.DataFrame, list[str]]:
    """Return all records as text, the header among them, and what had to be mended."""
    if layout.text.count('"') % 2:
        _refuse_open_quote(layout)
    try:
        return _fast(layout), []
    except pa.ArrowInvalid:
        # Something is uneven. The patient reader knows which line, and mends what is harmless.
        return _patient(layout)


def _fast(layout: _Layout) -> pl.DataFrame:
    table = pc.read_csv(
        io.BytesIO(layout.text.encode("utf-8")),
        read_options=pc.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
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
        raise pa.ArrowInvalid("the first record has another width than the sample")
    return pl.DataFrame(table)


def _patient(layout: _Layout) -> tuple[pl.DataFrame, list[str]]:
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
        raise UnreadableTableError(f"{layout.name}, line {start:,}: {error}.") from error
    frame = pl.DataFrame(records, schema={f"f{i}": pl.String for i in range(layout.width)}, orient="row")
    return frame, _mended(short, long)


def _refuse_long(layout: _Layout, record: Sequence[str], line: int) -> None:
    if any(cell.strip() for cell in record[layout.width :]):
        raise UnreadableTableError(
            f"{layout.name}, line {line:,}: {len(record)} fields where the first line has {layout.width}. "
            f"A field that holds {DELIMITERS[layout.delimiter]} must stand in quotes."
        )


def _mended(short: Sequence[int], long: int) -> list[str]:
    told = []
    if short:
        lines = "1 line is" if len(short) == 1 else f"{len(short):,} lines are"
        told.append(
            f"{lines} shorter than the first (line {short[0]:,}{' and others' if len(short) > 1 else ''}); "
            "the missing fields are read as empty."
        )
    if long:
        lines = "1 line ends" if long == 1 else f"{long:,} lines end"
        told.append(f"{lines} in surplus delimiters, which are left out.")
    return told


def _refuse_open_quote(layout: _Layout) -> None:
    reader = csv.reader(io.StringIO(layout.text, newline=""), delimiter=layout.delimiter, strict=True)
    start = layout.first_line
    try:
        for _ in reader:
            start = layout.first_line + reader.line_num
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise UnreadableTableError(
                f"{layout.name}, line {start:,}: a quote is opened and never closed."
            ) from error


def _without_empty_tail(
    names: list[str], data: pl.DataFrame, guesses: list[str]
) -> tuple[list[str], pl.DataFrame]:
    """Leave out a last column without name and values: every line ended in a delimiter."""
    last = data.width - 1
    if last < 1 or names[last].strip() or data.get_column(data.columns[last]).null_count() < data.height:
        return names, data
    guesses.append("Every line ends in a delimiter; the empty last column is left out.")
    return names[:last], data.select(data.columns[:last])
