"""Checks of drift are switched off and get their thresholds in the check configuration of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lavendertown import Inspector
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.drift import ProfileBaseline
from lavendertown.drift.compare import DRIFT_CHECKS
from lavendertown.rules.check_configuration import CheckConfiguration, known_checks, parameters_of


@pytest.fixture
def moved(after: pl.DataFrame) -> pl.DataFrame:
    """The next delivery: amounts are eight times as large, and a column is gone."""
    return after.with_columns(pl.col("amount") * 8).drop("country")


def inspect(
    table: pl.DataFrame, compare_to: Any, checks: dict[str, Any] | None = None, **columns: Any
) -> Any:
    configuration = {"checks": checks or {}, "columns": columns}
    inspector = Inspector(table, dataset="orders", compare_to=compare_to, checks=configuration)
    inspector.detect()
    return inspector


def drift(inspector: Inspector) -> dict[str, GhostFinding]:
    return {
        str(each.metadata["check"]): each
        for each in inspector.findings or []
        if each.ghost_type in ("drift", "check_error")
    }


def test_every_check_of_drift_can_be_configured() -> None:
    assert {each.check for each in DRIFT_CHECKS} <= known_checks().keys()
    assert {check: found for each in DRIFT_CHECKS if (found := parameters_of(check := each.check))} == {
        "drift_row_count": {"factor": 2.0},
        "drift_missing": {"threshold": 0.2},
        "drift_distribution": {"threshold": 0.1},
        "drift_range": {"threshold": 0.1},
        "drift_category_shares": {"threshold": 0.1},
    }


def test_a_check_is_switched_off_for_all_columns_and_for_one(
    before: pl.DataFrame, moved: pl.DataFrame
) -> None:
    assert {"drift_distribution", "drift_column_removed"} <= drift(inspect(moved, before)).keys()
    off = inspect(
        moved, before, {"drift_column_removed": False}, amount={"checks": {"drift_distribution": False}}
    )
    assert not {"drift_distribution", "drift_column_removed"} & drift(off).keys()
    switched_off = off.coverage()["switched_off"]
    assert {(each["check"], each["column"]) for each in switched_off} == {
        ("drift_column_removed", ""),
        ("drift_distribution", "amount"),
    }
    ran = {(each["check"], each["column"]) for each in off.coverage()["ran"]}
    assert not {("drift_column_removed", "country"), ("drift_distribution", "amount")} & ran


def test_a_setting_of_a_removed_column_applies_to_it(before: pl.DataFrame, moved: pl.DataFrame) -> None:
    off = inspect(moved, before, country={"checks": {"drift_column_removed": False}})
    assert "drift_column_removed" not in drift(off)
    severe = inspect(moved, before, **{"c*": {"checks": {"drift_column_removed": {"severity": "error"}}}})
    assert drift(severe)["drift_column_removed"].severity == "error"


def test_a_threshold_is_a_setting_and_leaves_the_identity_alone(
    before: pl.DataFrame, moved: pl.DataFrame
) -> None:
    found = drift(inspect(moved, before))["drift_distribution"]
    psi = found.metadata["psi"]
    lower = drift(inspect(moved, before, {"drift_distribution": {"threshold": psi / 2}}))[
        "drift_distribution"
    ]
    assert (lower.metadata["params"], lower.metadata["settings"]) == ({}, {"threshold": psi / 2})
    assert compute_fingerprint(lower, "orders") == compute_fingerprint(found, "orders")
    higher = inspect(moved, before, {"drift_distribution": {"threshold": psi * 2}})
    assert "drift_distribution" not in drift(higher)
    [entry] = [
        each
        for each in higher.coverage()["ran"]
        if (each["check"], each["column"]) == ("drift_distribution", "amount")
    ]
    assert (entry["outcome"], entry["settings"]) == ("passed", {"threshold": psi * 2})


def test_missing_values_and_rows_have_their_own_measure(before: pl.DataFrame, after: pl.DataFrame) -> None:
    thin = after.head(len(after) // 3).with_columns(
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise(pl.col("amount")).alias("amount")
    )
    assert {"drift_missing", "drift_row_count"} <= drift(inspect(thin, before)).keys()
    checks = {"drift_missing": {"threshold": 1.5}, "drift_row_count": {"factor": 4}}
    assert not {"drift_missing", "drift_row_count"} & drift(inspect(thin, before, checks)).keys()


def test_the_factor_of_rows_counts_alone(before: pl.DataFrame, after: pl.DataFrame) -> None:
    profiles = Inspector(before).evidence()
    steady = ProfileBaseline(profiles, "May", row_counts=[len(before)] * 6)
    fewer = after.head(int(len(after) * 0.7))
    assert "drift_row_count" in drift(inspect(fewer, steady))
    assert "drift_row_count" not in drift(inspect(fewer, steady, {"drift_row_count": {"factor": 1.6}}))
    found = drift(inspect(fewer, steady, {"drift_row_count": {"factor": 1.2}}))["drift_row_count"]
    assert "usual" not in found.description


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ({"drift_row_count": {"factor": 1}}, "factor must be above 1, not 1"),
        ({"drift_missing": {"threshold": -1}}, "threshold must be a number that is not negative"),
        ({"drift_type": {"threshold": 1}}, "the parameter 'threshold' is unknown"),
        ({"drift_distribution": {"baseline": 1}}, "the parameter 'baseline' is unknown"),
        ({"drift_distributions": False}, "did you mean 'drift_distribution'"),
    ],
)
def test_what_is_not_possible_is_refused(checks: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        CheckConfiguration.from_dict({"checks": checks})


def test_a_threshold_of_drift_may_be_above_1() -> None:
    given = {"checks": {"drift_distribution": {"threshold": 2.5}}}
    assert CheckConfiguration.from_dict(given).to_dict() == given


def test_a_finding_that_a_changed_threshold_no_longer_reports_is_check_changed(
    before: pl.DataFrame, moved: pl.DataFrame, tmp_path: Path
) -> None:
    storage = FileStorage(tmp_path)

    def save(name: str, inspector: Inspector) -> None:
        metadata = {"dataset": "orders", "coverage": inspector.coverage()}
        report = ShareableReport(name, name, "Ana", clock.now(), inspector.findings or [], metadata=metadata)
        storage.save_report(report)

    def state() -> str:
        [row] = [
            each
            for each in storage.inbox.query()
            if (each["column"], each["ghost_type"]) == ("amount", "drift")
        ]
        return str(row["seen"])

    save("r-1", inspect(moved, before))
    assert state() == "new"
    save("r-2", inspect(moved, before, {"drift_distribution": {"threshold": 50}, "drift_range": False}))
    assert state() == "check_changed"
    save("r-3", inspect(moved.with_columns(pl.col("amount") / 8), before))
    assert state() == "passing"
