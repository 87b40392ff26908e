"""Findings about several columns: masked if one of them is, and shown with all of them."""

from __future__ import annotations

import pytest

from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.profile.masking import is_masked, mask_finding
from lavendertown.profile.measure import sample_finding
from lavendertown.tables import read_table

PAIR = GhostFinding(
    "dependency",
    "zip, city",
    "warning",
    "Bern.",
    [1],
    {"check": "dependencies", "count": 1, "columns": ["zip", "city"], "samples": ["Bern"]},
)  # fmt: skip


def test_one_masked_column_masks_the_finding() -> None:
    masked = mask_finding(PAIR, ["CITY"])
    assert "Bern" not in str(masked.to_dict())
    assert finding_columns(masked) == ["zip", "city"]
    assert mask_finding(PAIR, ["name"]) == PAIR


def test_the_value_that_explains_missing_ones_is_masked_with_its_column() -> None:
    cause = {"column": "method", "value": "cash"}
    finding = GhostFinding(
        "null", "reference", "info", "Empty.", [0], {"check": "nulls", "explained_by": cause}
    )
    assert "explained_by" not in mask_finding(finding, ["method"]).metadata
    assert mask_finding(finding, ["name"]).metadata["explained_by"] == cause


def test_sample_rows_show_all_columns_of_the_finding() -> None:
    table = read_table(b"id,zip,city,x\n1,10115,Bern,a\n2,10115,Rome,b\n", "t.csv")
    samples = sample_finding(table, PAIR, ["id"])
    assert [list(row.values) for row in samples.rows] == [["id", "zip", "city"]]


@pytest.mark.parametrize(
    ("column", "masked"),
    [
        ("Email", True),
        ("email (2)", True),
        ("person.email", True),
        ("person.email (2)", True),
        ("order, email (3)", True),
        ("first_name.de", True),
        ("emails", False),
        ("person.emails", False),
        ("(2)", False),
    ],
)
def test_a_column_is_masked_by_each_part_of_its_name(column: str, masked: bool) -> None:
    assert is_masked(column, ["email", "*_name"]) is masked
