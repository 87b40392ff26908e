"""Rows that say again what an earlier row said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lavendertown.detectors import Duplicates, runner, table_queries
from lavendertown.errors import InvalidInputError
from lavendertown.inspector import Inspector


def test_repeats_are_found_and_first_rows_are_not(detect) -> None:
    columns = {"a": [1, 2, 1, 3, 1, 2], "b": ["x", "y", "x", "z", "x", "other"]}
    (finding,) = detect(columns, Duplicates())
    assert (finding.ghost_type, finding.column, finding.row_indices) == ("duplicate", "*", [2, 4])
    assert finding.description == "2 of 6 rows (33.3%) are duplicates of an earlier row."


def test_missing_values_equal_each_other(detect) -> None:
    (finding,) = detect({"a": [None, 1.0, None, float("nan")], "b": ["x", "x", "x", "x"]}, Duplicates())
    assert finding.row_indices == [2, 3]


def test_a_number_does_not_equal_its_text() -> None:
    data = pd.DataFrame({"a": pd.Series([1, "1", 1], dtype="object")})
    (finding,) = Inspector(data, detectors=[Duplicates()]).detect()
    assert finding.row_indices == [2]


def test_chosen_columns_make_another_check(detect) -> None:
    (finding,) = detect({"id": [1, 2, 1], "b": ["x", "y", "z"]}, Duplicates(columns=("id",)))
    assert finding.row_indices == [2]
    assert finding.metadata["params"] == {"columns": ["id"]}
    assert finding.description == "1 of 3 rows (33.3%) has the same id as an earlier row."


def test_a_chosen_column_that_is_not_there_is_a_finding(detect) -> None:
    (finding,) = detect({"a": [1]}, Duplicates(columns=("id",)))
    assert (finding.ghost_type, finding.metadata["error"]) == ("check_error", InvalidInputError.__name__)


@pytest.mark.parametrize("columns", [{"a": [1, 2, 3]}, {"a": [], "b": []}])
def test_different_rows_are_no_finding(detect, columns: dict[str, list[object]]) -> None:
    assert detect(columns, Duplicates()) == []


def test_rows_that_chance_repeats_are_an_info(detect) -> None:
    random = np.random.default_rng(1)
    few: dict[str, list[Any]] = {name: random.integers(0, 20, 400).tolist() for name in ("a", "b")}
    (finding,) = detect(few, Duplicates())
    assert (finding.severity, finding.metadata["count"]) == ("info", len(finding.row_indices))
    assert finding.description.endswith(
        "an earlier row; with so few different values, chance may explain it."
    )
    copied = {name: cells[:390] + cells[:10] for name, cells in few.items()}
    copied["c"] = [f"note {i}" for i in random.integers(0, 10_000, 390)]
    copied["c"] += copied["c"][:10]
    (finding,) = detect(copied, Duplicates())
    assert (finding.severity, finding.row_indices) == ("warning", list(range(390, 400)))
    chosen = detect(few, Duplicates(columns=("a",)))
    assert [each.severity for each in chosen] == ["error"]


@pytest.mark.parametrize("repeated", [0, 1])
def test_a_large_table_with_a_key_is_compared_by_it_first(
    monkeypatch: pytest.MonkeyPatch, repeated: int
) -> None:
    monkeypatch.setattr(runner, "SMALL_TABLE_CELLS", 0)
    monkeypatch.setattr(table_queries, "SAMPLE_ROWS", 50)
    asked: list[Any] = []
    count = table_queries.TableQueries._count_rows
    monkeypatch.setattr(
        table_queries.TableQueries, "_count_rows", lambda *given: asked.append(1) or count(*given)
    )
    numbers = [*range(199), 5 if repeated else 199]
    frame = pl.DataFrame({"id": numbers, "name": [f"n{each % 9}" for each in numbers]})
    found = Inspector(frame, detectors=[Duplicates()]).detect()
    assert [each.row_indices for each in found] == [[199]] * repeated
    assert len(asked) == repeated
