"""Tasks for a worker process: inspect a file and write the result, or write the affected rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lavendertown.core.file_limits import FileLimits
from lavendertown.core.reading import Reading
from lavendertown.inspection.result_files import write_affected_rows, write_result
from lavendertown.inspector import Inspector
from lavendertown.tables import Table, read_table

INSPECT_FILE = "lavendertown.inspection.tasks:inspect_file"
WRITE_ROWS = "lavendertown.inspection.tasks:write_rows"


def inspect_file(arguments: dict[str, Any], report: Callable[[Any], None]) -> dict[str, Any]:
    """Read and check a file, and write the result to a folder.

    Args:
        arguments: ``path`` and ``name`` of the file, its ``dataset``, the ``folder`` for the result,
            the file ``limits`` as a mapping, and optionally the ``reading`` that is set, as
            :meth:`~lavendertown.core.reading.Reading.to_dict` returns it.
        report: Called with the progress, ``{"share": 0 to 1, "text": the current step}``.

    Returns:
        The ``facts`` for :func:`lavendertown.inspection.result_files.read_result`.
    """

    def progress(done: int, total: int, text: str) -> None:
        report({"share": 0.1 + 0.9 * min(1.0, done / max(1, total)), "text": text})

    report({"share": 0.0, "text": "Reading the file"})
    table = _read_file(arguments)
    inspector = Inspector(table, dataset=arguments["dataset"], progress=progress)
    findings = inspector.detect()
    report({"share": 1.0, "text": "Describing the columns"})
    write_result(Path(arguments["folder"]), table, findings, inspector.evidence())
    return {
        "name": arguments["name"],
        "dataset": arguments["dataset"],
        "columns": table.columns,
        "row_count": table.row_count,
        "guesses": table.guesses,
        "column_kinds": [column.kind for column in table.schema],
        "sheets": list(table.sheets),
        "reading": table.reading.to_dict(),
        "given": arguments.get("reading", {}),
        "coverage": inspector.coverage(),
    }


def write_rows(arguments: dict[str, Any], report: Callable[[Any], None]) -> str:
    """Read a file again and write all affected rows of a finding to a CSV file.

    Args:
        arguments: ``path`` and ``name`` of the file, the ``folder`` of its inspection result, the
            ``place`` (position) of the finding in the list, the file ``limits`` as a mapping, and the
            ``reading`` that was set for the inspection.
        report: Not used.

    Returns:
        The path of the CSV file.
    """
    return str(write_affected_rows(Path(arguments["folder"]), arguments["place"], _read_file(arguments)))


def _read_file(arguments: dict[str, Any]) -> Table:
    limits, reading = FileLimits(**arguments["limits"]), Reading.from_dict(arguments.get("reading", {}))
    return read_table(Path(arguments["path"]), arguments["name"], limits, reading)
