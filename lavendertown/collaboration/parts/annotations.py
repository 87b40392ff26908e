"""Annotations: the comments, tags and statuses that people give findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from lavendertown.collaboration import converters, filters
from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.triage import Triage
from lavendertown.records import validation
from lavendertown.records.queries import AnnotationQuery
from lavendertown.records.record_classes import ALL_ITEMS, AnnotationRecord, RecordKind
from lavendertown.records.store import MIN_BULK_ROWS
from lavendertown.records.write_path import SaveRecord


class Annotations(StoragePart):
    """The annotations of a storage."""

    def __init__(self, context: StorageContext, triage: Triage) -> None:
        super().__init__(context)
        self._triage = triage

    def save(self, annotation: Annotation, *, actor: str | None = None) -> str:
        """Save an annotation, new or changed, and return its id.

        The finding need not be in a report yet: the annotation joins it when a report has it.

        Raises:
            ConflictError: ``annotation.version`` is not None and not the stored version.
            InvalidInputError: An id, the time, the status or a tag cannot be stored; the annotation is
                empty; or it newly sets a status that closes the finding, and has no comment that says why.
        """
        return self.save_many([annotation], actor=actor)[0]

    def save_versioned(self, annotation: Annotation, *, actor: str | None = None) -> Annotation:
        """Save an annotation like :meth:`save`, and return what was stored, with its version."""
        [stored] = self._write([annotation], actor)
        return converters.to_annotation(stored)

    def save_many(self, annotations: Iterable[Annotation], *, actor: str | None = None) -> list[str]:
        """Save many annotations in one unit of work, all or none; return their ids in order."""
        return [stored.id for stored in self._write(annotations, actor)]

    def _write(self, annotations: Iterable[Annotation], actor: str | None) -> list[AnnotationRecord]:
        """Save annotations; return the stored records in order."""
        given = list(annotations)
        puts = [
            SaveRecord(
                converters.to_annotation_record(a, None), a.version, actor, imported=a.has_status_as_read
            )
            for a in given
        ]
        decided = [a.finding_id for a in given if a.status is not None and not a.has_status_as_read]
        ended = [
            SaveRecord(record, record.version, actor or given[0].author)
            for record in self._triage.end_acceptances(decided)
        ]
        stored = self._context.write_path.commit([*puts, *ended])
        if len(puts) >= MIN_BULK_ROWS:
            self._context.store.analyze()
        return [each for each in stored if isinstance(each, AnnotationRecord)]

    def list_on_finding(self, finding_id: str) -> list[Annotation]:
        """Return the live annotations on a finding, oldest first; old ids of the finding work too."""
        if not validation.is_valid_id(finding_id):
            return []
        query = AnnotationQuery(finding_id=(finding_id,))
        return [converters.to_annotation(found) for found in self._context.store.scan(query, ALL_ITEMS)]

    def load(self, annotation_id: str) -> Annotation | None:
        """Return one live annotation, or None."""
        record = self._context.read_record(RecordKind.ANNOTATION, annotation_id)
        if not isinstance(record, AnnotationRecord) or record.deleted_at is not None:
            return None
        return converters.to_annotation(record)

    def query(
        self,
        finding_id: filters.OneOrMany = None,
        limit: int | None = 100,
        offset: int = 0,
        newest_first: bool = True,
        **filter_values: Unpack[filters.AnnotationFilters],
    ) -> list[dict[str, Any]]:
        """List annotations.

        Args:
            finding_id: One finding or several.
            limit: Maximum number of annotations; None for all.
            offset: Number of annotations to skip.
            newest_first: Sort by time, newest or oldest first.
            **filter_values: report_id, author, tags, status, search, start_date, end_date,
                include_deleted.

        Returns:
            Dictionaries with id, finding_id, author, timestamp, comment, tags, status, report_id,
            updated_at, version, deleted_at.
        """
        query = filters.build_annotation_query(
            finding_id=finding_id, newest_first=newest_first, **filter_values
        )
        found = self._context.store.scan(query, filters.make_page(limit, offset))
        return [converters.annotation_to_row(record) for record in found]

    def delete(self, annotation_id: str, *, actor: str | None = None) -> bool:
        """Delete an annotation and recompute the finding's status; return False if it does not exist."""
        return self._context.delete_record(RecordKind.ANNOTATION, annotation_id, actor)

    def restore(self, annotation_id: str, *, actor: str | None = None) -> bool:
        """Restore a deleted annotation; return False if it was not deleted."""
        return self._context.restore_record(RecordKind.ANNOTATION, annotation_id, actor)
