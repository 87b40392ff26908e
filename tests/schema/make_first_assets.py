"""Write the stores of released formats: each run once, with the version that first wrote them.

    python -m tests.schema.make_first_assets 0008

Later versions never run it again for the same folder; they prove that they still read what it left.
The checkout's own path in the ledger of moves was replaced by hand.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import sys
from pathlib import Path

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
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
from lavendertown.transfer.migrator import migrate_store
from lavendertown.transfer.values import MigrationRequest

ASSETS = Path(__file__).parent / "assets"
DATABASE = ASSETS / "0001" / "lavendertown.db"
FOLDER = ASSETS / "format-2"
EVIDENCE = Evidence(
    [ColumnProfile("price", "number", 100, 1, 90, 0.5, 99, [1.0], Histogram(0.5, 99.0, [90, 9]))],
    {"f1": FindingSamples("straße", [SampleRow(3, {"id": 4, "straße": None})], [ValueCount("ü", 2)])},
    ["id"],
    2,
)
START = dt.datetime(2026, 11, 2, 8, 30, 0, 123456, tzinfo=dt.UTC)


def findings(count: int) -> list[GhostFinding]:
    nulls = {"check": "nulls", "params": {}, "count": count, "share": count / 100, "null_count": count}
    rows = [3, 5, 8, *range(20, 20 + count - 3)]
    return [
        GhostFinding("null", "straße", "error", f"straße is empty in {count} of 100 rows.", rows, nulls),
        GhostFinding(
            "drift", "price", "info", "price moved", None, {"check_id": "dbt.price", "deep": [1, None]}
        ),
    ]


def fill(storage: Storage) -> None:
    """Everything a store can hold: two weeks of a report, a thread, a rule set, and things deleted."""
    rules = RuleSet("nightly", "Rules – ü", [Rule("r1", "x", "range", "price", {"min_value": 0})])
    for week in range(2):
        made = START + dt.timedelta(weeks=week)
        metadata = {"dataset": "orders", "tags": ["weekly"], "coverage": {"rows": 100}}
        report = ShareableReport(
            f"week {week}", "Orders", "Ana", made, findings(10 + week), [], rules, metadata
        )
        storage.save_report(report)
    name = get_finding_id(findings(10)[0], "orders")
    later = START + dt.timedelta(days=1)
    storage.save_annotation(Annotation("a1", name, "Ben", later, "From the **till**.", ["till"], "reviewed"))
    # It closes without a reason, as earlier versions allowed.
    closing = Annotation("a2", name, "Ana", later + dt.timedelta(hours=1), "", [], "fixed").mark_as_read()
    storage.save_annotation(closing)
    storage.save_annotation(Annotation("a3", "nobody has it yet", "Ben", later, "Waiting.", [], None))
    storage.save_annotation(Annotation("a4", name, "Ben", later, "Wrong thread.", ["oops"], None))
    storage.delete_annotation("a4", actor="Ben")
    storage.save_report(ShareableReport("gone", "A mistake", "Ben", START))
    storage.delete_report("gone", actor="Ana")
    storage.save_ruleset(rules, actor="Ana")
    decide(storage, name)
    storage.close()


def decide(storage: Storage, name: str) -> None:
    """What came with schema 0003: triage, a merge, people and views."""
    other = get_finding_id(findings(10)[1], "orders")
    until = START + dt.timedelta(days=9000)
    storage.triage.decide(
        name, Decision(assignee="Ben", note="See the **wiki**.", snooze_until=until), actor="Ana"
    )
    # The end and the ceiling came with schema 0010.
    accepted = Decision(
        status="accepted", reason="Prices move.", snooze_factor=2, accepted_until=until, ceiling_share=0.5
    )
    storage.triage.decide(other, accepted, actor="Ben")
    storage.triage.merge_findings("nobody has it yet", name, actor="Ana")
    storage.people.save("Ben", mail="ben@example.org", initials="B")
    # With schema 0004: one that is not the vanished finding it looks like.
    storage.triage.decide(other, Decision(stands_alone=True), actor="Ana")
    storage.views.save("Ben's", {"assignee": ["Ben"]}, author="Ana")
    # With schema 0009.
    storage.dataset_settings.save("orders", "reading", {"delimiter": ";"}, actor="Ana")
    report = storage.load_report("week 1")
    assert report is not None
    storage.save_report(report, evidence=EVIDENCE)
    # With schema 0011.
    made = storage.incidents.create(
        "Tills – ü", [name, "nobody has it yet", other], assignee="Ben", actor="Ana"
    )
    storage.incidents.comment(made, "The network was **down**.", author="Ben")
    storage.incidents.delete(storage.incidents.create("A mistake", "gone", actor="Ben"), actor="Ana")
    # With schema 0012.
    rows = FindingRows(name, "Is empty", "orders", "straße", [0, 3], 2, [], ["A – ü", ""], [])
    (worklist,) = storage.worklists.create("week 1", [rows], actor="Ana")
    answer = RowAnswer(worklist.id, 2, "cannot", "The till is gone – ü")
    storage.worklists.save_answers(FilledRows((answer,), (), frozenset({answer.key})), author="Ben")
    # With schema 0013. Nothing listens on port 9.
    team = NotificationChannel("team", "webhook", url="http://127.0.0.1:9/", allow_private=True)
    storage.notifications.collect(team)
    storage.save_annotation(Annotation("a6", name, "Ana", START, "@Ben, see the **wiki** – ü", [], None))
    storage.notifications.collect(team)
    storage.notifications.deliver_due([team], "")
    # With schema 0014.
    storage.people.save("Ben", hidden_columns=["seen", "tags"], actor="Ben")


def main() -> None:
    """Write ``assets/NAME``: a database, and a data folder beside it, each with a store moved into it."""
    place = ASSETS / sys.argv[1]
    place.mkdir()
    database, folder = place / "lavendertown.db", place / "folder"
    fill(DatabaseStorage(f"sqlite:///{database}"))
    fill(FileStorage(folder))
    for target in (f"sqlite:///{database}", str(folder)):
        assert migrate_store(
            MigrationRequest(str(ASSETS / "071" / "folder"), target, zone="Asia/Tokyo")
        ).verified
    with sqlite3.connect(database) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("PRAGMA journal_mode=DELETE")
    raw.execute("VACUUM")
    raw.close()
    for left in ("-gate", "-wal", "-shm"):
        Path(f"{database}{left}").unlink(missing_ok=True)
    (folder / ".lock").unlink()
    shutil.rmtree(folder / ".journal")


if __name__ == "__main__":
    main()
