"""Types and missing-value words that are set for the columns of a workbook."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
