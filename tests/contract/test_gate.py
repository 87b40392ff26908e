"""The gate judges findings by identity, triage and a baseline, on every store."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lavendertown.collaboration.parts.gate import COMPARING, FailOn, GateResult, Run
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.errors import NotFoundError
from lavendertown.models import GhostFinding
from tests.contract.builders import at, finding, report
from tests.contract.test_desk import DAY, name_of


def null(column: str, count: int = 5, share: float = 0.1, severity: str = "error") -> GhostFinding:
    metadata = {"check": "nulls", "params": {}, "count": count, "share": share}
    return finding(column, severity=severity, metadata=metadata)


def save(storage: Storage, day: int, *findings: GhostFinding, ran: str = "abcde") -> None:
    checks = [{"check": "nulls", "column": c, "params": {}, "outcome": "passed"} for c in ran]
    metadata = {"dataset": "orders", "coverage": {"ran": checks}}
    storage.save_report(report(f"day {day}", list(findings), created_at=at(day * DAY), metadata=metadata))


def judge(storage: Storage, *findings: GhostFinding, fail_on: str = "error", **options: Any) -> GateResult:
    baseline, rows = options.get("baseline", "latest"), options.get("rows", 1000)
    run = Run("orders", findings, rows, options.get("ran_at", at(30 * DAY)))
    return storage.gate.judge_run(run, [FailOn(each) for each in fail_on.split()], baseline)


def failed(result: GateResult) -> dict[str, tuple[str, ...]]:
    return {each.finding.column: each.failed_on for each in result.failures}


def decide(storage: Storage, column: str, **decision: Any) -> None:
    storage.triage.decide(name_of(column), Decision(**decision), actor="Maya")


def test_the_first_run_is_judged_by_severity_and_is_the_baseline_of_comparisons(storage: Storage) -> None:
    result = judge(storage, null("a"), null("b", severity="info"), fail_on="error new regressed worse")
    assert failed(result) == {"a": ("error",)}
    assert (result.baseline, result.notes) == (
        "",
        ["orders has no earlier run: this is the baseline for new, regressed, worse."],
    )
    assert failed(judge(storage, null("b", severity="info"), fail_on="warning")) == {}
    assert failed(judge(storage, null("b", severity="info"), fail_on="any")) == {"b": ("any",)}


def test_new_is_what_the_baseline_lacks_though_its_check_ran(storage: Storage) -> None:
    save(storage, 1, null("a"))
    result = judge(storage, null("a"), null("b"), null("z"), fail_on="new")
    assert (result.baseline, failed(result)) == ("day 1", {"b": ("new",)})
    assert result.failures[0].reason == "It is not in the baseline."


def test_a_finding_that_is_back_has_regressed(storage: Storage) -> None:
    save(storage, 1, null("a"), null("b"))
    decide(storage, "b", status="fixed", reason="Repaired.")
    save(storage, 2)
    later = clock.now() + dt.timedelta(hours=1)
    result = judge(storage, null("a"), null("b"), fail_on="new regressed", ran_at=later)
    assert failed(result) == {"a": ("regressed",), "b": ("regressed",)}
    assert "It was fixed before." in result.failures[1].reason


def test_a_finding_that_was_set_to_fixed_after_the_run_fails_nothing(storage: Storage) -> None:
    save(storage, 1, null("a"))
    decide(storage, "a", status="fixed", reason="Repaired.")
    result = judge(storage, null("a"), fail_on="any regressed")
    assert (result.has_passed, [each.reason for each in result.spared]) == (
        True,
        ["It was set to fixed after this run."],
    )
    later = clock.now() + dt.timedelta(hours=1)
    assert failed(judge(storage, null("a"), fail_on="any", ran_at=later)) == {"a": ("any",)}


def test_a_partial_run_is_no_baseline_of_the_checks_that_it_did_not_run(storage: Storage) -> None:
    save(storage, 1, null("a"), null("b", share=0.1))
    save(storage, 2, null("b", share=0.1))
    save(storage, 3, ran="e")
    found = (null("a"), null("b", share=0.2), null("c"), null("e"), null("z"))
    result = judge(storage, *found, fail_on="new regressed worse")
    assert failed(result) == {"a": ("regressed",), "b": ("worse",), "c": ("new",), "e": ("new",)}
    assert result.baseline == "day 3"
    assert result.notes == ["Checks that the last run did not run are compared with the last run that did."]
    named = judge(storage, *found, fail_on="new regressed worse", baseline="day 3")
    assert (failed(named), named.notes) == ({"e": ("new",)}, [])


@pytest.mark.parametrize(
    ("now", "rows", "is_worse"),
    [
        ((50, 0.05), 1000, False),
        ((5, 0.2), 1000, True),
        ((5, 0.2), 19, False),
        ((6, 0.05), 19, True),
        ((5, 0.1), None, False),
    ],
)
def test_worse_is_a_larger_share_or_a_larger_number_in_small_tables(
    storage: Storage, now: tuple[int, float], rows: int | None, is_worse: bool
) -> None:
    save(storage, 1, null("a", 5, 0.1))
    result = judge(storage, null("a", *now), fail_on="worse", rows=rows)
    assert result.has_passed != is_worse


@pytest.mark.parametrize(
    ("now", "is_worse"),
    [((1, 0.125), False), ((2, 0.2), True), ((3, 0.15), True)],
    ids=["1 of 8", "2 of 10", "3 of 20"],
)
def test_a_finding_tells_the_size_of_a_table_that_is_not_known(
    storage: Storage, now: tuple[int, float], is_worse: bool
) -> None:
    save(storage, 1, null("a", 1, 0.1))
    result = judge(storage, null("a", *now), fail_on="worse", rows=None)
    assert result.has_passed != is_worse


@pytest.mark.parametrize("status", ["false_positive", "accepted"])
def test_closed_findings_fail_nothing(storage: Storage, status: str) -> None:
    save(storage, 1, null("a", 5, 0.1))
    decide(storage, "a", status=status, reason="Known.")
    result = judge(storage, null("a", 9, 0.18), fail_on="error any new regressed worse")
    assert (result.has_passed, len(result.spared)) == (True, 1)


def test_an_accepted_finding_fails_above_its_ceiling_or_after_its_end(storage: Storage) -> None:
    save(storage, 1, null("a", 5, 0.1))
    decide(
        storage, "a", status="accepted", reason="Known.", accepted_until=clock.now() + dt.timedelta(days=9)
    )
    assert judge(storage, null("a", 10)).has_passed
    result = judge(storage, null("a", 11), fail_on="error worse")
    assert failed(result) == {"a": ("worse", "error")}
    decide(
        storage, "a", status="accepted", reason="Known.", accepted_until=clock.now() - dt.timedelta(days=1)
    )
    assert failed(judge(storage, null("a", 5))) == {"a": ("error",)}


def test_a_snoozed_finding_fails_nothing_until_it_has_outgrown_that(storage: Storage) -> None:
    save(storage, 1, null("a", 5, 0.1))
    decide(storage, "a", snooze_factor=2.0)
    assert judge(storage, null("a", 10, 0.2), fail_on="any").has_passed
    assert not judge(storage, null("a", 11, 0.2), fail_on="any").has_passed


def test_a_fixed_finding_that_is_found_is_open_again(storage: Storage) -> None:
    save(storage, 1, null("a"))
    decide(storage, "a", status="fixed", reason="Repaired.")
    later = clock.now() + dt.timedelta(hours=1)
    assert failed(judge(storage, null("a"), ran_at=later)) == {"a": ("error",)}


def test_merged_findings_are_judged_as_the_one_they_belong_to(storage: Storage) -> None:
    save(storage, 1, null("a"), null("b"))
    storage.triage.merge_findings(name_of("b"), name_of("a"), actor="Maya")
    decide(storage, "a", status="false_positive", reason="No.")
    assert judge(storage, null("b"), fail_on="any new").has_passed


def test_the_baseline_may_be_any_report_and_must_exist(storage: Storage) -> None:
    save(storage, 1, null("a"))
    save(storage, 2, null("b"))
    assert failed(judge(storage, null("a"), null("b"), fail_on="new", baseline="day 1")) == {}
    assert failed(judge(storage, null("a"), null("b"), fail_on="regressed", baseline="day 1")) == {
        "b": ("regressed",)
    }
    with pytest.raises(NotFoundError, match="There is no report 'x' to compare with"):
        judge(storage, null("a"), fail_on="new", baseline="x")


def test_later_runs_and_the_run_itself_are_no_baseline(storage: Storage) -> None:
    save(storage, 1)
    save(storage, 30, null("a"))
    save(storage, 40, null("a"))
    run = Run("orders", [null("a")], 1000, at(30 * DAY), "day 30")
    result = storage.gate.judge_run(run, COMPARING)
    assert (result.baseline, failed(result)) == ("day 1", {"a": ("new",)})
