"""Two runs of a dataset side by side, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError
from tests.contract.builders import at, finding, report, sentence

Figures = tuple[str, int, float | None]
ERROR, WARNING = "error", "warning"


def run(day: int, ran: tuple[str, ...] = (), dataset: str = "orders", **found: Figures) -> ShareableReport:
    """A day's report: each column's severity, rows and share; ``ran`` names the columns that were checked."""
    findings = [
        finding(column, severity=severity, metadata=_metadata(count, share))
        for column, (severity, count, share) in found.items()
    ]
    checks = [{"check": "nulls", "column": column, "params": {}, "outcome": "passed"} for column in ran]
    metadata: dict[str, Any] = {"dataset": dataset, "coverage": {"ran": checks}}
    return report(f"{dataset} {day}", findings, created_at=at(day * 24), metadata=metadata)


def _metadata(count: int, share: float | None) -> dict[str, Any]:
    told = {"check": "nulls", "params": {}, "count": count}
    return told if share is None else {**told, "share": share}


def changes(storage: Storage, *ids: str) -> dict[str, str]:
    compared = storage.reports.compare(*ids)
    assert compared is not None
    return {row["column"]: row["change"] for row in compared["findings"]}


def test_a_run_is_compared_with_the_one_before_it(storage: Storage) -> None:
    storage.save_report(run(0, old=(ERROR, 5, 0.1), back=(ERROR, 1, 0.1)))
    storage.save_report(
        run(
            1,
            grows=(WARNING, 5, 0.1),
            shrinks=(WARNING, 5, 0.1),
            stays=(WARNING, 5, 0.1),
            old=(ERROR, 5, 0.1),
        )
    )
    storage.save_report(
        run(
            2,
            ran=("grows", "shrinks", "stays", "old"),
            new=(ERROR, 1, 0.1),
            back=(ERROR, 1, 0.1),
            grows=(WARNING, 6, 0.2),
            shrinks=(WARNING, 6, 0.05),
            stays=(WARNING, 5, 0.1),
        )
    )
    storage.save_report(run(3, stays=(ERROR, 1, 0.1)))
    assert changes(storage, "orders 2") == {
        "new": "new",
        "back": "back",
        "grows": "worse",
        "shrinks": "better",
        "stays": "same",
        "old": "gone",
    }


def test_severity_counts_before_share_and_share_before_rows(storage: Storage) -> None:
    storage.save_report(
        run(0, graver=(WARNING, 9, 0.9), milder=(ERROR, 1, 0.1), rows=(ERROR, 1, None), share=(ERROR, 9, 0.1))
    )
    storage.save_report(
        run(1, graver=(ERROR, 1, 0.1), milder=(WARNING, 9, 0.9), rows=(ERROR, 2, None), share=(ERROR, 1, 0.2))
    )
    assert changes(storage, "orders 1") == {
        "graver": "worse",
        "milder": "better",
        "rows": "worse",
        "share": "worse",
    }


def test_what_was_not_checked_is_not_gone(storage: Storage) -> None:
    storage.save_report(run(0, a=(ERROR, 1, 0.1), b=(ERROR, 1, 0.1)))
    storage.save_report(run(1, ran=("a",)))
    assert changes(storage, "orders 1") == {"a": "gone", "b": "not_checked"}


def test_a_change_tells_what_was_before(storage: Storage) -> None:
    storage.save_report(run(0, a=(WARNING, 1, 0.1), b=(ERROR, 3, 0.3)))
    storage.save_report(run(1, a=(ERROR, 2, 0.2), c=(ERROR, 1, 0.1)))
    compared = storage.reports.compare("orders 1")
    assert compared is not None
    assert (compared["report"]["id"], compared["before"]["id"]) == ("orders 1", "orders 0")
    rows = {row["column"]: row for row in compared["findings"]}
    told = ("severity", "row_count", "share", "before_severity", "before_count", "before_share", "report_id")
    assert [rows["a"][name] for name in told] == [ERROR, 2, 0.2, WARNING, 1, 0.1, "orders 1"]
    assert [rows["b"][name] for name in told] == [ERROR, 3, 0.3, ERROR, 3, 0.3, "orders 0"]
    assert [rows["c"][name] for name in told] == [ERROR, 1, 0.1, None, None, None, "orders 1"]


def test_only_runs_of_the_same_dataset_that_live_come_before(storage: Storage) -> None:
    storage.save_report(run(0, a=(ERROR, 1, 0.1)))
    storage.save_report(run(1, a=(ERROR, 5, 0.5)))
    storage.save_report(run(1, dataset="people", a=(ERROR, 5, 0.5)))
    storage.save_report(run(2, a=(ERROR, 2, 0.2)))
    storage.delete_report("orders 1")
    assert changes(storage, "orders 2") == {"a": "worse"}


def test_of_two_runs_of_one_moment_one_comes_before(storage: Storage) -> None:
    for name in ("x", "y"):
        storage.save_report(report(name, [finding("a")], created_at=at(0), metadata={"dataset": "orders"}))
    (first, second) = (storage.reports.compare("x"), storage.reports.compare("y"))
    assert first is not None
    assert second is not None
    assert (first["before"], second["before"]["id"]) == (None, "x")


def test_any_report_can_be_compared_with(storage: Storage) -> None:
    storage.save_report(run(0, a=(ERROR, 1, 0.1)))
    storage.save_report(run(1, a=(ERROR, 5, 0.5)))
    storage.save_report(run(2, a=(ERROR, 2, 0.2)))
    assert changes(storage, "orders 2", "orders 0") == {"a": "worse"}
    assert changes(storage, "orders 2", "orders 1") == {"a": "better"}


def test_a_first_run_has_nothing_before_it(storage: Storage) -> None:
    storage.save_report(run(0, a=(ERROR, 1, 0.1)))
    compared = storage.reports.compare("orders 0")
    assert compared is not None
    assert (compared["before"], compared["findings"]) == (None, [])


def test_a_report_that_is_not_there_is_none_and_one_to_compare_with_is_refused(storage: Storage) -> None:
    storage.save_report(run(0, a=(ERROR, 1, 0.1)))
    storage.delete_report("orders 0")
    assert storage.reports.compare("orders 0") is None
    assert storage.reports.compare("no\0id") is None
    storage.save_report(run(1, a=(ERROR, 1, 0.1)))
    with pytest.raises(InvalidInputError) as refused:
        storage.reports.compare("orders 1", "orders 0")
    assert sentence(refused) == "There is no report 'orders 0' to compare with; choose another one."


def test_merged_findings_are_compared_as_one(storage: Storage) -> None:
    storage.save_report(run(0, old=(ERROR, 1, 0.1)))
    storage.save_report(run(1, new=(ERROR, 2, 0.2)))
    names = {row["column"]: row["finding_id"] for row in storage.query_findings()}
    storage.triage.merge_findings(names["old"], names["new"], actor="Ana")
    assert changes(storage, "orders 1") == {"new": "worse"}
