"""Report lists: one prebuilt statement for each set of filters in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from lavendertown import clock, codec
from lavendertown.database.sql import STATUS_CODE, among, contains
from lavendertown.database.tables import (
    findings,
    identities,
    identity_tags,
    report_tags,
    report_texts,
    reports,
)
from lavendertown.database.types import Utc, with_zone
from lavendertown.models import SEVERITIES
from lavendertown.records.queries import By, Deleted, ReportQuery
from lavendertown.records.rules import STATUSES
from lavendertown.records.values import Page, ReportHeader

_R, _F, _I = reports.c, findings.c, identities.c
COLUMNS = (
    _R.id, _R.title, _R.author, _R.dataset, _R.created_at, _R.updated_at, _R.finding_count,
    _R.error_count, _R.warning_count, _R.info_count, _R.tags, _R.version, _R.deleted_at,
)  # fmt: skip
_SEVERITY_COUNTS = {"error": _R.error_count, "warning": _R.warning_count, "info": _R.info_count}

_Shape = frozenset[tuple[str, int]]
"""Which filters are in use; for tags and severities also how many, or which."""


def page_statement(query: ReportQuery, page: Page) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters for one page."""
    values = _values(query)
    shape = _shape(query)
    if page.limit is not None:
        values["limit"] = page.limit
        shape |= {("limit", 1)}
    if page.offset:
        values["offset"] = page.offset
        # SQLite has no OFFSET without a LIMIT; SQLAlchemy writes LIMIT -1 there.
        shape |= {("offset", 1)}
    return _page(shape), values


def count_statement(query: ReportQuery) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters that count."""
    return _count(_shape(query)), _values(query)


def headers(connection: sa.Connection, rows: Sequence[Any]) -> list[ReportHeader]:
    """Return the headers in rows of ``COLUMNS`` as the driver gave them."""
    backend = connection.dialect.name
    when = _WHEN[backend]
    tags_of: Callable[[Any], tuple[str, ...]] = tuple if backend == "postgresql" else _tags
    return [
        ReportHeader(
            id_, title, author, dataset, when(created), when(updated), count, errors, warnings, infos,
            tags_of(tags) if tags else (), version, when(deleted) if deleted is not None else None,
        )
        for (
            id_, title, author, dataset, created, updated, count, errors, warnings, infos,
            tags, version, deleted,
        ) in rows
    ]  # fmt: skip


# The same pages are listed again and again; half of a list's time would go into its times.
_when = lru_cache(maxsize=8192)(clock.from_microseconds)
_WHEN: dict[str, Callable[[Any], Any]] = {
    "sqlite": _when,
    "postgresql": clock.to_utc,
    "mariadb": with_zone,
}


def _tags(text: str) -> tuple[str, ...]:
    return tuple(codec.loads(text))


def group(connection: sa.Connection, query: ReportQuery, by: By) -> Mapping[str, int]:
    """Count matching reports under each value."""
    where = _conditions(_shape(query))
    values = _values(query)
    match by:
        case By.AUTHOR | By.DATASET:
            column = _R.author if by is By.AUTHOR else _R.dataset
            statement = sa.select(column, sa.func.count()).where(*where).group_by(column)
            return dict(connection.execute(statement, values).all())
        case By.SEVERITY:
            sums = [sa.func.sum(sa.case((c > 0, 1), else_=0)) for c in _SEVERITY_COUNTS.values()]
            found = connection.execute(sa.select(*sums).where(*where), values).one()
            # MariaDB's sums are decimal numbers.
            return {name: int(n) for name, n in zip(_SEVERITY_COUNTS, found, strict=True) if n}
        case By.STATUS:
            status = (
                sa.select(_I.status, sa.func.count(_F.report_key.distinct()))
                .join_from(findings, identities, _I.key == _F.identity_key)
                .join(reports, _R.key == _F.report_key)
                .where(*where)
                .group_by(_I.status)
            )
            return {STATUSES[code]: n for code, n in connection.execute(status, values)}
        case By.TAG:
            return dict(connection.execute(_tag_counts(where), values).all())


def _tag_counts(where: list[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    own = sa.select(report_tags.c.tag, report_tags.c.report_key)
    said = sa.select(identity_tags.c.tag, _F.report_key).join_from(
        identity_tags, findings, _F.identity_key == identity_tags.c.identity_key
    )
    every = own.union(said).subquery()
    return (
        sa.select(every.c.tag, sa.func.count())
        .join_from(every, reports, _R.key == every.c.report_key)
        .where(*where)
        .group_by(every.c.tag)
    )


def known_tags_statement() -> sa.Select[Any]:
    """Return the statement that lists tags in use, most used first, then by name."""
    own = (
        sa.select(report_tags.c.tag)
        .join_from(report_tags, reports, _R.key == report_tags.c.report_key)
        .where(_R.deleted_at.is_(None))
    )
    every = own.union_all(sa.select(identity_tags.c.tag)).subquery()
    return sa.select(every.c.tag).group_by(every.c.tag).order_by(sa.func.count().desc(), every.c.tag)


def _shape(query: ReportQuery) -> _Shape:
    used = {
        ("deleted", list(Deleted).index(query.deleted)),
        ("tags", len(query.tags)),
        ("severities", sum(1 << i for i, s in enumerate(SEVERITIES) if s in query.severities)),
        ("unknown_severity", int(bool(query.severities) and not set(query.severities) & set(SEVERITIES))),
    }
    for name in ("ids", "authors", "datasets", "statuses", "search"):
        count = len(getattr(query, name))
        used.add((name, min(count, 2) if name == "authors" else min(count, 1)))
    for name in ("start", "end", "finding_id"):
        used.add((name, int(getattr(query, name) is not None)))
    return frozenset(pair for pair in used if pair[1] or pair[0] == "deleted")


def _values(query: ReportQuery) -> dict[str, Any]:
    values: dict[str, Any] = {f"tag{i}": tag for i, tag in enumerate(query.tags)}
    if len(query.authors) == 1:
        values["author"] = query.authors[0]
    elif query.authors:
        values["authors"] = query.authors
    for name in ("ids", "datasets"):
        if getattr(query, name):
            values[name] = getattr(query, name)
    if query.statuses:
        values["statuses"] = [STATUS_CODE[s] for s in query.statuses if s in STATUS_CODE]
    for name in ("start", "end", "finding_id"):
        if getattr(query, name) is not None:
            values[name] = getattr(query, name)
    if query.search:
        values["search"] = query.search
    return values


@lru_cache(maxsize=256)
def _page(shape: _Shape) -> sa.Select[Any]:
    statement = sa.select(*COLUMNS).where(*_conditions(shape)).order_by(_R.created_at.desc(), _R.id.desc())
    used = dict(shape)
    if "limit" in used:
        statement = statement.limit(sa.bindparam("limit", type_=sa.Integer))
    if "offset" in used:
        statement = statement.offset(sa.bindparam("offset", type_=sa.Integer))
    return statement


@lru_cache(maxsize=256)
def _count(shape: _Shape) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(reports).where(*_conditions(shape))


def _conditions(shape: _Shape) -> list[sa.ColumnElement[bool]]:
    used = dict(shape)
    found: list[sa.ColumnElement[bool]] = []
    deleted = list(Deleted)[used["deleted"]]
    if deleted is not Deleted.INCLUDED:
        hidden = deleted is Deleted.HIDDEN
        found.append(_R.deleted_at.is_(None) if hidden else _R.deleted_at.is_not(None))
    if used.get("authors") == 1:
        found.append(_R.author == sa.bindparam("author"))
    elif used.get("authors"):
        found.append(among(_R.author, "authors"))
    for name, column in (("ids", _R.id), ("datasets", _R.dataset)):
        if name in used:
            found.append(among(column, name))
    if "start" in used:
        found.append(_R.created_at >= sa.bindparam("start", type_=Utc()))
    if "end" in used:
        found.append(_R.created_at <= sa.bindparam("end", type_=Utc()))
    if "search" in used:
        text = sa.select(report_texts.c.report_key).where(
            report_texts.c.report_key == _R.key, contains(report_texts.c.text, "search")
        )
        found.append(sa.exists(text.correlate(reports)))
    found += _about_findings(used)
    return found


def _about_findings(used: Mapping[str, int]) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if "unknown_severity" in used:
        found.append(sa.false())
    if "severities" in used:
        wanted = [s for i, s in enumerate(SEVERITIES) if used["severities"] & (1 << i)]
        found.append(sa.or_(*(_SEVERITY_COUNTS[s] > 0 for s in wanted)))
    held = sa.select(_F.report_key).where(_F.report_key == _R.key)
    if "finding_id" in used:
        of = held.join(identities, _I.key == _F.identity_key)
        found.append(sa.exists(of.where(_I.fingerprint == sa.bindparam("finding_id")).correlate(reports)))
    if "statuses" in used:
        of = held.join(identities, _I.key == _F.identity_key)
        found.append(sa.exists(of.where(among(_I.status, "statuses")).correlate(reports)))
    for number in range(used.get("tags", 0)):
        tag = sa.bindparam(f"tag{number}", type_=sa.Text())
        own = sa.select(report_tags.c.tag).where(report_tags.c.report_key == _R.key, report_tags.c.tag == tag)
        said = held.join(identity_tags, identity_tags.c.identity_key == _F.identity_key)
        found.append(
            sa.or_(
                sa.exists(own.correlate(reports)),
                sa.exists(said.where(identity_tags.c.tag == tag).correlate(reports)),
            )
        )
    return found
