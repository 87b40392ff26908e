"""What the public methods of a storage answer about the demo store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lavendertown.collaboration.storage import Storage, get_finding_id
from tests.golden import demo_store
from tests.golden.recording import FIRST_STEP, Recording

EDGES = [demo_store.MONDAY.replace(hour=0, minute=0, second=0) + n * demo_store.WEEK for n in range(5)]
COUNTED = [
    "seen~{}~{}~",
    "seen~{}~{}~error",
    "found~{}~{}~Ben",
    "open~{}~{}~",
    "closed~{}~{}~",
    "closing~{}~{}~Ana",
]
"""The values of ``?counted=`` in links from charts; the two times go in between."""
REPORT_FILTERS: dict[str, dict[str, Any]] = {
    "author": {"author": "Ben"},
    "authors": {"author": ["Ana", "Ben"]},
    "dates": {"start_date": dt.datetime(2026, 3, 9, tzinfo=dt.UTC), "end_date": "2026-03-17T00:00:00Z"},
    "page": {"limit": 2, "offset": 1},
    "search": {"search": "RENAMED"},
    "search in findings": {"search": "Größe"},
    "tags": {"tags": ["weekly", "q1"]},
    "status": {"status": "fixed"},
    "severity": {"severity": ["info"]},
    "dataset": {"dataset": "straße"},
    "deleted": {"include_deleted": True},
}
FINDING_FILTERS: dict[str, dict[str, Any]] = {
    "author": {"author": "Ben"},
    "column": {"column": "price"},
    "dataset": {"dataset": "straße"},
    "dates": {"start_date": "2026-03-09T08:30:00+00:00", "end_date": EDGES[2]},
    "deleted": {"include_deleted": True},
    "ghost_type": {"ghost_type": ["null", "outlier"]},
    "report_id": {"report_id": "orders 0"},
    "search": {"search": "日本語"},
    "severity": {"severity": "warning"},
    "status": {"status": "accepted"},
    "tags": {"tags": "Größe"},
}
ANNOTATION_FILTERS: dict[str, dict[str, Any]] = {
    "author": {"author": "Ana"},
    "dates": {"start_date": "2026-03-03T00:00:00Z", "end_date": "2026-03-04T00:00:00Z"},
    "deleted": {"include_deleted": True},
    "oldest first": {"newest_first": False},
    "report_id": {"report_id": "carries"},
    "search": {"search": "import"},
    "status": {"status": "needs-investigation"},
    "tags": {"tags": ["supplier"]},
}
DESK_FILTERS: dict[str, dict[str, Any]] = {
    "assignee": {"assignee": "Ben"},
    "author": {"author": "Ben"},
    "column": {"column": "email"},
    "dataset": {"dataset": "orders"},
    "dates": {"start_date": "2026-03-20T00:00:00Z"},
    "ghost_type": {"ghost_type": "rule"},
    "mentions": {"mentions": "Ben"},
    "nobody": {"assignee": ""},
    "search": {"search": "looking"},
    "seen": {"seen": ["new", "regressed"]},
    "severity": {"severity": "error"},
    "snoozed": {"snoozed": "only"},
    "status": {"status": ["open", "needs-investigation"]},
    "tags": {"tags": "till"},
    "twins": {"twins": True},
}
ORDERS = ("last_seen", "first_seen", "severity", "last_count", "times_seen", "comment_count")
AUDIT_FILTERS: dict[str, dict[str, Any]] = {
    "actor": {"actor": "Ben"},
    "component": {"component": ["view", "person"]},
    "operation": {"operation": "restore"},
    "record_id": {"record_id": "orders 1"},
}


def answers(storage: Storage, recording: Recording) -> dict[str, Any]:
    """Return what each method answers, by its name, as JSON values with fixed times and ids."""
    found: dict[str, Any] = {}
    for part in (_reports, _findings, _annotations, _desk, _trends, _other):
        for name, value in part(storage):
            assert name not in found
            found[name] = recording.fixed_value(value)
    return found


def _reports(storage: Storage) -> Iterator[tuple[str, Any]]:
    yield "query_reports", storage.query_reports(include_deleted=True)
    for name, given in REPORT_FILTERS.items():
        yield f"query_reports by {name}", [row["id"] for row in storage.query_reports(**given)]
    yield "count_reports", storage.count_reports(dataset="orders")
    yield "report_facets", storage.reports.count_by_value()
    for report_id in ("orders 0", "carries"):
        loaded = storage.load_report(report_id)
        assert loaded is not None
        yield f"load_report {report_id}", loaded.to_dict()
    yield "find_report", storage.reports.find("mistake")
    yield "report_metadata", storage.reports.load_metadata("orders 1")
    yield "compare_report", storage.reports.compare("orders 1")
    choice = asdict(storage.datasets.choose(["email", "price", "new"], dataset="orders"))
    yield "choose_dataset", {**choice, "reason": str(choice["reason"])}


def _findings(storage: Storage) -> Iterator[tuple[str, Any]]:
    yield "query_findings", storage.query_findings()
    for name, given in FINDING_FILTERS.items():
        rows = storage.query_findings(**given)
        yield f"query_findings by {name}", [f"{row['report_id']}: {row['finding_id']}" for row in rows]
    yield "count_findings", storage.findings.count(severity="error")
    yield "finding_rows", storage.findings.load_rows("orders 1", 1)
    for name in (demo_store.OLD_ID, "nobody has it yet"):
        yield f"resolve_finding {name}", storage.findings.resolve_id(name)
    yield "merged_into", storage.findings.find_merged(demo_store.finding_ids()["null"])


def _annotations(storage: Storage) -> Iterator[tuple[str, Any]]:
    yield "query_annotations", storage.query_annotations(include_deleted=True)
    for name, given in ANNOTATION_FILTERS.items():
        yield f"query_annotations by {name}", [row["id"] for row in storage.query_annotations(**given)]
    for name, finding_id in demo_store.finding_ids().items():
        yield f"get_annotations {name}", [each.id for each in storage.get_annotations(finding_id)]
        yield f"load_triage {name}", storage.triage.load(finding_id)
    loaded = storage.annotations.load("a1")
    assert loaded is not None
    yield "load_annotation", loaded.to_dict()
    yield "known_tags", sorted(storage.reports.known_tags())


def _desk(storage: Storage) -> Iterator[tuple[str, Any]]:
    yield "query_desk", storage.inbox.query()
    for order in ORDERS:
        yield f"desk_ids by {order}", storage.inbox.query_ids(order)
    for name, given in DESK_FILTERS.items():
        yield f"desk_ids with {name}", storage.inbox.query_ids(**given)
    for form in COUNTED:
        text = form.format("20260302T000000.000000Z", "20260331T120000.000000Z")
        yield f"desk_ids with counted {text}", sorted(storage.inbox.query_ids(counted=text))
    yield "desk_facets", storage.inbox.count_by_value()
    found = storage.inbox.load_rows([get_finding_id(demo_store.TOOL, "orders")])
    yield "find_on_desk", [row["finding_id"] for row in found]


def _trends(storage: Storage) -> Iterator[tuple[str, Any]]:
    yield "severity_trend", storage.trends.count_severities(EDGES)
    yield "status_trend", storage.trends.count_statuses([*EDGES, demo_store.FAR])
    yield "closings", storage.trends.list_closed(EDGES[0], FIRST_STEP)


def _other(storage: Storage) -> Iterator[tuple[str, Any]]:
    yield "audit_log", storage.audit_log(limit=12)
    for name, given in AUDIT_FILTERS.items():
        rows = storage.audit_log(**given)
        yield (
            f"audit_log by {name}",
            [f"{row['component']} {row['record_id']}: {row['operation']}" for row in rows],
        )
    of_finding = storage.audit_log(finding_id=demo_store.finding_ids()["null"])
    yield "audit_log of a finding", [f"{row['component']} {row['operation']}" for row in of_finding]
    names = {f"{row['component']} {row['operation']}" for row in storage.audit_log(limit=None)}
    yield "audit_log names", sorted(names)
    yield "query_rulesets", storage.query_rulesets(include_deleted=True)
    loaded = storage.load_ruleset("nightly")
    assert loaded is not None
    yield "load_ruleset", loaded.to_dict()
    yield "query_views", storage.views.query()
    yield "known_people", storage.people.list_known()
