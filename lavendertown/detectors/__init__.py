"""The checks, one module per detector."""

from __future__ import annotations

from lavendertown.detectors.arithmetic import Arithmetic
from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Count,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    Passed,
    Sample,
    Select,
    ValueCounts,
)
from lavendertown.detectors.category_variants import CategoryVariants
from lavendertown.detectors.constants import Constants
from lavendertown.detectors.coordinates import Coordinates
from lavendertown.detectors.cut_text import CutText
from lavendertown.detectors.date_order import DateOrder
from lavendertown.detectors.dates import Dates
from lavendertown.detectors.dependencies import Dependencies
from lavendertown.detectors.disguised_nulls import DisguisedNulls
from lavendertown.detectors.duplicates import Duplicates
from lavendertown.detectors.durations import Durations
from lavendertown.detectors.error_cells import ErrorCells
from lavendertown.detectors.infinite_values import InfiniteValues
from lavendertown.detectors.keys import Keys
from lavendertown.detectors.lost_digits import LostDigits
from lavendertown.detectors.near_duplicates import NearDuplicates
from lavendertown.detectors.nulls import Nulls
from lavendertown.detectors.outliers import Outliers
from lavendertown.detectors.placeholders import Placeholders
from lavendertown.detectors.ranges import Ranges
from lavendertown.detectors.row_count import RowCount
from lavendertown.detectors.shapes import Shapes
from lavendertown.detectors.text_damage import TextDamage
from lavendertown.detectors.time_series import LevelShifts, RepeatedTimes, StuckValues, TimeGaps
from lavendertown.detectors.types import Types


def default_detectors() -> list[Detector]:
    """Return all checks with default settings, in the order in which they run."""
    return [
        RowCount(),
        Nulls(),
        ErrorCells(),
        DisguisedNulls(),
        Placeholders(),
        Types(),
        LostDigits(),
        TextDamage(),
        CutText(),
        CategoryVariants(),
        Shapes(),
        Coordinates(),
        Dates(),
        Constants(),
        InfiniteValues(),
        Outliers(),
        Ranges(),
        Duplicates(),
        Keys(),
        NearDuplicates(),
        Dependencies(),
        Arithmetic(),
        DateOrder(),
        Durations(),
        TimeGaps(),
        RepeatedTimes(),
        StuckValues(),
        LevelShifts(),
    ]


__all__ = [
    "NOT_CHECKED",
    "Aggregates",
    "Arithmetic",
    "CategoryVariants",
    "Constants",
    "Coordinates",
    "Count",
    "CountedValues",
    "CutText",
    "DateOrder",
    "Dates",
    "Dependencies",
    "Detection",
    "DetectionSteps",
    "Detector",
    "DisguisedNulls",
    "Duplicates",
    "Durations",
    "ErrorCells",
    "InfiniteValues",
    "Keys",
    "LevelShifts",
    "LostDigits",
    "NearDuplicates",
    "Nulls",
    "Outliers",
    "Passed",
    "Placeholders",
    "Ranges",
    "RepeatedTimes",
    "RowCount",
    "Sample",
    "Select",
    "Shapes",
    "StuckValues",
    "TextDamage",
    "TimeGaps",
    "Types",
    "ValueCounts",
    "default_detectors",
]
