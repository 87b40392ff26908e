"""Reading a whole database record by record, a few in memory at a time, past what is damaged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from lavendertown import codec
from lavendertown.database import audit, plain_tables, read_records
from lavendertown.database.sql import among
from lavendertown.database.tables import audit_log, notes, reports, rulesets
from lavendertown.database.types import Utc
from lavendertown.errors import DamagedRecordError
from lavendertown.records import sound
from lavendertown.records.values import AuditEvent, Kind, Record

Connect = Callable[[], AbstractContextManager[sa.Connection]]
OnDamage = Callable[[str, str, bytes], None]
"""Is told what cannot be read, such as ``report 'r1'``, why, and what lies there, as JSON text."""

REPORTS_AT_ONCE = 200
OTHERS_AT_ONCE = 2000

_E = audit_log.c
_TABLES = {
    Kind.REPORT: reports,
    Kind.ANNOTATION: notes,
    Kind.RULESET: rulesets,
    **plain_tables.TABLES,
}
_IDS = {kind: table.c.name if kind is Kind.RULESET else table.c.id for kind, table in _TABLES.items()}
_PAGES = {
    kind: sa.select(table.c.key, _IDS[kind])
    .where(table.c.key > sa.bindparam("after"), table.c.key <= sa.bindparam("last"))
    .order_by(table.c.key)
    .limit(sa.bindparam("size"))
    for kind, table in _TABLES.items()
}
_LAST = {kind: sa.select(sa.func.max(table.c.key)) for kind, table in _TABLES.items()}
_LAST_EVENT = sa.select(sa.func.max(_E.key))
_EVENT_PAGE = (
    sa.select(_E.at, _E.key)
    .where(
        sa.tuple_(_E.at, _E.key)
        > sa.tuple_(sa.bindparam("at", type_=Utc()), sa.bindparam("after", type_=sa.BigInteger())),
        _E.key <= sa.bindparam("last"),
    )
    .order_by(_E.at, _E.key)
    .limit(OTHERS_AT_ONCE)
)
_EVENTS = sa.select(*audit.COLUMNS).where(among(_E.key, "keys")).order_by(_E.at, _E.key)
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


def walk_records(connect: Connect, kind: Kind, on_damage: OnDamage) -> Iterator[Record]:
    """Yield every record of a kind, deleted ones too, in the order they were stored.

    Those that are stored after the beginning are left out: a busy writer would have no end.
    """
    size = REPORTS_AT_ONCE if kind is Kind.REPORT else OTHERS_AT_ONCE
    with connect() as connection:
        last = connection.scalar(_LAST[kind]) or 0
    after = 0
    while True:
        with connect() as connection:
            rows = connection.execute(_PAGES[kind], {"after": after, "last": last, "size": size}).all()
            found = _whole(connection, kind, [record_id for _, record_id in rows], on_damage)
        yield from found
        if len(rows) < size:
            return
        after = rows[-1][0]


def _whole(
    connection: sa.Connection, kind: Kind, ids: Sequence[str], on_damage: OnDamage
) -> Sequence[Record]:
    try:
        found = read_records.read_many(connection, kind, ids)
        for record in found.values():
            sound.check(record)
    except (DamagedRecordError, ValueError):
        return [record for one in ids for record in _readable(connection, kind, one, on_damage)]
    return [found[one] for one in ids if one in found]


def _readable(connection: sa.Connection, kind: Kind, one: str, on_damage: OnDamage) -> Iterator[Record]:
    try:
        found = read_records.read(connection, kind, one)
        if found is not None:
            sound.check(found)
    except (DamagedRecordError, ValueError) as error:
        on_damage(
            f"{kind.value} {one!r}",
            str(error.__cause__ or error),
            _raw(connection, _TABLES[kind], _IDS[kind] == one),
        )
        return
    if found is not None:
        yield found


def walk_events(connect: Connect, since: dt.datetime, on_damage: OnDamage) -> Iterator[AuditEvent]:
    """Yield the audit events from a moment on that are there at the beginning, oldest first."""
    with connect() as connection:
        last = connection.scalar(_LAST_EVENT) or 0
    at, after = since, 0
    while True:
        with connect() as connection:
            page = connection.execute(_EVENT_PAGE, {"at": at, "after": after, "last": last}).all()
            found = _whole_events(connection, [key for _, key in page], on_damage)
        yield from found
        if len(page) < OTHERS_AT_ONCE:
            return
        at, after = page[-1]


def _whole_events(
    connection: sa.Connection, keys: Sequence[int], on_damage: OnDamage
) -> Sequence[AuditEvent]:
    try:
        return [_sound_event(row) for row in connection.execute(_EVENTS, {"keys": keys})]
    except _UNREADABLE:
        return [event for key in keys for event in _readable_event(connection, key, on_damage)]


def _readable_event(connection: sa.Connection, key: int, on_damage: OnDamage) -> Iterator[AuditEvent]:
    try:
        event = _sound_event(connection.execute(_EVENTS, {"keys": [key]}).one())
    except _UNREADABLE as error:
        on_damage(f"audit event {key}", str(error), _raw(connection, audit_log, _E.key == key))
        return
    yield event


def _sound_event(row: Any) -> AuditEvent:
    event = audit.event(row)
    sound.check_event(event)
    return event


def _raw(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> bytes:
    """Return a row as it lies there, every value as text."""
    columns = [sa.cast(column, sa.Text).label(column.name) for column in table.columns]
    row = connection.execute(sa.select(*columns).where(which)).mappings().one()
    return codec.dumps({str(name): value for name, value in row.items()}, indent=True)
