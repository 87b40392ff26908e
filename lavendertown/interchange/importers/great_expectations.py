"""Great Expectations 0.15 to 1.x: results of a validation or of a checkpoint.

The expectation and its arguments are the check, because ids of expectations are new in each run of a suite
that is defined in code.
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
    read_positions,
    read_text,
    read_time,
    read_value,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import (
    CheckResult,
    Failure,
    ImportedRun,
    RunBuilder,
)
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import guess_ghost_type
from lavendertown.profile.evidence import MAX_SAMPLES, SampleRow, Value, ValueCount

_SEVERITIES = {"critical": "error", "warning": "warning", "info": "info"}
_RUN_ARGUMENTS = ("batch_id", "column", "result_format", "include_config", "catch_exceptions", "meta")
"""Arguments that belong to a run or to the column, not to the check."""
_DROPPED = (
    "unexpected_list",
    "unexpected_index_query",
    "unexpected_rows",
    "exception_traceback",
    "details",
    "rendered_content",
    "actions_results",
)
_SAMPLED = ("partial_unexpected_list", "partial_unexpected_counts")
_GHOST_TYPES = {
    "expect_column_values_to_be_null": "rule",
    "expect_column_values_to_be_increasing": "rule",
    "expect_column_values_to_be_decreasing": "rule",
    "expect_column_value_lengths_to_be_between": "format",
    "expect_column_value_lengths_to_equal": "format",
    "expect_column_to_exist": "rule",
    "expect_table_row_count_to_be_between": "rule",
    "expect_table_column_count_to_be_between": "rule",
    "expect_table_columns_to_match_set": "rule",
    "expect_table_columns_to_match_ordered_list": "rule",
}


def _is_validation(content: Content) -> bool:
    outline = content.outline
    return any(
        outline.has(f"{results}/success", f"{results}/{config}")
        for results in ("results/[]", "expectations/[]")
        for config in ("expectation_config/kwargs", "kwargs")
    ) or any(
        outline.has("results", "success", path)
        for path in ("statistics/evaluated_expectations", "meta/run_id")
    )


def _is_checkpoint(content: Content) -> bool:
    outline = content.outline
    if outline.has("run_results", "run_id") or outline.has("run_results", "success"):
        return True
    return outline.has("validation_results/[]/expectations") or outline.has(
        "validation_results", "statistics/evaluated_validations"
    )


def _read_validation(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    run, header = RunBuilder("Great Expectations"), {}
    names = ["meta", "suite_name", "id"]
    for path, value in read_items(file, ["results/[]", "expectations/[]"], names, _DROPPED, _SAMPLED):
        if path:
            _add_result(run, read_mapping(value))
        else:
            header = value
    _set_header(run, read_mapping(header.get("meta")))
    return [run.finish()]


def _read_checkpoint(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    runs: dict[str, RunBuilder] = defaultdict(lambda: RunBuilder("Great Expectations"))
    metas: dict[str, Mapping[str, Any]] = {}
    header: Mapping[str, Any] = {}
    items = [
        "run_results/*/results/[]",
        "run_results/*/meta",
        "run_results/*/validation_result/results/[]",
        "run_results/*/validation_result/meta",
        "validation_results/[]/expectations/[]",
        "validation_results/[]/results/[]",
        "validation_results/[]/meta",
    ]
    for path, value in read_items(file, items, ["run_id"], _DROPPED, _SAMPLED):
        if not path:
            header = value
        elif path[-1] == "meta":
            metas[path[1]] = read_mapping(value)
            runs[path[1]]
        else:
            _add_result(runs[path[1]], read_mapping(value))
    for name, run in runs.items():
        _set_header(run, {"run_id": header.get("run_id"), **metas.get(name, {})})
    return [run.finish() for run in runs.values()] or [RunBuilder("Great Expectations").finish()]


def _set_header(run: RunBuilder, meta: Mapping[str, Any]) -> None:
    run.tool_version = read_text(meta.get("great_expectations_version"))
    definition = read_mapping(meta.get("active_batch_definition"))
    spec = read_mapping(meta.get("batch_spec"))
    old_arguments = read_mapping(meta.get("batch_kwargs"))
    run.dataset = (
        read_text(definition.get("data_asset_name"))
        or read_text(spec.get("data_asset_name"))
        or read_text(old_arguments.get("data_asset_name"))
        or read_text(spec.get("table_name"))
        or read_text(old_arguments.get("table"))
    )
    run_id = read_mapping(meta.get("run_id"))
    run.run_id = read_text(run_id.get("run_name")) or read_text(meta.get("validation_id"))
    times = (run_id.get("run_time"), meta.get("validation_time"))
    run.ran_at = next(filter(None, map(read_time, times)), None)


def _add_result(run: RunBuilder, outcome: Mapping[str, Any]) -> None:
    config = read_mapping(outcome.get("expectation_config")) or outcome
    name = (
        read_text(config.get("type"))
        or read_text(config.get("expectation_type"))
        or "expectation without a name"
    )
    arguments = read_mapping(config.get("kwargs"))
    column, params = _split_arguments(arguments)
    check = CheckResult(name, column, params)
    result = read_mapping(outcome.get("result"))
    crash = _find_exception(read_mapping(outcome.get("exception_info")))
    if outcome.get("success") is True:
        run.add_pass(check)
    elif crash is not None or _is_crash_without_message(name, outcome, result):
        run.add_error(check, crash or "")
    elif outcome.get("success") is False:
        run.add_failure(_describe_failure(check, config, result))
    else:
        run.add_not_run(check)
    run.row_count = read_count(result.get("element_count")) or run.row_count


def _split_arguments(arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    params = {
        key: value
        for key, value in arguments.items()
        if key not in _RUN_ARGUMENTS and value is not None and not key.startswith("$")
    }
    column = read_text(arguments.get("column"))
    if column:
        return column, params
    pair = [read_text(arguments.get(name)) for name in ("column_A", "column_B")]
    several = [read_text(each) for each in read_list(arguments.get("column_list"))]
    return ", ".join(filter(None, [*pair, *several])) or WHOLE_ROW, params


def _find_exception(info: Mapping[str, Any]) -> str | None:
    """Return the message of an exception, empty if it has none; None if there was none.

    Version 1 nests the information by metric.
    """
    infos = [info, *(each for each in info.values() if isinstance(each, Mapping))]
    raised = [each for each in infos if each.get("raised_exception") is True]
    if not raised:
        return None
    return next(filter(None, (read_text(each.get("exception_message")) for each in raised)), "")


def _is_crash_without_message(name: str, outcome: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Return whether a summary without exceptions shows a crash: checks of values count elements.

    A result of the format BOOLEAN_ONLY has no counts either, but says that there was no exception.
    """
    names_exceptions = bool(read_mapping(outcome.get("exception_info")))
    return name.startswith("expect_column_values_") and not result and not names_exceptions


def _describe_failure(check: CheckResult, config: Mapping[str, Any], result: Mapping[str, Any]) -> Failure:
    ghost_type = _GHOST_TYPES.get(check.check) or guess_ghost_type(check.check)
    severity = _SEVERITIES.get(read_text(config.get("severity")).lower(), "error")
    count, total = read_count(result.get("unexpected_count")), read_count(result.get("element_count"))
    percent = read_number(result.get("unexpected_percent_total"))
    positions = read_positions(result.get("unexpected_index_list")) or read_positions(
        result.get("partial_unexpected_index_list")
    )
    detail = ""
    if count is None and check.column != WHOLE_ROW and check.check == "expect_column_to_exist":
        detail = f"The column {check.column} is missing."
    elif count is None and (observed := read_number(result.get("observed_value"))) is not None:
        subject = f" of {check.column}" if check.column != WHOLE_ROW else ""
        detail = f"{_name_measure(check.check)}{subject} is {observed:,.10g}, outside its limits."
    if ghost_type == "outlier" and count is None and not check.check.startswith("expect_column_values_"):
        ghost_type = "rule"
    return Failure(
        check,
        ghost_type,
        severity,
        count,
        total,
        percent / 100 if percent is not None and 0 <= percent <= 100 else None,
        positions,
        detail,
        sample_rows=_list_rows(check.column, result),
        frequent=_list_frequent(check.column, result),
    )


def _list_rows(column: str, result: Mapping[str, Any]) -> list[SampleRow]:
    """Return the first failing rows; they have positions unless the tool names them by key columns."""
    values = read_list(result.get("partial_unexpected_list"))
    positions = read_positions(result.get("partial_unexpected_index_list"))
    positions = positions or read_positions(result.get("unexpected_index_list"))
    pairs = list(zip(positions or [], values, strict=False))[:MAX_SAMPLES]
    return [SampleRow(position, cells) for position, value in pairs if (cells := _name_cells(column, value))]


def _name_cells(column: str, value: Any) -> dict[str, Value]:
    names = column.split(", ")
    if isinstance(value, Mapping):
        return {str(name): read_value(each) for name, each in value.items()}
    if len(names) > 1:
        return dict(zip(names, map(read_value, read_list(value)), strict=False))
    return {column: read_value(value)} if column != WHOLE_ROW else {}


def _list_frequent(column: str, result: Mapping[str, Any]) -> list[ValueCount]:
    if column == WHOLE_ROW or ", " in column:
        return []
    found = [
        ValueCount(str(read_value(each["value"])), count)
        for each in map(read_mapping, read_list(result.get("partial_unexpected_counts")))
        if each.get("value") is not None and (count := read_count(each.get("count")))
    ]
    return sorted(found, key=lambda each: -each.count)[:MAX_SAMPLES]


def _name_measure(expectation: str) -> str:
    """Return the measure in an expectation's name: ``The row count`` for a check of a table's row count."""
    name = expectation.removeprefix("expect_").removeprefix("column_").removeprefix("table_")
    return f"The {name.partition('_to_')[0].replace('_', ' ')}"


CHECKPOINT = ImportFormat(
    "great-expectations", "a result of a Great Expectations checkpoint", _is_checkpoint, _read_checkpoint
)
VALIDATION = ImportFormat(
    "great-expectations", "a result of a Great Expectations validation", _is_validation, _read_validation
)
