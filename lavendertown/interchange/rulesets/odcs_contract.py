"""Data contracts of the Open Data Contract Standard (ODCS), version 3, in YAML."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from lavendertown.interchange.rulesets.frictionless_schema import choose_table
from lavendertown.interchange.rulesets.translation import (
    ReadRules,
    WrittenRules,
    as_list,
    as_mapping,
    as_number,
    current_parameters,
    find_rule_type,
    max_share_of,
    search_pattern,
    severity_of,
)
from lavendertown.rules.models import Rule, RuleSet

NAME = "odcs"
API_VERSION = "v3.1.0"
_LOGICAL_TYPES = {"integer": "integer", "number": "number", "text": "string", "boolean": "boolean"}
_OPERATORS = (
    *("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan"),
    *("mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween"),
)
_METRICS = {
    **{"nullValues": "not_null", "missingValues": "not_null", "duplicateValues": "unique"},
    **{"nullCheck": "not_null", "duplicateCount": "unique", "duplicates": "unique", "unique": "unique"},
}
_OPTION_KEYS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minLength", "maxLength", "pattern"),
    }
)
_EMPTY: tuple[Any, ...] = (None, "", False, [], {})


def is_odcs(data: Any) -> bool:
    """Return whether the values are a data contract."""
    return isinstance(data, Mapping) and (data.get("kind") == "DataContract" or "apiVersion" in data)


def read_odcs(
    data: Mapping[str, Any], file_name: str, default_name: str, table: str | None = None
) -> ReadRules:
    """Return the rules of a table in a data contract.

    Args:
        data: The contract.
        file_name: The name of the file, for messages.
        default_name: The name of the rule set, if the table has none.
        table: The name of the table, if the contract has several.

    Raises:
        RuleFormatError: A value has the wrong type, or the table is not clear.
    """
    tables = [
        as_mapping(each, f"{file_name}: schema")
        for each in as_list(data.get("schema"), f"{file_name}: schema")
    ]
    chosen = choose_table(tables, table, file_name, "table")
    name = str(chosen.get("name") or data.get("name") or default_name)
    read = ReadRules(NAME, RuleSet(name, str(chosen.get("description") or "")))
    properties = as_list(chosen.get("properties"), f"{file_name}, {name}: properties")
    key: list[tuple[float, str]] = []
    for position, each in enumerate(properties, 1):
        prop = as_mapping(each, f"{file_name}, {name}, property {position}")
        column = str(prop.get("name") or f"property {position}")
        _read_property(read, column, prop, f"{file_name}, {column}")
        if prop.get("primaryKey"):
            place = f"{file_name}, {column}: primaryKeyPosition"
            key.append((as_number(prop.get("primaryKeyPosition") or position, place), column))
    names = [column for _, column in sorted(key)]
    if len(names) > 1:
        read.add(f"{', '.join(names)} unique", "unique", None, {"columns": names})
    elif names and not any(
        rule.rule_type == "unique" and rule.column == names[0] for rule in read.ruleset.rules
    ):
        read.add("unique", "unique", names[0])
    for check in as_list(chosen.get("quality"), f"{file_name}, {name}: quality"):
        _read_quality(read, None, as_mapping(check, f"{file_name}, {name}: quality"))
    for part in ("slaProperties", "quality"):
        if data.get(part):
            read.skip("contract", part)
    return read


def _read_property(read: ReadRules, column: str, prop: Mapping[str, Any], place: str) -> None:
    where, description = f"property {column}", str(prop.get("description") or "")
    logical = prop.get("logicalType")
    wanted = find_rule_type(logical)
    if wanted is not None:
        read.add("type", "type", column, {"type": wanted}, description=description)
    elif logical not in _EMPTY:
        read.skip(where, f"the type {logical}")
    if prop.get("required") or prop.get("primaryKey"):
        read.add("required", "not_null", column, description=description)
    if prop.get("unique"):
        read.add("unique", "unique", column, description=description)
    options = as_mapping(prop.get("logicalTypeOptions"), f"{place}: logicalTypeOptions")
    _read_options(read, column, options, description)
    values = [
        each.get("value") if isinstance(each, Mapping) else each
        for each in as_list(prop.get("enum"), f"{place}: enum")
    ]
    if values:
        read.add("values", "enum", column, {"allowed_values": values}, description=description)
    for check in as_list(prop.get("quality"), f"{place}: quality"):
        _read_quality(read, column, as_mapping(check, f"{place}: quality"))


def _read_options(read: ReadRules, column: str, options: Mapping[str, Any], description: str) -> None:
    bounds = {"min_value": options.get("minimum"), "max_value": options.get("maximum")}
    for key, bound, flag in (
        ("exclusiveMinimum", "min_value", "exclusive_min"),
        ("exclusiveMaximum", "max_value", "exclusive_max"),
    ):
        value = options.get(key)
        if value is True:
            bounds[flag] = True  # in version 3.0, it says how to read the bound
        elif value not in (None, False):
            bounds |= {bound: value, flag: True}
    if any(bounds[key] is not None for key in ("min_value", "max_value")):
        read.add("range", "range", column, bounds, description=description)
    if options.get("pattern"):
        parameters = {"pattern": options["pattern"], "match": "anywhere"}
        read.add("pattern", "regex", column, parameters, description=description)
    lengths = {"min_length": options.get("minLength"), "max_length": options.get("maxLength")}
    if any(value is not None for value in lengths.values()):
        read.add("length", "length", column, lengths, description=description)
    for key, value in options.items():
        if key not in _OPTION_KEYS and value not in _EMPTY:
            read.skip(f"property {column}", f"the option {key}: {value}")


def _read_quality(read: ReadRules, column: str | None, check: Mapping[str, Any]) -> None:
    where = f"property {column}" if column else "table"
    label = str(check.get("name") or check.get("metric") or check.get("rule") or check.get("type") or "check")
    kind = check.get("type") or "library"
    if kind != "library":
        read.skip(where, f"the quality check {label}", f"checks of type {kind} do not run here")
        return
    metric = str(check.get("metric") or check.get("rule") or "")
    operator = next((name for name in _OPERATORS if check.get(name) is not None), "")
    arguments = as_mapping(check.get("arguments"), f"{where}: arguments")
    parameters: dict[str, Any] | None
    if metric == "rowCount":
        rule_type, parameters = "row_count", _read_row_bounds(operator, check.get(operator))
    else:
        rule_type, parameters = _read_metric(metric, arguments, check, column)
        if parameters is not None:
            tolerance = _read_tolerance(operator, check)
            parameters = None if tolerance is None else {**parameters, **tolerance}
            if tolerance and operator == "mustBeLessThan":
                read.skip(where, f"the bound of {label}", f"less than {check[operator]} became at most")
    if parameters is None:
        read.skip(where, f"the quality check {label} {operator} {check.get(operator, '')}".rstrip())
        return
    if arguments.get("missingValues"):
        read.skip(where, f"the list of {label}", "the usual placeholders are missing values")
    parameters["severity"] = severity_of(check.get("severity", ""))
    name = str(check.get("name") or "")
    read.add(
        metric, rule_type, column, parameters, description=str(check.get("description") or ""), name=name
    )


def _read_metric(
    metric: str, arguments: Mapping[str, Any], check: Mapping[str, Any], column: str | None
) -> tuple[str, dict[str, Any] | None]:
    """Return the type and parameters of a rule; no parameters if no rule type says this."""
    if metric in ("invalidValues", "validValues"):
        values = arguments.get("validValues", check.get("validValues"))
        pattern = arguments.get("pattern", check.get("pattern"))
        if column and values and not pattern:
            listed = as_list(values, "validValues")
            return "enum", {"allowed_values": [value for value in listed if value is not None]}
        if column and pattern and not values:
            return "regex", {"pattern": pattern, "match": "anywhere"}
        return "enum", None
    rule_type = _METRICS.get(metric, "")
    if rule_type == "unique":
        columns = arguments.get("properties")
        if column is None:
            return "unique", {"columns": columns} if columns else None
        return "unique", {}
    if rule_type == "not_null" and column:
        return "not_null", {"placeholders": True} if metric == "missingValues" else {}
    return rule_type, None


def _read_tolerance(operator: str, check: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the tolerance that an operator on a number of faults says; None if a rule cannot say it."""
    value = check.get(operator) if operator else None
    if (operator in ("mustBe", "mustBeLessOrEqualTo") and value == 0) or operator == "":
        return {}
    if operator == "mustBeLessThan" and value == 1 and check.get("unit", "rows") == "rows":
        return {}
    if operator in ("mustBeLessThan", "mustBeLessOrEqualTo") and check.get("unit") == "percent":
        return {"max_share": round(as_number(value, operator) / 100, 12)}
    return None


def _read_row_bounds(operator: str, value: Any) -> dict[str, Any] | None:
    match operator:
        case "mustBe":
            return {"min_rows": value, "max_rows": value}
        case "mustBeGreaterThan":
            return {"min_rows": as_number(value, operator) + 1}
        case "mustBeGreaterOrEqualTo":
            return {"min_rows": value}
        case "mustBeLessThan":
            return {"max_rows": as_number(value, operator) - 1}
        case "mustBeLessOrEqualTo":
            return {"max_rows": value}
        case "mustBeBetween" if isinstance(value, list) and len(value) == 2:
            return {"min_rows": value[0], "max_rows": value[1]}
    return None


def write_odcs(ruleset: RuleSet) -> WrittenRules:
    """Return a rule set as a data contract with one table."""
    written = WrittenRules()
    properties: dict[str, dict[str, Any]] = {}
    table: dict[str, Any] = {"name": ruleset.name, "logicalType": "object"}
    if ruleset.description:
        table["description"] = ruleset.description
    quality: list[dict[str, Any]] = []
    for rule in written.translatable_rules(ruleset):
        parameters = current_parameters(rule)
        if not _write_rule(rule, parameters, properties, quality):
            written.skip(rule, "ODCS has no such check, or its property has another one already")
    for prop in properties.values():
        prop.setdefault("logicalType", _guess_type(prop))
    table["properties"] = list(properties.values())
    if quality:
        table["quality"] = quality
    slug = re.sub(r"[^a-z0-9]+", "-", ruleset.name.lower()).strip("-") or "rules"
    written.values = {
        "version": "1.0.0",
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": slug,
        "name": ruleset.name,
        "status": "draft",
        "schema": [table],
    }
    return written


def _write_rule(
    rule: Rule,
    parameters: dict[str, Any],
    properties: dict[str, dict[str, Any]],
    quality: list[dict[str, Any]],
) -> bool:
    """Add a rule to the properties or the table's checks; return False if it has no counterpart."""
    several = list(parameters.get("columns") or [])
    if rule.rule_type == "row_count":
        found = _row_count_check(rule, parameters)
        quality.append(found)
        return True
    if rule.rule_type == "unique" and len(several) > 1:
        quality.append(_library_check(rule, parameters, "duplicateValues", {"properties": several}))
        return True
    column = rule.column or next(iter(several), None)
    if column is None:
        return False
    changes = _property_changes(rule, parameters)
    if changes is None:
        return False
    prop = properties.setdefault(column, {"name": column})
    if not _is_compatible(prop, changes):
        return False
    if "logicalTypeOptions" in changes:
        prop["logicalTypeOptions"] = {
            **prop.get("logicalTypeOptions", {}),
            **changes.pop("logicalTypeOptions"),
        }
    if "quality" in changes:
        prop["quality"] = [*prop.get("quality", []), *changes.pop("quality")]
    prop |= changes
    return True


def _guess_type(prop: Mapping[str, Any]) -> str:
    """Return the type of a property without a rule for it: number if it has numeric bounds, else string."""
    return "number" if prop.get("logicalTypeOptions") else "string"


def _is_compatible(prop: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Return whether a property can say this, too: one type, and each option once."""
    kinds = {prop.get("logicalType"), changes.get("logicalType")} - {None}
    if len(kinds) > 1:
        return False
    options, added = prop.get("logicalTypeOptions", {}), changes.get("logicalTypeOptions", {})
    return not any(key in options for key in added)


def _property_changes(rule: Rule, parameters: dict[str, Any]) -> dict[str, Any] | None:
    plain = not max_share_of(parameters) and parameters.get("severity", "error") == "error"
    match rule.rule_type:
        case "type" if plain and find_rule_type(parameters.get("type")):
            return {"logicalType": _LOGICAL_TYPES.get(str(find_rule_type(parameters["type"])), "date")}
        case "not_null" if plain and not parameters.get("placeholders"):
            return {"required": True}
        case "not_null":
            metric = "missingValues" if parameters.get("placeholders") else "nullValues"
            return {"quality": [_library_check(rule, parameters, metric)]}
        case "unique" if plain:
            return {"unique": True}
        case "unique":
            return {"quality": [_library_check(rule, parameters, "duplicateValues")]}
        case "enum":
            arguments = {"validValues": parameters.get("allowed_values")}
            return {"quality": [_library_check(rule, parameters, "invalidValues", arguments)]}
        case "regex":
            arguments = {"pattern": search_pattern(parameters)}
            return {"quality": [_library_check(rule, parameters, "invalidValues", arguments)]}
        case "length" if plain:
            low, high = parameters.get("min_length"), parameters.get("max_length")
            return {"logicalType": "string", **_options(minLength=low, maxLength=high)}
        case "range" if plain:
            return _range_options(parameters)
    return None


def _range_options(parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    low, high = parameters.get("min_value"), parameters.get("max_value")
    options = _options(
        **{
            "exclusiveMinimum" if parameters.get("exclusive_min") else "minimum": low,
            "exclusiveMaximum" if parameters.get("exclusive_max") else "maximum": high,
        }
    )
    bounds = [bound for bound in (low, high) if bound is not None]
    if all(isinstance(bound, (int, float)) for bound in bounds):
        return options  # the type is that of another rule, or added below
    if all(isinstance(bound, str) and _is_day(bound) for bound in bounds):
        return {"logicalType": "date", **options}
    return None


def _is_day(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _options(**values: Any) -> dict[str, Any]:
    return {"logicalTypeOptions": {key: value for key, value in values.items() if value is not None}}


def _library_check(
    rule: Rule, parameters: Mapping[str, Any], metric: str, arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    share = max_share_of(parameters)
    severity = parameters.get("severity")
    return {
        "name": rule.name,
        **({"description": rule.description} if rule.description else {}),
        "type": "library",
        "metric": metric,
        **({"arguments": arguments} if arguments else {}),
        **({"mustBeLessOrEqualTo": round(share * 100, 10), "unit": "percent"} if share else {"mustBe": 0}),
        **({"severity": severity} if severity else {}),
    }


def _row_count_check(rule: Rule, parameters: Mapping[str, Any]) -> dict[str, Any]:
    low, high = parameters.get("min_rows"), parameters.get("max_rows")
    check = _library_check(rule, {"severity": parameters.get("severity")}, "rowCount")
    del check["mustBe"]
    if low is not None and high is not None:
        return {**check, **({"mustBe": low} if low == high else {"mustBeBetween": [low, high]})}
    return {**check, **({"mustBeLessOrEqualTo": high} if low is None else {"mustBeGreaterOrEqualTo": low})}
