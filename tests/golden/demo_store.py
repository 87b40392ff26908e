"""A store with one of everything, filled through the public storage only."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.models import GhostFinding
from lavendertown.rules.models import Rule, RuleSet
from tests.golden.recording import Recording

WEEK = dt.timedelta(weeks=1)
MONDAY = dt.datetime(2026, 3, 2, 8, 30, 0, 654321, tzinfo=dt.UTC)
TOKYO = dt.datetime(2026, 3, 2, 23, 59, 59, tzinfo=dt.timezone(dt.timedelta(hours=9)))
FAR = dt.datetime(2050, 1, 1, tzinfo=dt.UTC)
TEXT = "Größe „quoted“ 'single' \"double\"\n=SUM(A1) | 100 % \\N <b>bold</b> 日本語 🙂"
"""A text that a file format, a CSV archive or a driver could damage."""


def null_finding(count: int) -> GhostFinding:
    """Return a finding with a check, rows, a count and a share."""
    metadata = {"check": "nulls", "params": {}, "count": count, "share": count / 100, "null_count": count}
    description = f"email is empty in {count} of 100 rows"
    return GhostFinding("null", "email", "error", description, list(range(3, 3 + count)), metadata)


def text_finding(number: int) -> GhostFinding:
    """Return a finding without a check: its description identifies it, without the number."""
    return GhostFinding("outlier", "price", "warning", f"price has {number} unusual values (max {number}.5)")


TOOL = GhostFinding(
    "rule",
    "total",
    "info",
    TEXT,
    None,
    {"check_id": "dbt.orders.total", "nested": {"b": [1, None, 2.5, True], "a": "ü"}, "tags": ["dbt", "sum"]},
)
"""A finding of another tool, with its own id, hostile text and nested metadata."""
OLD_ID = hashlib.md5(f"rule:total:{TEXT}".encode(), usedforsecurity=False).hexdigest()
"""The id that version 0.7 gave to :data:`TOOL`."""
RANGE = GhostFinding(
    "rule",
    "price",
    "warning",
    "price is out of range in 2 rows",
    [7, 1_000_000],
    {"check": "range", "params": {"max_value": 99.5, "min_value": 0, "names": ["ä", "b"]}, "count": 2},
)
TWICE = GhostFinding(
    "null",
    "email",
    "error",
    "email is empty in 2 rows",
    [90, 91],
    {"check": "nulls", "params": {}, "count": 2},
)
"""The same identity as :func:`null_finding` a second time in one report."""
COVERAGE = {
    "rows": 100,
    "columns": 3,
    "ran": [
        {"check": "nulls", "column": "email", "params": {}, "outcome": "findings"},
        {"check": "range", "column": "price", "params": RANGE.metadata["params"], "outcome": "passed"},
    ],
}
RULES = RuleSet(
    "nightly",
    "Rules of the night – ü",
    [
        Rule("price range", "Within the catalogue", "range", "price", {"min_value": 0, "max_value": 99.5}),
        Rule("off", "", "not_null", None, {}, enabled=False),
    ],
)


def report(report_id: str, week: int, findings: list[GhostFinding], **changes: Any) -> ShareableReport:
    """Return a report of the dataset orders."""
    given: dict[str, Any] = {
        "title": f"Orders, week {week}",
        "author": "Ana",
        "metadata": {"dataset": "orders", "tags": ["weekly", "q1"], "coverage": COVERAGE},
    }
    return ShareableReport(
        id=report_id, created_at=MONDAY + week * WEEK, findings=findings, **given | changes
    )


def finding_ids() -> dict[str, str]:
    """Return the ids of the demo findings by a short name."""
    made = {"null": null_finding(5), "text": text_finding(1), "tool": TOOL, "range": RANGE}
    return {name: get_finding_id(finding, "orders") for name, finding in made.items()}


def note(annotation_id: str, finding_id: str, hours: float, comment: str, **changes: Any) -> Annotation:
    """Return an annotation by Ben some hours after the first report."""
    given: dict[str, Any] = {"author": "Ben", "tags": [], "status": None}
    written = MONDAY + dt.timedelta(hours=hours)
    given |= changes
    return Annotation(
        annotation_id, finding_id, given["author"], written, comment, given["tags"], given["status"]
    )


def fill(storage: Storage) -> Recording:
    """Fill an empty store; return what was generated on the way."""
    recording = Recording()
    for write in (_save_reports, _save_annotations, _decide, _save_the_rest, _delete):
        write(storage, recording)
    return recording


def _save_reports(storage: Storage, recording: Recording) -> None:
    first = [null_finding(5), text_finding(3), TOOL, TWICE]
    reports = [
        report("orders 0", 0, first, ruleset=RULES),
        report("orders 1", 1, [null_finding(7), RANGE]),
        report("orders 2 #ü", 2, [null_finding(4), text_finding(12)], author="Ben"),
        report("customers", 2, [null_finding(1)], title=TEXT, metadata={"dataset": "straße"}),
        ShareableReport("plain", "Nothing found", "Ana", TOKYO),
    ]
    for each in reports:
        with recording.step():
            storage.save_report(each)
    with recording.step():
        storage.save_report(report("orders 1", 1, [null_finding(7), RANGE], title="Renamed", version=1))


def _save_annotations(storage: Storage, recording: Recording) -> None:
    ids = finding_ids()
    with recording.step():
        storage.annotations.save_many(
            [
                note("a1", ids["null"], 1, TEXT, tags=["supplier", "Größe"], status="needs-investigation"),
                note("a2", ids["null"], 26.5, "Fixed in the import.", status="fixed", author="Ana"),
                note("a3", ids["text"], 3, "", tags=["odd"]),
                note("a4", "nobody has it yet", 4, "Waiting for a report."),
                note("a6", OLD_ID, 5, "Written by version 0.7."),
            ]
        )
    with recording.step():
        carried = report(
            "carries", 3, [RANGE], annotations=[note("a5", ids["range"], 600, "@Ben, carried along.")]
        )
        storage.save_report(carried)
    with recording.step():
        storage.save_annotation(note("a3", ids["text"], 3, "Edited", tags=["odd"], status="reviewed"))


def _decide(storage: Storage, recording: Recording) -> None:
    ids = finding_ids()
    customers = get_finding_id(null_finding(1), "straße")
    accepted = Decision(status="accepted", reason="Agreed with the shop.", snooze_factor=2.0)
    decisions = [
        (ids["null"], Decision(assignee="Ben", note="See the **wiki**.", snooze_until=FAR), "Ana"),
        ([ids["tool"], customers], accepted, "Ben"),
        (ids["range"], Decision(comment="Looking.", tags=["till"], assignee="Ana"), "Ana"),
        (ids["text"], Decision(stands_alone=True), "Ana"),
    ]
    for names, decision, actor in decisions:
        with recording.step():
            recording.replace_ids(storage.triage.decide(names, decision, actor=actor).annotations)
    with recording.step():
        storage.triage.merge_findings("nobody has it yet", ids["null"], actor="Ana")


def _save_the_rest(storage: Storage, recording: Recording) -> None:
    with recording.step():
        storage.save_ruleset(RULES, actor="Ana")
    with recording.step():
        storage.save_ruleset(RuleSet("empty", ""), actor="Ben")
    with recording.step():
        storage.people.save("Ben", mail="ben@example.org", initials="BO", actor="Ana")
    with recording.step():
        storage.people.save("Chiyo", actor="Ana")
    query = {
        "view": ["all"],
        "severity": ["error", "warning"],
        "tag": ["Größe"],
        "q": ["100 %"],
        "sort": ["last_seen"],
    }
    with recording.step():
        storage.views.save("Ben's – ü", query, author="Ben")
    with recording.step():
        storage.views.save("Nobody's", {"view": ["open"], "assignee": ["-"]}, author="Ana")


def _delete(storage: Storage, recording: Recording) -> None:
    with recording.step():
        storage.save_report(ShareableReport("mistake", "A mistake", "Ben", MONDAY, [RANGE]))
    with recording.step():
        storage.delete_report("mistake", actor="Ana")
    with recording.step():
        storage.delete_report("plain", actor="Ana")
    with recording.step():
        storage.restore_report("plain", actor="Ana")
    with recording.step():
        storage.delete_annotation("a4", actor="Ben")
    with recording.step():
        storage.rulesets.delete("empty", actor="Ben")
    with recording.step():
        storage.people.delete("Chiyo", actor="Ana")
    with recording.step():
        storage.views.delete("Nobody's", actor="Ana")
