"""The public models that a team shares: reports and annotations."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from lavendertown.core.findings import GhostFinding
from lavendertown.core.statuses import NAMES as STATUSES
from lavendertown.records.public_fields import PublicFields
from lavendertown.records.record_classes import AnnotationRecord, ReportRecord
from lavendertown.rules.models import RuleSet

_NOT_READ: Any = object()


@dataclass
class Annotation:
    """A comment on a finding, with tags and optionally a new status.

    Attributes:
        id: Unique within the store.
        finding_id: The id from ``get_finding_id``; ids of version 0.7 work too.
        author: The name of the author.
        timestamp: The time; local time if it has no zone. Loaded times are aware, in UTC.
        comment: Markdown text; may be empty.
        tags: Tags for the finding.
        status: The finding's new status; None changes nothing, ``"open"`` reopens.
        version: Set when loading. Saving is refused if another version is stored by then.
    """

    id: str
    finding_id: str
    author: str
    timestamp: dt.datetime
    comment: str
    tags: list[str] = field(default_factory=list)
    status: str | None = None
    version: int | None = None

    # No type annotation, so that the dataclass has no such field.
    _status_as_read = _NOT_READ

    def mark_as_read(self) -> Annotation:
        """Remember the current status as the one that a store or file has."""
        self._status_as_read = self.status
        return self

    @property
    def has_status_as_read(self) -> bool:
        """Whether the annotation was read from a store or file and has the same status since."""
        return self._status_as_read is not _NOT_READ and bool(self._status_as_read == self.status)

    def to_dict(self) -> dict[str, Any]:
        """Return the annotation as a dictionary, its time as ISO 8601 text."""
        return ANNOTATION_FIELDS.to_dict(self) | {"version": self.version}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Annotation:
        """Build an annotation from the dictionary of :meth:`to_dict`.

        Raises:
            InvalidInputError: A required key is missing or the time is not ISO 8601.
        """
        return cls(**ANNOTATION_FIELDS.from_dict(data, "annotation"), version=data.get("version"))


ANNOTATION_FIELDS = PublicFields(AnnotationRecord, Annotation, excluded_keys=("version",))


@dataclass
class ShareableReport:
    """The findings of one run of checks, saved for colleagues to open and discuss.

    Attributes:
        id: Unique within the store; kept as given.
        title: The title that people see.
        author: The name of the author.
        created_at: When the checks ran; local time if it has no zone. Loaded times are aware, in UTC.
        findings: The findings, in order.
        annotations: All live annotations on these findings after loading. Saving removes none that are
            missing here.
        ruleset: The rules that ran, if any.
        metadata: Plain JSON values. ``dataset`` is the dataset in which findings keep their identity;
            ``tags`` is a list of tags of the report itself.
        version: Set when loading. Saving is refused if another version is stored by then.
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
        """Copy the dataset of the report into each finding without one; its id depends on it."""
        dataset = self.metadata.get("dataset")
        if dataset:
            for finding in self.findings:
                if not finding.metadata.get("dataset"):
                    finding.metadata["dataset"] = dataset

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary, with findings, annotations and rule set."""
        nested = {
            "findings": [finding.to_dict() for finding in self.findings],
            "annotations": [annotation.to_dict() for annotation in self.annotations],
            "ruleset": self.ruleset.to_dict() if self.ruleset else None,
            "metadata": self.metadata,
            "version": self.version,
        }
        return REPORT_FIELDS.to_dict(self) | nested

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ShareableReport:
        """Build a report from the dictionary of :meth:`to_dict`, also of version 0.7.

        Raises:
            InvalidInputError: A required key is missing or a time is not ISO 8601.
        """
        return cls(
            **REPORT_FIELDS.from_dict(data, "report"),
            findings=[GhostFinding.from_dict(f) for f in data.get("findings") or []],
            annotations=[Annotation.from_dict(a).mark_as_read() for a in data.get("annotations") or []],
            ruleset=RuleSet.from_dict(data["ruleset"]) if data.get("ruleset") else None,
            metadata=data.get("metadata") or {},
            version=data.get("version"),
        )


REPORT_FIELDS = PublicFields(
    ReportRecord, ShareableReport, excluded_keys=("findings", "annotations", "ruleset", "metadata", "version")
)

__all__ = ["STATUSES", "Annotation", "ShareableReport"]
