"""How a data file is read: what the user set, and what was detected."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from lavendertown.core.cell_range import parse_cell_range
from lavendertown.core.errors import InvalidInputError

ColumnType = Literal["text", "number", "date", "boolean"]
DateOrder = Literal["day", "month", "year"]
COLUMN_TYPES: tuple[ColumnType, ...] = get_args(ColumnType)
DATE_ORDERS: tuple[DateOrder, ...] = get_args(DateOrder)
DECIMAL_SIGNS = (".", ",")
THOUSANDS_SIGNS = ("", ",", ".", " ", "'")
MAX_HEADER_ROWS = 3
NO_DELIMITER = "\x1f"
"""Delimiter of a file with one column, where commas are part of the text, and of split fixed-width lines."""

_TEXTS = ("encoding", "delimiter", "comment", "sheet", "cell_range", "decimal", "thousands", "date_order")
_LISTS = ("column_starts", "null_words")
_SIGN_NAMES = {"\t": "tab", " ": "blank", NO_DELIMITER: "none", "": "none"}
_MAX_NAMES = 3


@dataclass(frozen=True)
class Reading:
    """Settings for reading a data file. None means that the reader detects the setting.

    Attributes:
        encoding: The text encoding, as Python names it (``utf-8``, ``cp1252``).
        delimiter: The character between the fields of a text file; a blank stands for any number of blanks.
        column_starts: The positions in a line at which columns of fixed width start, counted from 1.
        comment: The sign at the start of lines that are not data, such as ``#``.
        skip_lines: The number of lines (rows of a sheet) above the table.
        header_row: The line or row of the column names, counted from 1 as the source counts; 0 for none.
            Takes the place of ``skip_lines``.
        header_rows: The number of rows that name the columns, from ``header_row`` on (1 to 3).
        sheet: The sheet of a workbook.
        cell_range: The cells of the sheet that hold the table with its column names, such as ``B4:H200``;
            ``B4:H`` goes on to the last row. Rows stay counted from the top of the sheet.
        decimal: The decimal sign, ``.`` or ``,``.
        thousands: The thousands separator: ``,``, ``.``, a blank (of any kind) or ``'``; empty for none.
        date_order: The part that dates such as 03/02/2018 start with: ``day``, ``month`` or ``year``.
        types: The types of columns by name: text, number, date or boolean.
        null_words: Words that stand for a missing value.

    Raises:
        InvalidInputError: A setting is not possible; the message names it.
    """

    encoding: str | None = None
    delimiter: str | None = None
    column_starts: tuple[int, ...] | None = None
    comment: str | None = None
    skip_lines: int | None = None
    header_row: int | None = None
    header_rows: int | None = None
    sheet: str | None = None
    cell_range: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    date_order: DateOrder | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    null_words: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name in _TEXTS:
                _check_text(each.name, getattr(self, each.name))
        _check_encoding(self.encoding)
        _check_sign("delimiter", self.delimiter)
        _check_column_starts(self.column_starts)
        if self.column_starts and self.delimiter not in (None, NO_DELIMITER):
            raise InvalidInputError(
                "A file has either a delimiter or columns of fixed width; give one of the two."
            )
        if self.comment is not None and not self.comment.strip():
            raise InvalidInputError("A comment sign must not be blank; give one such as '#'.")
        _check_count("skip_lines", self.skip_lines, 0)
        _check_count("header_row", self.header_row, 0)
        _check_count("header_rows", self.header_rows, 1, MAX_HEADER_ROWS)
        if self.cell_range is not None:
            parse_cell_range(self.cell_range)
        _check_choice("decimal", self.decimal, DECIMAL_SIGNS)
        _check_choice("thousands", self.thousands, THOUSANDS_SIGNS)
        _check_choice("date_order", self.date_order, DATE_ORDERS)
        if self.thousands and self.thousands == self.decimal:
            raise InvalidInputError(
                f"The decimal sign and the thousands separator are both {self.decimal!r}; change one of them."
            )
        self._check_header_in_range()
        if self.null_words is not None and not (
            isinstance(self.null_words, tuple) and all(isinstance(word, str) for word in self.null_words)
        ):
            raise InvalidInputError("null_words must be a list of words.")
        for name, column_type in self.types.items():
            _check_text("A column name in types", name)
            if column_type not in COLUMN_TYPES:
                raise InvalidInputError(
                    f"{column_type!r} is not a type for the column {name!r}; use one of "
                    f"{', '.join(COLUMN_TYPES)}."
                )

    def _check_header_in_range(self) -> None:
        if self.cell_range is None or not self.header_row:
            return
        cells = parse_cell_range(self.cell_range)
        last = self.header_row - 1 if cells.last_row is None else cells.last_row
        if not cells.first_row <= self.header_row - 1 <= last:
            raise InvalidInputError(
                f"Row {self.header_row:,} is outside the cells {self.cell_range}; give a range that begins "
                "with the row of the column names."
            )

    def fill_from(self, other: Reading) -> Reading:
        """Return these settings, with those that are not set taken from ``other``."""
        missing = {
            each.name: getattr(other, each.name)
            for each in fields(self)
            if getattr(self, each.name) is None and getattr(other, each.name) is not None
        }
        return replace(self, types={**other.types, **self.types}, **missing)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that are set, as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        given = {name: value for name, value in values.items() if value is not None and value != {}}
        for name in _LISTS:
            if name in given:
                given[name] = list(given[name])
        if self.types:
            given["types"] = dict(self.types)
        return given

    def describe(self) -> str:
        """Return the settings that are set as a list in words: ``header row 3, delimiter ';'``."""
        parts = [
            f"{label} {value}"
            for label, value in (
                ("encoding", self.encoding),
                ("sheet", self.sheet),
                ("cells", self.cell_range),
                ("header row", "none" if self.header_row == 0 else self.header_row),
                ("header rows", self.header_rows),
                ("lines above the table", self.skip_lines),
                ("delimiter", _describe_sign(self.delimiter)),
                ("columns at", _join_numbers(self.column_starts)),
                ("comment sign", _describe_sign(self.comment)),
                ("decimal sign", _describe_sign(self.decimal)),
                ("thousands separator", _describe_sign(self.thousands)),
                ("dates start with", self.date_order),
                ("missing-value words", " ".join(self.null_words) if self.null_words else None),
            )
            if value is not None
        ]
        parts += [f"{name} as {column_type}" for name, column_type in [*self.types.items()][:_MAX_NAMES]]
        if len(self.types) > _MAX_NAMES:
            parts.append(f"the types of {len(self.types) - _MAX_NAMES:,} more columns")
        return ", ".join(parts)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Reading:
        """Return the settings in a mapping, as :meth:`to_dict` returns them.

        Raises:
            InvalidInputError: A key is unknown, or a value is not possible.
        """
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InvalidInputError(
                f"There is no reading setting {unknown[0]!r}; use one of {', '.join(sorted(known))}."
            )
        given = dict(values)
        for name in _LISTS:
            if isinstance(given.get(name), list):
                given[name] = tuple(given[name])
        if not isinstance(given.get("types", {}), Mapping):
            raise InvalidInputError("The reading setting 'types' must map column names to types.")
        return cls(**given)


def _describe_sign(sign: str | None) -> str | None:
    return None if sign is None else _SIGN_NAMES.get(sign, f"'{sign}'")


def _join_numbers(numbers: tuple[int, ...] | None) -> str | None:
    return None if numbers is None else " ".join(map(str, numbers))


def _check_text(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(f"{name} must be text, but it is {value!r}.")


def _check_encoding(encoding: str | None) -> None:
    try:
        known = encoding is None or codecs.lookup(encoding)._is_text_encoding
    except (LookupError, TypeError, ValueError):
        known = False
    if not known:
        raise InvalidInputError(f"There is no text encoding {encoding!r}; use one such as utf-8 or cp1252.")


def _check_sign(name: str, sign: str | None) -> None:
    if sign is not None and (not isinstance(sign, str) or len(sign) != 1 or sign in '"\r\n\0'):
        raise InvalidInputError(f"{sign!r} is not a {name}; give one character, such as ';'.")


def _check_column_starts(starts: tuple[int, ...] | None) -> None:
    if starts is None:
        return
    whole = isinstance(starts, tuple) and all(type(start) is int and 1 <= start < 10**6 for start in starts)
    if not whole or len(starts) < 2 or any(second <= first for first, second in pairwise(starts)):
        raise InvalidInputError(
            "column_starts must be two or more ascending positions, counted from 1, such as 1, 6, 30."
        )


def _check_count(name: str, count: int | None, least: int, most: int = 10**9) -> None:
    if count is not None and (type(count) is not int or not least <= count <= most):
        limit = f"from {least} to {most}" if most < 10**9 else f"of at least {least}"
        raise InvalidInputError(f"{name} must be a whole number {limit}, but it is {count!r}.")


def _check_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise InvalidInputError(
            f"{name} must be {' or '.join(repr(choice) for choice in choices)}, but it is {value!r}."
        )


DETECT = Reading()
"""Detect every setting."""
