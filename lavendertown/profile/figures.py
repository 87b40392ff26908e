"""The figures of a column that its profile shows: from memory, or as aggregates of an engine."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.engines.exact_quantiles import compute_quantiles

_SAMPLE_ROWS = 20_000
_VALUE, _COUNT, _BIN = "value", "count", "bin"
_EPOCH = dt.datetime(1970, 1, 1)


class NumberFigures(ABC):
    """The finite numbers of a column; times are seconds since 1970.

    Attributes:
        count: How many there are.
        low: The smallest.
        high: The largest.
    """

    count: int
    low: float
    high: float

    @abstractmethod
    def quantiles(self, levels: Sequence[float]) -> list[float]:
        """Return quantiles with linear interpolation."""

    @abstractmethod
    def count_in_bins(self, start: float, end: float, bins: int) -> tuple[list[int], int, int]:
        """Return the counts in bins of equal width, below and above, as :func:`count_in_bins` does."""


class ColumnFigures(ABC):
    """The values of a column.

    Attributes:
        nulls: The number of missing values.
        distinct: The number of different values, without null.
        least: The smallest value; None without values, or of text.
        most: The largest value.
    """

    nulls: int
    distinct: int
    least: Any
    most: Any

    @abstractmethod
    def count_top(self, limit: int) -> list[tuple[Any, int]]:
        """Return the most frequent values with their counts."""

    @abstractmethod
    def numbers(self) -> NumberFigures | None:
        """Return the finite numbers; None if there are none, and for durations and times of day."""


class MemoryColumn(ColumnFigures):
    """A column in memory."""

    def __init__(self, table: Table, column: Column) -> None:
        values = table.frame.select(column.key).collect().to_polars()[column.key]
        self._present = values.drop_nulls()
        self.nulls = values.null_count()
        self.distinct = self._present.n_unique()
        has_order = column.kind in ("number", "time")
        self.least = self._present.min() if has_order else None
        self.most = self._present.max() if has_order else None

    def count_top(self, limit: int) -> list[tuple[Any, int]]:
        """Return the most frequent values with their counts."""
        counted = self._present.value_counts(sort=True, name="rows").head(limit)
        return list(counted.iter_rows())

    def numbers(self) -> NumberFigures | None:
        """Return the finite numbers."""
        numbers = _to_numbers(self._present)
        return _MemoryNumbers(numbers) if numbers is not None and len(numbers) else None


class _MemoryNumbers(NumberFigures):
    def __init__(self, numbers: pl.Series) -> None:
        self._numbers = numbers
        self.count = len(numbers)
        self.low, self.high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]

    def quantiles(self, levels: Sequence[float]) -> list[float]:
        return [float(self._numbers.quantile(level, "linear") or 0.0) for level in levels]

    def count_in_bins(self, start: float, end: float, bins: int) -> tuple[list[int], int, int]:
        return count_in_bins(self._numbers, start, end, bins)


class LazyColumn(ColumnFigures):
    """A column of a table that an engine keeps; only aggregates leave the engine."""

    def __init__(self, table: Table, column: Column) -> None:
        self._frame = table.frame.select(ROW, nw.col(column.key).alias(_VALUE))
        self._row_count = table.row_count
        value = nw.col(_VALUE)
        facts = {"present": value.count(), "unique": value.n_unique()}
        if column.kind in ("number", "time"):
            facts |= {"least": value.min(), "most": value.max()}
        present, unique, *ends = self._frame.select(**facts).collect().row(0)
        self.least, self.most = ends or (None, None)
        self.nulls = table.row_count - int(present or 0)
        # Null counts as a value.
        self.distinct = int(unique or 0) - (self.nulls > 0)

    def count_top(self, limit: int) -> list[tuple[Any, int]]:
        """Return the most frequent values with their counts."""
        grouped = self._frame.select(_VALUE).drop_nulls().group_by(_VALUE).agg(nw.len().alias(_COUNT))
        counted = grouped.sort(_COUNT, _VALUE, descending=[True, False]).head(limit).collect()
        return [(value, int(count)) for value, count in counted.rows()]

    def numbers(self) -> NumberFigures | None:
        """Return the finite numbers."""
        value = _number_expression(self._frame.collect_schema()[_VALUE])
        if value is None:
            return None
        finite = nw.when(value.abs() < nw.lit(float("inf"))).then(value)
        frame = self._frame.select(ROW, finite.alias(_VALUE))
        count, low, high = (
            frame.select(count=nw.col(_VALUE).count(), low=nw.col(_VALUE).min(), high=nw.col(_VALUE).max())
            .collect()
            .row(0)
        )
        if not count:
            return None
        step = max(1, -(-self._row_count // _SAMPLE_ROWS))
        return _LazyNumbers(frame, step, int(count), float(low), float(high))


class _LazyNumbers(NumberFigures):
    def __init__(self, frame: nw.LazyFrame[Any], step: int, count: int, low: float, high: float) -> None:
        self._frame, self._step = frame, step
        self.count, self.low, self.high = count, low, high

    def quantiles(self, levels: Sequence[float]) -> list[float]:
        sample = self._frame.filter(nw.col(ROW) % self._step == 0).select(_VALUE).collect().to_polars()
        found = compute_quantiles(self._frame, nw.col(_VALUE), levels, sample, is_complete=self._step == 1)
        return [float(each or 0.0) for each in found]

    def count_in_bins(self, start: float, end: float, bins: int) -> tuple[list[int], int, int]:
        value, last = nw.col(_VALUE), nw.lit(float(bins - 1))
        # Polars multiplies by the reciprocal, too: another rounding would move values at the edge of a bin.
        place = ((value - nw.lit(start)) * nw.lit(1.0 / ((end - start) / bins or 1.0))).floor()
        inside = nw.when(place > last).then(last).otherwise(place)
        high = nw.when(value > nw.lit(end)).then(nw.lit(float(bins))).otherwise(inside)
        bin_of_value = nw.when(value < nw.lit(start)).then(nw.lit(-1.0)).otherwise(high)
        grouped = self._frame.select(_VALUE).drop_nulls().select(bin_of_value.alias(_BIN)).group_by(_BIN)
        counts = {
            int(each): int(count) for each, count in grouped.agg(nw.len().alias(_COUNT)).collect().rows()
        }
        return [counts.get(i, 0) for i in range(bins)], counts.get(-1, 0), counts.get(bins, 0)


def _to_numbers(values: pl.Series) -> pl.Series | None:
    """Return finite numbers, or times as seconds since 1970; None for durations and times of day."""
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1_000_000
    if not values.dtype.is_numeric():
        return None
    numbers = values.cast(pl.Float64)
    return numbers.filter(numbers.is_finite())


def _number_expression(dtype: Any) -> nw.Expr | None:
    """Return what :func:`_to_numbers` returns, of the column ``value``."""
    value = nw.col(_VALUE)
    if dtype.is_numeric():
        return value.cast(nw.Float64)
    if dtype == nw.Date:
        value = value.cast(nw.Datetime("us"))
    elif dtype != nw.Datetime:
        return None
    has_zone = isinstance(dtype, nw.Datetime) and dtype.time_zone is not None
    epoch = _EPOCH.replace(tzinfo=dt.UTC) if has_zone else _EPOCH
    return (value - nw.lit(epoch)).dt.total_microseconds().cast(nw.Float64) / nw.lit(1_000_000.0)


def count_in_bins(numbers: pl.Series, start: float, end: float, bins: int) -> tuple[list[int], int, int]:
    """Return the counts of numbers in bins of equal width, and the numbers below and above the bins.

    Only counts by this function can be compared: a rounding error moves all values of 36.6 at the edge of a
    bin into the next one.
    """
    inside = numbers.filter(numbers.is_between(start, end))
    width = (end - start) / bins or 1.0
    places = ((inside - start) / width).floor().clip(0, bins - 1).cast(pl.Int64)
    counted = dict(places.value_counts().iter_rows())
    counts = [counted.get(index, 0) for index in range(bins)]
    return counts, int((numbers < start).sum()), int((numbers > end).sum())
