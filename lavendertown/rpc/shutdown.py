"""Ends streams when the server shuts down: it waits for every open answer, and a stream has no end."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_stopping = threading.Event()
_watching = threading.Event()


def is_stopping() -> bool:
    """Tell whether this process got a signal to end."""
    return _stopping.is_set()


def watch_signals() -> None:
    """Notice the signals that end a server, before the server's own handlers do their work.

    Does nothing outside of the main thread, which alone may handle signals, and where nobody handles them.
    """
    if _watching.is_set() or threading.current_thread() is not threading.main_thread():
        return
    _watching.set()
    for number in _SIGNALS:
        previous = signal.getsignal(number)
        if callable(previous):
            signal.signal(number, _Noticing(previous))


class _Noticing:
    def __init__(self, previous: object) -> None:
        self._previous = previous

    def __call__(self, number: int, frame: FrameType | None) -> None:
        _stopping.set()
        assert callable(self._previous)
        self._previous(number, frame)
