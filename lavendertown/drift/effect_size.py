"""How far two distributions are apart, and how far chance alone would put them.

Both are measured on counts in common bins. The limit of chance comes from random splits of the pooled rows
into two tables of the same sizes, drawn with a fixed seed: the same tables always give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

DEFAULT_THRESHOLD = 0.1
"""The smallest population stability index (PSI) that is reported: a moderate shift."""

MISSING_THRESHOLD = 0.2
"""The smallest effect on a share of missing values that is reported, as Cohen's h."""

MIN_ROWS = 50
"""The smallest number of values on either side whose distribution is compared."""

SPLITS = 400
"""The number of random splits that chance is estimated from."""

_SEED = 20_180
_CHANCE_MARGIN = 1.5
"""A shift must exceed the largest index of the splits by this factor, which about 1 in 20,000 splits does."""

_MAX_DRAWN = 50_000_000
_WARNING, _ERROR = 0.25, 1.0
_MISSING_WARNING, _MISSING_ERROR = 0.35, 1.0
_MIN_DEVIATIONS = 4.5
_ONE_SIDED_CHANCE = 1e-5


@dataclass(frozen=True)
class Shift:
    """How far a distribution has moved.

    Attributes:
        psi: The population stability index: 0 for equal shares, above 0.1 for a moderate and above 0.25 for a
            large shift.
        distance: The Jensen–Shannon distance, from 0 to 1.
        chance: The largest index that chance explains for tables of these sizes.
    """

    psi: float
    distance: float
    chance: float

    def is_drift(self, threshold: float) -> bool:
        """Return whether the shift is at least this index, and more than chance explains."""
        return self.psi >= threshold and self.psi > self.chance

    @property
    def severity(self) -> str:
        """The severity of a finding about the shift."""
        return "error" if self.psi >= _ERROR else "warning" if self.psi >= _WARNING else "info"

    def to_dict(self) -> dict[str, float]:
        """Return the numbers for the metadata of a finding."""
        return {"psi": round(self.psi, 4), "js_distance": round(self.distance, 4)}


def measure_shift(before: Counts, after: Counts, repetition: float = 1.0) -> Shift | None:
    """Return the shift between counts in the same bins; None if a side has fewer than :data:`MIN_ROWS`.

    Args:
        before: The counts before.
        after: The counts after.
        repetition: How many rows in a row tell as much as one, if neighbours resemble each other.
    """
    if min(before.sum(), after.sum()) < MIN_ROWS:
        return None
    filled = (before + after) > 0
    before, after = before[filled], after[filled]
    if len(before) < 2:
        return Shift(0.0, 0.0, 0.0)
    chance = _chance(before, after) * repetition
    return Shift(float(compute_psi(before, after)), compute_distance(before, after), chance)


def _chance(before: Counts, after: Counts) -> float:
    pooled, size = before + after, int(after.sum())
    # A smaller draw from a huge table only makes the limit higher.
    factor = max(1, -(-int(pooled.sum()) // _MAX_DRAWN))
    pooled, size = pooled // factor, min(size // factor, int((pooled // factor).sum()))
    drawn = np.random.default_rng(_SEED).multivariate_hypergeometric(pooled, size, SPLITS, method="marginals")
    return float(compute_psi(pooled - drawn, drawn).max()) * _CHANCE_MARGIN


def compute_psi(before: Counts, after: Counts) -> Any:
    """Return the population stability index of counts along the last axis; empty bins count half a row."""
    old, new = _to_shares(before), _to_shares(after)
    return ((new - old) * np.log(new / old)).sum(axis=-1)


def compute_distance(before: Counts, after: Counts) -> float:
    """Return the Jensen–Shannon distance of two rows of counts, to base 2."""
    old, new = before / max(1, before.sum()), after / max(1, after.sum())
    middle = (old + new) / 2
    divergence = (_relative_entropy(old, middle) + _relative_entropy(new, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _to_shares(counts: Counts) -> npt.NDArray[np.float64]:
    smoothed = np.maximum(counts, 0.5)
    return np.asarray(smoothed / smoothed.sum(axis=-1, keepdims=True), np.float64)


def _relative_entropy(shares: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]) -> float:
    positive = shares > 0
    return float((shares[positive] * np.log2(shares[positive] / middle[positive])).sum())


def is_missing_drift(
    before: tuple[int, int], after: tuple[int, int], threshold: float = MISSING_THRESHOLD
) -> bool:
    """Return whether a share of missing values has changed notably, and by more than chance explains.

    Args:
        before: The missing values and the rows before.
        after: The missing values and the rows after.
        threshold: The smallest effect that is notable.
    """
    rows = before[1] + after[1]
    if min(before[1], after[1]) < MIN_ROWS or missing_effect(before, after) < threshold:
        return False
    pooled = (before[0] + after[0]) / rows
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / before[1] + 1 / after[1]))
    return abs(after[0] / after[1] - before[0] / before[1]) > _MIN_DEVIATIONS * deviation


def missing_effect(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return Cohen's h of two shares: 0.2 is a small effect, 0.8 a large one."""
    angles = [2 * math.asin(math.sqrt(part / whole)) for part, whole in (before, after)]
    return abs(angles[1] - angles[0])


def severity_of_missing_drift(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return the severity of a changed share of missing values; with fewer of them it is info."""
    effect = missing_effect(before, after)
    if after[0] * before[1] < before[0] * after[1] or effect < _MISSING_WARNING:
        return "info"
    return "error" if effect >= _MISSING_ERROR else "warning"


def rows_beyond_chance(share: float) -> int:
    """Return how many rows, if all of them are on one side that has this share, are more than chance."""
    return math.ceil(math.log(_ONE_SIDED_CHANCE) / math.log(min(max(share, 0.01), 0.99)))


def smallest_notable_count(counts: Sequence[int], pooled: Sequence[int], share: float) -> int | None:
    """Return from which number of rows on, values that only one side has are more than chance explains.

    Many rare values are on one side by chance, a few are not: the number of ways to choose them counts.

    Args:
        counts: The number of rows of each value that only this side has.
        pooled: The number of rows on both sides of every value.
        share: The share of this side in all rows.

    Returns:
        The number of rows from which on the values together are least explained by chance; None if chance
        explains all of them.
    """
    log_share = math.log(min(max(share, 1e-9), 1 - 1e-9))
    candidates = sorted(set(counts))
    chances = []
    for least in candidates:
        chosen = [count for count in counts if count >= least]
        eligible = sum(1 for count in pooled if count >= least)
        ways = _log_choose(eligible, len(chosen)) + math.log(len(candidates))
        chances.append(sum(chosen) * log_share + ways)
    best = min(chances)
    return candidates[chances.index(best)] if best < math.log(_ONE_SIDED_CHANCE) else None


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
