"""Measure the inbox over a million findings: page, tags, sparklines and facet counts, for every filter.

    python -m benchmarks.desk [--identities 20000] [--reports 50000] [--postgres URL] [--keep FILE]
                              [--only files|sqlite|postgres]
                              [--file-reports 2000] [--file-identities 2000]

PostgreSQL is measured if a URL is given, a data folder always (see ``desk_files``). A measurement runs the
queries of the screen: one page of 50 with its sparklines, the number of matches, and all facets.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import desk_files
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.findings import GhostFinding

FINDINGS = 20
DATASETS = 40
THREADS, PAGES_PER_THREAD = 8, 25
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
    """Return the findings of each dataset, each with its own identity."""
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
    """Yield the reports, oldest first."""
    chance, known = random.Random(1), templates(identities)
    for number in range(count):
        of_dataset = known[number % DATASETS]
        first = (number // DATASETS * FINDINGS) % len(of_dataset)
        chosen = [of_dataset[(first + step) % len(of_dataset)] for step in range(FINDINGS)]
        findings = [_occurrence(template, chance) for template in chosen]
        made = START + dt.timedelta(minutes=10 * number)
        metadata = {"dataset": f"dataset {number % DATASETS}"}
        yield ShareableReport(
            f"r{number}", f"Report {number}", PEOPLE[number % 12], made, findings, [], None, metadata
        )


def _occurrence(template: GhostFinding, chance: random.Random) -> GhostFinding:
    count = chance.randrange(1, 1000)
    metadata = {**template.metadata, "count": count, "share": count / 1000}
    text = TEMPLATES[int(template.column.split()[1]) % 4].format(count)
    return GhostFinding(
        template.ghost_type,
        template.column,
        template.severity,
        f"{template.column}{text}",
        None,
        metadata,
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
    finding_ids = [
        get_finding_id(finding, f"dataset {number}")
        for number, of_dataset in enumerate(templates(identities))
        for finding in of_dataset
    ]
    storage.annotations.save_many(_annotations(finding_ids, chance))
    for finding_id in chance.sample(finding_ids, 500):
        storage.triage.decide(finding_id, Decision(assignee=chance.choice(PEOPLE)), actor="Person 0")


def _annotations(finding_ids: list[str], chance: random.Random) -> Iterator[Annotation]:
    for number in range(len(finding_ids) // 2):
        who, tag = chance.choice(PEOPLE), TAGS[int(chance.random() ** 3 * len(TAGS))]
        comment = f"Ask @{who} about the loader" if number % 20 == 0 else f"Looked at it, run {number}"
        at = START + dt.timedelta(days=100, minutes=number)
        status = chance.choice(STATUSES) if number % 3 == 0 else None
        yield Annotation(f"n{number}", chance.choice(finding_ids), who, at, comment, [tag], status)


def screen(storage: Storage, filters: dict[str, Any]) -> None:
    """Run the queries of the screen."""
    storage.inbox.query(limit=50, **filters)
    storage.inbox.count(**filters)
    storage.inbox.count_by_value(**filters)


def milliseconds(storage: Storage, filters: dict[str, Any], times: int = 9) -> float:
    """Return the median time of the screen's queries."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        screen(storage, filters)
        durations.append((time.perf_counter() - start) * 1000)
    return statistics.median(durations)


def measure(name: str, url: str, count: int, identities: int) -> None:
    """Fill a database if it is empty, and print all results."""
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
    print(f"{name}, {storage.inbox.count():,} identities: first page {time.perf_counter() - start:.2f} s")
    for label, filters in FILTERS.items():
        median = milliseconds(storage, filters)
        print(f"  {label:<28} {median:6.1f} ms {'' if median <= limit else f'> {limit}, MISSED'}")
    for label, seconds in measure_trends(storage, count).items():
        print(f"  {label:<28} {seconds * 1000:6.1f} ms")
    _after_a_write(storage)
    pages = sorted(measure_threads(storage))
    print(
        f"  {THREADS} threads, a comment before each page: median {pages[len(pages) // 2]:.1f} ms, "
        f"95% within {pages[len(pages) * 95 // 100]:.1f} ms"
    )
    storage.close()


def measure_trends(storage: Storage, count: int) -> dict[str, float]:
    """Return the durations of screens over several runs; they have no limit."""
    end = START + dt.timedelta(minutes=10 * count)
    edges = [end - dt.timedelta(weeks=back) for back in range(12, -1, -1)]
    busiest = storage.inbox.query(limit=1, order="comment_count")[0]["finding_id"]
    return {
        "Trends, findings by severity": _seconds(lambda: storage.trends.count_severities(edges)),
        "Trends, open and closed": _seconds(lambda: storage.trends.count_statuses(edges)),
        "Trends, closed findings": _seconds(lambda: storage.trends.list_closed(edges[0], edges[-1])),
        "compare two runs": _seconds(lambda: storage.reports.compare(f"r{count - 1}")),
        "history of a finding": _seconds(lambda: storage.audit_log(finding_id=busiest)),
    }


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


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


def measure_threads(storage: Storage) -> list[float]:
    """Return the durations of pages in ms for several threads, each commenting before each page."""
    finding_ids = storage.inbox.query_ids()
    durations: list[float] = []

    def visit(number: int) -> None:
        chance, filters = random.Random(number), list(FILTERS.values())[number % len(FILTERS)]
        for turn in range(PAGES_PER_THREAD):
            comment = f"t{number}-{turn}-{clock.now():%H%M%S%f}"
            finding_id = chance.choice(finding_ids)
            storage.save_annotation(
                Annotation(comment, finding_id, PEOPLE[number], clock.now(), "Seen again")
            )
            start = time.perf_counter()
            screen(storage, filters)
            durations.append((time.perf_counter() - start) * 1000)

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(visit, number) for number in range(THREADS)]:
            future.result()
    return durations


def main() -> None:
    """Measure all stores or the chosen one; PostgreSQL only if a URL is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=20_000)
    parser.add_argument("--reports", type=int, default=50_000)
    parser.add_argument("--postgres")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", choices=("files", "sqlite", "postgres"))
    parser.add_argument("--file-reports", type=int, default=2_000)
    parser.add_argument("--file-identities", type=int, default=2_000)
    options = parser.parse_args()
    if options.only == "postgres" and not options.postgres:
        parser.error("--only postgres needs the database's URL: --postgres URL")
    if options.only in (None, "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            file = options.keep or Path(folder) / "desk.db"
            measure("SQLite", f"sqlite:///{file}", options.reports, options.identities)
    if options.postgres and options.only in (None, "postgres"):
        measure("PostgreSQL", options.postgres, options.reports, options.identities)
    if options.only in (None, "files"):
        with tempfile.TemporaryDirectory() as folder:
            fill(FileStorage(folder), options.file_reports, options.file_identities)
            desk_files.measure(Path(folder))


if __name__ == "__main__":
    main()
