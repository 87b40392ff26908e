"""What people say about findings: comments, tags and statuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from lavendertown.collaboration import filters, mapping
from lavendertown.collaboration.core import Core
from lavendertown.collaboration.models import Annotation
from lavendertown.records import rules
from lavendertown.records.accessor import Put, Remove, Restore
from lavendertown.records.queries import AnnotationQuery
from lavendertown.records.values import EVERYTHING, AnnotationRecord, Kind


class Annotations(Core):
    """The annotations of a storage."""

    def save_annotation(self, annotation: Annotation, *, actor: str | None = None) -> str:
        """Save an annotation, new or changed, and return its id.

        It may be about a finding that no report has yet: it is kept, and joins the finding later.

        Raises:
            ConflictError: ``annotation.version`` is not None and not the stored version.
            InvalidInputError: An id, the time, the status or a tag cannot be stored.
        """
        return self.save_annotations([annotation], actor=actor)[0]

    def save_annotations(self, annotations: Iterable[Annotation], *, actor: str | None = None) -> list[str]:
        """Save many annotations in one unit of work, all or none; return their ids in order."""
        puts = [Put(mapping.annotation_record(a, None), a.version, actor) for a in annotations]
        self.writes.commit(puts)
        return [put.record.id for put in puts]

    def get_annotations(self, finding_id: str) -> list[Annotation]:
        """Return the live annotations on a finding, oldest first. Any of its ids will do."""
        if not rules.is_id(finding_id):
            return []
        query = AnnotationQuery(finding_ids=(finding_id,))
        return [mapping.annotation(found) for found in self.store.scan(query, EVERYTHING)]

    load_annotations = get_annotations

    def load_annotation(self, annotation_id: str) -> Annotation | None:
        """Return one live annotation, or None."""
        record = self._read(Kind.ANNOTATION, annotation_id)
        if not isinstance(record, AnnotationRecord) or record.deleted_at is not None:
            return None
        return mapping.annotation(record)

    def query_annotations(
        self,
        finding_id: filters.Words = None,
        limit: int | None = 100,
        offset: int = 0,
        newest_first: bool = True,
        **filter_values: Unpack[filters.AnnotationFilters],
    ) -> list[dict[str, Any]]:
        """List annotations.

        Args:
            finding_id: Only those on this finding or these.
            limit: At most so many; None for all.
            offset: Leave so many out at the start.
            newest_first: The order.
            **filter_values: report_id, author, tags, status, search, start_date, end_date,
                include_deleted.

        Returns:
            Dictionaries with id, finding_id, author, timestamp, comment, tags, status, report_id,
            updated_at, version, deleted_at.
        """
        query = filters.annotation_query(finding_id=finding_id, newest_first=newest_first, **filter_values)
        found = self.store.scan(query, filters.page(limit, offset))
        return [mapping.annotation_row(record) for record in found]

    def delete_annotation(self, annotation_id: str, *, actor: str = "internal") -> bool:
        """Delete an annotation; say whether it was there. The finding's status follows."""
        return self.writes.commit([Remove(Kind.ANNOTATION, annotation_id, actor)]) != []

    def restore_annotation(self, annotation_id: str, *, actor: str = "internal") -> bool:
        """Bring a deleted annotation back; say whether it was deleted."""
        return self.writes.commit([Restore(Kind.ANNOTATION, annotation_id, actor)]) != []
