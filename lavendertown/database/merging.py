"""Findings that people handle as one: their identities joined, and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lavendertown import clock
from lavendertown.database.identities import Identities
from lavendertown.database.read_records import finding
from lavendertown.database.sightings import gather
from lavendertown.database.sql import among
from lavendertown.database.tables import (
    findings,
    identities,
    identity_aliases,
    identity_tags,
    notes,
    triage,
)
from lavendertown.records.plain import merges
from lavendertown.records.values import FindingRecord, TriageRecord

_I, _A, _T, _F = identities.c, identity_aliases.c, triage.c, findings.c
_MERGED = sa.select(_T.id, _T.merged_into).where(
    among(_T.id, "ids"), _T.merged_into != "", _T.deleted_at.is_(None)
)
_UNDER = sa.select(_A.alias, _A.name).where(_A.identity_key == sa.bindparam("key"))
_NEWEST = (
    sa.select(
        _F.seen_at, _F.fingerprint, _F.dataset, _F.ghost_type, _F.column_name, _F.severity,
        _F.description, sa.null().label("data"), _F.row_count, _F.share, _F.metadata,
    )
    .where(_F.identity_key == sa.bindparam("key"), among(_F.fingerprint, "names"))
    .order_by(_F.seen_at.desc())
    .limit(1)
)  # fmt: skip


def merged(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return which of these findings are stored as merged into which others."""
    return {name: into for name, into in connection.execute(_MERGED, {"ids": list(ids)})}  # noqa: C416


def follow(known: Identities, before: dict[str, str], records: Sequence[TriageRecord]) -> None:
    """Join and part identities as these records now say.

    Args:
        known: The identities of the transaction.
        before: What :func:`merged` said of them.
        records: The records as they are written.
    """
    now = merges(records)
    changed = sorted(r.id for r in records if before.get(r.id) != now.get(r.id))
    for name in changed:
        if name in before:
            _part(known, name)
    for name in changed:
        if name in now:
            _join(known, name, now[name])


def _join(known: Identities, name: str, into: str) -> None:
    keys = known.annotated_all(dict.fromkeys((name, into), clock.EPOCH))
    source, target = keys[name], keys[into]
    if source == target:
        return
    execute = known.connection.execute
    for table in (findings, notes, identity_aliases):
        execute(sa.update(table).where(table.c.identity_key == source).values(identity_key=target))
    execute(sa.delete(identity_tags).where(identity_tags.c.identity_key == source))
    execute(sa.delete(identities).where(_I.key == source))
    execute(sa.insert(identity_aliases), {"alias": name, "identity_key": target, "name": into})
    _count_anew(known, [target])


def _part(known: Identities, name: str) -> None:
    connection = known.connection
    key = known.named([name])[name].key
    names = _names_under(connection, key, name)
    of_it = {"names": sorted(names)}
    newest = connection.execute(_NEWEST, {"key": key, **of_it}).first()
    connection.execute(sa.delete(identity_aliases).where(_A.alias == name))
    if newest is None:
        new = known.annotated(name, clock.EPOCH)
    else:
        seen_at, *row = newest
        new = known.place(gather([([_called(finding(row), name)], seen_at, 0)]))[name]
    for table, column in (
        (findings, _F.fingerprint),
        (notes, notes.c.finding_id),
        (identity_aliases, _A.alias),
    ):
        part = sa.update(table).where(table.c.identity_key == key, among(column, "names"))
        known.connection.execute(part.values(identity_key=new), of_it)
    _count_anew(known, [key, new])


def _called(found: FindingRecord, name: str) -> FindingRecord:
    # Not by its old id: annotations under that stay with whom they were joined to.
    return found._replace(fingerprint=name, legacy_id=name)


def _names_under(connection: sa.Connection, key: int, name: str) -> set[str]:
    """Return a finding's name and all that led to it before it was merged itself."""
    under = connection.execute(_UNDER, {"key": key}).all()
    names = {name}
    while more := {alias for alias, of in under if of in names} - names:
        names |= more
    return names


def _count_anew(known: Identities, keys: Sequence[int]) -> None:
    known.recount(keys)
    known.restate(keys)
