"""Who a finding is: fingerprint v1, and the ids that earlier versions gave.

The same check failing on the same column of the same dataset is the same finding next week,
whatever its counts say. Everything a team adds hangs on this id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from lavendertown import codec
from lavendertown.models import GhostFinding
from lavendertown.wording import masked

PREFIX = "f1-"


def fingerprint(finding: GhostFinding, dataset: str | None = None) -> str:
    """Return the finding's id, version 1: ``f1-`` and 32 hex digits.

    Made from dataset, ghost type, column and the check. The check is a tool's own stable
    ``metadata["check_id"]``, else ``metadata["check"]`` with its ``params``, else the description
    as :func:`lavendertown.wording.masked` leaves it.

    Args:
        finding: The finding.
        dataset: Used where the finding's own ``metadata["dataset"]`` says nothing.
    """
    check = _check(finding.metadata, finding.description)
    return _named(
        codec.canonical(
            ["v1", _dataset(finding.metadata, dataset), finding.ghost_type, finding.column, *check]
        )
    )


def fingerprint_of(
    ghost_type: str, column: str, description: str, metadata: Mapping[str, Any], dataset: str
) -> str:
    """Return the :func:`fingerprint` of a finding whose metadata :func:`codec.plain` has made plain."""
    parts = ["v1", _dataset(metadata, dataset), ghost_type, column, *_check(metadata, description)]
    try:
        return _named(codec.dumps(parts, sort_keys=True))
    except TypeError:
        # A text that UTF-8 has no bytes for; this says so.
        return _named(codec.canonical(parts))


def _dataset(metadata: Mapping[str, Any], dataset: str | None) -> str:
    return str(metadata.get("dataset") or dataset or "")


def _check(metadata: Mapping[str, Any], description: str) -> tuple[object, ...]:
    if metadata.get("check_id"):
        return ("id", str(metadata["check_id"]))
    if metadata.get("check"):
        return ("check", str(metadata["check"]), metadata.get("params") or {})
    return ("text", masked(description))


def _named(parts: bytes) -> str:
    return PREFIX + hashlib.sha256(parts).hexdigest()[:32]


def check_key(metadata: Mapping[str, Any], dataset: str, column: str) -> str:
    """Return what a finding and the record that its check ran have in common: 16 hex digits.

    Unlike the fingerprint it knows no ghost type, which a check that passed has not got. Empty where
    no check is named.

    Args:
        metadata: A finding's metadata, or an entry of a report's coverage: ``check_id``, or ``check``
            with ``params``.
        dataset: The dataset.
        column: The column that was checked.
    """
    if metadata.get("check_id"):
        parts: list[object] = ["id", str(metadata["check_id"])]
    elif metadata.get("check"):
        parts = ["check", str(metadata["check"]), metadata.get("params") or {}, column]
    else:
        return ""
    return hashlib.sha256(codec.canonical(["c1", dataset, *parts])).hexdigest()[:16]


def covered(metadata: Mapping[str, Any], dataset: str) -> frozenset[str]:
    """Return the keys of the checks that ran to their end, as a report's metadata tells.

    Read from ``metadata["coverage"]["ran"]``, a list of ``{check or check_id, column, params,
    outcome}``; an outcome of ``"failed"`` is no check. Empty where nothing is told.
    """
    coverage = metadata.get("coverage")
    ran = coverage.get("ran") if isinstance(coverage, Mapping) else None
    entries = [entry for entry in ran if isinstance(entry, Mapping)] if isinstance(ran, list) else []
    good = (entry for entry in entries if entry.get("outcome") != "failed")
    keys = (check_key(entry, dataset, str(entry.get("column", ""))) for entry in good)
    return frozenset(filter(None, keys))


def legacy_id(ghost_type: str, column: str, description: str) -> str:
    """Return the id LavenderTown 0.7 gave: an MD5 over type, column and description."""
    key = f"{ghost_type}:{column}:{description}"
    return hashlib.md5(key.encode("utf-8"), usedforsecurity=False).hexdigest()


def dataset_name(file: str) -> str:
    """Guess what a file is a delivery of: its name without ending, dates and running numbers.

    ``orders-2026-11-21.csv`` and ``20261128_orders.csv.gz`` are both deliveries of ``orders``, so
    next week's findings are known again.
    """
    stem = PurePath(file).name.split(".")[0] or file
    name = re.sub(r"^\d[\d\W_]*[\W_]", "", stem)
    return re.sub(r"[\W_]*\d[\d\W_]*$", "", name) or stem


def is_legacy_id(finding_id: str) -> bool:
    """Tell whether an id has the form that 0.7 gave (32 hex digits)."""
    return len(finding_id) == 32 and all(c in "0123456789abcdef" for c in finding_id)
