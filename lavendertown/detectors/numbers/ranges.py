"""Detect numbers that the name of their column rules out: month 13, 104% humidity, a rating of 50."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    ValueCounts,
    count_where,
    format_row_share,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import split_words

_MIN_VALUES = 20
_MAX_SHARE = 0.03
_RANGES: dict[str, tuple[float, float]] = {
    **{"year": (1000, 2200), "quarter": (1, 4), "month": (1, 12), "week": (0, 53), "weekday": (0, 7)},
    **{"day": (1, 31), "hour": (0, 24), "minute": (0, 59), "humidity": (0, 100), "probability": (0, 1)},
    **dict.fromkeys(("percent", "percentage", "pct"), (0, 100)),
    "ph": (0, 14),
}
_MOVING = frozenset(
    ("change", "growth", "diff", "difference", "delta", "return", "increase", "gain", "of", "per")
)
_SCALES = frozenset(("rating", "stars", "likert", "satisfaction", "grade"))
_MAX_LEVELS = 11
_MIN_LEVEL_SHARE = 0.02


@dataclass(frozen=True)
class Ranges(Detector):
    """Numbers outside what the column's name allows, in up to 3% of the rows.

    Parts of dates, percentages, probabilities, and ratings: whole numbers of up to 11 levels without a gap,
    each of which at least 2% of the rows have.
    """

    check: ClassVar[str] = "ranges"
    title: ClassVar[str] = "Possible ranges"
    checks_values: ClassVar[bool] = True
    is_exact: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the number columns whose name says what is possible."""
        return [
            column
            for column in table.schema
            if column.kind == "number" and (_named_range(column.name) or _is_scale(column.name))
        ]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with impossible numbers."""
        assert column is not None
        bounds = _named_range(column.name)
        if bounds is None:
            levels = yield ValueCounts(column.key, limit=_MAX_LEVELS * 10)
            bounds = _find_scale(levels.values, levels.counts) if levels.is_complete else None
            if bounds is None:
                return NOT_CHECKED
        value = nw.col(column.key)
        outside = (value < nw.lit(bounds[0])) | (value > nw.lit(bounds[1]))
        facts = yield Aggregates({"outside": count_where(outside), "present": value.count()})
        count, present = int(facts["outside"] or 0), int(facts["present"])
        if present < _MIN_VALUES or count > max(1.0, _MAX_SHARE * present):
            return NOT_CHECKED
        if not count:
            return None
        return Detection(
            "outlier",
            "warning",
            f"{column.name} should be between {bounds[0]:g} and {bounds[1]:g}, but is not in "
            f"{format_row_share(count, table.row_count)}.",
            count,
            outside,
            sample_column=column.key,
            metadata={"fault": "range", "total_count": table.row_count},
        )


def _named_range(name: str) -> tuple[float, float] | None:
    words = split_words(name)
    if not words or _MOVING & set(words):
        return None
    if "%" in name and words[-1] not in _RANGES:
        return None
    return _RANGES.get(words[-1]) or (_RANGES["humidity"] if words[0] == "humidity" else None)


def _is_scale(name: str) -> bool:
    return bool(_SCALES & set(split_words(name)[-1:]))


def _find_scale(values: Sequence[float], counts: Sequence[int]) -> tuple[float, float] | None:
    total = sum(counts)
    usual = sorted(
        value for value, count in zip(values, counts, strict=True) if count >= _MIN_LEVEL_SHARE * total
    )
    if not 3 <= len(usual) <= _MAX_LEVELS or not all(map(float.is_integer, map(float, usual))):
        return None
    return (usual[0], usual[-1]) if usual[-1] - usual[0] == len(usual) - 1 else None
