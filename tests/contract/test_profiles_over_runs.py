"""The column profiles of earlier runs: to compare a table with, and over time."""

from __future__ import annotations

import datetime as dt

from lavendertown.collaboration.storage import Storage
from lavendertown.profile.evidence import ColumnProfile, Evidence
from tests.contract.builders import report

START = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
WEEK = dt.timedelta(weeks=1)


def save_run(storage: Storage, week: int, *, rows: int = 100, has_profiles: bool = True) -> None:
    profile = ColumnProfile("amount", "number", rows, rows // 10, 50, 0, 9, [0.5, 1, 2 + week, 3 + week, 9])
    coverage = {"rows": rows, "column_names": ["amount", "note"]}
    saved = report(
        f"r-{week}",
        title=f"Week {week}",
        created_at=START + week * WEEK,
        metadata={"dataset": "orders", "coverage": coverage},
    )
    storage.save_report(saved, evidence=Evidence([profile]) if has_profiles else None)


def test_the_baseline_is_the_newest_report_with_profiles(storage: Storage) -> None:
    for week in range(3):
        save_run(storage, week, rows=100 + week)
    save_run(storage, 3, has_profiles=False)
    baseline = storage.reports.load_baseline("orders")
    assert baseline is not None
    assert (baseline.name, baseline.report_id) == ("Week 2, 2026-05-15", "r-2")
    assert (baseline.row_count, list(baseline.row_counts)) == (102, [100, 101, 102])
    assert list(baseline.columns) == ["amount", "note"]
    assert baseline.missing("amount") == 10
    assert baseline.missing("note") is None
    assert type(baseline).from_dict(baseline.to_dict()).to_dict() == baseline.to_dict()


def test_there_is_no_baseline_without_profiles(storage: Storage) -> None:
    save_run(storage, 0, has_profiles=False)
    assert storage.reports.load_baseline("orders") is None
    assert storage.reports.load_baseline("customers") is None


def test_a_deleted_report_is_no_baseline(storage: Storage) -> None:
    save_run(storage, 0)
    save_run(storage, 1)
    storage.delete_report("r-1")
    baseline = storage.reports.load_baseline("orders")
    assert baseline is not None
    assert baseline.report_id == "r-0"


def test_profiles_are_listed_over_time(storage: Storage) -> None:
    for week in range(4):
        save_run(storage, week, has_profiles=week != 1)
    runs = storage.trends.list_profiles("orders", START, START + 3 * WEEK)
    assert [(run["report_id"], run["title"]) for run in runs] == [("r-0", "Week 0"), ("r-2", "Week 2")]
    assert runs[1]["columns"] == {
        "amount": {"kind": "number", "missing": 0.1, "quantiles": [0.5, 1, 4, 5, 9]}
    }
    assert storage.trends.list_profiles("customers", START, START + WEEK) == []
