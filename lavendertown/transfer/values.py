"""Define the request, progress and outcome of a migration, as plain values for the dashboard and the CLI."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lavendertown.records.record_classes import RecordKind

COUNT_NAME_BY_KIND = {
    RecordKind.REPORT: "reports",
    RecordKind.ANNOTATION: "annotations",
    RecordKind.RULESET: "rulesets",
    RecordKind.TRIAGE: "triage",
    RecordKind.PERSON: "people",
    RecordKind.VIEW: "views",
    RecordKind.DATASET_SETTINGS: "dataset_settings",
    RecordKind.EVIDENCE: "evidence",
    RecordKind.INCIDENT: "incidents",
    RecordKind.WORKLIST: "worklists",
    RecordKind.NOTIFICATION: "notifications",
    RecordKind.CHANNEL: "channels",
}
"""The name of the count for each kind of record."""
COUNT_NAMES = (
    "reports",
    "findings",
    "annotations",
    "rulesets",
    "triage",
    "people",
    "views",
    "dataset_settings",
    "evidence",
    "incidents",
    "worklists",
    "notifications",
    "channels",
    "events",
)
"""The names of all counts, in display order."""


class OnConflict(StrEnum):
    """What to do with a record that the target has with the same id and other content."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """A request to migrate one store to another.

    Attributes:
        source, target: A data folder or a database URL, passwords included.
        on_conflict: The default for conflicts.
        zone: The IANA name of the time zone for times without one; None for the source's default (local
            time in files, UTC in a database).
        choices: Decisions on single conflicts, such as ``"report:r1"`` → OVERWRITE; they override
            ``on_conflict``.
        actor: Who migrates, for the audit log.
        resume: Use the conflict policy, choices and zone of the unfinished migration in the target.
    """

    source: str = field(repr=False)
    target: str = field(repr=False)
    on_conflict: OnConflict = OnConflict.SKIP
    zone: str | None = None
    choices: Mapping[str, OnConflict] = field(default_factory=dict)
    actor: str = "internal"
    resume: bool = False


@dataclass(slots=True)
class RecordCounts:
    """The number of records of one kind, by result; in a dry run, by expected result.

    Attributes:
        read: Readable records in the source.
        written: Records added to the target or overwritten there.
        skipped: Records that the target already has with the same content.
        conflicts: Records that the target has with other content.
    """

    read: int = 0
    written: int = 0
    skipped: int = 0
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A record that has different content in source and target.

    Attributes:
        key: The record's key in :attr:`MigrationRequest.choices`.
        title: The report's title, the beginning of the comment, or the record's id.
        source_by, target_by: Who changed the record last.
        decision: What the request does with it.
    """

    key: str
    kind: str
    record_id: str
    title: str
    source_version: int
    source_changed_at: dt.datetime
    source_by: str
    source_deleted: bool
    target_version: int
    target_changed_at: dt.datetime
    target_by: str
    target_deleted: bool
    decision: OnConflict


@dataclass(frozen=True, slots=True)
class QuarantinedItem:
    """An item of the source that cannot be migrated, and the reason. The source is not changed."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class TimeSample:
    """A time without a zone as stored in the source, and how it is interpreted."""

    item: str
    written: str
    read_as: dt.datetime


@dataclass(frozen=True, slots=True)
class MigrationProgress:
    """The progress of a migration.

    Attributes:
        phase: ``"reports"``, ``"annotations"`` and so on, ``"events"``, ``"changes"`` (changes made during
            the migration) or ``"verifying"``.
        done, total: Records of all kinds, each counted a second time for the verification; the total is
            None while unknown.
        findings: Findings read in this phase.
        rate: Records per second, over the whole run.
        findings_rate: Findings per second, in this phase.
        seconds_left: The estimated time left; None while unknown.
    """

    phase: str
    done: int
    total: int | None
    findings: int
    rate: float
    findings_rate: float
    seconds_left: float | None


ProgressCallback = Callable[[MigrationProgress], None]


@dataclass(frozen=True)
class MigrationOutcome:
    """The outcome of a migration or a dry run.

    Attributes:
        id: The migration's id in the target's ledger.
        source, target: Names for people, without passwords.
        counts: A :class:`RecordCounts` for each of :data:`COUNT_NAMES`.
        conflicts: The first 1,000 conflicts.
        quarantined: Items that cannot be migrated.
        quarantine_folder: The folder with copies of the quarantined items; None if there are none.
        differences: Unexpected differences between the stores, one sentence each.
        verified: Whether all records were read back from both stores and are equal.
        finished: Whether the migration is complete; always False for a dry run.
        times: A few times without a zone, and how they are interpreted.
        seconds: The duration.
        left_out: Keys of the records that were left out: conflicts in which the target's record is kept, and
            invalid records.
        normalized: The number of records of 0.7 that are written in the current form: without empty or
            repeated tags and blanks around tags, and with statuses and severities in lower case.
    """

    id: str
    source: str
    target: str
    dry_run: bool
    counts: dict[str, RecordCounts]
    conflicts: tuple[Conflict, ...] = ()
    quarantined: tuple[QuarantinedItem, ...] = ()
    quarantine_folder: Path | None = None
    differences: tuple[str, ...] = ()
    verified: bool = False
    finished: bool = False
    times: tuple[TimeSample, ...] = ()
    seconds: float = 0.0
    left_out: frozenset[str] = frozenset()
    normalized: int = 0

    @property
    def changed_nothing(self) -> bool:
        """Return whether no record was written, because the target had all of them."""
        return not any(count.written for count in self.counts.values())

    @property
    def shown_counts(self) -> list[str]:
        """Return the names of the main counts, and of the others that are not zero."""
        main_counts = ("reports", "findings", "annotations", "rulesets", "events")
        return [name for name in COUNT_NAMES if name in main_counts or self.counts[name].read]

    @property
    def normalized_sentence(self) -> str:
        """Return a sentence about the records of 0.7 that were normalized; empty if there are none."""
        if not self.normalized:
            return ""
        records = "1 record" if self.normalized == 1 else f"{self.normalized:,} records"
        return (
            f"Normalized {records} of LavenderTown 0.7 (empty or repeated tags, blanks around tags, spelling "
            "of statuses and severities); no content was lost."
        )

    @property
    def conflict_count(self) -> int:
        """Return the number of records in conflict; the findings of a report are not counted separately."""
        return sum(count.conflicts for name, count in self.counts.items() if name != "findings")

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON-compatible data."""
        data = asdict(self)
        data |= data.pop("counts")
        del data["left_out"]
        folder = data["quarantine_folder"]
        return data | {"quarantine_folder": str(folder) if folder else None}
