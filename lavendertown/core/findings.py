"""The finding: the result of a failed check."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lavendertown.core.dataclass_dicts import fields_from_dict, fields_to_dict
from lavendertown.core.errors import InvalidInputError

SEVERITIES = ("info", "warning", "error")
"""The severities, from least to most severe."""

WHOLE_ROW = "*"
"""The column of a finding that concerns no single column: whole rows, or the table."""

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
    "dependency",
    "rule",
    "drift",
    "check_error",
)
"""The ghost types that LavenderTown's own checks produce. Types of other tools are accepted unchanged."""


def column_label(column: str) -> str:
    """Return what people read as the column of a finding."""
    return "whole row" if column == WHOLE_ROW else column


@dataclass
class GhostFinding:
    """One failed check: the type of problem, its column, and the affected rows.

    Attributes:
        ghost_type: The type of problem, such as ``"null"``; see :data:`GHOST_TYPES`.
        column: The column, or ``"*"`` for whole rows.
        severity: ``"info"``, ``"warning"`` or ``"error"``.
        description: One sentence for people.
        row_indices: The positions of the affected rows, counted from 0 in the order of the data;
            None if unknown.
        metadata: Plain JSON values. LavenderTown's own findings always have ``check`` (the name),
            ``params`` (values that a person chose, never values from the data), ``count`` (affected
            rows) and ``share`` (0 to 1). ``dataset`` names the dataset the finding belongs to, ``columns``
            the columns of a finding about several; see :func:`finding_columns`.

    Raises:
        InvalidInputError: The severity is unknown.
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
                f"The severity {reprlib.repr(self.severity)} is unknown; use one of {', '.join(SEVERITIES)}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a dictionary with one key per field."""
        return fields_to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GhostFinding:
        """Build a finding from a dictionary that :meth:`to_dict` returned; unknown keys are ignored.

        Raises:
            InvalidInputError: A required key is missing, or a value has the wrong type.
        """
        values = fields_from_dict(cls, data, "finding")
        wrong = [name for name in ("ghost_type", "column") if isinstance(values[name], (list, dict))]
        if not isinstance(values["description"], str):
            wrong.append("description")
        if wrong:
            value = reprlib.repr(values[wrong[0]])
            raise InvalidInputError(f"The {wrong[0]} of this finding is {value}, not text.")
        if not isinstance(values.get("metadata", {}), Mapping):
            raise InvalidInputError("The metadata of this finding is not an object with named values.")
        if isinstance(values.get("row_indices"), (str, int, float, Mapping)):
            raise InvalidInputError("The row_indices of this finding are not a list of positions.")
        return cls(**values)


def finding_columns(finding: GhostFinding) -> list[str]:
    """Return the columns of a finding: those in ``metadata["columns"]``, else its one column or ``"*"``."""
    columns = finding.metadata.get("columns")
    if isinstance(columns, list) and columns and all(isinstance(name, str) for name in columns):
        return columns
    return [finding.column]
