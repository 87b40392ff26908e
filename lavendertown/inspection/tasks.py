"""Tasks for a worker process: inspect files and write the result, or write the affected rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import SeveralTablesError
from lavendertown.core.file_limits import FileLimits
from lavendertown.core.findings import GhostFinding
from lavendertown.core.reading import Reading
from lavendertown.drift import Baseline, ProfileBaseline, TableBaseline
from lavendertown.inspection import imported_results
from lavendertown.inspection.affected_files import write_finding_rows
from lavendertown.inspection.result_files import read_finding, read_first_row, write_result
from lavendertown.inspection.row_copies import copy_affected_rows, has_copied_rows, read_copied_rows
from lavendertown.inspection.worklist_rows import (
    ReportedTable,
    RowOptions,
    collect_rows,
    collect_rows_of_report,
)
from lavendertown.inspector import Inspector
from lavendertown.interchange.worklists.filled_file import MAX_BYTES, read_filled_file
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.measure import measure_table
from lavendertown.rules.models import Rule
from lavendertown.rules.reference_rules import References
from lavendertown.rules.running import match_results
from lavendertown.rules.suggestions import suggest_rules
from lavendertown.tables import Table, read_table
from lavendertown.tables.sources.part_files import read_part_files

INSPECT_FILE = "lavendertown.inspection.tasks:inspect_file"
COLLECT_WORKLIST_ROWS = "lavendertown.inspection.tasks:collect_worklist_rows"
COLLECT_REPORT_ROWS = "lavendertown.inspection.tasks:collect_report_rows"
READ_WORKLIST = "lavendertown.inspection.tasks:read_worklist"
WRITE_ROWS = "lavendertown.inspection.tasks:write_rows"
CHECK_RULE = "lavendertown.inspection.tasks:check_rule"
MAP_RESULTS = "lavendertown.inspection.tasks:map_results"
READ_COLUMNS = "lavendertown.inspection.tasks:read_columns"
SUGGEST_RULES = "lavendertown.inspection.tasks:suggest_file_rules"

_PREVIEWED_ROWS = 5


def inspect_file(arguments: dict[str, Any], report: Callable[[Any], None]) -> dict[str, Any]:
    """Read and check a file, and write the result to a folder.

    Args:
        arguments: ``path`` and ``name`` of the file, its ``dataset`` (else it follows from the name), the
            ``folder`` for the result, the file ``limits`` as a mapping, and optionally the ``reading`` that
            is set, as :meth:`~lavendertown.core.reading.Reading.to_dict` returns it, and the ``table`` to
            read of several. With ``parts``, a list of file names, ``path`` is a folder with the files 0, 1, …
            that form one table. ``compare_to`` is optional, too: the ``path`` and ``name`` of another file,
            which is read in the same way, or the ``profiles`` of a report, as
            :meth:`~lavendertown.drift.ProfileBaseline.to_dict` returns them, and so are the ``checks``, as
            :meth:`~lavendertown.rules.check_configuration.CheckConfiguration.to_dict` returns them; their
            rules cannot read other files. ``key`` is the stored row key, which is used if the table has all
            of its columns. With ``may_import``, the files may be results of another tool, which are not
            inspected.
        report: Called with the progress, ``{"share": 0 to 1, "text": the current step}``.

    Returns:
        The ``facts`` for :func:`lavendertown.inspection.result_files.read_result`; or ``tables``, the names
        of the tables in the file, if it has several and none is given; or ``results``, if the files are
        results, for :func:`lavendertown.inspection.imported_results.load_results`.
    """
    report({"share": 0.0, "text": "Reading the file"})
    if arguments.get("may_import") and imported_results.are_results(arguments):
        imported_results.read_results(arguments)
        return {"results": True}
    try:
        table = _read_file(arguments)
    except SeveralTablesError as error:
        if arguments.get("parts"):
            raise
        return {"tables": list(error.names)}
    is_single = not (arguments.get("parts") or arguments.get("table"))
    return inspect_table(table, arguments, report, copies_rows=not is_single)


def inspect_table(
    table: Table, arguments: dict[str, Any], report: Callable[[Any], None], *, copies_rows: bool
) -> dict[str, Any]:
    """Check a table, and write the result to a folder.

    Args:
        table: The table.
        arguments: As for :func:`inspect_file`.
        report: Called with the progress.
        copies_rows: Whether to copy the affected rows, because the source is not read again for them.

    Returns:
        The ``facts`` for :func:`lavendertown.inspection.result_files.read_result`.
    """
    name = table.name or arguments["name"]
    dataset = arguments.get("dataset") or dataset_name(name)

    def progress(done: int, total: int, text: str) -> None:
        report({"share": 0.1 + 0.9 * min(1.0, done / max(1, total)), "text": text})

    checks = arguments.get("checks", {})
    key = arguments.get("key", [])
    inspector = Inspector(
        table,
        dataset=dataset,
        key=key if all(map(table.has_column, key)) else [],
        progress=progress,
        checks=checks,
        references=References(),
        compare_to=_open_baseline(arguments),
    )
    findings = inspector.detect()
    report({"share": 1.0, "text": "Describing the columns"})
    folder = Path(arguments["folder"])
    write_result(folder, table, findings, inspector.evidence())
    if copies_rows:
        copy_affected_rows(folder, table, findings)
    return {
        "name": name,
        "dataset": dataset,
        "columns": table.columns,
        "row_count": table.row_count,
        "guesses": table.guesses,
        "column_kinds": [column.kind for column in table.schema],
        "sheets": list(table.sheets),
        "reading": table.reading.to_dict(),
        "given": arguments.get("reading", {}),
        "coverage": inspector.coverage(),
        "checks": checks,
        "parts": list(arguments.get("parts") or ()),
        "table": arguments.get("table"),
    }


def write_rows(arguments: dict[str, Any], report: Callable[[Any], None]) -> str:
    """Write all affected rows of a finding to a file; read the source again unless they were copied.

    Args:
        arguments: ``path`` and ``name`` of the source, the ``folder`` of its inspection result, the
            ``place`` (position) of the finding in the list, the columns of the ``key``, the ``format`` of
            the file (``"csv"`` or ``"excel"``), the file ``limits`` as a mapping, and the ``reading`` that
            was set for the inspection.
        report: Not used.

    Returns:
        The path of the file.

    Raises:
        InvalidInputError: The finding has more rows than a sheet of Excel.
    """
    folder = Path(arguments["folder"])
    table = read_copied_rows(folder) if has_copied_rows(folder) else _read_file(arguments)
    place = arguments["place"]
    file = write_finding_rows(
        folder / f"affected-{place}",
        read_finding(folder, place),
        table,
        arguments["key"],
        # Not from the table, which may be one of copied rows.
        read_first_row(folder),
        arguments["format"],
    )
    return str(file)


def collect_worklist_rows(arguments: dict[str, Any], report: Callable[[Any], None]) -> list[dict[str, Any]]:
    """Return the affected rows of findings for a worklist; read the file again unless they were copied.

    Args:
        arguments: As for :func:`write_rows`, without the place. ``findings`` has pairs of an id and a finding
            as a mapping, with its positions, and ``options`` the values of
            :class:`~lavendertown.inspection.worklist_rows.RowOptions`.
        report: Not used.

    Returns:
        The values of each :class:`~lavendertown.interchange.worklists.worklist_file.FindingRows`.
    """
    folder = Path(arguments["folder"])
    table = read_copied_rows(folder) if has_copied_rows(folder) else _read_file(arguments)
    rows = collect_rows(
        table,
        [(finding_id, GhostFinding.from_dict(values)) for finding_id, values in arguments["findings"]],
        RowOptions(**arguments["options"]),
    )
    return [asdict(each) for each in rows]


def collect_report_rows(arguments: dict[str, Any], report: Callable[[Any], None]) -> list[dict[str, Any]]:
    """Return the affected rows of findings of a report, from the file that it was made of, for a worklist.

    Args:
        arguments: ``path`` and ``name`` of the file, its ``limits`` as a mapping, the ``reading`` that was
            set for the report, and the ``table`` to read of several. ``findings`` has pairs of an id and a
            finding as a mapping, with its positions; ``dataset``, ``coverage`` and ``evidence`` (as a
            mapping, or None) are those of
            :class:`~lavendertown.inspection.worklist_rows.ReportedTable`; ``key`` has the chosen key columns,
            ``masks`` the patterns of masked columns, and ``keeps_samples`` whether keys are stored.
        report: Not used.

    Returns:
        The values of each :class:`~lavendertown.interchange.worklists.worklist_file.FindingRows`.
    """
    evidence = arguments["evidence"]
    rows = collect_rows_of_report(
        _read_file(arguments),
        arguments["name"],
        ReportedTable(
            arguments["dataset"],
            arguments["coverage"],
            Evidence.from_dict(evidence) if evidence is not None else None,
        ),
        [(finding_id, GhostFinding.from_dict(values)) for finding_id, values in arguments["findings"]],
        arguments["key"],
        arguments["masks"],
        arguments["keeps_samples"],
    )
    return [asdict(each) for each in rows]


def read_worklist(arguments: dict[str, Any], report: Callable[[Any], None]) -> dict[str, Any]:
    """Read the answers in a filled worklist.

    Args:
        arguments: ``path`` and ``name`` of the file, and the file ``limits`` as a mapping.
        report: Not used.

    Returns:
        ``answers``, ``problems`` and ``rows`` of
        :class:`~lavendertown.interchange.worklists.answers.FilledRows`, as lists.
    """
    with Path(arguments["path"]).open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    filled = read_filled_file(raw, arguments["name"], FileLimits(**arguments["limits"]))
    return {
        "answers": [asdict(each) for each in filled.answers],
        "problems": [asdict(each) for each in filled.problems],
        "rows": [list(each) for each in sorted(filled.rows)],
    }


def _open_baseline(arguments: dict[str, Any]) -> Baseline | None:
    given = arguments.get("compare_to")
    if given is None:
        return None
    if "profiles" in given:
        return ProfileBaseline.from_dict(given["profiles"])
    other = {**arguments, "parts": None, "table": None, **given}
    return TableBaseline(_read_file(other), given["name"])


def check_rule(arguments: dict[str, Any], report: Callable[[Any], None]) -> dict[str, Any]:
    """Read a file again and check one rule, which cannot read other files.

    Args:
        arguments: ``path`` and ``name`` of the file, the ``rule`` as a mapping, the file ``limits`` as a
            mapping, and the ``reading`` that was set for the inspection.
        report: Not used.

    Returns:
        The ``outcome`` (passed, failed or not_run), the ``description`` of the finding, the ``count`` of
        failing rows, ``total`` rows, and the first failing ``rows``, with ``row`` as the source counts them.
    """
    table, rule = _read_file(arguments), Rule.from_dict(arguments["rule"])
    inspector = Inspector(table, detectors=[], rules=[rule], references=References())
    findings = inspector.detect()
    (result,) = match_results([rule], findings, inspector.checks)
    answer: dict[str, Any] = {
        "outcome": result.outcome,
        "description": "",
        "count": 0,
        "total": table.row_count,
        "rows": [],
    }
    if result.finding is None:
        return answer
    rows = inspector.evidence().samples.get("0")
    first_row = inspector.evidence().first_row
    return answer | {
        "description": result.finding.description,
        "count": int(result.finding.metadata.get("count") or 0),
        "rows": [
            {"row": each.position + first_row, **{name: str(value) for name, value in each.values.items()}}
            for each in (rows.rows if rows else [])[:_PREVIEWED_ROWS]
        ],
    }


def suggest_file_rules(arguments: dict[str, Any], report: Callable[[Any], None]) -> list[dict[str, Any]]:
    """Read a file again and return rules that it meets, as mappings.

    Args:
        arguments: ``path`` and ``name`` of the file, its ``limits`` as a mapping, and the ``reading`` that
            was set for the inspection.
        report: Not used.
    """
    table = _read_file(arguments)
    ruleset = suggest_rules(table, measure_table(table, []), arguments["name"])
    return [rule.to_dict() for rule in ruleset.rules]


def read_columns(arguments: dict[str, Any], report: Callable[[Any], None]) -> list[str]:
    """Read a file and return the columns of its table.

    Args:
        arguments: ``path`` and ``name`` of the file, and its ``limits`` as a mapping.
        report: Not used.
    """
    return list(_read_file(arguments).columns)


def map_results(arguments: dict[str, Any], report: Callable[[Any], None]) -> list[str]:
    """Read a file as results of checks, and write the runs for
    :func:`lavendertown.inspection.imported_results.load_results`.

    Args:
        arguments: ``path`` and ``name`` of the file, its ``limits`` as a mapping, the ``reading`` that was
            set, the ``folder`` of the result, the ``mapping`` of columns by their role, the ``dataset`` of
            rows that name none, and optionally the ``given_dataset`` of all rows.
        report: Not used.

    Returns:
        The columns of the table.
    """
    table = _read_file(arguments)
    imported_results.write_mapped_results(arguments, table)
    return list(table.columns)


def _read_file(arguments: dict[str, Any]) -> Table:
    limits, reading = FileLimits(**arguments["limits"]), Reading.from_dict(arguments.get("reading", {}))
    path, parts = Path(arguments["path"]), arguments.get("parts")
    if parts:
        files = [path / str(number) for number in range(len(parts))]
        return read_part_files(files, limits, reading, names=parts)
    return read_table(path, arguments["name"], limits, reading, member=arguments.get("table"))
