"""Values of a table for rules: cells as text, cells that do not fit their column, and literals to compare."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw

from lavendertown.core.errors import InvalidInputError
from lavendertown.detectors.base import QuerySteps, Select, format_value
from lavendertown.rules.parameters import Scalar
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
KIND_NAMES = {"number": "numbers", "text": "text", "boolean": "true or false", "time": "dates or times"}


def written_text(column: Column) -> nw.Expr:
    """Return the cells as the source wrote them, or as text if that is not known."""
    return nw.col(column.text_key or column.key).cast(nw.String)


def is_misfit(column: Column) -> nw.Expr | None:
    """Return whether a cell has a value that does not fit the column, such as ``abc`` among numbers.

    A placeholder such as ``n/a`` is a missing value. None if no cell can be a misfit.
    """
    condition = None
    if column.text_key:
        text = nw.col(column.text_key)
        condition = (
            ~text.is_null() & nw.col(column.key).is_null() & ~text.str.contains(patterns.DISGUISED_NULL)
        )
    if column.errors_key:
        is_error = ~nw.col(column.errors_key).is_null()
        condition = is_error if condition is None else condition | is_error
    return condition


def or_misfit(condition: nw.Expr, column: Column) -> nw.Expr:
    """Return the condition, or that the cell does not fit its column."""
    other = is_misfit(column)
    return condition if other is None else (condition.fill_null(False)) | other


def matches_no_row(column: Column) -> nw.Expr:
    """Return a condition that no row meets."""
    value = nw.col(column.key)
    return value.is_null() & ~value.is_null()


def failing_distinct_values(expression: nw.Expr, passes: Callable[[Any], bool]) -> QuerySteps[nw.Expr]:
    """Return the condition for rows whose value does not pass a test in Python, which runs once a value."""
    distinct = yield Select(lambda frame: frame.select(expression.alias("value")).drop_nulls().unique())
    return expression.is_in([value for value in distinct["value"].to_list() if not passes(value)])


def to_number(text: str) -> float | None:
    """Return the number that a text contains; None if it is not a number."""
    try:
        return float(text.strip())
    except ValueError:
        return None


def literal_for(table: Table, column: Column, value: Scalar) -> Any:
    """Return a value as one that can be compared with a column's values.

    Raises:
        InvalidInputError: It cannot be compared with them. The message is a part of a sentence.
    """
    match column.kind:
        case "number":
            return _number_literal(column, value)
        case "boolean":
            return _boolean_literal(column, value)
        case "time":
            return _time_literal(table, column, value)
        case "text":
            return value if isinstance(value, str) else format_scalar(value)
    raise InvalidInputError(f"{column.name} holds lists, objects or bytes, which cannot be compared")


def is_one_of(table: Table, column: Column, values: Sequence[Scalar]) -> nw.Expr | None:
    """Return whether a value is one of these; None if none of them can occur in the column.

    Cells that do not fit the column are not compared.

    Raises:
        InvalidInputError: The values of the column cannot be compared. The message is a part of a sentence.
    """
    tried = (_try_literal(table, column, value) for value in values)
    literals = [literal for literal in tried if literal is not None]
    value = nw.col(column.key)
    if column.integer:
        literals = [literal for literal in literals if isinstance(literal, int)]
    elif column.kind == "number":
        value, literals = value.cast(nw.Float64), [float(literal) for literal in literals]
    if not literals:
        return None
    if column.kind == "time":
        # Dates are not found in a list of times, but compared with one.
        return reduce(or_, (value == nw.lit(literal) for literal in literals))
    return value.is_in(literals)


def _try_literal(table: Table, column: Column, value: Scalar) -> Any:
    try:
        return literal_for(table, column, value)
    except InvalidInputError:
        if column.kind == "other":
            raise
        return None  # such a value cannot occur in the column


def _number_literal(column: Column, value: Scalar) -> float | int:
    number = to_number(value) if isinstance(value, str) else value
    if number is None or isinstance(number, bool) or not math.isfinite(number):
        raise InvalidInputError(f"{column.name} holds numbers, and {value!r} is not a number")
    return int(number) if number == int(number) and abs(number) < 2**63 else float(number)


def _boolean_literal(column: Column, value: Scalar) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise InvalidInputError(f"{column.name} holds true or false, and {value!r} is neither")
    return text in _TRUE


def _time_literal(table: Table, column: Column, value: Scalar) -> Any:
    dtype = table.frame.collect_schema()[column.key]
    try:
        if dtype == nw.Time:
            return dt.time.fromisoformat(str(value))
        parsed = dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidInputError(f"{column.name} holds times, and {value!r} is not a date or time") from error
    if dtype == nw.Duration:
        raise InvalidInputError(f"{column.name} holds durations, which cannot be compared")
    return fit_zone(parsed, dtype)


def fit_zone(value: dt.datetime, dtype: Any) -> dt.datetime:
    """Return a time in the zone of a column's times, or in UTC without a zone if they have none."""
    if isinstance(dtype, nw.Datetime) and dtype.time_zone:
        known = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return known.astimezone(ZoneInfo(dtype.time_zone))
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


def format_scalar(value: Scalar) -> str:
    """Return a value as text as a file would have it: ``true``, ``7``, ``7.5``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def quote_value(value: Scalar) -> str:
    """Return a value for a sentence; text in quotes, shortened if it is long."""
    return f"'{format_value(value)}'" if isinstance(value, str) else format_scalar(value)
