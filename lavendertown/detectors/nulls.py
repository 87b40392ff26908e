"""Missing values, up to columns that are empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    Candidate,
    Detector,
    Examination,
    of_rows,
    severity_of_missing,
)
from lavendertown.tables import Column, Table

NEAR_EMPTY = 0.95


@dataclass(frozen=True)
class Nulls(Detector):
    """Missing values. A near-empty column is the same finding, at its most severe.

    Attributes:
        threshold: The share of missing values (0 to 1) that is still accepted.
    """

    check: ClassVar[str] = "nulls"
    title: ClassVar[str] = "Empty values"
    threshold: float = 0.0

    def examine(self, table: Table, column: Column | None) -> Examination:
        """Find the rows without a value."""
        assert column is not None
        value, total = nw.col(column.key), table.row_count
        answer = yield Aggregates({"nulls": value.null_count()})
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
        return Candidate(
            "null",
            severity_of_missing(share),
            _sentence(column.name, missing, total),
            missing,
            value.is_null(),
            metadata=metadata,
        )


def _sentence(name: str, missing: int, total: int) -> str:
    if missing == total:
        return f"{name} is empty in every row ({total:,})."
    if missing / total >= NEAR_EMPTY:
        return f"{name} is almost entirely empty: {of_rows(missing, total)} have no value."
    return f"{name} is empty in {of_rows(missing, total)}."
