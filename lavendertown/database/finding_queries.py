"""Lists of findings, annotations and rule sets."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.database.conditions import Filter
from lavendertown.database.read_records import ANNOTATION_COLUMNS
from lavendertown.database.sql import SEVERITY_CODE, STATUS_CODE, among, has_tag
from lavendertown.database.tables import (
    findings,
    identities,
    identity_tags,
    notes,
    reports,
    rulesets,
)
from lavendertown.models import SEVERITIES
from lavendertown.records.queries import AnnotationQuery, FindingQuery, RuleSetQuery
from lavendertown.records.rules import STATUSES
from lavendertown.records.values import FindingHeader, RuleSetHeader

_R, _F, _I, _A, _S = reports.c, findings.c, identities.c, notes.c, rulesets.c
_Statement = tuple[sa.Select[Any], dict[str, Any]]


def findings_statement(query: FindingQuery) -> _Statement:
    """Return the statement and parameters behind a finding query."""
    f = Filter()
    f.visible(_R.deleted_at, query.deleted)
    f.equal(_R.id, "report_id", query.report_id)
    f.among(_I.fingerprint, "finding_ids", query.finding_ids)
    f.among(_R.author, "authors", query.authors)
    f.among(_F.dataset, "datasets", query.datasets)
    f.among(_F.ghost_type, "ghost_types", query.ghost_types)
    f.among(_F.column_name, "columns", query.columns)
    f.codes(_F.severity, "severities", query.severities, SEVERITY_CODE)
    f.codes(_I.status, "statuses", query.statuses, STATUS_CODE)
    f.within(_R.created_at, query.start, query.end)
    f.search(_F.search_text, query.search)
    for number, tag in enumerate(query.tags):
        f.values[f"tag{number}"] = tag
        f.conditions.append(
            sa.exists(
                sa.select(identity_tags.c.tag)
                .where(
                    identity_tags.c.identity_key == _I.key,
                    identity_tags.c.tag == sa.bindparam(f"tag{number}", type_=sa.Text()),
                )
                .correlate(identities)
            )
        )
    statement = (
        sa.select(
            _I.key, _I.fingerprint, _R.id, _F.position, _F.dataset, _F.ghost_type, _F.column_name,
            _F.severity, _F.description, _F.row_count, _F.share, _F.metadata, _F.seen_at, _I.status,
            _I.comment_count, _I.first_seen, _I.last_seen, _I.times_seen,
        )
        .join_from(findings, reports, _R.key == _F.report_key)
        .join(identities, _I.key == _F.identity_key)
        .where(*f.conditions)
        .order_by(_R.created_at.desc(), _R.id.desc(), _F.position)
    )  # fmt: skip
    return statement, f.values


def finding_headers(connection: sa.Connection, rows: Sequence[Any]) -> list[FindingHeader]:
    """Return the headers in these rows, with the tags of their identities."""
    tags: dict[int, list[str]] = defaultdict(list)
    keys = sorted({row[0] for row in rows})
    if keys:
        of = (
            sa.select(identity_tags.c.identity_key, identity_tags.c.tag)
            .where(among(identity_tags.c.identity_key, "keys"))
            .order_by(identity_tags.c.tag)
        )
        for key, tag in connection.execute(of, {"keys": keys}):
            tags[key].append(tag)
    return [_finding_header(row, tuple(tags[row[0]])) for row in rows]


def _finding_header(row: Any, tags: tuple[str, ...]) -> FindingHeader:
    seen = row.times_seen > 0
    return FindingHeader(
        finding_id=row.fingerprint,
        report_id=row.id,
        position=row.position,
        dataset=row.dataset,
        ghost_type=row.ghost_type,
        column=row.column_name,
        severity=SEVERITIES[row.severity],
        description=row.description,
        row_count=row.row_count,
        share=row.share,
        metadata=row.metadata,
        seen_at=row.seen_at,
        status=STATUSES[row.status],
        tags=tags,
        comment_count=row.comment_count,
        first_seen=row.first_seen if seen else row.seen_at,
        last_seen=row.last_seen if seen else row.seen_at,
        times_seen=row.times_seen,
    )


def annotations_statement(query: AnnotationQuery, fingerprints: Sequence[str]) -> _Statement:
    """Return the statement and parameters behind an annotation query.

    Args:
        query: The query.
        fingerprints: Its finding ids, resolved.
    """
    if query.report_id is not None and query == AnnotationQuery(report_id=query.report_id):
        return _of_report(), {"report_id": query.report_id}
    return _annotations_statement(query, fingerprints)


@functools.cache
def _of_report() -> sa.Select[Any]:
    """What every load of a report asks for, made once."""
    return _annotations_statement(AnnotationQuery(report_id=""), ())[0]


def _annotations_statement(query: AnnotationQuery, fingerprints: Sequence[str]) -> _Statement:
    f = Filter()
    f.visible(_A.deleted_at, query.deleted)
    f.among(_A.id, "ids", query.ids)
    f.among(_A.author, "authors", query.authors)
    f.codes(_A.status, "statuses", query.statuses, STATUS_CODE)
    f.within(_A.created_at, query.start, query.end)
    f.search(_A.search_text, query.search)
    if query.finding_ids:
        of = sa.select(_I.key).where(among(_I.fingerprint, "fingerprints"))
        f.conditions.append(_A.identity_key.in_(of))
        f.values["fingerprints"] = list(fingerprints)
    if query.report_id is not None:
        held = (
            sa.select(_F.identity_key)
            .join_from(findings, reports, _R.key == _F.report_key)
            .where(_R.id == sa.bindparam("report_id"))
        )
        carried = _A.report_id == sa.bindparam("report_id")
        f.conditions.append(sa.or_(carried, _A.identity_key.in_(held)))
        f.values["report_id"] = query.report_id
    for number, tag in enumerate(query.tags):
        f.conditions.append(has_tag(_A.tags, f"tag{number}"))
        f.values[f"tag{number}"] = tag
    order = (_A.created_at.desc(), _A.id.desc()) if query.newest_first else (_A.created_at, _A.id)
    return sa.select(*ANNOTATION_COLUMNS).where(*f.conditions).order_by(*order), f.values


def rulesets_statement(query: RuleSetQuery) -> _Statement:
    """Return the statement and parameters behind a rule set query."""
    f = Filter()
    f.visible(_S.deleted_at, query.deleted)
    f.search(_S.search_text, query.search)
    statement = (
        sa.select(_S.name, _S.description, _S.rule_count, _S.updated_at, _S.version, _S.deleted_at)
        .where(*f.conditions)
        .order_by(_S.name)
    )
    return statement, f.values


def ruleset_header(row: Any) -> RuleSetHeader:
    """Return the header in a row of that statement."""
    return RuleSetHeader(*row)
