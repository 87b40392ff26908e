"""Detect values that stand for a missing one: -999, 1900-01-01, TBD, test@test.com."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.core.findings import SEVERITIES
from lavendertown.detectors.base import (
    Aggregates,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    QuerySteps,
    ValueCounts,
    count_where,
    format_row_share,
    format_value,
    severity_of_missing,
)
from lavendertown.detectors.columns.stand_ins import (
    count_days,
    day_of,
    find_date_stand_ins,
    find_disguised_nulls,
    find_number_stand_ins,
    find_text_stand_ins,
)
from lavendertown.tables import Column, Table

_MAX_NAMED = 3


@dataclass(frozen=True)
class Placeholders(Detector):
    """Values that were entered because a value was required: they stand for a missing one.

    Numbers (-999, 9999, a repeated extreme) count if they stand apart from the others; dates such as
    1900-01-01 if they are repeated and stand apart; text if it is a usual word (TBD, xxx, ???), a default
    mail address or phone number, or a repeated code of nines. Empty text, ``N/A`` and the like are found by
    :class:`~lavendertown.detectors.DisguisedNulls`, which also reports these words in such a column.
    """

    check: ClassVar[str] = "placeholders"
    title: ClassVar[str] = "Placeholders for missing values"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns of numbers, dates and text."""
        return [column for column in table.schema if column.kind in ("number", "time", "text")]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with a value that stands for a missing one."""
        assert column is not None
        found = yield from _find_stand_ins(table, column)
        if not found:
            return None
        value = nw.col(column.key)
        compared = {"number": value.cast(nw.Float64), "time": day_of(column)}.get(column.kind, value)
        rows = compared.is_in(found)
        facts = yield Aggregates({"count": count_where(rows)})
        count = int(facts["count"] or 0)
        named = ", ".join(f"'{format_value(_shorten(each))}'" for each in found[:_MAX_NAMED])
        more = " and others" if len(found) > _MAX_NAMED else ""
        noun = "the placeholder" if len(found) == 1 else "the placeholders"
        return Detection(
            "disguised_null",
            # A few of them distort sums and ranges already.
            max(severity_of_missing(count / table.row_count), "warning", key=SEVERITIES.index),
            f"{column.name} has {noun} {named}{more} in {format_row_share(count, table.row_count)}.",
            count,
            rows,
            sample_column=column.key,
            metadata={
                "total_count": table.row_count,
                "placeholders": [format_value(_shorten(each)) for each in found[:20]],
            },
        )


def _find_stand_ins(table: Table, column: Column) -> QuerySteps[list[Any]]:
    if column.kind == "number":
        return (yield from find_number_stand_ins(table, column))
    if column.kind == "time":
        return find_date_stand_ins((yield from count_days(column)))
    counted: CountedValues = yield ValueCounts(column.key)
    if find_disguised_nulls(counted):
        return []  # DisguisedNulls reports them.
    return find_text_stand_ins(column.name, counted)


def _shorten(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.date()
    return int(value) if isinstance(value, float) and value.is_integer() else value
