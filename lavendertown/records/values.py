"""The values that travel between the write path and the stores: frozen, aware times, plain JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """The kinds of record a store keeps. The value names the component in the audit log."""

    REPORT = "report"
    ANNOTATION = "annotation"
    RULESET = "ruleset"
    TRIAGE = "finding"
    PERSON = "person"
    VIEW = "view"


class FindingRecord(NamedTuple):
    """One occurrence of a finding, in one report.

    A tuple, because a folder of files is read by the ten thousand.

    Attributes:
        fingerprint: The finding's identity, see :mod:`lavendertown.identity`.
        legacy_id: The id 0.7 would give it; annotations left under it join on arrival.
        rows: The affected positions as :mod:`lavendertown.rows` packs them; None when not known,
            and None in headers, which never carry them.
        row_count: How many rows are affected (the check's count where it gives one).
        share: Affected rows over all rows, 0 to 1.
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
    """A report as it is stored, findings included."""

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
    """An annotation as it is stored. ``report_id`` names the report that carried it, if any."""

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
    """A rule set as it is stored; its name is its id."""

    id: str
    description: str
    rules: tuple[Mapping[str, Any], ...]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class TriageRecord:
    """What a team decided about a finding beside its thread; the finding's fingerprint is the id.

    Attributes:
        assignee: Who looks after it; empty for nobody.
        close_reason: Why its last closing status was set; empty where none was given.
        snooze_until: Not to be shown as needing attention before then.
        snooze_factor: Nor before the number or share of affected rows has grown by this factor.
        snooze_count, snooze_share: What they were when it was snoozed.
        note: Pinned above the thread.
        merged_into: The fingerprint of the finding this one is handled as; empty for itself.
        stands_alone: Somebody said that it is not the vanished one it looks like.
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


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Somebody the team knows; the name is the id. Empty initials are made from the name."""

    id: str
    updated_at: dt.datetime
    mail: str = ""
    initials: str = ""
    version: int = 0
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """A way of looking at the findings that somebody saved for all; its name is the id.

    Attributes:
        query: The address's parameters.
    """

    id: str
    author: str
    query: Mapping[str, Any]
    updated_at: dt.datetime
    version: int = 0
    deleted_at: dt.datetime | None = None


PlainRecord = TriageRecord | PersonRecord | ViewRecord
"""The records that are one flat row, and are told of whole."""

Record = ReportRecord | AnnotationRecord | RuleSetRecord | PlainRecord

KIND_OF: dict[type, Kind] = {
    ReportRecord: Kind.REPORT,
    AnnotationRecord: Kind.ANNOTATION,
    RuleSetRecord: Kind.RULESET,
    TriageRecord: Kind.TRIAGE,
    PersonRecord: Kind.PERSON,
    ViewRecord: Kind.VIEW,
}
PLAIN: dict[Kind, type[PlainRecord]] = {
    Kind.TRIAGE: TriageRecord,
    Kind.PERSON: PersonRecord,
    Kind.VIEW: ViewRecord,
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the write path needs to know of a stored record before it writes over it.

    Attributes:
        version: The stored version, counted from 1.
        deleted_at: When it was deleted; None for a live record.
        header: The record's own fields without bodies, for the audit log.
    """

    version: int
    deleted_at: dt.datetime | None
    header: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit log. Append only."""

    at: dt.datetime
    actor: str
    component: str
    record_id: str
    operation: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A line in a store's ledger of moves into it: one store's content brought over from another.

    Attributes:
        source, target: In words, without passwords.
        finished_at: None as long as the move is under way, or was interrupted.
        options: What was asked for, as plain JSON; ``was_empty`` in it tells that the store held
            nothing before: until the move is finished, such a store is nobody's.
        outcome: What came of it, as plain JSON; None until it is finished.
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
    def half_filled(self) -> bool:
        """Tell whether the store holds nothing but a part of another one."""
        return self.finished_at is None and bool(self.options.get("was_empty"))


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What one unit of work writes: whole records and their audit events, together or not at all.

    Attributes:
        puts: Records as they shall be stored, versions already raised.
        fresh: Ids of reports among ``puts`` that were not stored before.
        headers_only: Ids of reports among ``puts`` whose findings did not change and are not given.
        events: One audit event for each change; in an import, the history that comes along.
        aliases: Older ids of findings, and the ids they have today; only an import brings any.
        move: A line for the ledger of moves, in place of the one with the same id.
    """

    puts: tuple[Record, ...]
    events: tuple[AuditEvent, ...]
    fresh: frozenset[tuple[str, str]] = frozenset()
    headers_only: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    move: Move | None = None


class ReportHeader(NamedTuple):
    """A report in a list: everything but its findings' bodies.

    A tuple, because lists make fifty at a time and a frozen dataclass takes five times as long.
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
class FindingHeader:
    """A finding in a list: one occurrence with the state of its identity, without rows."""

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
class RuleSetHeader:
    """A rule set in a list."""

    name: str
    description: str
    rule_count: int
    updated_at: dt.datetime
    version: int
    deleted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a store that cannot be read, and why."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of an ordered list to read."""

    limit: int | None = 100
    offset: int = 0


EVERYTHING = Page(limit=None)
FIRST = Page()


def as_dict(header: Any) -> dict[str, Any]:
    """Return a header's fields as a new dictionary, tuples as lists."""
    out = {name: getattr(header, name) for name in header.__slots__}
    if "tags" in out:
        out["tags"] = list(out["tags"])
    return out
