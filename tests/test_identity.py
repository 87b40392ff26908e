"""The same check failing on the same column of the same dataset is the same finding next week."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.core.fingerprints import compute_fingerprint, is_legacy_id, legacy_id, mask_description
from lavendertown.models import GhostFinding

NUMBER = re.compile(r"[+-]?\d+(?:[.,\u00a0\u202f']\d+)*(?:[eE][+-]?\d+)?(?:\s?%)?")
"""What was masked at first: texts in which nothing else changed must be masked like this for ever."""


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
    made = compute_fingerprint(finding())
    assert made.startswith("f1-")
    assert len(made) == 35
    assert is_legacy_id(made[3:])


def test_fingerprints_never_change() -> None:
    """Stored discussions hang on these very ids: change one and every team loses its threads."""
    bare = GhostFinding("null", "email", "info", "15 empty")
    named = GhostFinding("rule", "a", "error", "x", metadata={"check_id": "dbt.unique_a", "dataset": "d"})
    assert compute_fingerprint(finding()) == "f1-f686e665e7196d28f0da13134b2dd0ce"
    assert compute_fingerprint(bare) == "f1-cf93b2f25c588f082f5026e70e6cfede"
    assert compute_fingerprint(named) == "f1-62795272950cae38207ea27419498485"


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
    assert compute_fingerprint(other) == compute_fingerprint(finding())


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
    assert compute_fingerprint(other) != compute_fingerprint(finding())


def test_the_order_of_parameters_does_not_matter() -> None:
    assert compute_fingerprint(with_metadata(params={"a": 1, "b": 2})) == compute_fingerprint(
        with_metadata(params={"b": 2, "a": 1})
    )


def test_a_tools_own_check_id_outweighs_name_and_parameters() -> None:
    first = with_metadata(check_id="t1", check="nulls", params={"a": 1})
    second = with_metadata(check_id="t1", check="renamed", params={"a": 2})
    assert compute_fingerprint(first) == compute_fingerprint(second)


def test_fields_cannot_run_into_one_another() -> None:
    first = GhostFinding("a", "bc", "info", "d")
    second = GhostFinding("ab", "c", "info", "d")
    assert compute_fingerprint(first) != compute_fingerprint(second)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("15 of 60 rows", "16 of 70 rows"),
        ("1,234.5 of 2,000", "3 of 9"),
        ("25.0% empty", "3% empty"),
        ("1e-05 share", "2E+10 share"),
        ("12 % of rows", "9.5 % of rows"),
        ("12 % of rows", "9.5% of rows"),
        ("under 0.1 % of rows", "under 0.1% of rows"),
    ],
)
def test_without_a_check_numbers_in_the_description_do_not_matter(one: str, two: str) -> None:
    assert mask_description(one) == mask_description(two)
    assert compute_fingerprint(GhostFinding("x", "c", "info", one)) == compute_fingerprint(
        GhostFinding("x", "c", "info", two)
    )


def test_without_a_check_other_words_are_another_finding() -> None:
    one, two = (GhostFinding("x", "c", "info", words) for words in ("15 empty", "15 odd"))
    assert compute_fingerprint(one) != compute_fingerprint(two)


@pytest.mark.parametrize(
    "alike",
    [
        ["1 value is empty in 1 row", "12 values are empty in 3 rows"],
        ["Got 1 result, configured to fail", "Got 12 results, configured to fail"],
        ["1 of 60 rows (1.7 %) holds text", "9 of 1,060 rows (0.8 %) hold text"],
        ["Found 1 suspicious value", "Found 3 suspicious values"],
        ["contains 1 missing value", "contains 12 missing values"],
        ["There was 1 duplicate key", "There were 3 duplicate keys"],
        [
            "run 6f9619ff-8b86-4011-b42d-00cf4fc964ff failed",
            "run 0f9619ff-0b86-4a11-942d-00cf4fcf64f1 failed",
        ],
        ["(batch_id=ab12cd34ef)", "(batch_id=1234567890)", "(batch_id=ABCDEF0123)"],
        ["Rows: [3]", "Rows: [3, 17]", "Rows: [3, 17, 99, ...]", "Rows: [3, 17, 99] and 12 more"],
        [
            "2 change point(s) at positions [3, 17]",
            "9 change point(s) at positions [3, 17, 99, 120, 141] (and 4 more)",
        ],
        ["rows 3 and 17 are odd", "rows 3, 17, 99 and 120 are odd"],
    ],
    ids=lambda alike: alike[0],
)
def test_without_a_check_what_a_day_gives_does_not_matter(alike: list[str]) -> None:
    assert len({mask_description(text) for text in alike}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "12 values are empty in 3 rows",
        "2 of 60 rows (3.4 %) hold something else.",
        "1 row(s) failed",
        "1 rows failed",
        "email has 1 (1.7%) missing values",
        "1 duplicates",
        "Part 1 of 3 files is late",
        'first failing row: {"id": 17, "total": 3}',
        "1 values is odd",
        "column 'x' not in dataframe. Columns in dataframe: ['id', 'name']",
        "At most 1 value is allowed",
        "Each order must have 1 line",
        "Fails when more than 1 row is found",
        "1 row per customer",
        "status has 1 value",
        "status contains 1 distinct value",
        "Null share too low (<5 %)",
        "Has few rows (under 5 %)",
        "At most 3 rows (<5 %) may be late",
        "Data is more than 1 day old",
        "Type 1 error in step 1",
        "Values outside the range [0, 100]",
        "Values not in [1, 2, 3]",
        "rows: 12, 5 columns",
        "Bad at rows [3,17,99]",
        "Row 4 is a copy",
        "tenant 6f9619ff-8b86-4011-b42d-00cf4fc964ff has 3 empty rows",
        "accepted_values_age__29__34.ad056b2b2d failed",
        "Check fcb30670-9dfa-4e2d-8057-13c3947d873d failed",
        "Values must be codes such as 'DE'",
        "12 values are not codes such as 'DE'",
        "Values should be codes (e.g. 'DE')",
        "Lines have faults such as blanks, odd dates or wrong units",
        "The newest is e.g. 'ORD-17' of 2024-01-31",
        "unknown codes, e.g. 'ORD-17', ...",
        "Orders before 1 January 2020 00:00",
        "Orders of May 2026",
    ],
)
def test_a_text_in_which_only_numbers_ever_changed_keeps_its_id(text: str) -> None:
    assert mask_description(text) == NUMBER.sub("#", text)


@given(
    st.text("0123456789.,+-%eE '"),
    st.sampled_from(["rows are empty", "values (of", "] in range [", "results; age >", "null_count ="]),
    st.integers(1, 10**9),
)
def test_numbers_and_plurals_are_masked_as_ever(before: str, words: str, count: int) -> None:
    text = f"{before} {count:,} {words} {count}"
    assert mask_description(text) == NUMBER.sub("#", text)


def test_what_is_left_of_a_masked_text_is_masked_no_further() -> None:
    once = mask_description("1 row is odd: rows [3, 17], run 6f9619ff8b864011")
    assert mask_description(once) == once == "# rows are odd: rows [#], run #"


@pytest.mark.parametrize(
    "piece",
    [
        "1 row is ",
        "1 of 1 ",
        "3, ",
        "3,",
        "rows [3, ",
        "e.g. '",
        "e.g. “a",
        "'a', ",
        "abcdef12",
        "run ",
        "Mon, 1 Jan ",
    ],
)
@pytest.mark.parametrize("start", ["", "rows [", "e.g. ", "run ", "such as 'x', "])
def test_a_description_of_100_kb_is_masked(start: str, piece: str) -> None:
    """A pattern that tried every way to cut these would run for hours."""
    made = mask_description(start + piece * (100_000 // len(piece)))
    assert not re.search(r"\b\d", made)


def test_the_id_of_0_7_is_what_0_7_made() -> None:
    expected = hashlib.md5(b"null:email:15 empty").hexdigest()
    assert legacy_id("null", "email", "15 empty") == expected
    assert is_legacy_id(expected)
    assert not is_legacy_id("finding_123")
