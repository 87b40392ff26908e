"""Collect the affected rows of findings for a worklist, from the table that a report was made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import WHOLE_ROW, GhostFinding, column_label, finding_columns
from lavendertown.interchange.worklists.worklist_file import FindingRows
from lavendertown.profile.evidence import Evidence, FindingSamples
from lavendertown.profile.masking import MASKED_VALUE, mask_value
from lavendertown.profile.measure import (
    MAX_SHOWN_COLUMNS,
    first_row_number,
    sample_finding,
    to_plain_value,
)
from lavendertown.tables import Table

MAX_KEY = 200


@dataclass(frozen=True)
class RowOptions:
    """What the rows of a worklist say of themselves.

    Attributes:
        dataset: The dataset.
        key: The columns that identify a row.
        chosen_key: Those of them that a person chose.
        first_row: The number that the source counts for the row at position 0.
        masks: The patterns of masked columns.
        keeps_samples: Whether the store may keep values, and so the keys.
    """

    dataset: str
    key: Sequence[str]
    chosen_key: Sequence[str]
    first_row: int
    masks: Sequence[str] = ()
    keeps_samples: bool = True


@dataclass(frozen=True)
class ReportedTable:
    """What a report knows of the table that it was made of.

    Attributes:
        dataset: The dataset of the report.
        coverage: The coverage of the report.
        evidence: Its evidence, if it has some, with the samples by the place of their finding in the list.
    """

    dataset: str
    coverage: Mapping[str, Any]
    evidence: Evidence | None


def collect_rows_of_report(
    table: Table,
    name: str,
    report: ReportedTable,
    findings: Sequence[tuple[str, GhostFinding]],
    key: Sequence[str],
    masks: Sequence[str],
    keeps_samples: bool,
) -> list[FindingRows]:
    """Return the affected rows of findings of a report, from the table that it was made of.

    Args:
        table: The table.
        name: The name of the table for messages.
        report: What the report knows of it.
        findings: The findings with their ids and the positions of their rows.
        key: The columns that identify a row; by default those of the report.
        masks: The patterns of masked columns.
        keeps_samples: Whether the store may keep values, and so the keys.

    Raises:
        InvalidInputError: The report was not made of this table, or a key column is missing.
    """
    evidence = report.evidence
    samples = evidence.samples if evidence is not None else {}
    named = [(finding, samples.get(str(place))) for place, (_, finding) in enumerate(findings)]
    refuse_other_table(table, report.coverage, evidence, named, name)
    known = [column for column in (evidence.key if evidence else ()) if table.has_column(column)]
    options = RowOptions(
        report.dataset,
        list(key) or known,
        list(key),
        evidence.first_row if evidence is not None else first_row_number(table),
        masks,
        keeps_samples,
    )
    return collect_rows(table, findings, options)


def collect_rows(
    table: Table, findings: Sequence[tuple[str, GhostFinding]], options: RowOptions
) -> list[FindingRows]:
    """Return the affected rows of findings, with their keys and values.

    Values of masked columns are masked. A key column that a person chose is not masked in the file, because
    the row could not be found otherwise; the store never gets a masked value.

    Args:
        table: The table.
        findings: The findings with their ids and the positions of their rows.
        options: The key, and what is masked.

    Raises:
        InvalidInputError: The table has no column of a name in the key.
    """
    for column in options.key:
        table.column(column)
    return [_collect_finding(table, finding_id, finding, options) for finding_id, finding in findings]


def _collect_finding(
    table: Table, finding_id: str, finding: GhostFinding, options: RowOptions
) -> FindingRows:
    key = options.key
    positions = finding.row_indices or []
    affected = [name for name in finding_columns(finding) if table.has_column(name)]
    shown = affected or table.columns[:MAX_SHOWN_COLUMNS]
    columns = list(dict.fromkeys([*key, *shown]))
    frame = table.rows(positions, len(positions), columns)
    rows = [
        {name: _to_cell(value) for name, value in zip(columns, values, strict=True)}
        for values in frame.itertuples(index=False, name=None)
    ]
    masked = [{name: mask_value(name, value, options.masks) for name, value in row.items()} for row in rows]
    return FindingRows(
        finding_id,
        finding.description,
        options.dataset,
        ", ".join(affected) or column_label(WHOLE_ROW),
        [int(position) for position in frame.index],
        options.first_row,
        [
            {name: row[name] if name in options.chosen_key else hidden[name] for name in key}
            for row, hidden in zip(rows, masked, strict=True)
        ],
        [_describe_key(row, key) if options.keeps_samples else "" for row in masked],
        [row[shown[0]] if len(shown) == 1 else _describe_values(row, shown) for row in masked],
    )


def _to_cell(value: Any) -> Any:
    """Return a value for a cell; a time at midnight is a day, which is what columns of days have."""
    plain = to_plain_value(value)
    return str(plain).removesuffix(" 00:00:00") if plain and isinstance(value, dt.datetime) else plain


def _describe_key(row: Mapping[str, Any], key: Sequence[str]) -> str:
    return ", ".join("" if row[name] is None else str(row[name]) for name in key)[:MAX_KEY]


def _describe_values(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return ", ".join(f"{name} = {'(missing)' if row[name] is None else row[name]}" for name in columns)


def refuse_other_table(
    table: Table,
    coverage: Mapping[str, Any],
    evidence: Evidence | None,
    findings: Sequence[tuple[GhostFinding, FindingSamples | None]],
    name: str,
) -> None:
    """Refuse a table that a report was not made of: the positions of its rows would name other rows.

    Args:
        table: The table.
        coverage: The coverage of the report.
        evidence: The evidence of the report, if it has some.
        findings: The findings of the report with their stored samples.
        name: The name of the table for the message.

    Raises:
        InvalidInputError: The number of rows, the columns, or values that the report keeps differ.
    """
    advice = "Give the file that was inspected, or inspect this one and save a new report."
    rows, columns = coverage.get("rows"), coverage.get("column_names")
    if isinstance(rows, int) and rows != table.row_count:
        raise InvalidInputError(
            f"{name} has {table.row_count:,} rows, and the report was made of {rows:,}. {advice}"
        )
    if isinstance(columns, list) and columns != table.columns:
        raise InvalidInputError(f"{name} has other columns than the table of the report. {advice}")
    for finding, samples in findings:
        positions = finding.row_indices or []
        if positions and positions[-1] >= table.row_count:
            raise InvalidInputError(
                f"{name} has {table.row_count:,} rows, fewer than the report names. {advice}"
            )
        if (
            samples is not None
            and evidence is not None
            and not _matches(table, finding, samples, evidence.key)
        ):
            raise InvalidInputError(
                f"{name} has other values than the report in the rows of: {finding.description} {advice}"
            )


def _matches(table: Table, finding: GhostFinding, samples: FindingSamples, key: Sequence[str]) -> bool:
    """Return whether the table has the stored sample values; masked ones cannot be compared."""
    known = [name for name in key if table.has_column(name)]
    found = {row.position: row.values for row in sample_finding(table, finding, known).rows}
    return all(
        value == MASKED_VALUE or name not in found[row.position] or found[row.position][name] == value
        for row in samples.rows
        if row.position in found
        for name, value in row.values.items()
    )
