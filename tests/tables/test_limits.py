"""How large a data file may be: bytes once unpacked, columns, cells."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import openpyxl
import pandas as pd
import polars as pl
import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import FileLimitError, UnreadableTableError
from lavendertown.inspector import Inspector
from lavendertown.tables import read_table
from lavendertown.tables.workbooks import workbook_extent

SMALL = FileLimits(uncompressed_bytes=1_000_000, cells=10_000, columns=100)


def refused(content: bytes, name: str, limits: FileLimits = SMALL) -> str:
    with pytest.raises(FileLimitError) as caught:
        read_table(content, name, limits)
    return str(caught.value)


def workbook(cells: dict[str, object]) -> bytes:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value  # type: ignore[index]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def xlsb(cells: dict[tuple[int, int], float]) -> bytes:
    """Return a binary workbook with one sheet; the keys are rows and columns from 0."""

    def record(kind: int, content: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
        return head + bytes([len(content) & 0x7F | 0x80, len(content) >> 7]) + content

    def text(value: str) -> bytes:
        return len(value).to_bytes(4, "little") + value.encode("utf-16-le")

    rows, columns = [key[0] for key in cells], [key[1] for key in cells]
    corners = (min(rows), max(rows), min(columns), max(columns))
    sheet = record(129) + record(148, struct.pack("<4I", *corners)) + record(145)
    for row in sorted({row for row, _ in cells}):
        sheet += record(0, row.to_bytes(4, "little") + bytes(13))
        for (where, column), value in sorted(cells.items()):
            if where == row:
                sheet += record(5, column.to_bytes(4, "little") + bytes(4) + struct.pack("<d", value))
    sheet += record(146) + record(130)
    book = (
        record(131) + record(143) + record(156, bytes(4) + bytes([1, 0, 0, 0]) + text("rId1") + text("One"))
    )
    book += record(144) + record(132)
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    parts = {
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{link}" Target="worksheets/sheet1.bin"/></Relationships>'
        ).encode(),
        "xl/worksheets/sheet1.bin": sheet,
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def ods(body: str) -> bytes:
    namespaces = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f"<office:document-content {namespaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="S">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return content.getvalue()


def test_a_gzip_file_is_refused_while_it_is_unpacked() -> None:
    sentence = refused(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000), "bomb.csv.gz")
    assert "bomb.csv.gz unpacks to more than" in sentence
    assert "limits.uncompressed_mb" in sentence


def test_a_workbook_is_refused_while_it_is_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/picture.bin", b"\0" * 2_000_000)
    assert "unpacks to more than" in refused(content.getvalue(), "bomb.xlsx")


def test_two_cells_in_opposite_corners_are_refused_before_the_sheet_is_loaded() -> None:
    sentence = refused(workbook({"A1": 1, "XFD1048576": 2}), "far.xlsx", FileLimits())
    assert "17,179,869,184 cells (1,048,576 rows of 16,384 columns)" in sentence
    assert "limits.cells" in sentence


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_far_apart_cells_of_a_binary_workbook_are_refused_before_the_sheet_is_loaded(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(workbook_extent, "_CHUNK", chunk)
    content = xlsb({(0, 0): 1.5, (1_048_575, 16_383): 2.5})
    sentence = refused(content, "corners.xlsb", FileLimits(columns=20_000))
    assert "17,179,869,184 cells (1,048,576 rows of 16,384 columns)" in sentence


def test_a_binary_workbook_whose_cells_are_close_together_is_read() -> None:
    cells = {(900_000 + row, 30 + column): float(row) for row in range(3) for column in range(2)}
    assert read_table(xlsb(cells), "small.xlsb", SMALL).row_count == 3


def test_repeated_cells_of_an_ods_sheet_are_counted() -> None:
    cell = '<table:table-cell table:number-columns-repeated="1000"><text:p>x</text:p></table:table-cell>'
    body = f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
    assert "1,000,000,000 cells" in refused(ods(body), "far.ods", FileLimits())


def test_empty_cells_at_the_edge_of_a_sheet_do_not_count() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", "b"])
    sheet.append([1, 2])
    sheet["XFD1048576"].font = openpyxl.styles.Font(bold=True)
    content = io.BytesIO()
    book.save(content)
    assert read_table(content.getvalue(), "styled.xlsx", FileLimits()).row_count == 1


def test_a_sheet_that_begins_far_from_the_corner_is_read() -> None:
    cells = {"XFA1048570": "a", "XFB1048570": "b", "XFA1048571": 1, "XFB1048571": 2}
    assert read_table(workbook(dict(cells)), "far.xlsx").row_count == 1


def test_a_damaged_workbook_is_one_sentence() -> None:
    broken = bytearray(workbook({"A1": "a", "A2": 1}))
    broken[60:90] = b"\xff" * 30
    with pytest.raises(UnreadableTableError, match=r"damaged or has a different format"):
        read_table(bytes(broken), "broken.xlsx")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (
            ",".join(f"c{i}" for i in range(100_000)) + "\n" + ",".join("1" for _ in range(100_000)),
            "wide.csv",
        ),
        ('[{"' + '":1,"'.join(f"k{i}" for i in range(100_000)) + '":1}]', "wide.json"),
    ],
)
def test_too_many_columns_are_named_with_their_number(content: str, name: str) -> None:
    assert f"{name} has 100,000 columns; the limit is 100" in refused(
        content.encode(), name, FileLimits(columns=100)
    )


def test_keys_that_differ_from_record_to_record_count_as_columns() -> None:
    records = ",".join(f'{{"k{i}":1}}' for i in range(200))
    assert "has 200 columns" in refused(f"[{records}]".encode(), "keys.json")


def test_a_parquet_file_is_refused_by_its_footer() -> None:
    content = io.BytesIO()
    pl.DataFrame({"a": [0] * 20_000}).write_parquet(content)
    assert "20,000 cells" in refused(content.getvalue(), "long.parquet")


def test_a_csv_file_is_refused_by_its_cells() -> None:
    assert "20,000 cells" in refused(b"a,b\n" + b"1,2\n" * 10_000, "long.csv")


def test_the_inspector_takes_the_limits_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_LIMITS_COLUMNS", "2")
    with pytest.raises(FileLimitError, match=r"has 3 columns; the limit is 2"):
        Inspector((b"a,b,c\n1,2,3\n", "orders.csv"))
    assert Inspector((b"a,b,c\n1,2,3\n", "orders.csv"), limits=SMALL).table.row_count == 1
    assert Inspector(pd.DataFrame({"a": [1], "b": [2], "c": [3]})).table.row_count == 1
