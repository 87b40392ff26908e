"""What the screen Data reads: how the store does, and what lies in the trash. Asked anew each time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lavendertown.collaboration import mapping
from lavendertown.config import Settings, load_settings
from lavendertown.records.files import FileStore
from lavendertown.records.queries import AnnotationQuery, Deleted, Query, ReportQuery, RuleSetQuery
from lavendertown.records.values import Page
from lavendertown.ui import data_files, reads

if TYPE_CHECKING:
    from lavendertown.database.diagram import Box

KINDS = {"report": "Reports", "annotation": "Comments", "ruleset": "Rule sets"}
"""What the trash holds: component → its name."""

_ONLY = Deleted.ONLY


@dataclass(frozen=True)
class Facts:
    """How the store does.

    Attributes:
        schema: The schema's revision and the one that is wanted; None for files.
        sentence: What it is and what to do, where something is to be done.
        bytes: How large it is; None where it does not say.
        files: How many files hold it; None for databases.
    """

    words: str
    well: bool
    milliseconds: float
    schema: tuple[str, str] | None
    sentence: str
    bytes: int | None
    files: int | None


def settings() -> Settings:
    """Return the settings in force."""
    return load_settings()


def on_database() -> bool:
    """Tell whether records are kept in a database."""
    return settings().storage_type == "database"


def facts() -> Facts:
    """Ask the store how it does, with a real read.

    Raises:
        StorageError: It does not answer.
    """
    if on_database():
        from lavendertown.database.health import health

        found = health(settings().database_url)
        schema = (found.revision, found.wanted)
        said = "" if found.well else found.sentence
        return Facts(found.store, found.well, found.seconds * 1000, schema, said, found.bytes, None)
    storage = reads.storage()
    started = time.perf_counter()
    storage.check()
    took = time.perf_counter() - started
    sizes = _file_sizes(storage.store) if isinstance(storage.store, FileStore) else []
    return Facts(storage.describe(), True, took * 1000, None, "", sum(sizes), len(sizes))


def _file_sizes(store: FileStore) -> list[int]:
    sizes = []
    for path in data_files.records(store.layout):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # deleted or renamed meanwhile
            continue
    return sizes


def boxes() -> list[Box]:
    """Return what the diagram of the tables shows."""
    from lavendertown.database import diagram

    return diagram.read_database(settings().database_url)


def trash_counts() -> dict[str, int]:
    """Count what lies in the trash, by kind."""
    return {kind: reads.storage().store.count(_query(kind)) for kind in KINDS}


def trash(kind: str, limit: int, offset: int) -> list[dict[str, Any]]:
    """List one kind of what lies in the trash.

    Returns:
        Dictionaries with id, name, about, deleted_at, deleted_by (empty where the audit log does not
        know).
    """
    found = reads.storage().store.scan(_query(kind), Page(limit, offset))
    return [_thing(kind, record) for record in found]


def _query(kind: str) -> Query:
    if kind == "report":
        return ReportQuery(deleted=_ONLY)
    if kind == "annotation":
        return AnnotationQuery(deleted=_ONLY, newest_first=True)
    return RuleSetQuery(deleted=_ONLY)


def _thing(kind: str, record: Any) -> dict[str, Any]:
    if kind == "report":
        row = mapping.report_row(record)
        name, about, record_id = row["title"] or "Untitled", row["dataset"], row["id"]
    elif kind == "annotation":
        row = mapping.annotation_row(record)
        name, about, record_id = row["comment"] or "Without words", row["author"], row["id"]
    else:
        row = mapping.row(record)
        name, about, record_id = row["name"], row["description"], row["name"]
    last = reads.storage().audit_log(
        component=kind, record_id=record_id, operation=("delete", "soft_delete"), limit=1
    )
    return {
        "id": record_id,
        "name": name,
        "about": about,
        "deleted_at": row["deleted_at"],
        "deleted_by": last[0]["actor"] if last else "",
    }
