"""Compare the storage with lavendertown 0.7.1 and the plain drivers; each line is a ratio of one run.

python -m benchmarks.storage [--small] [--postgres URL]
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import multiprocessing
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.common import Ancestor, Table, ms
from benchmarks.plain_driver import compare_with_plain_driver
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.core.findings import GhostFinding

UTC = dt.UTC
START = dt.datetime(2025, 1, 1, tzinfo=UTC)
_TURNS = itertools.count(10_000)


def finding(number: int, rows: list[int] | None = None, dataset: str = "") -> GhostFinding:
    return GhostFinding(
        "null",
        f"column_{number}",
        ("error", "warning", "info")[number % 3],
        f"Column 'column_{number}' has {100 + number} null values",
        rows,
        {"check": "nulls", "params": {}, "count": 100 + number, "share": 0.01, "dataset": dataset},
    )


def report(number: int, findings: list[GhostFinding], tag: str = "r") -> ShareableReport:
    return ShareableReport(
        id=f"{tag}-{number}",
        title=f"Report {number}",
        author=f"author {number % 40}",
        created_at=START + dt.timedelta(minutes=number),
        findings=findings,
        metadata={"dataset": f"dataset {number % 40}"},
    )


def make_reports(
    count: int, per_report: int, tag: str = "r", spread: int = 40, first: int = 0
) -> list[ShareableReport]:
    """Return reports of 40 datasets in turn, one per minute, starting at the minute ``first``."""
    return [
        report(
            first + i,
            [finding(n + 20 * (i // 40 % 25), None, f"dataset {i % spread}") for n in range(per_report)],
            tag,
        )
        for i in range(count)
    ]


def median_seconds(run: Callable[[], object], times: int) -> float:
    """Return the median seconds of one call over several rounds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            run()
        rounds.append((time.perf_counter() - start) / times)
    return statistics.median(rounds)


def measure_listing(table: Table, folder: Path, big: int) -> None:
    """Compare query_reports with a raw indexed SELECT at two sizes."""
    ours = {}
    for count in (2_000, big):
        path = folder / f"list-{count}.db"
        storage = DatabaseStorage(f"sqlite:///{path}")
        for start in range(0, count, 10_000):
            storage.save_reports(report(i, []) for i in range(start, min(count, start + 10_000)))
        raw = sqlite3.connect(path)
        sql = (
            "SELECT id, title, author, dataset, created_at, finding_count FROM reports "
            "WHERE author = ? AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 50"
        )
        ours[count] = median_seconds(lambda s=storage: s.query_reports(author="author 7", limit=50), 200)  # type: ignore[misc]
        bare = median_seconds(lambda c=raw, sql=sql: c.execute(sql, ("author 7",)).fetchall(), 500)  # type: ignore[misc]
        table.add(
            f"query_reports(author, limit 50), {count:,} reports, raw sqlite3",
            ms(ours[count]),
            ms(bare),
            f"{ours[count] / bare:.2f}× (≤ 6×)",
        )
        raw.close()
        storage.close()
    table.add(
        f"query_reports, {big:,} against 2,000 reports",
        ms(ours[big]),
        ms(ours[2_000]),
        f"{ours[big] / ours[2_000]:.2f}× (≤ 1.15×)",
    )


def compare_listing(table: Table, folder: Path) -> None:
    """Compare query_reports with the ancestor for 20,000 reports, without and with row indices."""
    for indices, goal in ((0, 30), (200, 150)):
        url = f"sqlite:///{folder / f'old-list-{indices}.db'}"
        old = Ancestor(url)
        old("fill", 20_000, 20, indices)
        storage = DatabaseStorage(f"sqlite:///{folder / f'new-list-{indices}.db'}")
        rows = list(range(indices)) if indices else None
        for start in range(0, 20_000, 2_000):
            storage.save_reports(
                report(i, [finding(n, rows, f"dataset {i % 40}") for n in range(20)])
                for i in range(start, start + 2_000)
            )
        ours = median_seconds(lambda s=storage: s.query_reports(author="author 7", limit=50), 200)  # type: ignore[misc]
        theirs = statistics.median(old("query", 5, "author 7") for _ in range(3))
        table.add(
            f"query_reports(author, limit 50), 20,000 reports, {indices} row indices per finding, 0.7.1",
            ms(ours),
            ms(theirs),
            f"{theirs / ours:.0f}× faster (≥ {goal}×)",
        )
        old.close()
        storage.close()


def rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f} /s"


def compare_saving(
    table: Table,
    name: str,
    url: str,
    old_url: str,
    goals: tuple[float, float],
    label: str = "small store",
    rounds: int = 5,
) -> None:
    """Compare save_report and save_annotation with the ancestor, in turns."""
    storage, old = DatabaseStorage(url), Ancestor(old_url)
    ours: list[float] = []
    theirs: list[float] = []
    storage.save_reports(make_reports(5, 20, f"warm-{label}"))
    old("save_reports", 5, 20, None)
    count = 100
    for turn in range(rounds):
        # Each report is later than all previous ones, as in real use.
        made = make_reports(count, 20, f"save-{label}-{turn}", first=next(_TURNS) * count)
        start = time.perf_counter()
        for one in made:
            storage.save_report(one)
        ours.append(time.perf_counter() - start)
        theirs.append(old("save_reports", count, 20, None))
    a, b = statistics.median(ours), statistics.median(theirs)
    table.add(
        f"save_report, 20 findings, {name}, {label}",
        rate(count, a),
        rate(count, b),
        f"{b / a:.2f}× (≥ {goals[0]}×)",
    )
    ours, theirs = [], []
    finding_ids = [get_finding_id(finding(n), f"dataset {n % 40}") for n in range(50)]
    for turn in range(rounds):
        annotations = [
            Annotation(
                f"n-{label}-{turn}-{i}",
                finding_ids[i % 50],
                "Bob",
                dt.datetime.now(UTC),
                "Seen.",
                ["a"],
                "reviewed",
            )
            for i in range(count)
        ]
        start = time.perf_counter()
        for annotation in annotations:
            storage.save_annotation(annotation)
        ours.append(time.perf_counter() - start)
        theirs.append(old("save_annotations", count))
    a, b = statistics.median(ours), statistics.median(theirs)
    table.add(
        f"save_annotation, {name}, {label}", rate(count, a), rate(count, b), f"{b / a:.2f}× (≥ {goals[1]}×)"
    )
    old.close()
    storage.close()


def compare_plain_driver(
    table: Table, name: str, urls: tuple[str, str], limits: tuple[float, float], rounds: int = 7
) -> None:
    """Compare save_report and save_annotation with writing the same rows by the plain driver."""

    def reports_of_round(turn: int) -> list[ShareableReport]:
        return make_reports(100, 20, f"plain-{turn}", first=next(_TURNS) * 100)

    finding_ids = [get_finding_id(finding(n), f"dataset {n % 40}") for n in range(20)]
    compare_with_plain_driver(table, name, urls, limits, reports_of_round, finding_ids, rounds)


def measure_bulk_import(table: Table, name: str, url: str, goal: int, reports: int) -> None:
    """Measure save_reports in batches of 1,000 reports with 20 findings."""
    storage = DatabaseStorage(url)
    seconds, count = 0.0, 0
    for start in range(0, reports, 1_000):
        batch = make_reports(min(1_000, reports - start), 20, f"bulk-{start}")
        begin = time.perf_counter()
        storage.save_reports(batch)
        seconds += time.perf_counter() - begin
        count += 20 * len(batch)
    table.add(f"bulk import, {count:,} findings, {name}", rate(count, seconds), "", f"≥ {goal:,} /s")
    storage.close()


def _annotate(location: str, worker: int, count: int, out: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    storage = open_store(location)
    name = get_finding_id(finding(1), "crowd")
    durations = []
    for i in range(count):
        annotation = Annotation(
            f"p-{worker}-{i}", name, f"worker {worker}", dt.datetime.now(UTC), "Seen.", [], None
        )
        start = time.perf_counter()
        storage.save_annotation(annotation)
        durations.append(time.perf_counter() - start)
    out.put(durations)


def open_store(location: str) -> Storage:
    return DatabaseStorage(location) if "://" in location else FileStorage(location)


def concurrent_writers(table: Table, name: str, location: str) -> None:
    """Measure 8 processes with 50 annotations each on one finding."""
    storage = open_store(location)
    storage.save_report(report(1, [finding(1, None, "crowd")], "crowd"))
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    workers = [context.Process(target=_annotate, args=(location, w, 50, out)) for w in range(8)]
    for worker in workers:
        worker.start()
    durations = sorted(t for _ in workers for t in out.get())
    for worker in workers:
        worker.join()
    kept = len(storage.get_annotations(get_finding_id(finding(1), "crowd")))
    table.add(
        f"8 processes × 50 annotations, {name}",
        f"{kept} of 400",
        "p99 " + ms(durations[int(len(durations) * 0.99)]),
        "400, p99 ≤ 100 ms",
    )
    storage.close()


def large_findings(table: Table, folder: Path) -> None:
    """Measure a finding with 200,000 rows, random in a million and clustered."""
    spread = sorted(random.Random(1).sample(range(1_000_000), 200_000))
    cluster = list(range(300_000, 500_000))
    for name, rows, goal in (("random", spread, 15), ("clustered", cluster, 5_000)):
        path, old_path = folder / f"fat-{name}.db", folder / f"old-fat-{name}.db"
        storage, old = DatabaseStorage(f"sqlite:///{path}"), Ancestor(f"sqlite:///{old_path}")
        saves, loads, old_saves, old_loads = [], [], [], []
        for turn in range(5):
            one = report(turn, [finding(1, rows)])
            start = time.perf_counter()
            storage.save_report(one)
            saves.append(time.perf_counter() - start)
            start = time.perf_counter()
            loaded = storage.load_report(one.id)
            loads.append(time.perf_counter() - start)
            assert loaded is not None
            assert loaded.findings[0].row_indices == rows
            saved, read = old("large", rows)
            old_saves.append(saved)
            old_loads.append(read)
        raw, old_raw = sqlite3.connect(path), sqlite3.connect(old_path)
        size = raw.execute("SELECT avg(length(data)) FROM finding_rows").fetchone()[0]
        old_size = old_raw.execute("SELECT avg(length(findings_json)) FROM reports").fetchone()[0]
        table.add(
            f"200,000 rows, {name}: bytes",
            f"{size:,.0f}",
            f"{old_size:,.0f}",
            f"1/{old_size / size:,.0f} (≤ 1/{goal:,})",
        )
        for what, mine, theirs in (("save", saves, old_saves), ("load", loads, old_loads)):
            a, b = statistics.median(mine), statistics.median(theirs)
            table.add(f"200,000 rows, {name}: {what}", ms(a), ms(b), f"{b / a:.1f}× faster (≥ 3×)")
        if name == "random":
            for turn in range(5, 50):
                storage.save_report(report(turn, [finding(1, rows)]))
                old("large", rows)
            a = median_seconds(lambda s=storage: s.query_reports(limit=50), 100)  # type: ignore[misc]
            b = old("query", 3, None)
            table.add("list 50 such reports", ms(a), ms(b), f"{b / a:,.0f}× faster (≥ 1,000×)")
        old.close()
        storage.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="use smaller stores, for a quick run")
    parser.add_argument(
        "--postgres",
        help="URL of an empty database; NAME_old, NAME_ours and NAME_plain must exist too",
    )
    parser.add_argument("--only", default="", help="run only parts whose name contains this")
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="lavendertown-bench-") as name:
        folder = Path(name)
        sqlite = f"sqlite:///{folder / 'new.db'}"
        parts: dict[str, Callable[[], None]] = {
            "list": lambda: measure_listing(table, folder, 20_000 if options.small else 200_000),
            "ancestor": lambda: compare_listing(table, folder),
            "sqlite": lambda: compare_saving(
                table, "SQLite", sqlite, f"sqlite:///{folder / 'old.db'}", (1.2, 2)
            ),
            "plain-sqlite": lambda: compare_plain_driver(
                table,
                "SQLite",
                (f"sqlite:///{folder / 'ours.db'}", f"sqlite:///{folder / 'plain.db'}"),
                (4, 6),
            ),
            "bulk-sqlite": lambda: measure_bulk_import(
                table, "SQLite", sqlite, 15_000, 5_000 if options.small else 50_000
            ),
            "large-sqlite": lambda: compare_saving(
                table, "SQLite", sqlite, f"sqlite:///{folder / 'old.db'}", (0.8, 2), "1,000,000 findings"
            ),
            "crowd-files": lambda: concurrent_writers(table, "files", str(folder / "files")),
            "crowd-sqlite": lambda: concurrent_writers(table, "SQLite", f"sqlite:///{folder / 'crowd.db'}"),
            "large-findings": lambda: large_findings(table, folder),
        }
        if options.postgres:
            postgres = options.postgres
            parts["postgres"] = lambda: compare_saving(
                table, "PostgreSQL", postgres, postgres + "_old", (1, 1)
            )
            plain_urls = (postgres + "_ours", postgres + "_plain")
            parts["plain-postgres"] = lambda: compare_plain_driver(
                table, "PostgreSQL", plain_urls, (1.5, 2.5)
            )
            parts["crowd-postgres"] = lambda: concurrent_writers(table, "PostgreSQL", postgres)
            count = 5_000 if options.small else 50_000
            parts["bulk-postgres"] = lambda: measure_bulk_import(table, "PostgreSQL", postgres, 13_000, count)
            parts["large-postgres"] = lambda: compare_saving(
                table, "PostgreSQL", postgres, postgres + "_old", (1, 1), f"{20 * count:,} findings"
            )
        for part, run in parts.items():
            if options.only in part:
                run()
    table.show()


if __name__ == "__main__":
    main()
