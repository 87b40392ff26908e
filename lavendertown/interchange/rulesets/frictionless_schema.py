"""Frictionless table schemas in JSON or YAML, also inside a resource or a data package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lavendertown.interchange.rulesets.translation import (
    ReadRules,
    RuleFormatError,
    WrittenRules,
    as_list,
    as_mapping,
    current_parameters,
    find_rule_type,
    max_share_of,
)
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.text_patterns import split_flags

NAME = "frictionless"
_FIELD_TYPES = {
    "integer": "integer",
    "number": "number",
    "text": "string",
    "boolean": "boolean",
    "date": "date",
}
_FIELD_TYPE_ORDER = ("string", "number", "integer", "boolean", "date", "datetime")
_VERSION_2 = "https://datapackage.org/profiles/2.0/tableschema.json"
_KNOWN_CONSTRAINTS = frozenset(
    {
        *("required", "unique", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("enum", "pattern", "minLength", "maxLength"),
    }
)


def is_frictionless(data: Any) -> bool:
    """Return whether the values are a table schema, a resource or a data package."""
    if not isinstance(data, Mapping):
        return False
    return isinstance(data.get("fields"), list) or "schema" in data or isinstance(data.get("resources"), list)


def read_frictionless(
    data: Mapping[str, Any], file_name: str, default_name: str, table: str | None = None
) -> ReadRules:
    """Return the rules of a table schema.

    Args:
        data: A table schema, a resource with one, or a data package.
        file_name: The name of the file, for messages.
        default_name: The name of the rule set, if the file has none.
        table: The name of the resource, if a data package has several.

    Raises:
        RuleFormatError: A value has the wrong type, or the resource is not clear.
    """
    paths = {}
    if isinstance(data.get("resources"), list):
        resources = [as_mapping(each, f"{file_name}: resource") for each in data["resources"]]
        paths = {str(each.get("name")): each.get("path") for each in resources}
        data = choose_table(resources, table, file_name, "resource")
    resource = data
    schema = as_mapping(data.get("schema", data), f"{file_name}: schema")
    name = str(resource.get("name") or default_name)
    read = ReadRules(NAME, RuleSet(name, str(resource.get("description") or resource.get("title") or "")))
    for position, each in enumerate(as_list(schema.get("fields"), f"{file_name}: fields"), 1):
        _read_field(read, as_mapping(each, f"{file_name}, field {position}"), position, file_name)
    _read_keys(read, schema, file_name)
    for key in as_list(schema.get("foreignKeys"), f"{file_name}: foreignKeys"):
        _read_foreign_key(read, as_mapping(key, f"{file_name}: foreign key"), paths, file_name)
    missing = schema.get("missingValues", [""])
    if missing not in ([""], []):
        read.skip("schema", f"missingValues {missing}", "reading a table decides what is missing")
    return read


def choose_table(
    tables: list[Mapping[str, Any]], wanted: str | None, file_name: str, what: str
) -> Mapping[str, Any]:
    """Return the table that is wanted, or the only one.

    Raises:
        RuleFormatError: There is no such schema, or there are several.
    """
    names = [str(each.get("name")) for each in tables]
    if wanted is None and len(tables) == 1:
        return tables[0]
    if wanted in names:
        return tables[names.index(str(wanted))]
    if not tables:
        raise RuleFormatError(f"{file_name} describes no {what}.")
    problem = "describes several tables" if wanted is None else f"has no {what} {wanted!r}"
    raise RuleFormatError(f"{file_name} {problem}; choose one with --table: {', '.join(names)}.")


def _read_field(read: ReadRules, described: Mapping[str, Any], position: int, file_name: str) -> None:
    name = str(described.get("name") or f"field{position}")
    place, description = f"field {name}", str(described.get("description") or "")
    kind = str(described.get("type") or "any")
    wanted = find_rule_type(kind)
    if wanted is not None:
        read.add("type", "type", name, {"type": wanted}, description=description)
    elif kind != "any":
        read.skip(place, f"the type {kind}")
    if described.get("format") not in (None, "default", "any"):
        read.skip(place, f"the format {described['format']}")
    constraints = as_mapping(described.get("constraints"), f"{file_name}, {place}: constraints")
    if constraints.get("required"):
        read.add("required", "not_null", name, description=description)
    if constraints.get("unique"):
        read.add("unique", "unique", name, description=description)
    bounds = {"min_value": constraints.get("minimum"), "max_value": constraints.get("maximum")}
    for key, bound, flag in (
        ("exclusiveMinimum", "min_value", "exclusive_min"),
        ("exclusiveMaximum", "max_value", "exclusive_max"),
    ):
        if constraints.get(key) is not None:
            bounds |= {bound: constraints[key], flag: True}
    if any(bounds[key] is not None for key in ("min_value", "max_value")):
        read.add("range", "range", name, bounds, description=description)
    if constraints.get("enum"):
        read.add("values", "enum", name, {"allowed_values": constraints["enum"]}, description=description)
    if constraints.get("pattern"):
        parameters = {"pattern": constraints["pattern"], "match": "full"}
        read.add("pattern", "regex", name, parameters, description=description)
    lengths = {"min_length": constraints.get("minLength"), "max_length": constraints.get("maxLength")}
    if any(value is not None for value in lengths.values()):
        read.add("length", "length", name, lengths, description=description)
    for key in constraints:
        if key not in _KNOWN_CONSTRAINTS:
            read.skip(place, f"the constraint {key}")


def _read_keys(read: ReadRules, schema: Mapping[str, Any], file_name: str) -> None:
    key = [str(each) for each in as_list(schema.get("primaryKey"), f"{file_name}: primaryKey")]
    required = {rule.column for rule in read.ruleset.rules if rule.rule_type == "not_null"}
    for name in key:
        if name not in required:
            read.add("required", "not_null", name)
    for columns in [key, *as_list(schema.get("uniqueKeys"), f"{file_name}: uniqueKeys")]:
        names = [str(each) for each in as_list(columns, f"{file_name}: uniqueKeys")]
        if len(names) > 1:
            read.add(f"{', '.join(names)} unique", "unique", None, {"columns": names})
        elif names and (names[0], "unique") not in {(r.column, r.rule_type) for r in read.ruleset.rules}:
            read.add("unique", "unique", names[0])


def _read_foreign_key(
    read: ReadRules, key: Mapping[str, Any], paths: Mapping[str, Any], file_name: str
) -> None:
    fields = [str(each) for each in as_list(key.get("fields"), f"{file_name}: foreignKeys")]
    reference = as_mapping(key.get("reference"), f"{file_name}: foreign key reference")
    targets = [str(each) for each in as_list(reference.get("fields"), f"{file_name}: foreign key fields")]
    if len(fields) != 1 or len(targets) != 1:
        read.skip("schema", f"the foreign key of {', '.join(fields)}", "only keys of one column are checked")
        return
    resource = str(reference.get("resource") or "")
    if not resource:
        parameters = {"operation": "referential", "source_columns": fields, "target_column": targets[0]}
        read.add(f"{fields[0]} in {targets[0]}", "cross_column", None, parameters)
        return
    path = paths.get(resource)
    table = path if isinstance(path, str) else resource
    parameters = {"table": table, "reference_column": targets[0]}
    read.add(f"in {resource}", "reference", fields[0], parameters)


@dataclass
class _Field:
    """A field while rules are added: its constraints, and the types that support all of them."""

    name: str
    types: frozenset[str] | None = None
    constraints: dict[str, Any] = field(default_factory=dict)
    description: str = ""

    def add(self, constraints: Mapping[str, Any], types: frozenset[str] | None) -> str:
        """Add constraints; return why that is not possible, else an empty text."""
        narrowed = types if self.types is None else self.types if types is None else self.types & types
        if narrowed is not None and not narrowed:
            return "the type of its field does not support it"
        for key, value in constraints.items():
            if self.constraints.get(key, value) != value:
                return f"its field has another {key} already"
        self.types = narrowed
        self.constraints |= constraints
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Return the field of a table schema."""
        kind = next((each for each in _FIELD_TYPE_ORDER if self.types and each in self.types), "any")
        return {
            "name": self.name,
            "type": kind,
            **({"description": self.description} if self.description else {}),
            **({"constraints": self.constraints} if self.constraints else {}),
        }


def write_frictionless(ruleset: RuleSet) -> WrittenRules:
    """Return a rule set as a table schema."""
    written = WrittenRules()
    fields: dict[str, _Field] = {}
    schema: dict[str, Any] = {}
    for rule in written.translatable_rules(ruleset):
        parameters = current_parameters(rule)
        if max_share_of(parameters):
            problem = "Frictionless cannot tolerate a share of failing values"
        else:
            problem = "" if _write_key(rule, parameters, schema) else _write_field(rule, parameters, fields)
        if problem:
            written.skip(rule, problem)
        elif parameters.get("severity", "error") != "error":
            written.skipped.append(f"Rule {rule.name!r} is an error there, not {parameters['severity']}.")
    listed = [each.to_dict() for each in fields.values()]
    is_version_2 = "uniqueKeys" in schema or any(
        key.startswith("exclusive") for each in fields.values() for key in each.constraints
    )
    written.values = {**({"$schema": _VERSION_2} if is_version_2 else {}), "fields": listed, **schema}
    return written


def _write_key(rule: Rule, parameters: Mapping[str, Any], schema: dict[str, Any]) -> bool:
    """Add a rule to the keys of a schema; return False if it does not describe a key."""
    columns = parameters.get("columns") or []
    if rule.rule_type == "unique" and len(columns) > 1:
        schema.setdefault("uniqueKeys", []).append(columns)
        return True
    if rule.rule_type == "reference":
        source, table = rule.column, parameters.get("table")
        target = parameters.get("reference_column", rule.column)
    elif rule.rule_type == "cross_column" and parameters.get("operation") == "referential":
        source, table = next(iter(parameters.get("source_columns", [])), None), ""
        target = parameters.get("target_column")
    else:
        return False
    key = {"fields": [source], "reference": {"resource": table, "fields": [target]}}
    schema.setdefault("foreignKeys", []).append(key)
    return True


def _write_field(rule: Rule, parameters: Mapping[str, Any], fields: dict[str, _Field]) -> str:
    """Add a rule to the fields; return why that is not possible, else an empty text."""
    name = rule.column or next(iter(parameters.get("columns") or []), None)
    found = _constraints(rule, parameters) if name else None
    if name is None or found is None:
        return "Frictionless has no such constraint"
    known = fields.setdefault(name, _Field(name))
    known.description = known.description or rule.description
    return known.add(*found)


def _constraints(
    rule: Rule, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], frozenset[str] | None] | None:
    """Return the constraints of a rule, and the field types that support them (None for all)."""
    match rule.rule_type:
        case "not_null" if not parameters.get("placeholders"):
            return {"required": True}, None
        case "unique":
            return {"unique": True}, None
        case "type" if find_rule_type(parameters.get("type")):
            return {}, frozenset({_FIELD_TYPES[str(find_rule_type(parameters["type"]))]})
        case "range":
            low = "exclusiveMinimum" if parameters.get("exclusive_min") else "minimum"
            high = "exclusiveMaximum" if parameters.get("exclusive_max") else "maximum"
            bounds = _without_none({low: parameters.get("min_value"), high: parameters.get("max_value")})
            is_number = all(isinstance(bound, (int, float)) for bound in bounds.values())
            return bounds, frozenset({"number", "integer"} if is_number else {"date", "datetime"})
        case "enum":
            return {"enum": parameters.get("allowed_values")}, None
        case "length":
            lengths = {"minLength": parameters.get("min_length"), "maxLength": parameters.get("max_length")}
            return _without_none(lengths), frozenset({"string"})
        case "regex":
            pattern, place = parameters.get("pattern"), parameters.get("match", "start")
            if place != "full":
                flags, inner = split_flags(str(pattern))
                pattern = f"{flags}{'.*' if place == 'anywhere' else ''}(?:{inner}).*"
            return {"pattern": pattern}, frozenset({"string"})
    return None


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
