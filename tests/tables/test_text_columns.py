"""Tests of matching the values of text columns: alone, and of many short columns at once."""

from __future__ import annotations

import random

import polars as pl
import pytest

from lavendertown.core.reading import DETECT
from lavendertown.tables.inference import infer, text_columns
from lavendertown.tables.inference.text_columns import TextColumn, stack_columns

WORDS = [
    "12",
    "1,204",
    "3.5",
    "$7",
    "2024-01-31",
    "31.01.2024",
    "10:30",
    "v3",
    "yes",
    "no",
    "n/a",
    " 8 ",
    None,
]


def columns_of_all_kinds(count: int = 60, rows: int = 7) -> list[pl.Series]:
    chance = random.Random(3)
    kinds = [chance.sample(WORDS, 3) for _ in range(count)]
    return [pl.Series([chance.choice(kind) for _ in range(rows)], dtype=pl.String) for kind in kinds]


@pytest.mark.parametrize("pattern", ["[0-9]", "^v", "^nothing$", r"\s"])
def test_stacked_columns_match_as_each_alone(pattern: str) -> None:
    columns = columns_of_all_kinds()
    for column, stacked in zip(columns, stack_columns(columns), strict=True):
        alone = TextColumn(column)
        assert stacked.count_matches(pattern) == alone.count_matches(pattern)
        assert stacked.any_match(pattern) == alone.any_match(pattern)
        assert stacked.all_match(pattern) == alone.all_match(pattern)
        assert stacked.share_of_first(pattern) == alone.share_of_first(pattern)


def test_a_value_after_the_first_rows_decides() -> None:
    column = TextColumn(pl.Series(["1"] * text_columns.QUICK_CHECK_ROWS + ["x"]))
    assert (column.first_match("x"), column.any_match("x"), column.all_match("1")) == (False, True, False)
    assert (column.count_matches("x"), column.share_of_first("1")) == (1, 1.0)


def test_a_column_without_values_matches_nothing() -> None:
    column = TextColumn(pl.Series([None, None], dtype=pl.String))
    assert (column.present, column.any_match(""), column.share_of_first("")) == (0, False, 0.0)


def test_stacked_columns_share_the_call_for_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = columns_of_all_kinds(600)
    calls: list[str] = []
    count = text_columns._Stack.count_matches

    def count_calls(stack: text_columns._Stack, pattern: str) -> list[int]:
        calls.extend([pattern] if pattern not in stack._counts else [])
        return count(stack, pattern)

    monkeypatch.setattr(text_columns._Stack, "count_matches", count_calls)
    for column in stack_columns(columns):
        column.any_match("[0-9]")
    assert calls == ["[0-9]"]


def test_stacked_columns_have_the_types_and_guesses_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = columns_of_all_kinds(300)
    names = [f"column {i}" for i in range(len(columns))]
    stacked = infer.infer_types(names, columns, comma_delimited=True, reading=DETECT)
    monkeypatch.setattr(text_columns, "_STACKED_VALUES", 1)
    alone = infer.infer_types(names, columns, comma_delimited=True, reading=DETECT)
    assert stacked.guesses == alone.guesses
    assert len({column.values.dtype for column in alone.columns}) >= 4
    for one, other in zip(stacked.columns, alone.columns, strict=True):
        assert one.values.dtype == other.values.dtype
        assert one.values.to_list() == other.values.to_list()
