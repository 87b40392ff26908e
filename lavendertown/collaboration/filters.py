"""Build store queries from the filter arguments of the public methods."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.records.queries import (
    AnnotationQuery,
    DeletedFilter,
    FindingQuery,
    ReportFacet,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import Page
from lavendertown.records.search_text import SEPARATOR, fold_text

OneOrMany = str | Sequence[str] | None
"""One value, several, or none."""
DateLike = dt.datetime | dt.date | str | None
"""A time, a whole day, or either as ISO 8601 text."""


_MAX_NUMBER = 10**12
"""Upper bound for limits and offsets: above any number of records, below the limit of every backend."""


class ReportFilters(TypedDict, total=False):
    """The filters of ``query_reports``."""

    author: OneOrMany
    start_date: DateLike
    end_date: DateLike
    search: str | None
    tags: OneOrMany
    status: OneOrMany
    severity: OneOrMany
    dataset: OneOrMany
    include_deleted: bool


class FindingFilters(TypedDict, total=False):
    """The filters of ``query_findings``, without the report."""

    finding_id: OneOrMany
    author: OneOrMany
    dataset: OneOrMany
    ghost_type: OneOrMany
    column: OneOrMany
    severity: OneOrMany
    status: OneOrMany
    tags: OneOrMany
    search: str | None
    start_date: DateLike
    end_date: DateLike
    include_deleted: bool


class AnnotationFilters(TypedDict, total=False):
    """The filters of ``query_annotations``, without the finding."""

    report_id: str | None
    author: OneOrMany
    tags: OneOrMany
    status: OneOrMany
    search: str | None
    start_date: DateLike
    end_date: DateLike
    include_deleted: bool


def as_tuple(value: OneOrMany) -> tuple[str, ...]:
    """Return one value, several or none as a tuple; None and an empty string mean no filter."""
    if value is None or value == "":
        return ()
    values = (value,) if isinstance(value, str) else tuple(value)
    return tuple(json_codec.require_storable_text(each, "A filter's value") for each in values)


def fold_search(search: str | None) -> str:
    """Return a search text, folded as stores compare it.

    Raises:
        InvalidInputError: It contains a control character or cannot be stored.
    """
    if search and SEPARATOR in search:
        raise InvalidInputError("The text to search for has a control character; remove it.")
    return fold_text(json_codec.require_storable_text(search or "", "The text to search for"))


def first_instant(value: DateLike) -> dt.datetime | None:
    """Return the first instant that a bound includes; for a bare date, the start of the local day."""
    return _resolve_bound(value, clock.day_start)


def last_instant(value: DateLike) -> dt.datetime | None:
    """Return the last instant that a bound includes; for a bare date, the end of the local day."""
    return _resolve_bound(value, clock.day_end)


def require_whole_number(value: Any, name: str) -> int:
    """Return a value as an int.

    Raises:
        InvalidInputError: It is not a whole number.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise InvalidInputError(f"{name} is {value!r}; it must be a whole number.") from None


def make_page(limit: int | None, offset: int) -> Page:
    """Return the page for a limit and an offset.

    Raises:
        InvalidInputError: A number is negative or not whole.
    """
    limit = None if limit is None else require_whole_number(limit, "limit")
    offset = require_whole_number(offset, "offset")
    if (limit is not None and limit < 0) or offset < 0:
        raise InvalidInputError(f"limit is {limit} and offset {offset}; neither may be negative.")
    return Page(None if limit is None else min(limit, _MAX_NUMBER), min(offset, _MAX_NUMBER))


def build_report_query(
    author: OneOrMany = None,
    start_date: DateLike = None,
    end_date: DateLike = None,
    search: str | None = None,
    tags: OneOrMany = None,
    status: OneOrMany = None,
    severity: OneOrMany = None,
    dataset: OneOrMany = None,
    include_deleted: bool = False,
) -> ReportQuery:
    """Return the query behind ``query_reports``."""
    return ReportQuery(
        author=as_tuple(author),
        dataset=as_tuple(dataset),
        start_date=first_instant(start_date),
        end_date=last_instant(end_date),
        search=fold_search(search),
        tags=as_tuple(tags),
        status=as_tuple(status),
        severity=as_tuple(severity),
        deleted=_deleted_filter(include_deleted),
    )


def without_facet(query: ReportQuery, by: ReportFacet) -> ReportQuery:
    """Return the query without the filter of a facet."""
    match by:
        case ReportFacet.AUTHOR:
            return replace(query, author=())
        case ReportFacet.DATASET:
            return replace(query, dataset=())
        case ReportFacet.STATUS:
            return replace(query, status=())
        case ReportFacet.SEVERITY:
            return replace(query, severity=())
        case ReportFacet.TAG:
            return query


def build_finding_query(
    report_id: str | None = None,
    finding_id: OneOrMany = None,
    author: OneOrMany = None,
    dataset: OneOrMany = None,
    ghost_type: OneOrMany = None,
    column: OneOrMany = None,
    severity: OneOrMany = None,
    status: OneOrMany = None,
    tags: OneOrMany = None,
    search: str | None = None,
    start_date: DateLike = None,
    end_date: DateLike = None,
    include_deleted: bool = False,
) -> FindingQuery:
    """Return the query behind ``query_findings``."""
    return FindingQuery(
        report_id=_check_report_id(report_id),
        finding_id=as_tuple(finding_id),
        author=as_tuple(author),
        dataset=as_tuple(dataset),
        ghost_type=as_tuple(ghost_type),
        column=as_tuple(column),
        severity=as_tuple(severity),
        status=as_tuple(status),
        tags=as_tuple(tags),
        search=fold_search(search),
        start_date=first_instant(start_date),
        end_date=last_instant(end_date),
        deleted=_deleted_filter(include_deleted),
    )


def build_annotation_query(
    finding_id: OneOrMany = None,
    report_id: str | None = None,
    author: OneOrMany = None,
    tags: OneOrMany = None,
    status: OneOrMany = None,
    search: str | None = None,
    start_date: DateLike = None,
    end_date: DateLike = None,
    newest_first: bool = False,
    include_deleted: bool = False,
) -> AnnotationQuery:
    """Return the query behind ``query_annotations``."""
    return AnnotationQuery(
        finding_id=as_tuple(finding_id),
        report_id=_check_report_id(report_id),
        author=as_tuple(author),
        tags=as_tuple(tags),
        status=as_tuple(status),
        search=fold_search(search),
        start_date=first_instant(start_date),
        end_date=last_instant(end_date),
        newest_first=newest_first,
        deleted=_deleted_filter(include_deleted),
    )


def build_ruleset_query(search: str | None, include_deleted: bool) -> RuleSetQuery:
    """Return the query behind ``query_rulesets``."""
    return RuleSetQuery(search=fold_search(search), deleted=_deleted_filter(include_deleted))


def _check_report_id(report_id: str | None) -> str | None:
    if report_id is not None:
        json_codec.require_storable_text(report_id, "The report id")
    return report_id


def _deleted_filter(included: bool) -> DeletedFilter:
    return DeletedFilter.INCLUDED if included else DeletedFilter.HIDDEN


def _resolve_bound(value: DateLike, of_day: Callable[[dt.date], dt.datetime]) -> dt.datetime | None:
    moment = _parse_date(value)
    if moment is None:
        return None
    if not isinstance(moment, dt.datetime):
        return of_day(moment)
    if type(moment) is not dt.datetime:
        # A pandas Timestamp has nanoseconds, which no store can compare.
        day, time = dt.date(moment.year, moment.month, moment.day), moment.time()
        moment = dt.datetime.combine(day, time.replace(fold=moment.fold), moment.tzinfo)
    return clock.to_utc_bound(moment)


def _parse_date(value: DateLike) -> dt.datetime | dt.date | None:
    # NaT is an instance of datetime but unequal to itself.
    if value is None or (isinstance(value, dt.date) and value == value):
        return value
    try:
        if isinstance(value, str):
            return dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
    except ValueError:
        pass
    raise InvalidInputError(
        f"{value!r} is not a date such as 2026-11-21 or a time such as 2026-11-21T09:30:00+00:00."
    )
