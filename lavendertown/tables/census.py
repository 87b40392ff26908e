"""Python values of unknown kind: count the kinds and give them one type."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

NESTED = "nested"
_SURE = {
    str: "text",
    bool: "yes/no",
    int: "number",
    float: "number",
    dt.date: "date",
    dt.datetime: "date",
    pd.Timestamp: "date",
}


@dataclass(frozen=True)
class Census:
    """Values in one type, and the kind of each cell where they were not all of one kind.

    Attributes:
        values: The values; text where the kinds differ.
        kinds: The kind of each cell (null where it is missing), None when all are of one kind.
        nested: Whether the values are lists, mappings or binary, written as text here.
    """

    values: pl.Series
    kinds: pl.Series | None = None
    nested: bool = False


def take(values: Sequence[Any]) -> Census:
    """Return the census of a column's Python values; None, NaN, NaT and NA are missing."""
    present = [None if _missing(value) else value for value in values]
    kinds = [None if value is None else _kind(value) for value in present]
    found = {kind for kind in kinds if kind is not None}
    if len(found) > 1:
        return Census(_texts(present), pl.Series(kinds, dtype=pl.String))
    kind = next(iter(found), "text")
    if kind == "number":
        return Census(_numbers(present))
    if kind == "yes/no":
        return Census(pl.Series([None if v is None else bool(v) for v in present], dtype=pl.Boolean))
    if kind == "date":
        return Census(_dates(present))
    return Census(_texts(present), nested=kind != "text")


def _missing(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    if isinstance(value, (str, list, dict, tuple)):
        return False
    missing = pd.isna(value)
    return missing if isinstance(missing, bool) else False


def _kind(value: Any) -> str:
    sure = _SURE.get(type(value))
    if sure is not None:
        return sure
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


def _numbers(values: Sequence[Any]) -> pl.Series:
    whole = all(v is None or isinstance(v, numbers.Integral) for v in values)
    if whole and all(v is None or -(2**63) <= v < 2**63 for v in values):
        return pl.Series([None if v is None else int(v) for v in values], dtype=pl.Int64)
    return pl.Series([None if v is None else float(v) for v in values], dtype=pl.Float64)


def _dates(values: Sequence[Any]) -> pl.Series:
    if all(v is None or type(v) is dt.date for v in values):
        return pl.Series(values, dtype=pl.Date)
    stamps = pd.to_datetime(pd.Series(list(values), dtype="object"), utc=True, format="mixed")
    plain = [None if pd.isna(stamp) else stamp.to_pydatetime() for stamp in stamps]
    return pl.Series(plain, dtype=pl.Datetime("us", "UTC"))


def _texts(values: Sequence[Any]) -> pl.Series:
    return pl.Series([None if v is None else _text(v) for v in values], dtype=pl.String)


def _text(value: Any) -> str:
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    # A lone surrogate has no UTF-8 form; Polars could not keep it.
    return str(value).encode("utf-8", "replace").decode("utf-8")
