"""Tables of settings files with a table for each name, such as ``[notifications.team]``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

VARIABLE = re.compile(r"\$\{(\w+)\}")
"""A variable in a text of a settings file."""


def merge_tables(layers: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """Return the tables of several settings files, sorted by name.

    Args:
        layers: The tables of each file, those of the file that takes precedence first.
    """
    merged: dict[str, Mapping[str, Any]] = {}
    for layer in layers:
        for name, table in layer.items():
            merged.setdefault(name, table)
    return dict(sorted(merged.items()))


def expand_variables(
    texts: Mapping[str, str], variables: Mapping[str, str | None]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return texts with each ``${VARIABLE}`` replaced by its value, and the variables that are not set."""
    names = [name for text in texts.values() for name in VARIABLE.findall(text)]
    expanded = {
        key: VARIABLE.sub(lambda match: variables.get(match[1]) or "", text) for key, text in texts.items()
    }
    return expanded, tuple(dict.fromkeys(name for name in names if not variables.get(name)))
