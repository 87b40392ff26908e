"""Evidently: test suites before version 0.7, and reports with tests since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_count,
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
from lavendertown.interchange.wording import first_line, guess_ghost_type

_OUTCOMES: dict[str, Outcome] = {"success": "passed", "fail": "found", "warning": "found", "error": "failed"}
_GHOST_TYPES = {
    "RowCount": "rule",
    "ColumnCount": "rule",
    "MinValue": "outlier",
    "MaxValue": "outlier",
    "InRangeValueCount": "outlier",
    "OutRangeValueCount": "outlier",
    "InListValueCount": "category",
    "OutListValueCount": "category",
    "CategoryCount": "category",
}
_SETTINGS = ("type", "tests", "column", "alias", "label_filters", "is_critical")


def _is_test_suite(content: Content) -> bool:
    outline = content.outline
    return outline.has("tests/[]/status", "tests/[]/metric_config") or (
        outline.has("tests/[]/status", "tests/[]/group", "tests/[]/parameters")
    )


def _read_test_suite(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    run = RunBuilder("Evidently")
    measures: dict[str, Any] = {}
    tests: list[Mapping[str, Any]] = []
    for path, value in read_items(file, ["tests/[]", "metrics/[]"], ["version", "timestamp"]):
        if not path:
            run.tool_version = read_text(value.get("version"))
            run.ran_at = read_time(value.get("timestamp"))
        elif path[0] == "tests":
            tests.append(read_mapping(value))
        else:
            metric = read_mapping(value)
            measures[read_text(metric.get("id"))] = metric.get("value")
    for test in tests:
        _add_test(run, test, measures)
    return [run.finish()]


def _add_test(run: RunBuilder, test: Mapping[str, Any], measures: Mapping[str, Any]) -> None:
    config = read_mapping(test.get("metric_config"))
    check, measure = _read_metric_test(test, config, measures) if config else _read_suite_test(test)
    status = read_text(test.get("status")).lower()
    is_critical = read_mapping(test.get("test_config")).get("is_critical") is not False
    severity = "warning" if status == "warning" or not is_critical else "error"
    metric = check.check.split(":")[-1].split(".")[0]
    ghost_type = _GHOST_TYPES.get(metric) or guess_ghost_type(metric)
    is_column_drift = ghost_type == "drift" and check.column != WHOLE_ROW
    value = read_mapping(measure)
    is_row_count = ghost_type in ("null", "duplicate", "category") or metric.endswith("RangeValueCount")
    count = read_count(value.get("count")) if value else read_count(measure)
    failure = Failure(
        check,
        ghost_type,
        severity,
        count if is_row_count else None,
        None,
        read_number(value.get("share")) if is_row_count else None,
        None,
        "" if (is_row_count and count) or is_column_drift else first_line(read_text(test.get("description"))),
    )
    outcome = _OUTCOMES.get(status, "not_run")
    run.add_outcome(outcome, check, failure, read_text(test.get("description")))


def _read_metric_test(
    test: Mapping[str, Any], config: Mapping[str, Any], measures: Mapping[str, Any]
) -> tuple[CheckResult, Any]:
    """Return the check and the measured value of a test of version 0.7."""
    params = read_mapping(config.get("params"))
    settings = read_mapping(test.get("test_config"))
    chosen = {key: value for key, value in params.items() if key not in _SETTINGS and value is not None}
    chosen |= {key: value for key, value in settings.items() if key not in _SETTINGS and value is not None}
    metric = read_text(params.get("type")).split(":")[-1] or "metric"
    if " " in read_text(chosen.get("method")):
        # Without a method, Evidently chooses one by the values and describes it; a person names one.
        chosen = {key: value for key, value in chosen.items() if key not in ("method", "threshold")}
    name = f"evidently:{metric}.{read_text(test.get('id')) or 'test'}"
    column = read_text(params.get("column")) or WHOLE_ROW
    return CheckResult(name, column, chosen), measures.get(read_text(config.get("metric_id")))


def _read_suite_test(test: Mapping[str, Any]) -> tuple[CheckResult, Any]:
    """Return the check and the measured value of a test of a suite before version 0.7.

    Its condition is left out, because it may come from the reference data.
    """
    parameters = read_mapping(test.get("parameters"))
    column = read_text(parameters.get("column_name")) or WHOLE_ROW
    name = read_text(test.get("name")) or "test without a name"
    return CheckResult(f"evidently:{name}", column), parameters.get("value")


TEST_SUITE = ImportFormat("evidently", "the tests of an Evidently report", _is_test_suite, _read_test_suite)
