"""Exact quantiles of a lazy frame, without holding all values of a column in memory.

Engines compute a quantile from all values of the column, in memory that they cannot give back. Here, a
sample tells between which values a quantile lies; counts on all rows confirm it, and only the values between
them are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

MAX_READ = 200_000
"""Rows between the bounds of a quantile from which on the bounds are narrowed."""

_SURE = 4.0
"""How many standard errors of the sample the bounds are apart from the quantile."""

_THRESHOLDS = 63
_MAX_IN_VAIN = 3
"""Passes without effect from which on the rows between the bounds are few different values."""

_VALUE = "value"

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class _Bracket:
    """Values between which a quantile lies, both included; ``below`` rows are less."""

    level: float
    low: float
    high: float
    below: int = 0
    inside: int = 0

    def contains(self, ranks: tuple[int, int]) -> bool:
        return self.below <= ranks[0] and ranks[1] < self.below + self.inside


def compute_quantiles(
    frame: nw.LazyFrame[Any],
    value: nw.Expr,
    levels: Sequence[float],
    sample: pl.DataFrame,
    *,
    is_complete: bool,
) -> list[float | None]:
    """Return quantiles of an expression, with linear interpolation; None without values.

    Args:
        frame: The frame.
        value: A number per row; null is left out.
        levels: The quantiles, from 0 to 1.
        sample: Rows of the frame.
        is_complete: Whether the sample has all rows.
    """
    known = np.sort(_evaluate(sample, value))
    if is_complete:
        return [_interpolate(known, level) for level in levels]
    values = frame.select(value.cast(nw.Float64).alias(_VALUE)).filter(~nw.col(_VALUE).is_null())
    n, least, most = (
        values.select(n=nw.len(), least=nw.col(_VALUE).min(), most=nw.col(_VALUE).max()).collect().row(0)
    )
    if not n:
        return [None for _ in levels]
    brackets = [_propose_bracket(known, level, float(least), float(most)) for level in levels]
    _count_brackets(values, brackets)
    for bracket in brackets:
        ranks = _ranks(int(n), bracket.level)
        if not bracket.contains(ranks):
            bracket.low, bracket.high, bracket.below, bracket.inside = float(least), float(most), 0, int(n)
        _narrow(values, bracket, ranks)
    counted, counts = _read_inside(values, brackets)
    return [_pick(counted, counts, bracket, int(n)) for bracket in brackets]


def _evaluate(sample: pl.DataFrame, value: nw.Expr) -> Numbers:
    series = nw.from_native(sample).select(value.cast(nw.Float64).alias(_VALUE)).to_native()[_VALUE]
    numbers: Numbers = series.drop_nulls().to_numpy()
    return numbers


def _interpolate(ordered: Numbers, level: float) -> float | None:
    if not len(ordered):
        return None
    first, second = _ranks(len(ordered), level)
    return _between(float(ordered[first]), float(ordered[second]), len(ordered), level)


def _between(low: float, high: float, n: int, level: float) -> float:
    if low == high:
        return low
    place = (n - 1) * level
    return low + (high - low) * (place - math.floor(place))


def _ranks(n: int, level: float) -> tuple[int, int]:
    """Return the positions of the two values between which the quantile lies."""
    place = (n - 1) * level
    return math.floor(place), math.ceil(place)


def _propose_bracket(known: Numbers, level: float, least: float, most: float) -> _Bracket:
    m = len(known)
    if not m:
        return _Bracket(level, least, most)
    margin = _SURE * math.sqrt(level * (1 - level) / m) + 2 / m
    first, last = math.floor((level - margin) * m), math.ceil((level + margin) * m)
    return _Bracket(
        level,
        float(known[first]) if first > 0 else least,
        float(known[last]) if last < m - 1 else most,
    )


def _count_brackets(values: nw.LazyFrame[Any], brackets: Sequence[_Bracket]) -> None:
    expressions = []
    for i, bracket in enumerate(brackets):
        below = nw.col(_VALUE) < nw.lit(bracket.low)
        expressions += [_count(below).alias(f"below {i}"), _count(_is_inside(bracket)).alias(f"inside {i}")]
    row = [int(each or 0) for each in values.select(*expressions).collect().row(0)]
    for i, bracket in enumerate(brackets):
        bracket.below, bracket.inside = row[2 * i], row[2 * i + 1]


def _narrow(values: nw.LazyFrame[Any], bracket: _Bracket, ranks: tuple[int, int]) -> None:
    """Move the bounds together until few rows lie between them, or many of these are equal."""
    in_vain = 0
    while bracket.inside > MAX_READ and bracket.low < bracket.high and in_vain < _MAX_IN_VAIN:
        before = bracket.inside
        limits = _list_thresholds(bracket.low, bracket.high)
        row = values.select(
            *(_count(nw.col(_VALUE) < nw.lit(limit)).alias(f"t{i}") for i, limit in enumerate(limits))
        )
        counts = [int(each or 0) for each in row.collect().row(0)]
        total = bracket.below + bracket.inside
        for limit, count in zip(limits, counts, strict=True):
            if count <= ranks[0]:
                bracket.low, bracket.below = limit, count
            elif count > ranks[1]:
                bracket.high, total = limit, count
                break
        bracket.inside = total - bracket.below
        in_vain = 0 if bracket.inside < before else in_vain + 1


def _list_thresholds(low: float, high: float) -> list[float]:
    # Infinite bounds leave no steps between them.
    low, high = max(low, -1.7e308), min(high, 1.7e308)
    inner = np.unique(low + (high / _THRESHOLDS - low / _THRESHOLDS) * np.arange(1, _THRESHOLDS))
    return [float(each) for each in inner]


def _read_inside(values: nw.LazyFrame[Any], brackets: Sequence[_Bracket]) -> tuple[Numbers, Numbers]:
    """Return the values in one of the brackets in ascending order, and their counts."""
    condition = _is_inside(brackets[0])
    for bracket in brackets[1:]:
        condition = condition | _is_inside(bracket)
    found = values.filter(condition).group_by(_VALUE).agg(nw.len().alias("count")).collect().to_polars()
    ordered = found.sort(_VALUE)
    return ordered[_VALUE].to_numpy(), ordered["count"].to_numpy()


def _pick(values: Numbers, counts: Numbers, bracket: _Bracket, n: int) -> float:
    inside = (values >= bracket.low) & (values <= bracket.high)
    own, ends = values[inside], bracket.below + np.cumsum(counts[inside])
    first, second = (
        float(own[int(np.searchsorted(ends, rank, side="right"))]) for rank in _ranks(n, bracket.level)
    )
    return _between(first, second, n, bracket.level)


def _is_inside(bracket: _Bracket) -> nw.Expr:
    return (nw.col(_VALUE) >= nw.lit(bracket.low)) & (nw.col(_VALUE) <= nw.lit(bracket.high))


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.cast(nw.Int64).sum()
