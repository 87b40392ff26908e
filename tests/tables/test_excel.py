"""Excel: the sheet, the header, and cells that a typed reader would lose."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence

import openpyxl
import pytest

from lavendertown.errors import InvalidInputError, UnreadableTableError
from lavendertown.inspector import Inspector
from lavendertown.tables import Reading, Table, read_table


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(raw: bytes) -> Table:
    return read_table(raw, "orders.xlsx")


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


def test_cells_keep_their_types() -> None:
    day = dt.datetime(2024, 1, 31)
    table = read(workbook(Data=[["id", "price", "day", "zip"], [1, 2.5, day, "00123"], [2, 3, day, "00456"]]))
    assert values(table, "id") == [1, 2]
    assert values(table, "price") == [2.5, 3.0]
    assert values(table, "day") == [day, day]
    assert values(table, "zip") == ["00123", "00456"]


@pytest.mark.parametrize("stray", ["lots", "n/a", "NA"])
def test_stray_text_in_a_number_column_is_not_lost(stray: str) -> None:
    table = read(workbook(Data=[["n"], [1], [2], [stray], [4]]))
    assert values(table, "n") == ["1", "2", stray, "4"]


def kinds(table: Table, name: str) -> list[object]:
    kinds_key = table.column(name).kinds_key
    assert kinds_key is not None
    return table.frame.collect()[kinds_key].to_list()


def test_the_kind_of_each_cell_comes_from_the_workbook() -> None:
    day = dt.datetime(2024, 1, 31)
    table = read(
        workbook(Data=[["n", "d", "b"], [1, day, True], ["2", "2024-01-31 00:00:00", "true"], [3.5, 7, 1]])
    )
    assert kinds(table, "n") == ["number", "text", "number"]
    assert kinds(table, "d") == ["date", "text", "number"]
    assert kinds(table, "b") == ["yes/no", "text", "number"]


def test_a_column_of_one_kind_keeps_its_type_beside_one_of_many_kinds() -> None:
    day = dt.datetime(2024, 1, 31)
    many = [1, "x", True, day, dt.timedelta(hours=30), None, "#N/A"]
    table = read(
        workbook(Data=[["n", "d", "b", "m"], *([i, day, True, cell] for i, cell in enumerate(many))])
    )
    assert kinds(table, "m") == ["number", "text", "yes/no", "date", "date", None, None]
    assert [column.kind for column in table.schema] == ["number", "time", "boolean", "text"]
    assert values(table, "n") == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("title", [[], [["Sales report"], []]])
def test_numbers_and_dates_stored_as_text_are_counted_by_cell(title: list[list[str]]) -> None:
    days = [dt.datetime(2024, 1, 1) + dt.timedelta(days=i) for i in range(30)]
    rows = [
        [
            i,
            str(i) if i % 3 == 2 else i,
            f"{day:%d/%m/%Y}" if i % 2 else day,
            f"{i:05}",
            "NULL" if i == 4 else i,
        ]
        for i, day in enumerate(days)
    ]
    header = ["id", "amount", "paid on", "zip", "note"]
    findings = {f.column: f for f in Inspector((workbook(Data=[*title, header, *rows]), "o.xlsx")).detect()}
    assert set(findings) == {"amount", "paid on", "note"}
    assert findings["amount"].description == (
        "amount has numbers, but 10 of 30 rows (33.3%) have them as text."
    )
    assert findings["amount"].row_indices == list(range(2, 30, 3))
    assert findings["paid on"].description == (
        "paid on has dates, but 15 of 30 rows (50%) have them as text."
    )
    assert findings["paid on"].row_indices == list(range(1, 30, 2))
    assert (findings["note"].ghost_type, findings["note"].row_indices) == ("disguised_null", [4])


ERRORS = ["#DIV/0!", "#N/A", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"]


def test_error_cells_are_named_and_counted_by_error() -> None:
    cells = [1.5, "#DIV/0!", None, 2.5, "#DIV/0!", *ERRORS]
    raw = workbook(Data=[["id", "v", "only"], *([i, cell, "#REF!"] for i, cell in enumerate(cells))])
    inspector = Inspector((raw, "orders.xlsx"))
    found = {(f.column, f.metadata["check"]): f for f in inspector.detect()}
    assert set(found) == {("v", "nulls"), ("v", "error_cells"), ("only", "error_cells")}
    errors = found["v", "error_cells"]
    assert (errors.ghost_type, errors.metadata["fault"]) == ("type", "error_cell")
    assert errors.row_indices == [1, 4, 5, 6, 7, 8, 9, 10, 11]
    assert errors.metadata["errors"] == {"#DIV/0!": 3, **dict.fromkeys(ERRORS[1:], 1)}
    assert "v has an error instead of a value in 9 of 12 rows (75%): #DIV/0! in 3, #N/A in 1" in (
        errors.description
    )
    assert found["v", "nulls"].row_indices == [2]
    assert inspector.table.column("v").kind == "number"
    assert inspector.table.rows([0, 1])["v"].tolist() == [1.5, "#DIV/0!"]


def test_error_cells_in_the_header_and_the_last_row_are_not_lost() -> None:
    table = read(workbook(Data=[["a", "#REF!"], [1, 2], [None, "#N/A"]]))
    assert (table.columns, table.row_count) == (["a", "#REF!"], 2)


def test_rows_that_differ_in_an_error_are_no_copies() -> None:
    raw = workbook(Data=[["a"], [None], ["#N/A"], ["#DIV/0!"], [1]])
    assert {f.metadata["check"] for f in Inspector((raw, "o.xlsx")).detect()} == {"error_cells", "nulls"}


def test_numbers_that_a_workbook_cannot_keep_are_mentioned() -> None:
    table = read(workbook(Data=[["id", "n"], [2**64 + 1, 1], [2**64 + 2, 2.5]]))
    assert "id: a workbook keeps only the first 15 digits of longer numbers." in table.guesses


def open_document(*cells: str) -> bytes:
    spaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
        for prefix in ("office", "table", "text")
    )
    rows = "".join(f"<table:table-row>{cell}</table:table-row>" for cell in cells)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            f'<office:document-content {spaces} xmlns:calcext="urn:x"><office:body><office:spreadsheet>'
            f'<table:table table:name="S">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def open_document_cell(kind: str, value: str, shown: str, more: str = "") -> str:
    what = {"float": "value", "date": "date-value", "string": "string-value"}[kind]
    return (
        f'<table:table-cell office:value-type="{kind}" office:{what}="{value}" {more}>'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def test_error_cells_of_an_open_document_file_are_mentioned() -> None:
    error = open_document_cell("string", "", "#DIV/0!", 'calcext:value-type="error"')
    cells = [open_document_cell("string", "v", "v"), open_document_cell("float", "1", "1"), error, error]
    table = read_table(open_document(*cells), "orders.ods")
    assert table.guesses[-1].startswith("2 cells of the file hold an error such as #DIV/0!; reading an")
    assert len(read_table(open_document(*cells[:2]), "orders.ods").guesses) == 1


def test_the_kinds_of_open_document_cells_come_from_the_file() -> None:
    days = ["2024-01-31", "2024-01-31T10:20:30"]
    cells = [open_document_cell("string", "d", "d"), *(open_document_cell("date", day, day) for day in days)]
    table = read_table(open_document(*cells, open_document_cell("string", "02/01/2024", "x")), "orders.ods")
    assert kinds(table, "d") == ["date", "date", "text"]


def test_coverage_says_where_no_error_cell_was_found() -> None:
    inspector = Inspector((workbook(Data=[["a"], [1], [2]]), "orders.xlsx"))
    inspector.detect()
    assert ("error_cells", "a", "passed") in {(c.check, c.column, c.outcome) for c in inspector.checks}


def test_the_first_sheet_with_cells_is_read_and_named() -> None:
    table = read(workbook(Empty=[], Orders=[["a"], [1]], Other=[["b"], [2]]))
    assert table.columns == ["a"]
    assert "the sheet 'Orders' (of 3)" in table.guesses[0]


def test_a_title_above_the_names_is_passed_over() -> None:
    table = read(workbook(Data=[["Sales report"], [], ["a", "b", "c"], [1, 2, 3]]))
    assert table.columns == ["a", "b", "c"]
    assert values(table, "c") == [3]


def test_repeated_and_missing_names_survive() -> None:
    table = read(workbook(Data=[["id", None, "id"], [1, "x", 2]]))
    assert table.columns == ["id", "column 2", "id (2)"]


def test_empty_rows_inside_stay_and_at_the_end_go() -> None:
    table = read(workbook(Data=[["a", "b"], [1, 2], [None, None], [3, 4], [None, ""]]))
    assert values(table, "a") == [1, None, 3]


def test_a_workbook_without_cells_is_refused() -> None:
    with pytest.raises(UnreadableTableError, match=r"orders\.xlsx is empty"):
        read(workbook(Empty=[]))


def test_a_locked_workbook_is_refused_as_such() -> None:
    locked = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(UnreadableTableError, match=r"orders\.xlsx is protected with a password"):
        read(locked)


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(UnreadableTableError, match="damaged"):
        read(workbook(Data=[["a"], [1]])[:200])


OFFSET = [
    ["Report", None, None, None, "note"],
    [None, "id", "price", "day", "x"],
    [None, 1, 2.5, "a", "y"],
    [None, 2, "#N/A", "b", "z"],
    [None, 3, 7.5, "c", None],
    [None, "Source: ledger", None, None, None],
]


def test_only_the_given_cells_are_read() -> None:
    table = read_table(workbook(Data=OFFSET), "orders.xlsx", reading=Reading(cell_range="C2:D4"))
    assert table.columns == ["price", "day"]
    assert values(table, "day") == ["a", "b"]
    assert (table.reading.cell_range, table.reading.header_row) == ("C2:D4", 2)
    assert "cells C2:D4; its row 2 names the columns." in table.guesses[0]


def test_only_the_given_cells_of_an_open_document_are_read() -> None:
    def row(*cells: str) -> str:
        return "".join(open_document_cell("string", each, each) for each in cells)

    document = open_document(row("Report", "x"), row("a", "b"), row("1", "2"), row("3", "4"), row("sum", ""))
    table = read_table(document, "orders.ods", reading=Reading(cell_range="B2:B4"))
    assert (table.columns, values(table, "b")) == (["b"], ["2", "4"])


def test_a_range_without_a_last_row_goes_on_to_the_end() -> None:
    table = read_table(workbook(Data=OFFSET), "orders.xlsx", reading=Reading(cell_range="b2:d"))
    assert (table.columns, table.row_count) == (["id", "price", "day"], 3)
    assert "The rows below the table are left out: 1 of remarks." in table.guesses


def test_types_are_those_of_the_cells_in_the_range() -> None:
    rows = [["n"], [1], [2], ["below: text"]]
    table = read_table(workbook(Data=rows), "orders.xlsx", reading=Reading(cell_range="A1:A3"))
    assert values(table, "n") == [1, 2]


def test_error_and_merged_cells_keep_their_places_in_a_range() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ([None, "t", "n"], [None, "a", 1], [None, None, 2], [None, "b", 3]):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    out = io.BytesIO()
    book.save(out)
    table = read_table(out.getvalue(), "orders.xlsx", reading=Reading(cell_range="B1:C3"))
    assert values(table, "t") == ["a", "a"]


def test_the_range_that_was_read_is_known() -> None:
    assert read(workbook(Data=OFFSET)).reading.cell_range == "A1:E6"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell_range": "four"}, "'four' is not a range of cells; give one such as B4:H200 or B4:H."),
        ({"cell_range": "D4:B2"}, "The range 'D4:B2' ends before it starts"),
        ({"cell_range": "B4:H9", "header_row": 2}, "Row 2 is outside the cells B4:H9"),
        ({"cell_range": "M90:N99"}, "the cells M90:N99 of the sheet 'Data' are empty; its cells are A1:E6."),
    ],
)
def test_a_range_that_cannot_be_read_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises((InvalidInputError, UnreadableTableError), match=re.escape(message)):
        read_table(workbook(Data=OFFSET), "orders.xlsx", reading=Reading(**settings))  # type: ignore[arg-type]
