"""What a team shares: the report and the annotation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from lavendertown.errors import InvalidInputError
from lavendertown.models import GhostFinding
from lavendertown.records.rules import STATUSES
from lavendertown.rules.models import RuleSet


@dataclass
class Annotation:
    """A comment on a finding, with tags and, where it changes, the finding's status.

    Attributes:
        id: Unique within the store.
        finding_id: The finding, as ``get_finding_id`` names it (0.7's ids work too).
        author: Who wrote it.
        timestamp: When. Without a zone it is local time; stored ones come back aware, in UTC.
        comment: Markdown text, may be empty.
        tags: Tags for the finding.
        status: The finding's new status; None changes nothing, ``"open"`` reopens.
        version: Set by loading; saving with a version that is no longer the stored one is refused.
    """

    id: str
    finding_id: str
    author: str
    timestamp: dt.datetime
    comment: str
    tags: list[str] = field(default_factory=list)
    status: str | None = None
    version: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the annotation as a dictionary, its time as ISO 8601 text."""
        return {
            "id": self.id,
            "finding_id": self.finding_id,
            "author": self.author,
            "timestamp": self.timestamp.isoformat(),
            "comment": self.comment,
            "tags": list(self.tags),
            "status": self.status,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Annotation:
        """Build an annotation from :meth:`to_dict`'s dictionary.

        Raises:
            InvalidInputError: A required key is missing or the time is not ISO 8601.
        """
        _require(data, ("id", "finding_id", "author", "timestamp"), "annotation")
        return cls(
            id=data["id"],
            finding_id=data["finding_id"],
            author=data["author"],
            timestamp=_time(data["timestamp"], "annotation"),
            comment=data.get("comment") or "",
            tags=list(data.get("tags") or []),
            status=data.get("status"),
            version=data.get("version"),
        )


@dataclass
class ShareableReport:
    """What one run of checks found, as a record that colleagues open and discuss.

    Attributes:
        id: Unique within the store; kept as given.
        title: For people.
        author: Who made it.
        created_at: When the checks ran. Without a zone it is local time; stored ones come back
            aware, in UTC.
        findings: The findings, in order.
        annotations: Loading fills in every live annotation on these findings; saving never
            removes annotations that are not listed here.
        ruleset: The rules that ran, if any.
        metadata: Plain JSON values. ``dataset`` names the dataset within which findings keep
            their identity; ``tags`` is a list of the report's own tags.
        version: Set by loading; saving with a version that is no longer the stored one is refused.
    """

    id: str
    title: str
    author: str
    created_at: dt.datetime
    findings: list[GhostFinding] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    ruleset: RuleSet | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int | None = None

    def __post_init__(self) -> None:
        self.name_dataset()

    def name_dataset(self) -> None:
        """Write the report's dataset into each finding that names none, so each knows its id."""
        dataset = self.metadata.get("dataset")
        if dataset:
            for finding in self.findings:
                if not finding.metadata.get("dataset"):
                    finding.metadata["dataset"] = dataset

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary, findings, annotations and rule set included."""
        return {
            "id": self.id,
            "title": self.title,
            "author": self.author,
            "created_at": self.created_at.isoformat(),
            "findings": [finding.to_dict() for finding in self.findings],
            "annotations": [annotation.to_dict() for annotation in self.annotations],
            "ruleset": self.ruleset.to_dict() if self.ruleset else None,
            "metadata": self.metadata,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ShareableReport:
        """Build a report from :meth:`to_dict`'s dictionary (0.7's dictionaries too).

        Raises:
            InvalidInputError: A required key is missing or a time is not ISO 8601.
        """
        _require(data, ("id", "title", "author", "created_at"), "report")
        return cls(
            id=data["id"],
            title=data["title"],
            author=data["author"],
            created_at=_time(data["created_at"], "report"),
            findings=[GhostFinding.from_dict(f) for f in data.get("findings") or []],
            annotations=[Annotation.from_dict(a) for a in data.get("annotations") or []],
            ruleset=RuleSet.from_dict(data["ruleset"]) if data.get("ruleset") else None,
            metadata=data.get("metadata") or {},
            version=data.get("version"),
        )


__all__ = ["STATUSES", "Annotation", "ShareableReport"]


def _require(data: dict[str, Any], keys: tuple[str, ...], what: str) -> None:
    missing = [key for key in keys if data.get(key) is None]
    if missing:
        raise InvalidInputError(f"This {what} lacks {', '.join(missing)}.")


def _time(value: Any, what: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"This {what}'s time {value!r} is not an ISO 8601 time such as 2026-11-21T09:30:00+00:00."
        ) from None
