"""Suggest rules for a table from its profile, as Deequ does: what holds in every row may be meant to hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from string import ascii_letters, digits
from typing import Any

import narwhals as nw

from lavendertown.profile.evidence import ColumnProfile, Evidence
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import is_identifier

MAX_CATEGORIES = 20
_MIN_ROWS = 20
"""With fewer rows, what holds in every row says little."""

_MIN_REPEATS = 10
"""Categories repeat: there are at least this many rows a category."""

_MAX_SHAPES = 2
_MAX_DESCRIBED = 4
_MAX_SHAPE_LENGTH = 40
_TYPES = {"number": "number", "time": "date", "boolean": "boolean"}
_SHAPE = str.maketrans(
    {sign: "9" if sign.isdigit() else "A" if sign.isupper() else "a" for sign in ascii_letters + digits}
)
_CLASSES = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_RUN = re.compile(r"(.)\1*", re.DOTALL)


def suggest_rules(table: Table, evidence: Evidence, name: str) -> RuleSet:
    """Return rules that the table meets: not_null for complete columns, unique for keys, enum for few
    categories, range for numbers that are never negative, regex for texts of one shape, and the type.

    Args:
        table: The table.
        evidence: Its evidence, see :func:`lavendertown.profile.measure.measure_table`.
        name: The name of the rule set.
    """
    rules = [
        rule
        for column in table.schema
        if (profile := evidence.column(column.name)) is not None and profile.nulls < profile.count
        for rule in _suggest_for_column(table, column, profile)
    ]
    description = f"Suggested from {table.row_count:,} rows of {table.name or 'a frame'}; keep what is meant."
    return RuleSet(name, description, rules)


def _suggest_for_column(table: Table, column: Column, profile: ColumnProfile) -> Iterator[Rule]:
    name = column.name
    rows, values = profile.count, profile.count - profile.nulls
    if column.text_key is None and column.errors_key is None and column.kind in _TYPES:
        wanted = "integer" if column.integer else _TYPES[column.kind]
        yield _make_rule(name, "has the type " + wanted, "type", type=wanted)
    if rows < _MIN_ROWS:
        return
    if not profile.nulls and column.text_key is None and column.errors_key is None:
        yield _make_rule(name, "is never empty", "not_null")
    is_key = profile.distinct == values and values >= _MIN_ROWS
    if is_key and (column.kind == "text" or (column.integer and is_identifier(name))):
        yield _make_rule(name, "is unique", "unique")
    if column.kind == "number":
        yield from _suggest_range(column, profile)
    elif column.kind == "text" and column.kinds_key is None:
        yield from _suggest_for_texts(table, column, profile, values)


def _suggest_range(column: Column, profile: ColumnProfile) -> Iterator[Rule]:
    low = profile.minimum
    if isinstance(low, (int, float)) and low >= 0 and not is_identifier(column.name):
        yield _make_rule(column.name, "is not negative", "range", min_value=0)


def _suggest_for_texts(table: Table, column: Column, profile: ColumnProfile, values: int) -> Iterator[Rule]:
    if profile.distinct <= MAX_CATEGORIES and profile.distinct * _MIN_REPEATS <= values:
        yield _make_rule(
            column.name, "is a known value", "enum", allowed_values=_read_categories(table, column)
        )
        return
    shapes = _read_shapes(table, column)
    if shapes:
        pattern = _join_patterns(shapes)
        whole = f"^{pattern}$" if len(shapes) == 1 else f"^(?:{pattern})$"
        yield _make_rule(column.name, "has the usual form", "regex", pattern=whole)


def _read_categories(table: Table, column: Column) -> list[Any]:
    found = (
        table.frame.select(nw.col(column.key).alias("value")).drop_nulls().unique().sort("value").collect()
    )
    return list(found["value"].to_list())


def _read_shapes(table: Table, column: Column) -> list[str]:
    """Return the shapes of all values, such as ``AA-9999``, if they are few and contain digits; else none."""
    text = nw.col(column.key)
    shape = text.str.replace_all("[0-9]", "9").str.replace_all("[A-Z]", "A").str.replace_all("[a-z]", "a")
    found = table.frame.select(shape.alias("shape")).drop_nulls().unique().sort("shape").head(_MAX_SHAPES + 1)
    shapes = list(found.collect()["shape"].to_list())
    fit = all(0 < len(each) <= _MAX_SHAPE_LENGTH and "9" in each for each in shapes)
    return shapes if fit and len(shapes) <= _MAX_SHAPES else []


def describe_shapes(values: Iterable[str]) -> str:
    """Return a regular expression for the shapes of these values; empty if they are many or long."""
    shapes = sorted({value.translate(_SHAPE) for value in values})
    are_few = 0 < len(shapes) <= _MAX_DESCRIBED and all(len(each) <= _MAX_SHAPE_LENGTH for each in shapes)
    return _join_patterns(shapes) if are_few else ""


def _join_patterns(shapes: Iterable[str]) -> str:
    return "|".join(map(_to_pattern, shapes))


def _to_pattern(shape: str) -> str:
    parts = []
    for run in _RUN.finditer(shape):
        length = len(run[0])
        one = _CLASSES.get(run[1]) or _SPECIAL.sub(r"\\\g<0>", run[1])
        parts.append(one if length == 1 else f"{one}{{{length}}}")
    return "".join(parts)


def _make_rule(column: str, what: str, rule_type: str, **parameters: Any) -> Rule:
    return Rule(f"{column} {what}", "", rule_type, column, parameters)
