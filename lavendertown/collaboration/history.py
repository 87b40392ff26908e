"""What was changed, by whom and when: of everything, of one record, of one finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.collaboration import filters, mapping
from lavendertown.collaboration.core import Core
from lavendertown.records import rules
from lavendertown.records.plain import merges
from lavendertown.records.queries import AnnotationQuery, AuditQuery, Deleted, PlainQuery
from lavendertown.records.values import EVERYTHING, Kind


class History(Core):
    """The audit log of a storage."""

    def audit_log(
        self,
        component: filters.Words = None,
        record_id: str | None = None,
        actor: filters.Words = None,
        operation: filters.Words = None,
        since: filters.When = None,
        until: filters.When = None,
        limit: int | None = 100,
        offset: int = 0,
        finding_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """List what was changed, newest first.

        Args:
            component: ``"report"``, ``"annotation"``, ``"ruleset"``, ``"finding"`` (what was decided
                about one), ``"person"``, ``"view"``, ``"store"``, or an application's own.
            record_id: Only that record's history.
            actor: Who made the change.
            operation: ``"create"``, ``"update"``, ``"delete"`` or ``"restore"``.
            since: From then on; a bare date from its first moment.
            until: Up to then; a bare date up to its last moment.
            limit: At most so many; None for all.
            offset: Leave so many out at the start.
            finding_id: Only what was said and decided about that finding, by any of its ids.

        Returns:
            Dictionaries with at, actor, component, record_id, operation, before, after: the
            changed record's own fields, without bodies.
        """
        if any(name is not None and not rules.is_id(name) for name in (record_id, finding_id)):
            return []
        wanted = filters.words(component)
        records: tuple[str, ...] = (record_id,) if record_id is not None else ()
        if finding_id is not None:
            about = self._about(finding_id)
            records = tuple(name for name in about if name in records or not records)
            wanted = tuple(kind for kind in (Kind.ANNOTATION, Kind.TRIAGE) if kind in wanted or not wanted)
            if not records or not wanted:
                return []
        query = AuditQuery(
            actors=filters.words(actor),
            components=tuple(map(str, wanted)),
            operations=filters.words(operation),
            record_ids=records,
            since=filters.first_instant(since),
            until=filters.last_instant(until),
        )
        found = self.store.scan(query, filters.page(limit, offset))
        return [mapping.audit_row(event) for event in found]

    def merged_into(self, finding_id: str) -> list[str]:
        """Return the ids of the findings that are handled as this one."""
        name = self.resolve_finding(finding_id)
        into = merges(self.store.scan(PlainQuery(Kind.TRIAGE, merged=True), EVERYTHING))
        return [merged for merged in into if _end(into, merged) == name]

    def _about(self, finding_id: str) -> list[str]:
        """Return the ids of all records that a finding's history is made of."""
        name = self.resolve_finding(finding_id)
        both = AnnotationQuery(finding_ids=(name,), deleted=Deleted.INCLUDED)
        notes = [annotation.id for annotation in self.store.scan(both, EVERYTHING)]
        return list(dict.fromkeys([name, *self.merged_into(name), *notes]))


def _end(into: Mapping[str, str], name: str) -> str:
    """Follow merges of merges to the finding that is left."""
    for _ in into:
        name = into.get(name, name)
    return name
