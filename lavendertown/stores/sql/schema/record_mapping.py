"""The mapping of records to table rows, and the columns of later fields, derived from the declared fields.

A field has the column that its declaration names. A table's other columns (keys, counts, search texts) are
written by the module of the table. An empty list is stored as NULL in a nullable column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.core import statuses
from lavendertown.core.findings import SEVERITIES
from lavendertown.records.field_kinds import ColumnType
from lavendertown.records.fields import FIELDS, Field, attribute_getter
from lavendertown.stores.sql.statements.column_types import JsonData, UtcDateTime, exact_text
from lavendertown.stores.sql.statements.conditions import SEVERITY_CODES, STATUS_CODES

_COLUMN_TYPES: Mapping[ColumnType, sa.types.TypeEngine[Any]] = {
    ColumnType.TEXT: sa.Text(),
    ColumnType.JSON: JsonData,
    ColumnType.JSON_LIST: JsonData,
    ColumnType.TIME: UtcDateTime(),
    ColumnType.INTEGER: sa.Integer(),
    ColumnType.BIG_INTEGER: sa.BigInteger(),
    ColumnType.NUMBER: sa.Double(),
    ColumnType.FLAG: sa.Boolean(),
    ColumnType.STATUS: sa.SmallInteger(),
    ColumnType.SEVERITY: sa.SmallInteger(),
}


def add_later_columns(table: sa.Table, record_class: type) -> None:
    """Add a column to a table for each later field of its record that the table does not describe."""
    for each in FIELDS[record_class]:
        if each.added_later and each.column not in table.c:
            table.append_column(sa.Column(each.column, column_type(each), nullable=each.kind.optional))


def column_type(field: Field) -> sa.types.TypeEngine[Any]:
    """Return the type of a field's column."""
    if field.kind.column_type is ColumnType.TEXT and field.size is not None:
        return exact_text(field.size)
    return _COLUMN_TYPES[field.kind.column_type]


_Converter = Callable[[Any], Any]


def _status_code(name: str | None) -> int | None:
    return None if name is None else STATUS_CODES[name]


def _status_name(code: int | None) -> str | None:
    return None if code is None else statuses.NAMES[code]


_TO_COLUMN: Mapping[ColumnType, _Converter] = {
    ColumnType.STATUS: _status_code,
    ColumnType.SEVERITY: SEVERITY_CODES.__getitem__,
    ColumnType.JSON_LIST: list,
}
_FROM_COLUMN: Mapping[ColumnType, _Converter] = {
    ColumnType.STATUS: _status_name,
    ColumnType.SEVERITY: SEVERITIES.__getitem__,
    ColumnType.JSON_LIST: tuple,
}


class RecordMapper:
    """Convert the fields of a record to columns of a table, and back.

    Args:
        record_class: The record's class.
        table: The record's table.
        fields: The fields to map; by default, all fields. Fields without a column are left out.

    Attributes:
        fields: The mapped fields, in the order of the declaration.
        columns: Their columns, for a SELECT.
        column_names: The names of the columns.
    """

    def __init__(self, record_class: type, table: sa.Table, fields: Iterable[Field] | None = None) -> None:
        selected = FIELDS[record_class] if fields is None else fields
        self.fields = tuple(each for each in selected if each.kind.column_type is not ColumnType.ELSEWHERE)
        self.column_names = tuple(each.column for each in self.fields)
        self.columns: Sequence[sa.Column[Any]] = [table.c[name] for name in self.column_names]
        self._read_attributes = attribute_getter(self.fields)
        self._field_names = tuple(each.name for each in self.fields)
        self._to_column = _select_converters(self.fields, _TO_COLUMN)
        self._from_column = _select_converters(self.fields, _FROM_COLUMN)
        lists = (each for each in self.fields if each.kind.column_type is ColumnType.JSON_LIST)
        self._nullable_lists = [each for each in lists if table.c[each.column].nullable]

    def to_row(self, record: Any) -> dict[str, Any]:
        """Return the column values of a record by column name."""
        row = dict(zip(self.column_names, self._read_attributes(record), strict=True))
        for each, convert in self._to_column:
            row[each.column] = convert(row[each.column])
        for each in self._nullable_lists:
            row[each.column] = row[each.column] or None
        return row

    def to_fields(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return the field values of a record by field name.

        Args:
            row: The values of :attr:`columns`, in the same order.

        Raises:
            ValueError, TypeError, IndexError: A column has a value that no version wrote.
        """
        values = dict(zip(self._field_names, row, strict=True))
        for each in self._nullable_lists:
            values[each.name] = values[each.name] or ()
        for each, convert in self._from_column:
            values[each.name] = convert(values[each.name])
        return values


def _select_converters(
    fields: Iterable[Field], converters: Mapping[ColumnType, _Converter]
) -> Sequence[tuple[Field, _Converter]]:
    return [
        (each, converters[each.kind.column_type]) for each in fields if each.kind.column_type in converters
    ]
