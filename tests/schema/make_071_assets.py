"""Write what LavenderTown 0.7.1 left behind: a data folder and a SQLite database.

Run once, with a Python that has ``lavendertown[database]==0.7.1``, and keep the result:

    TZ=Asia/Tokyo /path/to/old/python tests/schema/make_071_assets.py tests/schema/assets/071

0.7.1 wrote local times without a zone; the tests read them in Tokyo's.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.models import GhostFinding
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.storage import save_ruleset

NULLS = GhostFinding(
    ghost_type="null",
    column="email",
    severity="warning",
    description="Column 'email' has 15 null values (25.0% of 60 rows)",
    row_indices=[2, 5, 8, 12, 15],
    metadata={"null_count": 15, "total_count": 60, "null_percentage": 0.25},
)
OUTLIERS = GhostFinding(
    ghost_type="outlier",
    column="prix_ü",
    severity="error",
    description="Column 'prix_ü' has 3 outliers",
    row_indices=None,
    metadata={"outlier_count": 3, "lower_bound": -1.5, "upper_bound": float("inf"), "q1": float("nan")},
)
RULES = RuleSet(
    name="customer rules",
    description="What a customer looks like",
    rules=[
        Rule("age", "Adults only", "range", "age", {"min": 18, "max": 120}),
        Rule("off", "", "regex", "email", {}, False),
    ],
)


def note(number: int, finding: GhostFinding, status: str | None, tags: list[str]) -> Annotation:
    when = datetime(2025, 6, 1, 9 + number, 30, 0, 123456)
    return Annotation(
        f"note-{number}", get_finding_id(finding), "Bob", when, f"Comment {number} \u2013 ü", tags, status
    )


def reports() -> list[ShareableReport]:
    embedded = note(4, OUTLIERS, "fixed", ["embedded"])
    first = ShareableReport(
        id="2f6c1f0e-1111-4222-8333-444455556666",
        title="Q4 Data Quality Report",
        author="Alice",
        created_at=datetime(2025, 6, 1, 0, 30, 0, 1),
        findings=[NULLS, OUTLIERS],
        annotations=[embedded],
        ruleset=RULES,
        metadata={"dataset": "sales.csv", "run": 7},
    )
    bare = ShareableReport(
        id="my report #1",
        title="Plain",
        author="Bob",
        created_at=datetime(2025, 5, 31, 23, 59, 59),
        findings=[NULLS],
    )
    return [first, bare]


def write_folder() -> None:
    store = FileStorage()
    for report in reports():
        store.save_report(report)
    store.save_annotation(note(1, NULLS, None, ["crm"]))
    store.save_annotation(note(2, NULLS, "reviewed", ["crm", "late"]))
    store.save_annotation(
        Annotation(
            "note-3", "finding_123", "Cy", datetime(2025, 6, 2, 12), "On nothing known", [], "false_positive"
        )
    )
    save_ruleset(RULES, ".lavendertown/shared_rulesets/customer rules.json")


def write_database() -> None:
    store = DatabaseStorage()
    for report in reports():
        report.findings = [NULLS]
        store.save_report(report)
    store.save_annotation(note(1, NULLS, "reviewed", ["crm"]))
    store.engine.dispose()


def main() -> None:
    assert version("lavendertown") == "0.7.1"
    target = Path(sys.argv[1])
    target.mkdir(parents=True)
    os.chdir(target)
    write_folder()
    write_database()
    Path(".lavendertown").rename("folder")
    Path("folder/lavendertown.db").rename("lavendertown.db")


if __name__ == "__main__":
    main()
