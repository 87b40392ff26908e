"""Read files with typed columns: Parquet, Arrow (Feather), ORC and Avro."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.orc as orc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from lavendertown.core.errors import FileLimitError, UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.tables.frames import from_arrow, from_typed_columns
from lavendertown.tables.reader_errors import is_reader_error
from lavendertown.tables.table import Table

ARROW_FILE = b"ARROW1\x00"
ARROW_STREAM = b"\xff\xff\xff\xff"
AVRO = b"Obj\x01"
_AVRO_SYNC_BYTES = 16
_INFLATE_STEP = 1 << 20
_MAX_VARINT_BYTES = 10


def read_parquet(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Table:
    """Read a Parquet file as a table.

    Raises:
        FileLimitError: The file exceeds a limit, by its own description.
    """
    shape = pq.read_metadata(io.BytesIO(raw))
    limits.check_shape(shape.num_rows, shape.num_columns, name)
    groups = (shape.row_group(i) for i in range(shape.num_row_groups))
    limits.check_size(sum(group.total_byte_size for group in groups), name)
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except pl.exceptions.PolarsError:
        # Polars refuses equal column names and decimals of more than 38 digits; PyArrow reads both.
        table = pq.ParquetFile(io.BytesIO(raw)).read()
        table.validate(full=True)
        return _check_split_columns(from_arrow(table, name=name), limits)
    return _from_polars(frame, name, limits)


def read_arrow(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Table:
    """Read an Arrow IPC file (also called Feather) or stream as a table.

    Raises:
        FileLimitError: The file exceeds a limit; its size is counted while it is read.
    """
    if raw.startswith(ARROW_FILE):
        file = pa.ipc.open_file(pa.py_buffer(raw))
        batches: Iterable[pa.RecordBatch] = (file.get_batch(i) for i in range(file.num_record_batches))
        return _collect_batches(file.schema, batches, name, limits)
    stream = pa.ipc.open_stream(pa.py_buffer(raw))
    return _collect_batches(stream.schema, stream, name, limits)


def read_orc(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Table:
    """Read an ORC file as a table.

    Raises:
        FileLimitError: The file exceeds a limit; its size is counted while it is read.
    """
    file = orc.ORCFile(pa.BufferReader(raw))
    limits.check_shape(file.nrows, len(file.schema), name)
    stripes = (file.read_stripe(i) for i in range(file.nstripes))
    return _collect_batches(file.schema, stripes, name, limits)


def read_avro(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Table:
    """Read an Avro file as a table.

    Raises:
        FileLimitError: The file exceeds a limit.
        UnreadableTableError: The file is damaged, or Polars does not read one of its types.
    """
    _check_avro_blocks(raw, name, limits)
    try:
        frame = pl.read_avro(io.BytesIO(raw))
    except BaseException as error:
        if not is_reader_error(error):
            raise
        raise UnreadableTableError(
            f"{name} is damaged or has an Avro type that is not supported; save the table as Parquet or CSV."
        ) from error
    limits.check_shape(frame.height, frame.width, name)
    return _from_polars(frame, name, limits)


def _from_polars(frame: pl.DataFrame, name: str, limits: FileLimits) -> Table:
    table = from_typed_columns(frame.columns, frame.get_columns(), height=frame.height, name=name)
    return _check_split_columns(table, limits)


def _check_split_columns(table: Table, limits: FileLimits) -> Table:
    """Check the limits again, because splitting structs adds columns."""
    limits.check_shape(table.row_count, len(table.columns), table.name or "")
    return table


def _collect_batches(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], name: str, limits: FileLimits
) -> Table:
    limits.check_shape(0, len(schema), name)
    kept: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        rows, size = rows + batch.num_rows, size + batch.get_total_buffer_size()
        limits.check_shape(rows, len(schema), name)
        limits.check_size(size, name)
        kept.append(batch)
    table = pa.Table.from_batches(kept, schema=schema)
    table.validate(full=True)  # Arrow trusts the offsets in a file; a wrong one reads foreign memory
    return _check_split_columns(from_arrow(table, name=name), limits)


def _check_avro_blocks(raw: bytes, name: str, limits: FileLimits) -> None:
    """Raise if the blocks of an Avro file hold too many rows or unpack to too many bytes."""
    try:
        metadata, at = _read_avro_header(raw)
        codec, columns = _avro_codec(metadata), _count_avro_columns(metadata)
        rows = size = 0
        while at < len(raw):
            count, at = _read_varint(raw, at)
            length, at = _read_varint(raw, at)
            if count < 0 or not 0 <= length <= len(raw) - at - _AVRO_SYNC_BYTES:
                raise ValueError("a block is longer than the file")
            rows += count
            limits.check_shape(rows, columns, name)
            size = _add_unpacked_size(raw[at : at + length], codec, size, name, limits)
            at += length + _AVRO_SYNC_BYTES
    except FileLimitError:
        raise  # it is a ValueError too
    except (IndexError, ValueError, zlib.error) as error:
        raise UnreadableTableError(f"{name} is a damaged or truncated Avro file; export it again.") from error


def _read_avro_header(raw: bytes) -> tuple[dict[bytes, bytes], int]:
    metadata: dict[bytes, bytes] = {}
    at = len(AVRO)
    while True:
        count, at = _read_varint(raw, at)
        if count == 0:
            return metadata, at + _AVRO_SYNC_BYTES
        if count < 0:  # then the size of the entries follows
            count, (_, at) = -count, _read_varint(raw, at)
        for _ in range(count):
            key, at = _read_avro_bytes(raw, at)
            metadata[key], at = _read_avro_bytes(raw, at)


def _read_avro_bytes(raw: bytes, at: int) -> tuple[bytes, int]:
    length, at = _read_varint(raw, at)
    if not 0 <= length <= len(raw) - at:
        raise ValueError("a field is longer than the file")
    return raw[at : at + length], at + length


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return the integer (zigzag encoded) at a position, and the position after it."""
    value = 0
    for i in range(_MAX_VARINT_BYTES):
        byte = raw[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at + i + 1
    raise ValueError("a number is too long")


def _avro_codec(metadata: dict[bytes, bytes]) -> str:
    return metadata.get(b"avro.codec", b"null").decode("ascii")


def _count_avro_columns(metadata: dict[bytes, bytes]) -> int:
    schema = json.loads(metadata[b"avro.schema"]) if b"avro.schema" in metadata else None
    return len(schema.get("fields", [])) if isinstance(schema, dict) else 1


def _add_unpacked_size(block: bytes, codec: str, size: int, name: str, limits: FileLimits) -> int:
    if codec == "deflate":
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        rest = block
        while rest and not inflater.eof:
            size += len(inflater.decompress(rest, _INFLATE_STEP))
            limits.check_size(size, name)
            rest = inflater.unconsumed_tail
        return size
    if codec == "snappy":  # begins with the unpacked size, as an unsigned varint
        for i in range(_MAX_VARINT_BYTES):
            size += (block[i] & 0x7F) << (7 * i)
            if block[i] < 0x80:
                break
    else:
        size += len(block)
    limits.check_size(size, name)
    return size
