"""Statements for lists of findings, annotations and rule sets, and the summaries in their rows."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.core import statuses
from lavendertown.records.fields import shared_fields
from lavendertown.records.queries import AnnotationQuery, FindingQuery, RuleSetQuery
from lavendertown.records.record_classes import FindingRecord, FindingSummary, RuleSetRecord, RuleSetSummary
from lavendertown.stores.sql.reading.record_reader import ANNOTATION_MAPPER
from lavendertown.stores.sql.schema.record_mapping import RecordMapper
from lavendertown.stores.sql.schema.tables import (
    annotations_table,
    findings,
    identities,
    identity_tags,
    reports,
    rulesets,
)
from lavendertown.stores.sql.statements.conditions import (
    SEVERITY_CODES,
    STATUS_CODES,
    WhereClause,
    has_tag,
    in_list,
)

_R, _F, _I, _A, _S = reports.c, findings.c, identities.c, annotations_table.c, rulesets.c
_FINDING_MAPPER = RecordMapper(FindingRecord, findings, shared_fields(FindingRecord, FindingSummary))
_RULESET_MAPPER = RecordMapper(RuleSetRecord, rulesets, shared_fields(RuleSetRecord, RuleSetSummary))
_Statement = tuple[sa.Select[Any], dict[str, Any]]


def findings_statement(query: FindingQuery) -> _Statement:
    """Return the statement and parameters of a finding query."""
    filters = WhereClause()
    filters.add_deleted_filter(_R.deleted_at, query.deleted)
    filters.add_equal(_R.id, "report_id", query.report_id)
    filters.add_in_list(_I.fingerprint, "finding_id", query.finding_id)
    filters.add_in_list(_R.author, "author", query.author)
    filters.add_in_list(_F.dataset, "dataset", query.dataset)
    filters.add_in_list(_F.ghost_type, "ghost_type", query.ghost_type)
    filters.add_in_list(_F.column_name, "column", query.column)
    filters.add_in_codes(_F.severity, "severity", query.severity, SEVERITY_CODES)
    filters.add_in_codes(_I.status, "status", query.status, STATUS_CODES)
    filters.add_between_times(_R.created_at, query.start_date, query.end_date)
    filters.add_text_search(_F.search_text, query.search)
    filters.add_for_each_value("tags", query.tags, _identity_has_tag)
    statement = (
        sa.select(
            *_FINDING_MAPPER.columns, _I.key, _I.fingerprint, _R.id, _F.position, _F.seen_at, _I.status,
            _I.comment_count, _I.first_seen, _I.last_seen, _I.times_seen,
        )
        .join_from(findings, reports, _R.key == _F.report_key)
        .join(identities, _I.key == _F.identity_key)
        .where(*filters.conditions.build_conditions())
        .order_by(_R.created_at.desc(), _R.id.desc(), _F.position)
    )  # fmt: skip
    return statement, filters.values


def _identity_has_tag(parameter: str) -> sa.ColumnElement[bool]:
    tag = sa.bindparam(parameter, type_=sa.Text())
    matches = sa.select(identity_tags.c.tag).where(
        identity_tags.c.identity_key == _I.key, identity_tags.c.tag == tag
    )
    return sa.exists(matches.correlate(identities))


def finding_summaries(connection: sa.Connection, rows: Sequence[Any]) -> list[FindingSummary]:
    """Return the finding summaries in these rows, with the tags of their identities."""
    tags: dict[int, list[str]] = defaultdict(list)
    keys = sorted({row.key for row in rows})
    if keys:
        statement = (
            sa.select(identity_tags.c.identity_key, identity_tags.c.tag)
            .where(in_list(identity_tags.c.identity_key, "keys"))
            .order_by(identity_tags.c.tag)
        )
        for key, tag in connection.execute(statement, {"keys": keys}):
            tags[key].append(tag)
    return [_finding_summary(row, tuple(tags[row.key])) for row in rows]


def _finding_summary(row: Any, tags: tuple[str, ...]) -> FindingSummary:
    is_in_live_report = row.times_seen > 0
    return FindingSummary(
        finding_id=row.fingerprint,
        report_id=row.id,
        position=row.position,
        **_FINDING_MAPPER.to_fields(row[: len(_FINDING_MAPPER.fields)]),
        seen_at=row.seen_at,
        status=statuses.NAMES[row.status],
        tags=tags,
        comment_count=row.comment_count,
        first_seen=row.first_seen if is_in_live_report else row.seen_at,
        last_seen=row.last_seen if is_in_live_report else row.seen_at,
        times_seen=row.times_seen,
    )


def annotations_statement(query: AnnotationQuery, fingerprints: Sequence[str]) -> _Statement:
    """Return the statement and parameters of an annotation query.

    Args:
        query: The query.
        fingerprints: The fingerprints of the query's finding ids.
    """
    if query.report_id is not None and query == AnnotationQuery(report_id=query.report_id):
        return _report_annotations_statement(), {"report_id": query.report_id}
    return _annotations_statement(query, fingerprints)


@functools.cache
def _report_annotations_statement() -> sa.Select[Any]:
    """Return the statement that each load of a report executes, built once."""
    return _annotations_statement(AnnotationQuery(report_id=""), ())[0]


def _annotations_statement(query: AnnotationQuery, fingerprints: Sequence[str]) -> _Statement:
    filters = WhereClause()
    filters.add_deleted_filter(_A.deleted_at, query.deleted)
    filters.add_in_list(_A.id, "ids", query.ids)
    filters.add_in_list(_A.author, "author", query.author)
    filters.add_in_codes(_A.status, "status", query.status, STATUS_CODES)
    filters.add_between_times(_A.created_at, query.start_date, query.end_date)
    filters.add_text_search(_A.search_text, query.search)
    if query.with_comment:
        filters.add_condition("with_comment", lambda: _A.comment != "", {})
    if query.finding_id:
        filters.add_condition("finding_id", _is_about_findings, {"finding_id": list(fingerprints)})
    if query.report_id is not None:
        filters.add_condition("report_id", _belongs_to_report, {"report_id": query.report_id})
    filters.add_for_each_value("tags", query.tags, lambda parameter: has_tag(_A.tags, parameter))
    order = (_A.created_at.desc(), _A.id.desc()) if query.newest_first else (_A.created_at, _A.id)
    return sa.select(*ANNOTATION_MAPPER.columns).where(*filters.conditions.build_conditions()).order_by(
        *order
    ), filters.values


def _is_about_findings() -> sa.ColumnElement[bool]:
    return _A.identity_key.in_(sa.select(_I.key).where(in_list(_I.fingerprint, "finding_id")))


def _belongs_to_report() -> sa.ColumnElement[bool]:
    report_id = sa.bindparam("report_id", type_=sa.Text())
    reported = sa.select(_F.identity_key).join_from(findings, reports, _R.key == _F.report_key)
    return sa.or_(_A.report_id == report_id, _A.identity_key.in_(reported.where(_R.id == report_id)))


def rulesets_statement(query: RuleSetQuery) -> _Statement:
    """Return the statement and parameters of a rule set query."""
    filters = WhereClause()
    filters.add_deleted_filter(_S.deleted_at, query.deleted)
    filters.add_text_search(_S.search_text, query.search)
    statement = (
        sa.select(_S.rule_count, *_RULESET_MAPPER.columns)
        .where(*filters.conditions.build_conditions())
        .order_by(_S.name)
    )
    return statement, filters.values


def ruleset_summary(row: Any) -> RuleSetSummary:
    """Return the rule set summary in a row of :func:`rulesets_statement`."""
    count, *values = row
    fields = _RULESET_MAPPER.to_fields(values)
    shared = {each.file_key: fields[each.name] for each in _RULESET_MAPPER.fields}
    return RuleSetSummary(**shared, rule_count=count)
