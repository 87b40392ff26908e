"""Several files as one table."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import FileLimitError, UnreadableTableError
from lavendertown.inspector import Inspector
from lavendertown.tables import Table
from lavendertown.tables.sources.part_files import (
    find_matching_files,
    is_pattern,
    list_data_files,
    read_part_files,
)


def write(folder: Path, files: dict[str, str | bytes]) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return [folder / name for name in files]


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


def test_rows_follow_each_other_in_the_order_of_the_files(tmp_path: Path) -> None:
    paths = write(tmp_path, {"orders-1.csv": "id,x\n1,a\n2,\n", "orders-2.csv": "id,x\n3,\n"})
    table = read_part_files(paths)
    assert (table.columns, table.row_count, table.name) == (["id", "x"], 3, "orders-1.csv")
    assert (values(table, "id"), values(table, "x")) == ([1, 2, 3], ["a", None, None])
    assert table.guesses[0] == "Read 2 files as one table: orders-1.csv (rows 0–1), orders-2.csv (rows 2–2)."
    (finding,) = Inspector(table).detect()
    assert finding.row_indices == [1, 2]


def test_columns_in_another_order_are_aligned(tmp_path: Path) -> None:
    table = read_part_files(write(tmp_path, {"a.csv": "id,x\n1,a\n", "b.csv": "x,id\nb,2\n"}))
    assert (values(table, "id"), values(table, "x")) == ([1, 2], ["a", "b"])


def test_the_type_of_a_text_column_is_inferred_from_all_files(tmp_path: Path) -> None:
    files = {"a.csv": "zip;n\n10115;1\n10117;2\n", "b.csv": "zip;n\n01067;\n", "c.csv": "zip;n\n80331;1.5\n"}
    table = read_part_files(write(tmp_path, dict(files)))
    assert values(table, "zip") == ["10115", "10117", "01067", "80331"]
    assert values(table, "n") == [1.0, 2.0, None, 1.5]


def test_a_short_part_is_read_like_the_first(tmp_path: Path) -> None:
    table = read_part_files(write(tmp_path, {"a.csv": "1;a\n2;b,c\n3;d\n", "b.csv": "4;e,f\n"}))
    assert (table.columns, table.row_count) == (["column 1", "column 2"], 4)
    assert values(table, "column 1") == [1, 2, 3, 4]


def test_a_part_with_only_a_header_has_no_rows(tmp_path: Path) -> None:
    table = read_part_files(write(tmp_path, {"a.csv": "id\tx\n1\ta\n", "b.csv": "id\tx\n", "c.csv": ""}))
    assert table.row_count == 1
    assert table.guesses[:2] == [
        "Read 2 files as one table: a.csv (rows 0–0), b.csv (no rows).",
        "Left out, because they are empty: c.csv.",
    ]


def test_parts_may_be_compressed_and_in_several_encodings(tmp_path: Path) -> None:
    files = {"a.csv.gz": gzip.compress(b"id,x\n1,a\n"), "b.csv": "id,x\n2,Köln\n".encode("utf-16")}
    assert values(read_part_files(write(tmp_path, dict(files))), "x") == ["a", "Köln"]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "avro"])
def test_typed_parts_are_joined(tmp_path: Path, ending: str) -> None:
    writers = {"parquet": "write_parquet", "arrow": "write_ipc", "avro": "write_avro"}
    frames = [
        pl.DataFrame({"id": [2**62, 2], "x": ["a", None], "s": [{"k": 1}, None]}),
        pl.DataFrame({"id": pl.Series([None], dtype=pl.Int64), "x": ["b"], "s": [{"k": 3}]}),
    ]
    for i, frame in enumerate(frames):
        getattr(frame, writers[ending])(tmp_path / f"part-{i}.{ending}")
    table = read_part_files(list_data_files(tmp_path))
    assert table.name == tmp_path.name
    assert (values(table, "id"), values(table, "s.k")) == ([2**62, 2, None], [1, None, 3])


def test_numbers_of_several_types_are_kept_exactly(tmp_path: Path) -> None:
    pl.DataFrame({"id": [-1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"id": [2**63 + 1]}, schema={"id": pl.UInt64}).write_parquet(tmp_path / "b.parquet")
    table = read_part_files(list_data_files(tmp_path))
    assert [int(str(value)) for value in values(table, "id")] == [-1, 2**63 + 1]
    assert table.column("id").kind == "number"


def test_cells_that_differ_in_kind_keep_their_kinds(tmp_path: Path) -> None:
    parts = [[{"a": 1, "b": [1]}, {"a": None, "b": None}], [{"a": "x", "b": "y"}], [{"a": True, "b": 2}]]
    files = {f"{i}.json": json.dumps(part) for i, part in enumerate(parts)}
    table = read_part_files(write(tmp_path, dict(files)))
    frame = table.frame.collect()
    assert values(table, "a") == ["1", None, "x", "True"]
    assert frame[str(table.column("a").kinds_key)].to_list() == ["number", None, "text", "yes/no"]
    assert frame[str(table.column("b").kinds_key)].to_list() == ["nested", None, "text", "number"]


def test_error_cells_of_workbooks_are_kept(tmp_path: Path) -> None:
    for name, cell in (("a.xlsx", 1.5), ("b.xlsx", "#DIV/0!")):
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in (["id", "x"], [1, 2.5], [2, cell]):
            book.active.append(row)
        if isinstance(cell, str):
            book.active["B3"].data_type = "e"
        book.save(tmp_path / name)
    found = Inspector(read_part_files(list_data_files(tmp_path))).detect()
    assert [finding.row_indices for finding in found if "#DIV/0!" in finding.description] == [[3]]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a.csv": "id,x\n1,a\n", "b.csv": "id\n2\n"},
            r"b\.csv has no column x, which a\.csv has; check files with different columns one by one",
        ),
        (
            {"a.csv": "id,x\n1,a\n", "b.csv": "id,x,y\n2,b,c\n"},
            r"b\.csv has a column y, which a\.csv does not",
        ),
        ({"a.json": '[{"id": 1}]', "b.json": '[{"key": 1}]'}, r"b\.json has no column id, which a\.json has"),
        ({"a.csv": "id,x\n1,a\n", "b.json": '[{"id": 1}]'}, r"b\.json has another format than a\.csv"),
        ({"a.csv": "id,x\n1,a\n", "b.csv": b"\x00\x01\x02" * 40}, r"b\.csv contains binary data"),
        ({"a.csv": "", "b.csv": ""}, r"a\.csv, b\.csv: empty \(0 bytes\)"),
    ],
)
def test_files_that_do_not_fit_are_one_sentence(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read_part_files(write(tmp_path, files))


def test_the_limits_count_all_files(tmp_path: Path) -> None:
    paths = write(tmp_path, {f"{i}.csv": "id,x\n" + "1,a\n" * 100 for i in range(5)})
    with pytest.raises(FileLimitError, match="The table in 5 files unpacks to more than"):
        read_part_files(paths, FileLimits(uncompressed_bytes=1_500))
    with pytest.raises(FileLimitError, match="The table in 5 files has 600 cells"):
        read_part_files(paths, FileLimits(cells=500))


def test_a_folder_lists_its_data_files_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"b.csv": "", "a.CSV": "", "_SUCCESS": "", ".a.csv.crc": "", "_meta.csv": "", "notes.md": ""},
    )
    (tmp_path / "older.csv").mkdir()
    assert [path.name for path in list_data_files(tmp_path)] == ["a.CSV", "b.csv"]
    with pytest.raises(UnreadableTableError, match="has no data files; give a folder that has some"):
        list_data_files(tmp_path / "older.csv")


def test_a_pattern_matches_sorted_files(tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    write(tmp_path, {"b.csv": "", "a.csv": "", "[1].csv": "", "2026/c.csv": ""})
    assert [path.name for path in find_matching_files(f"{tmp_path}/?.csv")] == ["a.csv", "b.csv"]
    assert [path.name for path in find_matching_files(f"{tmp_path}/**/c.csv")] == ["c.csv"]
    assert is_pattern(f"{tmp_path}/*.csv")
    assert not is_pattern(f"{tmp_path}/[1].csv")
    with pytest.raises(UnreadableTableError, match=r"No file matches .*\.json; check the pattern"):
        find_matching_files(f"{tmp_path}/*.json")


def test_a_zip_archive_may_be_a_part(tmp_path: Path) -> None:
    for name, row in (("a.zip", "1,2"), ("b.zip", "2,x")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("orders.csv", f"id,x\n{row}\n")
    table = read_part_files(list_data_files(tmp_path))
    assert (values(table, "id"), values(table, "x")) == ([1, 2], ["2", "x"])


def test_notes_on_one_file_name_it(tmp_path: Path) -> None:
    table = read_part_files(write(tmp_path, {"a.csv": "id,x\n1,a\n2,b\n", "b.csv": "id,x\n1,a\n2\n"}))
    assert "Read as UTF-8 text: commas between the fields, the first line names the columns." in table.guesses
    assert any(guess.startswith("b.csv: 1 line is shorter") for guess in table.guesses)
