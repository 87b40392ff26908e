"""Repeat changes that lost a race against another user's change of the same record."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from lavendertown.core.errors import ConflictError

_MAX_ATTEMPTS = 10
_FIRST_PAUSE_SECONDS = 0.01
_MAX_PAUSE_SECONDS = 0.5

Result = TypeVar("Result")


def retry_on_conflict(change: Callable[[], Result]) -> Result:
    """Call a function that reads a record and changes it, until nobody else changed it in between.

    The pauses grow and are random, so that no writer loses every time against a faster one.

    Raises:
        ConflictError: Others kept changing the record.
    """
    pause = _FIRST_PAUSE_SECONDS
    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return change()
        except ConflictError:
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)
    return change()
