"""LavenderTown's own files, also of version 0.7: whole reports, lists of findings, and findings that were not
saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_count,
    read_list,
    read_mapping,
    read_number,
    read_text,
    read_time,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import ANNOTATIONS, CheckResult, ImportedRun
from lavendertown.interchange.sources import ImportFileError, ResultFile
from lavendertown.profile.evidence import Evidence, FindingSamples

_TOOL = "LavenderTown"


def _is_report(content: Content) -> bool:
    return content.outline.has("id", "title", "author", "created_at", "findings")


def _is_findings(content: Content) -> bool:
    outline = content.outline
    return any(
        outline.has(*(f"{prefix}{key}" for key in ("ghost_type", "column", "severity", "description")))
        for prefix in ("findings/[]/", "[]/")
    ) or outline.has("findings", "coverage/ran", "dataset")


def _read_report(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    for _, value in read_items(file, [""]):
        if isinstance(value, dict):
            return [ImportedRun(_TOOL, report=value)]
    raise ImportFileError(f"{file.name} does not contain a whole report; export it again.")


def _read_findings(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    findings: list[GhostFinding] = []
    header: Mapping[str, Any] = {}
    for path, value in read_items(file, ["findings/[]", "[]"], ["dataset", "coverage"]):
        if not path:
            header = value
        elif isinstance(value, dict):
            findings.append(_read_finding(file, value, path[-1]))
    coverage = read_mapping(header.get("coverage"))
    checks = read_checks(coverage)
    return [
        ImportedRun(
            _TOOL,
            dataset=read_text(header.get("dataset")),
            findings=tuple(findings),
            passed=tuple(check for check in checks if check.outcome == "passed"),
            errored=tuple(check for check in checks if check.outcome == "failed"),
            row_count=read_count(coverage.get("rows")),
        )
    ]


def _is_inbox(content: Content) -> bool:
    return content.outline.has("title", "exported_at", "inbox")


def _read_inbox(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    """Return a run for each report that the findings were last seen in."""
    by_report: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for path, value in read_items(file, ["inbox/[]"]):
        if not path:
            continue
        if not isinstance(value, dict):
            raise ImportFileError(f"Finding {int(path[-1]) + 1:,} of {file.name} is not an object.")
        found = {"position": path[-1], **value}
        by_report[read_text(value.get("dataset")), read_text(value.get("report_id"))].append(found)
    return [
        ImportedRun(
            _TOOL,
            dataset=dataset,
            ran_at=next(filter(None, (read_time(each.get("last_seen")) for each in rows)), None),
            run_id=report_id,
            findings=tuple(_read_exported_finding(file, each) for each in rows),
            samples=_read_samples(file, rows),
            first_row=read_count(rows[0].get("first_row")) or 1,
        )
        for (dataset, report_id), rows in by_report.items()
    ] or [ImportedRun(_TOOL)]


def _read_exported_finding(file: ResultFile, value: dict[str, Any]) -> GhostFinding:
    finding = _read_finding(file, value, value["position"])
    annotations = [read_mapping(each) for each in read_list(value.get("annotations"))]
    # Positions are not exported, so that findings of version 0.7 keep only their number.
    counts = {"count": read_count(value.get("row_count")), "share": read_number(value.get("share"))}
    known = {name: number for name, number in counts.items() if number is not None}
    return replace(finding, metadata={**known, **finding.metadata, ANNOTATIONS: annotations})


def _read_samples(file: ResultFile, rows: Sequence[Mapping[str, Any]]) -> dict[str, FindingSamples]:
    samples = {str(place): row["samples"] for place, row in enumerate(rows) if row.get("samples")}
    try:
        return dict(Evidence.from_dict({"samples": samples}).samples)
    except (InvalidInputError, AttributeError, KeyError, TypeError) as error:
        raise ImportFileError(f"The samples of a finding in {file.name} are incomplete: {error}") from error


def _read_finding(file: ResultFile, value: dict[str, Any], position: str) -> GhostFinding:
    try:
        return GhostFinding.from_dict(value)
    except (InvalidInputError, TypeError) as error:
        raise ImportFileError(f"Finding {int(position) + 1:,} of {file.name} is invalid: {error}") from error


def read_checks(coverage: Mapping[str, Any]) -> list[CheckResult]:
    """Return the checks that the coverage of a report lists."""
    return [_read_check(read_mapping(entry)) for entry in read_list(coverage.get("ran"))]


def _read_check(entry: Mapping[str, Any]) -> CheckResult:
    outcome = entry.get("outcome")
    return CheckResult(
        read_text(entry.get("check")),
        read_text(entry.get("column")),
        dict(read_mapping(entry.get("params"))),
        read_text(entry.get("check_id")),
        outcome if outcome in ("passed", "found", "failed") else "not_run",
        dict(read_mapping(entry.get("settings"))),
    )


REPORT = ImportFormat("lavendertown", "a report of LavenderTown", _is_report, _read_report)
INBOX = ImportFormat("lavendertown", "a list of findings from LavenderTown", _is_inbox, _read_inbox)
FINDINGS = ImportFormat("lavendertown", "findings of LavenderTown", _is_findings, _read_findings)
