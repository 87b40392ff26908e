"""The places of the contract suite, and processes to work in them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import fresh_place, open_storage, storage
from tests.contract.store_locations import StoreLocation

__all__ = ["fresh_place", "open_storage", "place", "start", "storage"]

ROOT = Path(__file__).parents[2]
Worker = subprocess.Popen[str]


@pytest.fixture
def place(fresh_place: StoreLocation) -> StoreLocation:
    """Processes are killed here: each test has a store of its own."""
    return fresh_place


@pytest.fixture
def start(place: StoreLocation) -> Iterator[Callable[..., Worker]]:
    """Start a worker process that waits for its signal; see workers.py for the jobs."""
    running: list[Worker] = []

    def another(job: str, *words: object) -> Worker:
        command = [sys.executable, "-m", "tests.concurrency.workers", job, place.backend, place.where]
        pipe = subprocess.PIPE
        worker = subprocess.Popen(
            [*command, *map(str, words)], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        running.append(worker)
        return worker

    yield another
    for worker in running:
        worker.kill()
        worker.communicate()
