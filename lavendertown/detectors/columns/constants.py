"""Detect columns with the same value in every row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw
import polars as pl

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    ColumnAggregates,
    Detection,
    DetectionSteps,
    Detector,
    Sample,
    format_row_share,
    format_value,
)
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.patterns import DISGUISED_NULL

_MIN_ROWS = 3
_MIN_PRESENT_SHARE = 0.5
_MAX_QUOTED = 40


@dataclass(frozen=True)
class Constants(Detector):
    """A column with a single value. If most rows are empty, the value is a flag, not a constant."""

    check: ClassVar[str] = "constants"
    title: ClassVar[str] = "Constant values"

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Check whether all present values are equal."""
        assert column is not None
        sample: SampledRows = yield Sample()
        values = sample.frame[column.text_key or column.key].drop_nulls()
        if len(values) >= _MIN_ROWS and (values != values[0]).any():
            return None
        facts = yield ColumnAggregates(column.text_key or column.key, _list_facts_as(values.dtype))
        present, only = int(facts["present"]), facts["least"]
        if present < _MIN_ROWS:
            return NOT_CHECKED
        if only != facts["most"] or column.kinds_key or present < _MIN_PRESENT_SHARE * table.row_count:
            return None
        if len(values):
            only = values[0]
        if isinstance(only, str) and re.search(DISGUISED_NULL, only):
            return None  # DisguisedNulls reports it.
        return Detection(
            "constant",
            "info",
            _describe_constant(column.name, only, present, table.row_count),
            present,
            metadata={"total_count": table.row_count, "samples": [format_value(only)]},
        )


def _list_facts(value: nw.Expr) -> Aggregates:
    return Aggregates({"present": value.count(), "least": value.min(), "most": value.max()})


def _list_facts_of_days(value: nw.Expr) -> Aggregates:
    return _list_facts(value.cast(nw.Datetime("us")))


def _list_facts_of_decimals(value: nw.Expr) -> Aggregates:
    return _list_facts(value.cast(nw.Float64))


def _list_facts_as(dtype: pl.DataType) -> Callable[[nw.Expr], Aggregates]:
    """Return the query for a type: Dask has no least day and no least decimal."""
    if isinstance(dtype, pl.Date):
        return _list_facts_of_days
    return _list_facts_of_decimals if isinstance(dtype, pl.Decimal) else _list_facts


def _describe_constant(name: str, value: Any, present: int, total: int) -> str:
    text = " ".join(str(format_value(value)).split())
    quoted = f"'{text[:_MAX_QUOTED]}{'…' if len(text) > _MAX_QUOTED else ''}'"
    if present == total:
        return f"{name} is {quoted} in every row ({total:,})."
    return f"{name} is {quoted} wherever it has a value: {format_row_share(present, total)}."
