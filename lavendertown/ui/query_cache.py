"""The answers of a storage, kept until its revision changes, for all sessions of the server.

``st.cache_data`` would hash each question and copy each answer by pickling, a quarter of the time of a run.
So the answers are shared, and nobody may change one.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_ANSWERS = 1000
MAX_AGE_SECONDS = 60
"""How long an answer is kept: answers that depend on the time, such as due dates, change without a write."""


class _Answer(NamedTuple):
    value: Any
    read_at: float


class QueryCache:
    """Answers by question, for the latest revision of each store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revisions: dict[object, str] = {}
        self._answers: OrderedDict[tuple[object, str], _Answer] = OrderedDict()

    def read(self, store: object, revision: str, question: str, compute: Callable[[], Any]) -> Any:
        """Return the answer to a question, computed once for each revision of the store.

        Args:
            store: What identifies the store.
            revision: The current revision of the store.
            question: What identifies the question, with its arguments.
            compute: Returns the answer.
        """
        key = (store, question)
        with self._lock:
            if self._revisions.get(store) != revision:
                self._forget_store(store)
                self._revisions[store] = revision
            answer = self._answers.get(key)
            if answer is not None and time.monotonic() - answer.read_at < MAX_AGE_SECONDS:
                self._answers.move_to_end(key)
                return answer.value
        value = compute()
        with self._lock:
            # A slow answer may belong to an earlier revision by now.
            if self._revisions.get(store) == revision:
                self._answers[key] = _Answer(value, time.monotonic())
                while len(self._answers) > MAX_ANSWERS:
                    self._answers.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._answers.clear()
            self._revisions.clear()

    def _forget_store(self, store: object) -> None:
        for key in [key for key in self._answers if key[0] == store]:
            del self._answers[key]
