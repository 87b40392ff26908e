"""Columns that say the same in every row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Candidate,
    Detector,
    Examination,
    of_rows,
    shown,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.patterns import DISGUISED_NULL

_FEWEST_ROWS = 3
_FLAG = 0.5
_SHOWN = 40


@dataclass(frozen=True)
class Constants(Detector):
    """One single value. A value against mostly missing ones is a mark on some rows, not a constant."""

    check: ClassVar[str] = "constants"
    title: ClassVar[str] = "Constant values"

    def examine(self, table: Table, column: Column | None) -> Examination:
        """Find out whether all present values are the same."""
        assert column is not None
        value = nw.col(column.key)
        facts = yield Aggregates({"present": value.count(), "least": value.min(), "most": value.max()})
        present, only = int(facts["present"]), facts["least"]
        if present < _FEWEST_ROWS:
            return NOT_CHECKED
        if only != facts["most"] or column.kinds_key or present < _FLAG * table.row_count:
            return None
        if isinstance(only, str) and re.search(DISGUISED_NULL, only):
            return None  # The disguised nulls are that finding.
        return Candidate(
            "constant",
            "info",
            _sentence(column.name, only, present, table.row_count),
            present,
            metadata={"total_count": table.row_count, "samples": [shown(only)]},
        )


def _sentence(name: str, value: Any, present: int, total: int) -> str:
    text = " ".join(str(shown(value)).split())
    quoted = f"'{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}'"
    if present == total:
        return f"{name} is {quoted} in every row ({total:,})."
    return f"{name} is {quoted} wherever it has a value: {of_rows(present, total)}."
