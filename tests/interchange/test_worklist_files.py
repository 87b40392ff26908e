"""Worklists as files: what is written, and what is read after people worked on them."""

from __future__ import annotations

import csv
import html
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import LavenderTownError
from lavendertown.interchange.worklists.answers import FilledRows, join_filled_rows
from lavendertown.interchange.worklists.filled_file import read_filled_file
from lavendertown.interchange.worklists.worklist_file import (
    FindingRows,
    Worklist,
    make_token,
    parse_token,
    write_worklist,
)
from tests.tables.test_excel import open_document, open_document_cell

ID = "w-0123456789ab"
PRICES = FindingRows(
    "f1-a",
    "price is negative in 3 rows",
    "orders",
    "price",
    [4, 7, 9],
    2,
    [{"order_id": 17}, {"order_id": 9_007_199_254_740_993}, {"order_id": "=cmd|' /C calc'!A0"}],
    ["17", "9007199254740993", ""],
    [-5, "-2 €", None],
)
EMAILS = FindingRows(
    "f1-b", "email is empty", "orders", "email", [0, 4], 2, [{"done": "B"}] * 2, ["", ""], [None, "@x"]
)
WORKLIST = Worklist(ID, "Ben", (PRICES, EMAILS))
HEAD = [
    "row id",
    "finding",
    "dataset",
    "row",
    "order_id",
    "done (key)",
    "column",
    "value",
    "done",
    "cannot",
    "reason",
]


def open_sheet() -> tuple[Workbook, Worksheet]:
    book = load_workbook(io.BytesIO(write_worklist(WORKLIST)))
    return book, book["Rows"]


def fill(sheet: Worksheet, number: int, **cells: Any) -> None:
    """Fill the answer cells of a row, by its number in the worklist."""
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == make_token(ID, number):
            for name, value in cells.items():
                sheet.cell(row[0].row, columns[name], value)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(raw: bytes, name: str = "ben.xlsx") -> FilledRows:
    return read_filled_file(raw, name)


def answers(found: FilledRows) -> dict[int, tuple[str, str]]:
    assert {each.worklist_id for each in found.answers} <= {ID}
    return {each.number: each.content for each in found.answers}


def problems(found: FilledRows) -> list[tuple[str, str]]:
    return [(each.place, each.text) for each in found.problems]


EXPECTED = {1: ("done", ""), 3: ("cannot", "Supplier closed"), 5: ("done", "by phone")}


def filled_sheet() -> tuple[Workbook, Worksheet]:
    book, sheet = open_sheet()
    fill(sheet, 1, done="x")
    fill(sheet, 3, cannot="X", reason=" Supplier closed ")
    fill(sheet, 5, done="yes", reason="by phone")
    return book, sheet


def test_a_file_has_a_row_for_each_finding_and_row() -> None:
    book, sheet = open_sheet()
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[0]) == HEAD
    assert rows[1] == (
        make_token(ID, 1),
        PRICES.description,
        "orders",
        6,
        17,
        None,
        "price",
        -5,
        None,
        None,
        None,
    )
    assert rows[4][3:8] == (2, None, "B", "email", None)
    assert len(rows) == 6
    assert sheet.auto_filter.ref == "A1:K6"
    assert [str(rule.sqref) for rule in sheet.data_validations.dataValidation] == ["I2:I6", "J2:J6"]
    about = [row[0] for row in book["About"].iter_rows(values_only=True)]
    assert (about[0], len(about)) == ("Worklist of Ben", 4)


def test_no_text_is_a_formula_and_long_numbers_keep_their_digits() -> None:
    _, sheet = open_sheet()
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type in "sn" for cell in cells)
    values = [cell.value for cell in cells]
    assert {"9007199254740993", "'=cmd|' /C calc'!A0", "'-2 €", "'@x"} <= set(values)


def test_answers_are_read_as_they_were_filled_in() -> None:
    book, _ = filled_sheet()
    found = read(saved(book))
    assert (answers(found), found.problems) == (EXPECTED, ())
    assert found.rows == {(ID, number) for number in range(1, 6)}
    assert found.answers[1].place == "ben.xlsx, row 4"


def sort_rows(sheet: Worksheet) -> None:
    rows = sorted(sheet.iter_rows(min_row=2, values_only=True), key=lambda row: str(row[7]), reverse=True)
    for number, row in enumerate(rows, 2):
        for place, value in enumerate(row, 1):
            sheet.cell(number, place).value = value


def move_id_to_the_end(sheet: Worksheet) -> None:
    for row in sheet.iter_rows():
        sheet.cell(row[0].row, 14, row[0].value)
    sheet.delete_cols(1)


def add_columns_and_rows(sheet: Worksheet) -> None:
    sheet.insert_cols(1, 2)
    sheet.insert_rows(1, 3)
    sheet["A1"], sheet["B5"] = "Ben's list", "my note"
    sheet.cell(30, 1, "Total: 5")


def edit_headings(sheet: Worksheet) -> None:
    for cell in sheet[1][:8]:
        cell.value = f"{cell.value} (old)"
    for cell in sheet[1][8:]:
        cell.value = f" {str(cell.value).upper()}? "


@pytest.mark.parametrize(
    "change",
    [
        sort_rows,
        move_id_to_the_end,
        add_columns_and_rows,
        edit_headings,
        lambda sheet: sheet.delete_cols(2, 7),
        lambda sheet: setattr(sheet.row_dimensions[4], "hidden", True),
        lambda sheet: setattr(sheet, "title", "Done by Ben"),
    ],
)
def test_answers_land_on_their_rows_whatever_is_moved(change: Callable[[Worksheet], None]) -> None:
    book, sheet = filled_sheet()
    change(sheet)
    found = read(saved(book))
    assert (answers(found), found.problems) == (EXPECTED, ())


def test_deleted_rows_are_open_and_say_nothing() -> None:
    book, sheet = filled_sheet()
    sheet.delete_rows(4)
    found = read(saved(book))
    assert (answers(found), len(found.rows)) == ({k: v for k, v in EXPECTED.items() if k != 3}, 4)


@pytest.mark.parametrize(
    "mark", ["x", " X ", "yes", "YES", "✓", "✔", True, "TRUE", 1, 1.0, "1", "Done", "ok", "ja"]
)
def test_a_mark_is_understood(mark: object) -> None:
    book, sheet = open_sheet()
    fill(sheet, 2, done=mark)
    assert answers(read(saved(book))) == {2: ("done", "")}


@pytest.mark.parametrize("mark", ["", " ", "no", "No", False, 0, "-", "false"])
def test_a_row_is_open_without_a_mark(mark: object) -> None:
    book, sheet = open_sheet()
    fill(sheet, 2, done=mark)
    found = read(saved(book))
    assert (found.answers, found.problems) == ((), ())


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (
            {"done": "x", "cannot": "x", "reason": "?"},
            "Both 'done' and 'cannot' are marked. Clear one of them.",
        ),
        ({"cannot": "x"}, "'cannot' is marked without a reason. Write why under 'reason'."),
        (
            {"reason": "on holiday"},
            "There is a reason, but neither 'done' nor 'cannot' is marked. Mark one.",
        ),
        ({"done": "perhaps"}, "'perhaps' under 'done' is not understood. Write x, or leave the cell empty."),
        ({"done": "x", "reason": "a" * 1_001}, "The reason has more than 1,000 characters. Shorten it."),
    ],
)
def test_a_row_that_cannot_be_taken_is_named_and_the_others_are_taken(
    cells: dict[str, str], text: str
) -> None:
    book, sheet = open_sheet()
    fill(sheet, 1, done="x")
    fill(sheet, 2, **cells)
    found = read(saved(book))
    assert (answers(found), problems(found)) == ({1: ("done", "")}, [("ben.xlsx, row 3", text)])


def test_a_row_answered_twice_alike_counts_once_and_else_not_at_all() -> None:
    book, sheet = filled_sheet()
    copied = [cell.value for cell in sheet[2]]
    sheet.append(copied)
    assert answers(read(saved(book))) == EXPECTED
    copied[-3:] = [None, "x", "no"]
    sheet.append(copied)
    found = read(saved(book))
    assert 1 not in answers(found)
    assert problems(found) == [
        (
            "ben.xlsx, row 8",
            "This row is answered twice: 'done' in ben.xlsx, row 2, and 'cannot' (no) here. Keep one.",
        )
    ]


def test_a_copied_sheet_is_read_too() -> None:
    book, sheet = open_sheet()
    copy = book.copy_worksheet(sheet)
    fill(sheet, 1, done="x")
    fill(copy, 2, done="x")
    found = read(saved(book))
    assert sorted(answers(found)) == [1, 2]
    assert found.answers[1].place == "ben.xlsx, sheet Rows Copy, row 3"


def test_two_files_that_differ_contradict_each_other() -> None:
    one, other = open_sheet(), open_sheet()
    fill(one[1], 1, done="x")
    fill(other[1], 1, cannot="x", reason="gone")
    fill(other[1], 2, done="x")
    files = [read(saved(book), name) for (book, _), name in ((one, "a.xlsx"), (other, "b.xlsx"))]
    found = join_filled_rows(files)
    assert answers(found) == {2: ("done", "")}
    assert "in a.xlsx, row 2, and 'cannot' (gone) here" in found.problems[0].text


def test_a_row_id_that_was_changed_is_noticed() -> None:
    book, sheet = filled_sheet()
    token = make_token(ID, 1)
    sheet["A2"] = token.replace("-1-", "-2-")
    found = read(saved(book))
    assert problems(found) == [
        (
            "ben.xlsx, row 2",
            f"The row id '{token.replace('-1-', '-2-')}' was changed. Copy it from the original file.",
        )
    ]
    assert parse_token(f" {token.upper()} ") == (ID, 1)
    assert parse_token(f"{ID}-1") is None


@pytest.mark.parametrize(
    ("row_id", "text"),
    [
        (
            f"{make_token(ID, 1)}x",
            f"The row id '{make_token(ID, 1)}x' was changed. Copy it from the original file.",
        ),
        ("1", "The row id '1' was changed. Copy it from the original file."),
        (None, "An answered row has no row id. Copy it from the original file."),
    ],
)
def test_an_answer_without_its_row_id_is_noticed(row_id: str | None, text: str) -> None:
    book, sheet = filled_sheet()
    sheet["A2"] = row_id
    found = read(saved(book))
    assert problems(found) == [("ben.xlsx, row 2", text)]
    assert answers(found) == {key: value for key, value in EXPECTED.items() if key != 1}


def csv_rows(delimiter: str) -> Iterator[bytes]:
    _, sheet = filled_sheet()
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    for row in sheet.iter_rows(values_only=True):
        writer.writerow(["" if value is None else value for value in row])
    text = out.getvalue().replace("Supplier closed", "Größe fehlt")
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        yield text.encode(encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_saved_from_it_is_read(delimiter: str) -> None:
    for raw in csv_rows(delimiter):
        found = read(raw, "ben.csv")
        assert (answers(found), found.problems) == (EXPECTED | {3: ("cannot", "Größe fehlt")}, ())


def test_an_opendocument_file_is_read() -> None:
    def cell(value: object) -> str:
        text = html.escape(str(value))
        return open_document_cell("string", text, text) if value else "<table:table-cell/>"

    _, sheet = filled_sheet()
    rows = ["".join(map(cell, row)) for row in sheet.iter_rows(values_only=True)]
    found = read(open_document(*rows), "ben.ods")
    assert (answers(found), found.problems) == (EXPECTED, ())


def without_answers() -> bytes:
    book, sheet = filled_sheet()
    sheet.delete_cols(9, 3)
    return saved(book)


def with_renamed_reason() -> bytes:
    book, sheet = filled_sheet()
    sheet["K1"] = "Grund"
    return saved(book)


def with_two_done() -> bytes:
    book, sheet = filled_sheet()
    sheet["M1"] = "Done"
    return saved(book)


def other_book() -> bytes:
    book = Workbook()
    book.active.append(["done", "cannot", "reason"])  # type: ignore[union-attr]
    return saved(book)


def huge_sheet() -> bytes:
    """Two cells in opposite corners, for which the reader would need 550 GB."""
    book, sheet = filled_sheet()
    sheet.cell(1_048_576, 16_384, "far")
    return saved(book)


def bomb() -> bytes:
    out = io.BytesIO(without_answers())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", b"\0" * 3_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (without_answers(), "x.xlsx: no column is named 'done'. The answers are in done, cannot and"),
        (with_renamed_reason(), "x.xlsx: no column is named 'reason'."),
        (with_two_done(), "x.xlsx: 2 columns are named 'done'. Rename those that you added"),
        (other_book(), "x.xlsx is not a worklist: no column has the row ids of one."),
        (b"", "x.xlsx is not a worklist"),
        (b"PK\x03\x04 damaged", "x.xlsx cannot be opened as a workbook: it is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "x.xlsx cannot be opened as a workbook"),
        (b"a,b\n\x00\xff\xfe\x81" * 40, "x.xlsx is not a worklist"),
        (f'row id,done\n"{make_token(ID, 1)},x'.encode(), "x.xlsx cannot be read as CSV: unexpected end of"),
        (huge_sheet(), "x.xlsx has 17,179,869,184 cells"),
        (bomb(), "x.xlsx unpacks to more than the limit of 2 MB"),
        (b"x" * (20 * 1024**2 + 1), "x.xlsx is larger than 20 MB, which no worklist is."),
    ],
)
def test_another_or_damaged_file_gets_one_sentence(raw: bytes, text: str) -> None:
    with pytest.raises(LavenderTownError) as refused:
        read_filled_file(raw, "x.xlsx", FileLimits(uncompressed_bytes=2 * 1024**2))
    assert str(refused.value).startswith(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("", "worklist-unassigned-0123456789ab.xlsx"),
        ("../../etc/Ann Ö", "worklist-etc-Ann-Ö-0123456789ab.xlsx"),
        ("a" * 300, f"worklist-{'a' * 60}-0123456789ab.xlsx"),
    ],
)
def test_file_names_are_safe(owner: str, name: str) -> None:
    assert Worklist(ID, owner).file_name == name
