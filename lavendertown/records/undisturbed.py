"""A pause for the garbage collector while very much is made that is to stay."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed(keep: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Keep the garbage collector from looking through what is just being made, time and again.

    Args:
        keep: Asked at the end: whether there is so much, which stays as long as the process does, that the
            collector had better never look through what is there by now.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if keep():
            gc.freeze()
        gc.enable()
