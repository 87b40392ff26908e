"""What the processes of the concurrency tests do.

``python -m tests.concurrency.workers JOB BACKEND WHERE …``

Each opens its own handle, says ``ready``, waits for a line on standard input, and works. What it
says after that is an acknowledgement: the storage call had returned.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import sys

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError
from lavendertown.models import GhostFinding
from tests.contract.store_locations import StoreLocation


def wait_for_start() -> None:
    say("ready")
    sys.stdin.readline()


def say(words: str) -> None:
    print(words, flush=True)


def make_report(report_id: str, title: str, findings: int, rows: int = 0) -> ShareableReport:
    made = [
        GhostFinding(
            "null", f"c{n}", "info", f"c{n} in {title}", [f"row {i}" for i in range(rows)] if rows else None
        )
        for n in range(findings)
    ]
    return ShareableReport(report_id, title, "worker", dt.datetime.now(dt.UTC), made)


def annotate(storage: Storage, name: str, count: str, finding_id: str) -> None:
    wait_for_start()
    for number in range(int(count)):
        moment = dt.datetime.now(dt.UTC)
        storage.save_annotation(
            Annotation(f"{name}-{number}", finding_id, name, moment, f"note {number}", [name])
        )
        say(f"{name}-{number}")


def increment(storage: Storage, report_id: str, count: str) -> None:
    wait_for_start()
    done = 0
    while done < int(count):
        mine = storage.load_report(report_id)
        assert mine is not None
        mine.metadata["n"] += 1
        try:
            storage.save_report(mine)
        except ConflictError:
            continue
        done += 1
    say(f"{done}")


def save_for_ever(storage: Storage, name: str) -> None:
    """Save new reports and one report again and again, until killed."""
    wait_for_start()
    for number in itertools.count():
        storage.save_reports(
            [
                make_report(f"{name}-{number}", f"{number}", 3, rows=2_000),
                make_report("same", f"{number}", number % 5),
            ]
        )
        say(f"{name}-{number}")


def sweep(storage: Storage, name: str, count: str) -> None:
    """Save reports over the same findings, each time in another order."""
    wait_for_start()
    for number in range(int(count)):
        made = make_report(f"{name}-{number}", "sweep", 12)
        random.Random(f"{name}-{number}").shuffle(made.findings)
        storage.save_report(made)
    say("done")


def resize(storage: Storage, report_id: str, count: str) -> None:
    """Save one report with ever other numbers of findings; its title says how many."""
    wait_for_start()
    for number in range(int(count)):
        storage.save_report(make_report(report_id, f"{number % 7}", number % 7))
    say("done")


def watch(storage: Storage, report_id: str, count: str) -> None:
    """Load a report that another process resizes; each time it must be one whole state."""
    wait_for_start()
    for _ in range(int(count)):
        seen = storage.load_report(report_id)
        assert seen is not None
        assert len(seen.findings) == int(seen.title), f"{seen.title} but {len(seen.findings)}"
        assert all(found.description.endswith(f"in {seen.title}") for found in seen.findings)
        (row,) = storage.query_reports()
        assert row["finding_count"] == int(row["title"]), f"{row}"
    say("done")


def open_and_save(place: StoreLocation, report_id: str) -> None:
    """Open the place only when told to, then save one report and a note on a finding nobody has."""
    wait_for_start()
    storage = place.open_storage()
    storage.save_report(make_report(report_id, "first", 2))
    moment = dt.datetime.now(dt.UTC)
    storage.save_annotation(Annotation(report_id, "finding_123", report_id, moment, "first"))
    say(report_id)


def main() -> None:
    job, backend, where, *rest = sys.argv[1:]
    place = StoreLocation(backend, where)
    if job == "open_and_save":
        open_and_save(place, *rest)
        return
    jobs = {job.__name__: job for job in (annotate, increment, save_for_ever, sweep, resize, watch)}
    jobs[job](place.open_storage(), *rest)


if __name__ == "__main__":
    main()
