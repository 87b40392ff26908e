"""Infinite numbers, in floats and written out."""

from __future__ import annotations

import pytest

from lavendertown.detectors import InfiniteValues, Types
from lavendertown.inspector import Inspector

INF = float("inf")


def test_infinite_floats_are_counted_and_listed(detect) -> None:
    (finding,) = detect({"a": [1.0, INF, 2.0, -INF] * 5 + [3.0] * 20}, InfiniteValues())
    assert (finding.ghost_type, finding.description) == ("outlier", "a is infinite in 10 of 40 rows (25%).")
    assert finding.row_indices == [i for i in range(20) if i % 2]
    assert finding.metadata["samples"] == ["Infinity", "-Infinity"]


def test_infinite_numbers_of_a_csv_file_are_no_stray_text() -> None:
    raw = b"id,ratio\n0,0.5\n1,inf\n2,0.7\n3,-inf\n4,0.4\n5,NaN\n6,0.9\n7,Infinity\n8,0.3\n"
    found = Inspector((raw, "r.csv"), detectors=[Types(), InfiniteValues()]).detect()
    assert [finding.row_indices for finding in found] == [[1, 3, 7]]
    assert found[0].description == "ratio is infinite in 3 of 9 rows (33.3%)."


@pytest.mark.parametrize("values", [["Inf", "Sgt", "Cpl"], [1, 2], [1.0, None]])
def test_words_and_finite_numbers_are_left_alone(detect, values: list[object]) -> None:
    assert detect({"a": values}, InfiniteValues()) == []


def test_infinity_among_titles_is_a_title(detect) -> None:
    assert (
        detect({"title": ["Alien", "Infinity", "1984", "300", "Brazil", "Heat"] * 8}, InfiniteValues()) == []
    )


def test_infinite_numbers_are_found_among_placeholders(detect) -> None:
    (finding,) = detect({"budget": ["NA"] * 90 + ["inf", "100", "250", "n.a."]}, InfiniteValues())
    assert finding.row_indices == [90]
