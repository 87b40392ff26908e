"""The places of the contract suite, and processes to work in them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

import pytest

from tests.contract.conftest import fresh_place, open_storage, storage
from tests.contract.store_locations import StoreLocation
from tests.support.fork_server import IS_SUPPORTED, ForkedProcess, shared_fork_server

__all__ = ["fresh_place", "open_storage", "place", "start", "storage"]

ROOT = Path(__file__).parents[2]


class Worker:
    """A worker process; like ``subprocess.Popen``, but a fork of a process with the imports, if possible."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | ForkedProcess
        if IS_SUPPORTED:
            self._process = shared_fork_server().start_with_pipes(arguments, ROOT, self._errors.fileno())
        else:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin = TextIOWrapper(self._process.stdin)
        self.stdout = TextIOWrapper(self._process.stdout)

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Close the input, wait for the end, and return the rest of the output and of the error output."""
        out = ""
        if not self.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.close()
            out = self.stdout.read()
            self.stdout.close()
        self._process.wait(timeout)
        self._errors.seek(0)
        return out, self._errors.read()

    def close(self) -> None:
        """End it, if it runs."""
        self.kill()
        self.communicate()
        self._errors.close()


@pytest.fixture
def place(fresh_place: StoreLocation) -> StoreLocation:
    """Processes are killed here: each test has a store of its own."""
    return fresh_place


@pytest.fixture
def start(place: StoreLocation) -> Iterator[Callable[..., Worker]]:
    """Start a worker process that waits for its signal; see workers.py for the jobs."""
    running: list[Worker] = []

    def another(job: str, *words: object) -> Worker:
        arguments = ["-m", "tests.concurrency.workers", job, place.backend, place.where, *map(str, words)]
        running.append(Worker(arguments))
        return running[-1]

    yield another
    for worker in running:
        worker.close()
