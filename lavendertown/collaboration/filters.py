"""From the words of a caller to the queries a store understands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from lavendertown import clock, codec
from lavendertown.errors import InvalidInputError
from lavendertown.records.queries import (
    AnnotationQuery,
    By,
    Deleted,
    FindingQuery,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.texts import SEPARATOR
from lavendertown.records.values import Page

Words = str | Sequence[str] | None
"""One value, several, or none."""
When = dt.datetime | dt.date | str | None
"""A time, a whole day, or either as ISO 8601 text."""


class ReportFilters(TypedDict, total=False):
    """The filters of ``query_reports``."""

    author: Words
    start_date: When
    end_date: When
    search: str | None
    tags: Words
    status: Words
    severity: Words
    dataset: Words
    include_deleted: bool


class FindingFilters(TypedDict, total=False):
    """The filters of ``query_findings`` beside the report."""

    finding_id: Words
    author: Words
    dataset: Words
    ghost_type: Words
    column: Words
    severity: Words
    status: Words
    tags: Words
    search: str | None
    start_date: When
    end_date: When
    include_deleted: bool


class AnnotationFilters(TypedDict, total=False):
    """The filters of ``query_annotations`` beside the finding."""

    report_id: str | None
    author: Words
    tags: Words
    status: Words
    search: str | None
    start_date: When
    end_date: When
    include_deleted: bool


def words(value: Words) -> tuple[str, ...]:
    """Return one value, several or none as a tuple; None and an empty text do not filter."""
    if value is None or value == "":
        return ()
    values = (value,) if isinstance(value, str) else tuple(value)
    return tuple(codec.text(each, "A filter's value") for each in values)


def needle(search: str | None) -> str:
    """Return the text to look for as stores compare it.

    Raises:
        InvalidInputError: It has a character that no searchable text has.
    """
    if search and SEPARATOR in search:
        raise InvalidInputError("The text to search for has a control character; remove it.")
    return codec.text(search or "", "The text to search for").casefold()


def first_instant(value: When) -> dt.datetime | None:
    """Return the first instant a bound includes; a bare date is that whole local day."""
    value = _read(value)
    if value is None or isinstance(value, dt.datetime):
        return clock.to_utc(value) if value is not None else None
    return clock.day_start(value)


def last_instant(value: When) -> dt.datetime | None:
    """Return the last instant a bound includes; a bare date is that whole local day."""
    value = _read(value)
    if value is None or isinstance(value, dt.datetime):
        return clock.to_utc(value) if value is not None else None
    return clock.day_end(value)


def page(limit: int | None, offset: int) -> Page:
    """Return the page, refusing negative numbers.

    Raises:
        InvalidInputError: A number is negative.
    """
    if (limit is not None and limit < 0) or offset < 0:
        raise InvalidInputError(f"limit is {limit} and offset {offset}; neither may be negative.")
    return Page(limit, offset)


def report_query(
    author: Words = None,
    start_date: When = None,
    end_date: When = None,
    search: str | None = None,
    tags: Words = None,
    status: Words = None,
    severity: Words = None,
    dataset: Words = None,
    include_deleted: bool = False,
) -> ReportQuery:
    """Return the query behind ``query_reports``."""
    return ReportQuery(
        authors=words(author),
        datasets=words(dataset),
        start=first_instant(start_date),
        end=last_instant(end_date),
        search=needle(search),
        tags=words(tags),
        statuses=words(status),
        severities=words(severity),
        deleted=_deleted(include_deleted),
    )


def without(query: ReportQuery, by: By) -> ReportQuery:
    """Return the query without the filter that a facet shows."""
    match by:
        case By.AUTHOR:
            return replace(query, authors=())
        case By.DATASET:
            return replace(query, datasets=())
        case By.STATUS:
            return replace(query, statuses=())
        case By.SEVERITY:
            return replace(query, severities=())
        case By.TAG:
            return query


def finding_query(
    report_id: str | None = None,
    finding_id: Words = None,
    author: Words = None,
    dataset: Words = None,
    ghost_type: Words = None,
    column: Words = None,
    severity: Words = None,
    status: Words = None,
    tags: Words = None,
    search: str | None = None,
    start_date: When = None,
    end_date: When = None,
    include_deleted: bool = False,
) -> FindingQuery:
    """Return the query behind ``query_findings``."""
    return FindingQuery(
        report_id=report_id,
        finding_ids=words(finding_id),
        authors=words(author),
        datasets=words(dataset),
        ghost_types=words(ghost_type),
        columns=words(column),
        severities=words(severity),
        statuses=words(status),
        tags=words(tags),
        search=needle(search),
        start=first_instant(start_date),
        end=last_instant(end_date),
        deleted=_deleted(include_deleted),
    )


def annotation_query(
    finding_id: Words = None,
    report_id: str | None = None,
    author: Words = None,
    tags: Words = None,
    status: Words = None,
    search: str | None = None,
    start_date: When = None,
    end_date: When = None,
    newest_first: bool = False,
    include_deleted: bool = False,
) -> AnnotationQuery:
    """Return the query behind ``query_annotations``."""
    return AnnotationQuery(
        finding_ids=words(finding_id),
        report_id=report_id,
        authors=words(author),
        tags=words(tags),
        statuses=words(status),
        search=needle(search),
        start=first_instant(start_date),
        end=last_instant(end_date),
        newest_first=newest_first,
        deleted=_deleted(include_deleted),
    )


def ruleset_query(search: str | None, include_deleted: bool) -> RuleSetQuery:
    """Return the query behind ``query_rulesets``."""
    return RuleSetQuery(search=needle(search), deleted=_deleted(include_deleted))


def _deleted(included: bool) -> Deleted:
    return Deleted.INCLUDED if included else Deleted.HIDDEN


def _read(value: When) -> dt.datetime | dt.date | None:
    if not isinstance(value, str):
        return value
    try:
        return dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInputError(
            f"{value!r} is not a date such as 2026-11-21 or a time such as 2026-11-21T09:30:00+00:00."
        ) from None
