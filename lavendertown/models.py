"""The finding: what a check saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lavendertown.errors import InvalidInputError

SEVERITIES = ("info", "warning", "error")
"""Severities, least to most serious."""

GHOST_TYPES = (
    "null",
    "disguised_null",
    "type",
    "outlier",
    "duplicate",
    "constant",
    "format",
    "category",
    "date",
    "rule",
    "drift",
    "check_error",
)
"""Ghost types that LavenderTown's own checks produce. Other tools' types are accepted as they come."""


@dataclass
class GhostFinding:
    """One failed check: which kind of ghost, where, and how much of the table it affects.

    Attributes:
        ghost_type: What kind of fault, such as ``"null"``; see :data:`GHOST_TYPES`.
        column: The column, or ``"*"`` where the whole row is meant.
        severity: ``"info"``, ``"warning"`` or ``"error"``.
        description: One sentence for people.
        row_indices: Positions of affected rows, counted from 0 in the order of the data;
            None when they are not known.
        metadata: Plain JSON values. LavenderTown's own findings always carry ``check`` (name),
            ``params`` (what a person chose, never what the data gave), ``count`` (affected rows)
            and ``share`` (0 to 1). ``dataset`` names the dataset the finding belongs to.

    Raises:
        InvalidInputError: The severity is not one of the three.
    """

    ghost_type: str
    column: str
    severity: str
    description: str
    row_indices: list[int] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise InvalidInputError(
                f"Severity {self.severity!r} is not known; use one of {', '.join(SEVERITIES)}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a dictionary with one key a field."""
        return {
            "ghost_type": self.ghost_type,
            "column": self.column,
            "severity": self.severity,
            "description": self.description,
            "row_indices": self.row_indices,
            "metadata": self.metadata,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GhostFinding:
        """Build a finding from :meth:`to_dict`'s dictionary; unknown keys are ignored.

        Raises:
            InvalidInputError: A required key is missing.
        """
        missing = [k for k in ("ghost_type", "column", "severity", "description") if k not in data]
        if missing:
            raise InvalidInputError(f"This finding lacks {', '.join(missing)}.")
        return cls(
            ghost_type=data["ghost_type"],
            column=data["column"],
            severity=data["severity"],
            description=data["description"],
            row_indices=data.get("row_indices"),
            metadata=data.get("metadata") or {},
        )
