"""Types and missing-value words that are set for the columns of a workbook."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest

from lavendertown.inspector import Inspector
from lavendertown.tables import Reading, Table, read_table
from tests.tables.test_excel import values, workbook


def read(*rows: list[Any], **settings: Any) -> Table:
    return read_table(workbook(Data=list(rows)), "orders.xlsx", reading=Reading(**settings))


def test_a_column_of_numbers_becomes_text() -> None:
    table = read(["code", "n"], [1204, 1], [77, 2], types={"code": "text"})
    assert values(table, "code") == ["1204", "77"]
    assert table.column("code").kind == "text"
    assert values(table, "n") == [1, 2]
    assert not [each for each in Inspector(table).detect() if each.column == "code"], "that is what is wanted"


def test_text_dates_become_dates_in_the_given_order() -> None:
    table = read(["day"], ["03/02/2018"], ["04/02/2018"], types={"day": "date"}, date_order="day")
    assert values(table, "day") == [dt.date(2018, 2, 3), dt.date(2018, 2, 4)]
    assert table.rows([0])["day"].tolist() == ["03/02/2018"]


def test_a_value_that_does_not_fit_the_type_keeps_its_text() -> None:
    table = read(["n"], ["12"], ["many"], [14], types={"n": "number"})
    assert values(table, "n") == [12, None, 14]
    assert table.rows([1])["n"].tolist() == ["many"]


def test_converted_columns_keep_merged_cells_and_totals_apart() -> None:
    rows = [["region", "n"], ["north", "1"], ["south", "2"], ["Total", "3"]]
    table = read(*rows, types={"n": "number"})
    assert (table.row_count, values(table, "n")) == (2, [1, 2])
    assert table.rows([0, 1])["n"].tolist() == ["1", "2"]


def test_words_for_a_missing_value_make_a_column_of_numbers() -> None:
    table = read(
        ["n", "note"], [1, "a"], ["Unknown ", "b"], [3, "unknown"], [-9, "c"], null_words=("unknown", "-9")
    )
    assert values(table, "n") == [1, None, 3, None]
    assert table.column("n").kind == "number"
    assert values(table, "note") == ["a", "b", None, "c"]


def test_the_names_of_the_sheets_are_known() -> None:
    raw = workbook(Notes=[["a"], [1]], Orders=[["b"], [2]])
    assert read_table(raw, "orders.xlsx").sheets == ("Notes", "Orders")
    assert read_table(b"a,b\n1,2\n", "t.csv").sheets == ()


def test_text_cells_with_a_unit_or_sign_are_numbers() -> None:
    rows = [
        ["price", "rate", "paid"],
        *([f"${i}.50", f"{i}%", "yes" if i % 2 else "no"] for i in range(1, 13)),
    ]
    table = read(*rows)
    assert [column.kind for column in table.schema] == ["number", "number", "boolean"]
    assert (values(table, "price")[0], values(table, "rate")[0], values(table, "paid")[0]) == (1.5, 1, True)
    assert table.rows([0])["price"].tolist() == ["$1.50"]
    kept = read(*rows, types={"price": "text", "rate": "text", "paid": "text"})
    assert {column.kind for column in kept.schema} == {"text"}


def test_text_with_a_unit_among_numbers_is_numbers() -> None:
    table = read(["price"], ["$1,200.50"], [12], ["$9"], *([i] for i in range(9)))
    assert values(table, "price")[:3] == [1200.5, 12, 9]
    assert table.rows([0])["price"].tolist() == ["$1,200.50"]
    assert (
        "price: 2 values with $ among the numbers are read as numbers ($1,200.50 is 1200.5)." in table.guesses
    )
    odd = read(["price"], ["$1"], ["free"], *([i] for i in range(8)))
    assert [(each.ghost_type, each.row_indices) for each in Inspector(odd).detect()] == [("type", [1])]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([0.1, "15%", 0.2, "20%"], id="a number shown as 10% is 0.1"),
        pytest.param([1, "2", "$3", "$4"], id="a number stored as text is a finding"),
        pytest.param(["$1", *range(20)], id="few values with a unit stand out"),
        pytest.param([1, "about $3", "or $4", 2], id="other text"),
    ],
)
def test_other_text_among_numbers_is_a_finding(cells: list[Any]) -> None:
    table = read(["n"], *([cell] for cell in cells))
    assert table.column("n").kind == "text"
    assert [each.ghost_type for each in Inspector(table).detect()] == ["type"]


def test_numbers_of_days_are_dates() -> None:
    rows = [["order_date", "day"], *([45292 + i, 20240101 + i] for i in range(12))]
    table = read(*rows)
    assert (values(table, "order_date")[0], values(table, "day")[0]) == (dt.date(2024, 1, 1),) * 2
    assert "order_date: read as dates (45292 is 2024-01-01)." in table.guesses
    assert values(read(*rows, types={"order_date": "number"}), "order_date")[0] == 45292


def test_numbers_of_days_among_dates_are_dates() -> None:
    days = [dt.date(2024, 1, 1) + dt.timedelta(i) for i in range(12)]
    rows = [["d"], *([day if i % 3 else 45292 + i] for i, day in enumerate(days))]
    table = read(*rows)
    assert [each.date() for each in values(table, "d")] == days
    assert (
        "d: 4 values among the dates are day numbers, read as dates (45292 is 2024-01-01)." in table.guesses
    )
    mixed = read(["d"], *([day if i % 3 else i] for i, day in enumerate(days)))
    assert mixed.column("d").kind == "text", "3 is no day near these dates"


def test_a_workbook_that_counts_from_1904_is_read_as_such() -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in [["order_date"], [43830], [43831], [43832]]:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    table = read_table(file.getvalue(), "orders.xlsx")
    assert values(table, "order_date")[0] == dt.date(2024, 1, 1)


def test_totals_averages_and_remarks_below_a_sheet_are_left_out() -> None:
    rows = [
        ["id", "n"],
        [1, 2],
        [2, 4],
        [3, 9],
        ["Total", 15],
        ["Average", 5],
        [None, None],
        ["Source: ledger"],
    ]
    table = read(*rows)
    assert (values(table, "id"), values(table, "n")) == ([1, 2, 3], [2, 4, 9])
    assert "The rows below the table are left out: 2 of totals or averages and 1 of remarks." in table.guesses


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["(1.50)", "2.25"], -1.5),
        (["1 204", "15 300"], 1204),
        (["1.50-", "2.25"], -1.5),
        (["1.5", "2.5", "3.5", "abc"], 1.5),
        (["03/14/2024 2:05 PM", "03/15/2024 3:05 AM"], dt.datetime(2024, 3, 14, 14, 5)),
        (["2024-03-14 10:00 CET"], dt.datetime(2024, 3, 14, 9, tzinfo=dt.UTC)),
    ],
)
def test_text_in_a_notation_that_no_check_reports_is_converted(cells: list[str], first: Any) -> None:
    table = read(["x"], *[[cell] for cell in cells * 6])
    assert values(table, "x")[0] == first
    assert any(sentence.startswith("x: read as") for sentence in table.guesses)
    assert table.rows([0])["x"].tolist() == [cells[0]]


def test_text_that_a_check_reports_stays() -> None:
    for cell in ("1.5", "1,5", "2024-03-14", "14.03.2024"):
        table = read(["x"], *[[cell]] * 6)
        assert table.column("x").kind == "text"
        assert [each.ghost_type for each in Inspector(table).detect() if "stored as text" in each.description]


def test_times_of_day_have_no_date() -> None:
    rows = [
        [dt.time(8, i), dt.time(9, i) if i % 4 else "late", dt.datetime(2026, 5, i + 1)] for i in range(8)
    ]
    table = read(["opens", "closes", "day"], *rows)
    assert values(table, "opens")[:2] == [dt.time(8, 0), dt.time(8, 1)]
    assert values(table, "closes")[:2] == ["late", "09:01:00"]
    assert values(table, "day")[0] == dt.datetime(2026, 5, 1)
