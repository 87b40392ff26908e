"""Disable the garbage collector while many long-lived objects are created."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused(should_freeze: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Disable the garbage collector during the block.

    Args:
        should_freeze: Called at the end; returns whether to exclude all current objects from later
            collections. That pays off if there are many and they live as long as the process.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if should_freeze():
            gc.freeze()
        gc.enable()
