"""Findings about several columns: masked if one of them is, and shown with all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.inspector import Inspector
from lavendertown.interchange.runs import CheckResult, Failure
from lavendertown.profile.evidence import Evidence, FindingSamples, SampleRow, ValueCount
from lavendertown.profile.masking import is_masked, mask_evidence, mask_finding
from lavendertown.profile.measure import sample_finding
from lavendertown.tables import read_table
from tests.detectors.planted_files import KIND_NAMES, write_planted

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


@pytest.mark.parametrize("name", KIND_NAMES)
def test_frequent_values_of_a_finding_about_several_columns_are_masked(name: str, tmp_path: Path) -> None:
    inspector = Inspector(write_planted(name, tmp_path, 200))
    findings, evidence = inspector.detect(), inspector.evidence()
    for place, finding in enumerate(findings):
        masked = mask_evidence(evidence, [finding.column]).samples.get(str(place))
        assert masked is None or masked.frequent == [], finding.description


def test_frequent_values_of_several_columns_of_another_tool_are_masked() -> None:
    failure = Failure(CheckResult("keys", "email, day"), "rule", frequent=[ValueCount("ana@x.example, 3", 2)])
    samples = failure.to_samples()
    assert samples is not None
    evidence = Evidence(samples={"0": samples})
    assert mask_evidence(evidence, ["email"]).samples["0"].frequent == []
    assert mask_evidence(evidence, ["phone"]) == evidence


def test_frequent_values_without_a_column_are_removed_with_any_mask() -> None:
    samples = FindingSamples("", [SampleRow(1, {"id": "7"})], [ValueCount("ana@x.example", 2)])
    evidence = Evidence(samples={"0": samples})
    assert mask_evidence(evidence, ["email"]).samples["0"].frequent == []
    assert mask_evidence(evidence, []) == evidence


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


@pytest.mark.parametrize("contacts", ['[{{"email": "{0}"}}]', '[[{{"e\\u002dmail": 1, "email" : "{0}"}}]]'])
def test_lists_with_a_masked_key_are_masked(contacts: str) -> None:
    rows = ",".join(f'{{"id": {i}, "contacts": {contacts.format("ann@x.example")}}}' for i in range(4))
    inspector = Inspector(read_table(f"[{rows}]".encode(), "t.json"))
    findings, evidence = inspector.detect(), inspector.evidence()
    assert "ann@x.example" in str(evidence.to_dict())
    masked = mask_evidence(evidence, ["email"])
    assert "ann@x.example" not in str(masked.to_dict())
    assert {profile.name: profile.masked for profile in masked.columns} == {"id": False, "contacts": True}
    assert "ann@x.example" not in str([mask_finding(each, ["email"]).to_dict() for each in findings])
    assert mask_evidence(evidence, ["phone"]) == evidence
