"""Storage against lavendertown 0.7.1 and raw sqlite3, each line a ratio in one run.

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
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.models import GhostFinding

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


def many(
    count: int, per_report: int, tag: str = "r", spread: int = 40, first: int = 0
) -> list[ShareableReport]:
    """Make reports of 40 datasets in turn, a minute apart, from the minute ``first`` on."""
    return [
        report(
            first + i,
            [finding(n + 20 * (i // 40 % 25), None, f"dataset {i % spread}") for n in range(per_report)],
            tag,
        )
        for i in range(count)
    ]


def best(run: Callable[[], object], times: int) -> float:
    """Return the median seconds of one call, over several rounds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            run()
        rounds.append((time.perf_counter() - start) / times)
    return statistics.median(rounds)


def listing(table: Table, folder: Path, big: int) -> None:
    """query_reports against a raw indexed select, at two sizes."""
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
        ours[count] = best(lambda s=storage: s.query_reports(author="author 7", limit=50), 200)  # type: ignore[misc]
        bare = best(lambda c=raw, sql=sql: c.execute(sql, ("author 7",)).fetchall(), 500)  # type: ignore[misc]
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


def listing_ancestor(table: Table, folder: Path) -> None:
    """query_reports against the ancestor at 20,000 reports, without and with row indices."""
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
        ours = best(lambda s=storage: s.query_reports(author="author 7", limit=50), 200)  # type: ignore[misc]
        theirs = statistics.median(old("query", 5, "author 7") for _ in range(3))
        table.add(
            f"query_reports(author, limit 50), 20,000 reports, {indices} row indices a finding, 0.7.1",
            ms(ours),
            ms(theirs),
            f"{theirs / ours:.0f}× faster (≥ {goal}×)",
        )
        old.close()
        storage.close()


def rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f} /s"


def saving(
    table: Table,
    name: str,
    url: str,
    old_url: str,
    goals: tuple[float, float],
    label: str = "small store",
    rounds: int = 5,
) -> None:
    """save_report and save_annotation against the ancestor, in turns."""
    storage, old = DatabaseStorage(url), Ancestor(old_url)
    ours: list[float] = []
    theirs: list[float] = []
    storage.save_reports(many(5, 20, f"warm-{label}"))
    old("save_reports", 5, 20, None)
    count = 100
    for turn in range(rounds):
        # Later than all before, as runs are.
        made = many(count, 20, f"save-{label}-{turn}", first=next(_TURNS) * count)
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
    names = [get_finding_id(finding(n), f"dataset {n % 40}") for n in range(50)]
    for turn in range(rounds):
        made_notes = [
            Annotation(
                f"n-{label}-{turn}-{i}",
                names[i % 50],
                "Bob",
                dt.datetime.now(UTC),
                "Seen.",
                ["a"],
                "reviewed",
            )
            for i in range(count)
        ]
        start = time.perf_counter()
        for note in made_notes:
            storage.save_annotation(note)
        ours.append(time.perf_counter() - start)
        theirs.append(old("save_annotations", count))
    a, b = statistics.median(ours), statistics.median(theirs)
    table.add(
        f"save_annotation, {name}, {label}", rate(count, a), rate(count, b), f"{b / a:.2f}× (≥ {goals[1]}×)"
    )
    old.close()
    storage.close()


def bulk(table: Table, name: str, url: str, goal: int, reports: int) -> None:
    """save_reports in batches of 1,000 reports with 20 findings."""
    storage = DatabaseStorage(url)
    seconds, count = 0.0, 0
    for start in range(0, reports, 1_000):
        batch = many(min(1_000, reports - start), 20, f"bulk-{start}")
        begin = time.perf_counter()
        storage.save_reports(batch)
        seconds += time.perf_counter() - begin
        count += 20 * len(batch)
    table.add(f"bulk import, {count:,} findings, {name}", rate(count, seconds), "", f"≥ {goal:,} /s")
    storage.close()


def _annotate(place: str, worker: int, count: int, out: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    storage = open_place(place)
    name = get_finding_id(finding(1), "crowd")
    took = []
    for i in range(count):
        note = Annotation(
            f"p-{worker}-{i}", name, f"worker {worker}", dt.datetime.now(UTC), "Seen.", [], None
        )
        start = time.perf_counter()
        storage.save_annotation(note)
        took.append(time.perf_counter() - start)
    out.put(took)


def open_place(place: str) -> Storage:
    return DatabaseStorage(place) if "://" in place else FileStorage(place)


def crowd(table: Table, name: str, place: str) -> None:
    """8 processes × 50 annotations on one finding."""
    storage = open_place(place)
    storage.save_report(report(1, [finding(1, None, "crowd")], "crowd"))
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    workers = [context.Process(target=_annotate, args=(place, w, 50, out)) for w in range(8)]
    for worker in workers:
        worker.start()
    took = sorted(t for _ in workers for t in out.get())
    for worker in workers:
        worker.join()
    kept = len(storage.get_annotations(get_finding_id(finding(1), "crowd")))
    table.add(
        f"8 processes × 50 annotations, {name}",
        f"{kept} of 400",
        "p99 " + ms(took[int(len(took) * 0.99)]),
        "400, p99 ≤ 100 ms",
    )
    storage.close()


def fat(table: Table, folder: Path) -> None:
    """A finding of 200,000 rows, random in a million and clustered."""
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
            saved, read = old("fat", rows)
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
                old("fat", rows)
            a = best(lambda s=storage: s.query_reports(limit=50), 100)  # type: ignore[misc]
            b = old("query", 3, None)
            table.add("list 50 such reports", ms(a), ms(b), f"{b / a:,.0f}× faster (≥ 1,000×)")
        old.close()
        storage.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="smaller stores, for a first look")
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database, and of NAME_old beside it")
    parser.add_argument("--only", default="", help="only parts whose name contains this")
    chosen = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="lavendertown-bench-") as name:
        folder = Path(name)
        sqlite = f"sqlite:///{folder / 'new.db'}"
        parts: dict[str, Callable[[], None]] = {
            "list": lambda: listing(table, folder, 20_000 if chosen.small else 200_000),
            "ancestor": lambda: listing_ancestor(table, folder),
            "sqlite": lambda: saving(table, "SQLite", sqlite, f"sqlite:///{folder / 'old.db'}", (1.2, 2)),
            "bulk-sqlite": lambda: bulk(table, "SQLite", sqlite, 25_000, 5_000 if chosen.small else 50_000),
            "large-sqlite": lambda: saving(
                table, "SQLite", sqlite, f"sqlite:///{folder / 'old.db'}", (0.8, 2), "1,000,000 findings"
            ),
            "crowd-files": lambda: crowd(table, "files", str(folder / "files")),
            "crowd-sqlite": lambda: crowd(table, "SQLite", f"sqlite:///{folder / 'crowd.db'}"),
            "fat": lambda: fat(table, folder),
        }
        if chosen.postgres:
            postgres = chosen.postgres
            parts["postgres"] = lambda: saving(table, "PostgreSQL", postgres, postgres + "_old", (1, 1))
            parts["crowd-postgres"] = lambda: crowd(table, "PostgreSQL", postgres)
            count = 5_000 if chosen.small else 50_000
            parts["bulk-postgres"] = lambda: bulk(table, "PostgreSQL", postgres, 20_000, count)
            parts["large-postgres"] = lambda: saving(
                table, "PostgreSQL", postgres, postgres + "_old", (1, 1), f"{20 * count:,} findings"
            )
        for part, run in parts.items():
            if chosen.only in part:
                run()
    table.show()


if __name__ == "__main__":
    main()
