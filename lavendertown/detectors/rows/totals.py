"""Detect rows that hold the totals or subtotals of other rows, so that sums count these twice."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    ValueCounts,
    count_where,
    format_row_share,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import is_label

_LABEL = re.compile(
    r"\W*(?:(?:grand|sub|overall)[ -]?)?totals?\b.*|.*\b(?:sub)?totals?\W*"
    r"|\W*(?:zwischen|gesamt)?summe\b.*|.*\bsumme\W*|\W*(?:insgesamt|suma|somme|totale)\b.*",
    re.IGNORECASE,
)
_MIN_ROWS = 4
_MAX_SHARE = 0.5
_MAX_NUMBERS = 40
_LEVELS = (1, 2, 3)
"""How often the totals count all other rows: once, twice with a grand total of subtotals, and so on."""

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class TotalRows(Detector):
    """Rows labelled as totals, such as ``North total``, whose numbers add up to those of all other rows."""

    check: ClassVar[str] = "totals"
    title: ClassVar[str] = "Rows of totals"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns, if the table has numbers."""
        if table.row_count < _MIN_ROWS or not _numbers(table):
            return []
        return [column for column in table.schema if column.kind == "text"]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the labels, and compare the sums of their rows with those of all others."""
        assert column is not None
        counted: CountedValues = yield ValueCounts(column.key)
        labels = [value for value in counted.values if _LABEL.fullmatch(value)]
        count = counted.count_rows(labels)
        if not labels:
            return None
        if count > _MAX_SHARE * table.row_count:
            return NOT_CHECKED
        is_total = nw.col(column.key).is_in(labels) & ~nw.col(column.key).is_null()
        sums = yield Aggregates(
            {
                f"{number.key} {name}": nw.when(condition).then(nw.col(number.key).cast(nw.Float64)).sum()
                for number in _numbers(table)
                for name, condition in (
                    ("totals", is_total),
                    ("others", ~is_total | nw.col(column.key).is_null()),
                )
            }
            | {"rows": count_where(is_total)}
        )
        summed = [
            number.name
            for number in _numbers(table)
            if _adds_up(sums[f"{number.key} totals"], sums[f"{number.key} others"])
        ]
        if not summed:
            return None
        rows = int(sums["rows"])
        return Detection(
            "dependency",
            "warning",
            f"{column.name}: {format_row_share(rows, table.row_count)} {'has' if rows == 1 else 'have'} "
            f"totals of other rows, as '{labels[0]}' does; a sum of {summed[0]} counts these twice.",
            rows,
            is_total,
            sample_column=column.key,
            metadata={"total_count": table.row_count, "summed_columns": summed},
        )


def _numbers(table: Table) -> list[Column]:
    numbers = [each for each in table.schema if each.kind == "number" and not is_label(each.name)]
    return numbers[:_MAX_NUMBERS]


def _adds_up(totals: float | None, others: float | None) -> bool:
    return bool(totals and others) and any(
        math.isclose(float(totals or 0), level * float(others or 0), rel_tol=_TOLERANCE) for level in _LEVELS
    )
