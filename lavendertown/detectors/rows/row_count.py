"""Detect tables without rows: an empty file is an error, not a table without faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from lavendertown.detectors.base import Detection, DetectionSteps, Detector
from lavendertown.tables import Column, Table


@dataclass(frozen=True)
class RowCount(Detector):
    """A table without rows or without columns."""

    check: ClassVar[str] = "row_count"
    title: ClassVar[str] = "Row count"
    needs_rows: ClassVar[bool] = False

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the whole table (None)."""
        return [None]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Check whether the table has rows and columns."""
        yield from ()  # A generator without queries: the table knows its own size.
        sizes = {"rows": table.row_count, "columns": len(table.schema)}
        missing = [name for name, size in sizes.items() if not size]
        if not missing:
            return None
        return Detection(
            "null",
            "error",
            f"The table has no {' and no '.join(missing)}.",
            0,
            metadata={"total_count": table.row_count},
        )
