"""Tables on frames that an engine keeps: DuckDB relations, Dask and PySpark data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl

from lavendertown.core.errors import InvalidInputError
from lavendertown.tables.frames import DECLARED, select_source_values, unique_names
from lavendertown.tables.nested import MAX_FIELDS
from lavendertown.tables.table import ROW, Column, Engine, Kind, Table
from lavendertown.tables.wording import join_names

_TEXT_TYPES = (nw.String, nw.Categorical, nw.Enum)
_EMPTY_TYPES = ('"NULL"', "void")


def from_lazy_frame(
    frame: nw.LazyFrame[Any],
    names: Mapping[str, str],
    engine: Engine,
    name: str | None = None,
    *,
    native_types: Mapping[str, str] | None = None,
) -> Table:
    """Return a lazy frame as a :class:`Table`; the engine reads it for each query.

    Structs are split into their fields; other nested and binary values become text.

    Args:
        frame: The frame, with the column :data:`ROW`.
        names: The displayed name of each other column, in order.
        engine: The engine of the frame.
        name: The name of the table.
        native_types: The engine's own names of the types of these columns, for types that Narwhals does not
            know.
    """
    guesses: list[str] = []
    labels, values, kinds = _split_columns(frame, names, native_types or {}, guesses)
    schema = []
    nested: list[str] = []
    for i, (label, (kind, is_integer)) in enumerate(zip(unique_names(labels, guesses), kinds, strict=True)):
        schema.append(Column(i, label, f"c{i}", kind, is_integer, DECLARED))
        if kind == "other":
            nested.append(label)
    if nested:
        kept = "lists, objects or binary values, kept whole; what is inside is not checked"
        guesses.append(f"{join_names(nested)}: {kept}.")
    # The keys exist together with the columns of the source for a moment, which may have such names, too.
    renamed = frame.select(ROW, *(value.alias(f"c{i}") for i, value in enumerate(values)))
    row_count = int(renamed.select(nw.len()).collect().row(0)[0])

    def preview(positions: list[int], columns: Sequence[Column]) -> pd.DataFrame:
        return _select_rows(renamed, positions, columns)

    return Table(renamed, tuple(schema), row_count, preview, name, guesses, engine=engine)


def _split_columns(
    frame: nw.LazyFrame[Any],
    names: Mapping[str, str],
    native_types: Mapping[str, str],
    guesses: list[str],
) -> tuple[list[str], list[nw.Expr], list[tuple[Kind, bool]]]:
    schema = frame.collect_schema()
    labels: list[str] = []
    values: list[nw.Expr] = []
    kinds: list[tuple[Kind, bool]] = []
    split: list[str] = []
    for key, label in names.items():
        dtype = schema[key]
        fields: Iterable[tuple[str, nw.Expr, Any]] = [(label, nw.col(key), dtype)]
        if isinstance(dtype, nw.Struct) and 0 < len(dtype.fields) <= MAX_FIELDS:
            split.append(label)
            fields = [
                (f"{label}.{each.name}", nw.col(key).struct.field(each.name), each.dtype)
                for each in dtype.fields
            ]
        for field_label, value, field_type in fields:
            normal, kind = _normalize(value, field_type, native_types.get(key, ""))
            labels.append(field_label)
            values.append(normal)
            kinds.append((kind, _is_integer(field_type)))
    if split:
        guesses.append(f"{join_names(split)}: objects, read as one column for each field.")
    return labels, values, kinds


def _normalize(value: nw.Expr, dtype: Any, native_type: str) -> tuple[nw.Expr, Kind]:
    """Return a column as a type that the checks support, with NaN as null, and its kind."""
    if dtype in (nw.Float32, nw.Float64):
        return nw.when(~value.is_nan()).then(value), "number"
    if dtype.is_numeric():
        return value, "number"
    if dtype in _TEXT_TYPES:
        return value.cast(nw.String), "text"
    if dtype == nw.Boolean:
        return value, "boolean"
    if dtype.is_temporal() and dtype != nw.Duration:
        return value, "time"
    is_text = native_type in ("UUID", *_EMPTY_TYPES)
    return value.cast(nw.String), "text" if is_text else "other"


def _is_integer(dtype: Any) -> bool:
    # Wider ones are decimals once they leave the engine.
    return bool(dtype.is_integer()) and dtype not in (nw.Int128, nw.UInt128)


def _select_rows(frame: nw.LazyFrame[Any], positions: list[int], columns: Sequence[Column]) -> pd.DataFrame:
    keys = list(dict.fromkeys(column.key for column in columns))
    wanted = sorted(set(positions))
    found = pl.DataFrame(schema={ROW: pl.Int64})
    if wanted:
        is_near = (nw.col(ROW) >= wanted[0]) & (nw.col(ROW) <= wanted[-1])
        hits = frame.filter(is_near & nw.col(ROW).is_in(wanted)).select(ROW, *keys).collect()
        found = hits.to_polars()
    else:
        found = frame.select(ROW, *keys).head(0).collect().to_polars()
    places = {row: place for place, row in enumerate(found[ROW].to_list())}
    missing = [position for position in positions if position not in places]
    if missing:
        raise InvalidInputError(
            f"The source no longer has row {missing[0]:,}; it has changed since it was inspected."
        )
    return select_source_values(found, [places[position] for position in positions], columns)
