"""Rule sets in rule files and in the formats of other tools: recognized by content, read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lavendertown.interchange.rulesets import (
    frictionless_schema,
    great_expectations_suite,
    odcs_contract,
    pandera_code,
    pandera_schema,
)
from lavendertown.interchange.rulesets.translation import ReadRules, RuleFormatError, WrittenRules
from lavendertown.rules.models import RuleSet
from lavendertown.rules.ruleset_files import (
    RuleFileFormat,
    build_ruleset,
    format_ruleset,
    format_values,
    parse_yaml,
)


@dataclass(frozen=True)
class _Format:
    """A format of another tool; ``file_format`` is the usual form of its files."""

    name: str
    label: str
    matches: Callable[[Any], bool]
    read: Callable[[Mapping[str, Any], str, str, str | None], ReadRules]
    write: Callable[[RuleSet], WrittenRules]
    file_format: RuleFileFormat


_FORMATS = {
    each.name: each
    for each in (
        _Format(
            great_expectations_suite.NAME,
            "a Great Expectations suite",
            great_expectations_suite.is_great_expectations,
            lambda data, file_name, name, _: great_expectations_suite.read_great_expectations(
                data, file_name, name
            ),
            great_expectations_suite.write_great_expectations,
            "json",
        ),
        _Format(
            pandera_schema.NAME,
            "a Pandera schema",
            pandera_schema.is_pandera,
            lambda data, file_name, name, _: pandera_schema.read_pandera(data, file_name, name),
            pandera_schema.write_pandera,
            "yaml",
        ),
        _Format(
            odcs_contract.NAME,
            "an ODCS data contract",
            odcs_contract.is_odcs,
            odcs_contract.read_odcs,
            odcs_contract.write_odcs,
            "yaml",
        ),
        _Format(
            frictionless_schema.NAME,
            "a Frictionless schema",
            frictionless_schema.is_frictionless,
            frictionless_schema.read_frictionless,
            frictionless_schema.write_frictionless,
            "json",
        ),
    )
}
RULE_FILE = "rules"
IMPORT_FORMATS = (RULE_FILE, *_FORMATS)
"""The formats that can be read, by name."""

RULESET_FORMATS = ("yaml", "json", *_FORMATS, pandera_code.NAME)
"""The formats that can be written, by name: rule files in YAML and JSON, and those of other tools."""


def read_rules(
    text: str, file_name: str, format_name: str | None = None, table: str | None = None
) -> ReadRules:
    """Return the rules in the text of a file.

    Args:
        text: The text, in YAML or JSON.
        file_name: The name of the file, for messages; without its ending the default name of the rule set.
        format_name: One of :data:`IMPORT_FORMATS`; None to recognize it.
        table: The table whose rules to read, if the file describes several.

    Raises:
        InvalidInputError: The file cannot be read in this format. The message names the place.
    """
    data = parse_yaml(text, file_name)
    if format_name is None:
        format_name = _recognize(data, file_name)
    if table is not None and format_name not in (odcs_contract.NAME, frictionless_schema.NAME):
        raise RuleFormatError(f"{file_name} describes one table only; leave out --table.")
    if format_name == RULE_FILE:
        return ReadRules(RULE_FILE, build_ruleset(data, file_name))
    if not isinstance(data, Mapping):
        raise RuleFormatError(f"{file_name} is not {_FORMATS[format_name].label}; choose another --format.")
    name = Path(file_name).name.partition(".")[0] or file_name
    return _FORMATS[format_name].read(data, file_name, name, table)


def write_rules(ruleset: RuleSet, format_name: str) -> tuple[str, list[str]]:
    """Return a rule set in a format of :data:`RULESET_FORMATS`, and sentences about what was left out."""
    if format_name == pandera_code.NAME:
        schema = pandera_schema.write_pandera(ruleset)
        return pandera_code.format_pandera_code(schema.values), schema.skipped
    if format_name in ("yaml", "json"):
        return format_ruleset(ruleset, "yaml" if format_name == "yaml" else "json"), []
    chosen = _FORMATS[format_name]
    written = chosen.write(ruleset)
    return format_values(written.values, chosen.file_format), written.skipped


def _recognize(data: Any, file_name: str) -> str:
    if isinstance(data, Mapping) and "rules" in data:
        return RULE_FILE
    for each in _FORMATS.values():
        if each.matches(data):
            return each.name
    labels = ", ".join(each.label for each in _FORMATS.values())
    raise RuleFormatError(f"{file_name} is neither a rule file nor one of: {labels}. Name it with --format.")
