"""The limits on workers that read files from outside, and the errors of tasks that exceed them."""

from __future__ import annotations

import psutil

from lavendertown.core.errors import FileLimitError, InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import MEGABYTE
from lavendertown.core.settings import Settings, load_settings
from lavendertown.worker import QueuedTask, ResourceLimits

MAX_MEMORY_MB = 4_096


def resource_limits(settings: Settings) -> ResourceLimits:
    """Return the limits on memory and time of a task that reads a file."""
    return ResourceLimits(memory_limit(settings), settings.limits_seconds)


def memory_limit(settings: Settings) -> int:
    """Return the memory limit of an inspection in bytes."""
    if settings.limits_memory_mb:
        return settings.limits_memory_mb * MEGABYTE
    return min(MAX_MEMORY_MB * MEGABYTE, int(psutil.virtual_memory().total) // 2)


def create_failure(task: QueuedTask, name: str) -> InvalidInputError:
    """Return the error of a task that failed.

    Args:
        task: The task.
        name: The name of the file that it read.
    """
    settings = load_settings()
    if task.error is not None:
        return UnreadableTableError(task.error)
    if task.failure == "memory":
        most = memory_limit(settings) // MEGABYTE
        return FileLimitError(
            f"{name} needs more than {most:,} MB of memory, the limit of this server. Split it into smaller "
            "files, check it with `lavendertown analyze`, or raise the setting limits.memory_mb."
        )
    if task.failure == "time":
        return FileLimitError(
            f"Reading and checking {name} took longer than {settings.limits_seconds:,} seconds, the limit "
            "of this server. Split it into smaller files, or raise the setting limits.seconds."
        )
    if task.failure == "unexpected":
        return UnreadableTableError(
            f"{name} cannot be read because of an unexpected error. Export it again, or as CSV; the server "
            "log has the details."
        )
    return UnreadableTableError(
        f"{name} crashed the file reader. It is probably damaged: export it again, or as CSV."
    )
