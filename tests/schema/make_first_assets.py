"""Write the stores of the first released formats: run once, with the version that first wrote them.

    python -m tests.schema.make_first_assets

Later versions never run this again; they prove that they still read what it left.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from pathlib import Path

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.models import GhostFinding
from lavendertown.rules.models import Rule, RuleSet

ASSETS = Path(__file__).parent / "assets"
DATABASE = ASSETS / "0001" / "lavendertown.db"
FOLDER = ASSETS / "format-2"
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
    storage.save_annotation(Annotation("a2", name, "Ana", later + dt.timedelta(hours=1), "", [], "fixed"))
    storage.save_annotation(Annotation("a3", "nobody has it yet", "Ben", later, "Waiting.", [], None))
    storage.save_annotation(Annotation("a4", name, "Ben", later, "Wrong thread.", ["oops"], None))
    storage.delete_annotation("a4", actor="Ben")
    storage.save_report(ShareableReport("gone", "A mistake", "Ben", START))
    storage.delete_report("gone", actor="Ana")
    storage.save_ruleset(rules, actor="Ana")
    storage.close()


def main() -> None:
    for place in (DATABASE.parent, FOLDER):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    fill(DatabaseStorage(f"sqlite:///{DATABASE}"))
    with sqlite3.connect(DATABASE) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("PRAGMA journal_mode=DELETE")
    raw.execute("VACUUM")
    raw.close()
    fill(FileStorage(FOLDER))
    for left in ("-gate", "-wal", "-shm"):
        Path(f"{DATABASE}{left}").unlink(missing_ok=True)
    (FOLDER / ".lock").unlink()
    shutil.rmtree(FOLDER / ".journal")


if __name__ == "__main__":
    main()
