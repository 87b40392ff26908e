"""kill -9 in the middle of saving: what was acknowledged is there, and nothing is broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from lavendertown.collaboration.storage import Storage
from tests.concurrency.conftest import ROOT
from tests.contract.builders import annotation, report
from tests.contract.store_locations import StoreLocation

pytestmark = pytest.mark.slow

ACKNOWLEDGED_BEFORE_THE_KILL = [1, 2, 3, 5, 8, 13]


def work_until(worker: subprocess.Popen[str], acknowledgements: int) -> list[str]:
    """Let a worker save until it acknowledged so many, kill it, return all it acknowledged."""
    assert worker.stdout is not None
    assert worker.stdin is not None
    assert worker.stdout.readline() == "ready\n"
    worker.stdin.write("go\n")
    worker.stdin.flush()
    said = [worker.stdout.readline().strip() for _ in range(acknowledgements)]
    worker.kill()
    rest, _ = worker.communicate()
    assert worker.returncode == -9
    # A line without its end was cut off: the acknowledgement did not get through.
    return said + [line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.timeout(180)
def test_every_acknowledged_record_survives_kill_9(
    open_storage: Callable[[], Storage], start: Callable[..., subprocess.Popen[str]]
) -> None:
    acknowledged: list[str] = []
    for round_number, count in enumerate(ACKNOWLEDGED_BEFORE_THE_KILL):
        acknowledged += work_until(start("save_for_ever", f"k{round_number}"), count)
        check(open_storage(), acknowledged)


def check(storage: Storage, acknowledged: list[str]) -> None:
    assert storage.unreadable_items() == []
    listed = {row["id"]: row for row in storage.query_reports(limit=None)}
    assert set(acknowledged) <= set(listed)
    for name in listed:
        loaded = storage.load_report(name)
        assert loaded is not None
        assert len(loaded.findings) == listed[name]["finding_count"]
    for name in acknowledged:
        loaded = storage.load_report(name)
        assert loaded is not None
        assert [found.row_indices for found in loaded.findings] == [[f"row {n}" for n in range(2_000)]] * 3
    # One report in a unit goes with its neighbour: both are as new as each other.
    newest = max((row for name, row in listed.items() if name != "same"), key=lambda row: row["created_at"])
    assert listed["same"]["title"] == newest["title"]
    assert len(storage.audit_log(limit=None, component="report", operation="create")) == len(listed)
    storage.save_report(
        report(
            "after", [], created_at=listed["same"]["created_at"], annotations=[annotation("f1", id="after")]
        )
    )
    assert storage.delete_report("after")
    storage.restore_report("after")
    assert [note.id for note in storage.get_annotations("f1")] == ["after"]
    storage.close()


@pytest.mark.timeout(180)
def test_killed_at_any_step_a_unit_is_there_as_a_whole_or_not_at_all(place: StoreLocation) -> None:
    command = [sys.executable, "-m", "tests.concurrency.kill_points", place.backend, place.where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5, "too few steps were seen for this to prove anything"
