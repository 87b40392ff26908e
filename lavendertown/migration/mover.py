"""A move: everything one store holds, into another one, through the one write path.

It needs no cursor: what the target holds already is recognised by its content. So a second run
writes nothing, and one that was killed is finished by the next. The source is only read.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence, Set
from contextlib import ExitStack
from dataclasses import asdict, replace

from lavendertown import clock
from lavendertown.errors import ConflictError, InvalidInputError, RaceError
from lavendertown.migration.batches import (
    FINDINGS_AT_ONCE,
    FINDINGS_AT_ONCE_ALONE,
    RECORDS_AT_ONCE,
    findings_in,
    moments,
    portions,
)
from lavendertown.migration.conflicts import Judge, Plan, key_of
from lavendertown.migration.places import Place, read_place
from lavendertown.migration.progress import Meter
from lavendertown.migration.quarantine import Quarantine
from lavendertown.migration.sources import Source, kind_of, open_source, read_zone
from lavendertown.migration.target import Target, quarantine_folder
from lavendertown.migration.values import (
    COUNTED,
    KINDS,
    Conflict,
    Counts,
    OnConflict,
    OnProgress,
    Outcome,
    Request,
)
from lavendertown.migration.verify import BEGINNING, Verification
from lavendertown.records import rules
from lavendertown.records.accessor import Import
from lavendertown.records.values import PLAIN, AuditEvent, Kind, Move, Record, ReportRecord

_ATTEMPTS = 5
# Events are dated by whoever wrote them, and clocks differ.
_SLACK = dt.timedelta(minutes=10)
_SHOWN = 1000


def plan(request: Request, progress: OnProgress | None = None) -> Outcome:
    """Read everything, write nothing, and say what a move would do.

    Raises:
        InvalidInputError: Source or target is none, or they are the same store.
        StorageError: One of them does not answer or cannot be used.
    """
    with ExitStack() as stack:
        mover = open_mover(stack, request, progress, dry_run=True)
        mover.copy()
        return mover.outcome()


def move(request: Request, progress: OnProgress | None = None) -> Outcome:
    """Move everything that the source holds into the target, and verify it.

    Raises:
        InvalidInputError: Source or target is none, or they are the same store.
        ConflictError: There are conflicts and the policy is to fail; nothing was written.
        StorageError: One of them does not answer or cannot be used. What was written stays, and
            the next run goes on from there.
    """
    with ExitStack() as stack:
        mover = open_mover(stack, request, progress, dry_run=False)
        if mover.request.on_conflict is OnConflict.FAIL and not mover.target.blank:
            _refuse_conflicts(mover.request)
        mover.copy()
        mover.catch_up()
        mover.verify()
        mover.finish()
        return mover.outcome()


def catch_up(request: Request, moved: Outcome) -> int:
    """Carry over what was written to the source since a finished move began; return how much.

    What the target kept of its own in a conflict stays as it is.

    Raises:
        StorageError: One of the stores does not answer, or a record could not be carried over.
    """
    with ExitStack() as stack:
        mover = open_mover(stack, request)
        moves = [move for move in mover.target.store.moves() if move.finished_at is not None]
        ledger = next((move for move in moves if move.id == moved.id), moves[-1] if moves else None)
        mover.follow(ledger, moved.left_out)
        mover.catch_up()
        return mover.outcome().counts["events"].written


def _refuse_conflicts(request: Request) -> None:
    found = plan(request)
    number = found.conflict_count
    if number:
        first = found.conflicts[0]
        raise ConflictError(
            f"The target holds {number:,} record{'s' if number > 1 else ''} of the source with other "
            f"content (first: {first.kind} {first.record_id!r}); nothing was moved. Choose to skip or to "
            "overwrite them."
        )


def open_mover(
    stack: ExitStack, request: Request, progress: OnProgress | None = None, *, dry_run: bool = False
) -> Mover:
    """Open source and target of a request; the stack closes them.

    Raises:
        InvalidInputError: One of them is no store, or they are the same one.
        StorageError: One of them does not answer or cannot be used.
    """
    origin, goal = read_place(request.source), read_place(request.target)
    if origin.location == goal.location:
        raise InvalidInputError(
            f"Source and target are the same store, {origin.words}; choose another target."
        )
    read_zone(request.zone)
    # The source first: one that cannot be read must not leave tables in the target.
    open_source(origin, None, Quarantine()).close()
    target = Target.open(goal, dry_run=dry_run)
    stack.callback(target.close)
    ledger = target.unfinished
    if ledger is not None:
        request = _resumed(request, origin, ledger)
    else:
        options = {"location": origin.location, "was_empty": target.blank, **_options(request)}
        move_id = f"m-{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        ledger = Move(move_id, origin.words, goal.words, request.actor, clock.now(), options)
    aside = None if dry_run else quarantine_folder(origin, goal, ledger.id)
    source = open_source(origin, read_zone(request.zone), Quarantine(aside))
    stack.callback(source.close)
    return Mover(request, source, target, ledger, Meter(progress, passes=1 if dry_run else 2), dry_run)


def _resumed(request: Request, origin: Place, left: Move) -> Request:
    """Take up the move that was interrupted in the target."""
    if left.options.get("location") != origin.location:
        raise InvalidInputError(
            f"A move from {left.source} into {left.target} was begun on {left.started_at:%Y-%m-%d %H:%M} "
            "UTC and is not finished; run that one again first."
        )
    if request.resume:
        choices = {key: OnConflict(choice) for key, choice in left.options["choices"].items()}
        policy = OnConflict(left.options["on_conflict"])
        return replace(request, zone=left.options["zone"], on_conflict=policy, choices=choices)
    if request.zone != left.options["zone"]:
        raise InvalidInputError(
            f"The unfinished move into {left.target} reads times in the zone "
            f"{left.options['zone'] or 'of the source'}; name the same zone, or resume it."
        )
    return request


def _options(request: Request) -> dict[str, object]:
    choices = {key: choice.value for key, choice in request.choices.items()}
    return {"zone": request.zone, "on_conflict": request.on_conflict.value, "choices": choices}


class Mover:
    """One run from one source into one target."""

    def __init__(
        self, request: Request, source: Source, target: Target, ledger: Move, meter: Meter, dry_run: bool
    ) -> None:
        self.request = request
        self.source = source
        self.target = target
        self._ledger = ledger
        self._meter = meter
        self._dry_run = dry_run
        self._begun = target.unfinished is not None
        self._finished = False
        self._counts = {name: Counts() for name in KINDS}
        self._conflicts: list[Conflict] = []
        self._left_out: set[str] = set()
        self._kept_aliases: set[str] = set()
        own = self._begun and ledger.half_filled
        self._judge = Judge(source, target, request, own=own)
        self._verification = Verification(source, target, meter, lambda r: key_of(r) in self._left_out)

    def follow(self, ledger: Move | None, left_out: Set[str]) -> None:
        """Go on after a move that is finished: nothing is noted in the target's ledger."""
        self._left_out |= left_out
        self._ledger = ledger or replace(self._ledger, started_at=BEGINNING + _SLACK)
        self._begun = True

    def copy(self) -> None:
        """Go through the whole source once."""
        self._meter.expect(self.source.total())
        self._meter.enter("reports")
        most = FINDINGS_AT_ONCE_ALONE if self._ledger.half_filled else FINDINGS_AT_ONCE
        for reports in portions(self.source.reports(), most):
            self._take(reports)
        self._take_aliases()
        self._meter.enter("annotations")
        for notes in portions(self.source.annotations()):
            self._take(notes)
        self._meter.enter("rulesets")
        for rulesets in portions(self.source.rulesets()):
            self._take(rulesets)
        for kind in PLAIN:
            self._meter.enter(COUNTED[kind])
            for records in portions(self.source.plain(kind)):
                self._take(records)
        self._meter.enter("events")
        self._take_events()

    def catch_up(self) -> None:
        """Carry over what was written to the source since the move began, until nothing is new."""
        self._meter.enter("changes")
        # The first time, a record may have changed after it was read and before its event was.
        all_of_them = True
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if not self._take_changes(all_of_them=all_of_them):
                    return
                all_of_them = False
            except RaceError:
                # Somebody writes to the target as well.
                if attempt == _ATTEMPTS:
                    raise

    def verify(self) -> None:
        """Read everything back on both sides and compare."""
        self._meter.enter("verifying")
        self._verification.run(self._kept_aliases)
        if self._verification.doubtful:
            # Somebody is writing to the source: for this moment, they wait.
            with self.source.still():
                self.catch_up()
                self._verification.settle(self._kept_aliases)

    def finish(self) -> None:
        """Close the line in the target's ledger, unless something differs."""
        if self._verification.differences:
            return
        if self._begun:
            counts = {name: asdict(count) for name, count in self._counts.items()}
            about = {"source": self._ledger.source, "target": self._ledger.target, **counts}
            now = clock.now()
            event = AuditEvent(now, self.request.actor, "store", self._ledger.id, "move", None, about)
            self.target.write(
                Import(history=[event], move=replace(self._ledger, finished_at=now, outcome=counts))
            )
        self._finished = True

    def outcome(self) -> Outcome:
        """Return what came of it."""
        quarantine = self.source.quarantine
        return Outcome(
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
            seconds=self._meter.seconds,
            left_out=frozenset(self._left_out),
        )

    def _take(self, records: Sequence[Record]) -> None:
        """Take one portion of records over, as far as it is not there."""
        try:
            # The write path refuses what may not be stored; a dry run asks beforehand.
            plans = self._take_valid(self._sifted(records) if self._dry_run else records)
        except InvalidInputError:
            plans = self._take_valid(self._sifted(records))
        for each in plans:
            self._count(each)
        self._meter.count(len(records), findings_in(records))

    def _take_valid(self, records: Sequence[Record]) -> list[Plan]:
        for attempt in range(1, _ATTEMPTS + 1):
            plans = self._judge.judge(records)
            try:
                self._write(Import([each.incoming for each in plans if each.incoming is not None]))
                break
            except RaceError:
                if attempt == _ATTEMPTS:
                    raise
        return plans

    def _sifted(self, records: Sequence[Record]) -> list[Record]:
        return [record for record in records if self._is_valid(record)]

    def _is_valid(self, record: Record) -> bool:
        try:
            rules.check(record)
        except InvalidInputError as error:
            self.source.set_aside(record, str(error))
            self._left_out.add(key_of(record))
            return False
        return True

    def _count(self, each: Plan) -> None:
        mine = self._counts[COUNTED[each.kind]]
        counted = [(mine, 1)]
        if isinstance(each.record, ReportRecord):
            counted.append((self._counts["findings"], len(each.record.findings)))
        for count, number in counted:
            count.read += number
            count.written += number if each.incoming is not None else 0
            count.skipped += number if each.incoming is None and each.conflict is None else 0
            count.conflicts += number if each.conflict is not None else 0
        if each.conflict is not None:
            if each.incoming is None:
                self._left_out.add(each.conflict.key)
            if len(self._conflicts) < _SHOWN:
                self._conflicts.append(each.conflict)

    def _take_aliases(self) -> None:
        known = self.target.aliases()
        found = self.source.aliases()
        self._kept_aliases = {old for old, name in found.items() if known.get(old, name) != name}
        new = {old: name for old, name in found.items() if old not in known}
        if new:
            self._write(Import(aliases=new))

    def _take_events(self) -> None:
        count = self._counts["events"]
        for batch in moments(self.source.events(BEGINNING)):
            missing = self.target.lacks(batch)
            self._write(Import(history=missing))
            count.read += len(batch)
            count.written += len(missing)
            count.skipped += len(batch) - len(missing)
            self._meter.count(len(batch))

    def _take_changes(self, *, all_of_them: bool) -> bool:
        """Carry over what events since the start are about; tell whether there was anything new."""
        since = self._ledger.started_at - _SLACK
        changed: dict[tuple[str, str], AuditEvent] = {}
        missing: list[AuditEvent] = []
        for batch in moments(self.source.events(since)):
            lacking = self.target.lacks(batch)
            missing += lacking
            events = batch if all_of_them else lacking
            changed |= {(event.component, event.record_id): event for event in events}
        stale = self._stale(changed.values(), since)
        # Before the records: what an old id means was decided in the source.
        self._take_aliases()
        if not stale and not missing:
            return False
        incoming = [each.incoming for each in stale if each.incoming is not None]
        for start in range(0, len(incoming), RECORDS_AT_ONCE):
            self._write(Import(incoming[start : start + RECORDS_AT_ONCE]))
        self._write(Import(history=missing))
        for each in stale:
            # What is only newer now was counted when it was copied.
            if each.conflict is not None or each.incoming is None or each.incoming.replaces is None:
                self._count(each)
        self._counts["events"].read += len(missing)
        self._counts["events"].written += len(missing)
        return True

    def _stale(self, events: Iterable[AuditEvent], since: dt.datetime) -> list[Plan]:
        """Return plans for the records these events are about, if the target does not have them so."""
        now: dict[Kind, list[Record]] = {kind: [] for kind in Kind}
        for event in events:
            kind = kind_of(event)
            if kind is None or f"{kind.value}:{event.record_id}" in self._left_out:
                continue
            about = str((event.after or event.before or {}).get("finding_id", ""))
            record = self.source.read(kind, event.record_id, about)
            if record is not None and self._is_valid(record):
                now[kind].append(record)
        return [each for records in now.values() for each in self._judge.renew(records, since)]

    def _write(self, incoming: Import) -> None:
        """Write, having noted in the target's ledger before the first time that a move is on."""
        if self._dry_run or not (incoming.records or incoming.history or incoming.aliases):
            return
        if not self._begun:
            self.target.write(Import(move=self._ledger))
            self._begun = True
        self.target.write(incoming)
