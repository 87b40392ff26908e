"""The records that the write path and the stores exchange: immutable, with UTC times and plain JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class RecordKind(StrEnum):
    """The kinds of records in a store. The value is the component in the audit log."""

    REPORT = "report"
    ANNOTATION = "annotation"
    RULESET = "ruleset"
    TRIAGE = "finding"
    PERSON = "person"
    VIEW = "view"
    DATASET_SETTINGS = "dataset_settings"
    EVIDENCE = "evidence"
    INCIDENT = "incident"
    WORKLIST = "worklist"
    NOTIFICATION = "notification"
    CHANNEL = "channel"


class FindingRecord(NamedTuple):
    """One occurrence of a finding in a report.

    It is a tuple, because tens of thousands are read from a folder of files at once.

    Attributes:
        fingerprint: The id of the finding, see :mod:`lavendertown.core.fingerprints`.
        legacy_id: The id that version 0.7 would give it; annotations under that id join the finding.
        rows: The affected positions, packed by :mod:`lavendertown.core.row_positions`; None if unknown or
            not loaded.
        row_count: The number of affected rows (the count of the check if it has one).
        share: The share of affected rows, 0 to 1.
    """

    fingerprint: str
    legacy_id: str
    dataset: str
    ghost_type: str
    column: str
    severity: str
    description: str
    rows: bytes | None
    row_count: int | None
    share: float | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A stored report, including its findings."""

    id: str
    title: str
    author: str
    dataset: str
    created_at: dt.datetime
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    ruleset: Mapping[str, Any] | None
    findings: tuple[FindingRecord, ...]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AnnotationRecord:
    """A stored annotation. ``report_id`` is the report that carried it, if any."""

    id: str
    finding_id: str
    author: str
    created_at: dt.datetime
    comment: str
    tags: tuple[str, ...]
    status: str | None
    report_id: str | None
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class RuleSetRecord:
    """A stored rule set; its name is its id."""

    id: str
    description: str
    rules: tuple[Mapping[str, Any], ...]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class TriageRecord:
    """A team's decisions about a finding, in addition to its thread; the fingerprint is the id.

    Attributes:
        assignee: The assigned person; empty if unassigned.
        close_reason: The reason for the latest closing status; empty if none was given.
        snooze_until: The finding is snoozed until this time.
        snooze_factor: The finding is snoozed until the number or share of affected rows has grown by this
            factor.
        snooze_count, snooze_share: The number and share of affected rows when it was snoozed.
        note: A text pinned above the thread.
        merged_into: The fingerprint of the finding that this one is merged into; empty if not merged.
        stands_alone: Whether a person rejected the suggested predecessor
            (see :mod:`lavendertown.inbox.renamed_checks`), or took apart an automatic merge.
        accepted_until: The acceptance of the finding ends at this time.
        ceiling_count, ceiling_share: The number and share of affected rows up to which the finding is
            accepted. Without either, it is accepted up to twice its size when it was accepted.
        has_no_ceiling: Whether the finding is accepted whatever its size.
        owner_rule: The owner rule that assigned the finding, see :mod:`lavendertown.core.owner_rules`; empty
            if a person assigned it, or nobody did.
    """

    id: str
    updated_at: dt.datetime
    assignee: str = ""
    close_reason: str = ""
    snooze_until: dt.datetime | None = None
    snooze_factor: float | None = None
    snooze_count: int | None = None
    snooze_share: float | None = None
    note: str = ""
    merged_into: str = ""
    stands_alone: bool = False
    version: int = 0
    deleted_at: dt.datetime | None = None
    accepted_until: dt.datetime | None = None
    ceiling_count: int | None = None
    ceiling_share: float | None = None
    has_no_ceiling: bool = False
    owner_rule: str = ""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A team member; the name is the id. If the initials are empty, they are derived from the name.

    Attributes:
        hidden_columns: The columns that the person hides in the list of findings.
    """

    id: str
    updated_at: dt.datetime
    mail: str = ""
    initials: str = ""
    version: int = 0
    deleted_at: dt.datetime | None = None
    hidden_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """A view of the findings that was saved for the team; its name is the id.

    Attributes:
        query: The query parameters of the URL.
    """

    id: str
    author: str
    query: Mapping[str, Any]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class DatasetSettingsRecord:
    """What a team set for a dataset; the dataset is the id.

    Attributes:
        settings: A mapping for each part that keeps settings, by its name, such as ``reading``.
    """

    id: str
    settings: Mapping[str, Any]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """The evidence of a report, see :mod:`lavendertown.profile.evidence`; the id of the report is the id.

    Attributes:
        size: The size of the content as JSON, in bytes; the audit log has nothing else of it.
    """

    id: str
    size: int
    content: Mapping[str, Any]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """Findings with one cause. The comments on it are annotations whose finding id is the incident's id.

    Attributes:
        assignee: The owner; empty if unassigned.
        members: The ids of the findings, as they were when they were added.
    """

    id: str
    title: str
    assignee: str
    members: tuple[str, ...]
    created_by: str
    created_at: dt.datetime
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class WorklistRecord:
    """Affected rows of a report that one person got as a file, and the answers that came back.

    The rows are numbered from 1 through all findings.

    Attributes:
        report_id: The report whose rows they are.
        owner: Who works on them; empty for the rows of unassigned findings.
        row_count: The number of rows.
        done_count, cannot_count: The number of rows with each answer. The audit log has only the counts.
        findings: For each finding its ``finding_id``, the ``positions`` of its rows, and their ``keys`` as
            texts; a key is empty if its values are not stored.
        answers: By row number: ``answer`` (done or cannot), ``reason``, ``by`` and ``at``.
        last_read: What undoes the last reading of a filled file: its ``by`` and ``at``, and the ``former``
            answers by row number, None for a row that had none. Empty if there is nothing to undo.
    """

    id: str
    report_id: str
    dataset: str
    owner: str
    created_by: str
    created_at: dt.datetime
    row_count: int
    done_count: int
    cannot_count: int
    findings: tuple[Mapping[str, Any], ...]
    answers: Mapping[str, Any]
    last_read: Mapping[str, Any]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """A message about something that happened, and its delivery; the same cause always has the same id.

    Attributes:
        channel: The configured channel through which it is sent.
        event: What it is about, see :mod:`lavendertown.notifications.messages`.
        recipient: The person it is for; empty for everybody who reads the channel.
        title: One line.
        content: The message as plain JSON.
        attempts: How often it was sent, successfully or not.
        next_attempt_at: When it is sent, or sent again; None if it was delivered or given up.
        delivered_at: When the receiver accepted it; None if that has not happened.
        problem: Why the last attempt failed; empty if it did not.
    """

    id: str
    channel: str
    event: str
    recipient: str
    title: str
    content: Mapping[str, Any]
    created_at: dt.datetime
    updated_at: dt.datetime
    attempts: int = 0
    next_attempt_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None
    problem: str = ""
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """Up to where a channel of notifications has followed the store; its name is the id.

    Attributes:
        cursor: The cursor in the change feed.
        checked_until: The time up to which due dates and other times were followed.
    """

    id: str
    cursor: str
    checked_until: dt.datetime
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


FlatRecord = (
    TriageRecord
    | PersonRecord
    | ViewRecord
    | DatasetSettingsRecord
    | EvidenceRecord
    | IncidentRecord
    | WorklistRecord
    | NotificationRecord
    | ChannelRecord
)
"""The records that fit in one row; lists return them completely."""

Record = ReportRecord | AnnotationRecord | RuleSetRecord | FlatRecord

KIND_BY_CLASS: dict[type, RecordKind] = {
    ReportRecord: RecordKind.REPORT,
    AnnotationRecord: RecordKind.ANNOTATION,
    RuleSetRecord: RecordKind.RULESET,
    TriageRecord: RecordKind.TRIAGE,
    PersonRecord: RecordKind.PERSON,
    ViewRecord: RecordKind.VIEW,
    DatasetSettingsRecord: RecordKind.DATASET_SETTINGS,
    EvidenceRecord: RecordKind.EVIDENCE,
    IncidentRecord: RecordKind.INCIDENT,
    WorklistRecord: RecordKind.WORKLIST,
    NotificationRecord: RecordKind.NOTIFICATION,
    ChannelRecord: RecordKind.CHANNEL,
}
FLAT_RECORD_CLASSES: dict[RecordKind, type[FlatRecord]] = {
    RecordKind.TRIAGE: TriageRecord,
    RecordKind.PERSON: PersonRecord,
    RecordKind.VIEW: ViewRecord,
    RecordKind.DATASET_SETTINGS: DatasetSettingsRecord,
    RecordKind.EVIDENCE: EvidenceRecord,
    RecordKind.INCIDENT: IncidentRecord,
    RecordKind.WORKLIST: WorklistRecord,
    RecordKind.NOTIFICATION: NotificationRecord,
    RecordKind.CHANNEL: ChannelRecord,
}


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The state of a stored record that the write path needs before it replaces the record.

    Attributes:
        version: The stored version, counted from 1.
        deleted_at: When the record was deleted; None for a live record.
        summary: The record's summary, for the audit log.
    """

    version: int
    deleted_at: dt.datetime | None
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event of the audit log, which is append-only."""

    at: dt.datetime
    actor: str
    component: str
    record_id: str
    operation: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    key: str = ""


@dataclass(frozen=True, slots=True)
class MigrationRecord:
    """An entry in a store's ledger of migrations into it.

    Attributes:
        source, target: Descriptions of the two stores, without passwords.
        finished_at: When the migration finished; None while it is running, or if it was interrupted.
        options: The options, as plain JSON. ``was_empty`` means that the store was empty before: it is not
            used until the migration is finished.
        outcome: The result, as plain JSON; None until the migration is finished.
    """

    id: str
    source: str
    target: str
    actor: str
    started_at: dt.datetime
    options: Mapping[str, Any]
    finished_at: dt.datetime | None = None
    outcome: Mapping[str, Any] | None = None

    @property
    def left_store_incomplete(self) -> bool:
        """Whether the store contains only a part of another one."""
        return self.finished_at is None and bool(self.options.get("was_empty"))


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The changes of one unit of work: complete records and their audit events, written atomically.

    Attributes:
        records: The records to store, with their new versions.
        events: One audit event per change; in an import, the imported history.
        new_keys: The kind and id of each record that was not stored before.
        summary_only_ids: The ids of reports whose findings did not change and need not be written.
        aliases: Older ids of findings with their current ids; only in imports.
        migration: An entry for the ledger of migrations; replaces the entry with the same id.
        removed: The kind and id of flat records that are removed for good.
    """

    records: tuple[Record, ...]
    events: tuple[AuditEvent, ...]
    new_keys: frozenset[tuple[str, str]] = frozenset()
    summary_only_ids: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    migration: MigrationRecord | None = None
    removed: frozenset[tuple[RecordKind, str]] = frozenset()


class ReportSummary(NamedTuple):
    """A report in a list, without its findings.

    It is a tuple, because lists create many and a frozen dataclass takes five times as long.
    """

    id: str
    title: str
    author: str
    dataset: str
    created_at: dt.datetime
    updated_at: dt.datetime
    finding_count: int
    error_count: int
    warning_count: int
    info_count: int
    tags: tuple[str, ...]
    version: int
    deleted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """An occurrence of a finding in a list, with the state of the finding and without rows."""

    finding_id: str
    report_id: str
    position: int
    dataset: str
    ghost_type: str
    column: str
    severity: str
    description: str
    row_count: int | None
    share: float | None
    metadata: Mapping[str, Any]
    seen_at: dt.datetime
    status: str
    tags: tuple[str, ...]
    comment_count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    times_seen: int


@dataclass(frozen=True, slots=True)
class RuleSetSummary:
    """A rule set in a list."""

    name: str
    description: str
    rule_count: int
    updated_at: dt.datetime
    version: int
    deleted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An unreadable item in a store, with the reason."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """A section of an ordered list."""

    limit: int | None = 100
    offset: int = 0


ALL_ITEMS = Page(limit=None)
FIRST_PAGE = Page()


def attributes_to_dict(summary: Any) -> dict[str, Any]:
    """Return the fields of a summary or record as a new dictionary, with tuples as lists."""
    if isinstance(summary, tuple):
        values: dict[str, Any] = summary._asdict()  # type: ignore[attr-defined]
    else:
        values = {name: getattr(summary, name) for name in summary.__slots__}
    for name, value in values.items():
        if type(value) is tuple:
            values[name] = list(value)
    return values
