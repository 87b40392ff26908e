"""Rules about several columns of one row: cross_column, with an operation as in version 0.7."""

from __future__ import annotations

from functools import reduce
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.core.errors import InvalidInputError
from lavendertown.detectors.base import QuerySteps, has_value
from lavendertown.rules.checks import FailingRows, RowRule
from lavendertown.rules.parameters import ParameterReader, Scalar
from lavendertown.rules.reference_rules import values_outside
from lavendertown.rules.values import KIND_NAMES, literal_for, quote_value
from lavendertown.tables import Column, Table

_COMPARISONS = {
    "equals": "differs from",
    "not_equals": "equals",
    "greater_than": "is not greater than",
    "greater_or_equal": "is less than",
    "less_than": "is not less than",
    "less_or_equal": "is greater than",
}
_ALIASES = {"greater": "greater_than", "less": "less_than", "equal": "equals", "not_equal": "not_equals"}
_OPERATIONS = (*_COMPARISONS, "sum_equals", "conditional", "referential")
_CONDITION_KEYS = ("if_column", "if_value", "then_column", "then_value")
_RELATIVE_TOLERANCE = 1e-9
"""Sums of decimal fractions differ in the last digits of a float, so exact equality would be wrong."""


class CrossColumnRule(RowRule):
    """Columns of one row fit together; a row with a missing value passes.

    The ``operation`` compares two ``source_columns`` (equals, not_equals, greater_than, greater_or_equal,
    less_than, less_or_equal), or their sum with ``target_column`` (sum_equals, within ``tolerance``), or
    finds values of the first that ``target_column`` never has (referential), or, for rows where
    ``condition["if_column"]`` is ``if_value``, compares ``then_column`` with ``then_value`` (conditional).
    """

    check: ClassVar[str] = "rule:cross_column"

    def read_parameters(self, reader: ParameterReader) -> None:
        """Read the operation and its columns."""
        operation = reader.read_choice("operation", (*_OPERATIONS, *_ALIASES))
        self.operation = _ALIASES.get(operation, operation)
        self.source = reader.read_names("source_columns")
        self.target = reader.read_text("target_column")
        self.tolerance = reader.read_number("tolerance")
        self.condition = reader.read_mapping("condition")
        if self.operation in _COMPARISONS:
            if len(self.source) == 1 and self.target:
                self.source = [*self.source, self.target]
            if len(self.source) < 2:
                raise InvalidInputError(f"{operation} compares two source_columns, not {len(self.source)}")
            self.source = self.source[:2]  # version 0.7 allowed more, and ignored them
        elif self.operation == "conditional":
            missing = [key for key in _CONDITION_KEYS if self.condition.get(key) in (None, "")]
            if missing:
                raise InvalidInputError(f"its condition has no {', '.join(missing)}")
        elif not self.source or not self.target:
            raise InvalidInputError(f"{operation} needs source_columns and a target_column")

    @property
    def columns(self) -> list[str]:
        """The columns; the finding is on the one that version 0.7 named."""
        if self.operation == "conditional":
            return [str(self.condition["then_column"]), str(self.condition["if_column"])]
        if self.operation == "sum_equals":
            return [str(self.target), *self.source]
        if self.operation == "referential":
            return [self.source[0], str(self.target)]
        return self.source

    def failing_rows(self, table: Table, columns: list[Column]) -> QuerySteps[FailingRows]:
        """Return the rows whose columns do not fit together."""
        if self.operation == "conditional":
            return self._conditional(table, *columns)
        if self.operation == "sum_equals":
            return self._sum_equals(columns[0], columns[1:])
        if self.operation == "referential":
            values, known = columns
            condition = yield from values_outside(values, table, known)
            return FailingRows(condition, f"{values.name} is not in {known.name}", has_value(values))
        return self._comparison(*columns)

    def _comparison(self, first: Column, second: Column) -> FailingRows:
        if first.kind != second.kind or first.kind not in KIND_NAMES:
            raise InvalidInputError(
                f"{_describe_kind(first)} and {_describe_kind(second)}, which cannot be compared"
            )
        one, other = nw.col(first.key), nw.col(second.key)
        slack = self.tolerance or 0
        if slack and first.kind == "number":
            other_low, other_high = other - slack, other + slack
        else:
            other_low = other_high = other
        differs = (one < other_low) | (one > other_high) if slack else one != other
        failing = {
            "equals": differs,
            "not_equals": ~differs,
            "greater_than": one <= other_low,
            "greater_or_equal": one < other_low,
            "less_than": one >= other_high,
            "less_or_equal": one > other_high,
        }[self.operation]
        what = f"{first.name} {_COMPARISONS[self.operation]} {second.name}"
        return FailingRows(failing, what, has_value(first) & has_value(second))

    def _sum_equals(self, total: Column, parts: list[Column]) -> FailingRows:
        for column in (total, *parts):
            if column.kind != "number":
                raise InvalidInputError(f"{_describe_kind(column)}, which cannot be added up")
        values = [nw.col(column.key).cast(nw.Float64) for column in parts]
        added, wanted = reduce(lambda one, other: one + other, values), nw.col(total.key).cast(nw.Float64)
        off = (added - wanted).abs()
        size = reduce(lambda one, other: one + other, [value.abs() for value in values]) + wanted.abs()
        failing = off > (self.tolerance if self.tolerance is not None else size * _RELATIVE_TOLERANCE)
        present = reduce(lambda one, other: one & other, [has_value(column) for column in (total, *parts)])
        names = " + ".join(column.name for column in parts)
        return FailingRows(failing, f"{names} is not {total.name}", present)

    def _conditional(self, table: Table, then: Column, when: Column) -> FailingRows:
        if_value, then_value = self.condition["if_value"], self.condition["then_value"]
        applies = nw.col(when.key) == nw.lit(_as_literal(table, when, if_value))
        differs = nw.col(then.key) != nw.lit(_as_literal(table, then, then_value))
        what = f"{then.name} is not {quote_value(then_value)} where {when.name} is {quote_value(if_value)}"
        return FailingRows(applies & differs, what, applies)


def _as_literal(table: Table, column: Column, value: Scalar) -> Any:
    if not isinstance(value, (str, int, float, bool)):
        raise InvalidInputError(f"the condition must compare with single values, not {value!r}")
    return literal_for(table, column, value)


def _describe_kind(column: Column) -> str:
    return f"{column.name} holds {KIND_NAMES.get(column.kind, 'lists or objects')}"
