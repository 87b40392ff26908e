"""Rows that say again what an earlier row said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import Candidate, Count, Detector, Examination, of_rows
from lavendertown.tables import ROW, Column, Table

_MANY = 0.1


@dataclass(frozen=True)
class Duplicates(Detector):
    """Rows that equal an earlier row in every column. The earlier row is not counted.

    Attributes:
        columns: Compare only these columns; empty means all.
    """

    check: ClassVar[str] = "duplicates"
    title: ClassVar[str] = "Duplicates"
    columns: tuple[str, ...] = ()

    def targets(self, table: Table) -> Sequence[Column | None]:
        """Whole rows, where there are columns to compare."""
        return [None] if table.schema else []

    def examine(self, table: Table, column: Column | None) -> Examination:
        """Find the rows that are not the first of their kind."""
        compared = [table.column(name) for name in self.columns] or list(table.schema)
        keys = [key for c in compared for key in (c.key, c.kinds_key) if key]
        repeated = nw.col(ROW) != nw.col(ROW).min().over(*keys)
        found = int((yield Count(repeated)))
        if not found:
            return None
        what = f"the same {', '.join(self.columns)} as" if self.columns else "an exact copy of"
        verb = "has" if self.columns else "is"
        if found != 1:
            verb = "have" if self.columns else "are"
            what = what.replace("an exact copy", "exact copies")
        return Candidate(
            "duplicate",
            "error" if found / table.row_count > _MANY else "warning",
            f"{of_rows(found, table.row_count)} {verb} {what} an earlier row.",
            found,
            repeated,
            metadata={"duplicate_count": found, "total_count": table.row_count},
        )
