"""The stable id of a finding: fingerprint version 1, and the ids that earlier versions gave.

A check that fails again on the same column of the same dataset is the same finding, even if its counts
differ. Everything that a team adds to a finding is stored under this id.

Without a named check, the description identifies a finding, with the numbers masked that differ from run
to run. Stored threads depend on the result of the masking, so it never changes. Besides the plain masking of
numbers, each rule requires words which show that a number is a count, a run id or a list of rows; limits and
accepted values belong to the check.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.findings import GhostFinding

FINGERPRINT_PREFIX = "f1-"
KEPT_FINGERPRINT = "masked_fingerprint"
"""The key in the metadata of a finding without a check whose description was masked: its id before that."""

SETTINGS_MARK = "-"
"""Separates the key of a check from what its settings add to it."""

_FINGERPRINT = re.compile(r"f1-[0-9a-f]{32}")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,\u00a0\u202f']\d+)*(?:[eE][+-]?\d+)?(?:\s?%)?")
_RUN_ID = re.compile(
    r"\b((?:run|batch|invocation|execution|session|job)(?:[ _-]?id)?[ :=#(]{1,3})"
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,64})(?![\w-])",
    re.IGNORECASE,
)
_ROW_LIST = re.compile(
    r"\b((?:rows|records|lines|indices|indexes|positions)(?: indices)?:? )"
    r"(?:(\[)\d++(?:, \d++)++(?:, \.\.\.)?\]|\d++(?:, \d++)*+,? and \d++(?! more)"
    r"|\d++(?:, \d++)++(?=[.;)]|$))"
    r"(?: and \d++ more| \(and \d++ more\))?",
    re.IGNORECASE,
)
_VERBS = {"is": "are", "was": "were", "has": "have", "does": "do", "fails": "fail", "holds": "hold"}
_VERB_PATTERN = rf"(?: \([^()]{{1,30}}\))? (?:{'|'.join(_VERBS)})\b"
_NOUN = (
    "row|record|value|result|line|item|cell|case|failure|error|null|duplicate|outlier|violation|mismatch|key"
)
_ADJECTIVE = "duplicate|missing|null|empty|invalid|unexpected|suspicious|failing|failed|bad"
_ONE_ITEM = re.compile(
    rf"(?<![\w.,+-])(?P<count>1 (?:(?:{_ADJECTIVE}) ){{0,2}})"
    rf"(?P<noun>(?:{_NOUN})(?!\w)|[a-z]{{2,20}}(?<!s)(?={_VERB_PATTERN}))"
    rf"(?![\w('/-]| per\b| for each\b)(?P<verb>{_VERB_PATTERN})?"
)
_ONE_OF_MANY = re.compile(
    rf"(?<![\w.,+-])(?P<count>1 of \d[\d.,]*+ )(?P<noun>[a-z]+s)(?P<verb>{_VERB_PATTERN})"
)
_THERE_IS = re.compile(r"\bThere (is|was)(?= 1 )")
_LIMIT_WORDING = re.compile(
    r"\b(?:least|most|exactly|only|than|every|each|per|must|should|part|step|page|type|has)\b[^.;:,]*$",
    re.IGNORECASE,
)
_MAX_CLAUSE_LENGTH = 120
# Removing them from bytes takes a seventh of the time, and every finding that is saved is compared.
_NUMBER_BYTES = b"0123456789#.,%+-' "


def compute_fingerprint(finding: GhostFinding, dataset: str | None = None) -> str:
    """Return the fingerprint of a finding, version 1: ``f1-`` and 32 hex digits.

    It is computed from the dataset, the ghost type, the column and the check. The check is a tool's own
    stable ``metadata["check_id"]``, else ``metadata["check"]`` with its ``params``, else the description
    as :func:`mask_description` leaves it. A masked description does not count: the finding keeps the
    fingerprint from before.

    Args:
        finding: The finding.
        dataset: The dataset, if the finding's own ``metadata["dataset"]`` is missing or empty.
    """
    kept = _kept_fingerprint(finding.metadata)
    if kept:
        return kept
    check = _check_identity(finding.metadata, finding.description)
    return _hash_fingerprint(
        json_codec.dumps_canonical(
            ["v1", _effective_dataset(finding.metadata, dataset), finding.ghost_type, finding.column, *check]
        )
    )


def compute_field_fingerprint(
    ghost_type: str, column: str, description: str, metadata: Mapping[str, Any], dataset: str
) -> str:
    """Return the fingerprint of a finding whose metadata consists of plain JSON values.

    It equals the result of :func:`compute_fingerprint`.
    """
    kept = _kept_fingerprint(metadata)
    if kept:
        return kept
    parts = [
        "v1",
        _effective_dataset(metadata, dataset),
        ghost_type,
        column,
        *_check_identity(metadata, description),
    ]
    try:
        return _hash_fingerprint(json_codec.dumps(parts, sort_keys=True))
    except TypeError:
        # A text that cannot be encoded as UTF-8: this raises an error that names it.
        return _hash_fingerprint(json_codec.dumps_canonical(parts))


def _kept_fingerprint(metadata: Mapping[str, Any]) -> str:
    """Return the id that the finding had before it was masked; empty if it has a check or was not masked."""
    if metadata.get("check_id") or metadata.get("check"):
        return ""
    kept = metadata.get(KEPT_FINGERPRINT)
    return kept if isinstance(kept, str) and _FINGERPRINT.fullmatch(kept) else ""


def _effective_dataset(metadata: Mapping[str, Any], dataset: str | None) -> str:
    return str(metadata.get("dataset") or dataset or "")


def _check_identity(metadata: Mapping[str, Any], description: str) -> tuple[object, ...]:
    if metadata.get("check_id"):
        return ("id", str(metadata["check_id"]))
    if metadata.get("check"):
        return ("check", str(metadata["check"]), metadata.get("params") or {})
    return ("text", mask_description(description))


def _hash_fingerprint(parts: bytes) -> str:
    return FINGERPRINT_PREFIX + hashlib.sha256(parts).hexdigest()[:32]


def check_key(metadata: Mapping[str, Any], dataset: str, column: str) -> str:
    """Return the key that a finding shares with the coverage entry of its check: 16 hex digits.

    Unlike the fingerprint it does not include the ghost type, because a check that passed has none. It is
    empty if no check is named. If settings of the check decide what it finds, ``-`` and 8 more digits follow:
    with other settings, a check that passes does not show that the data has changed.

    Args:
        metadata: A finding's metadata, or an entry of a report's coverage: ``check_id``, or ``check``
            with ``params`` and ``settings``.
        dataset: The dataset.
        column: The column that was checked.
    """
    if metadata.get("check_id"):
        parts: list[object] = ["id", str(metadata["check_id"])]
    elif metadata.get("check"):
        parts = ["check", str(metadata["check"]), metadata.get("params") or {}, column]
    else:
        return ""
    key = _short_hash(["c1", dataset, *parts])
    settings = _deciding_settings(metadata)
    return f"{key}{SETTINGS_MARK}{_short_hash(settings)[:8]}" if settings else key


def has_check_settings(metadata: Mapping[str, Any], stored_key: str) -> bool:
    """Return whether the key of a check depends on settings, or the one that is stored does."""
    return SETTINGS_MARK in stored_key or bool(metadata.get("settings"))


def ran_with_other_settings(key: str, executed: frozenset[str]) -> bool:
    """Return whether a run completed the check of this key (:func:`check_key`), but with other settings."""
    return bool(key) and key not in executed and _without_settings(key) in _all_without_settings(executed)


def _without_settings(key: str) -> str:
    return key.partition(SETTINGS_MARK)[0]


# 200 findings and the keys of 28,000 checks take 16 ms instead of 1.8 s.
@lru_cache(maxsize=64)
def _all_without_settings(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_without_settings, keys))


def _deciding_settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    settings = metadata.get("settings")
    if metadata.get("check_id") or not isinstance(settings, Mapping):
        return {}
    return {name: value for name, value in settings.items() if name != "severity"}


def _short_hash(parts: object) -> str:
    return hashlib.sha256(json_codec.dumps_canonical(parts)).hexdigest()[:16]


def executed_check_keys(metadata: Mapping[str, Any], dataset: str) -> frozenset[str]:
    """Return the keys of the checks that were completed, according to a report's metadata.

    They are read from ``metadata["coverage"]["ran"]``, a list of ``{check or check_id, column, params,
    outcome}``; checks with the outcome ``"failed"`` are not included. Empty if the metadata has no coverage.
    """
    coverage = metadata.get("coverage")
    ran = coverage.get("ran") if isinstance(coverage, Mapping) else None
    entries = [entry for entry in ran if isinstance(entry, Mapping)] if isinstance(ran, list) else []
    completed = (entry for entry in entries if entry.get("outcome") != "failed")
    keys = (check_key(entry, dataset, str(entry.get("column", ""))) for entry in completed)
    return frozenset(filter(None, keys))


def legacy_id(ghost_type: str, column: str, description: str) -> str:
    """Return the id that LavenderTown 0.7 gave a finding: an MD5 of type, column and description."""
    key = f"{ghost_type}:{column}:{description}"
    return hashlib.md5(key.encode("utf-8"), usedforsecurity=False).hexdigest()


def is_legacy_id(finding_id: str) -> bool:
    """Return whether an id has the form of version 0.7 (32 hex digits)."""
    return len(finding_id) == 32 and all(c in "0123456789abcdef" for c in finding_id)


def mask_description(description: str) -> str:
    """Return a description with each number replaced by ``#``, so that it is the same in every run.

    - ``1 row is`` becomes the same as ``2 rows are``, except after a limit: ``at most 1 row``.
    - The UUID or hexadecimal id of a run becomes ``#``: ``run 3f9a41c7``.
    - A list of rows of any length becomes ``#``: ``rows [3, 17, 99]``. Other lists keep their length.
    """
    text = _RUN_ID.sub(r"\1#", description)
    text = _ROW_LIST.sub(lambda match: f"{match[1]}{'[#]' if match[2] else '#'}", text)
    if "1 " in text:
        text = _THERE_IS.sub(lambda match: f"There {_VERBS[match[1]]}", text)
        text = _ONE_OF_MANY.sub(_pluralize_match, _ONE_ITEM.sub(_pluralize_match, text))
    return _NUMBER.sub("#", text)


def matches_masked(description: str, stored: str) -> bool:
    """Return whether a description equals a stored masked one; most cases need no masking."""
    return (
        _without_numbers(description) == _without_numbers(stored) or mask_description(description) == stored
    )


def _without_numbers(text: str) -> bytes:
    return text.encode("utf-8").translate(None, _NUMBER_BYTES)


def _pluralize_match(match: re.Match[str]) -> str:
    if _LIMIT_WORDING.search(match.string[max(0, match.start() - _MAX_CLAUSE_LENGTH) : match.start()]):
        return match[0]
    noun, verb = match["noun"], match["verb"] or ""
    between, _, last = verb.rpartition(" ")
    many = noun if noun.endswith("s") else f"{noun}{'es' if noun.endswith('ch') else 's'}"
    return f"{match['count']}{many}{between}{f' {_VERBS[last]}' if last else ''}"
