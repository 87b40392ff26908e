"""pandas, Polars and Arrow frames as tables."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl

from lavendertown.errors import InvalidInputError
from lavendertown.tables import census
from lavendertown.tables.table import ROW, Column, Kind, Table

DECLARED = frozenset({"number", "date"})
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Binary)


def from_frame(data: Any, name: str | None = None) -> Table:
    """Return a pandas or Polars frame (also a lazy one) or an Arrow table as a :class:`Table`.

    Rows keep their order; a pandas index is ignored.

    Raises:
        InvalidInputError: ``data`` is no such frame.
    """
    if isinstance(data, pd.DataFrame):
        return _from_pandas(data, name)
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if not isinstance(data, pl.DataFrame) and hasattr(data, "__arrow_c_stream__"):
        data = pl.DataFrame(data)
    if isinstance(data, pl.DataFrame):
        return from_columns(data.columns, data.get_columns(), height=data.height, name=name)
    raise InvalidInputError(
        f"A {type(data).__name__} cannot be inspected; hand in a pandas or Polars frame, or a data file."
    )


def _from_pandas(data: pd.DataFrame, name: str | None) -> Table:
    names = [_joined(label) for label in data.columns]
    series = [_from_pandas_series(data.iloc[:, i]) for i in range(data.shape[1])]
    table = from_columns(names, series, height=len(data), name=name)

    def preview(positions: list[int]) -> pd.DataFrame:
        return data.iloc[positions].copy()

    return Table(table.frame, table.schema, table.row_count, preview, name, table.guesses)


def _joined(label: Hashable) -> str:
    return " / ".join(str(part) for part in label) if isinstance(label, tuple) else str(label)


def _from_pandas_series(series: pd.Series[Any]) -> pl.Series | census.Census:
    series = series.reset_index(drop=True)
    if isinstance(series.dtype, pd.CategoricalDtype) and not pd.api.types.is_string_dtype(
        series.cat.categories.dtype
    ):
        series = series.astype("object")
    if isinstance(series.dtype, pd.SparseDtype):
        series = pd.Series(series.to_numpy())
    if series.dtype == object or isinstance(series.dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return census.take(series.tolist())
    if series.dtype.kind == "c":
        return census.take(series.tolist())
    series.name = ""
    return pl.from_pandas(series, nan_to_null=True)


def from_columns(
    names: Sequence[str],
    series: Sequence[pl.Series | census.Census],
    *,
    height: int,
    name: str | None = None,
    guesses: Sequence[str] = (),
    declared: Sequence[frozenset[str]] | None = None,
) -> Table:
    """Build a table from named columns; names are made unique, and a guess says so."""
    told = list(guesses)
    unique = _unique(names, told)
    frame: dict[str, pl.Series] = {ROW: pl.int_range(height, eager=True, dtype=pl.Int64)}
    schema = []
    for i, (label, given) in enumerate(zip(unique, series, strict=True)):
        taken = _settled(given)
        key, kinds_key = f"c{i}", f"c{i}_kind" if taken.kinds is not None else None
        frame[key] = taken.values
        if kinds_key and taken.kinds is not None:
            frame[kinds_key] = taken.kinds
        kind: Kind = "other" if taken.nested else _kind(taken.values.dtype)
        known = declared[i] if declared else DECLARED
        schema.append(Column(i, label, key, kind, taken.values.dtype.is_integer(), known, kinds_key))
    made = pl.DataFrame(frame)

    def preview(positions: list[int]) -> pd.DataFrame:
        return made[positions].select([column.key for column in schema]).to_pandas()

    return Table(nw.from_native(made).lazy(), tuple(schema), height, preview, name, told)


def _settled(given: pl.Series | census.Census) -> census.Census:
    """Bring a column to one of the types the checks know, with NaN as null."""
    if isinstance(given, census.Census):
        return given
    dtype = given.dtype
    if dtype == pl.Object or isinstance(dtype, _NESTED):
        return census.take(given.to_list())
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        return census.Census(given.cast(pl.String))
    if dtype in (pl.Int128, pl.UInt128):
        return census.take(given.to_list())
    if dtype.is_float():
        return census.Census(given.fill_nan(None))
    return census.Census(given)


def _kind(dtype: pl.DataType) -> Kind:
    if dtype.is_numeric():
        return "number"
    if dtype == pl.String:
        return "text"
    if dtype == pl.Boolean:
        return "boolean"
    return "time" if dtype.is_temporal() else "other"


def _unique(names: Sequence[str], guesses: list[str]) -> list[str]:
    taken: set[str] = set()
    made = []
    for i, given in enumerate(names):
        clean = given.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
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
        made.append(label)
    return made
