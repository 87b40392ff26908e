"""The checks, one module per detector."""

from __future__ import annotations

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    ColumnAggregates,
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
from lavendertown.detectors.columns.constants import Constants
from lavendertown.detectors.columns.dates import Dates
from lavendertown.detectors.columns.disguised_nulls import DisguisedNulls
from lavendertown.detectors.columns.error_cells import ErrorCells
from lavendertown.detectors.columns.lost_digits import LostDigits
from lavendertown.detectors.columns.nulls import Nulls
from lavendertown.detectors.columns.placeholders import Placeholders
from lavendertown.detectors.columns.types import Types
from lavendertown.detectors.numbers.coordinates import Coordinates
from lavendertown.detectors.numbers.infinite_values import InfiniteValues
from lavendertown.detectors.numbers.outliers import Outliers
from lavendertown.detectors.numbers.ranges import Ranges
from lavendertown.detectors.rows.arithmetic import Arithmetic
from lavendertown.detectors.rows.date_order import DateOrder
from lavendertown.detectors.rows.dependencies import Dependencies
from lavendertown.detectors.rows.duplicates import Duplicates
from lavendertown.detectors.rows.durations import Durations
from lavendertown.detectors.rows.keys import Keys
from lavendertown.detectors.rows.near_duplicates import NearDuplicates
from lavendertown.detectors.rows.row_count import RowCount
from lavendertown.detectors.rows.time_series import LevelShifts, RepeatedTimes, StuckValues, TimeGaps
from lavendertown.detectors.rows.totals import TotalRows
from lavendertown.detectors.text.category_variants import CategoryVariants
from lavendertown.detectors.text.cut_text import CutText
from lavendertown.detectors.text.shapes import Shapes
from lavendertown.detectors.text.text_damage import TextDamage


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
        TotalRows(),
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
    "ColumnAggregates",
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
    "TotalRows",
    "Types",
    "ValueCounts",
    "default_detectors",
]
