"""Row positions, packed and back, without loss and in little room."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.core import row_positions
from lavendertown.errors import DamagedRecordError, InvalidInputError

INDEX = st.integers(-(2**40), 2**40) | st.text(
    st.characters(exclude_characters="\x00", exclude_categories=("Cs",))
)


@given(st.lists(INDEX) | st.lists(st.integers(0, 2**32 - 1), unique=True).map(sorted))
def test_packing_and_unpacking_gives_an_equal_list(indices: list[Any]) -> None:
    assert row_positions.unpack_positions(row_positions.pack_positions(indices)) == indices


@pytest.mark.parametrize(
    "indices",
    [
        [],
        [0],
        [0, 2**32 - 1],
        [3, 2, 1],
        [1, 1, 1],
        [-1, 5],
        [2**40],
        ["row-a", "row-b"],
        [1.5, 2.5],
        [1, "two", None],
        [True, False],
    ],
)
def test_odd_lists_come_back_as_they_were(indices: list[Any]) -> None:
    made = row_positions.unpack_positions(row_positions.pack_positions(indices))
    assert made == indices
    assert [type(value) for value in made] == [type(value) for value in indices]


def test_numpy_positions_come_back_as_plain_numbers() -> None:
    made = row_positions.unpack_positions(
        row_positions.pack_positions(list(np.array([4, 8, 15], dtype=np.int64)))
    )
    assert made == [4, 8, 15]
    assert {type(value) for value in made} == {int}


def test_an_array_of_positions_is_taken_like_a_list() -> None:
    assert row_positions.unpack_positions(row_positions.pack_positions(np.arange(5))) == [0, 1, 2, 3, 4]
    assert row_positions.unpack_positions(row_positions.pack_positions(range(5))) == [0, 1, 2, 3, 4]


def test_200_000_random_rows_take_a_fifteenth_of_their_json() -> None:
    chosen = sorted(random.Random(7).sample(range(1_000_000), 200_000))
    as_json = sum(len(str(value)) + 2 for value in chosen)
    assert len(row_positions.pack_positions(chosen)) * 15 <= as_json
    assert row_positions.unpack_positions(row_positions.pack_positions(chosen)) == chosen


def test_200_000_neighbouring_rows_take_almost_nothing() -> None:
    assert len(row_positions.pack_positions(range(5_000, 205_000))) < 300


@pytest.mark.parametrize("indices", [list(range(0, 1000, 3)), [f"label {n}" for n in range(300)]])
def test_pages_put_together_are_the_whole(indices: list[Any]) -> None:
    packed = row_positions.pack_positions(indices)
    pages = [
        row_positions.read_positions_page(packed, start, 50) for start in range(0, len(indices) + 50, 50)
    ]
    assert [row for page in pages for row in page] == indices
    assert row_positions.count_positions(packed) == len(indices)


def test_a_page_beyond_the_end_is_empty() -> None:
    assert row_positions.read_positions_page(row_positions.pack_positions([1, 2, 3]), 10, 5) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: b"",
        lambda packed: packed[:1],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: b"Z" + packed[1:],
        lambda packed: packed[:1] + b"garbage" + packed[8:],
    ],
    ids=["empty", "head only", "half", "unknown form", "overwritten"],
)
@pytest.mark.parametrize("indices", [list(range(0, 90_000, 3)), ["a", "b"]], ids=["bitmap", "list"])
def test_broken_bytes_are_a_damaged_record(indices: list[Any], spoil: Any) -> None:
    with pytest.raises(DamagedRecordError, match="row positions"):
        row_positions.unpack_positions(spoil(row_positions.pack_positions(indices)))


def test_a_row_label_without_a_plain_form_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"row_indices\[0\]"):
        row_positions.pack_positions([object()])
