"""The table that checks run on: a Narwhals frame with row positions and column metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import narwhals as nw
import pandas as pd

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.reading import DETECT, Reading

ROW = "row"
"""The frame column of row positions, counted from 0. Data columns have the keys c0, c1, … instead of
their names, so a name may repeat, be a number, or be "row"."""

Kind = Literal["number", "text", "boolean", "time", "other"]

EngineName = Literal["polars", "duckdb", "dask", "pyspark"]


@dataclass(frozen=True)
class Engine:
    """What computes on a table.

    Attributes:
        name: Its name: ``polars`` for tables in memory.
        reason: Why it was chosen, as a sentence; empty for tables that have always been in memory.
        numbers_rows: Whether the source has an order of rows; without it, findings do not list rows.
    """

    name: EngineName = "polars"
    reason: str = ""
    numbers_rows: bool = True


IN_MEMORY = Engine()

ENGINE_LABELS: dict[EngineName, str] = {
    "polars": "Polars",
    "duckdb": "DuckDB",
    "dask": "Dask",
    "pyspark": "Spark",
}
"""The engines as they are shown."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        position: Its index, counted from 0.
        name: The displayed name; unique in its table.
        key: Its name in ``Table.frame``.
        kind: The kind of its values; ``other`` for nested and binary values, which are stored as text.
        integer: Whether its type is an integer type.
        declared: Kinds that the source format can declare. Numbers in a text column of a Parquet file
            are a fault (``number`` is declared); in a CSV file they are not.
        kinds_key: The frame column with the kind of each cell, if cells differ in kind.
        may_hold_errors: Whether the source supports error cells, as a workbook does (``#DIV/0!``).
        errors_key: The frame column with the name of each error, if there are error cells. An error cell
            is null in the column itself, but does not count as missing.
        text_key: The frame column with the cells as written, if they were converted from a notation such as
            ``$1,200`` or some do not fit the type. A cell that does not fit is null in the column itself, but
            does not count as missing.
    """

    position: int
    name: str
    key: str
    kind: Kind
    integer: bool = False
    declared: frozenset[str] = frozenset({"number", "date"})
    kinds_key: str | None = None
    may_hold_errors: bool = False
    errors_key: str | None = None
    text_key: str | None = None


@dataclass(frozen=True)
class Table:
    """A table that checks can run on.

    Attributes:
        frame: The values as a lazy frame, with :data:`ROW` and one column per key. Missing values,
            including NaN and NaT, are null.
        schema: Its columns in order.
        row_count: The number of rows.
        preview: Returns these columns of the rows at the given positions, as the source has them.
        name: The file's name; None for a frame passed without a name.
        guesses: Sentences that describe what was guessed while reading.
        reading: The settings that the file was read with, given and detected.
        given: Those of the settings that a person gave.
        sheets: The names of the sheets, if the file is a workbook.
        engine: What computes on the frame.
    """

    frame: nw.LazyFrame[Any]
    schema: tuple[Column, ...]
    row_count: int
    preview: Callable[[list[int], Sequence[Column]], pd.DataFrame] = field(repr=False)
    name: str | None = None
    guesses: list[str] = field(default_factory=list)
    reading: Reading = DETECT
    sheets: tuple[str, ...] = ()
    given: Reading = DETECT
    engine: Engine = IN_MEMORY

    @property
    def columns(self) -> list[str]:
        """The column names in order."""
        return [column.name for column in self.schema]

    @cached_property
    def _columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.schema}

    def has_column(self, name: str) -> bool:
        """Return whether a column has this name."""
        return name in self._columns_by_name

    def column(self, name: str) -> Column:
        """Return the column with this name.

        Raises:
            InvalidInputError: No column has this name.
        """
        if name not in self._columns_by_name:
            raise InvalidInputError(f"There is no column {name!r}; the table has {', '.join(self.columns)}.")
        return self._columns_by_name[name]

    def rows(
        self, positions: Sequence[int], limit: int = 100, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the first ``limit`` rows at these positions, with the values of the source.

        The index, named ``row``, contains the positions.

        Args:
            positions: Row positions, counted from 0.
            limit: The maximum number of rows.
            columns: The names of the columns, in order; None for all.

        Raises:
            InvalidInputError: A position is outside the table, or no column has one of the names.
        """
        wanted = [int(position) for position in positions[:limit]]
        outside = [position for position in wanted if not 0 <= position < self.row_count]
        if outside:
            raise InvalidInputError(
                f"There is no row {outside[0]}: the table has {self.row_count:,} rows, counted from 0."
            )
        chosen = self.schema if columns is None else [self.column(name) for name in columns]
        shown = self.preview(wanted, chosen)
        shown.columns = pd.Index([column.name for column in chosen])
        shown.index = pd.Index(wanted, name=ROW)
        return shown
