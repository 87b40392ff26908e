"""Planted errors: exactly they are found. Every frame is drawn anew."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.detectors import DisguisedNulls, Duplicates, Nulls, Types
from lavendertown.inspector import Inspector

pytestmark = pytest.mark.slow

N = 60
positions = st.sets(st.integers(0, N - 1), max_size=5)
word = st.text("bcdfgh", min_size=6, max_size=9)  # No letters that make "unknown" or "march".
words = st.lists(word, min_size=N, max_size=N)
numbers = st.lists(st.integers(-1000, 1000), min_size=N, max_size=N)


def rows(data: dict[str, list[object]], detector: object, kind: str, column: str) -> set[int]:
    """Return the rows of one finding, the same from pandas and Polars."""
    both = []
    for frame in (pl.DataFrame(data), pd.DataFrame(data)):
        findings = Inspector(frame, detectors=[detector]).detect()  # type: ignore[list-item]
        both.append([f for f in findings if (f.ghost_type, f.column) == (kind, column)])
        assert findings == both[-1]
    assert both[0] == both[1]
    return {row for finding in both[0] for row in finding.row_indices or []}


@given(numbers, positions)
def test_exactly_the_planted_nulls_are_found(values: list[int], planted: set[int]) -> None:
    column = [None if i in planted else float(v) for i, v in enumerate(values)]
    assert rows({"a": column}, Nulls(), "null", "a") == planted


@given(words, positions, st.sampled_from(["N/A", "-", "", "  ", "null", "?"]))
def test_exactly_the_planted_stand_ins_are_found(values: list[str], planted: set[int], sign: str) -> None:
    column = [sign if i in planted else v for i, v in enumerate(values)]
    assert rows({"a": column}, DisguisedNulls(), "disguised_null", "a") == planted


@given(numbers, positions.filter(bool), word)
def test_exactly_the_planted_strays_are_found(values: list[int], planted: set[int], stray: str) -> None:
    column = [stray if i in planted else str(v) for i, v in enumerate(values)]
    assert rows({"a": column}, Types(), "type", "a") == planted


@given(words, st.lists(st.integers(0, N - 1), max_size=6))
def test_exactly_the_planted_copies_are_found(values: list[str], copied: list[int]) -> None:
    unique = [f"{v}{i}" for i, v in enumerate(values)]
    data = {"a": unique + [unique[i] for i in copied], "b": list(range(N)) + list(copied)}
    assert rows(data, Duplicates(), "duplicate", "*") == set(range(N, N + len(copied)))
