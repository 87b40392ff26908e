"""Match the values of text columns with regular expressions; of many short columns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import polars as pl

QUICK_CHECK_ROWS = 1_000
"""How many rows decide whether all others are looked at."""

_STACKED_VALUES = 5_000
"""How many values are matched at once: a call takes hardly longer for them than for ten."""


class TextColumn:
    """A text column, and how many of its values match a pattern.

    Attributes:
        values: The column.
        present: The number of values that are not missing.
    """

    def __init__(self, values: pl.Series, stack: _Stack | None = None, place: int = 0) -> None:
        self.values = values
        self.present = len(values) - values.null_count()
        self._stack, self._place = stack, place

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    @cached_property
    def _first(self) -> pl.Series:
        return self.values.head(QUICK_CHECK_ROWS)

    @property
    def _has_more(self) -> bool:
        return len(self.values) > QUICK_CHECK_ROWS

    def _count_first(self, pattern: str) -> int:
        if self._stack is not None:
            return self._stack.count_matches(pattern)[self._place]
        return int(self._first.str.contains(pattern).sum())

    def count_matches(self, pattern: str) -> int:
        """Return the number of values that match a pattern."""
        return int(self.values.str.contains(pattern).sum()) if self._has_more else self._count_first(pattern)

    def any_match(self, pattern: str) -> bool:
        """Return whether a value matches a pattern; the first ones are tried first."""
        return self.first_match(pattern) or (self._has_more and self.count_matches(pattern) > 0)

    def all_match(self, pattern: str) -> bool:
        """Return whether all values match a pattern; the first ones are tried first."""
        if self._count_first(pattern) < self._first_present:
            return False
        return not self._has_more or self.count_matches(pattern) == self.present

    def first_match(self, pattern: str) -> bool:
        """Return whether one of the first values matches a pattern."""
        return self._count_first(pattern) > 0

    def share_of_first(self, pattern: str) -> float:
        """Return the share of the first values that match a pattern; 0 without values."""
        return self._count_first(pattern) / max(1, self._first_present)

    def derive_values(self, build: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
        """Return a row for each value, which the function derives from that value only."""
        if self._stack is None:
            return build(self.values)
        return self._stack.derive_values(build).slice(self._place * len(self.values), len(self.values))

    @property
    def _first_present(self) -> int:
        return len(self._first) - self._first.null_count() if self._has_more else self.present


def stack_columns(columns: Sequence[pl.Series]) -> list[TextColumn]:
    """Return text columns of equal length, of which short ones share their calls of Polars.

    A pattern that one of them is tried for is counted in its neighbours, too: in a table of thousands of
    columns, a call per column takes longer than the values.
    """
    height = len(columns[0]) if columns else 0
    width = _STACKED_VALUES // max(1, height)
    if not height or width < 2 or height > QUICK_CHECK_ROWS:
        return [TextColumn(column) for column in columns]
    found = []
    for i in range(0, len(columns), width):
        stack = _Stack(columns[i : i + width])
        found += [TextColumn(column, stack, j) for j, column in enumerate(columns[i : i + width])]
    return found


class _Stack:
    """Text columns of equal length, one below the other."""

    def __init__(self, columns: Sequence[pl.Series]) -> None:
        self._columns = columns
        self._counts: dict[str, list[int]] = {}
        self._derived: dict[Callable[[pl.Series], pl.DataFrame], pl.DataFrame] = {}

    @cached_property
    def _values(self) -> pl.Series:
        return pl.concat(self._columns, rechunk=True)

    def count_matches(self, pattern: str) -> list[int]:
        """Return the number of values that match, by column."""
        if pattern not in self._counts:
            hits = self._values.str.contains(pattern).fill_null(value=False).to_numpy()
            self._counts[pattern] = hits.reshape(len(self._columns), -1).sum(axis=1).tolist()
        return self._counts[pattern]

    def derive_values(self, build: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
        """Return what the function derives from the values of all columns."""
        if build not in self._derived:
            self._derived[build] = build(self._values)
        return self._derived[build]
