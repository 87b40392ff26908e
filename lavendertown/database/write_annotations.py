"""Writing annotations, and what they change in their finding's identity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from lavendertown.database.identities import Identities
from lavendertown.database.sql import STATUS_CODE, among
from lavendertown.database.tables import identities, identity_tags, notes
from lavendertown.database.types import Utc
from lavendertown.database.writer import Writer
from lavendertown.records.values import AnnotationRecord

_A = notes.c
_INSERT = sa.insert(notes)
_HELD = sa.select(_A.id, _A.key, _A.identity_key).where(among(_A.id, "ids"))
_DELETE = sa.delete(notes).where(among(_A.key, "keys"))
_ADD_TAG = {
    "sqlite": sqlite.insert(identity_tags).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(identity_tags).on_conflict_do_nothing(),
    "mariadb": mysql.insert(identity_tags).on_duplicate_key_update(tag=identity_tags.c.tag),
}
_COUNT = (
    sa.update(identities)
    .where(identities.c.key == sa.bindparam("k"))
    .values(comment_count=identities.c.comment_count + 1)
)
_LATER = sa.exists(
    sa.select(_A.key).where(
        _A.identity_key == sa.bindparam("k"),
        _A.deleted_at.is_(None),
        _A.status.is_not(None),
        sa.tuple_(_A.created_at, _A.id) > sa.tuple_(sa.bindparam("at", type_=Utc()), sa.bindparam("id_")),
    )
)
_SET_STATUS = (
    sa.update(identities)
    .where(identities.c.key == sa.bindparam("k"))
    .values(
        status=sa.case((~_LATER, sa.bindparam("code")), else_=identities.c.status),
        fixed_at=sa.case((_LATER, identities.c.fixed_at), else_=None),
        regressed_at=sa.case((_LATER, identities.c.regressed_at), else_=None),
        comment_count=identities.c.comment_count + sa.bindparam("comments"),
    )
)


def write(
    writer: Writer,
    known: Identities,
    records: Sequence[AnnotationRecord],
    fresh: set[str],
) -> None:
    """Write new and changed annotations; bring their findings' status, tags and counts up to date."""
    keys = _identities(known, records)
    old = [record.id for record in records if record.id not in fresh]
    touched = set(keys.values())
    rows = [_row(record, keys[record.id]) for record in records]
    if old:
        found = writer.connection.execute(_HELD, {"ids": old})
        held = {record_id: (key, identity) for record_id, key, identity in found}
        touched |= {identity for _, identity in held.values()}
        writer.execute(_DELETE, [{"keys": [key for key, _ in held.values()]}])
        rows = [{**row, "key": held[row["id"]][0]} if row["id"] in held else row for row in rows]
    if len(records) == 1 and not old and records[0].deleted_at is None and records[0].status != "fixed":
        writer.execute(_INSERT, rows)
        _add(writer, records[0], keys[records[0].id])
        return
    with_key = [row for row in rows if "key" in row]
    without_key = [row for row in rows if "key" not in row]
    for batch in (with_key, without_key):
        writer.execute(_INSERT, batch)
    known.restate(touched)


def _identities(known: Identities, records: Sequence[AnnotationRecord]) -> dict[str, int]:
    """Return the key of the identity that each annotation is about."""
    if len(records) == 1:
        return {records[0].id: known.annotated(records[0].finding_id, records[0].created_at)}
    mentions: dict[str, dt.datetime] = {}
    for record in records:
        first = mentions.setdefault(record.finding_id, record.created_at)
        mentions[record.finding_id] = min(first, record.created_at)
    keys = known.annotated_all(mentions)
    return {record.id: keys[record.finding_id] for record in records}


def _add(writer: Writer, record: AnnotationRecord, key: int) -> None:
    """The short way for one new annotation: what it adds, without reading the thread."""
    if record.status is not None:
        code = STATUS_CODE[record.status]
        values = {"k": key, "at": record.created_at, "id_": record.id, "code": code}
        writer.execute(_SET_STATUS, [{**values, "comments": int(record.comment != "")}])
    elif record.comment:
        writer.execute(_COUNT, [{"k": key}])
    if record.tags:
        insert = _ADD_TAG[writer.connection.dialect.name]
        writer.execute(insert, [{"identity_key": key, "tag": tag} for tag in record.tags])


def _row(record: AnnotationRecord, identity: int) -> dict[str, Any]:
    return {
        "id": record.id,
        "identity_key": identity,
        "finding_id": record.finding_id,
        "report_id": record.report_id,
        "author": record.author,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "comment": record.comment,
        "status": STATUS_CODE[record.status] if record.status is not None else None,
        "tags": list(record.tags),
        "version": record.version,
        "deleted_at": record.deleted_at,
        "search_text": record.comment.casefold(),
    }
