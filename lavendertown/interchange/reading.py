"""Recognize files of results by their content, and read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.interchange.formats import ImportFormat, name_from_file, read_content
from lavendertown.interchange.importers import (
    dbt,
    deequ,
    evidently,
    frictionless,
    great_expectations,
    junit,
    lavendertown_files,
    openlineage,
    pandera,
    sarif,
    soda,
)
from lavendertown.interchange.runs import ImportedRun, merge_runs, read_limited_runs
from lavendertown.interchange.sources import (
    ImportFileError,
    ResultFile,
    UnknownFormatError,
    open_result_files,
)

FORMATS: tuple[ImportFormat, ...] = (
    dbt.RUN_RESULTS,
    dbt.MANIFEST,
    sarif.SARIF,
    lavendertown_files.REPORT,
    lavendertown_files.INBOX,
    lavendertown_files.FINDINGS,
    evidently.TEST_SUITE,
    great_expectations.CHECKPOINT,
    great_expectations.VALIDATION,
    soda.SCAN,
    frictionless.REPORT,
    openlineage.EVENTS,
    deequ.CHECK_RESULTS,
    pandera.FAILURE_CASES,
    pandera.MESSAGE,
    junit.REPORT,
)
"""The formats, in the order in which they are tried."""
FORMAT_NAMES = tuple(dict.fromkeys(each.name for each in FORMATS))


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run with the file that it was read from.

    Attributes:
        run: The run; its dataset is not empty, except of a whole report.
        file_name: The name of the file.
        digest: The SHA-256 of the file's unpacked content.
    """

    run: ImportedRun
    file_name: str
    digest: str


def read_runs(
    streams: Iterable[tuple[BinaryIO, str]],
    *,
    format_name: str = "",
    dataset: str = "",
    limits: FileLimits = DEFAULT_FILE_LIMITS,
) -> list[ReadRun]:
    """Read the runs of other tools from files.

    Args:
        streams: Each file's content, opened in binary mode, with its name.
        format_name: One of :data:`FORMAT_NAMES`, if the format cannot be recognized.
        dataset: The dataset of all runs; by default, the one that a file names, else its file name. The
            tables of one file become one run then.
        limits: The maximum size of a file after unpacking.

    Raises:
        ImportFileError: A file has no known format, is damaged, contains no results, or lists too many
            checks.
        InvalidInputError: The format name is unknown.
    """
    with ExitStack() as opened:
        files = [file for stream, name in streams for file in open_result_files(stream, name, opened, limits)]
        pairs = [(file, recognize_format(file, format_name)) for file in files]
        descriptions = [file for file, each in pairs if each.describes_other_files]
        found = [
            ReadRun(run, file.name, file.digest)
            for file, each in pairs
            if not each.describes_other_files
            for run in name_datasets(_read_file(file, each, descriptions), dataset, name_from_file(file))
        ]
    if not found:
        names = ", ".join(file.name for file in files)
        hint = " Give its run_results.json, too." if descriptions else ""
        raise ImportFileError(f"{names or 'The archive'} contains no results of checks.{hint}")
    return found


def _read_file(file: ResultFile, each: ImportFormat, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    if each.name == lavendertown_files.REPORT.name:
        # What any version of LavenderTown wrote stays readable.
        return each.read(file, descriptions)
    return read_limited_runs(lambda: each.read(file, descriptions), file.name)


def recognize_format(file: ResultFile, name: str = "") -> ImportFormat:
    """Return the format of a file, judged by its content.

    Args:
        file: The file.
        name: Only formats of this name, if given.

    Raises:
        ImportFileError: The content has no known format, or not the named one.
        InvalidInputError: The name is unknown.
    """
    if name and name not in FORMAT_NAMES:
        raise InvalidInputError(f"The format {name!r} is unknown; use one of {', '.join(FORMAT_NAMES)}.")
    content = read_content(file)
    candidates = [each for each in FORMATS if not name or each.name == name]
    for each in candidates:
        if each.matches(content):
            return each
    if name:
        raise ImportFileError(f"{file.name} is not {candidates[0].label}; leave out the format to detect it.")
    raise UnknownFormatError(
        f"{file.name} has no known format of results; supported are {', '.join(FORMAT_NAMES)}, and any table "
        "with a mapping of its columns."
    )


def name_datasets(runs: Sequence[ImportedRun], dataset: str, fallback: str) -> list[ImportedRun]:
    """Return the runs of one file with their datasets.

    Args:
        runs: The runs.
        dataset: The dataset of all runs, which become one run then; empty for those that they name.
        fallback: The dataset of runs that name none.
    """
    if dataset and len({run.dataset for run in runs}) > 1:
        return [merge_runs(runs, dataset)]
    return [
        run if run.report is not None else replace(run, dataset=dataset or run.dataset or fallback)
        for run in runs
    ]


__all__ = ["FORMATS", "FORMAT_NAMES", "ReadRun", "read_runs", "recognize_format"]
