"""Findings over all reports, and the runs of datasets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.database import audit
from lavendertown.database.sql import SEVERITY_CODE, among
from lavendertown.database.tables import audit_log, findings, identities, identity_tags, notes, reports
from lavendertown.identity import covered
from lavendertown.models import SEVERITIES
from lavendertown.records.identities import RUNS, Identity, Recent, Run, Said, Turn
from lavendertown.records.rules import STATUSES
from lavendertown.records.values import AuditEvent

_I, _T, _A, _R, _F, _E = identities.c, identity_tags.c, notes.c, reports.c, findings.c, audit_log.c
NEWEST = 1000
"""How many audit events back a change is still found."""

_SEEN = _I.times_seen > 0
_IDENTITIES = sa.select(
    _I.key, _I.fingerprint, _I.dataset, _I.ghost_type, _I.column_name, _I.description, _I.severity,
    _I.status, _I.fixed_at, _I.regressed_at, _I.first_seen, _I.last_seen, _I.times_seen,
    _I.comment_count, _I.last_count, _I.last_share, _I.check_key,
).where(_SEEN)  # fmt: skip
_TAGS = sa.select(_T.identity_key, _T.tag).order_by(_T.identity_key, _T.tag)
_SAID = sa.select(_I.fingerprint, _A.author, _A.search_text).join_from(
    notes, identities, _I.key == _A.identity_key
)
_SAID = _SAID.where(_A.deleted_at.is_(None))
_NUMBERED = (
    sa.select(
        _R.key, _R.id, _R.dataset, _R.created_at,
        sa.func.row_number()
        .over(partition_by=_R.dataset, order_by=(_R.created_at.desc(), _R.id.desc()))
        .label("place"),
    )
    .where(_R.deleted_at.is_(None))
)  # fmt: skip
_METADATA = sa.select(_R.key, _R.metadata).where(among(_R.key, "keys"))
_OCCURRENCES = (
    sa.select(
        _I.fingerprint, _F.seen_at, _F.row_count, _F.report_key,
        sa.func.row_number()
        .over(partition_by=_F.identity_key, order_by=(_F.seen_at.desc(), _R.id.desc(), _F.position))
        .label("place"),
    )
    .join_from(findings, identities, _I.key == _F.identity_key)
    .join(reports, _R.key == _F.report_key)
    .where(among(_I.fingerprint, "names"), _R.deleted_at.is_(None))
    .subquery()
)  # fmt: skip
_O = _OCCURRENCES.c
_RECENT = (
    sa.select(_O.fingerprint, _O.seen_at, _O.row_count, _O.report_key)
    .where(_O.place <= RUNS)
    .order_by(_O.fingerprint, _O.place)
)
_DESCRIBED = (
    sa.select(_I.fingerprint, _F.report_key, _R.id, _F.position, _F.description)
    .join_from(findings, identities, _I.key == _F.identity_key)
    .join(reports, _R.key == _F.report_key)
    .where(among(_I.fingerprint, "names"), among(_F.report_key, "keys"))
    .order_by(_F.position.desc())
)
_HELD = (
    sa.select(_I.fingerprint)
    .join_from(findings, identities, _I.key == _F.identity_key)
    .join(reports, _R.key == _F.report_key)
    .where(among(_R.id, "ids"))
    .distinct()
)
_FIRST_AFTER = (
    sa.select(sa.func.min(_F.seen_at))
    .join_from(findings, reports, _R.key == _F.report_key)
    .where(_F.identity_key == _A.identity_key, _F.seen_at > _A.created_at, _R.deleted_at.is_(None))
    .correlate(notes)
    .scalar_subquery()
)
_TURNS = (
    sa.select(
        _I.fingerprint, _A.created_at, _A.status, _A.author,
        sa.case((_A.status == STATUSES.index("fixed"), _FIRST_AFTER)),
    )
    .join_from(notes, identities, _I.key == _A.identity_key)
    .where(_A.deleted_at.is_(None), _A.status.is_not(None))
    .order_by(_A.created_at, _A.id)
)  # fmt: skip
_NEWEST_KEYS = sa.select(_E.key).order_by(_E.key.desc()).limit(NEWEST)
_EVENTS = sa.select(*audit.COLUMNS).where(among(_E.key, "keys")).order_by(_E.key)


def read_identities(
    connection: sa.Connection, names: Sequence[str] | None, datasets: Sequence[str] | None
) -> Iterator[Identity]:
    """Return the findings that live reports hold, each once."""
    listed, values = _IDENTITIES, {}
    if names is not None:
        listed, values = listed.where(among(_I.fingerprint, "names")), {"names": list(names)}
    if datasets is not None:
        listed, values = listed.where(among(_I.dataset, "datasets")), {**values, "datasets": list(datasets)}
    rows = connection.execute(listed, values).all()
    few = len(rows) < NEWEST
    tags: dict[int, tuple[str, ...]] = defaultdict(tuple)
    of = _TAGS.where(among(_T.identity_key, "keys")) if few else _TAGS
    for key, tag in connection.execute(of, {"keys": [row.key for row in rows]} if few else {}):
        tags[key] += (tag,)
    for key, name, dataset, kind, column, text, severity, status, *rest in rows:
        told = (name, dataset, kind, column, text, SEVERITIES[severity], STATUSES[status], *rest, tags[key])
        yield Identity._make(told)


def read_said(connection: sa.Connection, names: Sequence[str] | None) -> Iterable[Said]:
    """Return the live annotations."""
    if names is None:
        return map(Said._make, connection.execute(_SAID).all())
    of = _SAID.where(among(_I.fingerprint, "names"))
    return map(Said._make, connection.execute(of, {"names": list(names)}).all())


def read_runs(connection: sa.Connection, datasets: Sequence[str] | None) -> dict[str, Run]:
    """Return the newest runs of each dataset."""
    inner = _NUMBERED if datasets is None else _NUMBERED.where(among(_R.dataset, "datasets"))
    numbered = inner.subquery()
    newest = (
        sa.select(numbered.c.key, numbered.c.id, numbered.c.dataset, numbered.c.created_at)
        .where(numbered.c.place <= RUNS)
        .order_by(numbered.c.dataset, numbered.c.place)
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(newest, {} if datasets is None else {"datasets": list(datasets)}):
        found[row.dataset].append(row)
    keys = {name: rows[0].key for name, rows in found.items()}
    told = {key: data for key, data in connection.execute(_METADATA, {"keys": list(keys.values())})}  # noqa: C416
    return {
        name: Run(
            tuple(row.created_at for row in rows), rows[0].id, covered(told.get(keys[name]) or {}, name)
        )
        for name, rows in found.items()
    }


def read_recent(connection: sa.Connection, names: Sequence[str]) -> dict[str, Recent]:
    """Return where these findings were seen last."""
    seen: dict[str, list[Any]] = defaultdict(list)
    for name, *row in connection.execute(_RECENT, {"names": list(names)}):
        # A report may hold a finding twice.
        if not seen[name] or seen[name][-1][2] != row[2]:
            seen[name].append(row)
    last = {name: rows[0][2] for name, rows in seen.items()}
    described = connection.execute(_DESCRIBED, {"names": list(seen), "keys": list(set(last.values()))})
    where = {(name, key): rest for name, key, *rest in described}
    return {
        name: Recent._make((*where[name, last[name]], tuple((at, count) for at, count, _ in rows)))
        for name, rows in seen.items()
    }


def read_fingerprints(
    connection: sa.Connection, report_ids: Sequence[str], severities: Sequence[str]
) -> frozenset[str]:
    """Return the fingerprints of the findings these reports hold."""
    if not severities:
        return frozenset(connection.scalars(_HELD, {"ids": list(report_ids)}))
    codes = [SEVERITY_CODE[severity] for severity in severities if severity in SEVERITY_CODE]
    of = _HELD.where(among(_F.severity, "codes"))
    return frozenset(connection.scalars(of, {"ids": list(report_ids), "codes": codes}))


def read_turns(connection: sa.Connection, datasets: Sequence[str] | None) -> list[Turn]:
    """Return the live annotations that set a status, oldest first."""
    of, values = _TURNS, {}
    if datasets is not None:
        of, values = of.where(among(_I.dataset, "datasets")), {"datasets": list(datasets)}
    return [
        Turn(name, at, STATUSES[status], author, back_at)
        for name, at, status, author, back_at in connection.execute(of, values)
    ]


def read_events(
    connection: sa.Connection, mark: frozenset[int] | None
) -> tuple[frozenset[int], Sequence[AuditEvent] | None]:
    """Return the newest events' keys, and the events that are not in the mark.

    A lower key may be committed after a higher one, so all of the newest are compared. None where
    more were written than can be told.
    """
    now = frozenset(connection.scalars(_NEWEST_KEYS))
    if mark is None:
        return now, None
    new = now - mark
    if len(now) == NEWEST and not (now & mark):
        return now, None
    rows = connection.execute(_EVENTS, {"keys": sorted(new)}).all() if new else ()
    return now, [audit.event(row) for row in rows]
