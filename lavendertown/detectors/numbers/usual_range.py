"""Compute the usual range of numbers from five quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from lavendertown.detectors.base import Quantile

LEVELS = {"q05": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "q95": 0.95}
_SCALES = {"log": 0.0, "cube root": 1 / 3, "square root": 0.5, "linear": 1.0, "square": 2.0}
_NORMAL_TAILS = 2.44
"""Width of the middle 90% of a normal distribution, in widths of its middle half."""

_MIN_FOR_TAILS = 100
"""With fewer values, a single outlier affects the outer quantiles. Then only the quartiles are used, and
skew counts as a long tail."""


@dataclass(frozen=True)
class Bounds:
    """The usual range of a column, and the scale on which it was computed.

    Attributes:
        lower: The least usual number.
        upper: The largest usual number.
        scale: The name of the scale.
        below_zero: The least usual number below zero, which only the linear scale has: at half the distance,
            because the short side of skewed numbers is below the others.
    """

    lower: float
    upper: float
    scale: str
    below_zero: float


def list_quantiles(value: nw.Expr) -> dict[str, Quantile]:
    """Return the quantiles that :func:`compute_bounds` needs."""
    return {name: Quantile(value, level) for name, level in LEVELS.items()}


def compute_bounds(facts: Mapping[str, Any], n: int, k: float) -> Bounds | None:
    """Return the usual range: the quartiles, extended on both sides by ``k`` times the spread.

    ``n`` is the number of values. For skewed values, the range is computed on the scale (root, log or
    square) that makes them most symmetric. Heavy tails widen it. Return None if the middle half of the
    values is a single value.
    """
    raw = {name: float(facts[name]) for name in LEVELS}
    if not raw["q3"] > raw["q1"] or not all(map(math.isfinite, raw.values())):
        return None
    scale = _choose_scale(raw, n)
    lower, upper = _bounds_on_scale(raw, scale, n, k)
    linear = _bounds_on_scale(raw, "linear", n, k)
    if n < _MIN_FOR_TAILS:
        # Few values do not determine the scale reliably: extend the range to that of the linear scale.
        lower, upper = min(lower, linear[0]), max(upper, linear[1])
    below_zero = linear[0] if scale == "linear" else _bounds_on_scale(raw, "linear", n, k / 2)[0]
    return Bounds(lower, upper, scale, below_zero)


def _bounds_on_scale(raw: Mapping[str, float], scale: str, n: int, k: float) -> tuple[float, float]:
    power = _SCALES[scale]
    q1, q3 = _to_scale(raw["q1"], power), _to_scale(raw["q3"], power)
    spread = q3 - q1
    if n >= _MIN_FOR_TAILS:
        tails = (_to_scale(raw["q95"], power) - _to_scale(raw["q05"], power)) / spread / _NORMAL_TAILS
        spread *= max(1.0, tails) ** 2
    return _from_scale(q1 - k * spread, power), _from_scale(q3 + k * spread, power)


def _choose_scale(raw: Mapping[str, float], n: int) -> str:
    """Return the scale on which the quantiles are most symmetric; linear unless they are clearly skewed."""
    few = n < _MIN_FOR_TAILS
    low, middle, high = raw["q1" if few else "q05"], raw["median"], raw["q3" if few else "q95"]
    if low < 0 or _quantile_skew(low, middle, high, 1.0) == 0:
        return "linear"
    if few and low > 0 and middle - low < high - middle:
        return "log"
    if abs(_quantile_skew(low, middle, high, 1.0)) <= 0.1 + 1.5 / math.sqrt(n):
        return "linear"
    usable = [name for name, power in _SCALES.items() if power > 0 or low > 0]
    # If all scales are equally skewed (counts of 1, 1, 1, 4), the first has the widest range.
    return min(usable, key=lambda name: round(abs(_quantile_skew(low, middle, high, _SCALES[name])), 6))


def _quantile_skew(low: float, middle: float, high: float, power: float) -> float:
    low, middle, high = (_to_scale(value, power) for value in (low, middle, high))
    return ((high - middle) - (middle - low)) / (high - low) if high > low else 0.0


def _to_scale(value: float, power: float) -> float:
    if power == 1.0:
        return value
    return math.log(value) if power == 0 else value**power


def _from_scale(value: float, power: float) -> float:
    if power == 1.0:
        return value
    if power == 0:
        return math.exp(min(value, 700.0))
    return math.copysign(abs(value) ** (1 / power), value)
