"""Base classes of rules that run: a rule is a check whose parameters a person chose.

A rule's finding has the check ``rule:<type>``. Its parameters are the name of the rule and the parameters of
its type, so that two rules on one column are two findings. Severity and tolerance are settings of the
finding, so that a rule with another tolerance keeps the history of its finding.
"""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Count,
    Detection,
    DetectionSteps,
    Detector,
    QuerySteps,
    count_where,
    format_percent,
    format_row_share,
    has_value,
)
from lavendertown.rules.models import Rule
from lavendertown.rules.parameters import ParameterReader
from lavendertown.tables import Column, Table

_SETTINGS = ("severity", "max_share", "mostly")
_MAX_NAMED_COLUMNS = 5


class RuleCheck(Detector):
    """A rule as a check.

    Args:
        rule: The rule.

    Attributes:
        rule: The rule.
        severity: The severity of its finding, by default error.
        max_share: The largest accepted share of failing rows among those with a value (0 to 1).

    Raises:
        InvalidInputError: A parameter is not possible. The message is a part of a sentence.
    """

    needs_rows: ClassVar[bool] = False
    aliases: ClassVar[Mapping[str, str]] = {}

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        reader = ParameterReader(rule, self.aliases)
        self.severity = reader.read_choice("severity", SEVERITIES, "error")
        mostly, max_share = reader.read_share("mostly"), reader.read_share("max_share")
        if mostly is not None and max_share is not None:
            raise InvalidInputError("max_share and mostly exclude each other; keep max_share")
        self.max_share: float = round(1 - mostly, 12) if mostly is not None else max_share or 0.0
        self._given = {name: value for name, value in reader.given.items() if name not in _SETTINGS}
        self._settings = {name: value for name, value in reader.given.items() if name in _SETTINGS}
        self.read_parameters(reader)
        reader.refuse_unknown()

    @property
    def title(self) -> str:  # type: ignore[override]  # each rule has its own
        """What people call the rule."""
        return f"Rule {self.rule.name}"

    @property
    def params(self) -> dict[str, Any]:
        """The name of the rule and the parameters of its type."""
        return {"name": self.rule.name, **self._given}

    @property
    def settings(self) -> dict[str, Any]:
        """Severity and tolerance, as far as they are given."""
        return self._settings

    @abstractmethod
    def read_parameters(self, reader: ParameterReader) -> None:
        """Read the parameters of the rule's type.

        Raises:
            InvalidInputError: A parameter is not possible.
        """

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """The columns that the rule needs, the one that the finding names first."""

    @property
    def is_on_whole_rows(self) -> bool:
        """Whether the finding is on whole rows, not on the first column."""
        return not self.columns

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the column that the finding names, also if the table does not have it."""
        if self.is_on_whole_rows:
            return [None]
        name = self.columns[0]
        return [table.column(name) if table.has_column(name) else missing_column(name)]

    def find_columns(self, table: Table) -> list[Column]:
        """Return the columns of the rule.

        Raises:
            InvalidInputError: The table does not have one of them.
        """
        for name in self.columns:
            if not table.has_column(name):
                raise InvalidInputError(_describe_missing_column(name, table.columns))
        return [table.column(name) for name in self.columns]

    def metadata(self, count: int, table: Table) -> dict[str, Any]:
        """Return the metadata of the finding: names of version 0.7 too."""
        return {
            **self._given,
            "rule_name": self.rule.name,
            "rule_type": self.rule.rule_type,
            "columns": self.columns,
            "violation_count": count,
            "total_count": table.row_count,
        }

    def detection(
        self, table: Table, what: str, count: int = 0, rows: nw.Expr | None = None, sample: str | None = None
    ) -> Detection:
        """Return the finding of a rule that fails."""
        return Detection(
            "rule",
            self.severity,
            f"{self.rule.name}: {what}.",
            count,
            rows,
            sample,
            self.metadata(count, table),
        )


@dataclass(frozen=True)
class FailingRows:
    """The rows that fail a rule.

    Attributes:
        condition: True for each of them; null counts as false.
        what: What is wrong in these rows: ``amount is below 0``.
        compared: True for the rows that the rule is about, for the tolerance; None for all rows.
        has_window: Whether the condition uses a window function.
        has_samples: Whether the values in the finding's column show the fault.
    """

    condition: nw.Expr
    what: str
    compared: nw.Expr | None = None
    has_window: bool = False
    has_samples: bool = True


class RowRule(RuleCheck):
    """A rule that each row passes or fails."""

    @abstractmethod
    def failing_rows(self, table: Table, columns: list[Column]) -> QuerySteps[FailingRows]:
        """Query what is needed and return the rows that fail.

        Raises:
            InvalidInputError: The rule cannot be applied to these columns.
        """

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows that fail; a table without rows is not checked."""
        columns = self.find_columns(table)
        if not table.row_count:
            return NOT_CHECKED
        failing = yield from self.failing_rows(table, columns)
        if failing.has_window:
            count = int((yield Count(failing.condition)))
        else:
            count = int((yield Aggregates({"failing": count_where(failing.condition)}))["failing"] or 0)
        if not count:
            return None
        tolerance = ""
        if self.max_share:
            compared = table.row_count
            if failing.compared is not None:
                compared = int(
                    (yield Aggregates({"compared": count_where(failing.compared)}))["compared"] or 0
                )
            if count <= self.max_share * compared:
                return None
            tolerance = f"; up to {format_percent(round(self.max_share * 10**6), 10**6)} is accepted"
        return self.detection(
            table,
            f"{failing.what} in {format_row_share(count, table.row_count)}{tolerance}",
            count,
            failing.condition,
            (column.text_key or column.key) if column and failing.has_samples else None,
        )


class ColumnRule(RowRule):
    """A rule about the values of one column; missing values pass."""

    @property
    def columns(self) -> list[str]:
        """The column."""
        return [require_column(self.rule)]

    def read_parameters(self, reader: ParameterReader) -> None:
        """Check that the rule has a column, and read the parameters of its type."""
        require_column(self.rule)
        self.read_value_parameters(reader)

    @abstractmethod
    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the parameters of the rule's type."""

    @abstractmethod
    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the condition for failing rows, and what is wrong: ``is below 0``."""

    def failing_rows(self, table: Table, columns: list[Column]) -> QuerySteps[FailingRows]:
        """Return the rows whose value fails."""
        (column,) = columns
        condition, what = yield from self.failing_values(table, column)
        return FailingRows(condition, f"{column.name} {what}", has_value(column))


class UnrunnableRule(RuleCheck):
    """A rule that cannot run: its check fails with the reason, and becomes a finding of type check_error.

    Args:
        rule: The rule.
        reason: Why it cannot run, as a part of a sentence.
    """

    def __init__(self, rule: Rule, reason: str) -> None:
        self.rule = rule
        self.reason = reason
        self._given = dict(rule.parameters) if isinstance(rule.parameters, Mapping) else {}
        self._settings = {}

    @property
    def check(self) -> str:  # type: ignore[override]  # the type may be any text
        """The check that the rule would be."""
        return f"rule:{self.rule.rule_type}"

    @property
    def columns(self) -> list[str]:
        """The column of the rule, if it has one."""
        return [self.rule.column] if self.rule.column else []

    def read_parameters(self, reader: ParameterReader) -> None:
        """Read nothing."""

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Raise the reason.

        Raises:
            InvalidInputError: Always.
        """
        yield from ()
        raise InvalidInputError(self.reason)


def require_column(rule: Rule) -> str:
    """Return the column of a rule.

    Raises:
        InvalidInputError: The rule has no column.
    """
    if not rule.column or not isinstance(rule.column, str):
        raise InvalidInputError(f"a {rule.rule_type} rule needs a column")
    return rule.column


def missing_column(name: str) -> Column:
    """Return a stand-in for a column that the table does not have, so that the finding names it."""
    return Column(-1, name, "", "other")


def _describe_missing_column(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, 1, 0.7)
    if close:
        return f"there is no column {name!r}; did you mean {close[0]!r}?"
    listed = ", ".join(names[:_MAX_NAMED_COLUMNS]) + (", …" if len(names) > _MAX_NAMED_COLUMNS else "")
    return f"there is no column {name!r}; the table has {listed}"
