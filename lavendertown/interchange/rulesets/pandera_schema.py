"""Pandera schemas in YAML or JSON, of ``DataFrameSchema.to_yaml``: all versions of their list of checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lavendertown.interchange.rulesets.translation import (
    ReadRules,
    WrittenRules,
    as_list,
    as_mapping,
    current_parameters,
    find_rule_type,
    max_share_of,
)
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.text_patterns import bound_pattern

NAME = "pandera"
_COMPONENT_KEYS = frozenset(
    {
        *("title", "description", "dtype", "nullable", "checks", "name", "unique", "coerce", "required"),
        *("regex", "default", "report_duplicates", "drop_invalid_rows", "metadata", "parsers"),
    }
)
_OPTION_KEYS = frozenset(
    {
        *("check_name", "ignore_na", "raise_warning", "n_failure_cases"),
        *("groupby", "groups", "error", "name"),
    }
)
_WITH_NAMED_VALUES = ("in_range", "between", "str_length")
_BOUNDS = {
    "greater_than": ("min_value", "exclusive_min"),
    "greater_than_or_equal_to": ("min_value", None),
    "less_than": ("max_value", "exclusive_max"),
    "less_than_or_equal_to": ("max_value", None),
}
_ALIASES = {
    **{"gt": "greater_than", "ge": "greater_than_or_equal_to", "lt": "less_than", "eq": "equal_to"},
    **{"le": "less_than_or_equal_to", "between": "in_range", "ne": "not_equal_to"},
}
_DTYPES = {"number": "float64", "text": "str", "boolean": "bool", "date": "datetime64[ns]"}


def is_pandera(data: Any) -> bool:
    """Return whether the values are a Pandera schema."""
    return isinstance(data, Mapping) and (
        data.get("schema_type") == "dataframe" or ("columns" in data and "strict" in data)
    )


def read_pandera(data: Mapping[str, Any], file_name: str, default_name: str) -> ReadRules:
    """Return the rules of a Pandera schema.

    Raises:
        RuleFormatError: A value has the wrong type.
    """
    name = str(data.get("name") or default_name)
    read = ReadRules(NAME, RuleSet(name, str(data.get("description") or data.get("title") or "")))
    columns = data.get("columns")
    if isinstance(columns, list):
        columns = {str(as_mapping(each, file_name).get("name")): each for each in columns}
    for column, component in as_mapping(columns, f"{file_name}: columns").items():
        place = f"column {column}"
        _read_column(read, str(column), as_mapping(component, f"{file_name}, {place}"), file_name)
    unique = as_list(data.get("unique"), f"{file_name}: unique")
    if unique:
        read.add(f"{', '.join(map(str, unique))} unique", "unique", None, {"columns": list(map(str, unique))})
    for check, _, _ in _list_checks(data.get("checks"), file_name):
        read.skip("schema", f"the check {check} of all columns")
    if data.get("index"):
        read.skip("schema", "the index", "tables have no index here")
    for key, reason in (
        ("strict", "other columns are allowed"),
        ("ordered", "the order of columns is not checked"),
        ("coerce", "values are not converted"),
    ):
        if data.get(key):
            read.skip("schema", f"{key}: {data[key]}", reason)
    return read


def _read_column(read: ReadRules, column: str, component: Mapping[str, Any], file_name: str) -> None:
    place = f"column {column}"
    if component.get("regex"):
        read.skip(place, "all checks", "the name is a pattern for several columns")
        return
    description = str(component.get("description") or "")
    if component.get("required") is False:
        read.skip(place, "required: false", "a rule on a missing column cannot run")
    dtype = component.get("dtype")
    if dtype is not None and str(dtype) != "object":
        wanted = find_rule_type(dtype)
        if wanted is None:
            read.skip(place, f"the type {dtype}")
        else:
            read.add("type", "type", column, {"type": wanted}, description=description)
    if not component.get("nullable"):
        read.add("not null", "not_null", column, description=description)
    if component.get("unique"):
        read.add("unique", "unique", column, description=description)
    flat = {key: value for key, value in component.items() if key not in _COMPONENT_KEYS}
    for source in (component.get("checks"), flat):
        for check, values, options in _list_checks(source, f"{file_name}, {place}"):
            _read_check(read, column, check, values, options, description)


def _list_checks(checks: Any, place: str) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Yield name, value (or named values) and options of checks, which are a list or by name."""
    if isinstance(checks, Mapping):
        entries = [(str(name), value) for name, value in checks.items()]
    else:
        listed = [as_mapping(each, f"{place}: check") for each in as_list(checks, f"{place}: checks")]
        entries = [(str(as_mapping(each.get("options"), place).get("check_name")), each) for each in listed]
    for name, value in entries:
        options: dict[str, Any] = {}
        if isinstance(value, Mapping):
            options = {key: each for key, each in value.items() if key in _OPTION_KEYS}
            options |= as_mapping(value.get("options"), place)
            value = {key: each for key, each in value.items() if key not in _OPTION_KEYS | {"options"}}
            if len(value) == 1 and name not in _WITH_NAMED_VALUES:
                value = next(iter(value.values()))
        yield _ALIASES.get(name, name), value, options


def _read_check(
    read: ReadRules, column: str, check: str, value: Any, options: Mapping[str, Any], description: str
) -> None:
    severity = "warning" if options.get("raise_warning") else None
    named = value if isinstance(value, Mapping) else {}
    label = check.replace("_", " ")
    rule_type, parameters = "regex", dict[str, Any]()
    if check in _BOUNDS:
        bound, exclusive = _BOUNDS[check]
        rule_type, parameters = "range", {bound: value, **({exclusive: True} if exclusive else {})}
    elif check == "in_range":
        rule_type = "range"
        parameters = {"min_value": named.get("min_value"), "max_value": named.get("max_value")}
        for key, flag in (("include_min", "exclusive_min"), ("include_max", "exclusive_max")):
            if named.get(key) is False:
                parameters[flag] = True
    elif check == "isin" and isinstance(value, list):
        rule_type, parameters = "enum", {"allowed_values": value}
    elif check == "equal_to":
        rule_type, parameters = "enum", {"allowed_values": [value]}
    elif check == "str_length":
        rule_type = "length"
        low, high = named.get("min_value"), named.get("max_value")
        exact = named.get("exact_value") if named else value
        parameters = {"min_length": low, "max_length": high}
        if exact is not None:
            parameters = {"min_length": exact, "max_length": exact}
    elif check == "str_matches":
        parameters = {"pattern": value}
    elif check == "str_contains":
        parameters = {"pattern": value, "match": "anywhere"}
    elif check == "str_startswith":
        parameters = {"pattern": re.escape(str(value))}
    elif check == "str_endswith":
        parameters = {"pattern": f"(?s:.*){re.escape(str(value))}", "match": "full"}
    else:
        read.skip(f"column {column}", f"the check {check}")
        return
    read.add(label, rule_type, column, {**parameters, "severity": severity}, description=description)


def write_pandera(ruleset: RuleSet) -> WrittenRules:
    """Return a rule set as a Pandera schema, with checks that all versions read."""
    written = WrittenRules()
    columns: dict[str, dict[str, Any]] = {}
    unique: list[str] | None = None
    for rule in written.translatable_rules(ruleset):
        parameters = current_parameters(rule)
        if max_share_of(parameters):
            written.skip(rule, "Pandera cannot tolerate a share of failing values")
            continue
        several = list(parameters.get("columns") or [])
        if rule.rule_type == "unique" and len(several) > 1:
            if unique is None:
                unique = several
            else:
                written.skip(rule, "a Pandera schema can have only one set of unique columns")
            continue
        column = rule.column or (several[0] if several else None)
        if column is None or not _write_rule(written, columns, column, rule, parameters):
            written.skip(rule, "Pandera schemas in YAML have no such check")
    for component in columns.values():
        component["checks"] = _merge_checks(component["checks"])
        if component["dtype"]:
            component["dtype"] = _to_dtype(component["dtype"], component["nullable"])
    written.values = {
        "schema_type": "dataframe",
        "columns": columns,
        "checks": None,
        "index": None,
        "coerce": False,
        "strict": False,
        "name": ruleset.name,
        "description": ruleset.description or None,
        "unique": unique,
    }
    return written


def _write_rule(
    written: WrittenRules,
    columns: dict[str, dict[str, Any]],
    name: str,
    rule: Rule,
    parameters: dict[str, Any],
) -> bool:
    """Add a rule to the columns; return False if it has no counterpart."""
    changes: dict[str, Any] = {}
    checks: list[dict[str, Any]] = []
    match rule.rule_type:
        case "not_null" if not parameters.get("placeholders"):
            changes["nullable"] = False
        case "unique":
            changes["unique"] = True
        case "type":
            wanted = find_rule_type(parameters.get("type"))
            if wanted is None:
                return False
            changes |= {"dtype": wanted, "coerce": True}
        case "range":
            checks = _range_checks(parameters)
        case "enum":
            checks = [_check("isin", value=parameters.get("allowed_values"))]
        case "length":
            low, high = parameters.get("min_length"), parameters.get("max_length")
            checks = [_check("str_length", min_value=low, max_value=high)]
        case "regex":
            checks = [_regex_check(str(parameters.get("pattern")), parameters.get("match", "start"))]
        case _:
            return False
    component = columns.setdefault(
        name,
        {"dtype": None, "nullable": True, "unique": False, "coerce": False, "required": True, "checks": []},
    )
    component |= changes
    if parameters.get("severity", "error") != "error":
        if not checks:
            written.skipped.append(
                f"Rule {rule.name!r} is an error in Pandera, not {parameters['severity']}."
            )
        for check in checks:
            check["options"]["raise_warning"] = True
    component["checks"] += checks
    return True


def _to_dtype(wanted: str, nullable: bool) -> str:
    if wanted == "integer":
        return "Int64" if nullable else "int64"
    return "boolean" if wanted == "boolean" and nullable else _DTYPES[wanted]


def _check(name: str, **values: Any) -> dict[str, Any]:
    return {**values, "options": {"check_name": name}}


def _range_checks(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    low, high = parameters.get("min_value"), parameters.get("max_value")
    above = "greater_than" if parameters.get("exclusive_min") else "greater_than_or_equal_to"
    below = "less_than" if parameters.get("exclusive_max") else "less_than_or_equal_to"
    bounds = ((above, low), (below, high))
    return [_check(name, value=bound) for name, bound in bounds if bound is not None]


def _regex_check(pattern: str, place: str) -> dict[str, Any]:
    if place == "anywhere":
        return _check("str_contains", value=pattern)
    full = bound_pattern(pattern, place, start="", end="$")
    return _check("str_matches", value=full if place == "full" else pattern)


def _merge_checks(checks: list[dict[str, Any]]) -> Any:
    """Return checks by name, which all versions of Pandera read; as a list if a name occurs twice."""
    names = [check["options"]["check_name"] for check in checks]
    if len(set(names)) < len(names):
        return checks
    return {
        name: {
            **{key: value for key, value in check.items() if key != "options"},
            "options": {key: value for key, value in check["options"].items() if key != "check_name"},
        }
        for name, check in zip(names, checks, strict=True)
    } or None
