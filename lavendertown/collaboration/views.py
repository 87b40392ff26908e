"""Views: ways of looking at the findings that somebody saved for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown import clock, codec
from lavendertown.collaboration.core import Core
from lavendertown.records.accessor import Put, Remove, Restore
from lavendertown.records.queries import PlainQuery
from lavendertown.records.values import EVERYTHING, Kind, ViewRecord


class Views(Core):
    """The saved views of a storage."""

    def save_view(self, name: str, query: Mapping[str, Any], *, author: str = "internal") -> str:
        """Save a view under its name, new or changed, and return the name.

        Args:
            name: What it is called.
            query: The address's parameters, as plain JSON.
            author: Who saves it.

        Raises:
            InvalidInputError: The name or the query cannot be stored.
        """
        held = self._read(Kind.VIEW, name)
        if held is not None and held.deleted_at is not None:
            self.writes.commit([Restore(Kind.VIEW, name, author)])
        record = ViewRecord(name, author, codec.plain(dict(query), "query"), clock.EPOCH)
        self.writes.commit([Put(record, actor=author)])
        return name

    def query_views(self) -> list[dict[str, Any]]:
        """List the saved views by name: name, author, query, updated_at."""
        found = self.store.scan(PlainQuery(Kind.VIEW), EVERYTHING)
        return [
            {"name": v.id, "author": v.author, "query": dict(v.query), "updated_at": v.updated_at}
            for v in found
            if isinstance(v, ViewRecord)
        ]

    def delete_view(self, name: str, *, actor: str = "internal") -> bool:
        """Delete a view; say whether it was there."""
        return self.writes.commit([Remove(Kind.VIEW, name, actor)]) != []

    def restore_view(self, name: str, *, actor: str = "internal") -> bool:
        """Bring a deleted view back; say whether it was deleted."""
        return self.writes.commit([Restore(Kind.VIEW, name, actor)]) != []
