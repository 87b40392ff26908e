"""Frames as tables: every kind of column, odd names, positions."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
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
        (pl.Series([{"a": 1}]), ['{"a": 1}'], "other"),
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


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="A dict cannot be inspected"):
        from_frame({"a": [1]})
