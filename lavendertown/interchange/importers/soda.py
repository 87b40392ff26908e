"""Soda Core and Soda Library 3: the results of a scan. Each table is a dataset.

Soda Core 4 writes no file; the results of a contract, as it sends them to Soda Cloud, have the same form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core.findings import WHOLE_ROW
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
from lavendertown.interchange.runs import (
    CheckResult,
    Failure,
    ImportedRun,
    Outcome,
    RunBuilder,
)
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import guess_ghost_type

_OUTCOMES: dict[str, Outcome] = {"pass": "passed", "fail": "found", "warn": "found", "error": "failed"}
_MEASURES = {"avg": "average", "min": "minimum", "max": "maximum", "stddev": "standard deviation"}
_HEADER = ("definitionName", "scanStartTimestamp", "dataTimestamp", "hasErrors", "version")


def _is_scan(content: Content) -> bool:
    outline = content.outline
    return (
        outline.has("checks/[]/outcome", "checks/[]/definition")
        or outline.has("checks", "scanStartTimestamp")
        or outline.has("checks", "definitionName", "hasFailures")
        # The checks follow the metrics; of a large scan, the outline ends before them.
        or outline.has("metrics/[]/metricName", "definitionName", "scanStartTimestamp")
    )


def _read_scan(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    checks: list[Mapping[str, Any]] = []
    measures: dict[str, Any] = {}
    header: Mapping[str, Any] = {}
    dropped = ("blocks", "logs", "resourceAttributes", "queries", "attributes")
    for path, value in read_items(file, ["checks/[]", "metrics/[]"], _HEADER, dropped):
        if not path:
            header = value
        elif path[0] == "checks":
            checks.append(read_mapping(value))
        else:
            metric = read_mapping(value)
            measures[read_text(metric.get("identity"))] = metric.get("value")
    runs: dict[str, RunBuilder] = defaultdict(lambda: RunBuilder("Soda"))
    for check in checks:
        _add_check(runs[read_text(check.get("table"))], check, measures, bool(header.get("hasErrors")))
    for table, run in (runs or {"": RunBuilder("Soda")}).items():
        runs[table] = run
        run.dataset = table or read_text(header.get("definitionName"))
        run.tool_version = read_text(header.get("version"))
        times = (header.get("scanStartTimestamp"), header.get("dataTimestamp"))
        run.ran_at = next(filter(None, map(read_time, times)), None)
    return [run.finish() for run in runs.values()]


def _add_check(
    run: RunBuilder, entry: Mapping[str, Any], measures: Mapping[str, Any], has_errors: bool
) -> None:
    name = read_text(entry.get("name")) or "check without a name"
    identities = map(read_text, read_mapping(entry.get("identities")).values())
    identity = read_text(entry.get("identity")) or next(filter(None, identities), "")
    column = read_text(entry.get("column")) or WHOLE_ROW
    check = CheckResult(name, column, {}, f"soda:{identity}" if identity else "")
    stated = read_text(entry.get("outcome")).lower()
    outcome = _OUTCOMES.get(stated, "not_run")
    if outcome == "not_run" and has_errors and stated != "excluded":
        # Soda gives no outcome to checks that it could not evaluate.
        outcome = "failed"
    run.add_outcome(outcome, check, _describe_failure(check, entry, measures))


def _describe_failure(check: CheckResult, entry: Mapping[str, Any], measures: Mapping[str, Any]) -> Failure:
    if failure := _describe_contract_failure(check, entry):
        return failure
    metrics = [each for each in read_list(entry.get("metrics")) if isinstance(each, str)]
    value = read_number(read_mapping(entry.get("diagnostics")).get("value"))
    metric = next((each for each in metrics if each in measures), "")
    definition = f"{read_text(entry.get('definition'))} {read_text(entry.get('checkType'))}"
    expression = _metric_name(metric, check, definition)
    ghost_type = guess_ghost_type(expression)
    count, share, detail = None, None, ""
    if expression.endswith("_percent") and value is not None:
        share = min(value / 100, 1.0)
        counted = metric.replace("_percent", "_count", 1)
        count = read_count(measures.get(counted))
    elif expression in ("missing_count", "invalid_count", "duplicate_count", "failed_rows"):
        count = read_count(value)
    elif value is not None:
        subject = f" of {check.column}" if check.column != WHOLE_ROW else ""
        measure = _MEASURES.get(expression, expression.replace("_", " "))
        detail = f"The {measure}{subject} is {value:,.10g}, outside its limits."
        ghost_type = "rule"
    elif expression == "schema":
        detail = "The columns of the table differ from the expected schema."
        ghost_type = "rule"
    severity = "warning" if read_text(entry.get("outcome")).lower() == "warn" else "error"
    return Failure(check, ghost_type, severity, count, None, share, None, detail)


def _describe_contract_failure(check: CheckResult, entry: Mapping[str, Any]) -> Failure | None:
    """Return the failure of a check of Soda 4 that counts rows, or of the schema; None for others."""
    figures = read_mapping(read_mapping(entry.get("diagnostics")).get("v4"))
    kind = read_text(entry.get("checkType"))
    severity = "warning" if read_text(entry.get("outcome")).lower() == "warn" else "error"
    if figures and kind == "schema":
        detail = "The columns of the table differ from the expected schema."
        return Failure(check, "rule", severity, detail=detail)
    count, total = read_count(figures.get("failedRowsCount")), read_count(figures.get("datasetRowsTested"))
    if count is None or kind not in ("missing", "invalid", "duplicate", "failed_rows"):
        return None
    return Failure(check, guess_ghost_type(kind), severity, count, total)


def _metric_name(metric: str, check: CheckResult, definition: str) -> str:
    """Return the metric of a check, such as ``missing_count``, from the metric or the definition."""
    known = [
        "missing_count",
        "missing_percent",
        "invalid_count",
        "invalid_percent",
        "duplicate_count",
        "duplicate_percent",
        "row_count",
        "failed_rows",
        "schema",
        "freshness",
        "avg",
        "min",
        "max",
        "sum",
        "stddev",
        "avg_length",
        "min_length",
        "max_length",
    ]
    parts = metric.split("-")
    found = next((each for each in reversed(parts) if each in known), "")
    return found or next((each for each in known if each in definition.lower()), check.check)


SCAN = ImportFormat("soda", "the result of a Soda scan", _is_scan, _read_scan)
