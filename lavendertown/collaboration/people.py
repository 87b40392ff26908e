"""Whom the team knows: suggested wherever an author or somebody to look after a finding is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lavendertown import clock
from lavendertown.collaboration.core import Core
from lavendertown.records.accessor import Put, Remove, Restore
from lavendertown.records.queries import By, Deleted, PlainQuery, ReportQuery
from lavendertown.records.values import EVERYTHING, Kind, PersonRecord


def initials(name: str) -> str:
    """Return the initials of a name: those of its first two words."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


class People(Core):
    """The people of a storage."""

    def save_person(
        self, name: str, *, mail: str | None = None, initials: str | None = None, actor: str = "internal"
    ) -> str:
        """Make somebody known, or change what is known of them; return the name.

        Args:
            name: As it stands beside reports and comments.
            mail: Their address; None leaves it as it is.
            initials: For their picture, at most 4 letters; empty: made from the name.
            actor: Who does it.

        Raises:
            InvalidInputError: A part cannot be stored.
        """
        held = self._read(Kind.PERSON, name)
        before = held if isinstance(held, PersonRecord) else PersonRecord(name, clock.EPOCH)
        after = replace(
            before,
            mail=before.mail if mail is None else mail,
            initials=before.initials if initials is None else initials,
        )
        if before.deleted_at is not None:
            self.writes.commit([Restore(Kind.PERSON, name, actor)])
            after = replace(after, deleted_at=None)
        if after != before or not before.version:
            self.writes.commit([Put(after, actor=actor)])
        return name

    def delete_person(self, name: str, *, actor: str = "internal") -> bool:
        """No longer suggest somebody; say whether they were known. What they wrote stays."""
        return self.writes.commit([Remove(Kind.PERSON, name, actor)]) != []

    def known_people(self) -> list[dict[str, Any]]:
        """Return whom the team knows: who was made known, and who wrote a report.

        Returns:
            Dictionaries with name, mail and initials, by name.
        """
        query = PlainQuery(Kind.PERSON, deleted=Deleted.INCLUDED)
        found = {p.id: p for p in self.store.scan(query, EVERYTHING) if isinstance(p, PersonRecord)}
        authors = self.store.group(ReportQuery(), By.AUTHOR)
        names = {name for name, person in found.items() if person.deleted_at is None}
        names |= {name for name in authors if name and name not in found}
        return [
            _row(found.get(name) or PersonRecord(name, clock.EPOCH)) for name in sorted(names, key=_order)
        ]


def _row(person: PersonRecord) -> dict[str, Any]:
    return {
        "name": person.id,
        "mail": person.mail,
        "initials": person.initials or initials(person.id),
    }


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name
