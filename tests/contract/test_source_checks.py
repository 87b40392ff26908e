"""Failed checks of configured sources are kept, and tried again after growing pauses, on every store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.core.configured_sources import ConfiguredSource
from lavendertown.core.settings import load_settings
from lavendertown.tick import find_due_sources
from tests.contract.builders import report

NOW = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
SOURCE = ConfiguredSource("orders", path="orders.csv", minutes=60)


def test_pauses_grow_to_a_day(storage: Storage, open_storage: Callable[[], Storage]) -> None:
    pauses = []
    for attempt in range(1, 9):
        failed = storage.source_checks.save_failure("orders", "No such file.", NOW)
        assert failed.attempts == attempt
        pauses.append((failed.next_attempt_at - NOW).total_seconds() / 60)
    assert pauses == [1, 5, 30, 120, 480, 1440, 1440, 1440]
    assert open_storage().source_checks.find_failed("orders") == failed


def test_a_success_ends_the_failures(storage: Storage) -> None:
    storage.source_checks.save_failure("orders", "No such file.", NOW)
    storage.source_checks.clear_failure("orders")
    assert storage.source_checks.find_failed("orders") is None
    assert storage.source_checks.save_failure("orders", "No such file.", NOW).attempts == 1
    assert storage.audit.query(component="dataset_settings")[0]["actor"] == "LavenderTown"


@pytest.mark.parametrize("hours", [1, -1])
def test_a_report_by_hand_ends_the_waiting(storage: Storage, hours: int, tmp_path: Path) -> None:
    settings = replace(load_settings(tmp_path, {}), sources=(SOURCE,))
    storage.source_checks.save_failure("orders", "No such file.", clock.now() - dt.timedelta(hours=9))
    at = clock.now() - dt.timedelta(hours=9 - hours)
    storage.save_report(report("by hand", created_at=at, metadata={"dataset": "orders"}))
    ((_, failed),) = find_due_sources(storage, settings)
    assert (failed is None) == (hours > 0)
