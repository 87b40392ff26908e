"""SQL conditions for the filters of a query, used by all lists, and conditions that differ by database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from lavendertown.core import json_codec, statuses
from lavendertown.core.findings import SEVERITIES
from lavendertown.records.queries import DeletedFilter
from lavendertown.stores.sql.connection import mariadb
from lavendertown.stores.sql.statements.column_types import UtcDateTime

SEVERITY_CODES = {severity: code for code, severity in enumerate(SEVERITIES)}
STATUS_CODES = statuses.CODES
OPEN_CODE = statuses.OPEN.code
FIXED_CODE = statuses.FIXED.code
ACCEPTED_CODE = statuses.ACCEPTED.code


class ArrayParameter(sa.types.TypeDecorator[Sequence[Any]]):
    """A list as one parameter: JSON text on SQLite, an array on PostgreSQL.

    MariaDB's driver renders a list in parentheses.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, of: type[sa.types.TypeEngine[Any]] = sa.Text) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.of()))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        values = list(value)
        if dialect.name in mariadb.BACKENDS:
            return values or [None]
        return values if dialect.name == "postgresql" else json_codec.dumps(values).decode("utf-8")


class _BinaryCondition(ColumnElement[bool]):
    """A condition on a column and a value, rendered bare because SQLite uses no index for ``(…) = 1``."""

    inherit_cache = True
    type = sa.Boolean()
    _traverse_internals = [  # noqa: RUF012
        ("column", InternalTraversal.dp_clauseelement),
        ("value", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], value: ColumnElement[Any]) -> None:
        self.column = column
        self.value = value

    def self_group(self, against: Any = None) -> Any:
        return self


class _InList(_BinaryCondition):
    inherit_cache = True


@compiles(_InList, "sqlite")
def _compile_in_list_sqlite(element: _InList, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"{column} IN (SELECT value FROM json_each({compiler.process(element.value, **kw)}))"


@compiles(_InList, "postgresql")
def _compile_in_list_postgresql(element: _InList, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"{column} = ANY({compiler.process(element.value, **kw)})"


@compiles(_InList, "mariadb")
@compiles(_InList, "mysql")
def _compile_in_list_mariadb(element: _InList, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} IN {compiler.process(element.value, **kw)}"


def in_list(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return the condition that a column has a value of the list in this parameter, of any length."""
    item_type: type[sa.types.TypeEngine[Any]] = sa.Text
    if isinstance(column.type, sa.Integer):
        item_type = sa.BigInteger if isinstance(column.type, sa.BigInteger) else sa.Integer
    return _InList(column, sa.bindparam(parameter, type_=ArrayParameter(item_type)))


class _ContainsText(_BinaryCondition):
    inherit_cache = True


@compiles(_ContainsText)
def _compile_contains_text(element: _ContainsText, compiler: Any, **kw: Any) -> str:
    function = "strpos" if compiler.dialect.name == "postgresql" else "instr"
    column = compiler.process(element.column, **kw)
    return f"{function}({column}, {compiler.process(element.value, **kw)}) > 0"


def contains_text(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return the condition that a column contains the text in this parameter, without wildcards."""
    return _ContainsText(column, sa.bindparam(parameter, type_=sa.Text()))


class _HasTag(_BinaryCondition):
    inherit_cache = True


@compiles(_HasTag, "sqlite")
def _compile_has_tag_sqlite(element: _HasTag, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    tag = compiler.process(element.value, **kw)
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {tag})"


@compiles(_HasTag, "postgresql")
def _compile_has_tag_postgresql(element: _HasTag, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    tag = compiler.process(element.value, **kw)
    return f"EXISTS (SELECT 1 FROM json_array_elements_text({column}) AS t(value) WHERE value = {tag})"


@compiles(_HasTag, "mariadb")
@compiles(_HasTag, "mysql")
def _compile_has_tag_mariadb(element: _HasTag, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"JSON_CONTAINS({column}, JSON_QUOTE({compiler.process(element.value, **kw)}))"


def has_tag(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return the condition that a JSON list contains the text in this parameter."""
    return _HasTag(column, sa.bindparam(parameter, type_=sa.Text()))


_Column = sa.ColumnElement[Any]
_Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Conditions:
    """The conditions of a query, without their values.

    Two objects are equal if they use the same filters, whatever the values. So a statement can be cached by
    its conditions.

    Attributes:
        names: The filters in use. Each name identifies one condition.
    """

    names: tuple[str, ...]
    _makers: tuple[Callable[[], _Condition], ...] = field(compare=False)

    def build_conditions(self) -> list[_Condition]:
        """Return the conditions as SQLAlchemy expressions."""
        return [make() for make in self._makers]


class WhereClause:
    """Collect the filters of a query by name, without those that have no value.

    Attributes:
        values: The parameters of the conditions.
    """

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], _Condition]] = {}
        self.values: dict[str, Any] = {}

    @property
    def conditions(self) -> Conditions:
        """The conditions of the filters in use."""
        return Conditions(tuple(self._makers), tuple(self._makers.values()))

    def add_condition(
        self, name: str, condition: Callable[[], _Condition], values: Mapping[str, Any] = {}
    ) -> None:
        """Add a condition.

        Args:
            name: Identifies the condition among those of the query.
            condition: Returns the condition; called when a statement is built.
            values: The parameters of the condition.
        """
        self._makers[name] = condition
        self.values.update(values)

    def add_in_list(self, column: _Column, name: str, accepted: Sequence[Any]) -> None:
        """Keep rows with one of these values in the column."""
        if accepted:
            self.add_condition(name, lambda: in_list(column, name), {name: list(accepted)})

    def add_in_codes(
        self, column: _Column, name: str, accepted: Sequence[str], codes: Mapping[str, int]
    ) -> None:
        """Keep rows with the code of one of these words in the column; an unknown word matches nothing."""
        if accepted:
            self.add_condition(
                name,
                lambda: in_list(column, name),
                {name: [codes[word] for word in accepted if word in codes]},
            )

    def add_equal(self, column: _Column, name: str, value: Any) -> None:
        """Keep rows with this value in the column; None adds no condition."""
        if value is not None:
            self.add_condition(
                f"{name} =", lambda: column == sa.bindparam(name, type_=column.type), {name: value}
            )

    def add_from_time(self, column: _Column, name: str, moment: dt.datetime | None) -> None:
        """Keep rows at or after this time."""
        if moment is not None:
            self.add_condition(
                name, lambda: column >= sa.bindparam(name, type_=UtcDateTime()), {name: moment}
            )

    def add_until_time(self, column: _Column, name: str, moment: dt.datetime | None) -> None:
        """Keep rows at or before this time."""
        if moment is not None:
            self.add_condition(
                name, lambda: column <= sa.bindparam(name, type_=UtcDateTime()), {name: moment}
            )

    def add_between_times(self, column: _Column, start: dt.datetime | None, end: dt.datetime | None) -> None:
        """Keep rows between two times, both included."""
        self.add_from_time(column, "start_date", start)
        self.add_until_time(column, "end_date", end)

    def add_text_search(self, column: _Column, text: str) -> None:
        """Keep rows with this text in the search column; the text must be folded already."""
        if text:
            self.add_condition("search", lambda: contains_text(column, "search"), {"search": text})

    def add_for_each_value(
        self, name: str, values: Sequence[str], condition: Callable[[str], _Condition]
    ) -> None:
        """Keep rows that meet a condition for each of these values.

        Args:
            name: The prefix of the parameter names.
            values: The values.
            condition: Returns the condition for a parameter name.
        """
        for number, value in enumerate(values):
            parameter = f"{name}{number}"
            self.add_condition(parameter, partial(condition, parameter), {parameter: value})

    def add_deleted_filter(self, column: _Column, deleted: DeletedFilter) -> None:
        """Keep live rows, deleted rows or both."""
        if deleted is DeletedFilter.HIDDEN:
            self.add_condition("live", lambda: column.is_(None))
        elif deleted is DeletedFilter.ONLY:
            self.add_condition("deleted", lambda: column.is_not(None))
