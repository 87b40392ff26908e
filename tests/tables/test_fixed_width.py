"""Text with columns of fixed width."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.tables import Reading, Table, read_table

ORDERS = """\
id   customer         city         placed            amount
   1 Ada Lovelace     London       2026-05-01 10:30   10.50
   2 Grace Hopper                  2026-05-02 08:00  200.25
  13 Alan "T" Turing  Wilmslow     2026-05-02 09:15
 140 Mary             New York     2026-05-03 11:45    3.00
"""


def read(text: str) -> Table:
    return read_table(text.encode(), "orders.txt")


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


def test_columns_are_parted_by_positions_that_are_blank_in_all_lines() -> None:
    table = read(ORDERS)
    assert table.columns == ["id", "customer", "city", "placed", "amount"]
    assert values(table, "id") == [1, 2, 13, 140]
    assert values(table, "customer")[2] == 'Alan "T" Turing'
    assert values(table, "city") == ["London", None, "Wilmslow", "New York"]
    assert values(table, "amount") == [10.5, 200.25, None, 3.0]
    assert table.column("placed").kind == "time"
    assert table.guesses[0] == (
        "Read as UTF-8 text: columns of fixed width, the first line names the columns."
    )


def test_a_decimal_comma_is_read() -> None:
    assert values(read(ORDERS.replace(".", ",")), "amount") == [10.5, 200.25, None, 3.0]


def test_one_line_that_runs_through_the_gaps_makes_it_one_column() -> None:
    lines = ORDERS + "This line of text was written across all the columns of the table.\n"
    assert len(read(lines).columns) == 1


def test_prose_and_short_lists_stay_one_column() -> None:
    assert len(read("name\nAda Lovelace\nBob Lovelace\nEva Lovelace\nPam Lovelace\n").columns) == 1
    assert len(read("first  last\nAda    Lovelace\n").columns) == 1


def test_a_name_of_several_words_above_short_values_is_one_column() -> None:
    rows = "\n".join(
        f"{name:<12}{town:<12}{age:>3}" for name, town, age in [("Ana", "Ulm", 5), ("Ben", "York", 42)] * 4
    )
    table = read(f"first name  last town   age\n{rows}\n")
    assert table.columns == ["first name", "last town", "age"]
    assert values(table, "first name")[:2] == ["Ana", "Ben"]


def test_columns_without_gaps_are_read_at_the_given_positions() -> None:
    rows = [
        ("id", "name", "amount"),
        ("01", "Ada", "100.50"),
        ("02", "Maryann", "3.25"),
        ("03", "Al", "2512.00"),
    ]
    lines = "\n".join(f"{number}{name:<7}{amount:>7}" for number, name, amount in rows)
    assert read(lines).columns == ["idname", "amount"], "nothing tells where the name starts"
    table = read_table(lines.encode(), "orders.txt", reading=Reading(column_starts=(1, 3, 10)))
    assert table.columns == ["id", "name", "amount"]
    assert values(table, "name") == ["Ada", "Maryann", "Al"]
    assert values(table, "amount") == [100.5, 3.25, 2512.0]
    assert table.reading.column_starts == (1, 3, 10)


def test_the_detected_positions_read_the_same_table() -> None:
    found = read(ORDERS)
    starts = found.reading.column_starts
    assert starts == (1, 6, 23, 36, 54)
    again = read_table(ORDERS.encode(), "orders.txt", reading=Reading(column_starts=starts))
    assert again.columns == found.columns
    assert all(values(again, name) == values(found, name) for name in found.columns)


@pytest.mark.parametrize("starts", [(), (1,), (3, 1), (1, 1), (0, 4), (1, "4"), [1, 4]])
def test_impossible_positions_are_refused(starts: Any) -> None:
    with pytest.raises(InvalidInputError, match="ascending positions"):
        Reading(column_starts=starts)


def test_a_file_has_a_delimiter_or_fixed_width() -> None:
    with pytest.raises(InvalidInputError, match="either a delimiter or columns of fixed width"):
        Reading(column_starts=(1, 5), delimiter=";")
