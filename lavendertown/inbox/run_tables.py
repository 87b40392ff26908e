"""The table of a run: its columns, their profiles, and the completed checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.errors import DamagedRecordError, InvalidInputError
from lavendertown.core.run_readings import RunReading, read_run_reading
from lavendertown.profile.evidence import ColumnProfile, Evidence
from lavendertown.records.record_classes import EvidenceRecord, RecordKind
from lavendertown.records.store import Store

CheckRun = tuple[str, str, str]
"""A completed check: its name, its column, and its parameters as canonical JSON."""


@dataclass(frozen=True, slots=True)
class RunTable:
    """The table of a run, as far as the report describes it.

    Attributes:
        columns: The names of all columns in order; empty if they are not known.
        profiles: The profiles of the columns by name, as far as they are stored.
        checks: The completed checks; empty if they are not known.
        reading: How the table was read; None if that is not known.
        finding_ids: The findings of the run.
    """

    columns: tuple[str, ...] = ()
    profiles: Mapping[str, ColumnProfile] = field(default_factory=dict)
    checks: frozenset[CheckRun] = frozenset()
    reading: RunReading | None = None
    finding_ids: frozenset[str] = frozenset()


def check_run(check: str, column: str, params: Mapping[str, Any]) -> CheckRun:
    """Return a completed check as :class:`RunTable` lists it."""
    return check, column, json_codec.dumps_canonical(params).decode("utf-8")


def read_run_table(store: Store, report_id: str) -> RunTable:
    """Return what a stored report tells about its table."""
    try:
        report = store.read_light_report(report_id)
        evidence = store.read_record(RecordKind.EVIDENCE, report_id)
    except DamagedRecordError:
        # It is listed as unreadable and must not keep others from being saved or listed.
        return RunTable()
    if report is None:
        return RunTable()
    is_live = isinstance(evidence, EvidenceRecord) and evidence.deleted_at is None
    table = build_run_table(report.metadata, evidence.content if is_live else None)  # type: ignore[union-attr]
    return replace(table, finding_ids=frozenset(each.fingerprint for each in report.findings))


def build_run_table(metadata: Mapping[str, Any], evidence: Mapping[str, Any] | None) -> RunTable:
    """Return what the metadata of a report and the content of its evidence tell about its table."""
    stored = metadata.get("coverage")
    coverage: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    names, ran = coverage.get("column_names"), coverage.get("ran")
    entries = [each for each in ran if isinstance(each, Mapping)] if isinstance(ran, list) else []
    return RunTable(
        tuple(map(str, names)) if isinstance(names, list) else (),
        _read_profiles(evidence) if evidence is not None else {},
        frozenset(
            check_run(str(each["check"]), str(each.get("column", "")), _params_of(each))
            for each in entries
            if each.get("check") and each.get("outcome") != "failed"
        ),
        read_run_reading(metadata),
    )


def _params_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    params = entry.get("params")
    return params if isinstance(params, Mapping) else {}


def _read_profiles(content: Mapping[str, Any]) -> dict[str, ColumnProfile]:
    try:
        columns = Evidence.from_dict(content).columns
    except (InvalidInputError, AttributeError, KeyError, TypeError):
        # It is reported where the evidence is shown; here it says nothing about the columns.
        return {}
    return {each.name: each for each in columns}
