"""The same check failing on the same column of the same dataset is the same finding next week."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lavendertown.identity import fingerprint, is_legacy_id, legacy_id, masked
from lavendertown.models import GhostFinding


def finding(**changes: Any) -> GhostFinding:
    made = GhostFinding(
        ghost_type="null",
        column="email",
        severity="warning",
        description="email is empty in 12 of 60 rows (20 %)",
        row_indices=[1, 2, 3],
        metadata={"check": "nulls", "params": {"limit": 0.1}, "count": 12, "share": 0.2, "dataset": "people"},
    )
    return replace(made, **changes)


def with_metadata(**changes: Any) -> GhostFinding:
    return finding(metadata={**finding().metadata, **changes})


def test_a_fingerprint_has_its_version_and_32_hex_digits() -> None:
    made = fingerprint(finding())
    assert made.startswith("f1-")
    assert len(made) == 35
    assert is_legacy_id(made[3:])


def test_fingerprints_never_change() -> None:
    """Stored discussions hang on these very ids: change one and every team loses its threads."""
    bare = GhostFinding("null", "email", "info", "15 empty")
    named = GhostFinding("rule", "a", "error", "x", metadata={"check_id": "dbt.unique_a", "dataset": "d"})
    assert fingerprint(finding()) == "f1-f686e665e7196d28f0da13134b2dd0ce"
    assert fingerprint(bare) == "f1-cf93b2f25c588f082f5026e70e6cfede"
    assert fingerprint(named) == "f1-62795272950cae38207ea27419498485"


@pytest.mark.parametrize(
    "other",
    [
        finding(severity="error"),
        finding(row_indices=None),
        finding(description="email is empty in 999 of 1,000 rows (99.9 %)"),
        finding(description="Something else altogether"),
        with_metadata(count=999, share=0.999, samples=["x"]),
        with_metadata(params={"limit": np.float64(0.1)}),
    ],
    ids=["severity", "rows", "counts", "words", "metadata", "numpy"],
)
def test_what_the_data_gave_does_not_change_who_a_finding_is(other: GhostFinding) -> None:
    assert fingerprint(other) == fingerprint(finding())


@pytest.mark.parametrize(
    "other",
    [
        finding(column="phone"),
        finding(ghost_type="disguised_null"),
        with_metadata(dataset="orders"),
        with_metadata(check="near_empty"),
        with_metadata(params={"limit": 0.2}),
        with_metadata(check_id="tool.email"),
    ],
    ids=["column", "type", "dataset", "check", "params", "check_id"],
)
def test_another_check_column_or_dataset_is_another_finding(other: GhostFinding) -> None:
    assert fingerprint(other) != fingerprint(finding())


def test_the_order_of_parameters_does_not_matter() -> None:
    assert fingerprint(with_metadata(params={"a": 1, "b": 2})) == fingerprint(
        with_metadata(params={"b": 2, "a": 1})
    )


def test_a_tools_own_check_id_outweighs_name_and_parameters() -> None:
    first = with_metadata(check_id="t1", check="nulls", params={"a": 1})
    second = with_metadata(check_id="t1", check="renamed", params={"a": 2})
    assert fingerprint(first) == fingerprint(second)


def test_fields_cannot_run_into_one_another() -> None:
    first = GhostFinding("a", "bc", "info", "d")
    second = GhostFinding("ab", "c", "info", "d")
    assert fingerprint(first) != fingerprint(second)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("15 of 60 rows", "16 of 70 rows"),
        ("1,234.5 of 2,000", "3 of 9"),
        ("25.0% empty", "3% empty"),
        ("1e-05 share", "2E+10 share"),
        ("12 % of rows", "9.5 % of rows"),
    ],
)
def test_without_a_check_numbers_in_the_description_do_not_matter(one: str, two: str) -> None:
    assert masked(one) == masked(two)
    assert fingerprint(GhostFinding("x", "c", "info", one)) == fingerprint(
        GhostFinding("x", "c", "info", two)
    )


def test_without_a_check_other_words_are_another_finding() -> None:
    one, two = (GhostFinding("x", "c", "info", words) for words in ("15 empty", "15 odd"))
    assert fingerprint(one) != fingerprint(two)


def test_the_id_of_0_7_is_what_0_7_made() -> None:
    expected = hashlib.md5(b"null:email:15 empty").hexdigest()
    assert legacy_id("null", "email", "15 empty") == expected
    assert is_legacy_id(expected)
    assert not is_legacy_id("finding_123")
