"""A task in a worker process: its result, its errors, its limits."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lavendertown.worker import ResourceLimits, Worker
from tests.support import worker_tasks

pytestmark = pytest.mark.spawn

SMALL = ResourceLimits(memory_bytes=200 * 1024**2, seconds=60)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker.spawn()
    yield worker
    worker.stop()


def run(worker: Worker, task: str, limits: ResourceLimits = SMALL, **arguments: object) -> Worker:
    worker.run_task(f"{worker_tasks.MODULE}:{task}", arguments, limits)
    assert worker.wait(60)
    return worker


def test_a_task_returns_its_result_from_another_process(worker: Worker) -> None:
    run(worker, "add", numbers=[1, 2, 3])
    assert (worker.state, worker.result["sum"], worker.progress) == ("done", 6, "half way")
    assert worker.result["pid"] == worker.pid != os.getpid()
    assert not worker.is_alive()


def test_an_error_raised_on_purpose_is_its_sentence(worker: Worker) -> None:
    run(worker, "refuse")
    assert (worker.state, worker.error) == ("failed", "The file is empty; choose another.")


@pytest.mark.parametrize(
    ("task", "failure"),
    [
        ("raise_unexpected", "unexpected"),
        ("take_memory_slowly", "memory"),
        ("take_memory_at_once", "memory"),
        ("abort", "memory"),
        ("crash", "crash"),
        ("send_nonsense", "crash"),
    ],
)
def test_whatever_ends_a_worker_becomes_a_failure(worker: Worker, task: str, failure: str) -> None:
    run(worker, task)
    assert (worker.state, worker.failure, worker.result) == ("failed", failure, None)
    assert not psutil.pid_exists(worker.pid)


def test_a_task_that_takes_too_long_is_ended(worker: Worker) -> None:
    run(worker, "wait_forever", ResourceLimits(seconds=0.2))
    assert (worker.state, worker.failure) == ("failed", "time")


def test_what_libraries_print_does_not_mix_with_the_messages(worker: Worker) -> None:
    assert run(worker, "print_much").result == "done"


def test_what_a_task_writes_is_for_this_user_alone(worker: Worker, tmp_path: Path) -> None:
    run(worker, "write_file", path=str(tmp_path / "file"))
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_a_stopped_task_is_stopped_and_its_process_gone(worker: Worker) -> None:
    worker.run_task(f"{worker_tasks.MODULE}:wait_forever", {})
    worker.stop()
    assert worker.wait(30)
    assert worker.state == "stopped"
    assert not psutil.pid_exists(worker.pid)


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_worker_ends_with_the_process_that_started_it(is_busy: bool) -> None:
    program = (
        "import os; from lavendertown.worker import Worker; worker = Worker.spawn();"
        + (f"worker.run_task('{worker_tasks.MODULE}:wait_forever', {{}});" if is_busy else "")
        + "print(worker.pid, flush=True); input(); os._exit(0)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    psutil.wait_procs([worker], timeout=30)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
