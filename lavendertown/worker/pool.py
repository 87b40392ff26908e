"""A pool of worker processes: a fixed number run at a time, further tasks are queued, one spare is ready."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from lavendertown.worker.process import NO_LIMITS, Failure, ResourceLimits, Worker

TaskState = Literal["queued", "running", "done", "failed", "stopped"]


@dataclass(eq=False)
class QueuedTask:
    """A task that is queued or has a worker.

    Attributes:
        task: ``"module:function"``, as in :meth:`Worker.run_task`.
        arguments: The arguments as plain JSON data.
        limits: The limits on memory and time.
        worker: The process that runs the task; None while it is queued.
    """

    task: str
    arguments: dict[str, Any]
    limits: ResourceLimits
    worker: Worker | None = None
    _pool: WorkerPool = field(kw_only=True, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _cancelled: bool = False

    @property
    def state(self) -> TaskState:
        """``"queued"``, or the state of the worker."""
        if self.worker is not None:
            return self.worker.state
        return "stopped" if self._cancelled else "queued"

    @property
    def progress(self) -> Any:
        """The last progress that the task reported; None before the first."""
        return self.worker.progress if self.worker else None

    @property
    def result(self) -> Any:
        """The return value of the task."""
        return self.worker.result if self.worker else None

    @property
    def error(self) -> str | None:
        """The message of an error that the task raised deliberately."""
        return self.worker.error if self.worker else None

    @property
    def failure(self) -> Failure | None:
        """The reason for any other failure."""
        return self.worker.failure if self.worker else None

    def tasks_ahead(self) -> int:
        """Return the number of tasks ahead in the queue."""
        return self._pool.tasks_ahead(self)

    def cancel(self) -> None:
        """Remove the task from the queue, or end its worker."""
        self._pool.cancel_task(self)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the task has ended; return False if the time ran out first."""
        return self._ended.wait(seconds)


class WorkerPool:
    """Runs tasks in worker processes, at most ``slots`` at a time, in the order they were submitted.

    Args:
        preload: The modules that a worker imports before it receives a task.
        slots: The number of tasks that run at the same time.
    """

    def __init__(self, preload: Sequence[str], slots: int) -> None:
        self._preload = tuple(preload)
        self._slots = slots
        self._lock = threading.RLock()
        self._queue: deque[QueuedTask] = deque()
        self._running: set[QueuedTask] = set()
        self._spare: Worker | None = None
        self._closed = False

    def start_spare_worker(self) -> None:
        """Start a spare worker unless there is one."""
        with self._lock:
            if not self._closed:
                self._spare = self._take_worker()

    def submit_task(
        self, task: str, arguments: dict[str, Any], limits: ResourceLimits = NO_LIMITS
    ) -> QueuedTask:
        """Queue a task, which starts as soon as a slot is free."""
        queued = QueuedTask(task, arguments, limits, _pool=self)
        with self._lock:
            self._queue.append(queued)
            self._start_next()
        return queued

    def tasks_ahead(self, task: QueuedTask) -> int:
        """Return the number of tasks ahead of a task in the queue; 0 if it is not queued."""
        with self._lock:
            return self._queue.index(task) if task in self._queue else 0

    def cancel_task(self, task: QueuedTask) -> None:
        """Remove a task from the queue, or end its worker."""
        with self._lock:
            task._cancelled = True
            if task in self._queue:
                self._queue.remove(task)
                task._ended.set()
        if task.worker is not None:
            task.worker.stop()

    def close(self) -> None:
        """End all workers and clear the queue; tasks submitted later do not run."""
        with self._lock:
            self._closed = True
            tasks = [*self._queue, *self._running]
            spare, self._spare = self._spare, None
        for task in tasks:
            self.cancel_task(task)
        if spare is not None:
            spare.stop()

    def _start_next(self) -> None:
        while self._queue and len(self._running) < self._slots and not self._closed:
            task = self._queue.popleft()
            self._running.add(task)
            task.worker = self._take_worker()
            task.worker.run_task(
                task.task, task.arguments, task.limits, on_end=partial(self._finish_task, task)
            )

    def _take_worker(self) -> Worker:
        """Return the spare worker, or a new one."""
        worker, self._spare = self._spare, None
        if worker is not None and not worker.is_alive():
            worker.stop()
            worker = None
        return worker or Worker.spawn(self._preload)

    def _finish_task(self, task: QueuedTask) -> None:
        task._ended.set()
        with self._lock:
            self._running.discard(task)
            self._start_next()
