"""What a table is compared with: another table, or the column profiles that an earlier report stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import narwhals as nw
import polars as pl

from lavendertown.detectors.base import has_value
from lavendertown.profile.evidence import ColumnProfile, Evidence
from lavendertown.tables import Table

Result = TypeVar("Result")
_KINDS = {"number": "numbers", "text": "text", "boolean": "true or false", "time": "dates or times"}


@dataclass(frozen=True)
class ValueShares:
    """The values of a column as text, with their numbers of rows.

    Attributes:
        counts: The rows by value.
        other: The rows with any other value; 0 if all values are listed.
        distinct: The number of different values.
    """

    counts: dict[str, int]
    other: int
    distinct: int

    @property
    def total(self) -> int:
        """The number of rows with a value."""
        return sum(self.counts.values()) + self.other


class Memo:
    """The last result for each purpose: several checks of a column in a row need the same."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Table, str, Any]] = {}

    def recall(self, key: tuple[Table, str, str], compute: Callable[[], Result]) -> Result:
        """Return the result for a table, a column and a purpose; compute it unless it is the last one."""
        table, column, purpose = key
        last = self._last.get(purpose)
        if last is None or last[0] is not table or last[1] != column:
            last = self._last[purpose] = (table, column, compute())
        result: Result = last[2]
        return result


class Baseline(ABC):
    """What a table is compared with.

    Attributes:
        name: What people call it, such as a file name.
        report_id: The report that stored it; empty for a table.
        row_counts: The numbers of rows of earlier deliveries, oldest first, the last being this one's.
        memo: The last results of the comparison.
    """

    name: str
    report_id: str = ""
    row_counts: Sequence[int] = ()
    memo: Memo

    @property
    @abstractmethod
    def columns(self) -> Sequence[str]:
        """The names of the columns."""

    @property
    @abstractmethod
    def row_count(self) -> int:
        """The number of rows."""

    @abstractmethod
    def kind(self, column: str) -> str:
        """Return the kind of a column; empty if it has no values or is not known."""

    @abstractmethod
    def missing(self, column: str) -> int | None:
        """Return the number of missing values of a column; None if it is not known."""

    @abstractmethod
    def value_shares(self, column: str) -> ValueShares | None:
        """Return the values of a column of text or of true and false; None if they are not known."""

    def describe(self) -> dict[str, Any]:
        """Return the name, the report and the rows, for metadata."""
        report = {"report": self.report_id} if self.report_id else {}
        return {"name": self.name, "rows": self.row_count, **report}


@dataclass(frozen=True)
class TableBaseline(Baseline):
    """Another table, with all its values."""

    table: Table
    name: str = "the other table"
    memo: Memo = field(default_factory=Memo, repr=False, compare=False)
    _missing: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""
        return self.table.columns

    @property
    def row_count(self) -> int:
        """The number of rows."""
        return self.table.row_count

    def kind(self, column: str) -> str:
        """Return the kind of a column; empty if it has no values."""
        has_values = (self.missing(column) or 0) < self.row_count
        return self.table.column(column).kind if has_values else ""

    def missing(self, column: str) -> int:
        """Return the number of missing values of a column."""
        if column not in self._missing:
            self._missing[column] = int(self.is_missing(column).sum())
        return self._missing[column]

    def is_missing(self, column: str) -> pl.Series:
        """Return whether the value of each row is missing."""
        empty = (~has_value(self.table.column(column))).alias("empty")
        return self.table.frame.select(empty).collect().to_polars()["empty"]

    def value_shares(self, column: str) -> ValueShares | None:
        """Return the values of a column of text or of true and false."""
        if self.table.column(column).kind not in ("text", "boolean"):
            return None
        return count_values(self.values(column))

    def values(self, column: str) -> pl.Series:
        """Return the values of a column in row order."""
        key = self.table.column(column).key
        return self.table.frame.select(nw.col(key)).collect().to_polars()[key]


@dataclass(frozen=True)
class MissingBaseline:
    """Nothing to compare a table with, although a comparison was asked for.

    Attributes:
        reason: Why, as a sentence.
    """

    reason: str


class ProfileBaseline(Baseline):
    """The column profiles that a report stored, without rows.

    Args:
        evidence: The evidence of the report.
        name: What people call the report.
        columns: The names of all columns, as the report lists them; by default those with profiles.
        row_count: The number of rows; by default that of the profiles.
        report_id: The report.
        row_counts: The numbers of rows of the reports up to this one, oldest first.
    """

    def __init__(
        self,
        evidence: Evidence,
        name: str,
        *,
        columns: Sequence[str] = (),
        row_count: int | None = None,
        report_id: str = "",
        row_counts: Sequence[int] = (),
    ) -> None:
        self._evidence = replace(evidence, samples={})
        self._profiles: Mapping[str, ColumnProfile] = {each.name: each for each in evidence.columns}
        self._columns = list(columns) or list(self._profiles)
        first = next(iter(self._profiles.values()), None)
        self._row_count = row_count if row_count is not None else first.count if first else 0
        self.name = name
        self.report_id = report_id
        self.row_counts = list(row_counts)
        self.memo = Memo()

    def to_dict(self) -> dict[str, Any]:
        """Return the baseline as JSON values."""
        return {
            "evidence": self._evidence.to_dict(),
            "name": self.name,
            "columns": self._columns,
            "row_count": self._row_count,
            "report_id": self.report_id,
            "row_counts": list(self.row_counts),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ProfileBaseline:
        """Return the baseline in a dictionary, as :meth:`to_dict` returns it.

        Raises:
            InvalidInputError: A value of the evidence is missing or has the wrong type.
        """
        return cls(**{**data, "evidence": Evidence.from_dict(data["evidence"])})

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""
        return self._columns

    @property
    def row_count(self) -> int:
        """The number of rows."""
        return self._row_count

    def profile(self, column: str) -> ColumnProfile | None:
        """Return the profile of a column; None if it is not stored."""
        return self._profiles.get(column)

    def kind(self, column: str) -> str:
        """Return the kind of a column; empty if it has no values or is not known."""
        profile = self.profile(column)
        return profile.kind if profile is not None and profile.nulls < profile.count else ""

    def missing(self, column: str) -> int | None:
        """Return the number of missing values of a column; None if it is not known."""
        profile = self.profile(column)
        return None if profile is None else profile.nulls

    def value_shares(self, column: str) -> ValueShares | None:
        """Return the most frequent values of a column; None if they were not stored."""
        profile = self.profile(column)
        if profile is None or profile.kind not in ("text", "boolean") or not profile.top:
            return None
        counts = {each.value: each.count for each in profile.top}
        rest = profile.count - profile.nulls - sum(counts.values())
        return ValueShares(counts, max(0, rest), profile.distinct)


def count_values(values: pl.Series) -> ValueShares:
    """Return the values of a column with their numbers of rows, the most frequent first."""
    counted = values.drop_nulls().value_counts(sort=True, name="rows")
    pairs = sorted(counted.iter_rows(), key=lambda pair: (-pair[1], str(pair[0])))
    counts = {str(value): int(rows) for value, rows in pairs}
    return ValueShares(counts, 0, len(counts))


def describe_kind(kind: str) -> str:
    """Return what a column of a kind holds, in words."""
    return _KINDS.get(kind, "other values")
