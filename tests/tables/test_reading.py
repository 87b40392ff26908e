"""One door for all formats: sources, names, and files that are not what they say."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pytest

from lavendertown.errors import InvalidInputError, UnreadableTableError
from lavendertown.tables import read_table


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
        (b"a,b\n1,2\n", "o.xlsx", r"not an Excel file.*it is text"),
        (b"a,b\n1,2\n", "o.parquet", r"not a Parquet file.*it is text"),
        (b"\x00\x01\x02\x03", "o.parquet", "not a Parquet file.*damaged"),
        (b"PAR1 and no more", "o.parquet", "damaged or cut off Parquet file"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "o.csv.gz", "gzipped, but damaged"),
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
    with pytest.raises(InvalidInputError, match="neither a path nor a file"):
        read_table(3)  # type: ignore[arg-type]
