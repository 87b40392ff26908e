"""The one JSON door: what comes out is plain, strict, and the same for every backend."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import uuid
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.core import json_codec
from lavendertown.errors import InvalidInputError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))), inner, max_size=4
        )
    ),
    max_leaves=12,
)


class Colour(enum.Enum):
    VIOLET = "violet"


class Level(enum.IntEnum):
    HIGH = 3


@given(JSON)
def test_plain_data_goes_through_unchanged(value: Any) -> None:
    made = json_codec.to_jsonable(value)
    assert made == value
    assert json_codec.loads(json_codec.dumps(made)) == value


@given(JSON)
def test_what_is_written_is_json_that_any_reader_reads(value: Any) -> None:
    assert json.loads(json_codec.dumps(json_codec.to_jsonable(value))) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int8(-3), -3),
        (np.uint32(7), 7),
        (np.int64(2**62), 2**62),
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("ü"), "ü"),
        (np.array([1, 2, 3]), [1, 2, 3]),
        (np.array([[1.0, float("nan")]]), [[1.0, None]]),
        (np.float64("nan"), None),
        (np.float64("inf"), "Infinity"),
        (np.datetime64("NaT"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (pd.Timestamp("2026-03-04T05:06:07.123456Z"), "2026-03-04T05:06:07.123456+00:00"),
        (pd.Series([1, 2]), [1, 2]),
        (float("nan"), None),
        (float("-inf"), "-Infinity"),
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("NaN"), None),
        (dt.date(2026, 3, 4), "2026-03-04"),
        (dt.time(5, 6), "05:06:00"),
        (dt.timedelta(minutes=2), 120.0),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.VIOLET, "violet"),
        (Level.HIGH, 3),
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({True: "a", 7: "b"}, {"true": "a", "7": "b"}),
        ({2.5: "x"}, {"2.5": "x"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_scalars_and_containers_become_plain(value: Any, plain: Any) -> None:
    made = json_codec.to_jsonable(value)
    assert made == plain
    assert type(made) is type(plain)


def test_plain_keeps_the_order_of_a_mapping() -> None:
    assert list(json_codec.to_jsonable({"z": 1, "a": 2, "m": 3})) == ["z", "a", "m"]


def test_a_nul_character_is_refused_with_its_path() -> None:
    with pytest.raises(InvalidInputError, match=r"metadata\.samples\[1\] has a NUL character"):
        json_codec.to_jsonable({"samples": ["fine", "bro\x00ken"]}, "metadata")


def test_a_nul_character_in_a_key_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="NUL"):
        json_codec.to_jsonable({"a\x00b": 1}, "metadata")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"metadata\.name has a broken character"):
        json_codec.to_jsonable({"name": "\ud800"}, "metadata")


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, np.uint64(2**64 - 1)])
def test_a_number_beyond_64_bits_is_refused(number: Any) -> None:
    with pytest.raises(InvalidInputError, match="64 bits"):
        json_codec.to_jsonable({"n": number}, "metadata")


@pytest.mark.parametrize(
    "thing", [object(), b"bytes", lambda: None, 1j], ids=["object", "bytes", "lambda", "complex"]
)
def test_what_has_no_plain_form_is_refused_by_its_path(thing: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"metadata\.x"):
        json_codec.to_jsonable({"x": thing}, "metadata")


def test_two_keys_that_become_the_same_text_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="'1'"):
        json_codec.to_jsonable({1: "a", "1": "b"}, "metadata")


def test_canonical_bytes_do_not_depend_on_the_order_of_keys() -> None:
    assert json_codec.dumps_canonical({"b": {"y": 1, "x": 2}, "a": 0}) == json_codec.dumps_canonical(
        {"a": 0, "b": {"x": 2, "y": 1}}
    )


def test_broken_json_is_refused_by_line_and_column() -> None:
    with pytest.raises(ValueError, match="line 2 column"):
        json_codec.loads(b'{"a": 1,\n oops}')


def test_self_containing_data_is_refused_not_a_crash() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidInputError):
        json_codec.to_jsonable(loop, "metadata")
