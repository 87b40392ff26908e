"""Rules in SQL: one condition on the columns of a row, parsed, checked against a list, and run on DuckDB.

The text of a rule never reaches DuckDB: what runs is written from the checked tree, on a database in memory
that can neither read files nor load extensions.
"""

from __future__ import annotations

import importlib
import re
from contextlib import closing
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.core.errors import InvalidInputError
from lavendertown.detectors.base import QuerySteps, Select, format_value
from lavendertown.rules.checks import FailingRows, RowRule
from lavendertown.rules.parameters import ParameterReader
from lavendertown.tables import ROW, Column, Table

_DIALECT = "duckdb"
_TABLE = "data"
_WORD = re.compile("[A-Za-z_]*")
_NUMBER = re.compile("[0-9.eE+-]+")
MAX_LENGTH = 10_000
"""The longest expression, in characters."""

_ALLOWED = frozenset(
    {
        # Values and columns
        *("Column", "Identifier", "Literal", "Null", "Boolean", "Var", "Interval", "Tuple", "Paren"),
        # Conditions
        *("And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ", "Is", "In"),
        *("Between", "Like", "ILike", "Escape", "Case", "If"),
        # Arithmetic and types
        *("Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Neg", "Cast", "TryCast", "DataType", "DataTypeParam"),
        *(
            "Abs",
            "Ceil",
            "Floor",
            "Round",
            "Sign",
            "Greatest",
            "Least",
            "Coalesce",
            "Nullif",
            "IsNan",
            "Sqrt",
            "Pow",
        ),
        # Text
        *("Lower", "Upper", "Trim", "Length", "Substring", "Left", "Right", "Concat", "DPipe"),
        *("Contains", "StartsWith", "EndsWith", "RegexpLike", "RegexpFullMatch", "StrPosition"),
        # Times
        *("CurrentDate", "Year", "Month", "Day", "Hour", "Minute", "DayOfWeek", "Quarter", "Week"),
        *("DateDiff", "DateTrunc", "TimestampTrunc", "Extract", "Date", "TsOrDsToDate"),
    }
)
"""The nodes (classes of sqlglot) that an expression may have: none reads anything but the row, and none has a
result that is much larger than its arguments."""

_CONFIG = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
}


class ExpressionRule(RowRule):
    """A condition in SQL that is true in every row; a row for which it is unknown (null) passes.

    ``expression`` is one condition in the dialect of DuckDB, such as ``net + tax = total``. Columns with
    blanks are in double quotes. Statements, subqueries, aggregates and functions that read files are refused.
    """

    check: ClassVar[str] = "rule:expression"
    aliases: ClassVar[dict[str, str]] = {"sql": "expression"}

    def read_parameters(self, reader: ParameterReader) -> None:
        """Read and check the expression."""
        self.expression = reader.require_text("expression")
        self._tree = parse_expression(self.expression)
        named = [str(column.name) for column in self._tree.find_all(_sqlglot().exp.Column, bfs=False)]
        first = [self.rule.column] if self.rule.column else []
        self._columns = list(dict.fromkeys([*first, *named]))
        if not self._columns:
            raise InvalidInputError("its expression names no column")

    @property
    def columns(self) -> list[str]:
        """The column of the rule, and those that the expression names."""
        return self._columns

    @property
    def is_on_whole_rows(self) -> bool:
        """Whether the expression names several columns and the rule has none."""
        return len(self._columns) > 1 and not self.rule.column

    def failing_rows(self, table: Table, columns: list[Column]) -> QuerySteps[FailingRows]:
        """Return the rows for which the condition is false."""
        keys = {column.name: column.key for column in columns}
        values = yield Select(lambda frame: frame.select(ROW, *keys.values()))
        rows = _find_failing_rows(values, _write_condition(self._tree, keys))
        return FailingRows(nw.col(ROW).is_in(rows), f"{format_value(self.expression)} is not true")


def parse_expression(text: str) -> Any:
    """Return the tree of a condition.

    Raises:
        InvalidInputError: It is not one condition, or has a part that is not allowed, or sqlglot is not
            installed. The message is a part of a sentence.
    """
    sqlglot = _sqlglot()
    if len(text) > MAX_LENGTH:
        raise InvalidInputError(f"its expression is longer than {MAX_LENGTH:,} characters")
    try:
        trees = sqlglot.parse(text, read=_DIALECT)
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise InvalidInputError(f"its expression is not valid SQL: {_describe_error(error)}") from error
    if len(trees) != 1 or trees[0] is None:
        raise InvalidInputError("its expression must be one condition, such as amount > 0")
    for node in trees[0].walk():
        name = type(node).__name__
        if name not in _ALLOWED:
            what = node.name if name == "Anonymous" else name
            raise InvalidInputError(f"its expression uses {what}, which is not allowed")
        if name == "Column" and node.table:
            raise InvalidInputError(f"its expression names {node.sql(_DIALECT)}; write the column only")
        _check_written_parts(node, name)
    return trees[0]


def _check_written_parts(node: Any, name: str) -> None:
    """Refuse texts that are written into SQL without quotes, such as a unit of time, if they are no word."""
    if name == "Identifier" or (name == "Literal" and node.is_string):
        return  # these are written in quotes
    pattern = _NUMBER if name == "Literal" else _WORD
    for value in node.args.values():
        texts = value if isinstance(value, list) else [value]
        if not all(pattern.fullmatch(text) for text in texts if isinstance(text, str)):
            raise InvalidInputError(f"its expression has a part that is not allowed: {format_value(value)!r}")


def _describe_error(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return "it is nested too deeply" if isinstance(error, RecursionError) else "it cannot be read"
    return f"{details[0]['description'].rstrip('.')} at character {details[0]['col']}"


def _write_condition(tree: Any, keys: dict[str, str]) -> str:
    """Return the SQL of a checked tree, with the keys of columns in place of their names."""
    exp = _sqlglot().exp

    def replace_column(node: Any) -> Any:
        return exp.column(keys[node.name], quoted=True) if isinstance(node, exp.Column) else node

    return str(tree.copy().transform(replace_column).sql(_DIALECT, comments=False))


def _find_failing_rows(values: nw.DataFrame[Any], condition: str) -> list[int]:
    duckdb = _import_library("duckdb")
    try:
        with closing(duckdb.connect(":memory:", config=_CONFIG)) as connection:
            connection.register(_TABLE, values.to_arrow())
            result = connection.sql(f"SELECT {condition} AS result FROM {_TABLE} LIMIT 0")
            kind = str(result.types[0])
            if kind != "BOOLEAN":
                raise InvalidInputError(f"its expression is a value of type {kind}, not a condition")
            query = f"SELECT {ROW} FROM {_TABLE} WHERE NOT ({condition})"
            return [row for (row,) in connection.sql(query).fetchall()]
    except duckdb.Error as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise InvalidInputError(f"its expression failed: {reason}") from error


def _sqlglot() -> Any:
    return _import_library("sqlglot")


def _import_library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InvalidInputError(
            f"expressions need {name}; install it with: pip install lavendertown[duckdb]"
        ) from error
