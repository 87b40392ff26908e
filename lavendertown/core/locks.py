"""Locks with a limited wait: a notice is shown after a while, then the attempt ends with an error.

All waiting times are defined here. A front end sets with :func:`set_notice_binder` how notices are shown.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import portalocker

from lavendertown.core.errors import StorageUnavailableError


@dataclass(frozen=True, slots=True)
class WaitingTimes:
    """How long to wait for a lock, in seconds.

    Attributes:
        notice: The time until a notice is shown.
        give_up: The time until the attempt ends with an error.
    """

    notice: float = 10.0
    give_up: float = 30.0


waiting_times = ContextVar("times", default=WaitingTimes())  # noqa: B039
"""The waiting times in force; tests set shorter ones."""
ShowNotice = Callable[[str], None]
"""Shows a sentence to a user."""

_HOLDER_RECORD_BYTES = 120
_bind: list[Callable[[], ShowNotice]] = []


def set_notice_binder(bind: Callable[[], ShowNotice]) -> None:
    """Set how a waiting thread shows what it waits for and which process holds the lock.

    Args:
        bind: Called in the waiting thread; returns a function that may be called in any thread.
    """
    _bind[:] = [bind]


def bind_notice() -> ShowNotice:
    """Return a function that shows a sentence to the user of this thread; any thread may call it."""
    bound = [bind() for bind in _bind]

    def show(text: str) -> None:
        for show_notice in bound:
            show_notice(text)

    return show


def waiting_notice(resource: str, holder: str) -> str:
    """Return the notice for a user who waits for a lock."""
    return f"Waiting for the lock on {resource}, held by {holder}. Nothing is lost; this continues by itself."


def lock_timeout_error(resource: str, holder: str) -> StorageUnavailableError:
    """Return the error for a lock that was not released in time."""
    seconds = f"{waiting_times.get().give_up:.0f} seconds"
    return StorageUnavailableError(
        f"{resource[:1].upper()}{resource[1:]} is locked by {holder} and was not released within {seconds}; "
        "nothing was written. Try again when it is free."
    )


def notify_waiting(resource: str, holder: str) -> None:
    """Show the notice that this thread waits for a lock."""
    bind_notice()(waiting_notice(resource, holder))


@contextlib.contextmanager
def thread_lock(lock: threading.Lock, resource: str) -> Iterator[None]:
    """Hold a lock between the threads of this process.

    Raises:
        StorageUnavailableError: Another thread did not release the lock in time.
    """
    _acquire_with_notice(
        lambda seconds: lock.acquire(timeout=seconds), resource, lambda: "another task of this process"
    )
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def file_lock(path: str, resource: str) -> Iterator[int]:
    """Hold a lock on a file between processes, and write the holder into the file.

    Args:
        path: The file; created if it does not exist.
        resource: The name of the locked resource, for messages.

    Raises:
        OSError: The file cannot be opened.
        StorageUnavailableError: Another process did not release the lock in time.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    attempt = _FileLockAttempt(handle)
    with contextlib.ExitStack() as stack:
        stack.callback(attempt.release_lock)
        if not attempt.try_lock():
            attempt.start_waiting()
            _acquire_with_notice(attempt.wait_until_locked, resource, lambda: _describe_holder(handle))
        os.pwrite(
            handle,
            f"{os.getpid()} {socket.gethostname()}".ljust(_HOLDER_RECORD_BYTES)[
                :_HOLDER_RECORD_BYTES
            ].encode(),
            0,
        )
        yield handle


class _FileLockAttempt:
    """An attempt to lock a file. A thread waits in the kernel, which grants the lock in order of arrival."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._thread: threading.Thread | None = None
        self._locked = threading.Event()
        self._state = threading.Lock()
        self._ended = False

    def try_lock(self) -> bool:
        try:
            portalocker.lock(
                self._handle, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
            )
        except portalocker.exceptions.LockException:
            return False
        return True

    def start_waiting(self) -> None:
        self._thread = threading.Thread(target=self._wait_for_kernel, name="lavendertown-lock", daemon=True)
        self._thread.start()

    def wait_until_locked(self, seconds: float) -> bool:
        return self._locked.wait(seconds)

    def release_lock(self) -> None:
        """Release the lock. If a thread still waits for it, that thread releases it once acquired."""
        with self._state:
            self._ended = True
            waiting = self._thread is not None and not self._locked.is_set()
        if not waiting:
            os.close(self._handle)

    def _wait_for_kernel(self) -> None:
        portalocker.lock(self._handle, portalocker.LockFlags.EXCLUSIVE)
        with self._state:
            if not self._ended:
                self._locked.set()
                return
        os.close(self._handle)


def _acquire_with_notice(acquire: Callable[[float], bool], resource: str, holder: Callable[[], str]) -> None:
    limits = waiting_times.get()
    if acquire(limits.notice):
        return
    notify_waiting(resource, holder())
    if not acquire(max(0.0, limits.give_up - limits.notice)):
        raise lock_timeout_error(resource, holder())


def _describe_holder(handle: int) -> str:
    """Describe the process that holds a locked file, as far as the file names it."""
    with contextlib.suppress(OSError, ValueError):
        pid, host = os.pread(handle, _HOLDER_RECORD_BYTES, 0).decode("utf-8").split()
        if int(pid) == os.getpid() and host == socket.gethostname():
            return "another task of this process"
        return f"another process (pid {int(pid)}, host {host})"
    return "another process"
