"""The lookup of identities by any name of a finding, and their state as derived from annotations.

A name is a fingerprint, the fingerprint of a merged finding, or an id of LavenderTown 0.7.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lavendertown.core import clock
from lavendertown.core.errors import StorageError
from lavendertown.core.fingerprints import is_legacy_id
from lavendertown.stores.sql.reading.inbox_queries import first_occurrence_after
from lavendertown.stores.sql.schema.tables import (
    annotations_table,
    findings,
    identities,
    identity_aliases,
    identity_tags,
    reports,
)
from lavendertown.stores.sql.statements.column_types import UtcDateTime
from lavendertown.stores.sql.statements.conditions import FIXED_CODE, OPEN_CODE, in_list
from lavendertown.stores.sql.statements.execution import StatementBatch, in_chunks

_I, _A = identities.c, identity_aliases.c
_NAME = sa.bindparam("name", type_=sa.Text())

WAS_FIXED = _I.fixed_at.is_not(None)
IDENTITY_COLUMNS = (
    _I.key,
    _I.fingerprint.label("canonical"),
    _I.times_seen,
    _I.severity,
    WAS_FIXED,
    _I.last_seen,
    _I.last_count,
    _I.last_share,
    _I.description,
    _I.check_key,
)
"""The columns of :class:`IdentityRow`."""
BY_FINGERPRINT = sa.select(_I.fingerprint, *IDENTITY_COLUMNS).where(in_list(_I.fingerprint, "names"))
BY_ALIAS = (
    sa.select(_A.alias, *IDENTITY_COLUMNS)
    .join_from(identity_aliases, identities, _I.key == _A.identity_key)
    .where(in_list(_A.alias, "names"))
)
BY_ANY_NAME = BY_FINGERPRINT.union_all(BY_ALIAS)
"""A name, and the columns of the identity with this name."""
KEY_BY_ANY_NAME_LOCKED = (
    sa.select(_I.key)
    .where(
        sa.or_(
            _I.fingerprint == _NAME,
            _I.key == sa.select(_A.identity_key).where(_A.alias == _NAME).scalar_subquery(),
        )
    )
    .with_for_update()
)


class IdentityRow(NamedTuple):
    """A stored identity. The driver's value of ``last_seen`` is not converted."""

    key: int
    fingerprint: str
    times_seen: int
    severity: int
    fixed: int
    last_seen: Any = None
    last_count: int | None = None
    last_share: float | None = None
    description: str = ""
    check_key: str = ""

    def was_seen_at(self, moment: dt.datetime) -> bool:
        """Return whether the identity was last seen at exactly this time."""
        if isinstance(self.last_seen, int):
            return self.last_seen == clock.to_microseconds(moment)
        # MariaDB's times have no time zone.
        return self.last_seen is not None and clock.to_utc(self.last_seen, clock.UTC) == moment


_I = identities.c
_NAMES_AT_ONCE = 5_000

LOCK_IDENTITIES = sa.select(_I.key).where(in_list(_I.key, "keys")).order_by(_I.key).with_for_update()
_INSERT_PLACEHOLDER = sa.insert(identities)
_LEGACY_ID = sa.func.md5(findings.c.ghost_type + ":" + findings.c.column_name + ":" + findings.c.description)
_LEGACY_MATCHES = (
    sa.select(_LEGACY_ID, _I.key, _I.fingerprint)
    .join_from(findings, identities, _I.key == findings.c.identity_key)
    .join(reports, reports.c.key == findings.c.report_key)
    .where(in_list(_LEGACY_ID, "names"))
    .order_by(findings.c.seen_at, reports.c.id, findings.c.position.desc())
)

_SET_REGRESSED_AT = (
    sa.update(identities)
    .where(in_list(_I.key, "keys"), WAS_FIXED)
    .values(regressed_at=first_occurrence_after(identities, _I.key, _I.fixed_at))
)
_WRITE_STATE = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"))
    .values(
        status=sa.bindparam("status_"),
        comment_count=sa.bindparam("comments"),
        fixed_at=sa.bindparam("fixed", type_=UtcDateTime()),
        regressed_at=None,
    )
)
_CLEAR_TAGS = sa.delete(identity_tags).where(in_list(identity_tags.c.identity_key, "keys"))
_INSERT_TAG = sa.insert(identity_tags)
_REOPEN = (
    sa.update(identities)
    .where(in_list(_I.key, "keys"), WAS_FIXED)
    .values(status=sa.case((_I.regressed_at.is_(None), FIXED_CODE), else_=OPEN_CODE))
)


class IdentityLookup:
    """Find, create and update identities inside one transaction."""

    def __init__(self, connection: sa.Connection, batch: StatementBatch | None = None) -> None:
        self._connection = connection
        self._batch = batch or StatementBatch(connection)
        self._is_postgres = connection.dialect.name == "postgresql"

    @property
    def connection(self) -> sa.Connection:
        """The connection of the transaction, with all pending statements executed."""
        self._batch.flush()
        return self._connection

    def find_identities(self, names: Collection[str]) -> dict[str, IdentityRow]:
        """Return the stored identities with these names, by name."""
        rows_by_name: dict[str, IdentityRow] = {}
        for chunk in in_chunks(list(names), _NAMES_AT_ONCE):
            rows_by_name |= {
                name: IdentityRow(*rest)
                for name, *rest in self._batch.fetch_rows(BY_ANY_NAME, {"names": chunk})
            }
        return rows_by_name

    def find_or_create_identity(self, finding_id: str, at: dt.datetime) -> int:
        """Return the key of the identity with this name, and lock it; create a placeholder if there is none.

        Args:
            finding_id: Any name of the finding.
            at: The time of the annotation, for the placeholder.
        """
        locked = self._batch.fetch_rows(KEY_BY_ANY_NAME_LOCKED, {"name": finding_id})
        if locked:
            return int(locked[0][0])
        key = self._link_legacy_id(finding_id) or self._insert_placeholder(finding_id, at)
        if self._is_postgres:
            self._connection.execute(LOCK_IDENTITIES, {"keys": [key]})
        return key

    def find_or_create_identities(self, mentions: Mapping[str, dt.datetime]) -> dict[str, int]:
        """Return the keys of the identities with these names, as :meth:`find_or_create_identity` does.

        Args:
            mentions: The names, each with the time of its first annotation.
        """
        keys = {name: identity.key for name, identity in self.find_identities(list(mentions)).items()}
        legacy_matches = self._find_legacy_matches([name for name in mentions if name not in keys])
        if legacy_matches:
            rows = [
                {"alias": legacy_id, "identity_key": key, "name": name}
                for legacy_id, (key, name) in legacy_matches.items()
            ]
            self._connection.execute(sa.insert(identity_aliases), rows)
            keys |= {name: key for name, (key, _) in legacy_matches.items()}
        for name in sorted(mentions.keys() - keys.keys()):
            keys[name] = self._insert_placeholder(name, mentions[name])
        if self._is_postgres:
            self._connection.execute(LOCK_IDENTITIES, {"keys": sorted(set(keys.values()))})
        return keys

    def add_aliases(self, aliases: Mapping[str, str]) -> None:
        """Store older ids as aliases of findings, by old id; ids that are stored already stay unchanged."""
        identities_by_name = self.find_identities([*aliases, *aliases.values()])
        for old_id, name in sorted(aliases.items()):
            stored = identities_by_name.get(old_id)
            if stored is None:
                if name not in identities_by_name:
                    key = self._insert_placeholder(name, clock.EPOCH)
                    identities_by_name[name] = IdentityRow(key, name, 0, 0, 0)
                row = {"alias": old_id, "identity_key": identities_by_name[name].key, "name": name}
                self._connection.execute(sa.insert(identity_aliases), row)
            elif stored.fingerprint == old_id and stored.times_seen == 0 and old_id != name:
                identities_by_name[name] = self._replace_placeholder(
                    old_id, stored, name, identities_by_name.get(name)
                )

    def recompute_states(self, keys: Collection[int]) -> None:
        """Recompute the status, tags and comment counts of identities from live annotations.

        The status is the last one that was set, except that a finding that regressed is open.
        """
        if not keys:
            return
        self._batch.flush()
        if self._is_postgres:
            self._connection.execute(LOCK_IDENTITIES, {"keys": sorted(keys)})
        a = annotations_table.c
        rows = self._connection.execute(
            sa.select(a.identity_key, a.status, a.tags, a.comment != "", a.created_at)
            .where(in_list(a.identity_key, "keys"), a.deleted_at.is_(None))
            .order_by(a.identity_key, a.created_at, a.id),
            {"keys": sorted(keys)},
        )
        states: dict[int, dict[str, Any]] = {
            key: {"k": key, "status": OPEN_CODE, "comments": 0, "tags": set(), "fixed": None} for key in keys
        }
        for key, status, tags, commented, at in rows:
            state = states[key]
            if status is not None:
                state |= {"status": status, "fixed": at if status == FIXED_CODE else None}
            state["comments"] += bool(commented)
            state["tags"].update(tags)
        self._write_states(states)
        self.reopen_regressed({key for key, state in states.items() if state["fixed"] is not None})

    def reopen_regressed(self, keys: Collection[int]) -> None:
        """Set fixed findings to open if they were seen since, and to fixed otherwise."""
        if not keys:
            return
        self._batch.flush()
        self._connection.execute(_SET_REGRESSED_AT, {"keys": sorted(keys)})
        self._connection.execute(_REOPEN, {"keys": sorted(keys)})

    def _write_states(self, states: Mapping[int, dict[str, Any]]) -> None:
        rows = [
            {"k": s["k"], "status_": s["status"], "comments": s["comments"], "fixed": s["fixed"]}
            for s in states.values()
        ]
        self._batch.execute(_WRITE_STATE, rows)
        self._batch.execute(_CLEAR_TAGS, [{"keys": list(states)}])
        tags = [{"identity_key": k, "tag": tag} for k, s in states.items() for tag in sorted(s["tags"])]
        self._batch.execute(_INSERT_TAG, tags)
        self._batch.flush()

    def _replace_placeholder(
        self, old_id: str, placeholder_row: IdentityRow, name: str, identity: IdentityRow | None
    ) -> IdentityRow:
        """Replace a placeholder, which only has annotations, by a finding whose alias its id becomes.

        Args:
            old_id: The placeholder's id.
            placeholder_row: The placeholder.
            name: The finding's fingerprint.
            identity: The finding's identity; None if it is not stored yet.

        Returns:
            The finding's identity.
        """
        execute = self._connection.execute
        placeholder = placeholder_row.key
        if identity is None:
            execute(sa.update(identities).where(_I.key == placeholder).values(fingerprint=name))
            key = placeholder
        else:
            key = identity.key
            update_annotations = sa.update(annotations_table).where(
                annotations_table.c.identity_key == placeholder
            )
            execute(update_annotations.values(identity_key=key))
            execute(sa.delete(identity_tags).where(identity_tags.c.identity_key == placeholder))
            update_aliases = sa.update(identity_aliases).where(identity_aliases.c.identity_key == placeholder)
            execute(update_aliases.values(identity_key=key))
            execute(sa.delete(identities).where(_I.key == placeholder))
            self.recompute_states([key])
        execute(sa.insert(identity_aliases), {"alias": old_id, "identity_key": key, "name": name})
        return IdentityRow(key, name, 0, placeholder_row.severity, placeholder_row.fixed)

    def resolve_fingerprints(self, names: Sequence[str]) -> list[str]:
        """Return the fingerprints of findings by any name; an unknown name is returned unchanged."""
        identities_by_name = self.find_identities(names)
        return [
            identities_by_name[name].fingerprint
            if name in identities_by_name
            else self._resolve_legacy_id(name)
            for name in names
        ]

    def _resolve_legacy_id(self, name: str) -> str:
        match = self._find_legacy_match(name)
        return match[1] if match else name

    def _link_legacy_id(self, finding_id: str) -> int | None:
        """Store an id of version 0.7 as an alias of its finding and return the finding's key, if any."""
        match = self._find_legacy_match(finding_id)
        if match is None:
            return None
        key, name = match
        row = {"alias": finding_id, "identity_key": key, "name": name}
        self._connection.execute(sa.insert(identity_aliases), row)
        return key

    def _find_legacy_match(self, finding_id: str) -> tuple[int, str] | None:
        """Return the key and fingerprint of the finding with this id of version 0.7, if any."""
        return self._find_legacy_matches([finding_id]).get(finding_id)

    def _find_legacy_matches(self, finding_ids: Collection[str]) -> dict[str, tuple[int, str]]:
        """Return the keys and fingerprints of findings by their ids of version 0.7, in one query.

        If several findings have the same id, the last one seen is returned.
        """
        legacy_ids = [name for name in finding_ids if is_legacy_id(name)]
        if not legacy_ids:
            return {}
        rows = self._connection.execute(_LEGACY_MATCHES, {"names": legacy_ids})
        # Sorted by time, so the newest row wins.
        return {name: (key, fingerprint) for name, key, fingerprint in rows}

    def _insert_placeholder(self, finding_id: str, at: dt.datetime) -> int:
        row = {
            "fingerprint": finding_id,
            **dict.fromkeys(("dataset", "column_name", "description", "check_key", "search_text"), ""),
            "ghost_type": "",
            "severity": 0,
            "status": OPEN_CODE,
            "first_seen": at,
            "last_seen": at,
            "times_seen": 0,
            "comment_count": 0,
        }
        if self._is_postgres:
            return upsert_identity_rows(self._batch, [row])[finding_id]
        inserted = self._connection.execute(_INSERT_PLACEHOLDER, row)
        primary_key = inserted.inserted_primary_key
        if primary_key is None:
            raise StorageError(
                f"The finding {finding_id!r} could not be stored; nothing was written. Try again."
            )
        return int(primary_key[0])


_INSERT_IDENTITY = postgresql.insert(identities)
_UPSERT = _INSERT_IDENTITY.on_conflict_do_update(
    index_elements=[_I.fingerprint],
    set_={
        "times_seen": _I.times_seen + _INSERT_IDENTITY.excluded.times_seen,
        "first_seen": sa.func.least(_I.first_seen, _INSERT_IDENTITY.excluded.first_seen),
        "last_seen": sa.func.greatest(_I.last_seen, _INSERT_IDENTITY.excluded.last_seen),
        "last_count": sa.case(
            (_INSERT_IDENTITY.excluded.last_seen >= _I.last_seen, _INSERT_IDENTITY.excluded.last_count),
            else_=_I.last_count,
        ),
        "last_share": sa.case(
            (_INSERT_IDENTITY.excluded.last_seen >= _I.last_seen, _INSERT_IDENTITY.excluded.last_share),
            else_=_I.last_share,
        ),
    },
).returning(_I.fingerprint, _I.key)


def upsert_identity_rows(batch: StatementBatch, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert identities, or update those that another writer inserts at the same time; return the keys."""
    return dict(batch.insert_returning(_UPSERT, rows))
