"""Classify Python values of unknown kind and convert them to one type."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import numbers
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

from lavendertown.core.errors import InvalidInputError
from lavendertown.tables.exact_numbers import number_series

NESTED = "nested"
_INT64 = 2**63
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KIND_BY_TYPE = {
    str: "text",
    bool: "yes/no",
    int: "number",
    float: "number",
    dt.date: "date",
    dt.datetime: "date",
    pd.Timestamp: "date",
}


@dataclass(frozen=True)
class ClassifiedColumn:
    """Values of one type, with the kind of each cell if the kinds differ.

    Attributes:
        values: The values; text if the kinds differ.
        kinds: The kind of each cell (null for a missing value); None if all have the same kind.
        nested: Whether the values are lists, mappings or binary data, converted to text.
        texts: The cells as written, if values were converted from a notation or do not fit the type (then
            the value is null).
    """

    values: pl.Series
    kinds: pl.Series | None = None
    nested: bool = False
    texts: pl.Series | None = None


def classify_values(values: Sequence[Any]) -> ClassifiedColumn:
    """Classify the Python values of a column; None, NaN, NaT and NA count as missing."""
    present = [None if _is_missing(value) else value for value in values]
    kinds = [None if value is None else _kind_of_value(value) for value in present]
    distinct = {kind for kind in kinds if kind is not None}
    if len(distinct) > 1:
        return ClassifiedColumn(_text_series(present), pl.Series(kinds, dtype=pl.String))
    kind = next(iter(distinct), "text")
    if kind == "number":
        return ClassifiedColumn(number_series(present))
    if kind == "yes/no":
        return ClassifiedColumn(
            pl.Series([None if v is None else bool(v) for v in present], dtype=pl.Boolean)
        )
    if kind == "date":
        try:
            return ClassifiedColumn(_date_series(present))
        except (ValueError, OverflowError):
            return ClassifiedColumn(_text_series(present))  # in UTC, a date is before year 1 or after 9999
    return ClassifiedColumn(_text_series(present), nested=kind != "text")


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    if isinstance(value, (str, list, dict, tuple)):
        return False
    missing = pd.isna(value)
    return missing if isinstance(missing, bool) else False


def _kind_of_value(value: Any) -> str:
    known = _KIND_BY_TYPE.get(type(value))
    if known is not None:
        return known
    if isinstance(value, str):
        return "text"
    if type(value).__name__ in ("bool", "bool_"):
        return "yes/no"
    if isinstance(value, (numbers.Real, decimal.Decimal)):
        return "number"
    if isinstance(value, (list, dict, tuple, set, bytes)):
        return NESTED
    if type(value).__name__ == "datetime64":
        return "date"
    return type(value).__name__


def _date_series(values: Sequence[Any]) -> pl.Series:
    if all(v is None or type(v) is dt.date for v in values):
        return pl.Series(values, dtype=pl.Date)
    stamps = pd.to_datetime(pd.Series(list(values), dtype="object"), utc=True, format="mixed")
    plain = [None if pd.isna(stamp) else stamp.to_pydatetime() for stamp in stamps]
    return pl.Series(plain, dtype=pl.Datetime("us", "UTC"))


def _text_series(values: Sequence[Any]) -> pl.Series:
    return pl.Series([None if v is None else _value_text(v) for v in values], dtype=pl.String)


def _value_text(value: Any) -> str:
    if isinstance(value, (list, dict)):
        value = _nested_text(value)
    if isinstance(value, int) and abs(value) >= _INT64:
        value = decimal.Decimal(value)  # Python refuses to format an int of more than 4,300 digits.
    return storable_text(str(value))


def _nested_text(value: list[Any] | dict[Any, Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            "A value of the table is nested too deeply or contains itself; flatten it first."
        ) from error
    except TypeError:
        return str(value)  # keys that JSON does not support, such as tuples


def storable_text(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot encode, with the replacement character."""
    return _LONE_SURROGATE.sub("\ufffd", text)
