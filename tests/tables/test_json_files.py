"""JSON: records, lines, columns."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import FileLimitError, UnreadableTableError
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


def test_objects_are_split_into_their_fields_one_level_deep() -> None:
    first, last = {"city": "Ulm", "geo": {"lat": 1}}, {"city": None, "tags": ["a"]}
    table = read(json.dumps([{"ID": i, "address": each} for i, each in enumerate([first, None, last])]))
    assert table.columns == ["ID", "address.city", "address.geo", "address.tags"]
    assert values(table, "address.city") == ["Ulm", None, None]
    assert values(table, "address.geo") == ['{"lat": 1}', None, None]
    assert [column.kind for column in table.schema] == ["number", "text", "other", "other"]
    assert table.guesses[1:] == [
        "address: objects, read as one column for each field.",
        "address.geo, address.tags: lists, objects or binary values, kept whole; "
        "what is inside is not checked.",
    ]


def test_a_field_called_like_a_split_one_is_numbered() -> None:
    table = read('[{"a.b": 1, "a": {"b": 2}}]')
    assert table.columns == ["a.b", "a.b (2)"]
    assert (values(table, "a.b"), values(table, "a.b (2)")) == ([1], [2])


def test_objects_whose_keys_are_data_stay_whole() -> None:
    rows = [{"sales": {f"day {day}": day for day in range(n, n + 60)}} for n in (0, 60)]
    assert read(json.dumps(rows)).columns == ["sales"]
    assert read('[{"a": {}}]').columns == ["a"]


def test_split_fields_count_for_the_limit() -> None:
    row = {f"c{i}": {f"k{j}": 1 for j in range(50)} for i in range(3)}
    with pytest.raises(FileLimitError, match="150 columns; the limit is 100"):
        read_table(json.dumps([row]).encode(), "orders.json", FileLimits(columns=100))


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
