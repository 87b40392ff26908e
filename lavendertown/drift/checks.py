"""Checks of a table against a baseline: columns, types, rows and missing values.

The baseline is not a parameter: a finding keeps its identity from one comparison to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from statistics import median
from typing import Any, ClassVar

import numpy as np
import polars as pl

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Detection,
    DetectionSteps,
    Detector,
    QuerySteps,
    Select,
    format_percent,
    has_value,
)
from lavendertown.drift import effect_size
from lavendertown.drift.baseline import Baseline, ProfileBaseline, TableBaseline, count_values, describe_kind
from lavendertown.drift.segments import Bins, find_segment
from lavendertown.tables import Column, Table

SCHEMA, DISTRIBUTION = "schema", "distribution"
_TRUE_OR_FALSE = frozenset(("true", "false"))
_MIN_TABLE = 50
_USUAL_DELIVERIES = 4
_LEAST_CHANGE = math.log(1.25)
_FACTOR = 2.0
_CHANGE = math.log(_FACTOR)
_LARGE_CHANGE = math.log(10)


@dataclass(frozen=True, eq=False)
class DriftCheck(Detector):
    """A check of a table against a baseline. Fields with a default are parameters.

    Attributes:
        baseline: What the table is compared with.
        drift_type: schema or distribution.
        change_type: The name of the change in version 0.7.
    """

    baseline: Baseline
    drift_type: ClassVar[str] = DISTRIBUTION
    change_type: ClassVar[str]

    @property
    def params(self) -> dict[str, Any]:
        """Nothing: the baseline and the parameters do not identify a finding."""
        return {}

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        given = {
            each.name: (getattr(self, each.name), each.default)
            for each in fields(self)
            if each.default is not MISSING
        }
        return {name: value for name, (value, default) in given.items() if value != default}

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns that the baseline has, too."""
        known = set(self.baseline.columns)
        return [column for column in table.schema if column.name in known]

    def metadata(self, before: Any, after: Any, **others: Any) -> dict[str, Any]:
        """Return the metadata of a finding: names of version 0.7 too.

        Args:
            before: The value of the baseline that changed.
            after: The value now.
            others: What else explains the finding.
        """
        return {
            "drift_type": self.drift_type,
            "change_type": self.change_type,
            "baseline_value": before,
            "current_value": after,
            "compared_to": self.baseline.describe(),
            **others,
        }


def read_values(column: Column) -> QuerySteps[pl.Series]:
    """Return the values of a column in row order."""
    answer = yield Select(lambda frame: frame.select(column.key))
    values: pl.Series = answer.to_polars()[column.key]
    return values


class AddedColumn(DriftCheck):
    """A column that the baseline does not have."""

    check: ClassVar[str] = "drift_column_added"
    title: ClassVar[str] = "New columns"
    needs_rows: ClassVar[bool] = False
    drift_type: ClassVar[str] = SCHEMA
    change_type: ClassVar[str] = "column_added"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return all columns."""
        return table.schema

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Look the column up in the baseline."""
        yield from ()
        assert column is not None
        if column.name in self.baseline.columns:
            return None
        description = f"{column.name} is a new column."
        return Detection("drift", "info", description, 0, metadata=self.metadata(None, column.kind))


class RemovedColumn(DriftCheck):
    """A column of the baseline that the table does not have."""

    check: ClassVar[str] = "drift_column_removed"
    title: ClassVar[str] = "Removed columns"
    needs_rows: ClassVar[bool] = False
    drift_type: ClassVar[str] = SCHEMA
    change_type: ClassVar[str] = "column_removed"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return all columns of the table, and those that only the baseline has."""
        removed = [name for name in self.baseline.columns if not table.has_column(name)]
        return [*table.schema, *(Column(-1, name, "", "other") for name in removed)]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Look the column up in the table."""
        yield from ()
        assert column is not None
        if table.has_column(column.name):
            return None
        description = f"{column.name} was a column before and has been removed."
        kind = self.baseline.kind(column.name) or None
        return Detection("drift", "warning", description, 0, metadata=self.metadata(kind, None))


class ChangedType(DriftCheck):
    """A column with values of another type than before; columns without values are left out."""

    check: ClassVar[str] = "drift_type"
    title: ClassVar[str] = "Changed types"
    drift_type: ClassVar[str] = SCHEMA
    change_type: ClassVar[str] = "type_change"

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Compare the kinds."""
        assert column is not None
        before = self.baseline.kind(column.name)
        values = yield from read_values(column)
        if not before or values.null_count() == len(values):
            return NOT_CHECKED
        if before == column.kind or self._are_both_true_or_false(column, before, values):
            return None
        description = (
            f"The type of {column.name} changed: it holds {describe_kind(column.kind)}, "
            f"and held {describe_kind(before)} before."
        )
        return Detection("drift", "error", description, 0, metadata=self.metadata(before, column.kind))

    def _are_both_true_or_false(self, column: Column, before: str, values: pl.Series) -> bool:
        """Return whether a column of true and false is only written as text on one side, as in a CSV file."""
        if {before, column.kind} != {"text", "boolean"}:
            return False
        known = self.baseline.value_shares(column.name)
        texts = count_values(values) if column.kind == "text" else known
        return texts is not None and {each.casefold() for each in texts.counts} <= _TRUE_OR_FALSE


@dataclass(frozen=True, eq=False)
class RowCountDrift(DriftCheck):
    """Far fewer or far more rows than before, or than earlier deliveries suggest.

    Attributes:
        factor: From which factor on a change is reported. If it is set, earlier deliveries do not count.
    """

    factor: float = _FACTOR
    check: ClassVar[str] = "drift_row_count"
    title: ClassVar[str] = "Rows compared with before"
    needs_rows: ClassVar[bool] = False
    change_type: ClassVar[str] = "row_count"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None)."""
        return [None]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Compare the numbers of rows."""
        yield from ()
        before, after = self.baseline.row_count, table.row_count
        if max(before, after) < _MIN_TABLE or not before:
            return NOT_CHECKED
        step = math.log(max(after, 0.5) / before)
        usual, limit = _usual_step(self.baseline.row_counts)
        if self.factor != _FACTOR:
            usual, limit = 0.0, math.log(self.factor)
        if abs(step - usual) <= limit:
            return None
        is_large = abs(step) >= _LARGE_CHANGE
        severity = ("error" if is_large else "warning") if step < usual else "warning" if is_large else "info"
        pace = (
            " That is not its usual rate of change."
            if len(self.baseline.row_counts) >= _USUAL_DELIVERIES and self.factor == _FACTOR
            else ""
        )
        rows = "row" if after == 1 else "rows"
        description = f"The table has {after:,} {rows}, was {before:,}.{pace}"
        return Detection("drift", severity, description, 0, metadata=self.metadata(before, after))


def _usual_step(row_counts: Sequence[int]) -> tuple[float, float]:
    """Return the usual change from delivery to delivery as a logarithm, and the largest deviation from it."""
    counts = [count for count in row_counts if count > 0]
    if len(counts) < _USUAL_DELIVERIES:
        return 0.0, _CHANGE
    steps = [math.log(new / old) for old, new in pairwise(counts)]
    usual = median(steps)
    return usual, max(_LEAST_CHANGE, 3 * max(abs(step - usual) for step in steps))


@dataclass(frozen=True, eq=False)
class MissingShare(DriftCheck):
    """A notably larger or smaller share of missing values than before.

    Attributes:
        threshold: The smallest effect that is reported, as Cohen's h.
    """

    threshold: float = effect_size.MISSING_THRESHOLD
    check: ClassVar[str] = "drift_missing"
    title: ClassVar[str] = "Share of missing values"
    change_type: ClassVar[str] = "null_percentage"

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Compare the shares."""
        assert column is not None
        missing = self.baseline.missing(column.name)
        if missing is None or min(self.baseline.row_count, table.row_count) < effect_size.MIN_ROWS:
            return NOT_CHECKED
        empty = yield from self._find_empty(column)
        before, after = (missing, self.baseline.row_count), (int(empty.sum()), table.row_count)
        if not effect_size.is_missing_drift(before, after, self.threshold):
            return None
        segment = None
        if isinstance(self.baseline, TableBaseline):
            old = self.baseline.is_missing(column.name).cast(pl.Int64).to_numpy()
            rows = (old, empty.cast(pl.Int64).to_numpy())
            segment = find_segment(self.baseline, table, column.name, rows, 2)
        shares = [part / whole for part, whole in (before, after)]
        description = (
            f"{column.name} is empty in {format_percent(*after)} of {table.row_count:,} rows, "
            f"was {format_percent(*before)} of {before[1]:,}.{segment.sentence if segment else ''}"
        )
        return Detection(
            "drift",
            effect_size.severity_of_missing_drift(before, after),
            description,
            after[0] if shares[1] > shares[0] else 0,
            metadata=self.metadata(
                *shares,
                effect=round(effect_size.missing_effect(before, after), 4),
                picture={
                    "labels": ["missing", "present"],
                    "before": [before[0], before[1] - before[0]],
                    "after": [after[0], after[1] - after[0]],
                },
                **({"explained_by": segment.to_dict()} if segment else {}),
            ),
        )

    def _find_empty(self, column: Column) -> QuerySteps[pl.Series]:
        # A profile counts cells that do not fit the column as missing.
        expression = ~has_value(column)
        if isinstance(self.baseline, ProfileBaseline):
            values = yield from read_values(column)
            return values.is_null()
        answer = yield Select(lambda frame: frame.select(expression.alias("empty")))
        empty: pl.Series = answer.to_polars()["empty"]
        return empty


def to_codes(values: pl.Series, known: Sequence[str], other: int) -> Bins:
    """Return the position of each value in a list of texts; ``other`` if it is not there, -1 if missing."""
    texts = values.cast(pl.String)
    positions = dict(zip(known, range(len(known)), strict=True))
    codes = texts.replace_strict(
        list(positions), list(positions.values()), default=other, return_dtype=pl.Int64
    )
    return np.where(texts.is_null().to_numpy(), -1, codes.to_numpy())
