"""The result files of an inspection: findings and affected rows in Arrow files.

The worker process writes them and the dashboard reads them. The table itself, which may be large, is never
loaded into the dashboard's process, and no data from a hostile file is unpickled there.

``findings.arrow`` has one row per finding in the order of severity: the fields of
:class:`~lavendertown.core.findings.GhostFinding`, the metadata as JSON. ``evidence.json`` has the profiles
of the columns and the samples of the findings. ``rows.arrow`` has the first affected rows of every finding
by position, without duplicates, with the values of the source: a word among numbers is shown.
``affected-N.csv`` or ``affected-N.xlsx`` has all rows of one finding and is written on request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from lavendertown.core import json_codec
from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.measure import MAX_SHOWN_COLUMNS, to_plain_value
from lavendertown.tables import ROW, Table

FIRST_ROWS = 100
"""The number of affected rows per finding that are kept for display."""

_MAX_CELLS = 5_000_000
_FINDINGS_FILE, _ROWS_FILE, _EVIDENCE_FILE = "findings.arrow", "rows.arrow", "evidence.json"


def write_result(folder: Path, table: Table, findings: Sequence[GhostFinding], evidence: Evidence) -> None:
    """Write the findings, their first affected rows, and the evidence into a folder."""
    pl.DataFrame(
        {
            "ghost_type": [finding.ghost_type for finding in findings],
            "column": [finding.column for finding in findings],
            "severity": [finding.severity for finding in findings],
            "description": [finding.description for finding in findings],
            "metadata": [json_codec.dumps(finding.metadata).decode() for finding in findings],
            "row_indices": [finding.row_indices for finding in findings],
        },
        schema_overrides={"row_indices": pl.List(pl.Int64)},
        strict=False,
    ).write_ipc(folder / _FINDINGS_FILE)
    (folder / _EVIDENCE_FILE).write_bytes(json_codec.dumps(evidence.to_dict()))
    positions = _shown_positions(findings, len(table.columns))
    _select_source_rows(table, positions).write_ipc(folder / _ROWS_FILE)


def _select_source_rows(table: Table, positions: Sequence[int]) -> pl.DataFrame:
    """Return rows with their positions and the values of the source; as text if a column mixes types."""
    rows = table.rows(positions, len(positions))
    columns = [_to_series(rows.iloc[:, place], each.key) for place, each in enumerate(table.schema)]
    return pl.DataFrame([pl.Series(ROW, positions, dtype=pl.Int64), *columns])


def _to_series(values: pd.Series[Any], name: str) -> pl.Series:
    kind = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    if kind in ("", "string", "empty"):
        return pl.Series(pl.from_pandas(values)).alias(name)
    plain = [None if to_plain_value(value) is None else value for value in values]
    if kind == "integer" and all(value is None or abs(value) < 2**63 for value in plain):
        return pl.Series(name, plain, dtype=pl.Int64)
    return pl.Series(name, [None if value is None else str(value) for value in plain], dtype=pl.String)


def read_finding(folder: Path, position: int) -> GhostFinding:
    """Return the finding at this position in the list, with all its row positions."""
    return _read_findings(pl.read_ipc(folder / _FINDINGS_FILE)[position : position + 1])[0]


def read_first_row(folder: Path) -> int:
    """Return the number that the source counts for the row at position 0."""
    return Evidence.from_dict(json_codec.loads((folder / _EVIDENCE_FILE).read_bytes())).first_row


def _read_findings(rows: pl.DataFrame) -> list[GhostFinding]:
    return [
        GhostFinding(
            row["ghost_type"],
            row["column"],
            row["severity"],
            row["description"],
            row["row_indices"],
            json_codec.loads(row["metadata"]),
        )
        for row in rows.to_dicts()
    ]


def _shown_positions(findings: Sequence[GhostFinding], width: int) -> list[int]:
    """Return the positions of each finding's first rows, limited so that the cells stay below the maximum."""
    max_rows = max(FIRST_ROWS, _MAX_CELLS // max(1, width))
    positions = dict.fromkeys(
        position for finding in findings for position in (finding.row_indices or [])[:FIRST_ROWS]
    )
    return sorted(list(positions)[:max_rows])


@dataclass(frozen=True)
class InspectionResult:
    """A finished inspection in the dashboard; large data stays in the folder.

    Attributes:
        name: The file name.
        dataset: The dataset that the file is a delivery of.
        columns: The column names of the table in order.
        row_count: The number of rows in the table.
        guesses: The import settings that were detected, as sentences.
        column_kinds: The kind of each column, as :attr:`lavendertown.tables.table.Column.kind`.
        sheets: The names of the sheets of a workbook.
        reading: The settings that the file was read with, given and detected, as
            :meth:`lavendertown.core.reading.Reading.to_dict` returns them.
        given: Those of the settings that a person set.
        coverage: The checks that ran, as :meth:`lavendertown.inspector.Inspector.coverage` returns them.
        findings: The findings with their first :data:`FIRST_ROWS` row positions.
        evidence: The profiles of the columns and the samples of the findings, not masked.
        folder: The folder of the result files.
        source: The inspected file, or the folder with the files; ``folder`` for a configured source.
        remembered: The settings that were stored for the dataset when the file was uploaded.
        source_name: The name of the configured source; empty for an upload.
        checks: The check configuration of the run, as values.
        parts: The names of the files in ``source`` that form the table; empty for one file.
        table: The table that was chosen in a file with several; None for any other file.
    """

    name: str
    dataset: str
    columns: list[str]
    row_count: int
    guesses: list[str]
    column_kinds: list[str]
    sheets: list[str]
    reading: dict[str, Any]
    given: dict[str, Any]
    coverage: dict[str, Any]
    findings: list[GhostFinding]
    evidence: Evidence
    folder: Path
    source: Path
    remembered: dict[str, Any] = field(default_factory=dict)
    source_name: str = ""
    checks: dict[str, Any] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    table: str | None = None

    def rows(self, positions: Sequence[int], limit: int = FIRST_ROWS) -> pd.DataFrame:
        """Return the rows at the first ``limit`` of these positions, as far as they were kept.

        The index has the positions and is named ``row``.
        """
        requested = [int(position) for position in positions[:limit]]
        rows = pl.read_ipc(self.folder / _ROWS_FILE).filter(pl.col(ROW).is_in(requested))
        frame = rows.to_pandas()
        for name, values in zip(frame.columns, rows.iter_columns(), strict=True):
            if values.dtype == pl.Int64 and values.null_count():
                frame[name] = pd.Series(values.to_list(), dtype="object")
        frame = frame.set_index(ROW)
        frame.columns = pd.Index(self.columns)
        return frame

    def evidence_with_key(self, key: Sequence[str]) -> Evidence:
        """Return the evidence with these columns as the key of its sample rows, as far as rows were kept."""
        if list(key) == self.evidence.key:
            return self.evidence
        rows = pl.read_ipc(self.folder / _ROWS_FILE)
        # The first column holds the positions.
        stored = [rows.columns[1 + self.columns.index(name)] for name in key]
        keys = {
            position: {name: to_plain_value(value) for name, value in zip(key, values, strict=True)}
            for position, *values in rows.select(ROW, *stored).iter_rows()
        }
        samples = {}
        for place, each in self.evidence.samples.items():
            affected = [name for name in finding_columns(self.findings[int(place)]) if name in self.columns]
            shown = affected or self.columns[:MAX_SHOWN_COLUMNS]
            named_rows = []
            for row in each.rows:
                kept = {name: row.values[name] for name in shown if name in row.values}
                named_rows.append(replace(row, values={**keys.get(row.position, {}), **kept}))
            samples[place] = replace(each, rows=named_rows)
        return replace(self.evidence, samples=samples, key=list(key))

    def complete_findings(self) -> list[GhostFinding]:
        """Return the findings with all their row positions, read from the folder."""
        positions = pl.read_ipc(self.folder / _FINDINGS_FILE, columns=["row_indices"])
        return [
            replace(finding, row_indices=indices)
            for finding, indices in zip(self.findings, positions["row_indices"].to_list(), strict=True)
        ]


def read_result(folder: Path, source: Path, facts: dict[str, Any]) -> InspectionResult:
    """Read the result of an inspection from its folder.

    Args:
        folder: The folder of the result files.
        source: The inspected file.
        facts: The return value of :func:`lavendertown.inspection.tasks.inspect_file`.
    """
    frame = pl.read_ipc(folder / _FINDINGS_FILE).with_columns(pl.col("row_indices").list.head(FIRST_ROWS))
    return InspectionResult(
        **facts,
        findings=_read_findings(frame),
        evidence=Evidence.from_dict(json_codec.loads((folder / _EVIDENCE_FILE).read_bytes())),
        folder=folder,
        source=source,
    )
