"""Small SQL that differs between the databases, said once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from lavendertown import codec
from lavendertown.database import mariadb
from lavendertown.models import SEVERITIES
from lavendertown.records.rules import STATUSES

SEVERITY_CODE = {severity: code for code, severity in enumerate(SEVERITIES)}
STATUS_CODE = {status: code for code, status in enumerate(STATUSES)}
OPEN = STATUS_CODE["open"]
FIXED = STATUS_CODE["fixed"]


class ListOf(sa.types.TypeDecorator[Sequence[Any]]):
    """A list handed over as one parameter: JSON text on SQLite, an array on PostgreSQL.

    MariaDB's driver writes a list as one in parentheses.
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
        return values if dialect.name == "postgresql" else codec.dumps(values).decode("utf-8")


class _Condition(ColumnElement[bool]):
    """A condition of two parts. It is written bare: SQLite finds no index for ``(…) = 1``."""

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


class _Among(_Condition):
    inherit_cache = True


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"{column} IN (SELECT value FROM json_each({compiler.process(element.value, **kw)}))"


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"{column} = ANY({compiler.process(element.value, **kw)})"


@compiles(_Among, "mariadb")
@compiles(_Among, "mysql")
def _among_mariadb(element: _Among, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} IN {compiler.process(element.value, **kw)}"


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return "column is one of the list in this parameter": one statement for any length."""
    of: type[sa.types.TypeEngine[Any]] = sa.Text
    if isinstance(column.type, sa.Integer):
        of = sa.BigInteger if isinstance(column.type, sa.BigInteger) else sa.Integer
    return _Among(column, sa.bindparam(parameter, type_=ListOf(of)))


class _Contains(_Condition):
    inherit_cache = True


@compiles(_Contains)
def _contains(element: _Contains, compiler: Any, **kw: Any) -> str:
    find = "strpos" if compiler.dialect.name == "postgresql" else "instr"
    column = compiler.process(element.column, **kw)
    return f"{find}({column}, {compiler.process(element.value, **kw)}) > 0"


def contains(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return "column contains the text in this parameter", literally."""
    return _Contains(column, sa.bindparam(parameter, type_=sa.Text()))


class _HasTag(_Condition):
    inherit_cache = True


@compiles(_HasTag, "sqlite")
def _has_tag_sqlite(element: _HasTag, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    tag = compiler.process(element.value, **kw)
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {tag})"


@compiles(_HasTag, "postgresql")
def _has_tag_postgresql(element: _HasTag, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    tag = compiler.process(element.value, **kw)
    return f"EXISTS (SELECT 1 FROM json_array_elements_text({column}) AS t(value) WHERE value = {tag})"


@compiles(_HasTag, "mariadb")
@compiles(_HasTag, "mysql")
def _has_tag_mariadb(element: _HasTag, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"JSON_CONTAINS({column}, JSON_QUOTE({compiler.process(element.value, **kw)}))"


def has_tag(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return "this JSON list holds the text in this parameter"."""
    return _HasTag(column, sa.bindparam(parameter, type_=sa.Text()))
