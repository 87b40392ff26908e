"""Lists and counts of reports, with one cached statement for each set of filters in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from lavendertown.core import clock, statuses
from lavendertown.core.findings import SEVERITIES
from lavendertown.records.field_kinds import ColumnType
from lavendertown.records.fields import shared_fields
from lavendertown.records.queries import ReportFacet, ReportQuery
from lavendertown.records.record_classes import Page, ReportRecord, ReportSummary
from lavendertown.stores.sql.schema.tables import (
    findings,
    identities,
    identity_tags,
    report_tags,
    report_texts,
    reports,
)
from lavendertown.stores.sql.statements.column_types import attach_utc
from lavendertown.stores.sql.statements.conditions import (
    STATUS_CODES,
    Conditions,
    WhereClause,
    contains_text,
    in_list,
)

_R, _F, _I = reports.c, findings.c, identities.c
_FIELDS = {each.file_key: each for each in shared_fields(ReportRecord, ReportSummary)}
SUMMARY_COLUMNS = tuple(
    _R[_FIELDS[name].column if name in _FIELDS else name] for name in ReportSummary._fields
)
_FINDINGS_OF_REPORT = sa.select(_F.report_key).where(_F.report_key == _R.key)
"""The findings of a report, for subqueries."""
_SEVERITY_COUNTS = {"error": _R.error_count, "warning": _R.warning_count, "info": _R.info_count}


def page_statement(query: ReportQuery, page: Page) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters of one page of a report query."""
    filters = _where_clause(query)
    values = filters.values
    if page.limit is not None:
        values["limit"] = page.limit
    if page.offset:
        values["offset"] = page.offset
    return _build_page_statement(filters.conditions, page.limit is not None, page.offset > 0), values


def count_statement(query: ReportQuery) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters that count the matching reports."""
    filters = _where_clause(query)
    return _build_count_statement(filters.conditions), filters.values


def report_summaries(connection: sa.Connection, rows: Sequence[Any]) -> list[ReportSummary]:
    """Return the report summaries in rows of ``SUMMARY_COLUMNS``, not converted by column types."""
    backend = connection.dialect.name
    if backend not in _converters_by_backend:
        _converters_by_backend[backend] = list(_column_converters(connection.dialect))
    converters = _converters_by_backend[backend]
    summaries = []
    for row in rows:
        values = list(row)
        for index, convert in converters:
            values[index] = convert(values[index])
        summaries.append(ReportSummary(*values))
    return summaries


_converters_by_backend: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
"""The conversions of the driver's values by backend: the index in a summary, and the converter."""


def _column_converters(dialect: sa.Dialect) -> Iterator[tuple[int, Callable[[Any], Any]]]:
    for index, (name, column) in enumerate(zip(ReportSummary._fields, SUMMARY_COLUMNS, strict=True)):
        if name not in _FIELDS:
            continue
        kind = _FIELDS[name].kind
        if kind.column_type is ColumnType.TIME:
            read_time = _TIME_READERS[dialect.name]
            yield index, (_unless_none(read_time) if kind.optional else read_time)
            continue
        read = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if kind.column_type is ColumnType.JSON_LIST:
            yield index, _tuple_of(read)
        elif read is not None:
            yield index, read


def _unless_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _tuple_of(read: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    return lambda value: tuple(read(value) if read is not None else value) if value else ()


# Lists of reports repeat, and without a cache, half of their time would be spent on converting times.
_cached_time = lru_cache(maxsize=8192)(clock.from_microseconds)
_TIME_READERS: dict[str, Callable[[Any], Any]] = {
    "sqlite": _cached_time,
    "postgresql": clock.to_utc,
    "mariadb": attach_utc,
}


def count_by_facet(connection: sa.Connection, query: ReportQuery, by: ReportFacet) -> Mapping[str, int]:
    """Count the matching reports for each value of a facet."""
    filters = _where_clause(query)
    where, values = filters.conditions.build_conditions(), filters.values
    match by:
        case ReportFacet.AUTHOR | ReportFacet.DATASET:
            column = _R.author if by is ReportFacet.AUTHOR else _R.dataset
            statement = sa.select(column, sa.func.count()).where(*where).group_by(column)
            return dict(connection.execute(statement, values).all())
        case ReportFacet.SEVERITY:
            sums = [sa.func.sum(sa.case((c > 0, 1), else_=0)) for c in _SEVERITY_COUNTS.values()]
            counts = connection.execute(sa.select(*sums).where(*where), values).one()
            # MariaDB returns sums as Decimal.
            return {name: int(n) for name, n in zip(_SEVERITY_COUNTS, counts, strict=True) if n}
        case ReportFacet.STATUS:
            status = (
                sa.select(_I.status, sa.func.count(_F.report_key.distinct()))
                .join_from(findings, identities, _I.key == _F.identity_key)
                .join(reports, _R.key == _F.report_key)
                .where(*where)
                .group_by(_I.status)
            )
            return {statuses.NAMES[code]: n for code, n in connection.execute(status, values)}
        case ReportFacet.TAG:
            return dict(connection.execute(_tag_counts(where), values).all())


def _tag_counts(where: list[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    report_tag_rows = sa.select(report_tags.c.tag, report_tags.c.report_key)
    finding_tag_rows = sa.select(identity_tags.c.tag, _F.report_key).join_from(
        identity_tags, findings, _F.identity_key == identity_tags.c.identity_key
    )
    tag_rows = report_tag_rows.union(finding_tag_rows).subquery()
    return (
        sa.select(tag_rows.c.tag, sa.func.count())
        .join_from(tag_rows, reports, _R.key == tag_rows.c.report_key)
        .where(*where)
        .group_by(tag_rows.c.tag)
    )


def known_tags_statement() -> sa.Select[Any]:
    """Return the statement that lists the tags in use, most used first, then by name."""
    report_tag_rows = (
        sa.select(report_tags.c.tag)
        .join_from(report_tags, reports, _R.key == report_tags.c.report_key)
        .where(_R.deleted_at.is_(None))
    )
    tag_rows = report_tag_rows.union_all(sa.select(identity_tags.c.tag)).subquery()
    return sa.select(tag_rows.c.tag).group_by(tag_rows.c.tag).order_by(sa.func.count().desc(), tag_rows.c.tag)


@lru_cache(maxsize=256)
def _build_page_statement(conditions: Conditions, has_limit: bool, has_offset: bool) -> sa.Select[Any]:
    statement = (
        sa.select(*SUMMARY_COLUMNS)
        .where(*conditions.build_conditions())
        .order_by(_R.created_at.desc(), _R.id.desc())
    )
    if has_limit:
        statement = statement.limit(sa.bindparam("limit", type_=sa.Integer))
    if has_offset:
        # SQLite has no OFFSET without a LIMIT; SQLAlchemy writes LIMIT -1 there.
        statement = statement.offset(sa.bindparam("offset", type_=sa.Integer))
    return statement


@lru_cache(maxsize=256)
def _build_count_statement(conditions: Conditions) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(reports).where(*conditions.build_conditions())


def _where_clause(query: ReportQuery) -> WhereClause:
    filters = WhereClause()
    filters.add_deleted_filter(_R.deleted_at, query.deleted)
    if len(query.author) == 1:
        filters.add_equal(_R.author, "author", query.author[0])
    else:
        filters.add_in_list(_R.author, "author", query.author)
    filters.add_in_list(_R.id, "ids", query.ids)
    filters.add_in_list(_R.dataset, "dataset", query.dataset)
    filters.add_between_times(_R.created_at, query.start_date, query.end_date)
    if query.search:
        filters.add_condition("search", _text_contains, {"search": query.search})
    if query.severity:
        # The severities are constants in the statement, so they are part of the condition's name.
        severities = tuple(severity for severity in SEVERITIES if severity in query.severity)
        filters.add_condition(" ".join(("severity", *severities)), lambda: _has_severity(severities))
    if query.finding_id is not None:
        filters.add_condition("finding_id", _has_finding, {"finding_id": query.finding_id})
    if query.status:
        codes = [STATUS_CODES[status] for status in query.status if status in STATUS_CODES]
        filters.add_condition("status", _has_status, {"status": codes})
    filters.add_for_each_value("tags", query.tags, _has_tag)
    return filters


def _text_contains() -> sa.ColumnElement[bool]:
    text = sa.select(report_texts.c.report_key).where(
        report_texts.c.report_key == _R.key, contains_text(report_texts.c.text, "search")
    )
    return sa.exists(text.correlate(reports))


def _has_severity(severities: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(_SEVERITY_COUNTS[severity] > 0 for severity in severities)) if severities else sa.false()


def _has_finding() -> sa.ColumnElement[bool]:
    identified = _FINDINGS_OF_REPORT.join(identities, _I.key == _F.identity_key)
    return sa.exists(identified.where(_I.fingerprint == sa.bindparam("finding_id")).correlate(reports))


def _has_status() -> sa.ColumnElement[bool]:
    identified = _FINDINGS_OF_REPORT.join(identities, _I.key == _F.identity_key)
    return sa.exists(identified.where(in_list(_I.status, "status")).correlate(reports))


def _has_tag(parameter: str) -> sa.ColumnElement[bool]:
    tag = sa.bindparam(parameter, type_=sa.Text())
    report_tag = sa.select(report_tags.c.tag).where(
        report_tags.c.report_key == _R.key, report_tags.c.tag == tag
    )
    finding_tag = _FINDINGS_OF_REPORT.join(identity_tags, identity_tags.c.identity_key == _F.identity_key)
    return sa.or_(
        sa.exists(report_tag.correlate(reports)),
        sa.exists(finding_tag.where(identity_tags.c.tag == tag).correlate(reports)),
    )
