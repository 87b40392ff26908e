"""Detect rows that repeat an earlier row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import Count, Detection, DetectionSteps, Detector, format_row_share
from lavendertown.tables import ROW, Column, Table

_ERROR_SHARE = 0.1


@dataclass(frozen=True)
class Duplicates(Detector):
    """Rows that equal an earlier row in every column; the earlier row itself is not counted.

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
        repeated = nw.col(ROW) != nw.col(ROW).min().over(*keys)
        count = int((yield Count(repeated)))
        if not count:
            return None
        what = f"the same {', '.join(self.columns)} as" if self.columns else "a duplicate of"
        verb = "has" if self.columns else "is"
        if count != 1:
            verb = "have" if self.columns else "are"
            what = what.replace("a duplicate", "duplicates")
        return Detection(
            "duplicate",
            "error" if count / table.row_count > _ERROR_SHARE else "warning",
            f"{format_row_share(count, table.row_count)} {verb} {what} an earlier row.",
            count,
            repeated,
            metadata={"duplicate_count": count, "total_count": table.row_count},
        )
