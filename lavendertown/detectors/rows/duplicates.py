"""Detect rows that repeat an earlier row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Count,
    Detection,
    DetectionSteps,
    Detector,
    QuerySteps,
    Sample,
    Select,
    format_row_share,
)
from lavendertown.detectors.sampled_rows import SampledRows, share_of_pairs
from lavendertown.tables import ROW, Column, Table

_ERROR_SHARE = 0.1
_BY_CHANCE = 0.4
_MIN_ROWS = 30


@dataclass(frozen=True)
class Duplicates(Detector):
    """Rows that equal an earlier row in every column; the earlier row itself is not counted.

    Rows that independent columns with as few different values would repeat by chance are an info.

    Attributes:
        columns: The columns to compare; empty means all.
    """

    check: ClassVar[str] = "duplicates"
    title: ClassVar[str] = "Duplicates"
    columns: tuple[str, ...] = ()

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None) if the table has columns."""
        return [None] if table.schema else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows that equal an earlier row."""
        compared = [table.column(name) for name in self.columns] or list(table.schema)
        keys = [key for c in compared for key in (c.text_key or c.key, c.kinds_key, c.errors_key) if key]
        if not (yield from _may_repeat(compared, table)):
            return None
        repeated: nw.Expr | None = None
        if table.engine.numbers_rows:
            repeated = nw.col(ROW) != nw.col(ROW).min().over(*keys)
            count = int((yield Count(repeated)))
        else:
            count = yield from _count_repeated(keys)
        if not count:
            return None
        what = f"the same {', '.join(self.columns)} as" if self.columns else "a duplicate of"
        verb = "has" if self.columns else "is"
        if count != 1:
            verb = "have" if self.columns else "are"
            what = what.replace("a duplicate", "duplicates")
        may_be_chance = not self.columns and table.row_count >= _MIN_ROWS
        by_chance = may_be_chance and (yield from _chance_explains(table, count))
        maybe = "; with so few different values, chance may explain it" if by_chance else ""
        severity = "error" if count / table.row_count > _ERROR_SHARE else "warning"
        return Detection(
            "duplicate",
            "info" if by_chance else severity,
            f"{format_row_share(count, table.row_count)} {verb} {what} an earlier row{maybe}.",
            count,
            repeated,
            metadata={"duplicate_count": count, "total_count": table.row_count},
        )


def _may_repeat(compared: Sequence[Column], table: Table) -> QuerySteps[bool]:
    """Return whether rows may be equal: False if all values of the column that differs most are different.

    Comparing all columns takes several times as long.
    """
    sample: SampledRows = yield Sample()
    if sample.is_complete:
        return True
    whole = [each for each in compared if each.kind == "text" or (each.kind == "number" and each.integer)]
    unique = [each for each in whole if sample.frame[each.key].n_unique() == len(sample)]
    if not unique:
        return True
    key = unique[0].key
    repeated = yield Select(
        lambda frame: (
            frame.group_by(key).agg(nw.len().alias("size")).filter(nw.col("size") > 1).select(groups=nw.len())
        )
    )
    return bool(repeated["groups"][0])


def _count_repeated(keys: Sequence[str]) -> QuerySteps[int]:
    """Return the number of repeated rows where nobody needs to know which: Dask has no window functions."""
    surplus = yield Select(
        lambda frame: (
            frame.group_by(*keys)
            .agg(nw.len().alias("size"))
            .filter(nw.col("size") > 1)
            .select((nw.col("size") - 1).sum().alias("count"))
        )
    )
    return int(surplus["count"][0] or 0)


def _chance_explains(table: Table, count: int) -> QuerySteps[bool]:
    """Return whether independent columns with these values would repeat nearly as many rows."""
    sample: SampledRows = yield Sample()
    equal_pairs = table.row_count**2 / 2
    for column in table.schema:
        if column.kinds_key or column.errors_key:
            return False
        equal_pairs *= share_of_pairs(sample.codes(column.text_key or column.key) + 1)
    return equal_pairs >= _BY_CHANCE * count
