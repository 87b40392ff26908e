"""Detect long numbers, such as article numbers, that a spreadsheet shortened to scientific notation."""

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
)
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.column_names import is_identifier

_MIN_SHARE = 0.6


@dataclass(frozen=True)
class LostDigits(Detector):
    """Values such as 4.00638E+12 in a column of long whole numbers: their last digits are lost.

    In a column whose name is that of an identifier, all values may be such.
    """

    check: ClassVar[str] = "lost_digits"
    title: ClassVar[str] = "Lost digits"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns: a reader keeps such columns as text."""
        return [column for column in table.schema if column.kind == "text"]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows in scientific notation."""
        assert column is not None
        facts = yield RowCounts(column.key, _list_facts)
        count, long = int(facts["short"] or 0), int(facts["long"] or 0)
        are_ids = bool(facts["shortened"]) and is_identifier(column.name)
        if not count or not (long or are_ids):
            return NOT_CHECKED
        if count + long < _MIN_SHARE * int(facts["present"]):
            return NOT_CHECKED
        return Detection(
            "format",
            "error",
            f"{column.name} has lost digits in {format_row_share(count, table.row_count)}: a spreadsheet "
            "shortened the number to scientific notation.",
            count,
            _is_short(nw.col(column.key)),
            sample_column=column.key,
            metadata={"total_count": table.row_count},
        )


def _is_short(value: nw.Expr) -> nw.Expr:
    return value.str.contains(patterns.SHORTENED_NUMBER)


def _list_facts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "present": ~value.is_null(),
        "short": _is_short(value),
        "shortened": value.str.contains(patterns.SPREADSHEET_NUMBER),
        "long": value.str.contains(patterns.LONG_DIGITS),
    }
