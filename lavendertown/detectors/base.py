"""Base class of detectors, and the queries they send to the runner.

A detector never reads values itself. :meth:`Detector.check_column` is a generator that yields queries
(:class:`Aggregates`, :class:`ColumnAggregates`, :class:`RowCounts`, :class:`Count`, :class:`ValueCounts`,
:class:`Select` or :class:`Sample`), receives their results, and returns a :class:`Detection`, None (no
fault) or :data:`NOT_CHECKED`. A check over several columns returns a list with a detection, or
:class:`Passed`, for each set of columns that it checked, and :class:`NotCompared` for columns that it left
out. The runner combines the aggregates of many detectors into one pass over the data, on any engine that
Narwhals supports.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

import narwhals as nw

from lavendertown.tables import Column, Table

Derived = TypeVar("Derived")
_MANY, _SOME = 0.5, 0.05
_INT64 = 2**63
_MAX_VALUE_LENGTH = 120


@dataclass(frozen=True)
class Quantile:
    """A quantile of a number, with linear interpolation; null without values."""

    value: nw.Expr
    level: float


@dataclass(frozen=True)
class Aggregates:
    """A query for the values of these expressions, each a single value for the whole table.

    Attributes:
        expressions: The expressions by name.
        quantiles: Quantiles by name, apart because engines hold all values of a column in memory for one.
    """

    expressions: Mapping[str, nw.Expr]
    quantiles: Mapping[str, Quantile] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnAggregates:
    """A query for aggregates of one frame column.

    In small tables, the runner computes the same aggregates of many columns at once: with thousands of
    columns, an expression per column takes longer than the data.

    Attributes:
        key: The frame column.
        build: Takes the column and returns the query; a function of a module, which all columns share.
        text_key: The frame column with the cells as written, which ``build`` takes after the column.
    """

    key: str
    build: Callable[..., Aggregates]
    text_key: str | None = None

    @property
    def column_keys(self) -> list[str]:
        """The frame columns that ``build`` takes."""
        return [self.key] if self.text_key is None else [self.key, self.text_key]


@dataclass(frozen=True)
class RowCounts:
    """A query for the numbers of rows in which the value of one frame column meets conditions.

    In large tables, the runner tries the conditions on each different value only, which patterns of text
    make several times faster.

    Attributes:
        key: The frame column.
        build: Takes the column and returns the conditions by name. Columns with the same function are counted
            together, so it is a function of a module unless the conditions depend on the column.
    """

    key: str
    build: Callable[[nw.Expr], Mapping[str, nw.Expr]]


@dataclass(frozen=True)
class Count:
    """A query for the number of rows that meet a condition, which may use window functions."""

    condition: nw.Expr


@dataclass(frozen=True)
class ValueCounts:
    """A query for the distinct values of a frame column with their counts, as :class:`CountedValues`.

    The runner keeps the answer for other detectors of the same column.

    Attributes:
        key: The frame column.
        limit: The maximum number of distinct values.
        by_day: Whether dates and times are counted by the start of their day.
    """

    key: str
    limit: int = 100_000
    by_day: bool = False


@dataclass(frozen=True)
class CountedValues:
    """The distinct values of a column: the most frequent first, equally frequent ones in ascending order.

    Attributes:
        values: The values, without null.
        counts: Their numbers of rows.
        is_complete: Whether these are all; False if the limit left some out.
    """

    values: Sequence[Any]
    counts: Sequence[int]
    is_complete: bool
    _derived: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def derive(self, name: str, compute: Callable[[], Derived]) -> Derived:
        """Return what was computed from the values under this name; compute it the first time.

        Several checks of a column need the same.
        """
        if name not in self._derived:
            self._derived[name] = compute()
        derived: Derived = self._derived[name]
        return derived

    def by_value(self) -> dict[Any, int]:
        """Return the number of rows by value, in the same order; do not change it."""
        return self.derive("by value", lambda: dict(zip(self.values, self.counts, strict=True)))

    def count_rows(self, values: Iterable[Any]) -> int:
        """Return the number of rows that have one of these values."""
        counts = self.by_value()
        return sum(counts.get(value, 0) for value in set(values))


@dataclass(frozen=True)
class Select:
    """A query for rows that :attr:`build` derives from the frame, as a Narwhals data frame.

    Aggregate or limit the rows in it: the answer is held in memory.

    Attributes:
        build: Takes the table's lazy frame and returns another.
    """

    build: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]


@dataclass(frozen=True)
class Sample:
    """A query for evenly spaced rows with all columns, in row order, as
    :class:`lavendertown.detectors.sampled_rows.SampledRows`.

    The runner keeps the answer for the other detectors.
    """


Query: TypeAlias = Aggregates | ColumnAggregates | RowCounts | Count | ValueCounts | Select | Sample


@dataclass(frozen=True)
class Detection:
    """A detected fault, before the runner queries its rows.

    Attributes:
        ghost_type: One of ``models.GHOST_TYPES``.
        severity: info, warning or error.
        description: One sentence that describes the fault.
        count: The exact number of affected rows.
        row_condition: True for each affected row; None if the fault is not in particular rows.
        sample_column: The frame column to take example values from.
        metadata: Additional metadata of the finding.
        columns: The names of the columns, if the fault is in several; the finding names them all.
        rows: All affected rows in ascending order, instead of a condition.
    """

    ghost_type: str
    severity: str
    description: str
    count: int
    row_condition: nw.Expr | None = None
    sample_column: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    columns: Sequence[str] = ()
    rows: Sequence[int] | None = None


@dataclass(frozen=True)
class Passed:
    """Columns that a check over several columns found to be without fault."""

    columns: Sequence[str]


@dataclass(frozen=True)
class NotCompared:
    """Columns that a check over several columns left out, because it compares a limited number.

    Attributes:
        columns: The names of the columns that were left out.
        reason: Why, as a sentence.
    """

    columns: Sequence[str]
    reason: str


@dataclass(frozen=True)
class SwitchedOff:
    """A check that a check configuration switched off.

    Attributes:
        check: The name of the check.
        column: The column; empty for all columns.
        reason: Why, as a part of a sentence: ``empty values are expected``.
    """

    check: str
    column: str
    reason: str


class NotChecked(Enum):
    """The result of a check that does not apply to a column: neither passed nor failed."""

    NOT_CHECKED = "not checked"


NOT_CHECKED: Final = NotChecked.NOT_CHECKED

StepResult = TypeVar("StepResult")
QuerySteps: TypeAlias = Generator[Query, Any, StepResult]
"""A generator that yields queries, receives their results, and returns its own result."""

Result: TypeAlias = Detection | Passed | NotCompared

Outcome: TypeAlias = Detection | NotChecked | Sequence[Result] | None
"""The result of a check; an empty list is the same as :data:`NOT_CHECKED`."""

DetectionSteps: TypeAlias = QuerySteps[Outcome]


class Detector(ABC):
    """One check. Subclasses are frozen dataclasses whose fields are the user's parameters.

    Checks with ``needs_rows`` are skipped for a table without rows. Checks with ``checks_values`` judge
    single values, and leave out those that a check configuration allows. Those with ``is_exact`` judge all
    values also where :class:`ValueCounts` left some out; what the others say is marked as capped.
    """

    check: ClassVar[str]
    title: ClassVar[str]
    needs_rows: ClassVar[bool] = True
    checks_values: ClassVar[bool] = False
    is_exact: ClassVar[bool] = False

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        chosen = ((f.name, getattr(self, f.name), f.default) for f in fields(self))  # type: ignore[arg-type]
        return {name: value for name, value, default in chosen if value != default}

    @property
    def settings(self) -> dict[str, Any]:
        """What a check configuration or a rule sets besides; not a part of the identity of findings."""
        return {}

    @property
    def switched_off(self) -> Sequence[SwitchedOff]:
        """What did not run because the check configuration switched it off."""
        return ()

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns to check; None means whole rows."""
        return table.schema

    @abstractmethod
    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Query one column (or whole rows) and return what the results mean."""


def join_names(columns: Sequence[str]) -> str:
    """Return what a finding or a coverage entry about several columns has as its column."""
    return ", ".join(columns)


def limit_columns(
    columns: Sequence[Column], limit: int, what: str = "compared"
) -> tuple[list[Column], list[NotCompared]]:
    """Return the first columns, and what to report of the others, if there are any.

    Args:
        columns: The columns that could be compared, the most promising first.
        limit: How many are compared.
        what: What is done with them, as a part of a sentence.
    """
    chosen, left_out = list(columns[:limit]), columns[limit:]
    if not left_out:
        return chosen, []
    reason = f"Only {limit} of {len(columns):,} columns are {what}."
    return chosen, [NotCompared([column.name for column in left_out], reason)]


def count_where(condition: nw.Expr) -> nw.Expr:
    """Return an aggregate that counts the rows that meet the condition."""
    # The cast, because some engines cannot sum booleans. when/then takes twice as long on small tables. Dask
    # cannot cast a missing answer.
    return condition.fill_null(False).cast(nw.Int64).sum()


def has_value(column: Column) -> nw.Expr:
    """Return whether a cell is not missing; a cell that does not fit the column is not missing."""
    present = ~nw.col(column.key).is_null()
    for key in (column.text_key, column.errors_key):
        if key:
            present = present | ~nw.col(key).is_null()
    return present


def has_text(column: Column) -> bool:
    """Return whether cells of a column are text: all of them, or those that do not fit its type."""
    return column.kind == "text" or column.text_key is not None


def may_have_text(column: Column) -> bool:
    """Return whether cells of a column can be text.

    A check of text passes on numbers, times and booleans without text. If it were left out there, a first
    stray text in a column of numbers would be the first run of the check, so not new, and a finding whose
    text was corrected would never pass.
    """
    return has_text(column) or column.kind in ("number", "time", "boolean")


def severity_of_missing(share: float) -> str:
    """Return the severity of missing values by their share of the rows."""
    return "error" if share > _MANY else "warning" if share > _SOME else "info"


def format_value(value: Any) -> Any:
    """Return a value as an example to display: JSON-safe, printable and short."""
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int) and abs(value) < _INT64:
        return value
    printable = "".join(c if c.isprintable() or c in "\t\n" else "\ufffd" for c in str(value))
    return printable if len(printable) <= _MAX_VALUE_LENGTH else printable[: _MAX_VALUE_LENGTH - 1] + "…"


def format_row_share(affected: int, total: int) -> str:
    """Format a count of rows, such as ``41,188 of 1,204,318 rows (3.4%)``."""
    return f"{affected:,} of {total:,} {'row' if total == 1 else 'rows'} ({format_percent(affected, total)})"


def format_percent(part: int, whole: int) -> str:
    """Format a share such as ``3.4%`` in a description; 0 and 100 only if they are exact.

    Descriptions of earlier versions have a blank before the sign; masked descriptions ignore it.
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "under 0.1%"
    if 99.9 < share < 100:
        return "over 99.9%"
    return f"{share:.1f}".removesuffix(".0") + "%"
