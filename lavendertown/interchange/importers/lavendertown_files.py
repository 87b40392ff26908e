"""LavenderTown's own files, also of version 0.7: whole reports, and findings that were not saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_count,
    read_list,
    read_mapping,
    read_text,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import CheckResult, ImportedRun
from lavendertown.interchange.sources import ImportFileError, ResultFile

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
FINDINGS = ImportFormat("lavendertown", "findings of LavenderTown", _is_findings, _read_findings)
