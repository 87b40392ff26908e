"""Missing values."""

from __future__ import annotations

import pytest

from lavendertown.detectors import Nulls


def test_missing_values_are_found_at_their_positions(detect) -> None:
    (finding,) = detect({"a": [1.0, None, 3.0, float("nan")], "b": ["x", "y", "z", "w"]}, Nulls())
    assert (finding.ghost_type, finding.column, finding.row_indices) == ("null", "a", [1, 3])
    assert finding.description == "a is empty in 2 of 4 rows (50%)."
    meta = finding.metadata
    assert (meta["check"], meta["params"], meta["count"], meta["share"]) == ("nulls", {}, 2, 0.5)
    assert (meta["null_count"], meta["total_count"], meta["null_percentage"]) == (2, 4, 0.5)


def test_an_empty_column_is_one_finding_of_all_checks(detect) -> None:
    (finding,) = detect({"a": [None] * 40, "b": list(range(40))})
    assert (finding.ghost_type, finding.severity) == ("null", "error")
    assert finding.description == "a is empty in every row (40)."
    assert finding.metadata["near_empty"] is True


def test_a_near_empty_column_is_one_finding_of_all_checks(detect) -> None:
    (finding,) = detect({"a": ["x"] * 2 + [None] * 98, "b": list(range(100))})
    assert (finding.ghost_type, finding.severity) == ("null", "error")
    assert finding.description == "a is almost entirely empty: 98 of 100 rows (98%) have no value."


@pytest.mark.parametrize(
    ("missing", "severity"), [(5, "info"), (6, "warning"), (50, "warning"), (51, "error")]
)
def test_severity_grows_with_the_share(detect, missing: int, severity: str) -> None:
    (finding,) = detect({"a": [None] * missing + [1] * (100 - missing)}, Nulls())
    assert finding.severity == severity


def test_a_share_within_the_threshold_is_accepted(detect) -> None:
    assert detect({"a": [None] + [1] * 9}, Nulls(threshold=0.1)) == []
    (finding,) = detect({"a": [None] * 2 + [1] * 8}, Nulls(threshold=0.1))
    assert finding.metadata["params"] == {"threshold": 0.1}
