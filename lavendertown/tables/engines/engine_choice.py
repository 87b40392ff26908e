"""Choose the engine that computes on a table: Polars in memory, or the engine that the data is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import narwhals as nw
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import MEGABYTE, FileLimits
from lavendertown.core.reading import DETECT, Reading
from lavendertown.tables.engines.cluster_frames import from_dask, from_spark, is_dask_frame, is_spark_frame
from lavendertown.tables.engines.relations import (
    collect_relation,
    from_relation,
    import_duckdb,
    is_relation,
    open_parquet,
)
from lavendertown.tables.frames import from_frame
from lavendertown.tables.sources.archives import list_names
from lavendertown.tables.sources.part_files import common_name, read_part_files
from lavendertown.tables.table import IN_MEMORY, Engine, Table
from lavendertown.tables.value_settings import VALUE_SETTINGS, note_unused_settings

EngineChoice = Literal["auto", "polars", "duckdb"]
ENGINE_CHOICES: tuple[EngineChoice, ...] = get_args(EngineChoice)

LARGE_FILE_BYTES = 500 * MEGABYTE
"""The size of unpacked Parquet files from which on DuckDB reads them."""

LARGE_RELATION_CELLS = 1_000_000
"""Rows times columns of a relation of DuckDB from which on it stays there."""

_PARQUET = b"PAR1"
_DUCKDB_SHARE = 0.5
"""The part of the memory limit that DuckDB may use; the rest is for what is computed with its answers."""

_LEAST_DUCKDB_BYTES = 128 * MEGABYTE


def check_engine(engine: str) -> None:
    """Refuse an engine that does not exist.

    Raises:
        InvalidInputError: There is no such engine.
    """
    if engine not in ENGINE_CHOICES:
        raise InvalidInputError(f"There is no engine {engine!r}; use {', '.join(ENGINE_CHOICES)}.")


def read_parts_on(
    paths: Sequence[Path], name: str | None, limits: FileLimits, reading: Reading, engine: EngineChoice
) -> Table:
    """Read files with the same columns as one table, on the engine that fits.

    Args:
        paths: The files in order.
        name: The name of the table; by default that of the files.
        limits: The limits on the size of the files together.
        reading: Settings that are known.
        engine: The engine; ``auto`` for DuckDB if the files are Parquet and large.

    Raises:
        FileLimitError: The files exceed a limit.
        InvalidInputError: The engine cannot read the files.
        UnreadableTableError: A file cannot be read, or its columns differ from the first.
    """
    table = open_on_duckdb(paths, name or common_name(paths), limits, reading, engine)
    if table is None:
        table = read_part_files(paths, limits, reading)
        table = replace(table, name=name or table.name)
    if len(paths) > 1 and table.engine.name == "duckdb":
        parts = f"Read {len(paths):,} files as one table: {list_names([path.name for path in paths])}."
        table = replace(table, guesses=[parts, *table.guesses])
    return table


def open_on_duckdb(
    paths: Sequence[Path], name: str, limits: FileLimits, reading: Reading, engine: EngineChoice
) -> Table | None:
    """Return Parquet files as a table on DuckDB; None if they are to be read into memory.

    Raises:
        FileLimitError: The files have too many columns.
        InvalidInputError: DuckDB is wanted, but cannot read the files or apply the settings.
        UnreadableTableError: DuckDB is wanted, but not installed.
    """
    if engine == "polars":
        return None
    found = _describe_parquet(paths)
    obstacle = found if isinstance(found, str) else _find_unfit_setting(reading)
    if obstacle:
        if engine == "duckdb":
            raise InvalidInputError(f"DuckDB cannot check {name}: {obstacle}. Use the engine 'auto'.")
        return None
    assert isinstance(found, _ParquetSize)
    if engine == "auto":
        if found.unpacked_bytes <= min(LARGE_FILE_BYTES, limits.uncompressed_bytes) and (
            found.rows * found.columns <= limits.cells
        ):
            return None
        try:
            import_duckdb(name)
        except UnreadableTableError:
            return None  # Polars reads the file, or says that it is too large.
        reason = (
            f"The table has {found.rows:,} rows and {found.unpacked_bytes // MEGABYTE:,} MB unpacked, so "
            "DuckDB reads it in parts instead of into memory."
        )
    else:
        reason = "DuckDB was chosen."
    limits.check_shape(0, found.columns, name)
    allowed = max(_LEAST_DUCKDB_BYTES, int(limits.memory_bytes * _DUCKDB_SHARE))
    table = open_parquet(paths, name, reason, memory_limit=allowed, time_zone=found.time_zone)
    return note_unused_settings(table, reading, "a Parquet file", "parquet")


def open_frame(data: Any, limits: FileLimits, engine: EngineChoice) -> Table:
    """Return a frame as a table, on the engine that fits.

    Args:
        data: A pandas or Polars frame, an Arrow table, or a relation of DuckDB.
        limits: The limits on a relation that is read into memory.
        engine: The engine; ``auto`` leaves large relations in DuckDB.

    Raises:
        FileLimitError: A relation has to be read into memory, and is too large.
        InvalidInputError: The frame is not supported, or not by the engine.
    """
    if is_dask_frame(data) or is_spark_frame(data):
        return _open_cluster_frame(data, limits, engine)
    if not is_relation(data):
        if engine == "duckdb":
            raise InvalidInputError(
                f"A {type(data).__name__} is in memory already; leave out engine='duckdb', or pass a "
                "relation of DuckDB or the path of a Parquet file."
            )
        return from_frame(data)
    if engine == "duckdb":
        return from_relation(data, limits, "DuckDB was chosen.", may_collect=False)
    if engine == "polars":
        return _collect(data, limits, "Polars was chosen.")
    reason = "The relation is large, so it stays in DuckDB."
    table = from_relation(data, limits, reason, may_collect=True)
    if table.engine.name == IN_MEMORY.name or table.row_count * len(table.columns) > LARGE_RELATION_CELLS:
        return table
    return _collect(data, limits, "The relation is small, so it was read into memory.")


@dataclass(frozen=True)
class _ParquetSize:
    rows: int
    columns: int
    unpacked_bytes: int
    time_zone: str


def _describe_parquet(paths: Sequence[Path]) -> _ParquetSize | str:
    """Return the size of Parquet files with the same columns; else why they are not such, as a clause."""
    rows = size = 0
    first: pa.Schema | None = None
    for path in paths:
        try:
            with path.open("rb") as file:
                is_parquet = file.read(len(_PARQUET)) == _PARQUET
            if not is_parquet:
                return f"{path.name} is not a Parquet file"
            metadata = pq.read_metadata(path)
            schema = metadata.schema.to_arrow_schema().remove_metadata()
        except (OSError, ValueError, pa.ArrowException) as error:
            return f"{path.name} cannot be read ({str(error).partition(chr(10))[0].rstrip('.')})"
        if first is not None and not schema.equals(first):
            return f"{path.name} has other columns or types than {paths[0].name}"
        if len(set(schema.names)) < len(schema.names):
            return f"{path.name} has several columns of one name"
        first = schema
        rows += metadata.num_rows
        size += sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    assert first is not None
    zones = {field.type.tz for field in first if pa.types.is_timestamp(field.type)} - {None}
    if len(zones) > 1:
        return f"its columns have times in several zones ({list_names(sorted(zones))})"
    return _ParquetSize(rows, len(first.names), size, next(iter(zones), "UTC"))


def _find_unfit_setting(reading: Reading) -> str:
    given = [name for name in VALUE_SETTINGS if getattr(reading, name) != getattr(DETECT, name)]
    return "settings for its values are given, which only tables in memory have" if given else ""


def _open_cluster_frame(data: Any, limits: FileLimits, engine: EngineChoice) -> Table:
    noun = "Dask" if is_dask_frame(data) else "Spark"
    if engine == "duckdb":
        raise InvalidInputError(
            f"DuckDB cannot check a data frame of {noun}; leave out engine='duckdb', or save it as Parquet "
            "and pass the path."
        )
    table = from_dask(data) if noun == "Dask" else from_spark(data)
    if engine == "auto":
        return table
    limits.check_shape(table.row_count, len(table.columns), f"The {noun} data frame")
    frame = nw.from_native(data).lazy().collect("polars").to_native()
    return replace(from_frame(frame), engine=Engine("polars", "Polars was chosen."))


def _collect(relation: Any, limits: FileLimits, reason: str) -> Table:
    shape = relation.shape
    limits.check_shape(int(shape[0]), int(shape[1]), "The relation")
    return replace(collect_relation(relation), engine=Engine("polars", reason))
