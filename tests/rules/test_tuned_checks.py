"""What a check configuration changes: which checks run, what they report, and what stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from lavendertown.collaboration.storage import get_finding_id
from lavendertown.core.errors import InvalidInputError
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding

N = 300
COLUMNS: dict[str, list[Any]] = {
    "order": list(range(1, N + 1)),
    "age": [-1 if i in (3, 9, 20, 33, 70) else 18 + (i * 37) % 60 for i in range(N)],
    "amount": [9999.0 if i in (5, 6) else 100 + (i * 7919 % 400) / 10 for i in range(N)],
    "note": [None if i % 7 == 0 else f"word {i} of a text" for i in range(N)],
    "team": ["Suport" if i == 4 else "Support" if i % 3 else "Sales" for i in range(N)],
    "sku": ["zz9" if i == 8 else f"AB-{i * 7 % 1000:04d}" for i in range(N)],
}


def to_pandas(columns: dict[str, list[Any]]) -> Any:
    return pd.DataFrame(columns)


def to_duckdb(columns: dict[str, list[Any]]) -> Any:
    frame = pl.DataFrame(columns)
    return duckdb.from_arrow(frame.to_arrow())


@pytest.fixture(params=[to_pandas, pl.DataFrame, to_duckdb], ids=["pandas", "polars", "duckdb"])
def inspect(request: pytest.FixtureRequest) -> Callable[[Any], Inspector]:
    return lambda checks: Inspector(request.param(COLUMNS), dataset="orders", checks=checks)


def by_check(inspector: Inspector) -> dict[str, GhostFinding]:
    return {finding.metadata["check"]: finding for finding in inspector.detect()}


def test_without_a_configuration_nothing_changes(inspect: Callable[[Any], Inspector]) -> None:
    inspector = inspect(None)
    assert set(by_check(inspector)) == {"placeholders", "outliers", "nulls", "category_variants", "shapes"}
    assert "switched_off" not in inspector.coverage()
    assert not any("settings" in entry for entry in inspector.coverage()["ran"])


def test_what_is_expected_of_a_column_is_not_reported(inspect: Callable[[Any], Inspector]) -> None:
    inspector = inspect(
        {
            "columns": {
                "note": {"optional": True},
                "age": {"allowed": [-1]},
                "amount": {"range": {"min": 0, "max": 10_000}},
                "team": {"allowed": ["Suport"]},
                "sku": {"pattern": "[A-Z]{2}-[0-9]{4}|zz9"},
            }
        }
    )
    assert by_check(inspector) == {}
    off = {(each["check"], each["column"]): each["reason"] for each in inspector.coverage()["switched_off"]}
    assert off == {
        ("nulls", "note"): "empty values are expected",
        ("outliers", "amount"): "a range is expected, which is checked instead",
        ("shapes", "sku"): "a pattern is expected, which is checked instead",
    }


def test_rows_outside_what_is_expected_are_reported_with_a_stable_identity(
    inspect: Callable[[Any], Inspector],
) -> None:
    ids = set()
    for most in (5000, 6000):
        inspector = inspect({"columns": {"amount": {"range": {"min": 0, "max": most}}}})
        finding = by_check(inspector)["rule:range"]
        assert finding.row_indices == [5, 6]
        assert finding.metadata["settings"] == {"min_value": 0, "max_value": most}
        ids.add(get_finding_id(finding))
    assert len(ids) == 1


def test_repeated_values_in_a_unique_column_are_findings(inspect: Callable[[Any], Inspector]) -> None:
    unique = by_check(inspect({"columns": {"team": {"unique": True}}}))["rule:unique"]
    assert unique.metadata["count"] == N - 3


def test_an_allowed_value_leaves_the_others_to_the_check(inspect: Callable[[Any], Inspector]) -> None:
    inspector = inspect({"columns": {"amount": {"allowed": [9999]}, "order": {"allowed": [1]}}})
    found = by_check(inspector)
    assert "outliers" not in found
    assert set(found) == {"placeholders", "nulls", "category_variants", "shapes"}
    # The key is still complete for checks of rows.
    passed = {(each["check"], each["column"]): each["outcome"] for each in inspector.coverage()["ran"]}
    assert passed["nulls", "amount"] == "passed"


def test_parameters_are_settings_and_leave_the_identity_alone(inspect: Callable[[Any], Inspector]) -> None:
    plain = by_check(inspect(None))
    tuned = by_check(
        inspect(
            {
                "checks": {"outliers": {"k": 3.5, "severity": "error"}, "nulls": {"max_share": 0.1}},
                "columns": {
                    "team": {"allowed": ["Sales"]},
                    "note": {"checks": {"nulls": {"severity": "info"}}},
                },
            }
        )
    )
    assert set(tuned) == set(plain)
    for check, finding in tuned.items():
        assert get_finding_id(finding) == get_finding_id(plain[check])
        assert finding.metadata["params"] == {}
    assert tuned["outliers"].metadata["settings"] == {"k": 3.5, "severity": "error"}
    assert tuned["outliers"].severity == "error"
    assert tuned["nulls"].metadata["settings"] == {"max_share": 0.1, "severity": "info"}
    assert tuned["nulls"].severity == "info"
    assert tuned["category_variants"].metadata["settings"] == {"allowed": ["Sales"]}
    assert "settings" not in tuned["placeholders"].metadata


def test_a_tolerated_share_passes_with_its_settings_in_the_coverage(
    inspect: Callable[[Any], Inspector],
) -> None:
    inspector = inspect({"checks": {"nulls": {"max_share": 0.2}}})
    assert "nulls" not in by_check(inspector)
    entry = next(
        each for each in inspector.coverage()["ran"] if each["check"] == "nulls" and each["column"] == "note"
    )
    assert entry == {
        "check": "nulls",
        "column": "note",
        "params": {},
        "outcome": "passed",
        "settings": {"max_share": 0.2},
    }


def test_a_check_that_is_switched_off_can_run_on_one_column(inspect: Callable[[Any], Inspector]) -> None:
    inspector = inspect(
        {"checks": {"nulls": False, "shapes": False}, "columns": {"note": {"checks": {"nulls": True}}}}
    )
    assert "nulls" in by_check(inspector)
    assert "shapes" not in by_check(inspector)
    assert {each["check"] for each in inspector.coverage()["switched_off"]} == {"nulls", "shapes"}
    assert {each["column"] for each in inspector.coverage()["ran"] if each["check"] == "nulls"} == {"note"}


def test_a_finding_about_several_columns_is_switched_off_by_their_names() -> None:
    cities = [f"city {i % 20}" for i in range(400)]
    frame = pd.DataFrame({"zip": [10_000 + i % 20 for i in range(400)], "city": cities, "x": range(400)})
    frame.loc[[7, 90], "city"] = "city 3"
    found = {f.column: f for f in Inspector(frame).detect() if f.metadata["check"] == "dependencies"}
    (name,) = found
    inspector = Inspector(frame, checks={"columns": {name: {"checks": {"dependencies": False}}}})
    assert "dependencies" not in by_check(inspector)
    assert inspector.coverage()["switched_off"] == [
        {"check": "dependencies", "column": name, "reason": "it is switched off"}
    ]


def test_rules_of_the_configuration_run_besides_those_that_are_given() -> None:
    frame = pd.DataFrame({"a": [1, None, 3]})
    rule = {"name": "a is there", "rule_type": "not_null", "column": "a"}
    inspector = Inspector(frame, checks={"rules": [rule]}, detectors=[])
    assert [finding.metadata["check"] for finding in inspector.detect()] == ["rule:not_null"]
    assert inspector.ruleset is not None
    assert [each.name for each in inspector.ruleset.rules] == ["a is there"]


def test_a_configuration_of_a_file_and_one_that_names_stored_rule_sets(tmp_path: Any) -> None:
    (tmp_path / "checks.yaml").write_text("checks: {nulls: false}\n", "utf-8")
    assert Inspector(pd.DataFrame({"a": [1, None, 3]}), checks=tmp_path / "checks.yaml").detect() == []
    with pytest.raises(InvalidInputError, match="stored rule sets shop"):
        Inspector(pd.DataFrame({"a": [1]}), checks={"rule_sets": ["shop"]})


def test_evidence_keeps_allowed_values() -> None:
    inspector = Inspector(pd.DataFrame(COLUMNS), checks={"columns": {"amount": {"allowed": [9999]}}})
    inspector.detect()
    column = inspector.evidence().column("amount")
    assert column is not None
    assert column.maximum == 9999.0


@pytest.mark.parametrize(
    ("name", "unique", "is_found"),
    [("*_id", False, True), ("*_id", True, True), ("a_id, b_id", True, True), ("a_id, b_id", False, False)],
)
def test_what_is_expected_of_a_key_of_several_columns(name: str, unique: bool, is_found: bool) -> None:
    rows = [(a, b, 100 * a + b) for a in range(6) for b in range(50)]
    rows[7] = (*rows[8][:2], 999)
    frame = pd.DataFrame(rows, columns=["a_id", "b_id", "amount"])
    found = Inspector(frame, checks={"columns": {name: {"unique": unique}}}).detect()
    keys = [f.column for f in found if f.metadata["check"] == "keys"]
    assert keys == (["a_id, b_id"] if is_found else [])


def test_cells_that_do_not_fit_their_column_can_be_allowed() -> None:
    cells = b"id,height\n" + b"".join(
        b"%d,%s\n" % (i, b"tall" if i in (4, 60) else b"%d" % (150 + i % 40)) for i in range(90)
    )
    before = {f.metadata["check"] for f in Inspector((cells, "people.csv")).detect()}
    after = {
        f.metadata["check"]
        for f in Inspector(
            (cells, "people.csv"), checks={"columns": {"height": {"allowed": ["tall"]}}}
        ).detect()
    }
    assert before - after == {"types"}
    assert after <= before


@pytest.mark.parametrize(
    "checks", [{"checks": {"dates": False}}, {"columns": {"at": {"checks": {"dates": False}}}}]
)
def test_times_that_cannot_be_read_are_reported_without_the_check_of_dates(checks: dict[str, Any]) -> None:
    times = [f"2024-05-{1 + i % 28:02d}T10:10:00{'' if i % 50 == 7 else '+02:00'}" for i in range(N)]
    table = ("at\n" + "\n".join(times)).encode()
    (usual,) = [each for each in Inspector((table, "t.csv")).detect() if each.column == "at"]
    assert (usual.metadata["check"], usual.metadata["fault"]) == ("dates", "no_zone")
    (found,) = [each for each in Inspector((table, "t.csv"), checks=checks).detect() if each.column == "at"]
    assert (found.metadata["check"], found.metadata["fault"]) == ("types", "stray")
    assert found.row_indices == usual.row_indices == list(range(7, N, 50))
    assert found.metadata["settings"] == {"dates": False}
