"""Read tables from outside as results of checks, by a mapping of their columns, in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lavendertown.core.dataset_names import dataset_name
from lavendertown.inspection.imported_results import load_results
from lavendertown.inspection.server_files import ServerFiles
from lavendertown.inspection.tasks import MAP_RESULTS, READ_COLUMNS
from lavendertown.interchange import ReadRun
from lavendertown.interchange.mapping import ResultMapping


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
    """Reads tables of results for a server.

    Args:
        files: Runs the tasks.
    """

    def __init__(self, files: ServerFiles) -> None:
        self._files = files

    def read_columns(self, content: bytes, name: str) -> list[str]:
        """Return the columns of the table in a file.

        Raises:
            UnreadableTableError: The file is no table.
            FileLimitError: It needs more memory or time than the server allows.
        """
        columns: list[str] = self._files.run_task(READ_COLUMNS, content, name, {})
        return columns

    def read_file(self, content: bytes, name: str, mapping: ResultMapping, dataset: str = "") -> MappedFile:
        """Return the results in a file.

        Args:
            content: The content of the file.
            name: Its name.
            mapping: What its columns say.
            dataset: The dataset of all rows; by default the one that a row names, or else it follows from
                the name of the file.

        Raises:
            UnreadableTableError: The file is no table, lacks a column of the mapping, or a cell cannot be
                understood.
            FileLimitError: It needs more memory or time than the server allows.
        """
        arguments = {
            "mapping": dict(mapping.columns),
            "dataset": dataset_name(name),
            "given_dataset": dataset,
        }
        file: MappedFile = self._files.run_task(
            MAP_RESULTS,
            content,
            name,
            arguments,
            lambda columns, folder: MappedFile(columns, load_results(folder)),
        )
        return file
