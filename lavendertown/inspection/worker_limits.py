"""The limits on workers that read files from outside, and the errors of tasks that exceed them."""

from __future__ import annotations

from lavendertown.core.errors import FileLimitError, InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import MEGABYTE, memory_limit
from lavendertown.core.settings import Settings, load_settings
from lavendertown.worker import QueuedTask, ResourceLimits


def resource_limits(settings: Settings) -> ResourceLimits:
    """Return the limits on memory and time of a task that reads a file."""
    return ResourceLimits(memory_limit(settings), settings.limits_seconds)


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
