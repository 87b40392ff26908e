"""DuckDB relations as tables, and Parquet files that DuckDB reads, which may be larger than memory."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import FileLimits
from lavendertown.tables.engines.lazy_frames import from_lazy_frame
from lavendertown.tables.frames import from_arrow
from lavendertown.tables.table import ROW, Engine, Table

_ORDERED = frozenset(
    (
        *("PROJECTION", "FILTER", "STREAMING_LIMIT", "STREAMING_WINDOW", "UNION", "UNNEST"),
        *("SEQ_SCAN", "TABLE_SCAN", "PARQUET_SCAN", "READ_PARQUET", "PANDAS_SCAN", "COLUMN_DATA_SCAN"),
        *("READ_CSV", "READ_CSV_AUTO", "RANGE"),
    )
)
"""The operators of DuckDB that give the same rows in the same order each time."""

_CASTS = {"TIME_NS": "CAST(#{} AS TIME)", "TIMETZ": "CAST(#{} AS TIME)"}
"""Types of DuckDB that Narwhals does not know."""

_VOLATILE = re.compile(r"\b(?:random|uuid|uuidv4|uuidv7|gen_random_uuid|nextval|setseed)\(", re.IGNORECASE)


def is_relation(data: Any) -> bool:
    """Return whether the object is a relation of DuckDB, without importing DuckDB."""
    kind = type(data)
    return kind.__name__ == "DuckDBPyRelation" and kind.__module__.partition(".")[0] in ("duckdb", "_duckdb")


def from_relation(
    relation: Any, limits: FileLimits, reason: str, name: str | None = None, *, may_collect: bool
) -> Table:
    """Return a relation as a table, whose rows are numbered in the order in which DuckDB returns them.

    A relation that joins, groups or sorts may return its rows in another order each time, so that it is read
    into memory.

    Args:
        relation: The relation.
        limits: The limits on a table in memory.
        reason: Why the table stays in DuckDB, as a sentence.
        name: The name of the table.
        may_collect: Whether the relation may be read into memory.

    Raises:
        FileLimitError: The relation has to be read into memory, and is too large.
        InvalidInputError: It has no fixed order and may not be read into memory, or DuckDB cannot run it.
    """
    duckdb: Any = importlib.import_module("duckdb")
    try:
        unordered = _find_unordered(relation)
        if not unordered:
            return _number_rows(relation, Engine("duckdb", reason), name)
        if not may_collect:
            raise InvalidInputError(
                f"The rows of the relation have no fixed order ({unordered}), so DuckDB cannot number them. "
                "Save its result with relation.to_table() or to_parquet() and inspect that, or leave out "
                "engine='duckdb'."
            )
        shape = relation.shape
        limits.check_shape(int(shape[0]), int(shape[1]), "The relation")
    except duckdb.Error as error:
        raise InvalidInputError(_describe_failure(error)) from error
    table = collect_relation(relation, name)
    why = f"The rows of the relation have no fixed order in DuckDB ({unordered}), so it was read into memory."
    return replace(table, engine=Engine("polars", why))


def collect_relation(relation: Any, name: str | None = None) -> Table:
    """Read a relation into memory.

    Raises:
        InvalidInputError: DuckDB cannot run it.
    """
    duckdb: Any = importlib.import_module("duckdb")
    try:
        return from_arrow(relation.to_arrow_table(), name)
    except duckdb.Error as error:
        raise InvalidInputError(_describe_failure(error)) from error


def open_parquet(
    paths: Sequence[Path], name: str, reason: str, *, memory_limit: int, time_zone: str = "UTC"
) -> Table:
    """Return Parquet files as one table that DuckDB reads for each query, within a limit on its memory.

    What does not fit is written to the folder for temporary files.

    Args:
        paths: The files in order.
        name: The name of the table.
        reason: Why DuckDB reads the files, as a sentence.
        memory_limit: The memory that DuckDB may use, in bytes.
        time_zone: The zone of all times with a zone.

    Raises:
        UnreadableTableError: DuckDB is not installed, or cannot read the files.
    """
    duckdb = import_duckdb(name)
    config = {
        "memory_limit": f"{max(1, memory_limit // 1024**2)}MB",
        "autoinstall_known_extensions": "false",
        "preserve_insertion_order": "true",
    }
    try:
        connection = duckdb.connect(":memory:", config=config)
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = $zone", {"zone": time_zone})
        # Polars and PyArrow do not write whether a column has NaN, and DuckDB would not look for it.
        relation = connection.sql(
            "SELECT * FROM read_parquet($paths, can_have_nan = true)", params={"paths": list(map(str, paths))}
        )
        return _number_rows(relation, Engine("duckdb", reason), name)
    except duckdb.Error as error:
        line = str(error).partition("\n")[0].rstrip(".")
        raise UnreadableTableError(
            f"{name} cannot be read by DuckDB: {line}. Save the table as Parquet again, all files with the "
            "same columns, or use engine='polars'."
        ) from error


def import_duckdb(name: str) -> Any:
    """Return the module duckdb.

    Raises:
        UnreadableTableError: It is not installed.
    """
    try:
        return importlib.import_module("duckdb")
    except ImportError as error:
        raise UnreadableTableError(
            f"DuckDB is not installed, so it cannot read {name}; install it with "
            "pip install lavendertown[duckdb], or use engine='polars'."
        ) from error


def _describe_failure(error: Exception) -> str:
    line = str(error).partition("\n")[0].rstrip(".")
    return f"DuckDB cannot run the relation: {line}. Correct it."


def _number_rows(relation: Any, engine: Engine, name: str | None) -> Table:
    labels = list(relation.columns)
    # By position: names may repeat, or be "row".
    keys = {f"s{i}": label for i, label in enumerate(labels)}
    columns = ", ".join(
        f"{_CASTS.get(str(kind), '#{}').format(i + 1)} AS {key}"
        for i, (key, kind) in enumerate(zip(keys, relation.dtypes, strict=True))
    )
    numbered = relation.project(f"(row_number() OVER ()) - 1 AS {ROW}, {columns}")
    types = {key: str(kind) for key, kind in zip(keys, relation.dtypes, strict=True)}
    return from_lazy_frame(nw.from_native(numbered), keys, engine, name, native_types=types)


def _find_unordered(relation: Any) -> str:
    """Return the first operator that may change the order of rows, in words; empty if there is none."""
    plan = str(relation.explain(format="json"))
    # A plan shows the names of computed columns only.
    if match := _VOLATILE.search(f"{relation.sql_query()} {plan}"):
        return f"it calls {match.group()})"
    other = next((name for name in _list_operators(json.loads(plan)) if name not in _ORDERED), None)
    return f"DuckDB's step {other}" if other else ""


def _list_operators(nodes: Any) -> Iterator[str]:
    for node in nodes:
        yield str(node["name"]).strip()
        yield from _list_operators(node["children"])
