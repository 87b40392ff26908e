"""Arrow (Feather), ORC and Avro files, whole, damaged and too large."""

from __future__ import annotations

import datetime as dt
import io
import json
import zlib
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.core.table_formats import FILE_ENDINGS
from lavendertown.errors import FileLimitError, UnreadableTableError
from lavendertown.inspector import Inspector
from lavendertown.tables import read_table

FRAME = pl.DataFrame(
    {"id": [1, 2, None], "city": ["Ulm", None, "Köln"], "day": [dt.date(2026, 5, 1), None, None]}
)
SMALL = FileLimits(uncompressed_bytes=1_000_000, cells=10_000, columns=100)


def arrow_file(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc(out, compression="zstd")
    return out.getvalue()


def arrow_stream(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc_stream(out)
    return out.getvalue()


def orc_file(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    orc.write_table(frame.to_arrow(), out, compression="zstd")
    return out.getvalue()


def avro_file(codec: str) -> Callable[[pl.DataFrame], bytes]:
    def write(frame: pl.DataFrame) -> bytes:
        out = io.BytesIO()
        frame.write_avro(out, compression=codec)  # type: ignore[arg-type]
        return out.getvalue()

    return write


WRITERS = [
    pytest.param(arrow_file, "feather", id="feather"),
    pytest.param(arrow_file, "arrow", id="arrow"),
    pytest.param(arrow_stream, "arrows", id="stream"),
    pytest.param(orc_file, "orc", id="orc"),
    pytest.param(avro_file("uncompressed"), "avro", id="avro"),
    pytest.param(avro_file("deflate"), "avro", id="avro-deflate"),
    pytest.param(avro_file("snappy"), "avro", id="avro-snappy"),
]


@pytest.mark.parametrize(("write", "ending"), WRITERS)
@pytest.mark.parametrize("name", ["orders.{}", "upload"])
def test_the_values_and_types_are_kept(
    write: Callable[[pl.DataFrame], bytes], ending: str, name: str
) -> None:
    table = read_table(write(FRAME), name.format(ending))
    assert table.frame.collect().to_native()[["c0", "c1", "c2"]].rows() == FRAME.rows()
    assert (table.columns, [column.kind for column in table.schema]) == (
        ["id", "city", "day"],
        ["number", "text", "time"],
    )
    assert ending in FILE_ENDINGS


@pytest.mark.parametrize(("write", "ending"), WRITERS)
def test_a_truncated_file_is_one_sentence(write: Callable[[pl.DataFrame], bytes], ending: str) -> None:
    raw = write(FRAME)
    for cut in (8, len(raw) // 3, len(raw) // 2, len(raw) - 9):
        with pytest.raises(UnreadableTableError, match=r"^o\.\w+ (is|has) "):
            read_table(raw[:cut], f"o.{ending}")


@pytest.mark.parametrize(("write", "ending"), WRITERS)
def test_too_many_cells_or_columns_or_bytes_are_refused(
    write: Callable[[pl.DataFrame], bytes], ending: str
) -> None:
    long = pl.DataFrame({"a": range(20_000)})
    with pytest.raises(FileLimitError, match="20,000 cells"):
        read_table(write(long), f"o.{ending}", SMALL)
    wide = pl.DataFrame({f"c{i}": [1] for i in range(200)})
    with pytest.raises(FileLimitError, match="200 columns; the limit is 100"):
        read_table(write(wide), f"o.{ending}", SMALL)
    heavy = pl.DataFrame({"a": ["x" * 2_000_000]})
    with pytest.raises(FileLimitError, match="unpacks to more than the limit"):
        read_table(write(heavy), f"o.{ending}", SMALL)


def avro_blocks(schema: object, codec: str, blocks: list[tuple[int, bytes]]) -> bytes:
    """Return an Avro file with these blocks, each the claimed number of rows and the packed bytes."""

    def number(value: int) -> bytes:
        value = value << 1
        out = b""
        while value >= 0x80:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    def text(value: bytes) -> bytes:
        return number(len(value)) + value

    head = b"Obj\x01" + number(2) + text(b"avro.schema") + text(json.dumps(schema).encode())
    head += text(b"avro.codec") + text(codec.encode()) + number(0)
    sync = bytes(range(16))
    return head + sync + b"".join(number(rows) + text(packed) + sync for rows, packed in blocks)


def test_avro_rows_without_bytes_are_counted_before_they_are_read() -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "null"}]}
    with pytest.raises(FileLimitError, match="1,000,000,000,000 cells"):
        read_table(avro_blocks(schema, "null", [(10**12, b"")]), "o.avro")


def test_an_avro_block_is_refused_while_it_is_unpacked() -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "string"}]}
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(5_000_000)) + packer.flush()
    with pytest.raises(FileLimitError, match="unpacks to more than the limit"):
        read_table(avro_blocks(schema, "deflate", [(1, block)]), "o.avro", SMALL)


def test_an_avro_type_that_is_not_supported_says_what_to_save() -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": ["int", "string"]}]}
    with pytest.raises(UnreadableTableError, match=r"o\.avro .*; save the table as Parquet or CSV"):
        read_table(avro_blocks(schema, "null", [(1, b"\x00\x02")]), "o.avro")


def test_equal_column_names_are_told_apart() -> None:
    out = io.BytesIO()
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    assert read_table(out.getvalue(), "o.arrow").columns == ["a", "a (2)"]


NESTED_MAP = pa.map_(pa.string(), pa.int64())
NESTED = {
    "map": pa.array([[("a", 1)], None, [("b", None)]], NESTED_MAP),
    "map of lists": pa.array([[(1, [1])], None, []], pa.map_(pa.int64(), pa.list_(pa.int64()))),
    "struct": pa.array([{"x": 1, "y": {"z": 1}}, None, {"x": 2, "y": None}]),
    "struct of maps": pa.array([{"m": [("a", 1)]}, None, {"m": None}], pa.struct([("m", NESTED_MAP)])),
    "list of maps": pa.array([[[("a", 1)]], None, []], pa.list_(NESTED_MAP)),
    "list": pa.array([[1], None, []], pa.list_(pa.int64())),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None, "{}"])),
    "binary": pa.array([b"a", None, b"\xff"]),
}


@pytest.mark.parametrize("kind", NESTED)
def test_every_check_runs_on_nested_columns(kind: str) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"x": NESTED[kind], "id": [1, 2, 3]}), out)
    inspector = Inspector((out.getvalue(), "o.parquet"))
    assert {finding.ghost_type for finding in inspector.detect()} <= {"null", "constant"}
    assert len(inspector.table.rows([0, 1, 2])) == 3


def test_structs_are_split_and_what_stays_nested_is_named() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"s": NESTED["struct"], "m": NESTED["map"]}), out)
    table = read_table(out.getvalue(), "o.parquet")
    assert table.columns == ["s.x", "s.y", "m"]
    assert table.guesses == [
        "s: objects, read as one column for each field.",
        "s.y, m: lists, objects or binary values, kept whole; what is inside is not checked.",
    ]


def test_split_fields_count_for_the_limit() -> None:
    frame = pl.DataFrame({"s": [{"x": 1, "y": 2, "z": 3}]})
    with pytest.raises(FileLimitError, match="3 columns; the limit is 2"):
        read_table(arrow_file(frame), "o.arrow", FileLimits(columns=2))
    with pytest.raises(FileLimitError, match="3 columns; the limit is 2"):
        read_table(avro_file("deflate")(frame), "o.avro", FileLimits(columns=2))
