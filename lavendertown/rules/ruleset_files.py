"""Rule files: a rule set as YAML or JSON, which have the same keys.

.. code-block:: yaml

    name: orders
    rules:
      - name: amount is not negative
        rule_type: range
        column: amount
        parameters: {min_value: 0}
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.models import Rule, RuleSet

RuleFileFormat = Literal["yaml", "json"]
MAX_BYTES = 20_000_000
"""The largest rule file."""

_BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float"))
_REDEFINED_TAGS = (_BOOL, _INT, _FLOAT)

_RULE_KEYS = ("name", "description", "rule_type", "column", "parameters", "enabled")
_SET_KEYS = ("name", "description", "rules")
_STORED_KEYS = ("updated_at", "version", "deleted_at")
"""Further keys of a rule set in a file store."""


class _TextLoader(yaml.SafeLoader):
    """YAML without aliases, which could expand without limit, and without a key given twice.

    As in YAML 1.2, ``no``, ``off`` and ``12:30`` are texts; so are digits after a zero, such as ``00123``.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not supported", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # It cannot be a key, which the parser of the mapping says.
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                mark = key_node.start_mark
                raise yaml.MarkedYAMLError(None, None, f"the key {key!r} is given twice", mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REDEFINED_TAGS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_TextLoader.add_implicit_resolver(_BOOL, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_TextLoader.add_implicit_resolver(_INT, re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_TextLoader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"^[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$"
    ),
    list("-+0123456789."),
)


def read_ruleset_file(path: Path) -> RuleSet:
    """Read a rule set from a YAML or JSON file.

    Raises:
        InvalidInputError: The file cannot be read, or is not a rule set. The message names the place.
    """
    return parse_ruleset(read_text_file(path), path.name)


def read_text_file(path: Path) -> str:
    """Return the text of a small file.

    Raises:
        InvalidInputError: There is no such file, it is too large, or not text in UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInputError(f"{path} is larger than {MAX_BYTES // 10**6} MB; a rule file is small.")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error.strerror or error}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not text in UTF-8; save it as YAML or JSON in UTF-8.") from error


def parse_ruleset(text: str, file_name: str) -> RuleSet:
    """Return the rule set in a text.

    Args:
        text: YAML or JSON.
        file_name: The name of the file, for messages, and without its ending the default name of the set.

    Raises:
        InvalidInputError: The text is not a rule set. The message names the file and the place.
    """
    return build_ruleset(parse_yaml(text, file_name), file_name)


def build_ruleset(data: Any, file_name: str) -> RuleSet:
    """Return the rule set in the parsed content of a rule file; arguments and errors as
    :func:`parse_ruleset`."""
    if not isinstance(data, Mapping) or "rules" not in data:
        raise InvalidInputError(
            f"{file_name} is not a rule set: it has no list 'rules'. To read a schema of another tool, run: "
            "lavendertown rules import."
        )
    _refuse_other_keys(data, (*_SET_KEYS, *_STORED_KEYS), file_name)
    rules = data["rules"]
    if not isinstance(rules, list):
        raise InvalidInputError(f"{file_name}: 'rules' must be a list of rules.")
    read = [_parse_rule(rule, position, file_name) for position, rule in enumerate(rules, 1)]
    names: set[str] = set()
    for position, rule in enumerate(read, 1):
        if rule.name in names:
            raise InvalidInputError(f"{file_name}, rule {position}: the name {rule.name!r} is given twice.")
        names.add(rule.name)
    name = _read_text(data, "name", file_name) or Path(file_name).stem
    return RuleSet(name, _read_text(data, "description", file_name), read)


def parse_yaml(text: str, file_name: str) -> Any:
    """Return the values in YAML or JSON, with dates as ISO 8601 text.

    Raises:
        InvalidInputError: The text is neither. The message names the line.
    """
    try:
        return _to_json_values(_load_json(text) or yaml.load(text, _TextLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidInputError(f"{file_name} is not valid YAML or JSON{place}: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInputError(f"{file_name} is not valid YAML or JSON: {reason}.") from error


def _load_json(text: str) -> Any:
    """Return the values in JSON, which is read faster; None for other texts, also for wrong JSON."""
    try:
        is_json = text.lstrip()[:1] in ("{", "[")
        return json.loads(text, object_pairs_hook=_to_mapping) if is_json else None
    except ValueError:
        return None


def _to_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("A key is given twice.")
    return mapping


def format_ruleset(ruleset: RuleSet, file_format: RuleFileFormat = "yaml") -> str:
    """Return a rule set as the text of a rule file."""
    return format_values(ruleset.to_dict(), file_format)


def format_values(values: Any, file_format: RuleFileFormat = "yaml") -> str:
    """Return JSON values as YAML or JSON."""
    if file_format == "json":
        return json_codec.dumps(json_codec.to_jsonable(values), indent=True).decode() + "\n"
    return yaml.safe_dump(json_codec.to_jsonable(values), sort_keys=False, allow_unicode=True, width=100)


def _parse_rule(data: Any, position: int, file_name: str) -> Rule:
    place = f"{file_name}, rule {position}"
    if not isinstance(data, Mapping):
        raise InvalidInputError(f"{place} must have keys such as name and rule_type.")
    name = _read_text(data, "name", place)
    if name:
        place = f"{place} ({name})"
    _refuse_other_keys(data, _RULE_KEYS, place)
    rule_type = _read_text(data, "rule_type", place)
    for key, value in (("name", name), ("rule_type", rule_type)):
        if not value:
            raise InvalidInputError(f"{place} has no {key}.")
    parameters, enabled = data.get("parameters"), data.get("enabled", True)
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidInputError(f"{place}: 'parameters' must be names with values.")
    if not isinstance(enabled, bool):
        raise InvalidInputError(f"{place}: 'enabled' must be true or false.")
    column = _read_text(data, "column", place) or None
    description = _read_text(data, "description", place)
    return Rule(name, description, rule_type, column, dict(parameters or {}), enabled)


def _read_text(data: Mapping[str, Any], key: str, place: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        raise InvalidInputError(f"{place}: {key!r} must be a text.")
    if isinstance(value, bool):
        raise InvalidInputError(f"{place}: {key!r} must be a text; write it in quotes.")
    return str(value)


def _refuse_other_keys(data: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in data:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"use {', '.join(known[:6])}"
            raise InvalidInputError(f"{place}: the key {key!r} is unknown; {hint}")


def _to_json_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _to_json_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_to_json_values(each) for each in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value
