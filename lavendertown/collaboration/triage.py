"""Triage: what a team decides about findings, one or many at once, and how it is undone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lavendertown import clock
from lavendertown.collaboration.core import Core
from lavendertown.errors import InvalidInputError
from lavendertown.records import rules
from lavendertown.records.accessor import Change, Put, Remove
from lavendertown.records.queries import PlainQuery
from lavendertown.records.values import EVERYTHING, AnnotationRecord, Kind, TriageRecord, as_dict

CLOSED = ("fixed", "accepted", "false_positive")
"""The statuses that close a finding; each asks for a reason."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about findings. What is None stays as it is.

    Attributes:
        status: One of the six statuses; a closing one needs a reason.
        reason: Why it is closed.
        comment, tags: Said in the thread of each.
        assignee: Who looks after it; empty for nobody.
        note: Pinned above the thread; empty for none.
        snooze_until: Not to be shown as needing attention before then.
        snooze_factor: Nor before the number or share of affected rows has grown by this factor.
        wake: Ends a snooze.
        stands_alone: Whether it is none of the vanished findings it looks like.
    """

    status: str | None = None
    reason: str | None = None
    comment: str = ""
    tags: Sequence[str] = ()
    assignee: str | None = None
    note: str | None = None
    snooze_until: dt.datetime | None = None
    snooze_factor: float | None = None
    wake: bool = False
    stands_alone: bool | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """How a decision is taken back.

    Attributes:
        finding_ids: The findings it was about.
        annotations: The annotations it made.
        before: The triage of the findings it changed, as it was; None where there was none.
        versions: The triage versions it left.
    """

    finding_ids: tuple[str, ...]
    annotations: tuple[str, ...] = ()
    before: Mapping[str, TriageRecord | None] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)


class Triage(Core):
    """Decisions about the findings of a storage."""

    def load_triage(self, finding_id: str) -> dict[str, Any]:
        """Return what was decided about a finding beside its thread.

        Returns:
            A dictionary with finding_id, assignee, close_reason, snooze_until, snooze_factor,
            snooze_count, snooze_share, note, merged_into, stands_alone, updated_at
            and version (0: nothing yet).
        """
        name = self.resolve_finding(finding_id)
        out = as_dict(self._triage([name]).get(name) or TriageRecord(name, clock.EPOCH))
        out["finding_id"] = out.pop("id")
        del out["deleted_at"]
        return out

    def decide(
        self,
        finding_ids: str | Iterable[str],
        decision: Decision,
        *,
        actor: str,
        versions: Mapping[str, int] | None = None,
    ) -> Undo:
        """Carry a decision out on these findings, all or none.

        Args:
            finding_ids: Any of their ids.
            decision: What is decided.
            actor: Who decides.
            versions: The triage versions that were seen, by finding; one that is not stored any
                more refuses all.

        Returns:
            What :meth:`undo` needs.

        Raises:
            InvalidInputError: Nothing is decided, or a part cannot be stored.
            ConflictError: Somebody else decided in the meantime.
        """
        names = tuple(dict.fromkeys(map(self.resolve_finding, _names(finding_ids))))
        _check(decision)
        before = self._triage(names)
        after = {name: self._after(before.get(name), name, decision) for name in names}
        changed = {n: r for n, r in after.items() if r != (before.get(n) or TriageRecord(n, clock.EPOCH))}
        seen = dict(versions or {})
        expected = {n: seen.get(n, before[n].version if n in before else 0) for n in changed}
        puts: list[Change] = [Put(record, expected[name], actor) for name, record in changed.items()]
        notes = [_annotation(name, decision, actor) for name in names] if _speaks(decision) else []
        written = self.writes.commit([*puts, *(Put(note, actor=actor) for note in notes)])
        return Undo(
            names,
            tuple(note.id for note in notes),
            {name: before.get(name) for name in changed},
            {record.id: record.version for record in written if isinstance(record, TriageRecord)},
        )

    def undo(self, undo: Undo, *, actor: str) -> int:
        """Take a decision back; return on how many findings it was.

        What somebody else decided since stays: those findings are left alone.
        """
        now = self._triage(undo.before)
        mine = [n for n in undo.before if n in now and now[n].version == undo.versions[n]]
        back = [
            Put(
                replace(undo.before[n] or TriageRecord(n, clock.EPOCH), deleted_at=None),
                undo.versions[n],
                actor,
            )
            for n in mine
        ]
        gone = [Remove(Kind.ANNOTATION, note, actor) for note in undo.annotations]
        done = self.writes.commit([*back, *gone])
        names = {r.id for r in done if isinstance(r, TriageRecord)}
        names |= {self.resolve_finding(r.finding_id) for r in done if isinstance(r, AnnotationRecord)}
        return len(names)

    def merge_findings(self, finding_ids: str | Iterable[str], into: str, *, actor: str) -> Undo:
        """Handle these findings as another one, from now on and looking back.

        Their reports keep what they say; threads, sightings and status are those of the other one.

        Raises:
            InvalidInputError: There is nothing to merge.
        """
        target = self.resolve_finding(into)
        names = [name for name in map(self.resolve_finding, _names(finding_ids)) if name != target]
        if not names:
            raise InvalidInputError("A finding cannot be merged into itself; choose another one.")
        return self._redirect(dict.fromkeys(names, target), actor)

    def take_over(self, finding_id: str, vanished_id: str, *, actor: str) -> Undo:
        """Let a finding go on where a vanished one stopped, since a changed check gave it another id.

        The vanished one's reports, thread and status are merged into it, and what was decided about it
        beside them (assignee, note, reason, snooze) holds on where the other has none.

        Raises:
            InvalidInputError: They are one finding already.
        """
        name, old = self.resolve_finding(finding_id), self.resolve_finding(vanished_id)
        if name == old:
            raise InvalidInputError("The two are one finding already; there is nothing to take over.")
        held = self._triage([name, old])
        mine = held.get(name) or TriageRecord(name, clock.EPOCH)
        theirs = held.get(old) or TriageRecord(old, clock.EPOCH)
        snooze = theirs if mine.snooze_until is None and mine.snooze_factor is None else mine
        taken = replace(
            mine,
            assignee=mine.assignee or theirs.assignee,
            note=mine.note or theirs.note,
            close_reason=mine.close_reason or theirs.close_reason,
            snooze_until=snooze.snooze_until,
            snooze_factor=snooze.snooze_factor,
            snooze_count=snooze.snooze_count,
            snooze_share=snooze.snooze_share,
        )
        changed = [replace(theirs, merged_into=name), *([taken] if taken != mine else [])]
        return self._replace(changed, held, actor)

    def split_finding(self, finding_id: str, *, actor: str) -> Undo:
        """Take a finding that was merged into another one apart again.

        Args:
            finding_id: The id it had before.
            actor: Who does it.

        Raises:
            InvalidInputError: It was not merged.
        """
        held = self._triage([finding_id]).get(finding_id)
        if held is None or not held.merged_into:
            raise InvalidInputError(f"The finding {finding_id!r} was not merged into another one.")
        return self._redirect({finding_id: ""}, actor)

    def _redirect(self, where: Mapping[str, str], actor: str) -> Undo:
        before = self._triage(where)
        changed = [
            replace(before.get(n) or TriageRecord(n, clock.EPOCH), merged_into=into)
            for n, into in where.items()
        ]
        return self._replace(changed, before, actor)

    def _replace(
        self, records: Sequence[TriageRecord], before: Mapping[str, TriageRecord], actor: str
    ) -> Undo:
        written = self.writes.commit([Put(record, actor=actor) for record in records])
        names = tuple(record.id for record in records)
        versions = {record.id: record.version for record in written}
        return Undo(names, before={name: before.get(name) for name in names}, versions=versions)

    def _triage(self, names: Iterable[str]) -> dict[str, TriageRecord]:
        wanted = tuple(name for name in names if rules.is_id(name))
        if not wanted:
            return {}
        found = self.store.scan(PlainQuery(Kind.TRIAGE, wanted), EVERYTHING)
        return {record.id: record for record in found if isinstance(record, TriageRecord)}

    def _after(self, held: TriageRecord | None, name: str, decision: Decision) -> TriageRecord:
        record = held or TriageRecord(name, clock.EPOCH)
        if decision.assignee is not None:
            record = replace(record, assignee=decision.assignee)
        if decision.note is not None:
            record = replace(record, note=decision.note)
        if decision.stands_alone is not None:
            record = replace(record, stands_alone=decision.stands_alone)
        if decision.status is not None:
            record = replace(record, close_reason=decision.reason or "")
        if decision.wake or decision.snooze_until or decision.snooze_factor:
            record = replace(
                record, snooze_until=None, snooze_factor=None, snooze_count=None, snooze_share=None
            )
        if decision.snooze_until is not None:
            record = replace(record, snooze_until=clock.to_utc(decision.snooze_until))
        if decision.snooze_factor is not None:
            last = next(iter(self.store.identities([name])), None)
            record = replace(
                record,
                snooze_factor=float(decision.snooze_factor),
                snooze_count=last.last_count if last else None,
                snooze_share=last.last_share if last else None,
            )
        return record


def _names(finding_ids: str | Iterable[str]) -> list[str]:
    names = [finding_ids] if isinstance(finding_ids, str) else list(finding_ids)
    for name in names:
        rules.check_id(name, "finding id")
    if not names:
        raise InvalidInputError("No finding is chosen; choose at least one.")
    return names


def _check(decision: Decision) -> None:
    if decision == Decision():
        raise InvalidInputError("Nothing is decided; choose a status, a person, a tag, or write a comment.")
    if decision.status in CLOSED and not (decision.reason or "").strip():
        raise InvalidInputError("Closing a finding needs a reason; say in a few words why.")


def _speaks(decision: Decision) -> bool:
    return decision.status is not None or bool(decision.comment) or bool(decision.tags)


def _annotation(name: str, decision: Decision, actor: str) -> AnnotationRecord:
    return AnnotationRecord(
        id=uuid.uuid4().hex,
        finding_id=name,
        author=actor,
        created_at=clock.now(),
        comment=decision.comment or decision.reason or "",
        tags=tuple(decision.tags),
        status=decision.status,
        report_id=None,
        updated_at=clock.EPOCH,
    )
