"""How the table of a run was read, and whether two runs read a column differently.

A column is read differently if a person changed a setting between the runs and the change reaches the column.
What only the data changed, such as a column that became text because its numbers are broken, is not such a
change: its findings are new or gone as always.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.reading import Reading

_KINDS_BY_SETTING = {
    "encoding": frozenset({"text"}),
    "decimal": frozenset({"number"}),
    "thousands": frozenset({"number"}),
    "date_order": frozenset({"time"}),
}
"""The kinds of columns that a setting reaches; the other settings reach all columns."""

_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class RunReading:
    """How the table of a run was read.

    Attributes:
        given: The settings that a person gave, as :meth:`Reading.to_dict` returns them.
        used: All settings that are known, given and detected.
        kinds: The kind of each column, as :attr:`lavendertown.tables.table.Column.kind`.
    """

    given: Mapping[str, Any]
    used: Mapping[str, Any]
    kinds: Mapping[str, str]


def describe_reading(given: Reading, used: Reading, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return how a table was read, as a report's ``metadata["coverage"]["reading"]`` keeps it."""
    settings = given.to_dict()
    return {
        "digest": hashlib.sha256(json_codec.dumps_canonical(settings)).hexdigest()[:_DIGEST_LENGTH],
        "given": settings,
        "used": used.to_dict(),
        "kinds": dict(kinds),
    }


def reading_digest(metadata: Mapping[str, Any]) -> str:
    """Return the digest of the settings that were given for a report; empty if they are not known."""
    digest = _stored_reading(metadata).get("digest")
    return digest if isinstance(digest, str) else ""


def read_run_reading(metadata: Mapping[str, Any]) -> RunReading | None:
    """Return how the table of a report was read; None if its metadata does not tell."""
    stored = _stored_reading(metadata)
    given, used, kinds = (stored.get(name) for name in ("given", "used", "kinds"))
    if not (isinstance(given, Mapping) and isinstance(used, Mapping) and isinstance(kinds, Mapping)):
        return None
    return RunReading(given, used, kinds)


def _stored_reading(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    coverage = metadata.get("coverage")
    stored = coverage.get("reading") if isinstance(coverage, Mapping) else None
    return stored if isinstance(stored, Mapping) else {}


def is_read_differently(column: str, before: RunReading | None, after: RunReading | None) -> bool:
    """Return whether a person changed how a column is read between two runs.

    Args:
        column: The column of a finding. Several, joined by commas, and whole rows (``*``) are read
            differently if one of the columns is.
        before, after: How the two runs were read; None if that is not known, which is no change.
    """
    if before is None or after is None or before.given == after.given:
        return False
    known = {**before.kinds, **after.kinds}
    columns = [column] if column in known else [each for each in column.split(", ") if each in known]
    return any(_differs(each, before, after) for each in columns or known)


def _differs(column: str, before: RunReading, after: RunReading) -> bool:
    kinds = {before.kinds.get(column), after.kinds.get(column)}
    for name in {*before.given, *after.given} - {"types"}:
        is_changed = all(
            one.get(name) != other.get(name)
            for one, other in ((before.given, after.given), (before.used, after.used))
        )
        if is_changed and (name not in _KINDS_BY_SETTING or kinds & _KINDS_BY_SETTING[name]):
            return True
    types = [_type_of(column, each) for each in (before, after)]
    return types[0] != types[1] and len(kinds) > 1


def _type_of(column: str, reading: RunReading) -> Any:
    types = reading.given.get("types")
    return types.get(column) if isinstance(types, Mapping) else None
