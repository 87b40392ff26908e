"""Find the value of another column in whose rows a shift took place: ``mostly where country is 'DE'``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lavendertown.detectors.base import format_value
from lavendertown.drift.baseline import TableBaseline
from lavendertown.drift.effect_size import MIN_ROWS, compute_psi
from lavendertown.tables import Table

MAX_VALUES = 30
MAX_COLUMNS = 40
"""The number of other columns that are looked at."""

_MAX_REMAINING = 0.3
_MAX_SEGMENT = 0.7
_MISSING = "(missing)"

Bins = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """The rows with one value of a column.

    Attributes:
        column: The column.
        value: The value as text.
        share: The share of the shift that is gone without these rows, from 0 to 1.
    """

    column: str
    value: str
    share: float

    @property
    def sentence(self) -> str:
        """The segment as a sentence that follows the description of a finding."""
        return f" Mostly where {self.column} is '{format_value(self.value)}'."

    def to_dict(self) -> dict[str, Any]:
        """Return the segment for the metadata of a finding."""
        value = format_value(self.value)
        return {
            "column": self.column,
            "value": value,
            "share": round(self.share, 3),
            "sentence": self.sentence,
        }


def find_segment(
    baseline: TableBaseline, table: Table, column: str, rows: tuple[Bins, Bins], bins: int
) -> Segment | None:
    """Return the value of another column without whose rows most of a shift is gone; None without one.

    Args:
        baseline: The table before.
        table: The table.
        column: The column that moved.
        rows: The bin of each row before, and of each row now; -1 for rows that are not compared.
        bins: The number of bins.
    """
    best: Segment | None = None
    before, after = rows
    total = compute_psi(_count(before, bins), _count(after, bins))
    read_after = _reader(table)
    candidates = [each for each in table.schema if each.name != column and each.kind in ("text", "boolean")]
    for other in candidates[:MAX_COLUMNS]:
        known = baseline.table.has_column(other.name) and baseline.table.column(other.name).kind == other.kind
        if not known:
            continue
        old, new = _to_text(baseline.values(other.name)), _to_text(read_after(other.key))
        values = pl.concat([old.unique(), new.unique()]).unique().sort().to_list()
        if not 2 <= len(values) <= MAX_VALUES:
            continue
        counts = [_count_by_value(old, values, before, bins), _count_by_value(new, values, after, bins)]
        for position, value in enumerate(values):
            found = _measure_segment(counts, position, total)
            if value != _MISSING and found is not None and (best is None or found > best.share):
                best = Segment(other.name, value, found)
    return best


def _measure_segment(counts: list[Bins], position: int, total: float) -> float | None:
    """Return the share of the shift that is gone without these rows; None if it is not most of it."""
    rest = [each.sum(axis=0) - each[position] for each in counts]
    pooled = sum(int(each.sum()) for each in counts)
    if min(int(each.sum()) for each in rest) < MIN_ROWS:
        return None
    if sum(int(each[position].sum()) for each in counts) > _MAX_SEGMENT * pooled:
        return None
    remaining = float(compute_psi(*rest)) / max(total, 1e-9)
    return 1 - remaining if remaining <= _MAX_REMAINING else None


def _count(rows: Bins, bins: int) -> Bins:
    return np.bincount(rows[rows >= 0], minlength=bins).astype(np.int64)


def _reader(table: Table) -> Callable[[str], pl.Series]:
    return lambda key: table.frame.select(key).collect().to_polars()[key]


def _to_text(values: pl.Series) -> pl.Series:
    return values.cast(pl.String).fill_null(_MISSING).alias("value")


def _count_by_value(texts: pl.Series, values: list[str], rows: Bins, bins: int) -> Bins:
    """Return the counts by value and bin."""
    codes = texts.replace_strict(values, list(range(len(values))), return_dtype=pl.Int64).to_numpy()
    compared = rows >= 0
    counted = np.bincount(codes[compared] * bins + rows[compared], minlength=len(values) * bins)
    return counted.reshape(len(values), bins).astype(np.int64)
