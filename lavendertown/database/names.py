"""The names of findings, old and new, and what annotations under any of them amount to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lavendertown import clock
from lavendertown.database import array_rows, prepared
from lavendertown.database.foresight import Foresight
from lavendertown.database.named import FIXED_ONCE, NAMED, NAMED_AND_LOCKED, Named
from lavendertown.database.sql import FIXED, OPEN, among
from lavendertown.database.tables import findings, identities, identity_aliases, identity_tags, notes, reports
from lavendertown.database.types import Utc
from lavendertown.database.writer import Writer
from lavendertown.errors import StorageError
from lavendertown.identity import is_legacy_id

_I = identities.c

LOCK = sa.select(_I.key).where(among(_I.key, "keys")).order_by(_I.key).with_for_update()
_INSERT = sa.insert(identities)
_OLD_ID = sa.func.md5(findings.c.ghost_type + ":" + findings.c.column_name + ":" + findings.c.description)
_BEARERS = (
    sa.select(_OLD_ID, _I.key, _I.fingerprint)
    .join_from(findings, identities, _I.key == findings.c.identity_key)
    .join(reports, reports.c.key == findings.c.report_key)
    .where(among(_OLD_ID, "names"))
    .order_by(findings.c.seen_at, reports.c.id, findings.c.position.desc())
)


# No join: PostgreSQL would begin with all reports as long as it has no statistics, as after an import.
OF_A_LIVE_REPORT = (
    sa.select(reports.c.deleted_at.is_(None))
    .where(reports.c.key == findings.c.report_key)
    .correlate(findings)
    .scalar_subquery()
)
_CAME_BACK = (
    sa.update(identities)
    .where(among(_I.key, "keys"), FIXED_ONCE)
    .values(
        regressed_at=sa.select(sa.func.min(findings.c.seen_at))
        .where(findings.c.identity_key == _I.key, findings.c.seen_at > _I.fixed_at, OF_A_LIVE_REPORT)
        .correlate(identities)
        .scalar_subquery()
    )
)
_REOPEN = (
    sa.update(identities)
    .where(among(_I.key, "keys"), FIXED_ONCE)
    .values(status=sa.case((_I.regressed_at.is_(None), FIXED), else_=OPEN))
)


class Names:
    """Names inside one transaction."""

    def __init__(
        self, connection: sa.Connection, writer: Writer | None = None, foresight: Foresight | None = None
    ) -> None:
        self._connection = connection
        self._writer = writer or Writer(connection)
        self._foresight = foresight or Foresight()
        self._postgres = connection.dialect.name == "postgresql"

    @property
    def connection(self) -> sa.Connection:
        """The transaction, with all that was to be written."""
        self._writer.flush()
        return self._connection

    @property
    def report_keys(self) -> Sequence[int]:
        """Keys that are free for new reports; there may be none."""
        return self._foresight.report_keys

    def named(self, names: Collection[str]) -> dict[str, Named]:
        """Return the identities behind these names."""
        foreseen = self._foresight.take_named(names)
        if foreseen is not None:
            return foreseen
        found = prepared.rows(self._connection, NAMED, {"names": list(names)})
        return {name: Named(*rest) for name, *rest in found}

    def annotated(self, finding_id: str, at: dt.datetime) -> int:
        """Return the key of the identity an annotation is about; make a placeholder if need be.

        The identity is locked, so that what follows reads it as it is.
        """
        if finding_id in self._foresight.held:
            return self._foresight.held[finding_id]
        self._writer.flush()
        locked = prepared.rows(self._connection, NAMED_AND_LOCKED, {"name": finding_id})
        if locked:
            return int(locked[0][0])
        key = self._bearer(finding_id) or self._placeholder(finding_id, at)
        if self._postgres:
            self._connection.execute(LOCK, {"keys": [key]})
        return key

    def annotated_all(self, mentions: Mapping[str, dt.datetime]) -> dict[str, int]:
        """Return the keys of the identities behind many names, as :meth:`annotated` does for one.

        Args:
            mentions: The names, each with when it was first written of.
        """
        self._writer.flush()
        keys = {name: known.key for name, known in self.named(list(mentions)).items()}
        found = self._find_bearers([name for name in mentions if name not in keys])
        if found:
            rows = [{"alias": old, "identity_key": key, "name": name} for old, (key, name) in found.items()]
            self._connection.execute(sa.insert(identity_aliases), rows)
            keys |= {name: key for name, (key, _) in found.items()}
        for name in sorted(mentions.keys() - keys.keys()):
            keys[name] = self._placeholder(name, mentions[name])
        if self._postgres:
            self._connection.execute(LOCK, {"keys": sorted(set(keys.values()))})
        return keys

    def alias(self, aliases: Mapping[str, str]) -> None:
        """Keep these older ids for the findings named; one that is known already stays as it is."""
        self._writer.flush()
        named = self.named([*aliases, *aliases.values()])
        for old, name in sorted(aliases.items()):
            held = named.get(old)
            if held is None:
                if name not in named:
                    key = self._placeholder(name, clock.EPOCH)
                    named[name] = Named(key, name, 0, 0, 0)
                new = {"alias": old, "identity_key": named[name].key, "name": name}
                self._connection.execute(sa.insert(identity_aliases), new)
            elif held.fingerprint == old and held.times_seen == 0 and old != name:
                named[name] = self._join(old, held, name, named.get(name))

    def restate(self, keys: Collection[int]) -> None:
        """Derive these identities' status, tags and comment counts anew from live annotations.

        The status is the last one that was set; but a finding that was seen again since it was fixed
        is open.
        """
        if not keys:
            return
        self._writer.flush()
        if self._postgres:
            self._connection.execute(LOCK, {"keys": sorted(keys)})
        a = notes.c
        rows = self._connection.execute(
            sa.select(a.identity_key, a.status, a.tags, a.comment != "", a.created_at)
            .where(among(a.identity_key, "keys"), a.deleted_at.is_(None))
            .order_by(a.identity_key, a.created_at, a.id),
            {"keys": sorted(keys)},
        )
        states: dict[int, dict[str, Any]] = {
            key: {"k": key, "status": OPEN, "comments": 0, "tags": set(), "fixed": None} for key in keys
        }
        for key, status, tags, commented, at in rows:
            state = states[key]
            if status is not None:
                state |= {"status": status, "fixed": at if status == FIXED else None}
            state["comments"] += bool(commented)
            state["tags"].update(tags)
        self._write_states(states)
        self.judge({key for key, state in states.items() if state["fixed"] is not None})

    def judge(self, keys: Collection[int]) -> None:
        """Reopen those findings among these that were fixed and were seen again; close the others again."""
        if not keys:
            return
        self._writer.flush()
        self._connection.execute(_CAME_BACK, {"keys": sorted(keys)})
        self._connection.execute(_REOPEN, {"keys": sorted(keys)})

    def _write_states(self, states: Mapping[int, dict[str, Any]]) -> None:
        self._connection.execute(
            sa.update(identities)
            .where(_I.key == sa.bindparam("k"))
            .values(
                status=sa.bindparam("status_"),
                comment_count=sa.bindparam("comments"),
                fixed_at=sa.bindparam("fixed", type_=Utc()),
                regressed_at=None,
            ),
            [
                {"k": s["k"], "status_": s["status"], "comments": s["comments"], "fixed": s["fixed"]}
                for s in states.values()
            ],
        )
        self._connection.execute(
            sa.delete(identity_tags).where(among(identity_tags.c.identity_key, "keys")),
            {"keys": list(states)},
        )
        tags = [{"identity_key": k, "tag": tag} for k, s in states.items() for tag in sorted(s["tags"])]
        if tags:
            self._connection.execute(sa.insert(identity_tags), tags)

    def _join(self, old: str, waiting: Named, name: str, known: Named | None) -> Named:
        """Make an old id, under which annotations wait, an alias of the finding that arrived."""
        execute = self._connection.execute
        placeholder = waiting.key
        if known is None:
            execute(sa.update(identities).where(_I.key == placeholder).values(fingerprint=name))
            key = placeholder
        else:
            key = known.key
            moved = sa.update(notes).where(notes.c.identity_key == placeholder)
            execute(moved.values(identity_key=key))
            execute(sa.delete(identity_tags).where(identity_tags.c.identity_key == placeholder))
            of = sa.update(identity_aliases).where(identity_aliases.c.identity_key == placeholder)
            execute(of.values(identity_key=key))
            execute(sa.delete(identities).where(_I.key == placeholder))
            self.restate([key])
        execute(sa.insert(identity_aliases), {"alias": old, "identity_key": key, "name": name})
        return Named(key, name, 0, waiting.severity, waiting.fixed)

    def resolve(self, names: Sequence[str]) -> list[str]:
        """Return the fingerprints behind any names of findings; an unknown name is its own."""
        named = self.named(names)
        return [named[name].fingerprint if name in named else self._unnamed(name) for name in names]

    def _unnamed(self, name: str) -> str:
        bearer = self._find_bearer(name)
        return bearer[1] if bearer else name

    def _bearer(self, finding_id: str) -> int | None:
        """Name the stored finding that 0.7 would have called so for good; return its key."""
        found = self._find_bearer(finding_id)
        if found is None:
            return None
        key, name = found
        new = {"alias": finding_id, "identity_key": key, "name": name}
        self._connection.execute(sa.insert(identity_aliases), new)
        return key

    def _find_bearer(self, finding_id: str) -> tuple[int, str] | None:
        """Find the stored finding that 0.7 would have called so; the last one seen, if several."""
        return self._find_bearers([finding_id]).get(finding_id)

    def _find_bearers(self, finding_ids: Collection[str]) -> dict[str, tuple[int, str]]:
        """Find the stored findings that 0.7 would have called so, in one look at all findings."""
        old = [name for name in finding_ids if is_legacy_id(name)]
        if not old:
            return {}
        found = self._connection.execute(_BEARERS, {"names": old})
        # The last one wins: the newest.
        return {name: (key, fingerprint) for name, key, fingerprint in found}

    def _placeholder(self, finding_id: str, at: dt.datetime) -> int:
        row = {
            "fingerprint": finding_id,
            **dict.fromkeys(("dataset", "column_name", "description", "check_key", "search_text"), ""),
            "ghost_type": "",
            "severity": 0,
            "status": OPEN,
            "first_seen": at,
            "last_seen": at,
            "times_seen": 0,
            "comment_count": 0,
        }
        if self._postgres:
            return upsert_postgres(self._writer, [row])[finding_id]
        inserted = self._connection.execute(_INSERT, row)
        made = inserted.inserted_primary_key
        if made is None:
            raise StorageError(f"The finding {finding_id!r} could not be stored; nothing was written.")
        return int(made[0])


_NEW = postgresql.insert(identities)
_UPSERT = _NEW.on_conflict_do_update(
    index_elements=[_I.fingerprint],
    set_={
        "times_seen": _I.times_seen + _NEW.excluded.times_seen,
        "first_seen": sa.func.least(_I.first_seen, _NEW.excluded.first_seen),
        "last_seen": sa.func.greatest(_I.last_seen, _NEW.excluded.last_seen),
        "last_count": sa.case(
            (_NEW.excluded.last_seen >= _I.last_seen, _NEW.excluded.last_count), else_=_I.last_count
        ),
        "last_share": sa.case(
            (_NEW.excluded.last_seen >= _I.last_seen, _NEW.excluded.last_share), else_=_I.last_share
        ),
    },
).returning(_I.fingerprint, _I.key)


def upsert_postgres(writer: Writer, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert identities that another writer may be inserting at the same moment; return their keys."""
    return dict(writer.insert_returning(_UPSERT, array_rows.columns_of(rows)))
