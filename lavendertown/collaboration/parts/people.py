"""People the team knows: suggested as authors and assignees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock
from lavendertown.records.queries import DeletedFilter, FlatRecordQuery, ReportFacet, ReportQuery
from lavendertown.records.record_classes import ALL_ITEMS, PersonRecord, RecordKind
from lavendertown.records.write_path import RestoreRecord, SaveRecord


def make_initials(name: str) -> str:
    """Return the initials of a name: those of its first two words."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


class People(StoragePart):
    """The people of a storage."""

    def save(
        self,
        name: str,
        *,
        mail: str | None = None,
        initials: str | None = None,
        hidden_columns: Sequence[str] | None = None,
        actor: str | None = None,
    ) -> str:
        """Add a person or change their details; return the name.

        Args:
            name: The name shown with reports and comments.
            mail: E-mail address; None keeps the stored one.
            initials: At most 4 letters for the avatar; empty means derived from the name.
            hidden_columns: The columns that the person hides in the list of findings; None keeps the stored
                ones.
            actor: Who makes the change.

        Raises:
            InvalidInputError: A value cannot be stored.
        """
        stored = self._context.read_record(RecordKind.PERSON, name)
        before = stored if isinstance(stored, PersonRecord) else PersonRecord(name, clock.EPOCH)
        after = replace(
            before,
            mail=before.mail if mail is None else mail,
            initials=before.initials if initials is None else initials,
            hidden_columns=before.hidden_columns if hidden_columns is None else tuple(hidden_columns),
        )
        if before.deleted_at is not None:
            self._context.write_path.commit([RestoreRecord(RecordKind.PERSON, name, actor)])
            after = replace(after, deleted_at=None)
        if after != before or not before.version:
            self._context.write_path.commit([SaveRecord(after, actor=actor)])
        return name

    def delete(self, name: str, *, actor: str | None = None) -> bool:
        """Stop suggesting a person; return False if they were not known. Their annotations stay."""
        return self._context.delete_record(RecordKind.PERSON, name, actor)

    def restore(self, name: str, *, actor: str | None = None) -> bool:
        """Suggest a deleted person again; return False if they were not deleted."""
        return self._context.restore_record(RecordKind.PERSON, name, actor)

    def load_hidden_columns(self, name: str) -> list[str]:
        """Return the columns that a person hides in the list of findings; none for an unknown person."""
        record = self._context.read_record(RecordKind.PERSON, name)
        return list(record.hidden_columns) if isinstance(record, PersonRecord) else []

    def list_known(self) -> list[dict[str, Any]]:
        """List the people who were added and the authors of reports.

        Returns:
            Dictionaries with name, mail and initials, sorted by name.
        """
        query = FlatRecordQuery(RecordKind.PERSON, deleted=DeletedFilter.INCLUDED)
        found = {p.id: p for p in self._context.store.scan(query, ALL_ITEMS) if isinstance(p, PersonRecord)}
        authors = self._context.store.group_reports(ReportQuery(), ReportFacet.AUTHOR)
        names = {name for name, person in found.items() if person.deleted_at is None}
        names |= {name for name in authors if name and name not in found}
        return [
            _person_row(found.get(name) or PersonRecord(name, clock.EPOCH))
            for name in sorted(names, key=_sort_key)
        ]


def _person_row(person: PersonRecord) -> dict[str, Any]:
    return {
        "name": person.id,
        "mail": person.mail,
        "initials": person.initials or make_initials(person.id),
    }


def _sort_key(name: str) -> tuple[str, str]:
    return name.casefold(), name
