"""Sources of data that an administrator named in a settings file, so that visitors may inspect them.

In a settings file, each is a table: ``[sources.orders]`` with ``path = "exports/*.parquet"``, or with a
``url`` and, for a database, a ``table`` or a ``query``. Passwords stay out of the file as ``${VARIABLE}``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lavendertown.core.errors import ConfigurationError, InvalidInputError
from lavendertown.core.settings_tables import VARIABLE, merge_tables

_KEYS = ("path", "url", "table", "query", "every")
_MAX_NAME = 100
_INTERVAL = re.compile(r"([1-9]\d{0,3}) (minute|hour|day)s?")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True)
class ConfiguredSource:
    """A source of data that an administrator named.

    Attributes:
        name: The name, which is also that of its dataset.
        path: A file, a folder or a pattern, absolute; empty for a URL.
        url: A database or a file on a server, with the password; empty for a path.
        table: The table of a database, or the member of a zip archive; None for the only one.
        query: A statement that returns rows, in place of ``table``.
        missing: The variables in the URL that are not set.
        minutes: The minutes after which ``lavendertown tick`` checks it again; 0 if it does not.
    """

    name: str
    path: str = ""
    url: str = field(default="", repr=False)
    table: str | None = None
    query: str | None = field(default=None, repr=False)
    missing: tuple[str, ...] = ()
    minutes: int = 0


def check_sources(data: Any, file: Path) -> dict[str, dict[str, str]]:
    """Return the table ``sources`` of a settings file if it is well-formed.

    Raises:
        ConfigurationError: A source is malformed. The message names it, but quotes no URL.
    """
    if not isinstance(data, dict):
        raise ConfigurationError(f"The setting 'sources' in {file} must have a table for each name.")
    for name, source in data.items():
        problem = _find_problem(str(name), source)
        if problem:
            raise ConfigurationError(f"The source {str(name)[:_MAX_NAME]!r} in {file} {problem}.")
    return {str(name).strip(): dict(source) for name, source in data.items()}


def _find_problem(name: str, source: Any) -> str:
    """Return what is wrong with a source, as the end of a sentence; empty if nothing is."""
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        return f"needs a name of 1 to {_MAX_NAME} printable characters"
    if not isinstance(source, dict) or not all(isinstance(value, str) for value in source.values()):
        return f"must be a table with texts for {', '.join(_KEYS)}"
    unknown = sorted(str(key) for key in set(source) - set(_KEYS))
    if unknown:
        return f"has the unknown key {unknown[0][:_MAX_NAME]!r}; the known keys are {', '.join(_KEYS)}"
    if bool(source.get("path")) == bool(source.get("url")):
        return "needs either a path or a url"
    if source.get("table") and source.get("query"):
        return "has both a table and a query; leave out one of them"
    if source.get("every") and not _INTERVAL.fullmatch(source["every"].strip()):
        return "needs a number of minutes, hours or days for every, such as '6 hours'"
    return ""


def build_sources(
    layers: Sequence[Mapping[str, Mapping[str, str]]], root: Path, variables: Mapping[str, str | None]
) -> tuple[ConfiguredSource, ...]:
    """Return the sources of several settings files, sorted by name.

    Args:
        layers: The checked tables, the one that takes precedence first.
        root: The folder that paths are relative to.
        variables: The values for ``${VARIABLE}`` in URLs.
    """
    tables = merge_tables(layers)
    return tuple(_build_source(name, source, root, variables) for name, source in tables.items())


def _build_source(
    name: str, source: Mapping[str, str], root: Path, variables: Mapping[str, str | None]
) -> ConfiguredSource:
    path, url = source.get("path") or "", source.get("url") or ""
    missing = [variable for variable in VARIABLE.findall(url) if not variables.get(variable)]
    if path:
        path = os.path.normpath(root / os.path.expanduser(path))  # noqa: PTH111 - as in expand_home
    return ConfiguredSource(
        name,
        path,
        _expand_variables(url, variables),
        source.get("table") or None,
        source.get("query") or None,
        tuple(dict.fromkeys(missing)),
        _parse_interval(source.get("every") or ""),
    )


def _parse_interval(text: str) -> int:
    match = _INTERVAL.fullmatch(text.strip())
    return int(match[1]) * _MINUTES[match[2]] if match else 0


def _expand_variables(url: str, variables: Mapping[str, str | None]) -> str:
    """Replace each ``${VARIABLE}``; as a part of the URL, such as the password, its signs are encoded."""
    is_whole = VARIABLE.fullmatch(url) is not None

    def value_of(match: re.Match[str]) -> str:
        value = variables.get(match[1]) or ""
        return value if is_whole else quote(value, safe="")

    return VARIABLE.sub(value_of, url)


def find_source(sources: Sequence[ConfiguredSource], name: str) -> ConfiguredSource:
    """Return the source with this name.

    Raises:
        InvalidInputError: No source has this name.
    """
    source = next((each for each in sources if each.name == name), None)
    if source is None:
        shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in str(name)[:_MAX_NAME])
        known = ", ".join(each.name for each in sources) or "none are configured"
        raise InvalidInputError(f"There is no configured source {shown!r}; the configured sources: {known}.")
    return source
