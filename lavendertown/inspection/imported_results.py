"""Recognize uploaded files that are results of other tools, and read them in a worker."""

from __future__ import annotations

import codecs
import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lavendertown.core.file_limits import MEGABYTE, FileLimits
from lavendertown.interchange import ImportFileError, ReadRun, read_runs
from lavendertown.interchange.mapping import ResultMapping, read_mapped_runs
from lavendertown.interchange.reading import recognize_format
from lavendertown.interchange.run_files import read_run_file, write_run_file
from lavendertown.interchange.sources import open_result_files
from lavendertown.tables import Table

_FILE = "runs.json"
_STARTS = (b"{", b"[", b"<", b"PK\x03\x04", b"\x1f\x8b", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_TEXT_BYTES = 20 * MEGABYTE


def are_results(arguments: dict[str, Any]) -> bool:
    """Return whether all files of a task are results of checks of a known tool, by their content.

    Args:
        arguments: As for :func:`lavendertown.inspection.tasks.inspect_file`.
    """
    limits = FileLimits(**arguments["limits"])
    named = _named_files(arguments)
    if not all(_may_have_results(path) for path, _ in named):
        return False
    with ExitStack() as opened:
        try:
            for path, name in named:
                stream = opened.enter_context(path.open("rb"))
                for file in open_result_files(stream, name, opened, limits):
                    recognize_format(file)
        except ImportFileError:
            return False
    return True


def _may_have_results(path: Path) -> bool:
    """Return whether a file may have results: JSON, XML or an archive, or a small text.

    Recognizing a file takes a pass over it, which a large table of text need not wait for.
    """
    with path.open("rb") as file:
        start = file.read(1_024).removeprefix(codecs.BOM_UTF8).lstrip()
    return start.startswith(_STARTS) or path.stat().st_size <= _MAX_TEXT_BYTES


def read_results(arguments: dict[str, Any]) -> None:
    """Read the runs of the files of a task, and write them into its folder.

    Raises:
        ImportFileError: A file is damaged, or contains no results.
    """
    limits = FileLimits(**arguments["limits"])
    with ExitStack() as opened:
        streams = [(opened.enter_context(path.open("rb")), name) for path, name in _named_files(arguments)]
        runs = read_runs(streams, limits=limits)
    write_run_file(Path(arguments["folder"]) / _FILE, runs)


def write_mapped_results(arguments: dict[str, Any], table: Table) -> None:
    """Write the runs that a table has by a mapping, for :func:`load_results`.

    Args:
        arguments: As for :func:`lavendertown.inspection.tasks.map_results`.
        table: The table in the files.

    Raises:
        ImportFileError: A cell of the table cannot be understood.
    """
    digest = hashlib.sha256()
    for path, _ in _named_files(arguments):
        with path.open("rb") as file:
            while chunk := file.read(MEGABYTE):
                digest.update(chunk)
    runs = read_mapped_runs(
        table,
        ResultMapping(arguments["mapping"]),
        file_name=arguments["name"],
        digest=digest.hexdigest(),
        dataset=arguments["dataset"],
        given_dataset=arguments.get("given_dataset", ""),
    )
    write_run_file(Path(arguments["folder"]) / _FILE, runs)


def load_results(folder: Path) -> list[ReadRun]:
    """Return the runs that :func:`read_results` wrote."""
    return read_run_file(folder / _FILE)


def _named_files(arguments: dict[str, Any]) -> list[tuple[Path, str]]:
    path, parts = Path(arguments["path"]), arguments.get("parts")
    if parts:
        return [(path / str(number), name) for number, name in enumerate(parts)]
    return [(path, arguments["name"])]
