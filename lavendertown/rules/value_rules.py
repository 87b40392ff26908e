"""Rules about the values of one column: not_null, range, enum, length, regex and type."""

from __future__ import annotations

import math
import re
from functools import reduce
from operator import or_
from typing import ClassVar, Literal

import narwhals as nw
import polars as pl

from lavendertown.core.errors import InvalidInputError
from lavendertown.detectors.base import QuerySteps, format_value, has_value
from lavendertown.rules.checks import ColumnRule, FailingRows
from lavendertown.rules.parameters import ParameterReader, Scalar
from lavendertown.rules.text_patterns import bound_pattern
from lavendertown.rules.values import (
    KIND_NAMES,
    failing_distinct_values,
    format_scalar,
    is_misfit,
    is_one_of,
    literal_for,
    matches_no_row,
    or_misfit,
    quote_value,
    to_number,
    written_text,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns

_MAX_NAMED_VALUES = 5
_WHOLE = r"^\s*[+-]?[0-9]+(?:\.0*)?\s*$"
_YES_NO = r"^(?i:\s*(?:true|false|yes|no|0|1)\s*)$"


class NotNullRule(ColumnRule):
    """Every row has a value.

    With ``placeholders``, a text that stands for a missing value (``n/a``, ``-``, blanks) is one.
    """

    check: ClassVar[str] = "rule:not_null"

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read ``placeholders``."""
        self.placeholders = reader.read_flag("placeholders")

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows without a value."""
        yield from ()
        empty = ~has_value(column)
        if self.placeholders and (column.kind == "text" or column.text_key):
            text = nw.col(column.text_key or column.key)
            return empty | text.str.contains(patterns.DISGUISED_NULL), "is empty or a placeholder"
        return empty, "is empty"

    def failing_rows(self, table: Table, columns: list[Column]) -> QuerySteps[FailingRows]:
        """Return the rows without a value; the tolerance is a share of all rows."""
        failing = yield from super().failing_rows(table, columns)
        return FailingRows(failing.condition, failing.what, has_samples=self.placeholders)


class RangeRule(ColumnRule):
    """Values are from ``min_value`` to ``max_value``: numbers, dates or times, or texts in text columns.

    The bounds themselves are accepted unless ``exclusive_min`` or ``exclusive_max`` is set. A cell that does
    not fit its column fails. Numbers in a text column are compared as numbers if the bounds are numbers.
    """

    check: ClassVar[str] = "rule:range"
    aliases: ClassVar[dict[str, str]] = {"min": "min_value", "max": "max_value"}

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the bounds."""
        self.low, self.high = reader.read_scalar("min_value"), reader.read_scalar("max_value")
        self.exclusive_low, self.exclusive_high = (
            reader.read_flag("exclusive_min"),
            reader.read_flag("exclusive_max"),
        )
        if self.low is None and self.high is None:
            raise InvalidInputError("give at least one of min_value and max_value")
        if not isinstance(self.low, str) and not isinstance(self.high, str):
            low, high = _to_bound(self.low, -math.inf), _to_bound(self.high, math.inf)
            if low > high:
                raise InvalidInputError(f"min_value {self.low} is above max_value {self.high}")

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows outside the bounds."""
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if column.kind == "text" and not any(isinstance(bound, str) for bound in bounds):
            outside = yield from failing_distinct_values(nw.col(column.key), self._accepts_text)
            return outside, self._describe()
        value = nw.col(column.key)
        low, high = (
            None if bound is None else nw.lit(literal_for(table, column, bound))
            for bound in (self.low, self.high)
        )
        sides = []
        if low is not None:
            sides.append(value <= low if self.exclusive_low else value < low)
        if high is not None:
            sides.append(value >= high if self.exclusive_high else value > high)
        return or_misfit(reduce(or_, sides), column), self._describe()

    def _accepts_text(self, text: str) -> bool:
        number = to_number(text)
        if number is None:
            return False
        low, high = _to_bound(self.low, -math.inf), _to_bound(self.high, math.inf)
        above = number > low if self.exclusive_low else number >= low
        return above and (number < high if self.exclusive_high else number <= high)

    def _describe(self) -> str:
        low = None if self.low is None else format_scalar(self.low)
        high = None if self.high is None else format_scalar(self.high)
        if high is None:
            return f"is not above {low}" if self.exclusive_low else f"is below {low}"
        if low is None:
            return f"is not below {high}" if self.exclusive_high else f"is above {high}"
        without = [
            bound for bound, left_out in ((low, self.exclusive_low), (high, self.exclusive_high)) if left_out
        ]
        return f"is outside {low} to {high}" + (f" (without {' and '.join(without)})" if without else "")


def _to_bound(value: Scalar | None, default: float) -> float:
    return default if value is None else float(value)


class EnumRule(ColumnRule):
    """Values are among ``allowed_values``; in a column of numbers, ``"7"`` and 7.0 are the same."""

    check: ClassVar[str] = "rule:enum"
    aliases: ClassVar[dict[str, str]] = {"values": "allowed_values"}

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the allowed values."""
        self.allowed = reader.read_scalars("allowed_values")

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows with another value."""
        yield from ()
        listed = is_one_of(table, column, self.allowed)
        other = ~nw.col(column.key).is_null() if listed is None else ~listed
        unfit = is_misfit(column)
        if unfit is not None and column.text_key:
            texts = [format_scalar(value) for value in self.allowed]
            other = other.fill_null(False) | (unfit & ~nw.col(column.text_key).is_in(texts).fill_null(False))
        elif unfit is not None:
            other = other.fill_null(False) | unfit
        return other, f"is not {_list_values(self.allowed)}"


def _list_values(values: list[Scalar]) -> str:
    shown = [quote_value(value) for value in values[:_MAX_NAMED_VALUES]]
    if len(values) > _MAX_NAMED_VALUES:
        return f"one of the {len(values):,} allowed values"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


class LengthRule(ColumnRule):
    """Texts have from ``min_length`` to ``max_length`` characters; numbers count as they are written."""

    check: ClassVar[str] = "rule:length"
    aliases: ClassVar[dict[str, str]] = {
        **{"min": "min_length", "max": "max_length"},
        **{"min_value": "min_length", "max_value": "max_length"},
    }

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the bounds."""
        self.low, self.high = reader.read_count("min_length"), reader.read_count("max_length")
        if self.low is None and self.high is None:
            raise InvalidInputError("give at least one of min_length and max_length")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InvalidInputError(f"min_length {self.low} is above max_length {self.high}")

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows with shorter and longer texts."""
        yield from ()
        length = written_text(column).str.len_chars()
        low, high = self.low, self.high
        if low is not None and high is not None:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            return (length < low) | (length > high), f"does not have {wanted} characters"
        if low is not None:
            return length < low, f"has fewer than {low} characters"
        return length > high, f"has more than {high} characters"


class RegexRule(ColumnRule):
    """Values match the regular expression ``pattern``.

    ``match`` says where: at the ``start`` of the text (the default, as in version 0.7), ``anywhere``, or the
    ``full`` text. Look-around and back references are possible, but slower.
    """

    check: ClassVar[str] = "rule:regex"

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the pattern."""
        self.pattern = reader.require_text("pattern")
        self.place = reader.read_choice("match", ("start", "anywhere", "full"), "start")
        self._bounded = bound_pattern(self.pattern, self.place)
        self._runs_on_engines = _is_plain_pattern(self._bounded)
        if not self._runs_on_engines:
            try:
                self._compiled = re.compile(bound_pattern(self.pattern, self.place, end=r"\Z"))
            except re.error as error:
                shown = format_value(self.pattern)
                raise InvalidInputError(f"{shown!r} is not a regular expression: {error.msg}") from error

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows that do not match."""
        what = f"does not match {format_value(self.pattern)}"
        text = written_text(column)
        if self._runs_on_engines:
            return ~text.str.contains(self._bounded), what
        failing = yield from failing_distinct_values(text, lambda value: bool(self._compiled.search(value)))
        return failing, what


def _is_plain_pattern(pattern: str) -> bool:
    """Return whether engines without backtracking take the pattern: no look-around, no back references."""
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        return False
    return True


ValueType = Literal["text", "number", "integer", "date", "boolean"]
_TYPES: tuple[ValueType, ...] = ("text", "number", "integer", "date", "boolean")
_TYPE_ALIASES = {"string": "text", "float": "number", "datetime": "date", "time": "date", "bool": "boolean"}
_KINDS = {"text": "text", "number": "number", "integer": "number", "date": "time", "boolean": "boolean"}
_TYPE_NAMES = {"text": "text", "number": "a number", "integer": "a whole number", "date": "a date or time"}
_TEXT_PATTERNS = {
    "number": f"{patterns.NUMBER}|{patterns.INFINITE}",
    "integer": _WHOLE,
    "date": patterns.DATE,
    "boolean": _YES_NO,
}


class TypeRule(ColumnRule):
    """Values are of a ``type``: text, number, integer, date (also with a time) or boolean.

    Numbers in a file whose format cannot say that they are text, such as CSV, pass as text.
    """

    check: ClassVar[str] = "rule:type"

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the type."""
        wanted = reader.read_choice("type", (*_TYPES, *_TYPE_ALIASES))
        self.type = _TYPE_ALIASES.get(wanted, wanted)

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows with a value of another type."""
        yield from ()
        what = f"is not {_TYPE_NAMES.get(self.type, 'true or false')}"
        value = nw.col(column.key)
        if column.kind == _KINDS[self.type] and column.kind != "text":
            whole = self.type == "integer" and not column.integer
            odd = value != value.round(0) if whole else matches_no_row(column)
            return or_misfit(odd, column), what
        if column.kind == "text":
            return self._failing_texts(column), what
        if self.type == "text" and column.kind in KIND_NAMES:
            declared = "date" if column.kind == "time" else "number"
            return (matches_no_row(column) if declared not in column.declared else has_value(column)), what
        if self.type == "boolean" and column.kind == "number":
            return or_misfit(~value.is_in([0, 1]), column), what
        return has_value(column), what

    def _failing_texts(self, column: Column) -> nw.Expr:
        value = nw.col(column.key)
        if self.type == "text":
            if column.kinds_key is None:
                return matches_no_row(column)
            return ~value.is_null() & (nw.col(column.kinds_key) != nw.lit("text"))
        return ~value.is_null() & ~value.str.contains(_TEXT_PATTERNS[self.type])
