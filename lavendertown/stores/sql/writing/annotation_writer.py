"""Writing annotations, and the values of their findings' identities that depend on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from lavendertown.records.record_classes import AnnotationRecord
from lavendertown.records.search_text import annotation_text
from lavendertown.stores.sql.reading.record_reader import ANNOTATION_MAPPER
from lavendertown.stores.sql.schema.tables import annotations_table, identities, identity_tags
from lavendertown.stores.sql.statements.column_types import UtcDateTime
from lavendertown.stores.sql.statements.conditions import STATUS_CODES, in_list
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.writing.identities import Identities

_A = annotations_table.c
_INSERT = sa.insert(annotations_table)
_STORED_KEYS = sa.select(_A.id, _A.key, _A.identity_key).where(in_list(_A.id, "ids"))
_DELETE = sa.delete(annotations_table).where(in_list(_A.key, "keys"))
_ADD_TAG = {
    "sqlite": sqlite.insert(identity_tags).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(identity_tags).on_conflict_do_nothing(),
    "mariadb": mysql.insert(identity_tags).on_duplicate_key_update(tag=identity_tags.c.tag),
}
_INCREMENT_COMMENT_COUNT = (
    sa.update(identities)
    .where(identities.c.key == sa.bindparam("k"))
    .values(comment_count=identities.c.comment_count + 1)
)
_HAS_LATER_STATUS = sa.exists(
    sa.select(_A.key).where(
        _A.identity_key == sa.bindparam("k"),
        _A.deleted_at.is_(None),
        _A.status.is_not(None),
        sa.tuple_(_A.created_at, _A.id)
        > sa.tuple_(sa.bindparam("at", type_=UtcDateTime()), sa.bindparam("id_")),
    )
)
_SET_STATUS = (
    sa.update(identities)
    .where(identities.c.key == sa.bindparam("k"))
    .values(
        status=sa.case((~_HAS_LATER_STATUS, sa.bindparam("code")), else_=identities.c.status),
        fixed_at=sa.case((_HAS_LATER_STATUS, identities.c.fixed_at), else_=None),
        regressed_at=sa.case((_HAS_LATER_STATUS, identities.c.regressed_at), else_=None),
        comment_count=identities.c.comment_count + sa.bindparam("comments"),
    )
)


def write_annotations(
    batch: StatementBatch,
    identities: Identities,
    records: Sequence[AnnotationRecord],
    new_ids: set[str],
) -> None:
    """Write new and changed annotations and update the status, tags and counts of their findings."""
    keys = _find_identities(identities, records)
    old = [record.id for record in records if record.id not in new_ids]
    touched = set(keys.values())
    rows = [_annotation_row(record, keys[record.id]) for record in records]
    if old:
        stored_rows = batch.connection.execute(_STORED_KEYS, {"ids": old})
        stored = {record_id: (key, identity) for record_id, key, identity in stored_rows}
        touched |= {identity for _, identity in stored.values()}
        batch.execute(_DELETE, [{"keys": [key for key, _ in stored.values()]}])
        rows = [{**row, "key": stored[row["id"]][0]} if row["id"] in stored else row for row in rows]
    if len(records) == 1 and not old and records[0].deleted_at is None and records[0].status != "fixed":
        batch.execute(_INSERT, rows)
        _count_new_annotation(batch, records[0], keys[records[0].id])
        return
    with_key = [row for row in rows if "key" in row]
    without_key = [row for row in rows if "key" not in row]
    batch.execute(_INSERT, with_key)
    batch.execute(_INSERT, without_key)
    identities.recompute_states(touched)


def _find_identities(identities: Identities, records: Sequence[AnnotationRecord]) -> dict[str, int]:
    """Return the key of each annotation's identity by annotation id."""
    if len(records) == 1:
        return {
            records[0].id: identities.find_or_create_identity(records[0].finding_id, records[0].created_at)
        }
    mentions: dict[str, dt.datetime] = {}
    for record in records:
        first = mentions.setdefault(record.finding_id, record.created_at)
        mentions[record.finding_id] = min(first, record.created_at)
    keys = identities.find_or_create_identities(mentions)
    return {record.id: keys[record.finding_id] for record in records}


def _count_new_annotation(batch: StatementBatch, record: AnnotationRecord, key: int) -> None:
    """Add one new annotation to its identity's values, without reading the other annotations."""
    if record.status is not None:
        code = STATUS_CODES[record.status]
        values = {"k": key, "at": record.created_at, "id_": record.id, "code": code}
        batch.execute(_SET_STATUS, [{**values, "comments": int(record.comment != "")}])
    elif record.comment:
        batch.execute(_INCREMENT_COMMENT_COUNT, [{"k": key}])
    if record.tags:
        insert = _ADD_TAG[batch.connection.dialect.name]
        batch.execute(insert, [{"identity_key": key, "tag": tag} for tag in record.tags])


def _annotation_row(record: AnnotationRecord, identity_key: int) -> dict[str, Any]:
    return {
        "identity_key": identity_key,
        **ANNOTATION_MAPPER.to_row(record),
        "search_text": annotation_text(record),
    }
