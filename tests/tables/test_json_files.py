"""JSON: records, lines, columns."""

from __future__ import annotations

import datetime as dt

import pytest

from lavendertown.errors import UnreadableTableError
from lavendertown.tables import Table, read_table


def read(text: str, name: str = "orders.json") -> Table:
    return read_table(text.encode(), name)


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[{"a": 1, "b": "x"}, {"a": 2}]', "orders.json"),
        ('{"a": 1, "b": "x"}\n{"a": 2}\n', "orders.jsonl"),
        ('{"a": 1, "b": "x"}\n{"a": 2}\n', "orders.json"),
        ('{"a": [1, 2], "b": ["x", null]}', "orders.json"),
        ('{"total": 2, "data": [{"a": 1, "b": "x"}, {"a": 2}]}', "orders.json"),
    ],
)
def test_every_shape_gives_the_same_table(text: str, name: str) -> None:
    table = read(text, name)
    assert table.columns == ["a", "b"]
    assert values(table, "a") == [1, 2]
    assert values(table, "b") == ["x", None]


def test_cells_of_several_kinds_keep_their_kinds() -> None:
    table = read('[{"a": 1}, {"a": "x"}, {"a": null}]')
    kinds_key = table.column("a").kinds_key
    assert kinds_key is not None
    assert table.frame.collect()[kinds_key].to_list() == ["number", "text", None]


def test_nan_is_missing() -> None:
    assert values(read('[{"a": NaN}, {"a": 2}]'), "a") == [None, 2]


def test_dates_become_dates() -> None:
    assert values(read('[{"d": "2024-01-31"}]'), "d") == [dt.date(2024, 1, 31)]


def test_nested_values_become_text() -> None:
    table = read('[{"a": {"x": 1}}, {"a": [1, 2]}]')
    assert values(table, "a") == ['{"x": 1}', "[1, 2]"]
    assert table.column("a").kind == "other"


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ('{"a": 1}\n{"a": 2\n', "orders.jsonl", "line 2: not valid JSON"),
        ('[{"a": 1},\n {"a": }]', "orders.json", "line 2: not valid JSON"),
        ("[1, 2]", "orders.json", "record 1 is not an object"),
        ("3", "orders.json", "a single value"),
        (" \n", "orders.json", "empty"),
        ('{"a": [1], "b": 2}', "orders.json", "without a list of records"),
    ],
)
def test_what_is_no_table_is_refused(text: str, name: str, message: str) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read(text, name)


def test_an_empty_list_under_a_name_has_no_rows() -> None:
    assert read('{"total": 0, "data": []}').row_count == 0


def test_an_empty_list_has_no_rows() -> None:
    assert read("[]").row_count == 0
