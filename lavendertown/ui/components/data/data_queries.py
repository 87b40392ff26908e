"""Uncached queries of the Data screen: state of the storage, content of the trash."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lavendertown.collaboration import converters
from lavendertown.collaboration.parts.source_checks import FailedCheck
from lavendertown.core.settings import Settings, load_settings
from lavendertown.records.queries import (
    AnnotationQuery,
    DeletedFilter,
    FlatRecordQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import Page, RecordKind
from lavendertown.stores.files import FileStore
from lavendertown.tick import find_due_sources
from lavendertown.ui import queries
from lavendertown.ui.components.data import data_files

if TYPE_CHECKING:
    from lavendertown.stores.sql.schema.schema_diagram import TableBox

TRASH_KINDS = {
    "report": "Reports",
    "annotation": "Comments",
    "ruleset": "Rule sets",
    "view": "Views",
    "person": "People",
    "incident": "Incidents",
    "worklist": "Worklists",
}
"""Component → name, for the records that can be in the trash."""

_ONLY = DeletedFilter.ONLY


@dataclass(frozen=True)
class StorageFacts:
    """State of the storage.

    Attributes:
        description: The kind and location of the store.
        is_healthy: Whether it is available and up to date.
        milliseconds: The duration of a read.
        schema: The current and the required schema revision; None for files.
        advice: The problem and what to do; empty if there is none.
        size_bytes: The size; None if unknown.
        file_count: The number of files; None for databases.
    """

    description: str
    is_healthy: bool
    milliseconds: float
    schema: tuple[str, str] | None
    advice: str
    size_bytes: int | None
    file_count: int | None


def current_settings() -> Settings:
    """Return the current settings."""
    return load_settings()


def uses_database() -> bool:
    """Return whether records are stored in a database."""
    return current_settings().storage_type == "database"


def read_storage_facts() -> StorageFacts:
    """Return the state of the storage, tested with a read.

    Raises:
        StorageError: The store is unavailable.
    """
    if uses_database():
        from lavendertown.stores.sql.health import check_health

        health = check_health(current_settings().database_url)
        schema = (health.revision, health.expected_revision)
        advice = "" if health.is_ok else health.sentence
        return StorageFacts(
            health.store, health.is_ok, health.query_seconds * 1000, schema, advice, health.size_bytes, None
        )
    storage = queries.current_storage()
    started = time.perf_counter()
    storage.check()
    took = time.perf_counter() - started
    sizes = _file_sizes(storage.store) if isinstance(storage.store, FileStore) else []
    return StorageFacts(storage.describe(), True, took * 1000, None, "", sum(sizes), len(sizes))


def _file_sizes(store: FileStore) -> list[int]:
    sizes = []
    for path in data_files.record_files(store.layout):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # deleted or renamed at the same time
            continue
    return sizes


def read_table_boxes() -> list[TableBox]:
    """Return the tables of the database for the diagram."""
    from lavendertown.stores.sql.schema import schema_diagram

    return schema_diagram.read_database_boxes(current_settings().database_url)


def count_trash() -> dict[str, int]:
    """Count the records in the trash by kind."""
    return {kind: queries.current_storage().store.count(_trash_query(kind)) for kind in TRASH_KINDS}


def list_trash(kind: str, limit: int, offset: int) -> list[dict[str, Any]]:
    """List the records of a kind in the trash.

    Returns:
        Dictionaries with id, name, about, deleted_at and deleted_by, which is empty if the audit log does
        not contain the deletion.
    """
    records = queries.current_storage().store.scan(_trash_query(kind), Page(limit, offset))
    return [_trash_row(kind, record) for record in records]


def count_notifications() -> int:
    """Count the messages to people."""
    return queries.current_storage().notifications.count()


def list_notifications(limit: int, offset: int) -> list[dict[str, Any]]:
    """List the messages to people, newest first, with their delivery."""
    return queries.current_storage().notifications.query(limit, offset)


def list_failed_sources() -> list[FailedCheck]:
    """List the regular checks of sources that failed and are tried again."""
    due = find_due_sources(queries.current_storage(), current_settings())
    return [failed for _, failed in due if failed is not None]


def _trash_query(kind: str) -> Query:
    if kind == "report":
        return ReportQuery(deleted=_ONLY)
    if kind == "annotation":
        return AnnotationQuery(deleted=_ONLY, newest_first=True, with_comment=True)
    if kind == "ruleset":
        return RuleSetQuery(deleted=_ONLY)
    return FlatRecordQuery(RecordKind(kind), deleted=_ONLY)


def _trash_row(kind: str, record: Any) -> dict[str, Any]:
    if kind == "report":
        row = converters.report_to_row(record)
        name, about, record_id = row["title"] or "Untitled", row["dataset"], row["id"]
    elif kind == "annotation":
        row = converters.annotation_to_row(record)
        name, about, record_id = row["comment"], row["author"], row["id"]
    elif kind == "ruleset":
        row = converters.summary_to_row(record)
        name, about, record_id = row["name"], row["description"], row["name"]
    elif kind == "incident":
        row = {"deleted_at": record.deleted_at}
        name, about, record_id = record.title, record.assignee, record.id
    elif kind == "worklist":
        row = {"deleted_at": record.deleted_at}
        name, about, record_id = f"{record.owner or 'Unassigned'}, {record.dataset}", record.id, record.id
    else:
        row = {"deleted_at": record.deleted_at}
        name, about, record_id = record.id, getattr(record, "author", ""), record.id
    last = queries.current_storage().audit_log(
        component=kind, record_id=record_id, operation=("delete", "soft_delete"), limit=1
    )
    return {
        "id": record_id,
        "name": name,
        "about": about,
        "deleted_at": row["deleted_at"],
        "deleted_by": last[0]["actor"] if last else "",
    }
