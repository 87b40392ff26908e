"""Great Expectations suites in JSON, of version 0.18 (``expectation_type``) and 1 (``type``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lavendertown.interchange.rulesets.translation import (
    ReadRules,
    WrittenRules,
    as_list,
    as_mapping,
    current_parameters,
    find_rule_type,
    max_share_of,
    search_pattern,
    severity_of,
)
from lavendertown.rules.models import Rule, RuleSet

NAME = "great-expectations"
_SINCE_RULES = "lavendertown"
_SETTING_KEYS = frozenset(
    {
        *("batch_id", "result_format", "catch_exceptions", "include_config"),
        *("meta", "notes", "severity", "condition_parser"),
    }
)
_LISTS = ("value_set", "regex_list", "type_list", "column_list")
_SEVERITIES = {"error": "critical", "warning": "warning", "info": "info"}
_TYPE_LISTS = {
    "integer": ["int", "int32", "int64", "Int64", "INTEGER", "BIGINT"],
    "number": [
        "int",
        "int64",
        "Int64",
        "float",
        "float64",
        "Float64",
        "INTEGER",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
    ],
    "text": ["str", "string", "object", "TEXT", "VARCHAR"],
    "boolean": ["bool", "boolean", "BOOLEAN"],
    "date": ["datetime64[ns]", "datetime", "date", "DATE", "TIMESTAMP"],
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MIDNIGHT = "T00:00:00"
Translated = tuple[str, str | None, dict[str, Any]]


def is_great_expectations(data: Any) -> bool:
    """Return whether the values are a suite."""
    return isinstance(data, Mapping) and isinstance(data.get("expectations"), list)


def read_great_expectations(data: Mapping[str, Any], file_name: str, default_name: str) -> ReadRules:
    """Return the rules of a suite.

    Raises:
        RuleFormatError: A value has the wrong type.
    """
    name = str(data.get("name") or data.get("expectation_suite_name") or default_name)
    notes = data.get("notes")
    read = ReadRules(NAME, RuleSet(name, notes if isinstance(notes, str) else ""))
    for position, entry in enumerate(as_list(data.get("expectations"), file_name), 1):
        place = f"expectation {position}"
        _read_expectation(read, as_mapping(entry, f"{file_name}, {place}"), place, file_name)
    return read


def _read_expectation(read: ReadRules, entry: Mapping[str, Any], place: str, file_name: str) -> None:
    kind = str(entry.get("type") or entry.get("expectation_type") or "")
    given = as_mapping(entry.get("kwargs"), f"{file_name}, {place}: kwargs")
    values = {key: value for key, value in given.items() if value is not None and key not in _SETTING_KEYS}
    for key in _LISTS:
        if key in values:
            values[key] = list(as_list(values[key], f"{file_name}, {place}: {key}"))
    label = kind.removeprefix("expect_").removeprefix("column_values_to_").removeprefix("column_")
    column = values.get("column", values.get("column_A"))
    where = f"{place}{f' on {column}' if column else ''}"
    if values.get("row_condition"):
        read.skip(where, kind, "it has a row condition")
        return
    translated = _translate(kind, values)
    if translated is None:
        read.skip(where, kind or "an expectation without a type")
        return
    rule_type, on_column, parameters = translated
    meta = entry.get("meta") if isinstance(entry.get("meta"), Mapping) else {}
    kept = meta.get(_SINCE_RULES) if isinstance(meta, Mapping) else None
    kept_name = kept.get("name", "") if isinstance(kept, Mapping) else ""
    notes = meta.get("notes", entry.get("notes")) if isinstance(meta, Mapping) else None
    if rule_type not in ("row_count",):
        parameters["mostly"] = values.get("mostly") if values.get("mostly") != 1 else None
    parameters["severity"] = severity_of(entry.get("severity") or given.get("severity") or "")
    if values.get("ignore_row_if") not in (None, "never", "any_value_is_missing", "either_value_is_missing"):
        read.skip(where, f"ignore_row_if: {values['ignore_row_if']}", "rows with a missing value pass")
    read.add(
        label.replace("_", " "),
        rule_type,
        on_column,
        parameters,
        description=notes if isinstance(notes, str) else "",
        name=str(kept_name),
    )


def _translate(kind: str, values: Mapping[str, Any]) -> Translated | None:
    """Return rule type, column and parameters of an expectation; None if no rule type says this."""
    column = str(values["column"]) if "column" in values else None
    pair = [str(values.get("column_A")), str(values.get("column_B"))]
    if column is not None:
        return _translate_column(kind, values, column)
    match kind:
        case "expect_compound_columns_to_be_unique" | "expect_multicolumn_values_to_be_unique":
            return "unique", None, {"columns": values.get("column_list")}
        case "expect_table_row_count_to_be_between":
            return (
                "row_count",
                None,
                {"min_rows": values.get("min_value"), "max_rows": values.get("max_value")},
            )
        case "expect_table_row_count_to_equal":
            return "row_count", None, {"min_rows": values.get("value"), "max_rows": values.get("value")}
        case "expect_column_pair_values_to_be_equal":
            return "cross_column", None, {"operation": "equals", "source_columns": pair}
        case "expect_column_pair_values_a_to_be_greater_than_b" | (
            "expect_column_pair_values_A_to_be_greater_than_B"
        ):
            operation = "greater_or_equal" if values.get("or_equal") else "greater_than"
            return "cross_column", None, {"operation": operation, "source_columns": pair}
    return None


def _translate_column(kind: str, values: Mapping[str, Any], column: str) -> Translated | None:
    low, high = values.get("min_value"), values.get("max_value")
    match kind.removeprefix("expect_column_"):
        case "values_to_not_be_null":
            return "not_null", column, {}
        case "values_to_be_unique":
            return "unique", column, {}
        case "values_to_be_between" if low is not None or high is not None:
            flags = {
                "exclusive_min": values.get("strict_min") or None,
                "exclusive_max": values.get("strict_max") or None,
            }
            return "range", column, {"min_value": _to_day(low), "max_value": _to_day(high), **flags}
        case "values_to_be_in_set" | "distinct_values_to_be_in_set" if values.get("value_set"):
            return "enum", column, {"allowed_values": values["value_set"]}
        case "values_to_match_regex" if "regex" in values:
            return "regex", column, {"pattern": values["regex"], "match": "anywhere"}
        case "values_to_match_regex_list" if (
            values.get("regex_list") and values.get("match_on", "any") == "any"
        ):
            joined = "|".join(f"(?:{each})" for each in values["regex_list"])
            return "regex", column, {"pattern": joined, "match": "anywhere"}
        case "value_lengths_to_be_between" if low is not None or high is not None:
            return "length", column, {"min_length": low, "max_length": high}
        case "value_lengths_to_equal" if "value" in values:
            return "length", column, {"min_length": values["value"], "max_length": values["value"]}
        case "values_to_be_of_type" | "type_to_be" if find_rule_type(values.get("type_")):
            return "type", column, {"type": find_rule_type(values["type_"])}
        case "values_to_be_in_type_list" if values.get("type_list"):
            return _translate_types(column, values["type_list"])
        case "values_to_be_dateutil_parseable":
            return "type", column, {"type": "date"}
    return None


def _translate_types(column: str, names: list[Any]) -> Translated | None:
    wanted = {find_rule_type(name) for name in names if name != "object"}
    if wanted == {"integer", "number"}:
        wanted = {"number"}
    only = wanted.pop() if len(wanted) == 1 else None
    return ("type", column, {"type": only}) if only else None


def write_great_expectations(ruleset: RuleSet) -> WrittenRules:
    """Return a rule set as a suite."""
    written = WrittenRules()
    expectations = []
    for rule in written.translatable_rules(ruleset):
        parameters = current_parameters(rule)
        found = _write_rule(rule, parameters)
        if found is None:
            written.skip(rule, "Great Expectations has no such expectation")
            continue
        kind, kwargs = found
        share = max_share_of(parameters)
        expectations.append(
            {
                "type": kind,
                "kwargs": {
                    **{key: value for key, value in kwargs.items() if value is not None},
                    **({"mostly": round(1 - share, 12)} if share else {}),
                },
                "meta": {
                    _SINCE_RULES: {"name": rule.name},
                    **({"notes": rule.description} if rule.description else {}),
                },
                "severity": _SEVERITIES.get(parameters.get("severity", "error"), "critical"),
            }
        )
    written.values = {
        "name": ruleset.name,
        "expectations": expectations,
        "meta": {},
        "notes": ruleset.description or None,
    }
    return written


def _write_rule(rule: Rule, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    column = {"column": rule.column}
    low, high = parameters.get("min_value"), parameters.get("max_value")
    match rule.rule_type:
        case "not_null" if not parameters.get("placeholders"):
            return "expect_column_values_to_not_be_null", column
        case "unique":
            columns = parameters.get("columns") or [rule.column]
            if len(columns) == 1:
                return "expect_column_values_to_be_unique", {"column": columns[0]}
            return "expect_compound_columns_to_be_unique", {
                "column_list": columns,
                "ignore_row_if": "any_value_is_missing",
            }
        case "range":
            flags = {
                "strict_min": parameters.get("exclusive_min") or None,
                "strict_max": parameters.get("exclusive_max") or None,
            }
            return "expect_column_values_to_be_between", {
                **column,
                "min_value": _to_time(low),
                "max_value": _to_time(high),
                **flags,
            }
        case "enum":
            return "expect_column_values_to_be_in_set", {
                **column,
                "value_set": parameters.get("allowed_values"),
            }
        case "regex":
            return "expect_column_values_to_match_regex", {**column, "regex": search_pattern(parameters)}
        case "length":
            bounds = {"min_value": parameters.get("min_length"), "max_value": parameters.get("max_length")}
            return "expect_column_value_lengths_to_be_between", {**column, **bounds}
        case "type" if find_rule_type(parameters.get("type")):
            types = _TYPE_LISTS[str(find_rule_type(parameters["type"]))]
            return "expect_column_values_to_be_in_type_list", {**column, "type_list": types}
        case "row_count":
            bounds = {"min_value": parameters.get("min_rows"), "max_value": parameters.get("max_rows")}
            return "expect_table_row_count_to_be_between", bounds
        case "cross_column" if "tolerance" not in parameters:
            return _write_comparison(parameters)
    return None


def _to_time(bound: Any) -> Any:
    """Return a day as its first moment: Great Expectations cannot compare times with a day."""
    return f"{bound}{_MIDNIGHT}" if isinstance(bound, str) and _DAY.fullmatch(bound) else bound


def _to_day(bound: Any) -> Any:
    return bound.removesuffix(_MIDNIGHT) if isinstance(bound, str) else bound


def _write_comparison(parameters: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    operation, columns = str(parameters.get("operation")), list(parameters.get("source_columns", []))
    if len(columns) != 2:
        return None
    ignore = {"ignore_row_if": "either_value_is_missing"}
    if operation == "equals":
        first, second = columns
        return "expect_column_pair_values_to_be_equal", {"column_A": first, "column_B": second, **ignore}
    if operation in ("less_than", "less", "less_or_equal"):
        columns.reverse()
    elif operation not in ("greater_than", "greater", "greater_or_equal"):
        return None
    or_equal = True if operation.endswith("or_equal") else None
    return "expect_column_pair_values_a_to_be_greater_than_b", {
        "column_A": columns[0],
        "column_B": columns[1],
        "or_equal": or_equal,
        **ignore,
    }
