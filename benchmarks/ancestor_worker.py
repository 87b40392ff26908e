"""Time lavendertown 0.7.1 in its own environment and print seconds as JSON.

Usage: python ancestor_worker.py DATABASE_URL. It reads one command per line from standard input after
start-up, so that both versions can be timed in turns.
"""

import json
import sys
import time
import uuid
from datetime import datetime

from lavendertown.collaboration.database_storage import DatabaseStorage, ReportModel
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.models import GhostFinding

storage = DatabaseStorage(sys.argv[1])


def finding(number, rows):
    return GhostFinding(
        ghost_type="null",
        column=f"column_{number}",
        severity=("error", "warning", "info")[number % 3],
        description=f"Column 'column_{number}' has {100 + number} null values",
        row_indices=rows,
        metadata={"null_count": 100 + number, "total_count": 10000, "null_percentage": 0.01},
    )


def report(title, author, findings):
    return ShareableReport(str(uuid.uuid4()), title, author, datetime.now(), findings)


def save_reports(count, per_report, rows):
    made = [
        report(f"Report {i}", f"author {i % 40}", [finding(n, rows) for n in range(per_report)])
        for i in range(count)
    ]
    start = time.perf_counter()
    for one in made:
        storage.save_report(one)
    return time.perf_counter() - start


def save_annotations(count):
    start = time.perf_counter()
    for i in range(count):
        storage.save_annotation(
            Annotation(
                str(uuid.uuid4()), f"finding {i % 50}", "Bob", datetime.now(), "Seen.", ["a"], "reviewed"
            )
        )
    return time.perf_counter() - start


def fill(count, per_report, indices):
    """Insert reports directly into the table in the format of 0.7.1, which is faster than saving them."""
    rows = list(range(indices)) if indices else None
    session = storage.SessionLocal()
    data = [finding(n, rows).__dict__ for n in range(per_report)]
    for start in range(0, count, 1000):
        session.bulk_insert_mappings(
            ReportModel,
            [
                {
                    "title": f"Report {i}",
                    "author": f"author {i % 40}",
                    "findings_json": data,
                    "created_at": datetime.fromtimestamp(1_700_000_000 + i * 60),
                }
                for i in range(start, min(count, start + 1000))
            ],
        )
    session.commit()
    session.close()
    return 0.0


def query(times, author):
    start = time.perf_counter()
    for _ in range(times):
        storage.query_reports(author=author, limit=50)
    return (time.perf_counter() - start) / times


def large(indices):
    one = report("Large", "Ann", [finding(1, indices)])
    start = time.perf_counter()
    report_id = storage.save_report(one)
    saved = time.perf_counter() - start
    start = time.perf_counter()
    storage.load_report(report_id)
    return [saved, time.perf_counter() - start]


COMMANDS = {f.__name__: f for f in (save_reports, save_annotations, fill, query, large)}
print("ready", flush=True)
for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(COMMANDS[name](*arguments)), flush=True)
