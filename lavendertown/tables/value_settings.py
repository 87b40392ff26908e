"""Apply the reading settings for values to typed tables, and name the settings that do not apply to a source.

Typed tables come from frames, JSON, Parquet, Arrow, ORC, Avro and databases. Text and workbooks are read with
these settings from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import pandas as pd
import polars as pl

from lavendertown.core.reading import Reading
from lavendertown.tables.frames import from_columns
from lavendertown.tables.inference.infer import convert_columns, is_null_word
from lavendertown.tables.table import Column, Table
from lavendertown.tables.value_kinds import ClassifiedColumn
from lavendertown.tables.wording import join_names

VALUE_SETTINGS = ("decimal", "thousands", "date_order", "types", "null_words")
"""The settings that apply to every source."""

_LAYOUT = ("skip_lines", "header_row", "header_rows")
_TEXT = ("encoding", "delimiter", "column_starts", "comment", *_LAYOUT)
_WORKBOOK = ("sheet", "cell_range", *_LAYOUT)
_SETTINGS_BY_FORMAT = {"csv": _TEXT, "excel": _WORKBOOK, "json": ("encoding",), "jsonl": ("encoding",)}


def applying_settings(reading: Reading, kind: str = "") -> Reading:
    """Return those of the settings that apply to a format.

    Args:
        reading: The settings that a person gave.
        kind: The name of the format of the file; empty for a frame or a database.
    """
    names = (*VALUE_SETTINGS, *_SETTINGS_BY_FORMAT.get(kind, ()))
    return Reading(**{name: getattr(reading, name) for name in names})


def note_unused_settings(table: Table, reading: Reading, source: str, kind: str = "") -> Table:
    """Return the table with the settings that apply to it as given, and a sentence about those that do not.

    Args:
        table: The table.
        reading: The settings that a person gave.
        source: What was read, such as ``a Parquet file``.
        kind: The format of the file, as for :func:`applying_settings`.
    """
    used = applying_settings(reading, kind)
    given = {each.name: getattr(reading, each.name) for each in fields(reading)}
    unused = {name: value for name, value in given.items() if value != getattr(used, name)}
    notes = []
    if unused:
        notes.append(f"Not used, because {source} has no such setting: {Reading(**unused).describe()}.")
    missing = [name for name in reading.types if not table.has_column(name)]
    if missing:
        notes.append(f"The type set for {join_names(missing)} is not used: there is no such column.")
    return replace(table, given=used, guesses=[*table.guesses, *notes])


def apply_value_settings(table: Table, reading: Reading, source: str, kind: str = "") -> Table:
    """Return a typed table with the given settings for values applied to it.

    Types and words for missing values count for all columns; the date order and the signs of numbers count
    for text columns, which become dates or numbers. Rows are still shown as the source has them.

    Args:
        table: A table whose columns have the types of its source.
        reading: The settings that a person gave.
        source: What was read, for the sentence about settings that do not apply to it.
        kind: The format of the file, as for :func:`note_unused_settings`.
    """
    used = applying_settings(reading)
    if used == Reading():
        return note_unused_settings(table, reading, source, kind)
    frame: pl.DataFrame = table.frame.collect().to_native()
    columns = [_read_column(column, frame) for column in table.schema]
    if used.null_words is not None:
        columns = [_drop_null_words(column, used.null_words) for column in columns]
    texts = [_cells_as_text(column) for column in columns]
    typed_columns = [each if _is_classified(each) else each.values for each in columns]
    converted, notes = convert_columns(table.columns, typed_columns, texts, used)
    wanted = [used.types.get(name) for name in table.columns]
    changed = [
        name
        for name, before, after in zip(table.columns, typed_columns, converted, strict=True)
        if before is not after
    ]
    typed = from_columns(
        table.columns,
        converted,
        height=table.row_count,
        name=table.name,
        guesses=[guess for guess in table.guesses if not _describes_types(guess, changed)] + notes,
        # Numbers in a column that is wanted as text are no fault.
        declared=[
            frozenset[str]() if each == "text" else column.declared
            for each, column in zip(wanted, table.schema, strict=True)
        ],
        reading=used.fill_from(table.reading),
    )

    def preview(positions: list[int], columns: Sequence[Column]) -> pd.DataFrame:
        return table.preview(positions, [table.schema[column.position] for column in columns])

    return note_unused_settings(replace(typed, preview=preview), reading, source, kind)


def _describes_types(guess: str, columns: Sequence[str]) -> bool:
    """Return whether a guess tells how one of these columns was read."""
    return any(guess.startswith((f"{name}: read as", f"{name} is kept as text")) for name in columns)


def _read_column(column: Column, frame: pl.DataFrame) -> ClassifiedColumn:
    kinds = frame[column.kinds_key] if column.kinds_key else None
    texts = frame[column.text_key] if column.text_key else None
    return ClassifiedColumn(frame[column.key], kinds, column.kind == "other", texts)


def _is_classified(column: ClassifiedColumn) -> bool:
    return column.nested or column.kinds is not None or column.texts is not None


def _cells_as_text(column: ClassifiedColumn) -> pl.Series:
    return column.texts if column.texts is not None else column.values.cast(pl.String)


def _drop_null_words(column: ClassifiedColumn, words: Sequence[str]) -> ClassifiedColumn:
    """Empty the cells with one of the words; a word that is a number also empties equal numbers."""
    is_missing = is_null_word(_cells_as_text(column), words)
    if column.values.dtype.is_numeric():
        numbers = pl.Series(list(words), dtype=pl.String).cast(pl.Float64, strict=False).drop_nulls()
        is_missing |= column.values.cast(pl.Float64).is_in(numbers.to_list()).fill_null(value=False)
    if not is_missing.any():
        return column

    def empty(series: pl.Series | None) -> pl.Series | None:
        return None if series is None else pl.select(pl.when(~is_missing).then(series)).to_series()

    values = empty(column.values)
    assert values is not None
    return replace(column, values=values, kinds=empty(column.kinds), texts=empty(column.texts))
