"""Merged findings: merging and unmerging of their identities."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lavendertown.core import clock
from lavendertown.records.json_records import merged_into_map
from lavendertown.records.record_classes import FindingRecord, TriageRecord
from lavendertown.stores.sql.reading.record_reader import FINDING_MAPPER, finding_from_row
from lavendertown.stores.sql.schema.tables import (
    annotations_table,
    findings,
    identities,
    identity_aliases,
    identity_tags,
    triage,
)
from lavendertown.stores.sql.statements.conditions import in_list
from lavendertown.stores.sql.writing.identities import Identities, fold_occurrences

_I, _A, _T, _F = identities.c, identity_aliases.c, triage.c, findings.c
_MERGED = sa.select(_T.id, _T.merged_into).where(
    in_list(_T.id, "ids"), _T.merged_into != "", _T.deleted_at.is_(None)
)
_ALIASES_OF_IDENTITY = sa.select(_A.alias, _A.name).where(_A.identity_key == sa.bindparam("key"))
_NEWEST_OCCURRENCE = (
    sa.select(_F.seen_at, *FINDING_MAPPER.columns)
    .where(_F.identity_key == sa.bindparam("key"), in_list(_F.fingerprint, "names"))
    .order_by(_F.seen_at.desc())
    .limit(1)
)
_OWN_OCCURRENCE = (
    sa.select(_F.identity_key)
    .where(_F.identity_key == sa.bindparam("key"), _F.fingerprint == sa.bindparam("name"))
    .limit(1)
)


def read_merged(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the stored merges of these findings: the fingerprint of each, and the one it is merged into."""
    return {name: into for name, into in connection.execute(_MERGED, {"ids": list(ids)})}  # noqa: C416


def apply_merges(lookup: Identities, before: dict[str, str], records: Sequence[TriageRecord]) -> None:
    """Merge and unmerge identities as triage records require.

    Args:
        lookup: The identities of the transaction.
        before: The merges before, from :func:`read_merged`.
        records: The triage records that are written.
    """
    after = merged_into_map(records)
    changed = sorted(r.id for r in records if before.get(r.id) != after.get(r.id))
    touched: set[int] = set()
    for name in changed:
        if name in before:
            _unmerge_identity(lookup, name, touched)
    for name in changed:
        if name in after:
            _merge_identity(lookup, name, after[name], touched)
    _recompute_identities(lookup, sorted(touched))


def _merge_identity(lookup: Identities, name: str, into: str, touched: set[int]) -> None:
    keys = lookup.find_or_create_identities(dict.fromkeys((name, into), clock.EPOCH))
    source, target = keys[name], keys[into]
    if source == target:
        return
    execute = lookup.connection.execute
    for table in (findings, annotations_table, identity_aliases):
        execute(sa.update(table).where(table.c.identity_key == source).values(identity_key=target))
    execute(sa.delete(identity_tags).where(identity_tags.c.identity_key == source))
    execute(sa.delete(identities).where(_I.key == source))
    execute(sa.insert(identity_aliases), {"alias": name, "identity_key": target, "name": into})
    _describe_target(lookup, target, name, into)
    touched.discard(source)
    touched.add(target)


def _describe_target(lookup: Identities, key: int, name: str, into: str) -> None:
    """Describe a finding without occurrences of its own like the finding that was merged into it."""
    if lookup.connection.execute(_OWN_OCCURRENCE, {"key": key, "name": into}).first():
        return
    newest = lookup.connection.execute(_NEWEST_OCCURRENCE, {"key": key, "names": [name]}).first()
    if newest is not None:
        _, *row = newest
        lookup.describe_unseen(lookup.find_identities([into])[into], finding_from_row(row, None))


def _unmerge_identity(lookup: Identities, name: str, touched: set[int]) -> None:
    connection = lookup.connection
    key = lookup.find_identities([name])[name].key
    names = _names_under(connection, key, name)
    parameters = {"names": sorted(names)}
    newest = connection.execute(_NEWEST_OCCURRENCE, {"key": key, **parameters}).first()
    connection.execute(sa.delete(identity_aliases).where(_A.alias == name))
    if newest is None:
        new_key = lookup.find_or_create_identity(name, clock.EPOCH)
    else:
        seen_at, *row = newest
        new_key = lookup.upsert_identities(
            fold_occurrences([([_with_fingerprint(finding_from_row(row, None), name)], seen_at, 0)])
        )[name]
    for table, column in (
        (findings, _F.fingerprint),
        (annotations_table, annotations_table.c.finding_id),
        (identity_aliases, _A.alias),
    ):
        statement = sa.update(table).where(table.c.identity_key == key, in_list(column, "names"))
        lookup.connection.execute(statement.values(identity_key=new_key), parameters)
    touched |= {key, new_key}


def _with_fingerprint(finding: FindingRecord, name: str) -> FindingRecord:
    # Without the old id: annotations under it stay with the finding that they were merged into.
    return finding._replace(fingerprint=name, legacy_id=name)


def _names_under(connection: sa.Connection, key: int, name: str) -> set[str]:
    """Return a finding's fingerprint and all aliases that led to it before it was merged itself."""
    rows = connection.execute(_ALIASES_OF_IDENTITY, {"key": key}).all()
    names = {name}
    while more := {alias for alias, parent in rows if parent in names} - names:
        names |= more
    return names


def _recompute_identities(lookup: Identities, keys: Sequence[int]) -> None:
    lookup.recompute_counts(keys)
    lookup.recompute_states(keys)
