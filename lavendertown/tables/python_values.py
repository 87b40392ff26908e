"""Build tables from Python values of sources that have numbers but no dates, such as JSON and SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from lavendertown.tables import value_kinds
from lavendertown.tables.frames import from_columns
from lavendertown.tables.inference.plain_dates import parse_dates
from lavendertown.tables.inference.text_columns import TextColumn
from lavendertown.tables.table import Table
from lavendertown.tables.wording import join_names

DECLARED = frozenset({"number"})
"""The source has numbers but no dates, so a date in text is not a fault."""


def from_values(
    columns: Sequence[tuple[str, Sequence[Any]]], height: int, name: str, guesses: list[str]
) -> Table:
    """Build a table from named columns of Python values; text that holds dates only is read as dates."""
    series: list[pl.Series | value_kinds.ClassifiedColumn] = []
    days: list[str] = []
    for label, values in columns:
        column = value_kinds.classify_values(values)
        if column.kinds is None and not column.nested and column.values.dtype == pl.String:
            read_as, sentence = parse_dates(label, TextColumn(column.values))
            days += [label] if read_as.dtype != pl.String and not sentence else []
            guesses += [sentence] if sentence else []
            column = value_kinds.ClassifiedColumn(read_as)
        series.append(column)
    if days:
        guesses.append(f"{join_names(days)}: read as dates, year first.")
    return from_columns(
        [label for label, _ in columns],
        series,
        height=height,
        name=name,
        guesses=guesses,
        declared=[DECLARED] * len(series),
    )
