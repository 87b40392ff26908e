"""Split columns of objects into one column per field, one level deep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from lavendertown.tables import value_kinds
from lavendertown.tables.wording import join_names

MAX_FIELDS = 100
"""Objects with more fields are taken for mappings, whose keys are data, and stay whole."""


def flatten_objects(
    columns: Sequence[tuple[str, Sequence[Any]]], guesses: list[str]
) -> list[tuple[str, Sequence[Any]]]:
    """Split each column whose present values are all objects; ``address`` becomes ``address.city`` and so on.

    Fields that an object lacks are missing values. Appends a sentence to ``guesses`` if a column is split.
    """
    flat: list[tuple[str, Sequence[Any]]] = []
    split: list[str] = []
    for name, values in columns:
        keys = _shared_fields(values)
        if not keys:
            flat.append((name, values))
            continue
        split.append(name)
        for key in keys:
            flat.append((f"{name}.{key}", [None if value is None else value.get(key) for value in values]))
    _note_split_columns(split, guesses)
    return flat


def flatten_structs(
    names: Sequence[str],
    columns: Sequence[pl.Series | value_kinds.ClassifiedColumn],
    guesses: list[str],
) -> tuple[list[str], list[pl.Series | value_kinds.ClassifiedColumn]]:
    """Split each struct column, as :func:`flatten_objects` does with Python values."""
    flat_names: list[str] = []
    flat: list[pl.Series | value_kinds.ClassifiedColumn] = []
    split: list[str] = []
    for name, column in zip(names, columns, strict=True):
        if (
            isinstance(column, value_kinds.ClassifiedColumn)
            or not isinstance(column.dtype, pl.Struct)
            or not 0 < len(column.dtype.fields) <= MAX_FIELDS
        ):
            flat_names.append(name)
            flat.append(column)
            continue
        split.append(name)
        for each in column.dtype.fields:
            flat_names.append(f"{name}.{each.name}")
            flat.append(column.struct.field(each.name))
    _note_split_columns(split, guesses)
    return flat_names, flat


def _shared_fields(values: Sequence[Any]) -> list[str]:
    """Return the fields of a column of objects; none if it has other values too, or too many fields."""
    if not all(value is None or isinstance(value, dict) for value in values):
        return []
    keys: dict[str, None] = {}
    for value in values:
        keys.update(dict.fromkeys(value or ()))
        if len(keys) > MAX_FIELDS:
            return []
    return list(keys)


def _note_split_columns(names: Sequence[str], guesses: list[str]) -> None:
    if names:
        guesses.append(f"{join_names(names)}: objects, read as one column for each field.")
