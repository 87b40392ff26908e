"""The desk over a million findings: page, tags, sparklines and facet counts, for every filter.

    python -m benchmarks.desk [--identities 20000] [--reports 50000] [--postgres URL] [--keep FILE]
                              [--only files|sqlite|postgres]
                              [--file-reports 2000] [--file-identities 2000]

PostgreSQL is measured where a URL is given, a data folder always, see ``desk_files``. What is measured
is what the screen asks for: one page of 50 with its sparklines, the number of matches, and all facets.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import desk_files
from lavendertown import clock
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.collaboration.triage import Decision
from lavendertown.models import GhostFinding

FINDINGS = 20
DATASETS = 40
START = dt.datetime(2025, 1, 1, 6, tzinfo=clock.UTC)
PEOPLE = [f"Person {number}" for number in range(12)]
TAGS = [f"tag {number}" for number in range(80)]
STATUSES = ("reviewed", "needs-investigation", "fixed", "accepted", "false_positive")
TEMPLATES = (
    "is empty in {} of 1,000 rows",
    "has {} unusual values",
    "says 'NA' in {} rows",
    "repeats {} values",
)
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "dataset": {"dataset": "dataset 7"},
    "dataset + severity + status": {"dataset": "dataset 7", "severity": "error", "status": "open"},
    "status": {"status": "open"},
    "assignee + status": {"assignee": "Person 3", "status": ["open", "reviewed"]},
    "tag": {"tags": "tag 0"},
    "seen": {"seen": ["new", "regressed"]},
    "text, many hits": {"search": "unusual"},
    "text, few hits": {"search": "column 77 "},
    "text, no hit": {"search": "zebra crossing"},
    "text in comments": {"search": "the loader"},
    "mentions": {"mentions": "Person 5"},
    "dates": {"start_date": START + dt.timedelta(days=200)},
    "everything": {
        "dataset": "dataset 7", "severity": "error", "status": "open", "tags": "tag 1", "search": "empty",
    },
}  # fmt: skip


def templates(identities: int) -> list[list[GhostFinding]]:
    """Return the findings of each dataset, each its own identity."""
    each = identities // DATASETS
    return [
        [
            GhostFinding(
                ("null", "outlier", "type", "rule")[n % 4],
                f"column {n} ",
                ("error", "warning", "info")[n % 3],
                "",
                None,
                {"check": ("nulls", "outliers", "types", "rule")[n % 4], "params": {}},
            )
            for n in range(each)
        ]
        for _ in range(DATASETS)
    ]


def reports(count: int, identities: int) -> Iterator[ShareableReport]:
    """Yield the reports in the order they were made."""
    chance, known = random.Random(1), templates(identities)
    for number in range(count):
        of = known[number % DATASETS]
        first = (number // DATASETS * FINDINGS) % len(of)
        chosen = [of[(first + step) % len(of)] for step in range(FINDINGS)]
        findings = [_seen(found, chance) for found in chosen]
        made = START + dt.timedelta(minutes=10 * number)
        metadata = {"dataset": f"dataset {number % DATASETS}"}
        yield ShareableReport(
            f"r{number}", f"Report {number}", PEOPLE[number % 12], made, findings, [], None, metadata
        )


def _seen(found: GhostFinding, chance: random.Random) -> GhostFinding:
    count = chance.randrange(1, 1000)
    metadata = {**found.metadata, "count": count, "share": count / 1000}
    words = TEMPLATES[int(found.column.split()[1]) % 4].format(count)
    return GhostFinding(
        found.ghost_type, found.column, found.severity, f"{found.column}{words}", None, metadata
    )


def fill(storage: Storage, count: int, identities: int) -> None:
    """Write reports, annotations and decisions."""
    batch: list[ShareableReport] = []
    for report in reports(count, identities):
        batch.append(report)
        if len(batch) == 1000:
            storage.save_reports(batch)
            batch = []
    storage.save_reports(batch)
    chance = random.Random(2)
    names = [
        get_finding_id(found, f"dataset {number}")
        for number, of in enumerate(templates(identities))
        for found in of
    ]
    storage.save_annotations(_notes(names, chance))
    for name in chance.sample(names, 500):
        storage.decide(name, Decision(assignee=chance.choice(PEOPLE)), actor="Person 0")


def _notes(names: list[str], chance: random.Random) -> Iterator[Annotation]:
    for number in range(len(names) // 2):
        who, tag = chance.choice(PEOPLE), TAGS[int(chance.random() ** 3 * len(TAGS))]
        comment = f"Ask @{who} about the loader" if number % 20 == 0 else f"Looked at it, run {number}"
        at = START + dt.timedelta(days=100, minutes=number)
        status = chance.choice(STATUSES) if number % 3 == 0 else None
        yield Annotation(f"n{number}", chance.choice(names), who, at, comment, [tag], status)


def screen(storage: Storage, asked: dict[str, Any]) -> None:
    """Ask for what the screen shows."""
    storage.query_desk(limit=50, **asked)
    storage.count_desk(**asked)
    storage.desk_facets(**asked)


def milliseconds(storage: Storage, asked: dict[str, Any], times: int = 9) -> float:
    """Return the median time of the screen's questions."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        screen(storage, asked)
        found.append((time.perf_counter() - start) * 1000)
    return statistics.median(found)


def measure(name: str, url: str, count: int, identities: int) -> None:
    """Fill a database where it is empty, and print all figures."""
    limit = 25 if identities <= 20_000 else 50
    storage = DatabaseStorage(url)
    if not storage.count_reports():
        start = time.perf_counter()
        fill(storage, count, identities)
        print(f"{name}: filled in {time.perf_counter() - start:.0f} s")
    storage.close()
    storage = DatabaseStorage(url)
    start = time.perf_counter()
    screen(storage, {})
    print(f"{name}, {storage.count_desk():,} identities: first look {time.perf_counter() - start:.2f} s")
    for label, asked in FILTERS.items():
        took = milliseconds(storage, asked)
        print(f"  {label:<28} {took:6.1f} ms {'' if took <= limit else f'> {limit}, MISSED'}")
    for label, took in over_time(storage, count).items():
        print(f"  {label:<28} {took * 1000:6.1f} ms")
    _after_a_write(storage)
    storage.close()


def over_time(storage: Storage, count: int) -> dict[str, float]:
    """Return how long the screens take that tell of more than one run; no line is drawn for them."""
    end = START + dt.timedelta(minutes=10 * count)
    edges = [end - dt.timedelta(weeks=back) for back in range(12, -1, -1)]
    busiest = storage.query_desk(limit=1, order="comment_count")[0]["finding_id"]
    return {
        "Trends, findings by severity": _seconds(lambda: storage.severity_trend(edges)),
        "Trends, open and closed": _seconds(lambda: storage.status_trend(edges)),
        "Trends, how they were closed": _seconds(lambda: storage.closings(edges[0], edges[-1])),
        "compare two runs": _seconds(lambda: storage.compare_report(f"r{count - 1}")),
        "history of a finding": _seconds(lambda: storage.audit_log(finding_id=busiest)),
    }


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def _after_a_write(storage: Storage) -> None:
    report = next(reports(1, 20_000))
    report.id, report.created_at = f"fresh {clock.now():%H%M%S%f}", clock.now()
    start = time.perf_counter()
    storage.save_report(report)
    saved = time.perf_counter()
    screen(storage, {})
    after = time.perf_counter()
    print(
        f"  after a write: saved in {(saved - start) * 1000:.1f} ms, shown in {(after - saved) * 1000:.1f} ms"
    )


def main() -> None:
    """Measure every store, or the one that is chosen; PostgreSQL only where a URL is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=20_000)
    parser.add_argument("--reports", type=int, default=50_000)
    parser.add_argument("--postgres")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", choices=("files", "sqlite", "postgres"))
    parser.add_argument("--file-reports", type=int, default=2_000)
    parser.add_argument("--file-identities", type=int, default=2_000)
    chosen = parser.parse_args()
    if chosen.only == "postgres" and not chosen.postgres:
        parser.error("--only postgres needs the database's URL: --postgres URL")
    if chosen.only in (None, "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            file = chosen.keep or Path(folder) / "desk.db"
            measure("SQLite", f"sqlite:///{file}", chosen.reports, chosen.identities)
    if chosen.postgres and chosen.only in (None, "postgres"):
        measure("PostgreSQL", chosen.postgres, chosen.reports, chosen.identities)
    if chosen.only in (None, "files"):
        with tempfile.TemporaryDirectory() as folder:
            fill(FileStorage(folder), chosen.file_reports, chosen.file_identities)
            desk_files.measure(Path(folder))


if __name__ == "__main__":
    main()
