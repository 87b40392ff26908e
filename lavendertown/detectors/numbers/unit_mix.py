"""Find numbers in another unit: a small cluster at a known factor from all others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lavendertown.detectors.sampled_rows import Floats
from lavendertown.tables.inference.column_names import split_words

_FACTORS = {
    **{10.0: "10", 100.0: "100", 1000.0: "1,000", 1e6: "1,000,000", 12.0: "12", 60.0: "60", 3600.0: "3,600"},
    **{2.54: "2.54 (inches)", 30.48: "30.48 (feet)", 3.28084: "3.28 (feet)", 39.3701: "39.4 (inches)"},
    **{2.20462: "2.2 (pounds)", 28.3495: "28.3 (ounces)", 3.78541: "3.8 (gallons)"},
    **{1.609344: "1.6 (miles)", 10.7639: "10.8 (square feet)", 4.184: "4.2 (kilojoules)"},
}
_SUMMANDS = (
    (1.8, 32.0, "Fahrenheit"),
    (1 / 1.8, -32 / 1.8, "Celsius"),
    (1.0, 273.15, "Kelvin"),
    (1.0, -273.15, "Celsius"),
)
"""Units of temperature, whose zeros differ: value = factor × other + summand."""

_TEMPERATURE = ("temp", "celsius", "fahrenheit", "kelvin", "degree", "thermo")
_MAX_SHARE = 0.065
_MIN_VALUES = 60
_MIN_OTHERS = 3
_MIN_DISTINCT = 20
_MAX_SKEW = 0.35
_MIN_DISTANCE = 3.6
"""Distance of the two clusters, in widths of the larger one."""


@dataclass(frozen=True)
class UnitMix:
    """Numbers in another unit.

    Attributes:
        above: Whether they are larger than the others.
        limit: The number that separates them from the others.
        unit: How they differ, such as ``1,000 times larger``.
    """

    above: bool
    limit: float
    unit: str


def find_unit_mix(values: Floats, name: str) -> UnitMix | None:
    """Return which of the numbers are in another unit; None if there is no such cluster.

    The cluster has at most 6.5% of the numbers, lies where the factor puts the middle of the others, is about
    as wide as they are and stands apart from them.
    """
    values = values[np.isfinite(values)]
    if len(values) < _MIN_VALUES or len(np.unique(values)) < _MIN_DISTINCT:
        return None
    found = []
    if (values > 0).mean() > 0.97:
        logs = np.log(values[values > 0])
        low, middle, high = np.quantile(logs, [0.1, 0.5, 0.9])
        is_symmetric = abs(high - 2 * middle + low) <= _MAX_SKEW * (high - low)
        for factor, times in _FACTORS.items() if is_symmetric else ():
            for sign, verb in ((1.0, "larger"), (-1.0, "smaller")):
                shift = sign * math.log(factor)
                found.append(
                    (
                        _fit_second_cluster(logs, 1.0, shift, len(values) - len(logs)),
                        True,
                        f"{times} times {verb}",
                    )
                )
    if any(word.startswith(_TEMPERATURE) for word in split_words(name)):
        found += [
            (_fit_second_cluster(values, slope, shift), False, unit) for slope, shift, unit in _SUMMANDS
        ]
    best = max(((split, log, unit) for split, log, unit in found if split), default=None)
    if best is None:
        return None
    (_, limit, above), is_log, unit = best
    return UnitMix(above, math.exp(limit) if is_log else limit, unit)


def _fit_second_cluster(
    values: Floats, slope: float, shift: float, left_out: int = 0
) -> tuple[float, float, bool] | None:
    """Return how well a cluster fits, its limit, and whether it is above; None without a cluster."""
    low, middle, high = np.quantile(values, [0.16, 0.5, 0.84])
    width = float(high - low) / 2
    expected = slope * float(middle) + shift
    distance = expected - float(middle)
    if not width > 0 or abs(distance) < _MIN_DISTANCE * width * (1 + slope) / 2:
        return None
    # The limit that mistakes fewest rows, if about 3% are in the other cluster.
    other_width = width * slope
    share = distance / (width + other_width)
    lean = math.copysign(math.log(1 / 0.03) * width / max(abs(share) * 2, 1.0), distance)
    limit = float(middle) + share * width + min(abs(lean), abs(share) * width * 0.6) * np.sign(distance)
    above = distance > 0
    inside = values > limit if above else values < limit
    others = values[inside]
    if not _MIN_OTHERS <= len(others) <= _MAX_SHARE * len(values) or len(np.unique(others)) < _MIN_OTHERS:
        return None
    off = abs(float(np.median(others)) - expected) / other_width
    if off > 0.5 + 1.3 / math.sqrt(len(others)):
        return None
    spread = float(np.quantile(others, 0.84) - np.quantile(others, 0.16)) / 2 / other_width
    if (
        spread > 1.6
        or (len(others) >= 8 and spread < 0.35)
        or np.abs(others - expected).max() > 5 * other_width
    ):
        return None
    strange = np.abs(values - middle) > 5 * width
    if left_out + (strange & ~inside).sum() > 0.1 * len(others):
        return None
    near_limit = (np.abs(values - limit) <= 0.5 * min(width, other_width)).sum()
    near_middle = (np.abs(values - expected) <= 0.5 * other_width).sum()
    if near_limit > 0.5 * near_middle:
        return None
    limit = _move_to_gap(values, limit, 0.6 * min(width, other_width))
    return -off, limit, above


def _move_to_gap(values: Floats, limit: float, reach: float) -> float:
    """Return the middle of the widest gap near the limit."""
    near = np.sort(values[np.abs(values - limit) <= reach])
    edges = np.concatenate([[limit - reach], near, [limit + reach]])
    i = int(np.argmax(np.diff(edges)))
    return float((edges[i] + edges[i + 1]) / 2)
