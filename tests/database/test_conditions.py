"""The one builder of SQL filters: what identifies a statement, and that no second builder comes back."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from lavendertown.collaboration import filters
from lavendertown.core.clock import EPOCH
from lavendertown.records.queries import AnnotationQuery, DeletedFilter, FindingQuery, ReportQuery
from lavendertown.records.record_classes import Page
from lavendertown.stores.sql.reading import report_queries

DATABASE = Path(report_queries.__file__).parent


def statement_of(query: ReportQuery) -> sa.Select[Any]:
    return report_queries.page_statement(query, Page(limit=50))[0]


def sql_of(query: ReportQuery) -> str:
    return str(statement_of(query).compile(dialect=sqlite.dialect()))


def test_a_page_of_reports_is_built_once_for_all_values_of_its_filters() -> None:
    asked = ReportQuery(author=("Ana",), tags=("a", "b"), search="x")
    again = ReportQuery(author=("Ben",), tags=("c", "d"), search="y")
    assert statement_of(asked) is statement_of(again)
    assert report_queries.page_statement(again, Page(limit=50))[1]["author"] == "Ben"


@pytest.mark.parametrize(
    "other",
    [
        ReportQuery(author=("Ana", "Ben")),
        ReportQuery(author=("Ana",), tags=("a",)),
        ReportQuery(author=("Ana",), severity=("error",)),
        ReportQuery(author=("Ana",), severity=("unknown",)),
        ReportQuery(author=("Ana",), deleted=DeletedFilter.ONLY),
        ReportQuery(author=("Ana",), start_date=EPOCH),
        ReportQuery(author=("Ana",), end_date=EPOCH),
    ],
)
def test_other_filters_make_another_statement(other: ReportQuery) -> None:
    assert statement_of(ReportQuery(author=("Ana",))) is not statement_of(other)
    assert sql_of(ReportQuery(author=("Ana",))) != sql_of(other)


def test_every_filter_of_a_report_query_reaches_the_statement() -> None:
    given: dict[str, Any] = {
        "deleted": DeletedFilter.ONLY,
        "start": EPOCH,
        "end": EPOCH,
        "finding_id": "f",
        "search": "x",
    }
    plain = sql_of(ReportQuery())
    for each in fields(ReportQuery):
        query = replace(ReportQuery(), **{each.name: given.get(each.name, ("error",))})
        assert sql_of(query) != plain, each.name


def test_lists_are_filtered_through_the_one_builder() -> None:
    """A list of conditions that a module gathers by itself is a second builder."""
    wrong = [
        path.name for path in DATABASE.glob("*.py") if "list[sa.ColumnElement[bool]] = []" in path.read_text()
    ]
    assert wrong == []


def test_a_filter_has_one_name_from_the_public_method_to_the_query() -> None:
    for query, public in (
        (ReportQuery, filters.ReportFilters),
        (FindingQuery, filters.FindingFilters),
        (AnnotationQuery, filters.AnnotationFilters),
    ):
        names = {each.name for each in fields(query)}
        assert set(public.__annotations__) - {"include_deleted"} <= names
