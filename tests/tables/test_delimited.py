"""CSV: what is read, what is guessed, what is refused and at which line."""

from __future__ import annotations

import csv
import datetime as dt
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.errors import UnreadableTableError
from lavendertown.tables import Table, read_table


def read(text: str | bytes, name: str = "orders.csv") -> Table:
    return read_table(text.encode() if isinstance(text, str) else text, name)


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


def told(table: Table) -> str:
    return " ".join(table.guesses)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_each_delimiter_is_found(delimiter: str) -> None:
    table = read("name,qty\nAnn,1\nBob,2\n".replace(",", delimiter))
    assert table.columns == ["name", "qty"]
    assert values(table, "qty") == [1, 2]


def test_commas_inside_semicolon_fields_do_not_part_them() -> None:
    table = read("name;note\nAnn;red, green, blue\nBob;one, two, three\n")
    assert values(table, "note") == ["red, green, blue", "one, two, three"]


def test_leading_zeros_stay_and_are_shown() -> None:
    table = read("zip,qty\n00123,1\n10115,2\n")
    assert values(table, "zip") == ["00123", "10115"]
    assert "zip is kept as text" in told(table)
    assert "such as 00123" in told(table)


def test_decimal_commas_are_read_and_told() -> None:
    table = read("name;price\na;12,5\nb;1.204,75\nc;3\n")
    assert values(table, "price") == [12.5, 1204.75, 3.0]
    assert "price: the comma is read as the decimal sign" in told(table)


def test_grouped_thousands_are_read_and_told() -> None:
    table = read('name,price\na,"1,234.5"\nb,7\n')
    assert values(table, "price") == [1234.5, 7.0]
    assert "thousands separators" in told(table)


def test_quoted_newlines_and_quotes_belong_to_the_field() -> None:
    table = read('id,note\n1,"two\nlines"\n2,"she said ""hi"""\n')
    assert values(table, "note") == ["two\nlines", 'she said "hi"']


def test_empty_fields_quoted_or_not_are_missing() -> None:
    assert values(read('a,b\n1,""\n2,\n3,x\n'), "b") == [None, None, "x"]


def test_iso_dates_become_dates() -> None:
    table = read("day,n\n2024-02-29,1\n,2\n2024-03-01,3\n")
    assert values(table, "day") == [dt.date(2024, 2, 29), None, dt.date(2024, 3, 1)]
    assert "day: read as dates, year first" in told(table)


def test_an_impossible_date_leaves_the_column_as_written() -> None:
    assert values(read("day,n\n2024-02-30,1\n2024-03-01,3\n"), "day") == ["2024-02-30", "2024-03-01"]


def test_times_with_zones_become_the_same_instants() -> None:
    table = read("at,n\n2024-01-31T10:20:30Z,1\n2024-01-31 10:20+02:00,2\n")
    utc = dt.UTC
    assert values(table, "at") == [
        dt.datetime(2024, 1, 31, 10, 20, 30, tzinfo=utc),
        dt.datetime(2024, 1, 31, 8, 20, tzinfo=utc),
    ]


@pytest.mark.parametrize(
    ("text", "day", "order"),
    [
        ("31/12/2024", dt.date(2024, 12, 31), "day first"),
        ("12/31/2024", dt.date(2024, 12, 31), "month first"),
    ],
)
def test_the_order_of_day_and_month_is_found_and_told(text: str, day: dt.date, order: str) -> None:
    table = read(f"due,n\n{text},1\n01/02/2024,2\n")
    assert values(table, "due")[0] == day
    assert order in told(table)


def test_dates_that_could_be_either_stay_text() -> None:
    table = read("due,n\n01/02/2024,1\n03/04/2024,2\n")
    assert values(table, "due") == ["01/02/2024", "03/04/2024"]
    assert "day and month cannot be told apart" in told(table)


def test_a_file_without_column_names_gets_numbers() -> None:
    table = read("1,x,2024-01-01\n2,y,2024-01-02\n")
    assert table.columns == ["column 1", "column 2", "column 3"]
    assert table.row_count == 2


def test_years_as_column_names_are_names() -> None:
    table = read("country,2019,2020\nPeru,10,20\nChad,30,40\n")
    assert table.columns == ["country", "2019", "2020"]


def test_repeated_and_missing_names_are_told_apart() -> None:
    table = read("id,id,,x\n1,2,3,4\n")
    assert table.columns == ["id", "id (2)", "column 3", "x"]


def test_a_file_of_names_only_has_no_rows() -> None:
    table = read("a,b,c")
    assert (table.columns, table.row_count) == (["a", "b", "c"], 0)


def test_one_column_keeps_its_commas_and_its_gaps() -> None:
    assert values(read("comment\nhello, world\n\nbye\n"), "comment") == ["hello, world", None, "bye"]


@pytest.mark.parametrize("text", ["", "\n\n", " \n"])
def test_an_empty_file_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTableError, match=r"orders\.csv is empty"):
        read(text)


def test_a_line_with_too_many_fields_is_named_although_a_field_spans_lines() -> None:
    with pytest.raises(
        UnreadableTableError, match=r"orders\.csv, line 4: 3 fields, but the first line has 2"
    ):
        read('a,b\n1,"two\nlines"\n1,2,3\n')


def test_short_lines_are_filled_and_told() -> None:
    table = read("a,b,c\n1,2,3\n4,5\n6\n")
    assert values(table, "c") == [3, None, None]
    assert "2 lines are shorter than the first (line 3 and others)" in told(table)


def test_trailing_delimiters_are_no_column() -> None:
    assert read("a,b,\n1,2,\n3,4,\n").columns == ["a", "b"]
    assert read("a,b\n1,2,\n3,4,\n").columns == ["a", "b"]


def test_a_quote_that_never_closes_is_refused_by_its_line() -> None:
    with pytest.raises(UnreadableTableError, match=r"line 3: a quote is opened but never closed"):
        read('a,b\n1,2\n3,"4\n5,6\n')


def test_binary_data_is_refused() -> None:
    with pytest.raises(UnreadableTableError, match="binary data"):
        read(b"a,b\n1,\x00\x01\n")


def test_excels_sep_line_is_obeyed_and_counted() -> None:
    assert read("sep=;\na;b\n1;2\n").columns == ["a", "b"]
    with pytest.raises(UnreadableTableError, match="line 3: 3 fields"):
        read("sep=;\na;b\n1;2;3\n")


def test_old_mac_line_ends_are_lines() -> None:
    assert read("a,b\r1,2\r3,4\r").row_count == 2


_cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\x1f"), max_size=8)


@given(st.lists(st.lists(_cell, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_read_cell_by_cell(cells: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["first name", "second name", "third name"], *cells])
    table = read(out.getvalue())
    native: pl.DataFrame = table.frame.collect().to_native()
    for i, column in enumerate(table.schema):
        if native[column.key].dtype == pl.String:
            assert native[column.key].to_list() == [row[i] or None for row in cells]
    assert table.row_count == len(cells)
