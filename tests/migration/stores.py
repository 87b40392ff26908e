"""Stores filled at random with everything a store can hold, and everything a store says."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from pathlib import Path
from typing import Any

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.fingerprints import legacy_id
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.interchange.worklists.answers import FilledRows, RowAnswer
from lavendertown.interchange.worklists.worklist_file import FindingRows
from lavendertown.models import GhostFinding
from lavendertown.profile.evidence import (
    ColumnProfile,
    Evidence,
    FindingSamples,
    Histogram,
    SampleRow,
    ValueCount,
)
from lavendertown.rules.models import Rule, RuleSet
from tests.contract.store_locations import StoreLocation

START = dt.datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=dt.UTC)
PEOPLE = ["Ana", "Ben", "çelik", "O'Hara; DROP TABLE reports", "李"]
TAGS = ["crm", "late", "straße", "50% off", "a b"]
STATUSES = [None, None, "open", "reviewed", "fixed", "accepted", "false_positive", "needs-investigation"]
COLUMNS = ["email", "prix_ü", "a:b", "*", "col'umn"]
NOBODY_HAS_IT = ["nobody has it yet", "0123456789abcdef0123456789abcdef"]


def fill(storage: Storage, seed: int, reports: int = 12) -> None:
    """Fill a store as a team does: over time, with corrections, deletions and second thoughts."""
    chance = random.Random(seed)
    known: list[GhostFinding] = []
    made: list[str] = []
    for number in range(reports):
        findings = [_finding(chance, number) for _ in range(chance.choice([0, 1, 3, 6]))]
        report = _report(chance, number, findings)
        storage.save_report(report)
        made.append(report.id)
        known += report.findings
    for number in range(reports * 3):
        storage.save_annotation(_annotation(chance, number, known))
    for number in range(reports):
        note = storage.annotations.load(f"note {chance.randrange(reports * 3)}")
        if note is not None:
            note.comment += f" Corrected {number}."
            storage.save_annotation(note, actor=chance.choice(PEOPLE))
    for report_id in chance.sample(made, reports // 2):
        _count_anew(storage, report_id)
    for report_id in chance.sample(made, reports // 3):
        storage.delete_report(report_id, actor=chance.choice(PEOPLE))
        if chance.random() < 0.4:
            storage.restore_report(report_id, actor=chance.choice(PEOPLE))
    for number in chance.sample(range(reports * 3), reports // 2):
        storage.delete_annotation(f"note {number}", actor=chance.choice(PEOPLE))
    _rulesets(storage, chance)
    _desk(storage, chance)


def _desk(storage: Storage, chance: random.Random) -> None:
    """Decide about findings, some of which are no more, merge two, and save people and views."""
    names = sorted({row["finding_id"] for row in storage.query_findings(limit=None)})
    for name in chance.sample(names, min(len(names), 5)):
        storage.triage.decide(name, _decision(chance), actor=chance.choice(PEOPLE))
    storage.triage.decide(NOBODY_HAS_IT[0], Decision(note="waits"), actor="Ana")
    if len(names) > 3:
        storage.triage.merge_findings(names[0], names[1], actor="Ben")
        storage.triage.merge_findings(names[2], names[1], actor="Ben")
        storage.triage.unmerge_finding(names[2], actor="Ben")
    for name in ("Ana", "李", "çelik"):
        storage.people.save(name, mail=f"{name}@example.org", initials=chance.choice(["", "Ü"]))
    storage.people.delete("李", actor="Ana")
    storage.views.save("Mine – all", {"assignee": ["Ana"], "deep": [1, None, {"ü": 0.5}]}, author="Ana")
    storage.views.save("old", {}, author="Ben")
    storage.views.delete("old", actor="Ben")
    storage.dataset_settings.save("kunden/neu", "reading", {"delimiter": ";"}, actor="Ben")
    _evidence(storage, chance)
    _incidents(storage, names)
    _worklists(storage, names)
    _notifications(storage, names)


def _incidents(storage: Storage, names: list[str]) -> None:
    """Group findings, one of which is merged into another, and one that no report has."""
    made = storage.incidents.create("Kasse – ü", [NOBODY_HAS_IT[0], *names[:1]], assignee="李", actor="Ana")
    storage.incidents.comment(made, "Zeile\n\n**zwei**", author="Ben")
    deleted = storage.incidents.create("A mistake", NOBODY_HAS_IT[1], actor="Ben")
    storage.incidents.delete(deleted, actor="Ben")


def _notifications(storage: Storage, names: list[str]) -> None:
    """Notify nobody: nothing listens on port 9."""
    team = NotificationChannel("team", "webhook", url="http://127.0.0.1:9/", allow_private=True)
    storage.notifications.collect(team)
    storage.triage.decide(names[0], Decision(assignee="Cy – ü"), actor="Ana")
    storage.notifications.collect(team)
    storage.notifications.deliver_due([team], "")


def _worklists(storage: Storage, names: list[str]) -> None:
    """Give out rows of a finding of a report, and of one that no report has; answer some; delete one."""
    for report_id, name in (("r ü", names[0] if names else NOBODY_HAS_IT[0]), ("gone", NOBODY_HAS_IT[1])):
        rows = FindingRows(name, "Größe", "orders", "price", [0, 7], 2, [], ["A – ü", ""], [1, None])
        (made,) = storage.worklists.create(report_id, [rows], actor="Ana")
        answer = RowAnswer(made.id, 2, "cannot", "Zu – 李\nzwei")
        storage.worklists.save_answers(FilledRows((answer,), (), frozenset({answer.key})), author="Ben")
    storage.worklists.delete(made.id, actor="Ben")


def _decision(chance: random.Random) -> Decision:
    until = START + dt.timedelta(days=chance.randrange(9000))
    return chance.choice(
        [
            Decision(status="fixed", reason="Mended – ü"),
            Decision(assignee=chance.choice(PEOPLE), tags=[chance.choice(TAGS)]),
            Decision(note="See *wiki*\n\nand ask"),
            Decision(snooze_until=until),
            Decision(snooze_factor=1.5),
            Decision(stands_alone=True),
        ]
    )


def _count_anew(storage: Storage, report_id: str) -> None:
    """Change what the findings say, but not what they are: 0.7's ids no longer follow from them."""
    report = storage.load_report(report_id)
    assert report is not None
    report.annotations = []
    for found in report.findings:
        found.description += " (counted anew)"
    storage.save_report(report)


def _evidence(storage: Storage, chance: random.Random) -> None:
    profile = ColumnProfile(
        *("straße", "number", 9, 1, 8, -1.5, 2**53, [0.1]),
        Histogram(0.0, 1e300, [1, 2], 3),
        [ValueCount("ü\u2028", 4)],
    )
    for number in (1, 2):
        samples = FindingSamples("a", [SampleRow(17, {"a": None, "ü": chance.random()})], [ValueCount("", 1)])
        evidence = Evidence([profile], {"f1-x": samples}, ["ü"], 2, ["top values"])
        storage.save_report(_report(chance, 90 + number, []), evidence=evidence)


def _rulesets(storage: Storage, chance: random.Random) -> None:
    for number in range(4):
        rules = [Rule(f"r{n}", "ü", "range", "price", {"min": n, "max": 1.5}) for n in range(number)]
        storage.save_ruleset(RuleSet(f"rules {number}", chance.choice(TAGS), rules), actor="Ana")
    storage.save_ruleset(RuleSet("rules 1", "changed", []), actor="Ben")
    storage.rulesets.delete("rules 2", actor="Ben")


def _finding(chance: random.Random, run: int) -> GhostFinding:
    column = chance.choice(COLUMNS)
    rows = chance.choice([None, [], [0], sorted(chance.sample(range(10**6), 400)), ["k1", "k2"]])
    metadata: dict[str, Any] = {
        "check": chance.choice(["nulls", "outliers"]),
        "params": {"k": chance.choice([1, 1.0, None, True])},
        "count": run,
        "share": chance.random(),
        "deep": {"list": [1, 2.5, None, {"ü": "\u2028"}], "big": 2**53, "small": 1e-300, "zero": -0.0},
    }
    return GhostFinding(
        chance.choice(["null", "outlier", "rule"]),
        column,
        chance.choice(["info", "warning", "error"]),
        f"{column} has {run} ghosts – 100 %",
        rows,
        metadata,
    )


def _report(chance: random.Random, number: int, findings: list[GhostFinding]) -> ShareableReport:
    metadata: dict[str, Any] = {"dataset": chance.choice(["orders", "kunden/neu", ""])}
    if chance.random() < 0.5:
        metadata |= {"tags": chance.sample(TAGS, 2), "note": "x" * number, "nested": [[], {}, 0.1]}
    ruleset = RuleSet("inner", "", [Rule("a", "", "range")]) if chance.random() < 0.3 else None
    return ShareableReport(
        chance.choice([f"r-{number}", f"my report #{number} %2F", f"bericht-ü-{number}"]),
        f"Week {number}",
        chance.choice(PEOPLE),
        # Some of the same moment.
        START + dt.timedelta(hours=number // 2),
        findings,
        [],
        ruleset,
        metadata,
    )


def _annotation(chance: random.Random, number: int, known: list[GhostFinding]) -> Annotation:
    about = chance.choice(known) if known and chance.random() < 0.8 else None
    if about is None:
        name = chance.choice(NOBODY_HAS_IT)
    elif chance.random() < 0.3:
        name = legacy_id(about.ghost_type, about.column, about.description)
    else:
        name = get_finding_id(about)
    return Annotation(
        f"note {number}",
        name,
        chance.choice(PEOPLE),
        START + dt.timedelta(minutes=chance.randrange(3000)),
        chance.choice(["", "Looks odd", "Zeile\n\n**zwei** 🙂"]),
        chance.sample(TAGS, chance.randrange(3)),
        chance.choice(STATUSES),
    ).mark_as_read()  # Some are empty or close without a reason, as earlier versions allowed.


def story(storage: Storage) -> dict[str, Any]:
    """Return everything a store says through its public methods, but for the moves."""
    reports = storage.query_reports(limit=None, include_deleted=True)
    findings = storage.query_findings(limit=None)
    names = _names(storage, findings)
    return {
        "reports": reports,
        "contents": [_content(storage, row["id"]) for row in reports],
        "findings": findings,
        "threads": {name: [_note(note) for note in storage.get_annotations(name)] for name in names},
        "resolved": {name: storage.findings.resolve_id(name) for name in names},
        "annotations": storage.query_annotations(limit=None, include_deleted=True),
        "rulesets": storage.query_rulesets(limit=None, include_deleted=True),
        "rules": [storage.load_ruleset(f"rules {number}") for number in range(4)],
        "tags": storage.reports.known_tags(),
        "desk": storage.inbox.query(limit=None),
        "triage": {name: storage.triage.load(name) for name in names},
        "people": storage.people.list_known(),
        "views": storage.views.query(),
        "dataset settings": storage.dataset_settings.load("kunden/neu", "reading"),
        "incidents": storage.incidents.query(include_deleted=True),
        "notifications": storage.notifications.query(),
        "worklists": [*storage.worklists.query(), storage.worklists.count_answers("r ü")],
        "evidence": [storage.reports.load_evidence(row["id"]) for row in reports],
        "facets": storage.reports.count_by_value(),
        "audit": [_event(event) for event in storage.audit_log(limit=None) if event["component"] != "store"],
    }


def _names(storage: Storage, findings: list[dict[str, Any]]) -> list[str]:
    """Return every id that somebody may ask for: those in annotations, of findings, and of 0.7."""
    found = {row["finding_id"] for row in storage.query_annotations(limit=None, include_deleted=True)}
    found |= {row["finding_id"] for row in findings}
    found |= {legacy_id(row["ghost_type"], row["column"], row["description"]) for row in findings}
    return sorted(found | set(NOBODY_HAS_IT))


def exact(value: Any) -> Any:
    """Return what is equal only if also True, 1 and 1.0, and 0.0 and -0.0, are told apart."""
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(each) for each in value]
    return type(value).__name__, repr(value)


def _content(storage: Storage, report_id: str) -> Any:
    loaded = storage.load_report(report_id)
    return None if loaded is None else (loaded.to_dict(), loaded.version)


def _note(note: Annotation) -> Any:
    return note.to_dict(), note.version


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "key"}


def told(place: StoreLocation) -> dict[str, Any]:
    """Open a place, return what it says, and close it."""
    storage = place.open_storage()
    found = story(storage)
    storage.close()
    return found


def traces(place: StoreLocation) -> Any:
    """Return something that changes with every byte of a folder or file, or every row of a server."""
    if place.backend == "file":
        root = Path(place.where)
        files = [path for path in sorted(root.rglob("*")) if path.is_file()] if root.exists() else []
        return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    if place.backend == "sqlite":
        path = Path(place.where.removeprefix("sqlite:///"))
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
    from tests.schema.databases import rows

    return rows(place.where)
