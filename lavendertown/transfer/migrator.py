"""Migration: copy all records of one store into another through the write path.

No cursor is stored. Records that the target already has are recognized by their content, so a second run
writes nothing, and a run that was killed is completed by the next one. The source is only read.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence, Set
from contextlib import ExitStack
from dataclasses import asdict, replace

from lavendertown.core import clock
from lavendertown.core.errors import ConflictError, InvalidInputError, RaceError
from lavendertown.records import validation
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    AuditEvent,
    MigrationRecord,
    Record,
    RecordKind,
    ReportRecord,
)
from lavendertown.records.write_path import ImportBatch
from lavendertown.transfer.conflicts import ConflictResolver, PlannedWrite, record_key
from lavendertown.transfer.locations import StoreLocation, parse_location
from lavendertown.transfer.progress import ProgressReporter
from lavendertown.transfer.readers.batches import (
    FINDINGS_PER_BATCH,
    FINDINGS_PER_EXCLUSIVE_BATCH,
    RECORDS_PER_BATCH,
    batch_events,
    batch_records,
    count_findings,
)
from lavendertown.transfer.readers.opening import open_source
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source, event_record_kind, parse_time_zone
from lavendertown.transfer.target import Target, choose_quarantine_folder
from lavendertown.transfer.values import (
    COUNT_NAME_BY_KIND,
    COUNT_NAMES,
    Conflict,
    MigrationOutcome,
    MigrationRequest,
    OnConflict,
    ProgressCallback,
    RecordCounts,
)
from lavendertown.transfer.verification import BEGINNING_OF_TIME, Verification

_ATTEMPTS = 5
# Events carry the time of the machine that wrote them, and clocks differ.
_CLOCK_TOLERANCE = dt.timedelta(minutes=10)
_MAX_LISTED_CONFLICTS = 1000


def preview_migration(
    request: MigrationRequest, progress: ProgressCallback | None = None
) -> MigrationOutcome:
    """Return what a migration would do, without writing anything.

    Raises:
        InvalidInputError: Source or target is not a store, or they are the same store.
        StorageError: One of them does not respond or cannot be used.
    """
    with ExitStack() as stack:
        migrator = open_migrator(stack, request, progress, dry_run=True)
        migrator.copy_everything()
        return migrator.build_outcome()


def migrate_store(request: MigrationRequest, progress: ProgressCallback | None = None) -> MigrationOutcome:
    """Copy all records of the source into the target, and verify the copy.

    Raises:
        InvalidInputError: Source or target is not a store, or they are the same store.
        ConflictError: There are conflicts and the policy is to fail; nothing was written.
        StorageError: One of them does not respond or cannot be used. Copied records are kept, and the next
            run continues from there.
    """
    with ExitStack() as stack:
        migrator = open_migrator(stack, request, progress, dry_run=False)
        if migrator.request.on_conflict is OnConflict.FAIL and not migrator.target.was_empty:
            _refuse_if_conflicts(migrator.request)
        migrator.copy_everything()
        migrator.copy_later_changes()
        migrator.target.store.analyze()
        migrator.verify_target()
        migrator.close_ledger_entry()
        return migrator.build_outcome()


def migrate_later_changes(request: MigrationRequest, outcome: MigrationOutcome) -> int:
    """Copy changes made to the source since a finished migration began; return the number of audit events.

    Records that the target kept in a conflict are not overwritten.

    Raises:
        StorageError: One of the stores does not respond, or a record could not be copied.
    """
    with ExitStack() as stack:
        migrator = open_migrator(stack, request)
        finished = [each for each in migrator.target.store.migrations() if each.finished_at is not None]
        ledger = next(
            (each for each in finished if each.id == outcome.id), finished[-1] if finished else None
        )
        migrator.continue_after(ledger, outcome.left_out)
        migrator.copy_later_changes()
        return migrator.build_outcome().counts["events"].written


def _refuse_if_conflicts(request: MigrationRequest) -> None:
    preview = preview_migration(request)
    count = preview.conflict_count
    if count:
        first = preview.conflicts[0]
        raise ConflictError(
            f"In the target, {count:,} record{'s have' if count > 1 else ' has'} other content than in the "
            f"source (first: {first.kind} {first.record_id!r}); nothing was migrated. Choose to skip or to "
            "overwrite them."
        )


def open_migrator(
    stack: ExitStack,
    request: MigrationRequest,
    progress: ProgressCallback | None = None,
    *,
    dry_run: bool = False,
) -> Migrator:
    """Open the source and target of a request; the stack closes them.

    Raises:
        InvalidInputError: One of them is not a store, or they are the same store.
        StorageError: One of them does not respond or cannot be used.
    """
    source_location, target_location = parse_location(request.source), parse_location(request.target)
    if source_location.canonical_address == target_location.canonical_address:
        raise InvalidInputError(
            f"Source and target are the same store, {source_location.display_name}. Choose another target."
        )
    parse_time_zone(request.zone)
    # Opened before the target, so that an unreadable source does not leave new tables in the target.
    open_source(source_location, None, Quarantine()).close()
    target = Target.open(target_location, dry_run=dry_run)
    stack.callback(target.close)
    ledger = target.unfinished
    if ledger is not None:
        request = _resume_request(request, source_location, ledger)
    else:
        options = {
            "location": source_location.canonical_address,
            "was_empty": target.was_empty,
            **_ledger_options(request),
        }
        migration_id = f"m-{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        ledger = MigrationRecord(
            migration_id,
            source_location.display_name,
            target_location.display_name,
            request.actor,
            clock.now(),
            options,
        )
    quarantine_folder = (
        None if dry_run else choose_quarantine_folder(source_location, target_location, ledger.id)
    )
    source = open_source(source_location, parse_time_zone(request.zone), Quarantine(quarantine_folder))
    stack.callback(source.close)
    return Migrator(
        request, source, target, ledger, ProgressReporter(progress, passes=1 if dry_run else 2), dry_run
    )


def _resume_request(
    request: MigrationRequest, source_location: StoreLocation, unfinished: MigrationRecord
) -> MigrationRequest:
    """Return the request for continuing the unfinished migration in the target."""
    if unfinished.options.get("location") != source_location.canonical_address:
        raise InvalidInputError(
            f"The migration from {unfinished.source} to {unfinished.target}, started on "
            f"{unfinished.started_at:%Y-%m-%d %H:%M} UTC, is not finished. Run it again first."
        )
    if request.resume:
        choices = {key: OnConflict(choice) for key, choice in unfinished.options["choices"].items()}
        policy = OnConflict(unfinished.options["on_conflict"])
        return replace(request, zone=unfinished.options["zone"], on_conflict=policy, choices=choices)
    if request.zone != unfinished.options["zone"]:
        raise InvalidInputError(
            f"The unfinished migration to {unfinished.target} reads times in the zone "
            f"{unfinished.options['zone'] or 'of the source'}. Choose the same zone, or resume the migration."
        )
    return request


def _ledger_options(request: MigrationRequest) -> dict[str, object]:
    choices = {key: choice.value for key, choice in request.choices.items()}
    return {"zone": request.zone, "on_conflict": request.on_conflict.value, "choices": choices}


class Migrator:
    """One migration run from a source to a target."""

    def __init__(
        self,
        request: MigrationRequest,
        source: Source,
        target: Target,
        ledger: MigrationRecord,
        progress: ProgressReporter,
        dry_run: bool,
    ) -> None:
        self.request = request
        self.source = source
        self.target = target
        self._ledger = ledger
        self._progress = progress
        self._dry_run = dry_run
        self._is_in_ledger = target.unfinished is not None
        self._finished = False
        self._counts = {name: RecordCounts() for name in COUNT_NAMES}
        self._conflicts: list[Conflict] = []
        self._left_out: set[str] = set()
        self._kept_aliases: set[str] = set()
        self._resolver = ConflictResolver(
            source, target, request, is_own_partial_copy=self._is_in_ledger and ledger.left_store_incomplete
        )
        self._verification = Verification(source, target, progress, lambda r: record_key(r) in self._left_out)

    def continue_after(self, ledger: MigrationRecord | None, left_out: Set[str]) -> None:
        """Continue after a finished migration; the target's ledger gets no new entry."""
        self._left_out |= left_out
        self._ledger = ledger or replace(self._ledger, started_at=BEGINNING_OF_TIME + _CLOCK_TOLERANCE)
        self._is_in_ledger = True

    def copy_everything(self) -> None:
        """Copy every record and audit event of the source once."""
        self._progress.set_total(self.source.count_items())
        self._progress.start_phase("reports")
        is_exclusive = self._ledger.left_store_incomplete
        max_findings = FINDINGS_PER_EXCLUSIVE_BATCH if is_exclusive else FINDINGS_PER_BATCH
        for reports in batch_records(self.source.read_reports(), max_findings):
            self._copy_batch(reports)
        self._copy_aliases()
        self._progress.start_phase("annotations")
        for thread_batch in batch_records(self.source.read_annotations()):
            self._copy_batch(thread_batch)
        self._progress.start_phase("rulesets")
        for rulesets in batch_records(self.source.read_rulesets()):
            self._copy_batch(rulesets)
        for kind in FLAT_RECORD_CLASSES:
            self._progress.start_phase(COUNT_NAME_BY_KIND[kind])
            for records in batch_records(self.source.read_flat_records(kind)):
                self._copy_batch(records)
        self._progress.start_phase("events")
        self._copy_events()

    def copy_later_changes(self) -> None:
        """Copy changes made to the source since the migration began, until there are no more."""
        self._progress.start_phase("changes")
        # In the first pass, a record may have changed after it was read but before its event was.
        include_known_events = True
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if not self._copy_changes(include_known_events=include_known_events):
                    return
                include_known_events = False
            except RaceError:
                # The target was written to at the same time.
                if attempt == _ATTEMPTS:
                    raise

    def verify_target(self) -> None:
        """Read back all records of both stores and compare them."""
        self._progress.start_phase("verifying")
        self._verification.compare_all(self._kept_aliases)
        if self._verification.needs_recheck:
            # The source was written to during the comparison; block writers and compare again.
            with self.source.freeze_writes():
                self.copy_later_changes()
                self._verification.recheck_differences(self._kept_aliases)

    def close_ledger_entry(self) -> None:
        """Mark the migration as finished in the target's ledger, unless the stores differ."""
        if self._verification.differences:
            return
        if self._is_in_ledger:
            counts = {name: asdict(count) for name, count in self._counts.items()}
            after = {"source": self._ledger.source, "target": self._ledger.target, **counts}
            now = clock.now()
            event = AuditEvent(now, self.request.actor, "store", self._ledger.id, "move", None, after)
            self.target.import_records(
                ImportBatch(history=[event], migration=replace(self._ledger, finished_at=now, outcome=counts))
            )
        self._finished = True

    def build_outcome(self) -> MigrationOutcome:
        """Return the outcome so far."""
        quarantine = self.source.quarantine
        return MigrationOutcome(
            id=self._ledger.id,
            source=self._ledger.source,
            target=self._ledger.target,
            dry_run=self._dry_run,
            counts=self._counts,
            conflicts=tuple(self._conflicts),
            quarantined=quarantine.items,
            quarantine_folder=quarantine.folder,
            differences=self._verification.differences,
            verified=self._verification.done and not self._verification.differences,
            finished=self._finished,
            times=tuple(self.source.times),
            seconds=self._progress.elapsed_seconds,
            left_out=frozenset(self._left_out),
            normalized=len(self.source.normalized),
        )

    def _copy_batch(self, records: Sequence[Record]) -> None:
        """Write the records of a batch that the target does not have."""
        try:
            # The write path refuses invalid records; a dry run writes nothing, so it validates here.
            plans = self._write_batch(self._drop_invalid(records) if self._dry_run else records)
        except InvalidInputError:
            plans = self._write_batch(self._drop_invalid(records))
        for planned in plans:
            self._count_result(planned)
        self._progress.add_done(len(records), count_findings(records))

    def _write_batch(self, records: Sequence[Record]) -> list[PlannedWrite]:
        for attempt in range(1, _ATTEMPTS + 1):
            plans = self._resolver.plan_writes(records)
            try:
                self._import_batch(
                    ImportBatch([planned.incoming for planned in plans if planned.incoming is not None])
                )
                break
            except RaceError:
                if attempt == _ATTEMPTS:
                    raise
        return plans

    def _drop_invalid(self, records: Sequence[Record]) -> list[Record]:
        return [record for record in records if self._is_valid(record)]

    def _is_valid(self, record: Record) -> bool:
        try:
            validation.validate_record(record)
        except InvalidInputError as error:
            self.source.quarantine_record(record, str(error))
            self._left_out.add(record_key(record))
            return False
        return True

    def _count_result(self, planned: PlannedWrite) -> None:
        counted = [(self._counts[COUNT_NAME_BY_KIND[planned.kind]], 1)]
        if isinstance(planned.record, ReportRecord):
            counted.append((self._counts["findings"], len(planned.record.findings)))
        for counts, number in counted:
            counts.read += number
            counts.written += number if planned.incoming is not None else 0
            counts.skipped += number if planned.incoming is None and planned.conflict is None else 0
            counts.conflicts += number if planned.conflict is not None else 0
        if planned.conflict is not None:
            if planned.incoming is None:
                self._left_out.add(planned.conflict.key)
            if len(self._conflicts) < _MAX_LISTED_CONFLICTS:
                self._conflicts.append(planned.conflict)

    def _copy_aliases(self) -> None:
        existing = self.target.read_aliases()
        aliases = self.source.read_aliases()
        self._kept_aliases = {old for old, new in aliases.items() if existing.get(old, new) != new}
        missing = {old: new for old, new in aliases.items() if old not in existing}
        if missing:
            self._import_batch(ImportBatch(aliases=missing))

    def _copy_events(self) -> None:
        counts = self._counts["events"]
        for batch in batch_events(self.source.read_events(BEGINNING_OF_TIME)):
            missing = self.target.find_missing_events(batch)
            self._import_batch(ImportBatch(history=missing))
            counts.read += len(batch)
            counts.written += len(missing)
            counts.skipped += len(batch) - len(missing)
            self._progress.add_done(len(batch))

    def _copy_changes(self, *, include_known_events: bool) -> bool:
        """Copy the records that events since the start refer to; return whether anything was new."""
        since = self._ledger.started_at - _CLOCK_TOLERANCE
        changed: dict[tuple[str, str], AuditEvent] = {}
        missing: list[AuditEvent] = []
        for batch in batch_events(self.source.read_events(since)):
            missing_in_batch = self.target.find_missing_events(batch)
            missing += missing_in_batch
            events = batch if include_known_events else missing_in_batch
            changed |= {(event.component, event.record_id): event for event in events}
        stale = self._plan_changes(changed.values(), since)
        # Before the records: the source's aliases decide which finding an old id refers to.
        self._copy_aliases()
        if not stale and not missing:
            return False
        incoming = [planned.incoming for planned in stale if planned.incoming is not None]
        for start in range(0, len(incoming), RECORDS_PER_BATCH):
            self._import_batch(ImportBatch(incoming[start : start + RECORDS_PER_BATCH]))
        self._import_batch(ImportBatch(history=missing))
        for planned in stale:
            # An update of a record that this migration copied was counted when it was copied.
            is_update = planned.incoming is not None and planned.incoming.replaced_version is not None
            if planned.conflict is not None or not is_update:
                self._count_result(planned)
        self._counts["events"].read += len(missing)
        self._counts["events"].written += len(missing)
        return True

    def _plan_changes(self, events: Iterable[AuditEvent], since: dt.datetime) -> list[PlannedWrite]:
        """Return plans for the records these events refer to, except those that are equal in the target."""
        changed: dict[RecordKind, list[Record]] = {kind: [] for kind in RecordKind}
        for event in events:
            kind = event_record_kind(event)
            if kind is None or f"{kind.value}:{event.record_id}" in self._left_out:
                continue
            finding_id = str((event.after or event.before or {}).get("finding_id", ""))
            record = self.source.read_record(kind, event.record_id, finding_id)
            if record is not None and self._is_valid(record):
                changed[kind].append(record)
        return [
            planned
            for records in changed.values()
            for planned in self._resolver.replan_changed(records, since)
        ]

    def _import_batch(self, batch: ImportBatch) -> None:
        """Write a batch; before the first one, enter the migration in the target's ledger."""
        if self._dry_run or not (batch.records or batch.history or batch.aliases):
            return
        if not self._is_in_ledger:
            self.target.import_records(ImportBatch(migration=self._ledger))
            self._is_in_ledger = True
        self.target.import_records(batch)
