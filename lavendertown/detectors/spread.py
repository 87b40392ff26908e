"""The usual range of a column of numbers, from five of its quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

LEVELS = {"q05": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "q95": 0.95}
_SCALES = {"log": 0.0, "cube root": 1 / 3, "square root": 0.5, "linear": 1.0, "square": 2.0}
_NORMAL_TAILS = 2.44
"""How many times as wide as the middle half the middle 90 % of a normal distribution is."""

_ENOUGH = 100
"""With fewer values, one outlier reaches into the outer quantiles: only the quartiles are trusted,
and a lean to one side is taken for a long tail."""


@dataclass(frozen=True)
class Bounds:
    """Below ``lower`` or above ``upper`` a value is unusual; judged on the scale named."""

    lower: float
    upper: float
    scale: str


def quantiles(value: nw.Expr) -> dict[str, nw.Expr]:
    """Return the aggregates that :func:`bounds` needs."""
    return {name: value.quantile(level, "linear") for name, level in LEVELS.items()}


def bounds(facts: Mapping[str, Any], n: int, k: float) -> Bounds | None:
    """Return the usual range: the quartiles and ``k`` times the spread beyond them.

    ``n`` is the number of values. Skewed values are judged on the scale (root, log or square) that
    makes them most even, and heavy tails widen the range. None where the middle half of the values
    is one value.
    """
    raw = {name: float(facts[name]) for name in LEVELS}
    if not raw["q3"] > raw["q1"] or not all(map(math.isfinite, raw.values())):
        return None
    made = _on_scale(raw, _scale(raw, n), n, k)
    if n >= _ENOUGH:
        return made
    # Few values do not show their scale for sure: unusual is what is so on the plain one as well.
    plain = _on_scale(raw, "linear", n, k)
    return Bounds(min(made.lower, plain.lower), max(made.upper, plain.upper), made.scale)


def _on_scale(raw: Mapping[str, float], scale: str, n: int, k: float) -> Bounds:
    power = _SCALES[scale]
    q1, q3 = _forth(raw["q1"], power), _forth(raw["q3"], power)
    spread = q3 - q1
    if n >= _ENOUGH:
        tails = (_forth(raw["q95"], power) - _forth(raw["q05"], power)) / spread / _NORMAL_TAILS
        spread *= max(1.0, tails) ** 2
    return Bounds(_back(q1 - k * spread, power), _back(q3 + k * spread, power), scale)


def _scale(raw: Mapping[str, float], n: int) -> str:
    """Return the scale on which the quantiles lie most evenly; linear unless it clearly does not."""
    few = n < _ENOUGH
    low, middle, high = raw["q1" if few else "q05"], raw["median"], raw["q3" if few else "q95"]
    if low < 0 or _skew(low, middle, high, 1.0) == 0:
        return "linear"
    if few and low > 0 and middle - low < high - middle:
        return "log"
    if abs(_skew(low, middle, high, 1.0)) <= 0.1 + 1.5 / math.sqrt(n):
        return "linear"
    usable = [name for name, power in _SCALES.items() if power > 0 or low > 0]
    # Where all are equally uneven (counts of 1, 1, 1, 4) the first, which is the most forgiving.
    return min(usable, key=lambda name: round(abs(_skew(low, middle, high, _SCALES[name])), 6))


def _skew(low: float, middle: float, high: float, power: float) -> float:
    low, middle, high = (_forth(value, power) for value in (low, middle, high))
    return ((high - middle) - (middle - low)) / (high - low) if high > low else 0.0


def _forth(value: float, power: float) -> float:
    if power == 1.0:
        return value
    return math.log(value) if power == 0 else value**power


def _back(value: float, power: float) -> float:
    if power == 1.0:
        return value
    if power == 0:
        return math.exp(min(value, 700.0))
    return math.copysign(abs(value) ** (1 / power), value)
