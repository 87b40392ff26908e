"""Detect error cells of a workbook: formulas that returned #DIV/0!, #N/A or another error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    count_where,
    format_row_share,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.workbooks.cell_kinds import ERROR_NAMES

_ERROR_SHARE = 0.5


@dataclass(frozen=True)
class ErrorCells(Detector):
    """Cells that contain an error, which is neither a value nor empty."""

    check: ClassVar[str] = "error_cells"
    title: ClassVar[str] = "Error cells"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns of sources that support error cells."""
        return [column for column in table.schema if column.may_hold_errors]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the error cells and count them by error name."""
        assert column is not None
        if column.errors_key is None:
            return None
        error = nw.col(column.errors_key)
        facts = yield Aggregates({name: count_where(error == nw.lit(name)) for name in ERROR_NAMES})
        counts = {name: int(facts[name]) for name in ERROR_NAMES if facts[name]}
        count, total = sum(counts.values()), table.row_count
        each = ", ".join(f"{name} in {number:,}" for name, number in counts.items())
        return Detection(
            "type",
            "error" if count > _ERROR_SHARE * total else "warning",
            f"{column.name} has an error instead of a value in {format_row_share(count, total)}: {each}.",
            count,
            ~error.is_null(),
            sample_column=column.errors_key,
            metadata={"fault": "error_cell", "errors": counts, "total_count": total},
        )
