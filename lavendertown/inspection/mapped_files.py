"""Read tables from outside as results of checks, by a mapping of their columns, in worker processes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.inspection.imported_results import load_results
from lavendertown.inspection.tasks import MAP_RESULTS, READ_COLUMNS
from lavendertown.inspection.worker_limits import create_failure, resource_limits
from lavendertown.interchange import ReadRun
from lavendertown.interchange.mapping import ResultMapping
from lavendertown.worker import WorkerPool

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class MappedFile:
    """A file that was read with a mapping.

    Attributes:
        columns: The columns of its table.
        runs: Its results.
    """

    columns: Sequence[str]
    runs: Sequence[ReadRun]


class MappedFileReader:
    """Reads tables of results for a server, as many at a time as there are inspections.

    Args:
        wait: Called repeatedly until a file is read. If it raises, its worker is ended.
    """

    def __init__(self, wait: Callable[[], object]) -> None:
        self._wait = wait
        self._lock = threading.Lock()
        self._pool: WorkerPool | None = None

    def read_columns(self, content: bytes, name: str) -> list[str]:
        """Return the columns of the table in a file.

        Raises:
            UnreadableTableError: The file is no table.
            FileLimitError: It needs more memory or time than the server allows.
        """
        with tempfile.TemporaryDirectory(prefix="lavendertown-import-") as folder:
            columns: list[str] = self._run(READ_COLUMNS, content, name, folder, {})
        return columns

    def read_file(self, content: bytes, name: str, mapping: ResultMapping, dataset: str = "") -> MappedFile:
        """Return the results in a file.

        Args:
            content: The content of the file.
            name: Its name.
            mapping: What its columns say.
            dataset: The dataset of rows that name none; by default it follows from the name.

        Raises:
            UnreadableTableError: The file is no table, lacks a column of the mapping, or a cell cannot be
                understood.
            FileLimitError: It needs more memory or time than the server allows.
        """
        arguments = {"mapping": dict(mapping.columns), "dataset": dataset or dataset_name(name)}
        with tempfile.TemporaryDirectory(prefix="lavendertown-import-") as folder:
            columns = self._run(MAP_RESULTS, content, name, folder, arguments)
            return MappedFile(columns, load_results(Path(folder)))

    def _run(self, task: str, content: bytes, name: str, folder: str, arguments: dict[str, Any]) -> Any:
        settings = load_settings()
        path = Path(folder, "file")
        path.write_bytes(content)
        arguments = {
            **arguments,
            "path": str(path),
            "name": name,
            "folder": folder,
            "limits": asdict(limits_from_settings(settings)),
        }
        running = self._worker_pool().submit_task(task, arguments, resource_limits(settings))
        try:
            while not running.wait(_POLL_SECONDS):
                self._wait()
        finally:
            running.cancel()
        if running.state == "done":
            return running.result
        raise create_failure(running, name)

    def _worker_pool(self) -> WorkerPool:
        with self._lock:
            if self._pool is None:
                self._pool = WorkerPool(["lavendertown.inspection.tasks"], load_settings().limits_inspections)
            return self._pool
