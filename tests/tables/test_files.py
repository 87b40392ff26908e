"""One door for all formats: sources, names, and files that are not what they say."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lavendertown.errors import InvalidInputError, UnreadableTableError
from lavendertown.tables import read_table
from lavendertown.tables.reader_errors import translate_reader_errors


def parquet() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"a": [1, None], "b": ["x", "y"]}).write_parquet(out)
    return out.getvalue()


def test_a_path_bytes_and_an_open_file_give_the_same_table(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a,b\n1,x\n")
    opened = io.BytesIO(path.read_bytes())
    opened.read()  # An upload that somebody looked at before.
    for table in (read_table(path), read_table(str(path)), read_table(opened, "orders.csv")):
        assert (table.name, table.columns, table.row_count) == ("orders.csv", ["a", "b"], 1)


def test_parquet_is_read() -> None:
    table = read_table(parquet(), "orders.parquet")
    assert table.frame.collect()["c0"].to_list() == [1, None]


def test_parquet_columns_with_equal_names_are_told_apart() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"]), out)
    table = read_table(out.getvalue(), "orders.parquet")
    assert table.columns == ["a", "a (2)"]
    assert "Several columns are called 'a'; number 2 is called 'a (2)' here." in table.guesses


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.csv", content)
    return out.getvalue()


def tar_archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        packed.addfile(tarfile.TarInfo("orders.csv"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (
            b"FEA1" + bytes(90),
            "o.feather",
            "a Feather file of the old version 1, .*; save the table as",
        ),
        (archive(a=b"x", b=b"y"), "o.csv", r"its content is a zip file\. Rename it to end in \.zip"),
        (tar_archive(), "o.tar", "a tar archive, which is not supported; unpack it first"),
        (gzip.compress(tar_archive(), mtime=0), "o.tar.gz", "a tar archive, which is not supported"),
        (bz2.compress(b"a,b\n1,2\n"), "o.csv.bz2", "compressed with bzip2, .*; unpack it first"),
        (lzma.compress(b"a,b\n1,2\n"), "o.csv.xz", "compressed with xz, .*; unpack it first"),
        (b"<!DOCTYPE html><table>", "o.xls", "an HTML page, which is not supported; save the table as"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "o.xml", "an XML file, which is not supported; save"),
        (b"<rows>\n<row><a>1</a></row>\n</rows>", "o.xml", "an XML file, which is not supported; save"),
        (b"- a: 1\n- a: 2\n", "o.YAML", "a YAML file, which is not supported; save"),
        (b"\x00SAS FILE", "o.sas7bdat", "a SAS file, which is not supported; save"),
        (b"$FL2@(#) SPSS", "o.sav", "an SPSS file, which is not supported; save"),
        (
            gzip.compress(b"SQLite format 3\x00", mtime=0),
            "o.db.gz",
            "a database, which is read only as a single file",
        ),
        (b"[" * 200_000 + b"]" * 200_000, "o.json", "nested too deeply"),
        (b'{"a": 1}\n' + b'{"a":' * 90_000 + b"1" + b"}" * 90_000, "o.jsonl", "nested too deeply"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_what_to_do(raw: bytes, name: str, message: str) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read_table(raw, name)


def test_an_archive_of_an_unknown_version_is_a_sentence() -> None:
    packed = bytearray(archive(a=b"x"))
    packed[packed.rindex(b"PK\x01\x02") + 6] = 255
    with pytest.raises(UnreadableTableError, match=r"o\.zip is a damaged zip archive or compressed"):
        read_table(bytes(packed), "o.zip")


def test_a_text_that_begins_like_another_format_is_read() -> None:
    assert read_table(b"ORC,BZh\n1,2\n", "o.csv").columns == ["ORC", "BZh"]


def test_a_panic_of_a_library_is_a_sentence() -> None:
    wide = pa.array([1], type=pa.decimal256(60, 0))
    with (
        pytest.raises(UnreadableTableError, match=r"o\.parquet is a damaged or truncated Parquet file"),
        translate_reader_errors("o.parquet", "Parquet"),
    ):
        pl.from_arrow(wide)


def test_an_error_of_our_own_is_not_called_damage() -> None:
    with pytest.raises(KeyError), translate_reader_errors("o.parquet", "Parquet"):
        raise KeyError("ours")


def test_a_gzipped_csv_is_read() -> None:
    assert read_table(gzip.compress(b"a,b\n1,2\n"), "orders.csv.gz").columns == ["a", "b"]


def test_a_name_without_ending_is_judged_by_content() -> None:
    assert read_table(parquet(), "upload").columns == ["a", "b"]
    assert read_table(b'[{"a": 1}]', "upload").columns == ["a"]
    assert read_table(b"a,b\n1,2\n", "upload").columns == ["a", "b"]


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (b"", "o.csv", r"o\.csv is empty \(0 bytes\)"),
        (b"PK\x03\x04rest", "o.csv", r"not a CSV file.*an Excel file\. Rename it to end in \.xlsx"),
        (b"a,b\n1,2\n", "o.xlsx", r"not an Excel file.*its content is text"),
        (b"a,b\n1,2\n", "o.parquet", r"not a Parquet file.*its content is text"),
        (b"\x00\x01\x02\x03", "o.parquet", "not a Parquet file.*damaged"),
        (b"PAR1 and no more", "o.parquet", "damaged or truncated Parquet file"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "o.csv.gz", "damaged or truncated gzip file"),
    ],
)
def test_a_bad_file_is_one_clear_sentence(raw: bytes, name: str, message: str) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read_table(raw, name)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTableError, match=r"There is no file .*gone\.csv"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(UnreadableTableError, match="is a folder"):
        read_table(tmp_path)


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="neither a path nor an open file"):
        read_table(3)  # type: ignore[arg-type]
