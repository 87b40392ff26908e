"""The answers that sessions share: by revision of the store, and never of an older one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core import clock
from lavendertown.ui import queries, query_cache
from lavendertown.ui.query_cache import QueryCache


def test_an_answer_is_computed_once_for_each_revision_and_question() -> None:
    cache, asked = QueryCache(), []

    def compute() -> int:
        asked.append(1)
        return len(asked)

    assert [cache.read("a", "1", "q", compute) for _ in range(2)] == [1, 1]
    assert cache.read("a", "1", "other", compute) == 2
    assert cache.read("b", "1", "q", compute) == 3
    assert cache.read("a", "2", "q", compute) == 4
    assert cache.read("b", "1", "q", compute) == 3


def test_a_failure_is_no_answer() -> None:
    cache = QueryCache()
    with pytest.raises(ZeroDivisionError):
        cache.read("a", "1", "q", lambda: 1 / 0)
    assert cache.read("a", "1", "q", lambda: 1) == 1


def test_an_old_answer_and_the_least_used_one_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = QueryCache()
    monkeypatch.setattr(query_cache, "MAX_ANSWERS", 2)
    for question in ("a", "b", "a", "c"):
        cache.read("s", "1", question, lambda: "first")
    assert [cache.read("s", "1", question, lambda: "second") for question in ("a", "c", "b")] == [
        "first",
        "first",
        "second",
    ]
    monkeypatch.setattr(query_cache, "MAX_AGE_SECONDS", 0)
    assert cache.read("s", "1", "a", lambda: "third") == "third"


def test_a_slow_answer_of_an_older_revision_is_not_kept() -> None:
    cache, is_asked, may_answer = QueryCache(), threading.Event(), threading.Event()

    def slow() -> str:
        is_asked.set()
        may_answer.wait(10)
        return "old"

    thread = threading.Thread(target=cache.read, args=("s", "1", "q", slow))
    thread.start()
    is_asked.wait(10)
    assert cache.read("s", "2", "q", lambda: "new") == "new"
    may_answer.set()
    thread.join()
    assert cache.read("s", "2", "q", lambda: "wrong") == "new"


def test_a_write_of_this_thread_is_seen_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(queries, "_MOMENT_SECONDS", 3600.0)
    queries.forget_results()
    assert queries.count_reports({}) == 0
    report = ShareableReport("r", "Orders", "Ana", clock.now())
    queries.current_storage().save_report(report)
    assert queries.count_reports({}) == 1
    FileStorage(tmp_path / "data").delete_report("r")
    assert queries.count_reports({}) == 1, "another process is seen after the moment"
    queries.forget_moment()
    assert queries.count_reports({}) == 0
