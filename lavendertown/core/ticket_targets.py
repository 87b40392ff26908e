"""Trackers in which people create tickets about findings, as an administrator configured them.

In a settings file, each is a table: ``[tickets.github]`` with a ``type``, a ``url`` and a ``token``. Secrets
stay out of the file as ``${VARIABLE}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lavendertown.core.errors import ConfigurationError, InvalidInputError
from lavendertown.core.settings_tables import VARIABLE, expand_variables, merge_tables

TYPES = ("github", "jira", "webhook")
PLACEHOLDERS = ("title", "text", "link", "dataset", "column", "severity", "finding_id")
"""What a template may have in braces, such as ``{title}``."""
_TEXTS = ("type", "url", "user", "token")
_TABLES = ("fields", "template")
_KEYS = (*_TEXTS, *_TABLES, "allow_private")
_MAX_NAME = 100
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class TicketTarget:
    """A tracker.

    Attributes:
        name: The name that people choose.
        type: One of :data:`TYPES`.
        url: The address to which new tickets are posted.
        user: The user, where the tracker needs one in addition to the token.
        token: The token or password.
        fields: Further fields of the ticket, such as labels, or the project of Jira.
        template: The body of a ``webhook``, whose texts may have :data:`PLACEHOLDERS`.
        allow_private: Whether the tracker may have a private, local or otherwise not public address.
        missing: The variables that are not set.
    """

    name: str
    type: str
    url: str = field(repr=False)
    user: str = ""
    token: str = field(default="", repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=dict)
    allow_private: bool = False
    missing: tuple[str, ...] = ()


def check_ticket_targets(data: Any, file: Path) -> dict[str, dict[str, Any]]:
    """Return the table ``tickets`` of a settings file if it is well-formed.

    Raises:
        ConfigurationError: A tracker is malformed. The message names it, but quotes no address or secret.
    """
    if not isinstance(data, dict):
        raise ConfigurationError(f"The setting 'tickets' in {file} must have a table for each name.")
    for name, target in data.items():
        problem = _find_problem(str(name), target)
        if problem:
            raise ConfigurationError(f"The tracker {str(name)[:_MAX_NAME]!r} in {file} {problem}.")
    return {str(name).strip(): dict(target) for name, target in data.items()}


def _find_problem(name: str, target: Any) -> str:
    """Return what is wrong with a tracker, as the end of a sentence; empty if nothing is."""
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        return f"needs a name of 1 to {_MAX_NAME} printable characters"
    if not isinstance(target, dict):
        return "must be a table with a type"
    unknown = sorted(str(key) for key in set(target) - set(_KEYS))
    if unknown:
        return f"has the unknown key {unknown[0][:_MAX_NAME]!r}; the known keys are {', '.join(_KEYS)}"
    for keys, kind, noun in ((_TEXTS, str, "a text"), (_TABLES, dict, "a table")):
        for key in keys:
            if not isinstance(target.get(key, kind()), kind):
                return f"needs {noun} for {key}"
    if not isinstance(target.get("allow_private", False), bool):
        return "needs true or false for allow_private"
    if target.get("type") not in TYPES:
        return f"needs a type: one of {', '.join(TYPES)}"
    parts = urlsplit(VARIABLE.sub("x", target.get("url", "")))
    if not VARIABLE.match(target.get("url", "")) and not (
        parts.scheme in ("http", "https") and parts.hostname
    ):
        return "needs a url that begins with https:// or http://"
    if target["type"] == "webhook" and not target.get("template"):
        return "is of type webhook and needs a template"
    for placeholder in _find_placeholders(target.get("template", {})):
        if placeholder not in PLACEHOLDERS:
            return f"has the unknown placeholder {placeholder[:_MAX_NAME]!r}; use {', '.join(PLACEHOLDERS)}"
    return ""


def _find_placeholders(value: Any) -> list[str]:
    if isinstance(value, str):
        return _PLACEHOLDER.findall(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for item in items for name in _find_placeholders(item)]


def fill_template(value: Any, texts: Mapping[str, str]) -> Any:
    """Return a template with its placeholders replaced."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: texts[match[1]], value)
    if isinstance(value, Mapping):
        return {key: fill_template(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_template(item, texts) for item in value]
    return value


def build_ticket_targets(
    layers: Sequence[Mapping[str, Mapping[str, Any]]], variables: Mapping[str, str | None]
) -> tuple[TicketTarget, ...]:
    """Return the trackers of several settings files, sorted by name.

    Args:
        layers: The checked tables, the one that takes precedence first.
        variables: The values for ``${VARIABLE}`` in texts.
    """
    return tuple(_build_target(name, target, variables) for name, target in merge_tables(layers).items())


def _build_target(name: str, target: Mapping[str, Any], variables: Mapping[str, str | None]) -> TicketTarget:
    texts = {key: target[key] for key in _TEXTS if target.get(key)}
    expanded, missing = expand_variables(texts, variables)
    return TicketTarget(
        name,
        fields=target.get("fields", {}),
        template=target.get("template", {}),
        allow_private=target.get("allow_private", False),
        missing=missing,
        **{"url": "", **expanded},
    )


def find_ticket_target(targets: Sequence[TicketTarget], name: str) -> TicketTarget:
    """Return the tracker with this name.

    Raises:
        InvalidInputError: No tracker has this name.
    """
    target = next((each for each in targets if each.name == name), None)
    if target is None:
        known = ", ".join(each.name for each in targets) or "none are configured"
        raise InvalidInputError(
            f"There is no tracker {name[:_MAX_NAME]!r}; the configured trackers: {known}."
        )
    return target
