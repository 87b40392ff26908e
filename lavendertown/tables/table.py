"""A table at hand: a Narwhals frame with row positions, and what is known about its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals as nw
import pandas as pd

from lavendertown.errors import InvalidInputError

ROW = "row"
"""The frame's column of row positions, counted from 0. Data columns are keyed c0, c1, … instead of
by their names, so names may repeat, be numbers, or be "row"."""

Kind = Literal["number", "text", "boolean", "time", "other"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        position: Its place, counted from 0.
        name: The name people see; unique in its table.
        key: Its name in ``Table.frame``.
        kind: What its values are; ``other`` for nested and binary values, which are kept as text.
        integer: Whether its values are whole numbers by type.
        declared: What the source could have said about its type but did not: a text column of a
            Parquet file that holds numbers is a fault (``number`` is declared), one of a CSV file
            is not.
        kinds_key: The frame column that names the kind of each cell, where cells differ in kind.
    """

    position: int
    name: str
    key: str
    kind: Kind
    integer: bool = False
    declared: frozenset[str] = frozenset({"number", "date"})
    kinds_key: str | None = None


@dataclass(frozen=True)
class Table:
    """A table that checks can run on.

    Attributes:
        frame: The values, lazily, with :data:`ROW` and one column per key. Missing values are null
            (NaN and NaT too).
        schema: Its columns in order.
        row_count: How many rows it has.
        name: The file's name, None for a frame that was handed in without one.
        guesses: What reading had to guess, as plain sentences.
    """

    frame: nw.LazyFrame[Any]
    schema: tuple[Column, ...]
    row_count: int
    preview: Callable[[list[int]], pd.DataFrame] = field(repr=False)
    name: str | None = None
    guesses: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """The columns' names in order."""
        return [column.name for column in self.schema]

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            InvalidInputError: There is none.
        """
        for column in self.schema:
            if column.name == name:
                return column
        raise InvalidInputError(f"There is no column {name!r}; the table has {', '.join(self.columns)}.")

    def rows(self, positions: Sequence[int], limit: int = 100) -> pd.DataFrame:
        """Return the first ``limit`` of the rows at these positions, as the source gave them.

        The index holds the positions and is called ``row``.

        Raises:
            InvalidInputError: A position lies outside the table.
        """
        wanted = [int(position) for position in positions[:limit]]
        outside = [position for position in wanted if not 0 <= position < self.row_count]
        if outside:
            raise InvalidInputError(
                f"There is no row {outside[0]}: the table has {self.row_count:,} rows, counted from 0."
            )
        shown = self.preview(wanted)
        shown.columns = pd.Index(self.columns)
        shown.index = pd.Index(wanted, name=ROW)
        return shown
