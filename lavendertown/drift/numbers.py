"""Compare the numbers of a column: common bins, an aligned picture, and which columns are never compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lavendertown.drift.baseline import Baseline, ProfileBaseline, TableBaseline
from lavendertown.drift.effect_size import MIN_ROWS, Counts
from lavendertown.profile.evidence import Histogram
from lavendertown.profile.figures import count_in_bins
from lavendertown.tables.inference.column_names import is_calendar, is_identifier

Numbers = npt.NDArray[np.float64]

PICTURE_BINS = 24
MAX_LEVELS = 12
"""Up to this many different numbers are compared one by one, more of them in bins."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_MAX_BINS, _ROWS_PER_BIN = 10, 25
_MIN_LIKENESS, _MAX_REPETITION = 0.3, 20.0
_MAX_LAG = 12
_MAX_NEIGHBOURS = 50_000
_PICTURE_ENDS = (0.005, 0.995)
_SKEWED = 3.0
_UNIQUE_SHARE = 0.97
_MAX_STEP = 20
_CONTINUES = 0.02
_EPOCHS = ((8.5e8, 2.6e9), (8.5e11, 2.6e12))


@dataclass(frozen=True)
class NumbersBefore:
    """The numbers of a column before, as far as they are known.

    Attributes:
        low, high: The smallest and the largest.
        quantiles: Those of :data:`QUANTILES`.
        values: All of them in row order; None if only a profile is known.
        histogram: Their histogram, if only a profile is known.
    """

    low: float
    high: float
    quantiles: Sequence[float]
    values: Numbers | None = None
    histogram: Histogram | None = None


def read_numbers(baseline: Baseline, column: str) -> NumbersBefore | None:
    """Return the numbers of a column before; None if they are not known."""
    if isinstance(baseline, TableBaseline):
        values = to_numbers(baseline.values(column))
        if not len(values):
            return None
        return NumbersBefore(float(values.min()), float(values.max()), find_quantiles(values), values)
    assert isinstance(baseline, ProfileBaseline)
    profile = baseline.profile(column)
    if profile is None or profile.histogram is None or len(profile.quantiles) != len(QUANTILES):
        return None
    try:
        # Numbers that JSON cannot hold exactly, such as decimals, are stored as text.
        low, high = float(profile.minimum or 0), float(profile.maximum or 0)
    except ValueError:
        return None
    return NumbersBefore(low, high, profile.quantiles, histogram=profile.histogram)


def to_numbers(values: pl.Series) -> Numbers:
    """Return the finite numbers of a column in row order."""
    numbers = values.drop_nulls().cast(pl.Float64)
    return np.asarray(numbers.filter(numbers.is_finite()).to_numpy(), np.float64)


def find_quantiles(values: Numbers) -> list[float]:
    """Return the quantiles of :data:`QUANTILES`."""
    return [float(value) for value in np.quantile(values, QUANTILES)]


def is_label(name: str) -> bool:
    """Return whether the name suggests that the numbers are labels or parts of dates, not quantities."""
    return is_identifier(name) or is_calendar(name)


def is_running_number(before: NumbersBefore, after: Numbers) -> bool:
    """Return whether numbers are new in every delivery by their nature: serial numbers, counters, times."""
    if any(
        low <= min(before.low, after.min()) and max(before.high, after.max()) <= high for low, high in _EPOCHS
    ):
        return True
    steps = np.diff(after)
    if _CONTINUES * (before.high - before.low) + after.min() >= before.high and bool(np.all(steps >= 0)):
        return bool(np.any(steps > 0))
    return _are_serial(after) and (before.values is None or _are_serial(before.values))


def _are_serial(values: Numbers) -> bool:
    """Return whether whole numbers hardly repeat, and are sorted or leave out few."""
    if np.any(values != np.floor(values)):
        return False
    unique = np.unique(values)
    if len(unique) < _UNIQUE_SHARE * len(values):
        return False
    steps = np.diff(values)
    is_sorted = bool(np.all(steps > 0) or np.all(steps < 0))
    return is_sorted or bool(unique[-1] - unique[0] < _MAX_STEP * len(unique) and len(unique) == len(values))


def measure_repetition(before: NumbersBefore, after: Numbers) -> float:
    """Return how many rows in a row tell as much as one, because neighbours resemble each other.

    It is 1 for rows in random order and for sorted numbers, and up to 20 in time series.
    """
    sides = [after] if before.values is None else [before.values, after]
    likeness = min(map(_correlate_neighbours, sides))
    return 1.0 if likeness < _MIN_LIKENESS else min(_MAX_REPETITION, (1 + likeness) / (1 - likeness))


def _correlate_neighbours(values: Numbers) -> float:
    """Return the correlation of numbers with those of a following row; 0 if they are sorted.

    Several rows are tried, because the series of several stations may alternate.
    """
    values = values[:_MAX_NEIGHBOURS]
    steps = np.diff(values)
    if len(values) < MIN_ROWS or bool(np.all(steps >= 0) or np.all(steps <= 0)):
        return 0.0
    clipped = np.clip(values, *np.quantile(values, (0.01, 0.99)))
    centred = clipped - clipped.mean()
    variance = float(centred @ centred)
    if not variance:
        return 0.0
    products = (float(centred[:-lag] @ centred[lag:]) for lag in range(1, _MAX_LAG + 1))
    return min(0.999, max(products) / variance)


@dataclass(frozen=True)
class BinnedNumbers:
    """Counts of numbers in common bins, and the bin of each row where all values are known."""

    before: Counts
    after: Counts
    edges: Numbers

    def bin_of(self, values: Numbers) -> npt.NDArray[np.int64]:
        """Return the bins of values."""
        return np.searchsorted(self.edges, values, side="right").astype(np.int64)


def bin_numbers(before: NumbersBefore, after: Numbers) -> BinnedNumbers:
    """Return counts in bins that hold about equally many of the pooled numbers, or in those of a profile."""
    if before.values is None:
        assert before.histogram is not None
        return _bin_with_histogram(before.histogram, after)
    edges = _find_edges(before.values, after)
    binned = BinnedNumbers(np.zeros(0, np.int64), np.zeros(0, np.int64), edges)
    counts = [
        np.bincount(binned.bin_of(values), minlength=len(edges) + 1).astype(np.int64)
        for values in (before.values, after)
    ]
    return BinnedNumbers(counts[0], counts[1], edges)


def _find_edges(before: Numbers, after: Numbers) -> Numbers:
    pooled = np.concatenate([before, after])
    unique = np.unique(pooled)
    if len(unique) <= MAX_LEVELS:
        return unique[1:]
    bins = int(np.clip(min(len(before), len(after)) // _ROWS_PER_BIN, 2, _MAX_BINS))
    edges = np.quantile(pooled, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf")
    repeated = edges[1:][np.diff(edges) == 0]
    # A frequent value gets a bin of its own.
    return np.unique(np.concatenate([edges, np.nextafter(repeated, np.inf)]))


def _bin_with_histogram(histogram: Histogram, after: Numbers) -> BinnedNumbers:
    edges = _histogram_edges(histogram)
    old = np.asarray([histogram.below, *histogram.counts, histogram.above], np.int64)
    new = np.asarray(_count_outer(edges, after), np.int64)
    groups = _merge_small_bins(old + new)
    counts = [np.bincount(groups, weights=side).astype(np.int64) for side in (old, new)]
    return BinnedNumbers(counts[0], counts[1], edges)


def _merge_small_bins(pooled: Counts) -> npt.NDArray[np.int64]:
    """Return the group of each bin, so that neighbours form groups of enough rows."""
    least = max(2 * _ROWS_PER_BIN, int(pooled.sum()) // (2 * _MAX_BINS))
    groups = np.zeros(len(pooled), np.int64)
    group = size = 0
    for position, count in enumerate(pooled):
        if size >= least:
            group, size = group + 1, 0
        groups[position] = group
        size += int(count)
    if size < least and group:
        groups[groups == group] = group - 1
    return groups


def _histogram_edges(histogram: Histogram) -> Numbers:
    return np.linspace(histogram.start, histogram.end, len(histogram.counts) + 1)


def _count_outer(edges: Numbers, values: Numbers) -> list[int]:
    """Return counts in bins of equal width; first of the values below them, last of those above."""
    numbers = pl.Series(values, dtype=pl.Float64)
    counts, below, above = count_in_bins(numbers, float(edges[0]), float(edges[-1]), len(edges) - 1)
    return [below, *counts, above]


def make_picture(before: NumbersBefore, after: Numbers) -> dict[str, Any]:
    """Return counts of both sides in the same bins of equal width, for a picture.

    Returns:
        ``start`` and ``end`` of the bins, ``before`` and ``after`` with the counts: first the values below
        the bins, last those above. With the ``scale`` ``log`` the logarithms of the edges have equal
        distances. For few numbers, ``labels`` with ``before`` and ``after``. ``quantiles`` has those of
        :data:`QUANTILES` of both sides.
    """
    quantiles = {"before": list(before.quantiles), "after": find_quantiles(after)}
    return {**_count_bins(before, after), "quantiles": quantiles}


def _count_bins(before: NumbersBefore, after: Numbers) -> dict[str, Any]:
    if before.values is None:
        assert before.histogram is not None
        edges = _histogram_edges(before.histogram)
        old = [before.histogram.below, *before.histogram.counts, before.histogram.above]
        return _describe_bins(edges, old, after)
    unique = np.unique(np.concatenate([before.values, after]))
    if len(unique) <= MAX_LEVELS:
        return {
            "labels": [f"{value:.12g}" for value in unique],
            "before": [int((before.values == value).sum()) for value in unique],
            "after": [int((after == value).sum()) for value in unique],
        }
    ends = [np.quantile(values, _PICTURE_ENDS) for values in (before.values, after)]
    start, end = min(ends[0][0], ends[1][0]), max(ends[0][1], ends[1][1])
    if min(before.low, after.min()) > 0 and _is_skewed(before.values):
        logarithms = [np.log(values) for values in (before.values, after)]
        edges = np.linspace(np.log(start), np.log(end), PICTURE_BINS + 1)
        counted = _describe_bins(edges, _count_outer(edges, logarithms[0]), logarithms[1])
        return {**counted, "start": float(start), "end": float(end), "scale": "log"}
    edges = np.linspace(start, end, PICTURE_BINS + 1)
    return _describe_bins(edges, _count_outer(edges, before.values), after)


def _is_skewed(values: Numbers) -> bool:
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return bool(high - middle > _SKEWED * (middle - low))


def _describe_bins(edges: Numbers, old: Sequence[int], after: Numbers) -> dict[str, Any]:
    return {
        "start": float(edges[0]),
        "end": float(edges[-1]),
        "before": list(old),
        "after": _count_outer(edges, after),
    }


def describe_shift(name: str, before: NumbersBefore, after: Numbers) -> str:
    """Return one sentence about how numbers moved, with the numbers of both sides."""
    quantiles = find_quantiles(after)
    above = float((after > before.quantiles[-1]).mean())
    below = float((after < before.quantiles[0]).mean())
    middle = f"{name}: the median is {format_number(quantiles[2])}, was {format_number(before.quantiles[2])}"
    if max(above, below) >= 2 * (1 - QUANTILES[-1]):
        side, share = ("above", above) if above >= below else ("below", below)
        level, limit = ("95%", before.quantiles[-1]) if above >= below else ("5%", before.quantiles[0])
        former = f"the former {level} quantile {format_number(limit)}"
        return f"{middle}; {share:.0%} of the values are {side} {former}."
    old, new = (f"{format_number(q[0])} to {format_number(q[-1])}" for q in (before.quantiles, quantiles))
    return f"{middle}; the middle 90% of the values are {new}, were {old}."


def format_number(value: float) -> str:
    """Return a number with at most four significant digits after the decimal point."""
    return f"{value:,.0f}" if abs(value) >= 10_000 or value == int(value) else f"{value:,.4g}"
