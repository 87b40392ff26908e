"""Excel: the sheet, the header, and cells that a typed reader would lose."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence

import openpyxl
import pytest

from lavendertown.errors import UnreadableTableError
from lavendertown.tables import Table, read_table


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
