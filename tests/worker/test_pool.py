"""Tasks of many users in a few worker processes."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from lavendertown.worker import QueuedTask, WorkerPool
from tests.support import worker_tasks

pytestmark = pytest.mark.spawn


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool([worker_tasks.MODULE], slots=1)
    yield pool
    pool.close()


def submit(pool: WorkerPool, task: str, **arguments: object) -> QueuedTask:
    return pool.submit_task(f"{worker_tasks.MODULE}:{task}", arguments)


def test_tasks_beyond_the_slots_wait_in_line(pool: WorkerPool) -> None:
    first, second, third = (
        submit(pool, "wait_forever"),
        submit(pool, "add", numbers=[1]),
        submit(pool, "crash"),
    )
    assert [task.state for task in (first, second, third)] == ["running", "queued", "queued"]
    assert [task.tasks_ahead() for task in (second, third)] == [0, 1]
    first.cancel()
    assert second.wait(60)
    assert third.wait(60)
    assert [task.state for task in (first, second, third)] == ["stopped", "done", "failed"]


def test_a_queued_task_that_is_cancelled_never_runs(pool: WorkerPool) -> None:
    first, second = submit(pool, "wait_forever"), submit(pool, "add", numbers=[1])
    second.cancel()
    assert second.wait(0)
    first.cancel()
    assert first.wait(60)
    assert (second.state, second.worker) == ("stopped", None)


def test_a_worker_that_was_prepared_takes_the_next_task(pool: WorkerPool) -> None:
    pool.start_spare_worker()
    assert pool._spare is not None
    ready = pool._spare.pid
    task = submit(pool, "add", numbers=[2, 3])
    assert task.wait(60)
    assert task.result == {"sum": 5, "pid": ready}


def test_a_prepared_worker_that_died_is_replaced(pool: WorkerPool) -> None:
    pool.start_spare_worker()
    assert pool._spare is not None
    psutil.Process(pool._spare.pid).kill()
    pool._spare._process.wait()
    task = submit(pool, "add", numbers=[2, 3])
    assert task.wait(60)
    assert task.result["sum"] == 5


def test_closing_the_pool_ends_everything(pool: WorkerPool) -> None:
    pool.start_spare_worker()
    running, queued = submit(pool, "wait_forever"), submit(pool, "add", numbers=[1])
    pool.start_spare_worker()
    pool.close()
    assert running.wait(60)
    assert (running.state, queued.state) == ("stopped", "stopped")
