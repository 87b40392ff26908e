"""Missing values."""

from __future__ import annotations

from typing import Any

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


def test_missing_values_name_the_value_that_explains_them(detect) -> None:
    method = ["card", "cash", "transfer"] * 40
    reference = [None if each == "cash" else f"R{i}" for i, each in enumerate(method)]
    (finding,) = detect({"method": method, "reference": reference}, Nulls())
    assert finding.metadata["explained_by"] == {"column": "method", "value": "cash"}


def test_missing_values_that_nothing_explains_name_nothing(detect) -> None:
    method = ["card", "cash", "transfer"] * 40
    reference = [None if i % 4 == 0 else f"R{i}" for i in range(120)]
    (finding,) = detect({"method": method, "reference": reference}, Nulls())
    assert "explained_by" not in finding.metadata


def test_columns_missing_in_the_same_rows_name_each_other(detect) -> None:
    lost = [None if i % 9 == 0 else i for i in range(90)]
    other = [None if i % 7 == 0 else i for i in range(90)]
    findings = detect({"lat": lost, "lon": lost, "height": other}, Nulls())
    related = {finding.column: finding.metadata.get("related") for finding in findings}
    assert related == {
        "lat": [{"check": "nulls", "column": "lon"}],
        "lon": [{"check": "nulls", "column": "lat"}],
        "height": None,
    }


def test_a_row_without_its_key_is_an_error(detect) -> None:
    numbers: list[Any] = [*range(1, 40), None]
    names: list[Any] = [None, *(f"n{i % 20}" for i in range(39))]
    found = detect({"order_id": numbers, "name": names, "customer_id": names, "ref": numbers}, Nulls())
    severities = {finding.column: finding.severity for finding in found}
    assert severities == {"order_id": "error", "name": "info", "customer_id": "info", "ref": "info"}
    assert [finding.column for finding in found if finding.metadata.get("key")] == ["order_id"]
