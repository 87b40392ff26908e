"""Start, monitor and stop a worker process."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psutil

WorkerState = Literal["running", "done", "failed", "stopped"]
Failure = Literal["memory", "time", "crash", "unexpected"]
"""The reason why a task failed without an error message: it exceeded a limit, its process crashed, or it
raised an unexpected exception."""

_POLL_SECONDS = 0.05
_END_SECONDS = 5.0
"""The time that a process may take to end after it closed its output."""

_MAX_MESSAGE_BYTES = 64 * 1024**2
_OUT_OF_MEMORY_CODES = (-signal.SIGABRT, -getattr(signal, "SIGKILL", signal.SIGABRT))
"""The exit codes after a refused allocation, and after a kill by the system's out-of-memory killer."""


@dataclass(frozen=True)
class ResourceLimits:
    """Limits for a task; None for no limit.

    Attributes:
        memory_bytes: The resident memory of the process.
        seconds: The wall-clock time from the start of the task.
    """

    memory_bytes: int | None = None
    seconds: float | None = None


NO_LIMITS = ResourceLimits()


class Worker:
    """A process that runs one task and ends.

    Attributes:
        state: ``"running"`` (also while it waits for its task), ``"done"`` (there is a result),
            ``"failed"`` (there is an error or a failure) or ``"stopped"`` (by :meth:`stop`).
        progress: The last progress that the task reported; None before the first.
        result: The return value of the task, as plain JSON data.
        error: The message of an error that the task raised deliberately.
        failure: The reason for any other failure.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.state: WorkerState = "running"
        self.progress: Any = None
        self.result: Any = None
        self.error: str | None = None
        self.failure: Failure | None = None
        self._process = process
        self._limits = NO_LIMITS
        self._on_end: Callable[[], None] | None = None
        self._ended = threading.Event()

    @classmethod
    def spawn(cls, preload: Sequence[str] = ()) -> Worker:
        """Start a process that imports the given modules, then waits for a task."""
        command = [sys.executable, "-m", "lavendertown.worker", *preload]
        return cls(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def run_task(
        self,
        task: str,
        arguments: dict[str, Any],
        limits: ResourceLimits = NO_LIMITS,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """Send a task to the process.

        Args:
            task: ``"module:function"``; the function is called with the arguments and a function that
                reports progress, and returns plain JSON data.
            arguments: The arguments as plain JSON data.
            limits: The limits on memory and time.
            on_end: Called in a thread of this process when the task has ended, whatever its outcome.
        """
        self._limits, self._on_end = limits, on_end
        job = {"task": task, "arguments": arguments, "memory_bytes": limits.memory_bytes}
        assert self._process.stdin is not None
        # The listener notices a crashed worker. Standard input stays open: when it closes, the worker
        # knows that this process has ended.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(job).encode("utf-8") + b"\n")
            self._process.stdin.flush()
        threading.Thread(target=self._listen_to_process, name=f"worker-{self.pid}", daemon=True).start()
        if limits != NO_LIMITS:
            threading.Thread(target=self._watch_limits, name=f"worker-limits-{self.pid}", daemon=True).start()

    def is_alive(self) -> bool:
        """Return whether the process is running."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Kill the process and wait until it has ended."""
        if self.state == "running":
            self.state = "stopped"
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the task has ended; return False if the time ran out first."""
        return self._ended.wait(seconds)

    def _listen_to_process(self) -> None:
        code = self._read_messages()
        if self.state == "running":
            self.failure = self.failure or ("memory" if code in _OUT_OF_MEMORY_CODES else "crash")
            self.state = "failed"
        self._close_pipes()
        self._ended.set()
        if self._on_end is not None:
            self._on_end()

    def _read_messages(self) -> int:
        """Handle messages until the last one or the end of the process; return its exit code."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(_MAX_MESSAGE_BYTES):
            try:
                is_last = self._handle_message(json.loads(line))
            except ValueError:
                # The process crashed in the middle of a message, or a hostile file made it send other data.
                self.failure, is_last = self.failure or "crash", True
            if is_last:
                self._process.kill()
                break
        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _handle_message(self, message: dict[str, Any]) -> bool:
        """Handle a message; return whether it was the last one."""
        if "progress" in message:
            self.progress = message["progress"]
            return False
        if self.state == "running":
            self.result, self.error = message.get("result"), message.get("error")
            self.failure = message.get("failure")
            self.state = "done" if "result" in message else "failed"
        return True

    def _watch_limits(self) -> None:
        deadline = None if self._limits.seconds is None else time.monotonic() + self._limits.seconds
        while not self._ended.wait(_POLL_SECONDS):
            if deadline is not None and time.monotonic() > deadline:
                self._fail_at_limit("time")
                return
            if self._limits.memory_bytes is not None and self._resident_bytes() > self._limits.memory_bytes:
                self._fail_at_limit("memory")
                return

    def _resident_bytes(self) -> int:
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0  # The process has just ended.

    def _fail_at_limit(self, failure: Failure) -> None:
        if self.state == "running":
            self.failure = failure
            self._process.kill()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
