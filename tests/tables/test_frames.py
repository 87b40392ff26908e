"""Frames as tables: every kind of column, odd names, positions."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lavendertown.errors import InvalidInputError
from lavendertown.tables import Column, Table, from_frame


def values(table: Table, position: int = 0) -> list[object]:
    return table.frame.collect()[f"c{position}"].to_list()


def only(table: Table) -> Column:
    return table.schema[0]


@pytest.mark.parametrize(
    ("series", "expected", "kind"),
    [
        (pd.Series([1.0, np.nan]), [1.0, None], "number"),
        (pd.Series([1, None], dtype="Int64"), [1, None], "number"),
        (pd.Series([1, 2], dtype="object"), [1, 2], "number"),
        (pd.Series([decimal.Decimal("1.5"), None]), [1.5, None], "number"),
        (pd.Series([True, None, False]), [True, None, False], "boolean"),
        (pd.Series(["a", None, np.nan], dtype="object"), ["a", None, None], "text"),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"], "text"),
        (pd.Series([1, 2, None], dtype="category"), [1, 2, None], "number"),
        (pd.Series([dt.date(2024, 1, 1), None]), [dt.date(2024, 1, 1), None], "time"),
        (pd.Series(pd.to_datetime(["2024-01-01", None])), [dt.datetime(2024, 1, 1), None], "time"),
        (pd.Series([None, None], dtype="object"), [None, None], "text"),
        (pd.Series([[1], {"a": 2}]), ["[1]", '{"a": 2}'], "other"),
        (pd.Series(pd.period_range("2024-01", periods=2, freq="M")), ["2024-01", "2024-02"], "other"),
        (pd.Series(pd.arrays.SparseArray([0, 1])), [0, 1], "number"),
        (pd.Series([1 + 2j]), ["(1+2j)"], "other"),
    ],
)
def test_each_pandas_type_is_taken(series: pd.Series, expected: list[object], kind: str) -> None:
    table = from_frame(series.to_frame("x"))
    assert values(table) == expected
    assert only(table).kind == kind
    assert only(table).kinds_key is None


@pytest.mark.parametrize(
    ("series", "expected", "kind"),
    [
        (pl.Series([1.0, float("nan")]), [1.0, None], "number"),
        (pl.Series(["a", None], dtype=pl.Categorical), ["a", None], "text"),
        (pl.Series([1, None], dtype=pl.Int128), [1, None], "number"),
        (pl.Series([None, None]), [None, None], "text"),
        (pl.Series([[1], None]), ["[1]", None], "other"),
        (pl.Series([[{"a": 1}]]), ['[{"a": 1}]'], "other"),
        (pl.Series([{"a": 1}, None]), [1, None], "number"),
        (pl.Series([b"ab"]), ["b'ab'"], "other"),
        (pl.Series([dt.date(2024, 1, 1), None], dtype=pl.Object), [dt.date(2024, 1, 1), None], "time"),
    ],
)
def test_each_polars_type_is_taken(series: pl.Series, expected: list[object], kind: str) -> None:
    table = from_frame(series.to_frame("x"))
    assert values(table) == expected
    assert only(table).kind == kind


def test_mixed_cells_keep_their_kinds() -> None:
    table = from_frame(pd.DataFrame({"x": pd.Series([1, "a", None, True], dtype="object")}))
    kinds_key = only(table).kinds_key
    assert kinds_key is not None
    assert values(table) == ["1", "a", None, "True"]
    assert table.frame.collect()[kinds_key].to_list() == ["number", "text", None, "yes/no"]


def test_repeated_and_numeric_names_survive_in_pandas() -> None:
    data = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", 7, ("x", "y")])
    table = from_frame(data)
    assert table.columns == ["a", "a (2)", "7", "x / y"]
    assert [values(table, i) for i in range(3)] == [[1], [2], [3]]


def test_a_made_up_name_does_not_take_a_given_one() -> None:
    data = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a (2)"])
    assert from_frame(data).columns == ["a", "a (3)", "a (2)"]


def test_columns_named_like_our_own_keys_do_no_harm() -> None:
    table = from_frame(pl.DataFrame({"row": [5], "c0": [6], "hit": [7]}))
    assert table.columns == ["row", "c0", "hit"]
    assert values(table, 0) == [5]


def test_rows_are_shown_by_position_whatever_the_index_says() -> None:
    data = pd.DataFrame({"a": ["x", "y", "z"]}, index=[9, 9, 0])
    shown = from_frame(data).rows([2, 0])
    assert shown["a"].tolist() == ["z", "x"]
    assert shown.index.tolist() == [2, 0]


def test_rows_come_as_the_source_gave_them() -> None:
    data = pd.DataFrame({"a": pd.Series([1, "x"], dtype="object")})
    assert from_frame(data).rows([0, 1])["a"].tolist() == [1, "x"]


def test_rows_are_limited_and_outside_ones_refused() -> None:
    table = from_frame(pl.DataFrame({"a": range(10)}))
    assert len(table.rows(range(10), limit=3)) == 3
    with pytest.raises(InvalidInputError, match="no row 10"):
        table.rows([10])


@pytest.mark.parametrize("data", [pd.DataFrame(), pl.DataFrame(), pd.DataFrame(index=[1, 2])])
def test_a_frame_without_columns_is_a_table(data: object) -> None:
    assert from_frame(data).columns == []


def test_lazy_frames_and_arrow_tables_are_taken() -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    assert values(from_frame(frame.lazy())) == [1, 2]
    assert values(from_frame(frame.to_arrow())) == [1, 2]


def test_arrow_columns_with_equal_names_are_told_apart() -> None:
    table = from_frame(pa.table([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"]))
    assert table.columns == ["a", "a (2)"]
    assert [values(table, i) for i in range(2)] == [[1, 2], [3, 4]]


def test_an_arrow_type_that_polars_does_not_know_is_read() -> None:
    wide = pa.array([[decimal.Decimal("1.5")], None], type=pa.list_(pa.decimal256(60, 1)))
    table = from_frame(pa.table({"a": wide}))
    assert values(table) == ['["1.5"]', None]


def test_times_outside_the_years_of_utc_are_kept_as_text() -> None:
    early = dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14)))
    data = pd.DataFrame({"a": pd.Series([early, None], dtype="object")})
    assert values(from_frame(data)) == ["0001-01-01 00:00:00+14:00", None]


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidInputError, match="nested too deeply or contains itself"):
        from_frame(pd.DataFrame({"a": pd.Series([endless, 1], dtype="object")}))


def test_mappings_with_keys_that_json_does_not_know_become_text() -> None:
    assert values(from_frame(pd.DataFrame({"a": [{(1, 2): 3}]}))) == ["{(1, 2): 3}"]


def test_a_lone_surrogate_is_no_question_mark() -> None:
    data = pd.DataFrame({"a": pd.Series(["x\ud800", 1, None], dtype="object")})
    assert values(from_frame(data)) == ["x\ufffd", "1", None]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.Series([1]), r"A Series cannot be inspected; pass a frame, for example series\.to_frame\(\)"),
        (pl.Series([1]), r"A Series cannot be inspected; pass a frame, for example series\.to_frame\(\)"),
        (np.array([[1, 2]]), r"A ndarray cannot be inspected; .*pandas\.DataFrame\(data\)"),
        ({"a": [1]}, r"A dict cannot be inspected; .*pandas\.DataFrame\(data\)"),
        ([{"a": 1}], r"A list cannot be inspected; .*pandas\.DataFrame\(data\)"),
        (pa.chunked_array([[1]]), "A ChunkedArray cannot be inspected; pass a pandas or Polars DataFrame"),
        (None, "A NoneType cannot be inspected; pass a pandas or Polars DataFrame"),
        (pl.LazyFrame({"a": [1]}).select("b"), "The lazy frame cannot be collected: "),
    ],
)
def test_what_is_no_frame_is_refused_with_what_to_pass(data: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        from_frame(data)
