"""A move or a dry run in a process of its own, watched from this one."""

from __future__ import annotations

import contextlib
import datetime as dt
import pickle
import subprocess
import sys
import threading
from typing import Literal

from lavendertown import clock
from lavendertown.migration.values import Outcome, Progress, Request

Kind = Literal["plan", "move"]
State = Literal["running", "done", "failed", "stopped"]

_DIED = "The process that moved was ended from outside. What it moved is kept; going on starts from there."


class Job:
    """One worker process.

    Attributes:
        state: ``"running"``, ``"done"`` (there is an outcome), ``"failed"`` (there is an error) or
            ``"stopped"`` (by :meth:`stop`).
        progress: The last that was heard; None before the first word.
        outcome: What came of it; None until it is done.
        error: One sentence; None unless it failed.
    """

    def __init__(self, kind: Kind, request: Request, process: subprocess.Popen[bytes]) -> None:
        self.kind = kind
        self.request = request
        self.started_at: dt.datetime = clock.now()
        self.state: State = "running"
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self.error: str | None = None
        self._process = process
        self._listener = threading.Thread(target=self._listen, name=f"lavendertown-{kind}", daemon=True)

    @classmethod
    def start(cls, kind: Kind, request: Request) -> Job:
        """Start a worker on a request; it goes to the process through a pipe, passwords and all."""
        command = [sys.executable, "-m", "lavendertown.migration.worker"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        # A worker that is dead already is noticed by the listener.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            pickle.dump((kind, request), process.stdin)
        job = cls(kind, request, process)
        job._listener.start()
        return job

    def stop(self) -> None:
        """End the worker. What it moved stays, and the next start goes on from there."""
        if self.state == "running":
            self.state = "stopped"
            self._process.terminate()
            self._listener.join()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the worker is done; tell whether it is."""
        self._listener.join(seconds)
        return not self._listener.is_alive()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as messages, contextlib.suppress(EOFError, pickle.UnpicklingError):
            while True:
                self._hear(pickle.load(messages))
        self._process.wait()
        if self.state == "running":
            self.state, self.error = "failed", _DIED

    def _hear(self, message: Progress | Outcome | str) -> None:
        if isinstance(message, Progress):
            self.progress = message
        elif self.state == "stopped":
            return
        elif isinstance(message, Outcome):
            self.outcome, self.state = message, "done"
        else:
            self.error, self.state = message, "failed"
