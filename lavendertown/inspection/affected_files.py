"""Write the affected rows of findings to files that people open with a spreadsheet program."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.core.spreadsheet_cells import escape_formula
from lavendertown.interchange.exports.tables import EXCEL_START, MAX_EXCEL_ROWS, to_excel_text
from lavendertown.profile.evidence import Evidence
from lavendertown.tables import Table

RowsFormat = Literal["csv", "excel"]
_MAX_NAME = 80


def write_affected_files(
    folder: Path,
    table: Table,
    findings: Sequence[GhostFinding],
    evidence: Evidence,
    file_format: RowsFormat = "csv",
) -> list[Path]:
    """Write a file of all affected rows for each finding that names rows, and return the files.

    The first columns are ``finding`` (its description) and ``row`` (the row number as the source counts),
    then the key, then the affected column, then all others. Text never becomes a formula: in CSV it begins
    with an apostrophe if a spreadsheet program would run it, in Excel it is stored as text.

    Args:
        folder: A folder that does not exist yet or is empty.
        table: The table that was inspected.
        findings: The findings, in order; the number in a file name is their position, counted from 1.
        evidence: The evidence of the table, for the key and the number of its first row.
        file_format: ``"csv"``, or ``"excel"``, in which longer texts than a cell can hold are cut.

    Raises:
        InvalidInputError: The folder has files or cannot be written, or a finding has more rows than a sheet
            of Excel.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInputError(f"The folder {folder} has files; choose an empty or a new one.")
        return [
            write_finding_rows(
                folder / _file_stem(number, finding),
                finding,
                table,
                evidence.key,
                evidence.first_row,
                file_format,
            )
            for number, finding in enumerate(findings, 1)
            if finding.row_indices
        ]
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInputError(f"The rows cannot be written to {folder}: {reason}.") from error


def _file_stem(number: int, finding: GhostFinding) -> str:
    return "-".join(re.findall(r"\w+", f"{number:03d} {finding.column} {finding.ghost_type}"))[:_MAX_NAME]


def write_finding_rows(
    path: Path,
    finding: GhostFinding,
    table: Table,
    key: Sequence[str],
    first_row: int,
    file_format: RowsFormat = "csv",
) -> Path:
    """Write all affected rows of a finding to a file, with columns as in :func:`write_affected_files`.

    Args:
        path: The file without its ending.
        finding: The finding with all its row positions.
        table: The table that was inspected.
        key: The columns that identify a row.
        first_row: The number that the source counts for the row at position 0.
        file_format: As for :func:`write_affected_files`.

    Raises:
        InvalidInputError: The finding has more rows than a sheet of Excel.
    """
    positions = finding.row_indices or []
    is_excel = file_format == "excel"
    if is_excel and len(positions) >= MAX_EXCEL_ROWS:
        raise InvalidInputError(
            f"A sheet of Excel cannot have the {len(positions):,} rows of: {finding.description} "
            "Write CSV files."
        )
    first = [*key, *(name for name in finding_columns(finding) if table.has_column(name))]
    order = list(dict.fromkeys([*first, *table.columns]))
    to_cell = _to_excel_cell if is_excel else escape_formula
    rows = table.rows(positions, len(positions), order).map(to_cell)
    rows.columns = pd.Index([to_cell(name) for name in order])
    rows.insert(0, "row", [position + first_row for position in positions], allow_duplicates=True)
    rows.insert(0, "finding", str(to_cell(finding.description)), allow_duplicates=True)
    if is_excel:
        return _write_excel(path.with_name(f"{path.name}.xlsx"), rows)
    file = path.with_name(f"{path.name}.csv")
    rows.to_csv(file, index=False, encoding="utf-8-sig")
    return file


def _write_excel(file: Path, rows: pd.DataFrame) -> Path:
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": options}) as book:
        rows.to_excel(book, sheet_name="Rows", index=False, freeze_panes=(1, 0))
    return file


def _to_excel_cell(value: Any) -> Any:
    """Return a value as a cell of Excel holds it: times with a zone, or before 1900, are text."""
    if isinstance(value, str):
        return to_excel_text(value)
    if isinstance(value, dt.date):
        has_zone = isinstance(value, dt.datetime) and value.tzinfo is not None
        return str(value) if has_zone or value.year < EXCEL_START.year else value
    return value
