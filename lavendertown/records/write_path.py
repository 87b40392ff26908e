"""The write path, which all writers use: dashboard, CLI, RPC, Python API, migration and seeds.

Its steps: validate, check versions, run the before-hooks, write the records and audit events atomically,
run the after-hooks, commit, run the after-commit hooks.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from lavendertown.core import clock
from lavendertown.core.errors import ConflictError, InvalidInputError, RaceError
from lavendertown.records import validation
from lavendertown.records.hooks import Hooks
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    ChangeSet,
    MigrationRecord,
    Page,
    Record,
    RecordKind,
    ReportRecord,
    StoredVersion,
)
from lavendertown.records.record_type import BUILTIN_RECORD_TYPE, RecordType
from lavendertown.records.store import Store, UnitOfWork


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Save a new or changed record.

    Attributes:
        expected_version: The version that the caller read; None replaces any version, 0 requires that the
            record does not exist yet.
        actor: The person who makes the change; by default the current actor (see :func:`set_actor_source`),
            else the record's author.
        skip_if_unchanged: Whether to do nothing if the record equals the stored one, whatever its version.
        from_store: Whether the values come from this store (undo, merge), so that limits and the rules
            about new decisions do not apply.
        imported: Whether the record was read from another store or a file, so that the rules about new
            decisions do not apply.
        adopted_because: Why a finding was merged without a person, for the audit event; empty otherwise.
        only_if_missing: Whether to do nothing if a record with this id is stored, deleted or not.
    """

    record: Record
    expected_version: int | None = None
    actor: str | None = None
    skip_if_unchanged: bool = False
    from_store: bool = False
    imported: bool = False
    adopted_because: str = ""
    only_if_missing: bool = False


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """Delete a record, which can be restored. A missing or deleted record is skipped.

    Attributes:
        only_version: The version to delete, so that a record at another one is skipped; None for any.
    """

    kind: str
    id: str
    actor: str | None = None
    only_version: int | None = None


@dataclass(frozen=True, slots=True)
class RestoreRecord:
    """Restore a deleted record. A missing or live record is skipped."""

    kind: str
    id: str
    actor: str | None = None


Change = SaveRecord | DeleteRecord | RestoreRecord


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """A record from another store.

    Attributes:
        replaced_version: The version in this store when the two were compared; None if it had none.
    """

    record: Record
    replaced_version: int | None = None


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """The records that one unit of work imports from another store.

    Attributes:
        records: The records to import.
        history: The other store's audit events that this one lacks, oldest first, and the event about the
            migration.
        aliases: Older ids of findings with their current ids.
        migration: The entry for the ledger of migrations.
    """

    records: Sequence[ImportedRecord] = ()
    history: Sequence[AuditEvent] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    migration: MigrationRecord | None = None


_RecordKey = tuple[str, str]
_MAX_ATTEMPTS = 5
PURGE = "purge"
"""The operation of the audit event about records that were removed for good."""
PURGED = "expired"
"""The id in that event, which is about several records."""
DEFAULT_ACTOR = "internal"
"""The actor of changes that neither the caller nor the actor source attributes to a person."""
_on_behalf_of: ContextVar[str] = ContextVar("lavendertown_on_behalf_of", default="")


def _find_no_actor() -> str:
    return ""


_actor_source: Callable[[], str] = _find_no_actor


def set_actor_source(source: Callable[[], str]) -> None:
    """Set the function that finds the current actor, for changes whose caller names none.

    Args:
        source: Returns the name; empty if nobody is known. It is called in the thread that writes.
    """
    global _actor_source
    _actor_source = source


def find_actor() -> str:
    """Return the actor of changes whose caller names none: the current actor, else ``"internal"``."""
    return _actor_source() or DEFAULT_ACTOR


@contextlib.contextmanager
def acting_for(person: str) -> Iterator[None]:
    """Store in every audit event of the block the person for whom the actor acts.

    The name is ``on_behalf_of`` in the state after the change, or in the state before it if the record no
    longer exists.

    Args:
        person: The name; empty for none.

    Raises:
        InvalidInputError: The name cannot be stored.
    """
    validation.check_actor(person)
    token = _on_behalf_of.set(person)
    try:
        yield
    finally:
        _on_behalf_of.reset(token)


def represented_person() -> str:
    """Return the person for whom the current actor acts, see :func:`acting_for`; empty for none."""
    return _on_behalf_of.get()


def add_on_behalf_of(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a state of an audit event with the person of :func:`acting_for`, if there is one."""
    person = represented_person()
    return {**(state or {}), "on_behalf_of": person} if person else dict(state or {})


@dataclass(slots=True)
class _ChangeDraft:
    """An unfinished change set, with the operation on each record for the after-hooks."""

    at: dt.datetime
    records: list[Record] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    new_keys: set[_RecordKey] = field(default_factory=set)
    summary_only_ids: set[str] = field(default_factory=set)


class WritePath:
    """Writes to a store: changes by :meth:`commit`, records of another store by :meth:`import_records`.

    Attributes:
        commit_guards: Functions that are called just before each commit; if one raises, the unit of work
            is rolled back.
    """

    def __init__(
        self, store: Store, hooks: Hooks | None = None, record_type: RecordType = BUILTIN_RECORD_TYPE
    ) -> None:
        self.store = store
        self.hooks = hooks or Hooks()
        self._record_type = record_type
        self.commit_guards: list[Callable[[], None]] = []

    def commit(self, changes: Sequence[Change]) -> list[Record]:
        """Apply the changes atomically in one unit of work.

        Returns:
            The stored records, without those that needed no change.

        Raises:
            InvalidInputError: A record is invalid, or a change breaks a rule.
            ConflictError: A record is not at the version that the caller read.
            StorageError: The store could not write.
        """
        valid_changes = [self._validate_change(change) for change in changes if self._can_exist(change)]
        if not valid_changes:
            return []
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                draft = self._write_changes(valid_changes)
                break
            except RaceError:
                if attempt == _MAX_ATTEMPTS:
                    raise
        if draft.events:
            for hook in self.hooks.after_commit:
                hook(draft.events)
        return draft.records

    def import_records(self, batch: ImportBatch) -> None:
        """Import records of another store atomically in one unit of work.

        They keep their ids, versions, times and history. A record that replaces a stored one gets a
        version above both, so that a concurrent edit of the old one causes a conflict. Hooks do not run,
        and no audit events are written except those in the batch.

        Raises:
            InvalidInputError: A record is invalid.
            RaceError: A stored record changed after it was compared with the imported one.
            StorageError: The store could not write.
        """
        imported = [
            replace(each, record=self._record_type.validate_record(each.record)) for each in batch.records
        ]
        with self.store.unit_of_work() as unit:
            stored = unit.lock_versions(self._record_type.record_key(each.record) for each in imported)
            records, new_keys = [], set()
            for each in imported:
                key = self._record_type.record_key(each.record)
                version = stored[key].version if key in stored else None
                if version != each.replaced_version:
                    raise RaceError(
                        f"{self._record_type.display_name(key[0])} {key[1]!r} was changed during the import; "
                        "nothing was written. Try again."
                    )
                if version is None:
                    new_keys.add(key)
                    records.append(each.record)
                else:
                    records.append(replace(each.record, version=max(each.record.version, version + 1)))
            unit.apply_changes(
                ChangeSet(
                    tuple(records),
                    tuple(batch.history),
                    frozenset(new_keys),
                    aliases=batch.aliases,
                    migration=batch.migration,
                )
            )
            self._run_guards()

    def purge(self, kind: RecordKind, records: Sequence[Record], *, actor: str) -> int:
        """Remove flat records for good, in one unit of work with one audit event; return their number.

        Records that were changed since they were read stay.

        Args:
            kind: The kind of the records.
            records: The records as they were read.
            actor: The name in the audit log.

        Raises:
            StorageError: The store could not write.
        """
        versions = {(str(kind), each.id): each.version for each in records}
        with self.store.unit_of_work() as unit:
            stored = unit.lock_versions(versions)
            unchanged = [key for key, found in stored.items() if found.version == versions[key]]
            if not unchanged:
                return 0
            event = AuditEvent(
                clock.now(), actor, str(kind), PURGED, PURGE, None, {"removed": len(unchanged)}
            )
            removed = frozenset((kind, record_id) for _, record_id in unchanged)
            unit.apply_changes(ChangeSet((), (event,), removed=removed))
            self._run_guards()
        return len(unchanged)

    def _write_changes(self, changes: Sequence[Change]) -> _ChangeDraft:
        with self.store.unit_of_work() as unit:
            draft = self._draft_changes(unit, changes)
            if draft.records:
                unit.apply_changes(self._build_change_set(draft))
            for record, operation in zip(draft.records, draft.operations, strict=True):
                self.hooks.run_after(unit, self._record_type.record_key(record)[0], operation, record)
            self._run_guards()
        return draft

    def _run_guards(self) -> None:
        # Just before the commit, because a migration to another store may have finished while the unit of
        # work waited for the lock.
        for guard in self.commit_guards:
            guard()

    def _draft_changes(self, unit: UnitOfWork, changes: Sequence[Change]) -> _ChangeDraft:
        records = [change.record for change in changes if isinstance(change, SaveRecord)]
        keys = [self._record_key(change) for change in changes]
        has_repeated_keys = len(set(keys)) < len(keys)
        versions = dict(unit.lock_versions(key for key in keys if self._record_type.has_id(key[1])))
        draft = _ChangeDraft(clock.now())
        for change, requested_key in zip(changes, keys, strict=True):
            stored = versions.get(requested_key)
            if isinstance(change, SaveRecord):
                drafted = self._draft_save(change, stored, draft.at)
            else:
                drafted = _draft_delete_or_restore(unit, change, stored)
            if drafted is None:
                continue
            if isinstance(change, SaveRecord) and not change.from_store:
                self._refuse_violations(unit, change.record, stored)
                if not change.imported:
                    self._record_type.check_change(change.record, stored.summary if stored else None, records)
            operation, record, actor = drafted
            record = self._apply_before_hooks(unit, draft, operation, record)
            key = self._record_type.record_key(record)
            if stored is None:
                draft.new_keys.add(key)
            draft.records.append(record)
            draft.operations.append(operation)
            event = self._build_audit_event(draft.at, actor, operation, record, stored)
            if isinstance(change, SaveRecord) and change.adopted_because:
                event = replace(
                    event, after={**(event.after or {}), "adopted_because": change.adopted_because}
                )
            draft.events.append(event)
            if has_repeated_keys and self._record_type.has_id(key[1]):
                versions[key] = StoredVersion(
                    record.version, record.deleted_at, self._record_type.summarize_record(record)
                )
        self._assign_missing_ids(unit, draft)
        return draft

    def _refuse_violations(self, unit: UnitOfWork, record: Record, version: StoredVersion | None) -> None:
        """Refuse a value that exceeds a limit, unless the stored record has the same value."""
        violations = self._record_type.find_violations(record)
        if not violations:
            return
        stored = unit.read_record(*self._record_type.record_key(record)) if version is not None else None
        stored_violations = self._record_type.find_violations(stored) if stored is not None else {}
        for violation, message in violations.items():
            if violation not in stored_violations:
                raise InvalidInputError(message)

    def _apply_before_hooks(
        self, unit: UnitOfWork, draft: _ChangeDraft, operation: str, record: Record
    ) -> Record:
        """Return the record after the before-hooks, with its new times."""
        kind, record_id = self._record_type.record_key(record)
        record = self.hooks.run_before(unit, kind, operation, record)
        if operation in ("delete", "restore"):
            record = replace(record, deleted_at=draft.at if operation == "delete" else None)
            if kind == RecordKind.REPORT:
                draft.summary_only_ids.add(record_id)
        return record if record.updated_at is draft.at else replace(record, updated_at=draft.at)

    def _build_audit_event(
        self, at: dt.datetime, actor: str, operation: str, record: Record, stored: StoredVersion | None
    ) -> AuditEvent:
        kind, record_id = self._record_type.record_key(record)
        name, after = self._record_type.audit_operation(operation, record)
        before = stored.summary if stored else None
        if after is None:
            # The record no longer exists, so it has no state after the change.
            before = add_on_behalf_of(before) or None
        else:
            after = add_on_behalf_of(after)
        return AuditEvent(at, actor, str(kind), record_id, name, before, after)

    def _assign_missing_ids(self, unit: UnitOfWork, draft: _ChangeDraft) -> None:
        """Let the store assign ids to the records without one."""
        missing = [
            index
            for index, record in enumerate(draft.records)
            if not self._record_type.has_id(self._record_type.record_key(record)[1])
        ]
        if not missing:
            return
        assigned = unit.assign_ids([draft.records[index] for index in missing])
        for index, record in zip(missing, assigned, strict=True):
            draft.records[index] = record
            event = draft.events[index]
            draft.events[index] = self._build_audit_event(
                event.at, event.actor, draft.operations[index], record, None
            )
            draft.new_keys.add(self._record_type.record_key(record))

    def _draft_save(
        self, change: SaveRecord, stored: StoredVersion | None, at: dt.datetime
    ) -> tuple[str, Record, str] | None:
        record = change.record
        if stored is not None and change.only_if_missing:
            return None
        if (
            stored is not None
            and change.skip_if_unchanged
            and _equals_stored(stored, self._record_type.summarize_record(record))
        ):
            return None
        if stored is not None and (
            stored.deleted_at
            or not self._record_type.version_matches(record, change.expected_version, stored)
        ):
            raise self._conflict_error(change, stored)
        actor = change.actor or self._record_type.default_actor(record)
        drafted = replace(record, version=stored.version + 1 if stored else 1, updated_at=at)
        return "update" if stored else "create", drafted, actor

    def _conflict_error(self, change: SaveRecord, stored: StoredVersion) -> ConflictError:
        kind, record_id = self._record_key(change)
        query = AuditQuery(component=(str(kind),), record_id=(record_id,))
        last = next(iter(self.store.scan(query, Page(limit=1))), None)
        by = f" by {last.actor} on {last.at:%Y-%m-%d %H:%M} UTC" if last else ""
        name = f"{self._record_type.display_name(kind)} {record_id!r}"
        if stored.deleted_at:
            message = f"{name} was deleted{by}; restore it before saving it."
        elif change.expected_version is None:
            message = f"{name} was changed{by} since it was read. Load it again and repeat your change."
        elif change.expected_version == 0:
            saved = f", saved{by}" if by else ""
            message = f"{name} already exists{saved}, at version {stored.version}; nothing was written."
        else:
            message = (
                f"{name} was changed{by}: it is at version {stored.version}, you edited version "
                f"{change.expected_version}. Load it again and repeat your change."
            )
        return ConflictError(
            message,
            kind=str(kind),
            record_id=record_id,
            stored_version=stored.version,
            changed_by=last.actor if last else None,
        )

    def _validate_change(self, change: Change) -> Change:
        change = _name_actor(change)
        if change.actor is not None:
            validation.check_actor(change.actor)
        if not isinstance(change, SaveRecord):
            return change
        record = self._record_type.validate_record(change.record)
        return change if record is change.record else replace(change, record=record)

    def _can_exist(self, change: Change) -> bool:
        """Return whether the record of the change can exist: nothing is stored under an invalid id."""
        return isinstance(change, SaveRecord) or self._record_type.is_possible_id(change.id)

    def _record_key(self, change: Change) -> _RecordKey:
        if isinstance(change, SaveRecord):
            return self._record_type.record_key(change.record)
        return change.kind, change.id

    def _build_change_set(self, draft: _ChangeDraft) -> ChangeSet:
        # A record that was changed twice in one unit of work is written once, in its last state.
        last_states = {self._record_type.record_key(record): record for record in draft.records}
        summary_only_ids = {
            key[1]
            for key in last_states
            if key[0] == RecordKind.REPORT and key[1] in draft.summary_only_ids and key not in draft.new_keys
        }
        return ChangeSet(
            tuple(last_states.values()),
            tuple(draft.events),
            frozenset(draft.new_keys),
            frozenset(summary_only_ids),
        )


def _name_actor(change: Change) -> Change:
    """Return a change with the current actor if its caller named none."""
    actor = _actor_source() if change.actor is None else ""
    return replace(change, actor=actor) if actor else change


def _equals_stored(stored: StoredVersion, new: Mapping[str, Any]) -> bool:
    return stored.deleted_at is None and _comparable_fields(stored.summary) == _comparable_fields(new)


def _comparable_fields(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name not in ("version", "updated_at")}


def _draft_delete_or_restore(
    unit: UnitOfWork, change: DeleteRecord | RestoreRecord, stored: StoredVersion | None
) -> tuple[str, Record, str] | None:
    deleting = isinstance(change, DeleteRecord)
    if stored is None or (stored.deleted_at is not None) == deleting:
        return None
    if isinstance(change, DeleteRecord) and change.only_version not in (None, stored.version):
        return None
    record = unit.read_record(change.kind, change.id)
    if record is None:
        return None
    drafted = replace(record, version=stored.version + 1)
    actor = DEFAULT_ACTOR if change.actor is None else change.actor
    return "delete" if deleting else "restore", drafted, actor


__all__ = [
    "AnnotationRecord",
    "Change",
    "DeleteRecord",
    "ReportRecord",
    "RestoreRecord",
    "SaveRecord",
    "WritePath",
]
