"""Run tasks on files that a server received, in worker processes with limits."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.inspection.worker_limits import create_failure, resource_limits
from lavendertown.worker import WorkerPool

_POLL_SECONDS = 0.1


class ServerFiles:
    """Runs tasks on files, as many at a time as there are inspections.

    Args:
        wait: Called repeatedly until a task is done. If it raises, its worker is ended.
    """

    def __init__(self, wait: Callable[[], object]) -> None:
        self._wait = wait
        self._lock = threading.Lock()
        self._pool: WorkerPool | None = None

    def run_task(
        self,
        task: str,
        content: bytes,
        name: str,
        arguments: dict[str, Any],
        load: Callable[[Any, Path], Any] = lambda result, _: result,
    ) -> Any:
        """Run a task on a file, and return the answer.

        Args:
            task: One of :mod:`lavendertown.inspection.tasks`.
            content: The content of the file.
            name: Its name.
            arguments: Further arguments of the task.
            load: Makes the answer of the result and the folder of the task; by default the result.

        Raises:
            UnreadableTableError: The file cannot be read.
            FileLimitError: It needs more memory or time than the server allows.
            InvalidInputError: The task refuses it.
        """
        settings = load_settings()
        with tempfile.TemporaryDirectory(prefix="lavendertown-file-") as folder:
            path = Path(folder, "file")
            path.write_bytes(content)
            limits = asdict(limits_from_settings(settings))
            places = {"path": str(path), "name": name, "folder": folder, "limits": limits}
            running = self._worker_pool().submit_task(task, arguments | places, resource_limits(settings))
            try:
                while not running.wait(_POLL_SECONDS):
                    self._wait()
            finally:
                running.cancel()
            if running.state != "done":
                raise create_failure(running, name)
            return load(running.result, Path(folder))

    def _worker_pool(self) -> WorkerPool:
        with self._lock:
            if self._pool is None:
                self._pool = WorkerPool(["lavendertown.inspection.tasks"], load_settings().limits_inspections)
            return self._pool
