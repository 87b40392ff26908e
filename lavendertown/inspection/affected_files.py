"""Write the affected rows of findings to CSV files that people open with a spreadsheet program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.core.spreadsheet_cells import escape_formula
from lavendertown.profile.evidence import Evidence
from lavendertown.tables import Table

_MAX_NAME = 80


def write_affected_files(
    folder: Path, table: Table, findings: Sequence[GhostFinding], evidence: Evidence
) -> list[Path]:
    """Write a CSV file of all affected rows for each finding that names rows, and return the files.

    The first columns are ``finding`` (its description) and ``row`` (the row number as the source counts),
    then the key, then the affected column, then all others. Texts that a spreadsheet program would run as a
    formula begin with an apostrophe.

    Args:
        folder: A folder that does not exist yet or is empty.
        table: The table that was inspected.
        findings: The findings, in order; the number in a file name is their position, counted from 1.
        evidence: The evidence of the table, for the key and the number of its first row.

    Raises:
        InvalidInputError: The folder has files, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInputError(f"The folder {folder} has files; choose an empty or a new one.")
        return [
            _write_file(folder, number, finding, table, evidence)
            for number, finding in enumerate(findings, 1)
            if finding.row_indices
        ]
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInputError(f"The rows cannot be written to {folder}: {reason}.") from error


def _write_file(folder: Path, number: int, finding: GhostFinding, table: Table, evidence: Evidence) -> Path:
    positions = finding.row_indices or []
    first = [*evidence.key, *(name for name in finding_columns(finding) if table.has_column(name))]
    order = list(dict.fromkeys([*first, *table.columns]))
    rows = table.rows(positions, len(positions), order).map(escape_formula)
    rows.columns = pd.Index([escape_formula(name) for name in order])
    rows.insert(0, "row", [position + evidence.first_row for position in positions], allow_duplicates=True)
    rows.insert(0, "finding", str(escape_formula(finding.description)), allow_duplicates=True)
    name = "-".join(re.findall(r"\w+", f"{number:03d} {finding.column} {finding.ghost_type}"))[:_MAX_NAME]
    file = folder / f"{name}.csv"
    rows.to_csv(file, index=False, encoding="utf-8-sig")
    return file
