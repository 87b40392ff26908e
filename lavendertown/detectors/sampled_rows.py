"""Evenly spaced rows of a table in memory, with the arrays that checks over several columns compare."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import polars as pl

Codes: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


class SampledRows:
    """Evenly spaced rows of a table, in row order.

    Attributes:
        frame: The rows, with the column ``ROW`` and one per key.
        is_complete: Whether these are all rows of the table.
    """

    def __init__(self, frame: pl.DataFrame, *, is_complete: bool) -> None:
        self.frame = frame
        self.is_complete = is_complete
        self._codes: dict[str, Codes] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def codes(self, key: str) -> Codes:
        """Return a number for each value of a column, from 0 in the order of the values; -1 for null."""
        if key not in self._codes:
            ranks = self.frame[key].rank("dense").fill_null(0)
            self._codes[key] = ranks.to_numpy().astype(np.int64) - 1
        return self._codes[key]

    def floats(self, key: str) -> Floats:
        """Return a number column as floats, NaN for null."""
        return self.frame[key].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def to_seconds(times: pl.Series) -> Floats:
    """Return dates and times as seconds since 1970, NaN for null, times of day and durations."""
    if times.dtype == pl.Time or isinstance(times.dtype, pl.Duration):
        return np.full(len(times), np.nan)
    microseconds = times.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64)
    return microseconds.fill_null(float("nan")).to_numpy() / 1e6


def combine_codes(*columns: Codes) -> Codes:
    """Return a code for each combination of values, from 0; -1 where one of the values is null."""
    combined = columns[0]
    for codes in columns[1:]:
        missing = (combined < 0) | (codes < 0)
        width = int(codes.max(initial=0)) + 1
        combined = np.where(missing, -1, combined * width + codes)
        present = combined >= 0
        _, dense = np.unique(combined[present], return_inverse=True)
        combined = np.full(len(combined), -1, dtype=np.int64)
        combined[present] = dense
    return combined


def count_codes(codes: Codes) -> Codes:
    """Return the number of rows of each code; null is left out."""
    return np.bincount(codes[codes >= 0]).astype(np.int64)


def count_pairs(counts: Codes) -> float:
    """Return the number of pairs of rows with equal values."""
    sizes = counts.astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


def share_of_pairs(codes: Codes) -> float:
    """Return the share of the pairs of rows that have equal values: the chance that two rows agree.

    It is never 0: without an equal pair it is as if there were one.
    """
    counts = count_codes(codes)
    n = float(counts.sum())
    return max(1.0, count_pairs(counts)) / max(1.0, n * (n - 1) / 2)
