"""Saved views: named filters of the inbox, shared by the team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock, json_codec
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind, ViewRecord
from lavendertown.records.write_path import RestoreRecord, SaveRecord, find_actor


class Views(StoragePart):
    """The saved views of a storage."""

    def save(self, name: str, query: Mapping[str, Any], *, author: str | None = None) -> str:
        """Save a view under its name, new or changed, and return the name.

        Args:
            name: The name of the view.
            query: The address's parameters, as plain JSON.
            author: The author of the view; by default the current actor, else ``"internal"``.

        Raises:
            InvalidInputError: The name or the query cannot be stored.
        """
        author = find_actor() if author is None else author
        stored = self._context.read_record(RecordKind.VIEW, name)
        if stored is not None and stored.deleted_at is not None:
            self._context.write_path.commit([RestoreRecord(RecordKind.VIEW, name, author)])
        before = stored if isinstance(stored, ViewRecord) else ViewRecord(name, author, {}, clock.EPOCH)
        plain = json_codec.to_jsonable(dict(query), "query")
        self._context.write_path.commit(
            [SaveRecord(replace(before, author=author, query=plain, deleted_at=None), actor=author)]
        )
        return name

    def query(self) -> list[dict[str, Any]]:
        """List the saved views by name: name, author, query, updated_at."""
        found = self._context.store.scan(FlatRecordQuery(RecordKind.VIEW), ALL_ITEMS)
        return [
            {"name": v.id, "author": v.author, "query": dict(v.query), "updated_at": v.updated_at}
            for v in found
            if isinstance(v, ViewRecord)
        ]

    def delete(self, name: str, *, actor: str | None = None) -> bool:
        """Delete a view; return False if it does not exist."""
        return self._context.delete_record(RecordKind.VIEW, name, actor)

    def restore(self, name: str, *, actor: str | None = None) -> bool:
        """Restore a deleted view; return False if it was not deleted."""
        return self._context.restore_record(RecordKind.VIEW, name, actor)
