"""Dates and numbers at the ends of their range: an answer or one sentence, the same on every backend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.errors import InvalidInputError
from lavendertown.rules.models import RuleSet
from tests.contract.builders import annotation, at, refusal, report, sentence

EAST, WEST = (dt.timezone(dt.timedelta(hours=hours)) for hours in (14, -12))
FIRST_MOMENTS: list[Any] = [
    "0001-01-01",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    dt.date.min,
    dt.datetime.min,
    dt.datetime.min.replace(tzinfo=EAST),
    dt.datetime.min.replace(tzinfo=WEST),
    pd.Timestamp.min,
]
LAST_MOMENTS: list[Any] = [
    "9999-12-31",
    "9999-12-31T23:59:59.999999",
    "9999-12-31T23:59:59-12:00",
    dt.date.max,
    dt.datetime.max,
    dt.datetime.max.replace(tzinfo=EAST),
    dt.datetime.max.replace(tzinfo=WEST),
    pd.Timestamp.max,
]
LISTS: dict[str, tuple[str, str]] = {
    "query_reports": ("start_date", "end_date"),
    "query_findings": ("start_date", "end_date"),
    "query_annotations": ("start_date", "end_date"),
    "inbox.query": ("start_date", "end_date"),
    "audit_log": ("since", "until"),
}
PAGED = [*LISTS, "query_rulesets"]
COUNTS = [
    "count_reports",
    "findings.count",
    "inbox.count",
    "reports.count_by_value",
    "inbox.count_by_value",
    "inbox.query_ids",
]


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
def town(request: pytest.FixtureRequest, storage: Storage, local_zone: Callable[[str], None]) -> Storage:
    """Two reports and a comment, seen from a time zone far from UTC."""
    local_zone(request.param)
    storage.save_reports([report("a"), report("b", created_at=at(24))])
    storage.save_annotation(annotation())
    return storage


@pytest.mark.parametrize("name", LISTS)
def test_bounds_at_the_ends_of_time_leave_nothing_out_or_everything(town: Storage, name: str) -> None:
    query, (start, end) = attrgetter(name)(town), LISTS[name]
    everything = query()
    assert everything
    for moment in FIRST_MOMENTS:
        assert query(**{start: moment}) == everything, moment
        assert query(**{end: moment}) == [], moment
    for moment in LAST_MOMENTS:
        assert query(**{end: moment}) == everything, moment
        assert query(**{start: moment}) == [], moment


@pytest.mark.parametrize("name", COUNTS)
def test_counts_take_the_same_bounds(town: Storage, name: str) -> None:
    count = attrgetter(name)(town)
    for first, last in zip(FIRST_MOMENTS, LAST_MOMENTS, strict=True):
        assert count(start_date=first, end_date=last) == count()
        assert count(end_date=first) == count(start_date=last)


@pytest.mark.parametrize(
    "moment",
    ["0000-01-01", "10000-01-01", "2026-02-30", "now", "", "nan", pd.NaT, 5, float("nan"), dt.time()],
)
def test_what_is_no_date_is_one_sentence_everywhere(storage: Storage, moment: Any) -> None:
    for name, bounds in LISTS.items():
        for bound in bounds:
            with pytest.raises(InvalidInputError, match="is not a date such as") as refused:
                attrgetter(name)(storage)(**{bound: moment})
            sentence(refused)


@pytest.mark.parametrize("name", PAGED)
def test_a_huge_page_is_the_rest_and_a_page_far_out_is_empty(storage: Storage, name: str) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation())
    storage.save_ruleset(RuleSet("nightly", "Every night"))
    query = attrgetter(name)(storage)
    everything = query(limit=None)
    assert everything
    for huge in (2**31, 2**63 - 1, 2**63, 10**30, np.int64(2**62)):
        assert query(limit=huge) == everything
        assert query(limit=huge, offset=huge) == []
        assert query(limit=None, offset=huge) == []
        assert query(limit=1, offset=huge) == []
    assert query(limit=0) == []


@pytest.mark.parametrize("number", [-1, -(2**63), -(10**30), 1.5, float("nan"), float("inf"), "10"])
def test_what_is_no_size_of_a_page_is_one_sentence_everywhere(storage: Storage, number: Any) -> None:
    for name in PAGED:
        for argument in ("limit", "offset"):
            with pytest.raises(InvalidInputError) as refused:
                attrgetter(name)(storage)(**{argument: number})
            assert argument in sentence(refused)
            assert str(number) in sentence(refused)


def test_rows_of_a_finding_take_any_page(storage: Storage) -> None:
    storage.save_report(report("a"))
    assert storage.findings.load_rows("a", 0, limit=10**30) == [0, 3]
    assert storage.findings.load_rows("a", 0, limit=None, offset=1) == [3]
    assert storage.findings.load_rows("a", 0, offset=2**63) == []
    for position in (-1, 1, 2**31, 2**63, 10**30):
        assert storage.findings.load_rows("a", position) == []
    assert refusal(lambda: storage.findings.load_rows("a", 0, limit=-1)) is not None


@pytest.mark.parametrize("what", ["seen", "found", "open", "closed", "closing"])
def test_a_figure_at_the_ends_of_time_counts(storage: Storage, what: Any) -> None:
    storage.save_report(report(metadata={"dataset": "orders"}))
    for moment in (clock.EARLIEST, clock.LATEST):
        counted = str(ChartSelection(what, moment, moment))
        assert storage.inbox.count(counted=counted) == len(storage.inbox.query(counted=counted))
    beyond = f"{what}~00010101T000000+1400~99991231T235959-1200~"
    with pytest.raises(InvalidInputError, match="does not name what a chart counts"):
        storage.inbox.count(counted=beyond)


def test_trends_over_all_time_have_figures(storage: Storage) -> None:
    storage.save_report(report(metadata={"dataset": "orders"}))
    edges = [dt.datetime.min, dt.datetime.max]
    assert [row["report_id"] for row in storage.trends.count_severities(edges)] == ["r1"]
    assert [row["open"] for row in storage.trends.count_statuses(edges)] == [1]
    assert storage.trends.list_closed(*edges) == []
