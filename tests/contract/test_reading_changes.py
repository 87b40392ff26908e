"""A changed reading makes findings neither new nor gone, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.gate import FailOn, GateResult, Run
from lavendertown.collaboration.storage import Storage
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.run_readings import describe_reading, is_read_differently, read_run_reading
from tests.contract.builders import annotation, at, finding, report
from tests.contract.test_desk import DAY, name_of, row_of, seen

KINDS = {"email": "text", "amount": "number", "day": "time"}
CHECKED = tuple(KINDS)
AS_TEXT = Reading(types={"amount": "text"})


def coverage(given: Reading = DETECT, used: Reading = DETECT, **kinds: str) -> dict[str, Any]:
    ran = [{"check": "nulls", "column": c, "params": {}, "outcome": "passed"} for c in CHECKED]
    return {"ran": ran, "reading": describe_reading(given, given.fill_from(used), KINDS | kinds)}


def run(
    day: int, *columns: str, read: dict[str, Any] | None = None, severity: str = "warning"
) -> ShareableReport:
    """A day's report with nulls in these columns; ``read`` is its coverage, by default without settings."""
    metadata = {"dataset": "orders", "coverage": coverage() if read is None else read}
    found = [finding(name, severity=severity) for name in columns]
    return report(f"orders {day}", found, created_at=at(day * DAY), metadata=metadata)


TEXT = coverage(AS_TEXT, amount="text")
"""Read with a type set for amount."""


def test_a_finding_that_appears_or_vanishes_by_a_changed_reading_is_neither_new_nor_passing(
    storage: Storage,
) -> None:
    storage.save_report(run(0, "email"))
    null_words = coverage(Reading(null_words=("none",)))
    storage.save_report(run(1, "amount", read=null_words))
    assert seen(storage) == {"email": "reading_changed", "amount": "reading_changed"}
    assert [row["attention"] for row in storage.inbox.query()] == [[], []]
    assert storage.inbox.count(seen="reading_changed") == 2
    storage.save_report(run(2, "amount", read=null_words))
    assert seen(storage) == {"email": "reading_changed", "amount": "ongoing"}


def test_a_column_that_is_read_as_before_has_new_and_passing_findings(storage: Storage) -> None:
    storage.save_report(run(0, "email"))
    storage.save_report(run(1, "day", "amount", read=TEXT))
    assert seen(storage) == {"email": "passing", "day": "new", "amount": "reading_changed"}


def test_data_that_changes_the_type_of_a_column_is_no_changed_reading(storage: Storage) -> None:
    storage.save_report(run(0, "email"))
    storage.save_report(run(1, "amount", read=coverage(amount="text")))
    assert seen(storage) == {"email": "passing", "amount": "new"}


def test_setting_what_was_detected_changes_nothing(storage: Storage) -> None:
    storage.save_report(run(0, read=coverage(used=Reading(delimiter=";"))))
    storage.save_report(run(1, "email", read=coverage(Reading(delimiter=";"))))
    assert seen(storage) == {"email": "new"}


@pytest.mark.parametrize("first", [True, False])
def test_a_report_without_a_reading_is_compared_as_before(storage: Storage, first: bool) -> None:
    known, unknown = TEXT, {"ran": TEXT["ran"]}
    storage.save_report(run(0, "amount", read=unknown if first else known))
    storage.save_report(run(1, "email", read=known if first else unknown))
    assert seen(storage) == {"amount": "passing", "email": "new"}


def test_a_fix_is_not_verified_by_a_run_that_reads_the_column_differently(storage: Storage) -> None:
    storage.save_report(run(0, "amount"))
    storage.save_annotation(annotation(name_of("amount"), status="fixed", timestamp=at(1)))
    for day in range(1, 5):
        storage.save_report(run(day, read=TEXT))
    row = row_of(storage, "amount")
    assert (row["seen"], row["verified_in"], row["attention"]) == ("reading_changed", "", [])
    assert storage.inbox.count_passing_runs(name_of("amount")) == 0
    storage.save_report(run(5))
    row = row_of(storage, "amount")
    assert (row["seen"], row["verified_in"]) == ("passing", "orders 5")


def test_a_fixed_finding_that_a_changed_reading_brings_back_has_not_regressed(storage: Storage) -> None:
    storage.save_report(run(0, "amount"))
    storage.save_annotation(annotation(name_of("amount"), status="fixed", timestamp=at(1)))
    storage.save_report(run(1))
    storage.save_report(run(2, "amount", read=TEXT))
    assert seen(storage) == {"amount": "reading_changed"}
    storage.save_report(run(3, "amount", read=TEXT))
    assert seen(storage) == {"amount": "ongoing"}
    assert row_of(storage, "amount")["attention"] == []


def test_a_fixed_finding_that_both_readings_show_has_regressed(storage: Storage) -> None:
    storage.save_report(run(0, "amount"))
    storage.save_annotation(annotation(name_of("amount"), status="fixed", timestamp=at(1)))
    storage.save_report(run(2, "amount", read=TEXT))
    assert seen(storage) == {"amount": "regressed"}


def test_an_error_that_vanished_by_a_changed_reading_needs_no_assignee(storage: Storage) -> None:
    storage.save_report(run(0, "amount", severity="error"))
    assert row_of(storage, "amount")["attention"] == ["new", "unassigned"]
    storage.save_report(run(1, read=TEXT))
    assert row_of(storage, "amount")["attention"] == []


def test_the_state_follows_when_the_run_before_is_deleted(storage: Storage) -> None:
    storage.save_report(run(0))
    storage.save_report(run(1, "amount", read=TEXT))
    assert seen(storage) == {"amount": "reading_changed"}
    storage.delete_report("orders 0")
    assert seen(storage) == {"amount": "new"}


def test_a_comparison_of_two_runs_says_that_the_reading_changed(storage: Storage) -> None:
    storage.save_report(run(0, "amount", "email"))
    storage.save_report(run(1, "day", read=TEXT))
    storage.save_report(run(2, "amount", read=coverage()))
    first, second = (storage.reports.compare(f"orders {day}") for day in (1, 2))
    assert first is not None
    assert second is not None
    changes = {row["column"]: (row["change"], row["is_present"]) for row in first["findings"]}
    assert changes == {"day": ("new", True), "email": ("gone", False), "amount": ("reading_changed", False)}
    changes = {row["column"]: (row["change"], row["is_present"]) for row in second["findings"]}
    assert changes == {"amount": ("reading_changed", True), "day": ("gone", False)}


def judge(storage: Storage, *columns: str, read: dict[str, Any], fail_on: str) -> GateResult:
    found = [finding(name, severity="error") for name in columns]
    judged = Run("orders", found, 1000, at(30 * DAY), coverage=read)
    return storage.gate.judge_run(judged, [FailOn(each) for each in fail_on.split()])


def test_the_gate_does_not_fail_for_what_a_changed_reading_shows(storage: Storage) -> None:
    storage.save_report(run(0, "email"))
    storage.save_annotation(annotation(name_of("amount"), status="fixed", timestamp=at(1)))
    result = judge(storage, "amount", "day", read=TEXT, fail_on="new regressed worse")
    assert [each.finding.column for each in result.failures] == ["day"]
    (spared,) = result.spared
    assert spared.reason == "Its column is read differently than in the baseline: reading changed."
    result = judge(storage, "amount", read=TEXT, fail_on="new error")
    assert [each.failed_on for each in result.failures] == [("error",)]


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (Reading(), Reading(encoding="cp850"), {"email"}),
        (Reading(), Reading(decimal=","), {"amount"}),
        (Reading(thousands="."), Reading(), {"amount"}),
        (Reading(), Reading(date_order="day"), {"day"}),
        (Reading(header_row=2), Reading(header_row=3), set(KINDS)),
        (Reading(cell_range="A1:B2"), Reading(cell_range="A1:B9"), set(KINDS)),
        (Reading(sheet="a"), Reading(sheet="a"), set()),
    ],
)
def test_a_setting_counts_for_the_columns_that_it_reaches(
    before: Reading, after: Reading, changed: set[str]
) -> None:
    readings = [read_run_reading({"coverage": coverage(each)}) for each in (before, after)]
    assert {name for name in KINDS if is_read_differently(name, *readings)} == changed
    assert is_read_differently("*", *readings) is bool(changed)
    assert is_read_differently("email, day", *readings) is bool(changed & {"email", "day"})
