"""The audit log: who changed what and when, for everything, one record or one finding."""

from __future__ import annotations

import datetime as dt
from typing import Any

from lavendertown.collaboration import converters, filters
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.findings import Findings
from lavendertown.core.errors import InvalidInputError
from lavendertown.records import validation
from lavendertown.records.change_feed import ChangePage
from lavendertown.records.queries import AnnotationQuery, AuditQuery, DeletedFilter
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind


class AuditTrail(StoragePart):
    """The audit log of a storage."""

    def __init__(self, context: StorageContext, findings: Findings) -> None:
        super().__init__(context)
        self._findings = findings

    def query(
        self,
        component: filters.OneOrMany = None,
        record_id: str | None = None,
        actor: filters.OneOrMany = None,
        operation: filters.OneOrMany = None,
        since: filters.DateLike = None,
        until: filters.DateLike = None,
        limit: int | None = 100,
        offset: int = 0,
        finding_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """List changes, newest first.

        Args:
            component: ``"report"``, ``"annotation"``, ``"ruleset"``, ``"finding"`` (its
                triage), ``"person"``, ``"view"``, ``"incident"``, ``"worklist"``, ``"store"``, or an
                application's own.
            record_id: Only changes of this record.
            actor: Who made the change, one name or several.
            operation: ``"create"``, ``"update"``, ``"delete"`` or ``"restore"``.
            since: First time included; a bare date means from its first instant.
            until: Last time included; a bare date means up to its last instant.
            limit: Maximum number of events; None for all.
            offset: Number of events to skip.
            finding_id: Only annotations and triage of this finding; any of its ids works.

        Returns:
            Dictionaries with at, actor, component, record_id, operation, before, after: the
            changed record's own fields, without bodies.
        """
        if any(name is not None and not validation.is_valid_id(name) for name in (record_id, finding_id)):
            return []
        wanted = filters.as_tuple(component)
        records: tuple[str, ...] = (record_id,) if record_id is not None else ()
        if finding_id is not None:
            related = self._related_record_ids(finding_id)
            records = tuple(name for name in related if name in records or not records)
            wanted = tuple(
                kind for kind in (RecordKind.ANNOTATION, RecordKind.TRIAGE) if kind in wanted or not wanted
            )
            if not records or not wanted:
                return []
        query = AuditQuery(
            actor=filters.as_tuple(actor),
            component=tuple(map(str, wanted)),
            operation=filters.as_tuple(operation),
            record_id=records,
            since=filters.first_instant(since),
            until=filters.last_instant(until),
        )
        found = self._context.store.scan(query, filters.make_page(limit, offset))
        return [converters.audit_event_to_row(event) for event in found]

    def query_commit(self, at: dt.datetime, actor: str) -> list[dict[str, Any]]:
        """List all changes that one person made in one commit, as :meth:`query` does.

        The changes of a commit share their time.
        """
        return self.query(actor=actor, since=at, until=at, limit=None)

    def read_changes(self, cursor: str = "", limit: int = 100) -> ChangePage:
        """Return the changes after a cursor, in the order in which they were committed.

        Reading on from the cursor of the page gives every later change once, however late its transaction
        was committed.

        Raises:
            InvalidInputError: The cursor does not belong to this storage's log, or the limit is not positive.
        """
        if filters.require_whole_number(limit, "limit") < 1:
            raise InvalidInputError(f"limit is {limit}; it must be 1 or more.")
        return self._context.store.read_changes(cursor, limit)

    def end_of_changes(self) -> str:
        """Return the cursor after the newest change."""
        return self._context.store.end_of_changes()

    def _related_record_ids(self, finding_id: str) -> list[str]:
        """Return the ids of the records that make up a finding's history."""
        name = self._context.resolve_finding(finding_id)
        query = AnnotationQuery(finding_id=(name,), deleted=DeletedFilter.INCLUDED)
        annotation_ids = [annotation.id for annotation in self._context.store.scan(query, ALL_ITEMS)]
        return list(dict.fromkeys([name, *self._findings.find_merged(name), *annotation_ids]))
