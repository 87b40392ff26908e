"""Detect infinite numbers, the result of a division by zero or an overflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Detection,
    DetectionSteps,
    Detector,
    RowCounts,
    format_row_share,
    severity_of_missing,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns

_MIN_NUMBER_SHARE = 0.5


@dataclass(frozen=True)
class InfiniteValues(Detector):
    """Infinite numbers, also as text (``inf``, ``-Infinity``) in columns of numbers stored as text."""

    check: ClassVar[str] = "infinite_values"
    title: ClassVar[str] = "Infinite values"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns and the number columns without an integer type."""
        return [
            column
            for column in table.schema
            if column.kind == "text" or (column.kind == "number" and not column.integer)
        ]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with infinite numbers."""
        assert column is not None
        total, is_text = table.row_count, column.kind == "text"
        facts = yield RowCounts(column.key, _count_infinite_texts if is_text else _count_infinite)
        count = int(facts["count"] or 0)
        if is_text:
            if not count:
                return NOT_CHECKED
            numbers = yield RowCounts(column.key, _count_number_texts)
            others = int(numbers["written"] or 0) - count
            if not others or int(numbers["n"] or 0) < _MIN_NUMBER_SHARE * others:
                return NOT_CHECKED  # Among words, it is a word: Infinity is the title of a film.
        if not count:
            return None
        value = nw.col(column.key)
        return Detection(
            "outlier",
            severity_of_missing(count / total),
            f"{column.name} is infinite in {format_row_share(count, total)}.",
            count,
            _is_infinite_text(value) if is_text else _is_infinite(value),
            sample_column=column.key,
            metadata={"infinite_count": count, "total_count": total},
        )


def _is_infinite(value: nw.Expr) -> nw.Expr:
    return value.cast(nw.Float64).abs() == nw.lit(float("inf"))


def _is_infinite_text(value: nw.Expr) -> nw.Expr:
    return value.str.contains(patterns.INFINITE)


def _count_infinite(value: nw.Expr) -> dict[str, nw.Expr]:
    return {"count": _is_infinite(value)}


def _count_infinite_texts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {"count": _is_infinite_text(value)}


def _count_number_texts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "n": value.str.contains(patterns.NUMBER),
        "written": ~value.str.contains(patterns.DISGUISED_NULL),
    }
