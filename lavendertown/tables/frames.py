"""Convert pandas, Polars and Arrow frames to tables."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.reading import DETECT, Reading
from lavendertown.tables import value_kinds
from lavendertown.tables.exact_numbers import number_series
from lavendertown.tables.nested import flatten_structs
from lavendertown.tables.reader_errors import is_reader_error
from lavendertown.tables.table import ROW, Column, Kind, Table
from lavendertown.tables.wording import join_names

DECLARED = frozenset({"number", "date"})


def from_frame(data: Any, name: str | None = None) -> Table:
    """Return a pandas or Polars frame (also a lazy one) or an Arrow table as a :class:`Table`.

    Rows keep their order; a pandas index is ignored.

    Raises:
        InvalidInputError: ``data`` is not a supported frame.
    """
    if isinstance(data, pd.DataFrame):
        return _from_pandas(data, name)
    if isinstance(data, pl.LazyFrame):
        data = _collect_lazy(data)
    if isinstance(data, pl.DataFrame):
        return from_typed_columns(data.columns, data.get_columns(), height=data.height, name=name)
    if hasattr(data, "__arrow_c_stream__") and not isinstance(data, (pd.Series, pl.Series, pa.ChunkedArray)):
        try:
            return from_arrow(pa.table(data), name=name)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InvalidInputError(_describe_wrong_type(data)) from error
    raise InvalidInputError(_describe_wrong_type(data))


def from_arrow(data: pa.Table, name: str | None = None) -> Table:
    """Return an Arrow table as a :class:`Table`; duplicate column names are numbered, structs are split."""
    series = [_from_arrow_column(column) for column in data.columns]
    return from_typed_columns(data.column_names, series, height=data.num_rows, name=name)


def from_typed_columns(
    names: Sequence[str],
    series: Sequence[pl.Series | value_kinds.ClassifiedColumn],
    *,
    height: int,
    name: str | None = None,
) -> Table:
    """Build a table from the columns of a typed source; struct columns are split into their fields."""
    guesses: list[str] = []
    flat_names, flat = flatten_structs(names, series, guesses)
    return from_columns(flat_names, flat, height=height, name=name, guesses=guesses)


def _collect_lazy(data: pl.LazyFrame) -> pl.DataFrame:
    try:
        return data.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInputError(f"The lazy frame cannot be collected: {reason}") from error


def _describe_wrong_type(data: Any) -> str:
    kind = type(data).__name__
    if isinstance(data, (pd.Series, pl.Series)):
        return f"A {kind} cannot be inspected; pass a frame, for example series.to_frame()."
    if isinstance(data, (dict, list, tuple, set, np.ndarray)):
        return f"A {kind} cannot be inspected; pass a frame, for example pandas.DataFrame(data)."
    return (
        f"A {kind} cannot be inspected; pass a pandas or Polars DataFrame, an Arrow table, "
        "or the path of a data file."
    )


def _from_arrow_column(column: pa.ChunkedArray) -> pl.Series | value_kinds.ClassifiedColumn:
    """Return an Arrow column as a series, converted through Python values if Polars lacks its type."""
    if not pa.types.is_decimal256(column.type):
        try:
            return pl.Series(pl.from_arrow(column))
        except BaseException as error:
            if not is_reader_error(error):
                raise
    return value_kinds.classify_values(column.to_pylist())


def _from_pandas(data: pd.DataFrame, name: str | None) -> Table:
    names = [_join_label(label) for label in data.columns]
    series = [_from_pandas_series(data.iloc[:, i]) for i in range(data.shape[1])]
    table = from_columns(names, series, height=len(data), name=name)

    def preview(positions: list[int], columns: Sequence[Column]) -> pd.DataFrame:
        return data.iloc[positions, [column.position for column in columns]].copy()

    return Table(table.frame, table.schema, table.row_count, preview, name, table.guesses)


def _join_label(label: Hashable) -> str:
    return " / ".join(str(part) for part in label) if isinstance(label, tuple) else str(label)


def _from_pandas_series(series: pd.Series[Any]) -> pl.Series | value_kinds.ClassifiedColumn:
    series = series.reset_index(drop=True)
    if isinstance(series.dtype, pd.CategoricalDtype) and not pd.api.types.is_string_dtype(
        series.cat.categories.dtype
    ):
        series = series.astype("object")
    if isinstance(series.dtype, pd.SparseDtype):
        series = pd.Series(series.to_numpy())
    if series.dtype == object or isinstance(series.dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return value_kinds.classify_values(series.tolist())
    if series.dtype.kind == "c":
        return value_kinds.classify_values(series.tolist())
    series.name = ""
    if isinstance(series.dtype, pd.ArrowDtype):
        return _from_arrow_column(pa.chunked_array(series.array.__arrow_array__()))
    try:
        return pl.from_pandas(series, nan_to_null=True)
    except (pa.ArrowException, OverflowError):
        return value_kinds.classify_values(series.tolist())  # such as categories of integers beyond 64 bits


def from_columns(
    names: Sequence[str],
    series: Sequence[pl.Series | value_kinds.ClassifiedColumn],
    *,
    height: int,
    name: str | None = None,
    guesses: Sequence[str] = (),
    declared: Sequence[frozenset[str]] | None = None,
    errors: Sequence[pl.Series | None] | None = None,
    reading: Reading = DETECT,
) -> Table:
    """Build a table from named columns; names are made unique, with a guess for each change.

    ``errors`` is given for sources that support error cells: per column, the error name of each cell
    (null for other cells), or None for a column without error cells.
    """
    all_guesses = list(guesses)
    unique = unique_names(names, all_guesses)
    frame: dict[str, pl.Series] = {ROW: pl.int_range(height, eager=True, dtype=pl.Int64)}
    schema = []
    nested: list[str] = []
    for i, (label, given) in enumerate(zip(unique, series, strict=True)):
        column = _normalize_column(given)
        key, kinds_key = f"c{i}", f"c{i}_kind" if column.kinds is not None else None
        frame[key] = column.values
        if kinds_key and column.kinds is not None:
            frame[kinds_key] = column.kinds
        error_names = errors[i] if errors else None
        errors_key = f"c{i}_error" if error_names is not None else None
        if errors_key and error_names is not None:
            frame[errors_key] = error_names
        text_key = f"c{i}_text" if column.texts is not None else None
        if text_key and column.texts is not None:
            frame[text_key] = column.texts
        if column.nested:
            nested.append(label)
        kind: Kind = "other" if column.nested else _kind_of_type(column.values.dtype)
        known = declared[i] if declared else DECLARED
        integer = column.values.dtype.is_integer()
        schema.append(
            Column(i, label, key, kind, integer, known, kinds_key, errors is not None, errors_key, text_key)
        )
    if nested:
        kept = "lists, objects or binary values, kept whole; what is inside is not checked"
        all_guesses.append(f"{join_names(nested)}: {kept}.")
    data = pl.DataFrame(frame)

    def preview(positions: list[int], columns: Sequence[Column]) -> pd.DataFrame:
        return select_source_values(data, positions, columns)

    return Table(nw.from_native(data).lazy(), tuple(schema), height, preview, name, all_guesses, reading)


def select_source_values(data: pl.DataFrame, places: list[int], columns: Sequence[Column]) -> pd.DataFrame:
    """Return rows of the frame of a table with the values as the source has them.

    Args:
        data: The frame with the keys of the columns.
        places: The indexes of the rows in ``data``.
        columns: The columns to return, named by their keys.
    """
    keys = [key for column in columns for key in (column.text_key or column.key, column.errors_key) if key]
    rows = data.select(list(dict.fromkeys(keys)))[places]
    shown = rows.select(
        [pl.col(column.text_key or column.key).alias(column.key) for column in columns]
    ).to_pandas()
    for column in columns:
        values = rows[column.text_key or column.key]
        if values.dtype.is_integer() and values.null_count():
            # By default, missing values make all others floats: 7.0 in place of 7.
            shown[column.key] = pd.Series(values.to_list(), index=shown.index, dtype="object")
        if column.errors_key:
            names = rows[column.errors_key].to_pandas()
            shown[column.key] = shown[column.key].astype(object).where(names.isna(), names)
    return shown


def _normalize_column(given: pl.Series | value_kinds.ClassifiedColumn) -> value_kinds.ClassifiedColumn:
    """Convert a column to a type that the checks support, with NaN as null."""
    if isinstance(given, value_kinds.ClassifiedColumn):
        return given
    dtype = given.dtype
    if isinstance(dtype, pl.BaseExtension):
        return _normalize_column(given.ext.storage())
    if dtype in (pl.Object, pl.Binary) or dtype.is_nested():
        return value_kinds.classify_values(given.to_list())
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        return value_kinds.ClassifiedColumn(given.cast(pl.String))
    if dtype in (pl.Int128, pl.UInt128):
        return value_kinds.ClassifiedColumn(number_series(given.to_list()))
    if dtype.is_float():
        return value_kinds.ClassifiedColumn(given.fill_nan(None))
    return value_kinds.ClassifiedColumn(given)


def _kind_of_type(dtype: pl.DataType) -> Kind:
    if dtype.is_numeric():
        return "number"
    if dtype == pl.String:
        return "text"
    if dtype == pl.Boolean:
        return "boolean"
    return "time" if dtype.is_temporal() else "other"


def unique_names(names: Sequence[str], guesses: list[str]) -> list[str]:
    """Return the names that the columns get: unique and not blank. Add a guess for each change."""
    taken: set[str] = set()
    unique = []
    for i, given in enumerate(names):
        clean = value_kinds.storable_text(given.replace("\x00", ""))
        label = clean if clean.strip() else f"column {i + 1}"
        if not clean.strip():
            guesses.append(f"Column {i + 1} has no name; it is called '{label}' here.")
        base, n = label, 1
        while label in taken or (n > 1 and label in names):
            n += 1
            label = f"{base} ({n})"
        if n > 1:
            guesses.append(f"Several columns are called '{base}'; number {i + 1} is called '{label}' here.")
        taken.add(label)
        unique.append(label)
    return unique
