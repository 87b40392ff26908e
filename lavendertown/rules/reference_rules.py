"""Rules about another table: the values of a column exist in a column of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.detectors.base import QuerySteps
from lavendertown.rules.checks import ColumnRule
from lavendertown.rules.models import Rule
from lavendertown.rules.parameters import ParameterReader
from lavendertown.rules.values import failing_distinct_values, or_misfit, written_text
from lavendertown.tables import Column, Table, from_frame, read_table


@dataclass
class References:
    """Other tables that rules may name.

    Attributes:
        tables: Frames, tables or paths by name.
        folder: The folder of relative file paths; None if rules may not read files.
        limits: The limits on the size of a file.
    """

    tables: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    limits: FileLimits = DEFAULT_FILE_LIMITS
    _read: dict[str, Table] = field(default_factory=dict, repr=False)

    def read(self, name: str) -> Table:
        """Return a table by its name or path; it is read once.

        Raises:
            InvalidInputError: There is no such table.
            UnreadableTableError: The file cannot be read as a table.
        """
        if name not in self._read:
            self._read[name] = self._open(name)
        return self._read[name]

    def _open(self, name: str) -> Table:
        data = self.tables.get(name)
        if data is None:
            if self.folder is None:
                raise InvalidInputError(f"there is no table {name!r}; pass it in references")
            path = self.folder / name
            if not path.is_file():
                raise InvalidInputError(f"there is no file {name}; pass the table in references")
            return read_table(path, path.name, self.limits)
        if isinstance(data, Table):
            return data
        return read_table(data, limits=self.limits) if isinstance(data, (str, Path)) else from_frame(data)


class ReferenceRule(ColumnRule):
    """Values exist in the ``reference_column`` of the second table ``table``; by default the same column.

    ``table`` is the path of a data file or a name in the references.
    """

    check: ClassVar[str] = "rule:reference"
    aliases: ClassVar[dict[str, str]] = {"reference_table": "table", "file": "table"}

    def __init__(self, rule: Rule, references: References) -> None:
        self._references = references
        super().__init__(rule)

    def read_value_parameters(self, reader: ParameterReader) -> None:
        """Read the other table and its column."""
        self.table = reader.require_text("table")
        self.reference_column = reader.read_text("reference_column")

    def failing_values(self, table: Table, column: Column) -> QuerySteps[tuple[nw.Expr, str]]:
        """Return the rows with values that the other table does not have."""
        other = self._references.read(self.table)
        name = self.reference_column or column.name
        if not other.has_column(name):
            raise InvalidInputError(f"{self.table} has no column {name!r}")
        condition = yield from values_outside(column, other, other.column(name))
        return condition, f"is not in {name} of {self.table}"


def values_outside(column: Column, other: Table, known: Column) -> QuerySteps[nw.Expr]:
    """Return the condition for values that a column of a table never has.

    Columns of different kinds are compared as text.
    """
    as_text = column.kind != known.kind or bool(column.text_key) or bool(known.text_key)
    if column.kind == known.kind == "number":
        value, source = nw.col(column.key).cast(nw.Float64), nw.col(known.key).cast(nw.Float64)
        if column.integer and known.integer:
            value, source = nw.col(column.key), nw.col(known.key)
    elif as_text:
        value, source = written_text(column), written_text(known)
    else:
        value, source = nw.col(column.key), nw.col(known.key)
    found = other.frame.select(source.alias("value")).drop_nulls().unique().collect()
    accepted = set(found["value"].to_list())
    condition = yield from failing_distinct_values(value, accepted.__contains__)
    # A cell that is no number is null in the column of numbers, but not a missing value.
    return condition if as_text else or_misfit(condition, column)
