"""Detect missing values and empty columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from lavendertown.detectors.base import (
    Aggregates,
    ColumnAggregates,
    Detection,
    DetectionSteps,
    Detector,
    QuerySteps,
    RowCounts,
    Sample,
    count_where,
    format_row_share,
    format_value,
    has_value,
    severity_of_missing,
)
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import is_identifier, is_unique_identifier

NEAR_EMPTY = 0.95
_EXPLAINED = 0.95
_MIN_EXPLAINED = 10
_MAX_LEVELS = 50
_MAX_CAUSES = 200
_MIN_KEYS = 30


@dataclass(frozen=True)
class Nulls(Detector):
    """Missing values. A nearly empty column is the same finding with a higher severity.

    If the values are missing where another column has one particular value, and hardly elsewhere,
    ``metadata["explained_by"]`` names that column and value. A row without its key is an error.

    Attributes:
        threshold: The largest accepted share of missing values (0 to 1).
    """

    check: ClassVar[str] = "nulls"
    title: ClassVar[str] = "Empty values"
    threshold: float = 0.0

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows without a value."""
        assert column is not None
        empty, total = ~has_value(column), table.row_count
        if column.errors_key:
            answer = yield Aggregates({"nulls": count_where(empty)})
        elif column.text_key:
            answer = yield ColumnAggregates(column.key, _count_empty, column.text_key)
        else:
            answer = yield RowCounts(column.key, _count_nulls)
        missing = int(answer["nulls"] or 0)
        share = missing / total
        if not missing or share <= self.threshold:
            return None
        metadata: dict[str, Any] = {
            "null_count": missing,
            "total_count": total,
            "null_percentage": share,
            "threshold": self.threshold,
        }
        if share >= NEAR_EMPTY:
            metadata["near_empty"] = True
        elif missing >= _MIN_EXPLAINED:
            cause = yield from _explain_missing(table, column, empty, missing)
            if cause is not None:
                metadata["explained_by"] = cause
        is_key = yield from _is_key(table, column, missing)
        if is_key:
            metadata["key"] = True
        return Detection(
            "null",
            "error" if is_key else severity_of_missing(share),
            _describe_missing(column.name, missing, total),
            missing,
            empty,
            metadata=metadata,
        )


def _count_nulls(value: nw.Expr) -> dict[str, nw.Expr]:
    return {"nulls": value.is_null()}


def _count_empty(value: nw.Expr, text: nw.Expr) -> Aggregates:
    return Aggregates({"nulls": count_where(value.is_null() & text.is_null())})


def _is_key(table: Table, column: Column, missing: int) -> QuerySteps[bool]:
    """Return whether a column identifies rows: by its name, and because no value occurs twice."""
    present = table.row_count - missing
    is_named = is_unique_identifier(column.name) or (column.position == 0 and is_identifier(column.name))
    if not is_named or column.kind not in ("number", "text") or present < _MIN_KEYS:
        return False
    answer = yield Aggregates({"different": nw.col(column.key).n_unique()})
    return int(answer["different"]) - 1 == present  # Null counts as a value.


def _explain_missing(
    table: Table, column: Column, empty: nw.Expr, missing: int
) -> QuerySteps[dict[str, Any] | None]:
    """Return the column and the value that go with the missing values, in at least 95% both ways."""
    sample: SampledRows = yield Sample()
    rows = np.ones(len(sample), dtype=bool)
    for key in (column.key, column.errors_key, column.text_key):
        if key:
            rows &= sample.frame[key].is_null().to_numpy()
    if rows.sum() < _MIN_EXPLAINED:
        return None
    for other in table.schema[:_MAX_CAUSES]:
        if other is column or other.kind not in ("text", "boolean", "number"):
            continue
        codes = sample.codes(other.key)
        levels = int(codes.max(initial=0)) + 1
        if not 2 <= levels <= _MAX_LEVELS:
            continue
        both = np.bincount(codes[rows & (codes >= 0)], minlength=levels)
        code = int(both.argmax())
        if both[code] < _EXPLAINED * max(int(rows.sum()), int((codes == code).sum())):
            continue
        value = sample.frame[other.key][int((codes == code).argmax())]
        matches = nw.col(other.key) == nw.lit(value)
        facts = yield Aggregates({"both": count_where(empty & matches), "value": count_where(matches)})
        if int(facts["both"] or 0) >= _EXPLAINED * max(missing, int(facts["value"] or 0)):
            return {"column": other.name, "value": format_value(value)}
    return None


def _describe_missing(name: str, missing: int, total: int) -> str:
    if missing == total:
        return f"{name} is empty in every row ({total:,})."
    if missing / total >= NEAR_EMPTY:
        return f"{name} is almost entirely empty: {format_row_share(missing, total)} have no value."
    return f"{name} is empty in {format_row_share(missing, total)}."
