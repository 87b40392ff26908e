"""Dask and PySpark data frames as tables: only aggregates and capped rows come to this process."""

from __future__ import annotations

import importlib
from typing import Any

import narwhals as nw
from narwhals import dependencies

from lavendertown.tables.engines.lazy_frames import from_lazy_frame
from lavendertown.tables.table import ROW, Engine, Table

_PARTITION_BITS = 33
"""Spark's increasing ids have the number of the partition above this many bits for the row."""


def is_dask_frame(data: Any) -> bool:
    """Return whether the object is a Dask data frame, without importing Dask."""
    return bool(dependencies.is_dask_dataframe(data))


def is_spark_frame(data: Any) -> bool:
    """Return whether the object is a data frame of PySpark, also of Spark Connect, without importing it."""
    return bool(dependencies.is_pyspark_dataframe(data) or dependencies.is_pyspark_connect_dataframe(data))


def from_dask(data: Any, name: str | None = None) -> Table:
    """Return a Dask data frame as a table; its index is ignored.

    The rows are numbered for the checks only: findings have counts and samples, but no rows.
    """
    labels = [str(label) for label in data.columns]
    keys = {f"s{i}": label for i, label in enumerate(labels)}
    renamed = data.copy()
    renamed.columns = list(keys)
    renamed[ROW] = 1
    renamed[ROW] = renamed[ROW].cumsum() - 1
    reason = "The data is a Dask data frame, so Dask computes; findings have no row numbers."
    return from_lazy_frame(
        nw.from_native(renamed).lazy(), keys, Engine("dask", reason, numbers_rows=False), name
    )


def from_spark(data: Any, name: str | None = None) -> Table:
    """Return a PySpark data frame as a table.

    The rows are numbered for the checks only: findings have counts and samples, but no rows.
    """
    functions: Any = importlib.import_module("pyspark.sql.functions")
    keys = {f"s{i}": label for i, label in enumerate(data.columns)}
    renamed = data.toDF(*keys).withColumn("id", functions.monotonically_increasing_id())
    partition = functions.shiftright("id", _PARTITION_BITS)
    sizes = dict(renamed.groupBy(partition.alias("part")).count().collect())
    starts, start = [], 0
    for part in sorted(sizes):
        starts += [functions.lit(part), functions.lit(start - (part << _PARTITION_BITS))]
        start += sizes[part]
    # Without rows, there is no partition and the map would be empty.
    shift = functions.element_at(functions.create_map(*starts), partition) if starts else functions.lit(0)
    numbered = renamed.withColumn(ROW, functions.col("id") + shift).drop("id")
    engine = Engine(
        "pyspark",
        "The data is a Spark data frame, so Spark computes; findings have no row numbers.",
        numbers_rows=False,
    )
    types = dict(zip(keys, (kind for _, kind in data.dtypes), strict=True))
    return from_lazy_frame(nw.from_native(numbered), keys, engine, name, native_types=types)
