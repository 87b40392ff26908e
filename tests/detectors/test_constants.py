"""Columns that say the same in every row."""

from __future__ import annotations

import pytest

from lavendertown.core import json_codec
from lavendertown.detectors import Constants


@pytest.mark.parametrize("value", ["x", 7, 2.5, True])
def test_a_constant_is_found(detect, value: object) -> None:
    (finding,) = detect({"a": [value] * 4, "b": [1, 2, 3, 4]}, Constants())
    assert (finding.ghost_type, finding.column, finding.severity) == ("constant", "a", "info")
    assert (finding.metadata["count"], finding.metadata["share"], finding.row_indices) == (4, 1.0, None)


def test_two_values_are_no_constant(detect) -> None:
    assert detect({"a": ["x", "x", "y", "x"]}, Constants()) == []


def test_a_mark_on_some_rows_is_no_constant(detect) -> None:
    assert detect({"a": ["yes"] * 4 + [None] * 6}, Constants()) == []
    (finding,) = detect({"a": ["yes"] * 9 + [None]}, Constants())
    assert finding.metadata["count"] == 9


def test_a_single_row_says_nothing(detect) -> None:
    assert detect({"a": ["x"]}, Constants()) == []


def test_a_column_of_stand_ins_is_told_once(detect) -> None:
    assert [f.ghost_type for f in detect({"a": ["N/A"] * 5, "b": list("vwxyz")})] == ["disguised_null"]


def test_a_value_that_no_store_takes_is_still_shown(detect) -> None:
    (finding,) = detect({"a": ["x\x00\ny"] * 3, "b": [1, 2, 3]}, Constants())
    assert finding.description == "a is 'x\ufffd y' in every row (3)."
    assert json_codec.to_jsonable(finding.to_dict()) == finding.to_dict()
