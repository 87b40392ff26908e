"""Triage: decisions about one finding or many, and how to undo them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock, statuses
from lavendertown.core.errors import InvalidInputError
from lavendertown.records import validation
from lavendertown.records.json_records import record_from_json
from lavendertown.records.queries import AuditQuery, FlatRecordQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    AnnotationRecord,
    AuditEvent,
    Page,
    RecordKind,
    TriageRecord,
    attributes_to_dict,
)
from lavendertown.records.write_path import Change, DeleteRecord, SaveRecord

AUTOMATIC_ACTOR = "LavenderTown"
"""The actor of merges without a person, see :mod:`lavendertown.collaboration.parts.adoption`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about findings; None leaves a value unchanged.

    Attributes:
        status: One of the six statuses; a closing one needs a reason or a comment.
        reason: Why it is closed; the comment by default.
        comment, tags: Added to the discussion of each finding.
        assignee: Who is responsible; empty for nobody.
        note: Pinned above the discussion; empty for none.
        snooze_until: Snoozed until then.
        snooze_factor: Snoozed until the number or share of affected rows has grown by this factor.
        unsnooze: Ends a snooze.
        stands_alone: Whether the finding is distinct from the vanished findings that it resembles.
        accepted_until: When the acceptance ends; only with the status ``accepted``, like the next three.
        ceiling_count: The number of affected rows up to which the findings are accepted.
        ceiling_share: The same as a share of all rows, 0 to 1.
        has_no_ceiling: Accepts the findings whatever their size. Without a ceiling, they are accepted up to
            twice their present size.
    """

    status: str | None = None
    reason: str | None = None
    comment: str = ""
    tags: Sequence[str] = ()
    assignee: str | None = None
    note: str | None = None
    snooze_until: dt.datetime | None = None
    snooze_factor: float | None = None
    unsnooze: bool = False
    stands_alone: bool | None = None
    accepted_until: dt.datetime | None = None
    ceiling_count: int | None = None
    ceiling_share: float | None = None
    has_no_ceiling: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """What :meth:`Triage.undo` needs to undo a decision.

    Attributes:
        finding_ids: The findings of the decision.
        annotations: Ids of the annotations that it created.
        before: The earlier triage of the findings that it changed; None if there was none.
        versions: The triage versions after the decision.
    """

    finding_ids: tuple[str, ...]
    annotations: tuple[str, ...] = ()
    before: Mapping[str, TriageRecord | None] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)


def undo_from_events(events: Iterable[Mapping[str, Any]]) -> Undo:
    """Return what undoes a decision, from all audit events of its commit as ``audit.query`` returns them.

    Events of other records than annotations and triage are ignored.
    """
    made = list(events)
    triage = [each for each in made if each["component"] == RecordKind.TRIAGE.value]
    annotations = [each for each in made if each["component"] == RecordKind.ANNOTATION.value]
    named = [each["record_id"] for each in triage]
    named += [str((each["after"] or {}).get("finding_id", "")) for each in annotations]
    return Undo(
        tuple(dict.fromkeys(filter(None, named))),
        tuple(each["record_id"] for each in annotations if each["operation"] == "create"),
        {each["record_id"]: _triage_from_event(each["record_id"], each["before"]) for each in triage},
        {each["record_id"]: each["after"]["version"] for each in triage},
    )


def _triage_from_event(finding_id: str, before: Mapping[str, Any] | None) -> TriageRecord | None:
    """Return the triage before an event; None if there was none."""
    if not before:
        return None
    # Saving the record sets its time; the audit log has none.
    values = {**before, "id": finding_id, "updated_at": clock.EPOCH.isoformat()}
    return record_from_json(TriageRecord, values, clock.UTC)


class Triage(StoragePart):
    """Decisions about the findings of a storage."""

    def load(self, finding_id: str) -> dict[str, Any]:
        """Return the triage of a finding.

        Returns:
            A dictionary with finding_id, assignee, owner_rule (by which it was assigned, or empty),
            close_reason, snooze_until, snooze_factor, snooze_count, snooze_share, note, merged_into,
            stands_alone, accepted_until, ceiling_count, ceiling_share, has_no_ceiling, updated_at and
            version (0 without any triage).
        """
        name = self._context.resolve_finding(finding_id)
        out = attributes_to_dict(self.read_records([name]).get(name) or TriageRecord(name, clock.EPOCH))
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
        """Apply a decision to these findings, to all or none.

        Args:
            finding_ids: Current or old ids.
            decision: The decision.
            actor: Who decides.
            versions: The triage versions that the actor saw, by finding; if one has changed, nothing is
                written.

        Returns:
            What :meth:`undo` needs.

        Raises:
            InvalidInputError: The decision is empty, a value cannot be stored, or a closing status has no
                reason.
            ConflictError: Somebody else decided in the meantime.
        """
        names = tuple(dict.fromkeys(map(self._context.resolve_finding, _check_finding_ids(finding_ids))))
        _check_decision(decision)
        before = self.read_records(names)
        after = {name: self._apply_decision(before.get(name), name, decision) for name in names}
        changed = {n: r for n, r in after.items() if r != (before.get(n) or TriageRecord(n, clock.EPOCH))}
        seen = dict(versions or {})
        expected = {n: seen.get(n, before[n].version if n in before else 0) for n in changed}
        puts: list[Change] = [SaveRecord(record, expected[name], actor) for name, record in changed.items()]
        notes = (
            [_decision_annotation(name, decision, actor) for name in names]
            if _makes_annotation(decision)
            else []
        )
        written = self._context.write_path.commit([*puts, *(SaveRecord(note, actor=actor) for note in notes)])
        return Undo(
            names,
            tuple(note.id for note in notes),
            {name: before.get(name) for name in changed},
            {record.id: record.version for record in written if isinstance(record, TriageRecord)},
        )

    def undo(self, undo: Undo, *, actor: str) -> int:
        """Undo a decision; return the number of findings that it changed.

        Findings with a later decision stay as they are.
        """
        now = self.read_records(undo.before)
        mine = [n for n in undo.before if n in now and now[n].version == undo.versions[n]]
        former = {n: replace(undo.before[n] or TriageRecord(n, clock.EPOCH), deleted_at=None) for n in mine}
        separated = {now[n].merged_into for n in mine if now[n].merged_into and not former[n].merged_into}
        separated = {n for n in separated if n in self._automatic_targets(mine)}
        former |= self._standing_alone(separated, former)
        back = [
            SaveRecord(record, undo.versions.get(n), actor, from_store=True) for n, record in former.items()
        ]
        gone = [DeleteRecord(RecordKind.ANNOTATION, note, actor) for note in undo.annotations]
        done = self._context.write_path.commit([*back, *gone])
        names = {r.id for r in done if isinstance(r, TriageRecord)}
        names |= {
            self._context.resolve_finding(r.finding_id) for r in done if isinstance(r, AnnotationRecord)
        }
        return len(names)

    def merge_findings(self, finding_ids: str | Iterable[str], into: str, *, actor: str) -> Undo:
        """Merge findings into another one, for past and future reports.

        Reports stay as they are; discussion, occurrences and status are those of the other finding.

        Raises:
            InvalidInputError: There is nothing to merge.
        """
        target = self._context.resolve_finding(into)
        names = [
            name
            for name in map(self._context.resolve_finding, _check_finding_ids(finding_ids))
            if name != target
        ]
        if not names:
            raise InvalidInputError("A finding cannot be merged into itself; choose another one.")
        return self._set_merged_into(dict.fromkeys(names, target), actor)

    def adopt_history(self, finding_id: str, vanished_id: str, *, actor: str) -> Undo:
        """Let a finding continue a vanished one, whose changed check gave it another id.

        Reports, discussion and status of the vanished finding are merged into it, as are its assignee, note,
        reason and snooze if the finding has none.

        Raises:
            InvalidInputError: Both ids belong to one finding.
        """
        name, old = self._context.resolve_finding(finding_id), self._context.resolve_finding(vanished_id)
        if name == old:
            raise InvalidInputError("Both are the same finding already; there is no history to adopt.")
        return self.adopt_histories({old: name}, actor)

    def adopt_histories(
        self, pairs: Mapping[str, str], actor: str, reasons: Mapping[str, str] | None = None
    ) -> Undo:
        """Merge findings into others together with their triage.

        Args:
            pairs: The current ids of the findings that are merged, with those that continue them.
            actor: Who does it.
            reasons: Why it is done without a person, by the finding that is merged; for the audit log.
        """
        stored = self.read_records([*pairs, *pairs.values()])
        after: dict[str, TriageRecord] = {}
        for old, name in pairs.items():
            theirs = after.get(old) or stored.get(old) or TriageRecord(old, clock.EPOCH)
            mine = after.get(name) or stored.get(name) or TriageRecord(name, clock.EPOCH)
            taken = _inherit_triage(mine, theirs)
            after[old] = replace(theirs, merged_into=name)
            if taken != mine:
                after[name] = taken
        return self._write_triage(list(after.values()), stored, actor, reasons or {})

    def unmerge_finding(self, finding_id: str, *, actor: str) -> Undo:
        """Separate a finding from the one it was merged into.

        Args:
            finding_id: The id that was merged.
            actor: Who does it.

        Raises:
            InvalidInputError: It was not merged.
        """
        stored = self.read_records([finding_id]).get(finding_id)
        if stored is None or not stored.merged_into:
            raise InvalidInputError(f"The finding {finding_id!r} was not merged into another one.")
        before = {finding_id: stored}
        changed = [replace(stored, merged_into="")]
        if stored.merged_into in self._automatic_targets([finding_id]):
            before |= self.read_records([stored.merged_into])
            changed += self._standing_alone([stored.merged_into], before).values()
        return self._write_triage(changed, before, actor)

    def undo_automatic_merges(self, finding_ids: Iterable[str]) -> list[str]:
        """Separate findings that were merged without a person; return those that they were merged into.

        Merges that were made in one commit are undone together. If somebody decided about one of their
        findings since, they stay.

        Args:
            finding_ids: The ids that were merged.
        """
        commits = {
            event.at: None
            for name in finding_ids
            for event in self._context.store.scan(_newest_triage_event(name), Page(1))
            if _is_automatic_merge(event)
        }
        return [target for at in commits for target in self._undo_automatic_commit(at)]

    def _undo_automatic_commit(self, at: dt.datetime) -> list[str]:
        query = AuditQuery(actor=(AUTOMATIC_ACTOR,), component=(RecordKind.TRIAGE.value,), since=at, until=at)
        events = list(self._context.store.scan(query, ALL_ITEMS))
        versions = {each.record_id: (each.after or {}).get("version") for each in events}
        now = self.read_records(versions)
        if {name: record.version for name, record in now.items()} != versions:
            return []
        before = {each.record_id: _triage_from_event(each.record_id, each.before) for each in events}
        former = [
            replace(before[name] or TriageRecord(name, clock.EPOCH), deleted_at=None) for name in versions
        ]
        self._context.write_path.commit(
            [SaveRecord(each, now[each.id].version, AUTOMATIC_ACTOR, from_store=True) for each in former]
        )
        return [now[each.id].merged_into for each in former if now[each.id].merged_into != each.merged_into]

    def _automatic_targets(self, finding_ids: Sequence[str]) -> set[str]:
        """Return the findings into which some of these were merged without a person, if not changed since."""
        targets = set()
        for name in finding_ids:
            for event in self._context.store.scan(_newest_triage_event(name), Page(1)):
                if event.after and _is_automatic_merge(event):
                    targets.add(str(event.after.get("merged_into", "")))
        return targets

    def _standing_alone(
        self, finding_ids: Iterable[str], known: Mapping[str, TriageRecord]
    ) -> dict[str, TriageRecord]:
        """Return the triage of findings that a person separated, so that they are not matched again."""
        names = list(finding_ids)
        stored = {**self.read_records(names), **known}
        return {n: replace(stored.get(n) or TriageRecord(n, clock.EPOCH), stands_alone=True) for n in names}

    def _set_merged_into(self, where: Mapping[str, str], actor: str) -> Undo:
        before = self.read_records(where)
        changed = [
            replace(before.get(n) or TriageRecord(n, clock.EPOCH), merged_into=into)
            for n, into in where.items()
        ]
        return self._write_triage(changed, before, actor)

    def _write_triage(
        self,
        records: Sequence[TriageRecord],
        before: Mapping[str, TriageRecord],
        actor: str,
        reasons: Mapping[str, str] | None = None,
    ) -> Undo:
        written = self._context.write_path.commit(
            [
                SaveRecord(
                    record, actor=actor, from_store=True, adopted_because=(reasons or {}).get(record.id, "")
                )
                for record in records
            ]
        )
        names = tuple(record.id for record in records)
        versions = {record.id: record.version for record in written}
        return Undo(names, before={name: before.get(name) for name in names}, versions=versions)

    def read_records(self, finding_ids: Iterable[str]) -> dict[str, TriageRecord]:
        """Return the triage records of findings by their current ids; those without one are left out."""
        wanted = tuple(each for each in finding_ids if validation.is_valid_id(each))
        if not wanted:
            return {}
        found = self._context.store.scan(FlatRecordQuery(RecordKind.TRIAGE, wanted), ALL_ITEMS)
        return {record.id: record for record in found if isinstance(record, TriageRecord)}

    def end_acceptances(self, finding_ids: Iterable[str]) -> list[TriageRecord]:
        """Return the triage records whose acceptance has an end or a ceiling, without these.

        A new status ends the terms of an earlier acceptance: they must not apply to the next one.
        """
        names = {self._context.resolve_finding(each) for each in finding_ids}
        cleared = ((record, without_acceptance_terms(record)) for record in self.read_records(names).values())
        return [after for before, after in cleared if after != before]

    def _apply_decision(self, stored: TriageRecord | None, name: str, decision: Decision) -> TriageRecord:
        record = stored or TriageRecord(name, clock.EPOCH)
        if decision.assignee is not None:
            record = replace(record, assignee=decision.assignee, owner_rule="")
        if decision.note is not None:
            record = replace(record, note=decision.note)
        if decision.stands_alone is not None:
            record = replace(record, stands_alone=decision.stands_alone)
        if decision.status is not None:
            closes = statuses.is_closed(decision.status)
            record = replace(
                record,
                close_reason=(decision.reason or decision.comment) if closes else "",
                accepted_until=clock.to_utc_bound(decision.accepted_until)
                if decision.accepted_until
                else None,
                ceiling_count=decision.ceiling_count,
                ceiling_share=decision.ceiling_share,
                has_no_ceiling=decision.has_no_ceiling,
            )
        if decision.unsnooze or decision.snooze_until or decision.snooze_factor:
            record = replace(
                record, snooze_until=None, snooze_factor=None, snooze_count=None, snooze_share=None
            )
        if decision.snooze_until is not None:
            record = replace(record, snooze_until=clock.to_utc_bound(decision.snooze_until))
        if decision.snooze_factor is not None:
            last = next(iter(self._context.store.read_identities([name])), None)
            record = replace(
                record,
                snooze_factor=float(decision.snooze_factor),
                snooze_count=last.last_count if last else None,
                snooze_share=last.last_share if last else None,
            )
        return record


def without_acceptance_terms(record: TriageRecord) -> TriageRecord:
    """Return a triage record without the end and the ceiling of an acceptance."""
    return replace(record, accepted_until=None, ceiling_count=None, ceiling_share=None, has_no_ceiling=False)


def _check_finding_ids(finding_ids: str | Iterable[str]) -> list[str]:
    names = [finding_ids] if isinstance(finding_ids, str) else list(finding_ids)
    for name in names:
        validation.check_id(name, "finding id")
    if not names:
        raise InvalidInputError("No finding is chosen; choose at least one.")
    return names


def _check_decision(decision: Decision) -> None:
    if decision == Decision():
        raise InvalidInputError(f"Nothing is decided. {validation.NOTHING_TO_SAVE}")
    has_ceiling = decision.ceiling_count is not None or decision.ceiling_share is not None
    if decision.status != statuses.ACCEPTED.name and (
        has_ceiling or decision.has_no_ceiling or decision.accepted_until is not None
    ):
        raise InvalidInputError(
            "Only an accepted finding has an end or a ceiling; set the status accepted too."
        )
    if has_ceiling and decision.has_no_ceiling:
        raise InvalidInputError("A ceiling was set and also none; choose one of them.")
    if decision.ceiling_share is not None and not 0 <= decision.ceiling_share <= 1:
        raise InvalidInputError("The ceiling is a share of the rows between 0 and 1, such as 0.05.")


def _newest_triage_event(finding_id: str) -> AuditQuery:
    return AuditQuery(component=(RecordKind.TRIAGE.value,), record_id=(finding_id,))


def _is_automatic_merge(event: AuditEvent) -> bool:
    return event.actor == AUTOMATIC_ACTOR and bool((event.after or {}).get("adopted_because"))


def was_decided_by_person(record: TriageRecord) -> bool:
    """Return whether a triage record has more than the assignment by an owner rule."""
    untouched = TriageRecord(record.id, record.updated_at)
    if record.owner_rule:
        untouched = replace(untouched, assignee=record.assignee, owner_rule=record.owner_rule)
    return replace(record, version=0, deleted_at=None) != untouched


def _inherit_triage(mine: TriageRecord, theirs: TriageRecord) -> TriageRecord:
    """Return the triage of a finding, its gaps filled from that of a vanished one.

    An assignment by an owner rule is a gap.
    """
    owner = mine if mine.assignee and not (mine.owner_rule and theirs.assignee) else theirs
    snooze = theirs if mine.snooze_until is None and mine.snooze_factor is None else mine
    return replace(
        mine,
        assignee=owner.assignee,
        owner_rule=owner.owner_rule,
        note=mine.note or theirs.note,
        close_reason=mine.close_reason or theirs.close_reason,
        snooze_until=snooze.snooze_until,
        snooze_factor=snooze.snooze_factor,
        snooze_count=snooze.snooze_count,
        snooze_share=snooze.snooze_share,
        accepted_until=mine.accepted_until or theirs.accepted_until,
        ceiling_count=mine.ceiling_count if mine.ceiling_count is not None else theirs.ceiling_count,
        ceiling_share=mine.ceiling_share if mine.ceiling_share is not None else theirs.ceiling_share,
        has_no_ceiling=mine.has_no_ceiling or theirs.has_no_ceiling,
    )


def _makes_annotation(decision: Decision) -> bool:
    return decision.status is not None or bool(decision.comment) or bool(decision.tags)


def _decision_annotation(name: str, decision: Decision, actor: str) -> AnnotationRecord:
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
