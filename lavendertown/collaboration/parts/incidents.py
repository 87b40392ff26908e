"""Incidents: findings with one cause, under a title, with an owner and a thread."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lavendertown.collaboration import converters, filters
from lavendertown.collaboration.conflict_retries import retry_on_conflict
from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.incident_suggestions import find_related
from lavendertown.collaboration.parts.triage import Decision, Triage, Undo
from lavendertown.core import clock, statuses
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.inbox import InboxEntry
from lavendertown.records import validation
from lavendertown.records.identities import find_mentions
from lavendertown.records.queries import AnnotationQuery, DeletedFilter, FlatRecordQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    AnnotationRecord,
    IncidentRecord,
    RecordKind,
)
from lavendertown.records.search_text import fold_text
from lavendertown.records.write_path import SaveRecord


class Incidents(StoragePart):
    """The incidents of a storage.

    The status of an incident is that of its findings: it is open while one of them is. A finding that was
    merged into another one counts as that one. A finding is in one incident at most.
    """

    def __init__(self, context: StorageContext, triage: Triage) -> None:
        super().__init__(context)
        self._triage = triage

    def create(self, title: str, finding_ids: str | Iterable[str], *, assignee: str = "", actor: str) -> str:
        """Group findings into a new incident, and return its id.

        Raises:
            InvalidInputError: No finding is given, the title is empty, or a finding is in an incident.
        """
        members = self._resolve_new_members(finding_ids, "")
        now = clock.now()
        record = IncidentRecord(
            f"incident-{uuid.uuid4().hex[:12]}", title.strip(), assignee, members, actor, now, clock.EPOCH
        )
        self._context.write_path.commit([SaveRecord(record, 0, actor)])
        return record.id

    def find(self, incident_id: str) -> dict[str, Any] | None:
        """Return an incident as :meth:`query` lists it, a deleted one too, or None."""
        record = self._context.read_record(RecordKind.INCIDENT, incident_id)
        return self._build_rows([record])[0] if isinstance(record, IncidentRecord) else None

    def query(
        self, state: str | None = None, assignee: filters.OneOrMany = None, *, include_deleted: bool = False
    ) -> list[dict[str, Any]]:
        """List the incidents, open ones first, then the newest first.

        Args:
            state: ``"open"`` or ``"closed"``; None for both.
            assignee: Only incidents of these people; "" is nobody.
            include_deleted: Whether to list deleted incidents, too.

        Returns:
            Dictionaries with id, title, assignee, created_by, created_at, updated_at, version, deleted_at,
            members (the current ids of its findings, in the order in which they were added), state ("open" or
            "closed"), status (the status that all its findings have, or None), open_count (how many of its
            findings are open), absent_count (how many are in no live report; they count as closed) and
            comment_count.
        """
        deleted = DeletedFilter.INCLUDED if include_deleted else DeletedFilter.HIDDEN
        rows = self._build_rows(self._read_records(deleted))
        people = ("",) if assignee == "" else filters.as_tuple(assignee)
        chosen = [
            row
            for row in rows
            if (state is None or row["state"] == state) and (not people or row["assignee"] in people)
        ]
        chosen.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
        return sorted(chosen, key=lambda row: row["state"] != statuses.StatusCategory.OPEN)

    def find_by_findings(self, finding_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the live incident of each of these findings that has one, as id and title.

        Args:
            finding_ids: Current ids.
        """
        wanted = set(finding_ids)
        found: dict[str, dict[str, Any]] = {}
        records = self._read_records()
        members = self._current_members(records)
        for record in records:
            for name in wanted.intersection(members[record.id]):
                found[name] = {"id": record.id, "title": record.title}
        return found

    def list_members(self, incident_ids: filters.OneOrMany = None) -> list[str]:
        """Return the current ids of the findings in these live incidents; by default, in all of them."""
        chosen = filters.as_tuple(incident_ids)
        records = [record for record in self._read_records() if not chosen or record.id in chosen]
        members = self._current_members(records)
        return list(dict.fromkeys(name for names in members.values() for name in names))

    def select_mentioned_members(self, name: str) -> frozenset[str]:
        """Return the current ids of the findings in live incidents whose comments mention a person.

        Args:
            name: The name after the @; case does not matter.
        """
        records = self._read_records()
        notes = self._scan_comments([record.id for record in records])
        folded = fold_text(name)
        hits = {note.finding_id for note in notes if folded in find_mentions([fold_text(note.comment)])}
        members = self._current_members([record for record in records if record.id in hits])
        return frozenset(finding for findings in members.values() for finding in findings)

    def suggest(self, finding_id: str) -> dict[str, Any] | None:
        """Suggest which findings to group with an open one; None without any, or if it is in an incident.

        Returns:
            A dictionary with trait (what they have in common: "rows" or "column"), finding_ids (the finding,
            and the others that are in no incident), and incident (id and title of the one incident in which
            others of them are already, or None).
        """
        name = self._context.resolve_finding(finding_id)
        related = find_related(self._context, name)
        if related is None:
            return None
        incidents = self.find_by_findings([name, *related.finding_ids])
        if name in incidents:
            return None
        free = [each for each in related.finding_ids if each not in incidents]
        found = list({each["id"]: each for each in incidents.values()}.values())
        incident = found[0] if len(found) == 1 else None
        if incident is None and not free:
            return None
        return {"trait": related.trait.value, "finding_ids": [name, *free], "incident": incident}

    def add_findings(
        self, incident_id: str, finding_ids: str | Iterable[str], *, actor: str, version: int | None = None
    ) -> list[str]:
        """Add findings to an incident; return the ids of those that it did not have.

        Args:
            incident_id: The incident.
            finding_ids: Current or old ids.
            actor: Who adds them.
            version: The version that the actor saw; if it has changed, nothing is written. None adds the
                findings to any version.

        Raises:
            NotFoundError: There is no such live incident.
            InvalidInputError: No finding is given, or one is in another incident.
            ConflictError: Somebody else changed the incident in the meantime.
        """
        names = self._resolve_new_members(finding_ids, incident_id)
        added: list[str] = []

        def add(record: IncidentRecord) -> IncidentRecord:
            present = set(self._current_members([record])[record.id])
            added[:] = [name for name in names if name not in present]
            return replace(record, members=(*record.members, *added))

        self._change(incident_id, add, actor, version)
        return added

    def remove_findings(
        self, incident_id: str, finding_ids: str | Iterable[str], *, actor: str, version: int | None = None
    ) -> int:
        """Remove findings from an incident, which must keep at least one; return how many were removed.

        Raises:
            NotFoundError: There is no such live incident.
            InvalidInputError: No finding would be left; delete the incident instead.
            ConflictError: Somebody else changed the incident in the meantime.
        """
        names = set(self._resolve_findings(finding_ids))
        removed = 0

        def remove(record: IncidentRecord) -> IncidentRecord:
            nonlocal removed
            kept = [name for name in record.members if self._context.resolve_finding(name) not in names]
            removed = len(names.intersection(self._current_members([record])[record.id]))
            if not kept:
                raise InvalidInputError(
                    f"The incident {record.title!r} would have no finding left; delete it instead."
                )
            return replace(record, members=tuple(kept))

        self._change(incident_id, remove, actor, version)
        return removed

    def set_title(self, incident_id: str, title: str, *, actor: str, version: int | None = None) -> int:
        """Change the title of an incident, and return its version; errors as in :meth:`add_findings`."""
        return self._change(incident_id, lambda record: replace(record, title=title.strip()), actor, version)

    def assign(self, incident_id: str, assignee: str, *, actor: str, version: int | None = None) -> int:
        """Set the owner of an incident, empty for nobody, and return its version.

        The errors are those of :meth:`add_findings`.
        """
        return self._change(incident_id, lambda record: replace(record, assignee=assignee), actor, version)

    def comment(self, incident_id: str, text: str, *, author: str) -> str:
        """Add a comment to the thread of an incident, and return the id of the comment.

        It is an annotation on the id of the incident, so it is edited and deleted as any comment is.

        Raises:
            NotFoundError: There is no such live incident.
            InvalidInputError: The comment is empty or too long.
        """
        self._require(incident_id)
        now = clock.now()
        note = AnnotationRecord(
            uuid.uuid4().hex, incident_id, author, now, text.strip(), (), None, None, clock.EPOCH
        )
        self._context.write_path.commit([SaveRecord(note, actor=author)])
        return note.id

    def list_comments(self, incident_id: str) -> list[Annotation]:
        """Return the comments on an incident, oldest first."""
        if not validation.is_valid_id(incident_id):
            return []
        query = AnnotationQuery(finding_id=(incident_id,))
        return [converters.to_annotation(note) for note in self._context.store.scan(query, ALL_ITEMS)]

    def close(
        self,
        incident_id: str,
        decision: Decision,
        *,
        actor: str,
        versions: Mapping[str, int] | None = None,
    ) -> Undo:
        """Close all open findings of an incident in one act.

        Args:
            incident_id: The incident.
            decision: The closing status with its reason, as in
                :meth:`~lavendertown.collaboration.parts.triage.Triage.decide`.
            actor: Who closes it.
            versions: The triage versions that the actor saw, by finding.

        Returns:
            What ``storage.triage.undo`` needs.

        Raises:
            NotFoundError: There is no such live incident.
            InvalidInputError: The status does not close findings, the reason is missing, or no finding of the
                incident is open.
            ConflictError: Somebody else decided about one of the findings in the meantime.
        """
        record = self._require(incident_id)
        if not statuses.is_closed(decision.status):
            raise InvalidInputError(
                f"An incident is closed with one of the statuses {', '.join(statuses.CLOSED_NAMES)}."
            )
        open_names = self._select_members(record, is_closed=False)
        if not open_names:
            raise InvalidInputError(f"No finding of the incident {record.title!r} is open.")
        return self._triage.decide(open_names, decision, actor=actor, versions=versions)

    def reopen(
        self,
        incident_id: str,
        *,
        comment: str = "",
        actor: str,
        versions: Mapping[str, int] | None = None,
    ) -> Undo:
        """Open all closed findings of an incident in one act, no matter who closed them.

        Args:
            incident_id: The incident.
            comment: A comment on each of these findings; empty for none.
            actor: Who opens them.
            versions: The triage versions that the actor saw, by finding.

        Returns:
            What ``storage.triage.undo`` needs.

        Raises:
            NotFoundError: There is no such live incident.
            InvalidInputError: No finding of the incident is closed.
            ConflictError: Somebody else decided about one of the findings in the meantime.
        """
        record = self._require(incident_id)
        closed_names = self._select_members(record, is_closed=True)
        if not closed_names:
            raise InvalidInputError(f"No finding of the incident {record.title!r} is closed.")
        decision = Decision(status=statuses.OPEN.name, comment=comment)
        return self._triage.decide(closed_names, decision, actor=actor, versions=versions)

    def delete(self, incident_id: str, *, actor: str | None = None) -> bool:
        """Move an incident to the trash; return False if it does not exist. Its findings stay as they are."""
        return self._context.delete_record(RecordKind.INCIDENT, incident_id, actor)

    def undo_create(self, versions: Mapping[str, int], *, actor: str) -> int:
        """Move new incidents to the trash; return how many were moved.

        Args:
            versions: The incidents, with their versions. One that was changed or commented on since stays.
            actor: Who moves them.
        """
        comments = self._count_comments(list(versions))
        unchanged = {name: version for name, version in versions.items() if not comments[name]}
        return self._context.delete_versions(RecordKind.INCIDENT, unchanged, actor)

    def restore(self, incident_id: str, *, actor: str | None = None) -> bool:
        """Restore an incident from the trash; return False if it was not there.

        Raises:
            InvalidInputError: One of its findings is in another incident now.
        """
        record = self._context.read_record(RecordKind.INCIDENT, incident_id)
        if isinstance(record, IncidentRecord) and record.deleted_at is not None:
            self._resolve_new_members(record.members, incident_id)
        return self._context.restore_record(RecordKind.INCIDENT, incident_id, actor)

    def _change(
        self,
        incident_id: str,
        change: Callable[[IncidentRecord], IncidentRecord],
        actor: str,
        version: int | None,
    ) -> int:
        """Change the version that the caller saw, or else the latest one; return the new version."""

        def change_once() -> int:
            stored = self._require(incident_id)
            changed = change(stored)
            if changed == stored:
                return stored.version
            expected = stored.version if version is None else version
            return self._context.write_path.commit([SaveRecord(changed, expected, actor)])[0].version

        return retry_on_conflict(change_once) if version is None else change_once()

    def _require(self, incident_id: str) -> IncidentRecord:
        record = self._context.read_record(RecordKind.INCIDENT, incident_id)
        if not isinstance(record, IncidentRecord):
            raise NotFoundError(f"There is no incident {incident_id[:200]!r}.")
        if record.deleted_at is not None:
            raise NotFoundError(f"The incident {record.title!r} was deleted; restore it from the trash.")
        return record

    def _resolve_findings(self, finding_ids: str | Iterable[str]) -> tuple[str, ...]:
        names = [finding_ids] if isinstance(finding_ids, str) else list(finding_ids)
        if not names:
            raise InvalidInputError("No finding is chosen; choose at least one.")
        for name in names:
            validation.check_id(name, "finding id")
        return tuple(dict.fromkeys(map(self._context.resolve_finding, names)))

    def _resolve_new_members(self, finding_ids: str | Iterable[str], incident_id: str) -> tuple[str, ...]:
        """Return the current ids of findings, none of which is in another incident."""
        names = self._resolve_findings(finding_ids)
        for name, incident in self.find_by_findings(names).items():
            if incident["id"] != incident_id:
                raise InvalidInputError(
                    f"The finding {name!r} is in the incident {incident['title']!r} already; remove it there "
                    "first."
                )
        return names

    def _select_members(self, record: IncidentRecord, *, is_closed: bool) -> list[str]:
        """Return the members of an incident in live reports that are closed, or those that are open."""
        names = self._current_members([record])[record.id]
        return [
            name
            for name, entry in self._context.inbox_index.find_entries(names).items()
            if statuses.is_closed(entry.identity.status) == is_closed
        ]

    def _read_records(self, deleted: DeletedFilter = DeletedFilter.HIDDEN) -> list[IncidentRecord]:
        found = self._context.store.scan(FlatRecordQuery(RecordKind.INCIDENT, deleted=deleted), ALL_ITEMS)
        return [record for record in found if isinstance(record, IncidentRecord)]

    def _current_members(self, records: Iterable[IncidentRecord]) -> dict[str, list[str]]:
        """Return the current ids of the members of incidents, by incident.

        A finding belongs to the oldest live incident that has it: a merge, or two people at the same time,
        can put it into several.
        """
        records = list(records)
        live = sorted(self._read_records(), key=lambda each: (each.created_at, each.id))
        needed = {each.id: each for each in (*live, *records)}
        # Findings in live reports are almost all, and have their current ids.
        named = {name for each in needed.values() for name in each.members}
        known = self._context.inbox_index.select_live_ids(named)
        resolve = self._context.resolve_finding
        current = {
            each.id: list(dict.fromkeys(name if name in known else resolve(name) for name in each.members))
            for each in needed.values()
        }
        owners: dict[str, str] = {}
        for each in live:
            for name in current[each.id]:
                owners.setdefault(name, each.id)
        return {
            each.id: [
                name
                for name in current[each.id]
                if each.deleted_at is not None or owners.get(name, each.id) == each.id
            ]
            for each in records
        }

    def _build_rows(self, records: Sequence[IncidentRecord]) -> list[dict[str, Any]]:
        members = self._current_members(records)
        entries = self._context.inbox_index.find_entries(
            {name for names in members.values() for name in names}
        )
        comments = self._count_comments([record.id for record in records])
        return [_incident_row(record, members[record.id], entries, comments[record.id]) for record in records]

    def _count_comments(self, incident_ids: Sequence[str]) -> Counter[str]:
        return Counter(note.finding_id for note in self._scan_comments(incident_ids))

    def _scan_comments(self, incident_ids: Sequence[str]) -> Iterable[AnnotationRecord]:
        if not incident_ids:
            return ()
        query = AnnotationQuery(finding_id=tuple(incident_ids), with_comment=True)
        return self._context.store.scan(query, ALL_ITEMS)


def _incident_row(
    record: IncidentRecord, members: list[str], entries: Mapping[str, InboxEntry], comment_count: int
) -> dict[str, Any]:
    found = [entries[name].identity.status for name in members if name in entries]
    open_count = sum(1 for status in found if not statuses.is_closed(status))
    state = statuses.StatusCategory.OPEN if open_count else statuses.StatusCategory.CLOSED
    return {
        "id": record.id,
        "title": record.title,
        "assignee": record.assignee,
        "created_by": record.created_by,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "version": record.version,
        "deleted_at": record.deleted_at,
        "members": members,
        "state": state.value,
        "status": found[0] if len(set(found)) == 1 else None,
        "open_count": open_count,
        "absent_count": len(members) - len(found),
        "comment_count": comment_count,
    }
