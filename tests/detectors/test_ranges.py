"""Numbers that the name of their column rules out."""

from __future__ import annotations

import numpy as np
import pytest

from lavendertown.detectors import Ranges

N = 200


@pytest.mark.parametrize(
    ("name", "least", "most", "wrong"),
    [("month", 1, 12, 13), ("birth_year", 1950, 2005, 20011), ("humidity", 20, 90, 104), ("rating", 1, 5, 7)],
)
def test_impossible_numbers_are_found(detect, name: str, least: int, most: int, wrong: int) -> None:
    values = np.random.default_rng(1).integers(least, most + 1, N).tolist()
    assert detect({name: values}, Ranges()) == []
    values[3] = values[90] = wrong
    (finding,) = detect({name: values}, Ranges())
    assert (finding.ghost_type, finding.metadata["fault"], finding.row_indices) == (
        "outlier",
        "range",
        [3, 90],
    )


def test_what_many_rows_have_is_possible(detect) -> None:
    values = np.random.default_rng(1).integers(0, 14, N).tolist()
    assert detect({"month": values}, Ranges()) == []


@pytest.mark.parametrize("name", ["percent change", "days", "children"])
def test_other_columns_have_no_range(detect, name: str) -> None:
    assert detect({name: [1, 2, 3, 120] * 10 + [400]}, Ranges()) == []


def test_levels_with_a_gap_are_no_scale(detect) -> None:
    levels = np.random.default_rng(1).choice([1, 2, 4, 8], N).tolist()
    assert detect({"rating": [*levels, 16]}, Ranges()) == []
    (finding,) = detect({"rating": [*(1 + level % 5 for level in range(N)), 16]}, Ranges())
    assert finding.row_indices == [N]


def test_infinite_ratings_are_left_to_another_check(detect) -> None:
    assert detect({"rating": [1.0, 2.0, 3.0, float("inf")] * 30}, Ranges()) == []
