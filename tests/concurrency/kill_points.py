"""Kill a saving process at every step it takes: ``python -m tests.concurrency.kill_points BACKEND WHERE``.

Each round forks a child that saves one unit of work (two reports and an annotation) and dies, by
SIGKILL, before the n-th call that touches a file or the database. After each death the store must
be whole: all of the unit or nothing of it. The last round gets through; the number of deaths is
printed.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from contextlib import closing
from typing import Any

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.models import GhostFinding
from tests.contract.store_locations import StoreLocation

NOON = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
FILE_STEPS = {"open", "write", "flush", "close", "fsync", "truncate", "replace", "rename", "unlink", "mkdir"}
DATABASE_STEPS = {"execute", "executemany", "commit"}


def unit(word: str) -> list[ShareableReport]:
    """Return two reports and a note that all say the same word."""
    found = GhostFinding("null", "email", "info", word, [f"{word} {n}" for n in range(500)])
    note = Annotation("note", "finding_123", "worker", NOON, word, [word])
    return [
        ShareableReport("one", word, "worker", NOON, [found], [note]),
        ShareableReport("two", word, "worker", NOON, [found]),
    ]


def state(storage: Storage) -> str:
    """Return the word that the whole store says; fail where its parts differ."""
    assert storage.unreadable_items() == []
    words = {row["title"] for row in storage.query_reports(limit=None) if row["id"] != "beside"}
    words |= {note.comment for note in storage.get_annotations("finding_123")}
    for report_id in ("one", "two"):
        loaded = storage.load_report(report_id)
        assert loaded is not None
        words |= {
            loaded.title,
            loaded.findings[0].description,
            str(loaded.findings[0].row_indices)[2:].split()[0],
        }
    assert len(words) == 1, f"parts of two states: {words}"
    (word,) = words
    events = storage.audit_log(record_id="two", limit=None)
    assert events[0]["after"]["title"] == word, "the audit log tells another story"
    return word


def die_before(step: int) -> None:
    """Kill this process before its n-th step."""
    taken = 0

    def count(_frame: Any, event: str, function: Any) -> None:
        nonlocal taken
        if event == "c_call" and function.__name__ in FILE_STEPS | DATABASE_STEPS:
            taken += 1
            if taken > step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def round_trip(place: StoreLocation, step: int) -> int:
    """Let a child save and die before that step; return how it ended, as waitpid tells it."""
    child = os.fork()
    if child == 0:
        storage = place.open_storage()
        die_before(step)
        storage.save_reports(unit(f"round-{step}"))
        sys.setprofile(None)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main() -> None:
    place = StoreLocation(*sys.argv[1:])
    with closing(place.open_storage()) as storage:
        storage.save_reports(unit("start"))
        word = state(storage)
    step = 0
    while True:
        status = round_trip(place, step)
        with closing(place.open_storage()) as storage:
            now = state(storage)
            assert now in (word, f"round-{step}"), f"{now} after {word}"
            storage.save_report(ShareableReport("beside", str(step), "parent", NOON))
        if status == 0:
            assert now == f"round-{step}", "the save was acknowledged and is not there"
            break
        assert os.WTERMSIG(status) == signal.SIGKILL, f"status {status} at step {step}"
        word = now
        step += 1
    print(step)


if __name__ == "__main__":
    main()
