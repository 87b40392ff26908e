"""Detect missing values and empty columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    count_where,
    format_row_share,
    severity_of_missing,
)
from lavendertown.tables import Column, Table

NEAR_EMPTY = 0.95


@dataclass(frozen=True)
class Nulls(Detector):
    """Missing values. A nearly empty column is the same finding with a higher severity.

    Attributes:
        threshold: The largest accepted share of missing values (0 to 1).
    """

    check: ClassVar[str] = "nulls"
    title: ClassVar[str] = "Empty values"
    threshold: float = 0.0

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows without a value."""
        assert column is not None
        empty, total = nw.col(column.key).is_null(), table.row_count
        for key in (column.errors_key, column.text_key):
            if key:
                empty = empty & nw.col(key).is_null()
        answer = yield Aggregates({"nulls": count_where(empty)})
        missing = int(answer["nulls"] or 0)
        if not missing or missing / total <= self.threshold:
            return None
        share = missing / total
        metadata = {
            "null_count": missing,
            "total_count": total,
            "null_percentage": share,
            "threshold": self.threshold,
        }
        if share >= NEAR_EMPTY:
            metadata["near_empty"] = True
        return Detection(
            "null",
            severity_of_missing(share),
            _describe_missing(column.name, missing, total),
            missing,
            empty,
            metadata=metadata,
        )


def _describe_missing(name: str, missing: int, total: int) -> str:
    if missing == total:
        return f"{name} is empty in every row ({total:,})."
    if missing / total >= NEAR_EMPTY:
        return f"{name} is almost entirely empty: {format_row_share(missing, total)} have no value."
    return f"{name} is empty in {format_row_share(missing, total)}."
