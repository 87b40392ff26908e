"""The worker process: ``python -m lavendertown.worker [MODULE ...]``.

It imports the given modules, reads one job from standard input (a line of JSON), runs it, and writes
messages to standard output, a line of JSON each: any number of ``{"progress": …}``, then one
``{"result": …}``, ``{"error": sentence}`` or ``{"failure": kind}``. The job is sent through the pipe, so
that no password appears in the command line. Messages are JSON rather than pickles because a task may read
a hostile file, and an attacker who controls the worker must not control the process that started it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from lavendertown.core.errors import LavenderTownError

log = logging.getLogger("lavendertown.worker")

ProgressFunction = Callable[[Any], None]
"""Sends progress as plain JSON data."""


def main() -> None:
    """Run one job."""
    # Files that a task writes are readable by this user only: files 0600, folders 0700.
    os.umask(0o077)
    with os.fdopen(os.dup(1), "wb") as out:
        # Output of libraries must not mix with the messages.
        os.dup2(2, 1)
        for module in sys.argv[1:]:
            importlib.import_module(module)
        line = sys.stdin.buffer.readline()
        if not line:
            return  # This spare worker was not needed.
        job = json.loads(line)
        if job["memory_bytes"] is not None:
            _limit_resources(job["memory_bytes"])
        threading.Thread(target=_exit_with_parent, daemon=True).start()
        try:
            _send_message(out, _run_task(job, out))
        except BrokenPipeError:
            os._exit(1)
    # Skip the interpreter's cleanup: threads of data libraries may still run.
    os._exit(0)


def _run_task(job: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    module, _, function = job["task"].partition(":")
    task = getattr(importlib.import_module(module), function)
    try:
        return {"result": task(job["arguments"], lambda progress: _send_message(out, {"progress": progress}))}
    except (LavenderTownError, ImportError) as error:
        if isinstance(error.__cause__, MemoryError):
            return {"failure": "memory"}
        return {"error": str(error)}
    except MemoryError:
        return {"failure": "memory"}
    except BrokenPipeError:
        raise
    except BaseException as error:  # Panics of Rust libraries do not derive from Exception.
        log.error("Unexpected error in %s", job["task"], exc_info=error)
        return {"failure": "unexpected", "kind": type(error).__name__}


def _send_message(out: BinaryIO, message: dict[str, Any]) -> None:
    out.write(json.dumps(message).encode("utf-8") + b"\n")
    out.flush()


def _limit_resources(limit: int) -> None:
    """Lower this process's priority, and set a memory limit that the operating system enforces.

    The parent polls the memory in use, which may be too slow for a single large allocation.
    """
    try:
        import resource
    except ImportError:
        return  # Windows has neither; there only the parent's polling limits the memory.
    os.nice(5)
    # Reserved memory counts towards this limit, and the data libraries reserve over 1 GB when they start.
    data_limit = limit + 2 * 1024**3
    _, hard_limit = resource.getrlimit(resource.RLIMIT_DATA)
    if hard_limit == resource.RLIM_INFINITY or data_limit < hard_limit:
        resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))
    # A refused allocation may abort the process, which must not fill the disk with core dumps.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _exit_with_parent() -> None:
    """End this process when its parent has ended, which closes standard input."""
    with contextlib.suppress(OSError):
        sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
