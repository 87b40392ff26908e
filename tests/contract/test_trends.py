"""Figures over time, and the very findings that each of them counts, on every store."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lavendertown.collaboration.chart_selection import ChartSelection, Measure
from lavendertown.collaboration.parts.trends import find_open_periods
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.statuses import CLOSED_NAMES as CLOSED
from lavendertown.core.statuses import NAMES as STATUSES
from lavendertown.errors import InvalidInputError
from lavendertown.records.identities import StatusChange
from tests.contract.builders import annotation, at, finding, report

DAY = 24
EDGES = [at(day * DAY) for day in (-1, 1, 2, 3, 4)]


def save_run(storage: Storage, hour: float, *columns: str, dataset: str = "orders", **changes: Any) -> None:
    found = [finding(name, metadata={"check": "nulls", "params": {}}, **changes) for name in columns]
    storage.save_report(
        report(f"{dataset} {hour}", found, created_at=at(hour), metadata={"dataset": dataset})
    )


def decide(storage: Storage, column: str, hour: float, status: str, author: str = "Ana") -> None:
    name = get_finding_id(finding(column), "orders")
    note = annotation(name, status=status, timestamp=at(hour), author=author)
    storage.save_annotation(note)


def columns(storage: Storage, what: Measure, end: dt.datetime, which: str = "", **more: Any) -> set[str]:
    """The columns of the findings that the desk lists for a figure."""
    counted = str(ChartSelection(what, more.pop("start", end), end, which))
    rows = storage.inbox.query(counted=counted, **more)
    assert storage.inbox.count(counted=counted, **more) == len(rows)
    return {row["column"] for row in rows}


def test_each_step_tells_what_the_latest_run_of_each_dataset_found(storage: Storage) -> None:
    save_run(storage, 0, "a", "b", severity="error")
    save_run(storage, 5, "a", severity="error")
    save_run(storage, 2 * DAY + 1, "a", "b", "c", severity="warning")
    save_run(storage, DAY, "x", dataset="people", severity="info")
    trend = storage.trends.count_severities(EDGES)
    told = [(row["dataset"], row["at"], row["error"], row["warning"], row["info"]) for row in trend]
    assert told == [
        ("orders", EDGES[1], 1, 0, 0),
        ("orders", EDGES[2], 1, 0, 0),
        ("orders", EDGES[3], 0, 3, 0),
        ("orders", EDGES[4], 0, 3, 0),
        # A step ends before its edge.
        ("people", EDGES[2], 0, 0, 1),
        ("people", EDGES[3], 0, 0, 1),
        ("people", EDGES[4], 0, 0, 1),
    ]
    assert {row["dataset"] for row in storage.trends.count_severities(EDGES, "people")} == {"people"}
    assert columns(storage, "seen", EDGES[1]) == {"a"}
    assert columns(storage, "seen", EDGES[3]) == {"a", "b", "c", "x"}
    assert columns(storage, "seen", EDGES[3], "warning", dataset="orders") == {"a", "b", "c"}
    assert columns(storage, "seen", EDGES[3], "error") == set()
    assert columns(storage, "found", EDGES[3], trend[0]["author"]) == {"a", "b", "c", "x"}
    assert columns(storage, "found", EDGES[3], "Nobody") == set()


def test_a_run_before_the_first_step_counts_until_the_next(storage: Storage) -> None:
    save_run(storage, -10 * DAY, "a", severity="error")
    (first, *_) = storage.trends.count_severities(EDGES)
    assert (first["at"], first["error"], first["created_at"]) == (EDGES[1], 1, at(-10 * DAY))
    assert columns(storage, "seen", EDGES[1]) == {"a"}


def test_a_deleted_run_counts_nowhere(storage: Storage) -> None:
    save_run(storage, 0, "a")
    storage.delete_report("orders 0")
    assert storage.trends.count_severities(EDGES) == []
    assert [row["open"] for row in storage.trends.count_statuses(EDGES)] == [0, 0, 0, 0]


def test_open_and_closed_are_told_as_they_were(storage: Storage) -> None:
    save_run(storage, 0, "a", "b", "c")
    decide(storage, "a", DAY + 1, "accepted")
    decide(storage, "b", DAY + 1, "reviewed")
    decide(storage, "c", 3 * DAY + 1, "fixed")
    trend = [(row["open"], row["closed"]) for row in storage.trends.count_statuses(EDGES)]
    assert trend == [(3, 0), (2, 1), (2, 1), (1, 2)]
    assert columns(storage, "open", EDGES[2]) == {"b", "c"}
    assert columns(storage, "closed", EDGES[2]) == {"a"}
    assert columns(storage, "closed", EDGES[4]) == {"a", "c"}
    assert storage.trends.count_statuses(EDGES, "people")[-1]["open"] == 0


def test_a_fixed_finding_is_open_again_from_the_run_that_has_it(storage: Storage) -> None:
    save_run(storage, 0, "a")
    decide(storage, "a", DAY + 1, "fixed")
    save_run(storage, 2 * DAY + 1, "a")
    decide(storage, "a", 3 * DAY + 1, "fixed", author="Ben")
    assert [row["open"] for row in storage.trends.count_statuses(EDGES)] == [1, 0, 1, 0]
    told = [
        (row["author"], row["at"], row["opened_at"]) for row in storage.trends.list_closed(at(0), at(9 * DAY))
    ]
    assert told == [("Ana", at(DAY + 1), at(0)), ("Ben", at(3 * DAY + 1), at(2 * DAY + 1))]


def test_closings_are_told_with_who_and_how_long(storage: Storage) -> None:
    save_run(storage, 0, "a", "b")
    decide(storage, "a", 6, "fixed", author="Ben")
    decide(storage, "b", DAY, "false_positive")
    decide(storage, "b", DAY + 1, "accepted")  # closed already
    first, second = storage.trends.list_closed(at(0), at(DAY + 5))
    assert (first["author"], first["status"], first["seconds"]) == ("Ben", "fixed", 6 * 3600)
    assert (second["author"], second["status"]) == ("Ana", "false_positive")
    assert storage.trends.list_closed(at(0), at(6)) == []
    assert columns(storage, "closing", at(DAY + 5), start=at(0)) == {"a", "b"}
    assert columns(storage, "closing", at(DAY + 5), "Ben", start=at(0)) == {"a"}
    assert columns(storage, "closing", at(DAY + 5), start=at(7)) == {"b"}


def test_a_deleted_decision_never_was(storage: Storage) -> None:
    save_run(storage, 0, "a")
    decide(storage, "a", 1, "accepted")
    (note,) = storage.query_annotations()
    storage.delete_annotation(note["id"])
    assert storage.trends.count_statuses(EDGES)[-1] == {"at": EDGES[-1], "open": 1, "closed": 0}


def test_decisions_on_a_merged_finding_are_its_own(storage: Storage) -> None:
    save_run(storage, 0, "a", "b")
    decide(storage, "b", 1, "accepted")
    storage.triage.merge_findings(
        get_finding_id(finding("b"), "orders"), get_finding_id(finding("a"), "orders"), actor="x"
    )
    assert storage.trends.count_statuses(EDGES)[0] == {"at": EDGES[1], "open": 0, "closed": 1}
    assert columns(storage, "seen", EDGES[1]) == {"a"}


def test_filters_narrow_what_a_figure_counts(storage: Storage) -> None:
    save_run(storage, 0, "a", "b")
    decide(storage, "a", 1, "reviewed")
    assert columns(storage, "open", EDGES[1], status="reviewed") == {"a"}
    facets = storage.inbox.count_by_value(counted=str(ChartSelection("open", EDGES[1], EDGES[1])))
    assert facets["status"] == {"open": 1, "reviewed": 1}


@pytest.mark.parametrize("text", ["seen", "seen~x~y~", "all~20260301T000000Z~20260301T000000Z~", "~~~"])
def test_a_figure_that_no_chart_has_is_refused(storage: Storage, text: str) -> None:
    with pytest.raises(InvalidInputError, match="does not name what a chart counts"):
        storage.inbox.query(counted=text)


@pytest.mark.parametrize("edges", [[], EDGES[:1], [EDGES[1], EDGES[0]], [EDGES[0], EDGES[0]]])
def test_edges_that_bound_nothing_are_refused(storage: Storage, edges: list[dt.datetime]) -> None:
    for ask in (storage.trends.count_severities, storage.trends.count_statuses):
        with pytest.raises(InvalidInputError, match="edges of the steps"):
            ask(edges)


def test_a_figure_survives_an_address() -> None:
    zone = dt.timezone(dt.timedelta(hours=9, minutes=30))
    for which in ("", "error", "Ana ~ Ben"):
        counted = ChartSelection("closing", EDGES[0].astimezone(zone), EDGES[1], which)
        assert ChartSelection.parse(str(counted)) == counted


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    decided=st.lists(
        st.tuples(st.sampled_from(STATUSES), st.integers(1, 60), st.none() | st.integers(1, 70)), max_size=6
    ),
    asked=st.integers(0, 80),
)
def test_a_finding_is_open_or_closed_as_its_last_turn_says(
    decided: list[tuple[str, int, int | None]], asked: int
) -> None:
    """Told once more, step by step: what was last decided before a moment, and whether it was back."""
    turns = []
    for status, hour, later in sorted(decided, key=lambda each: each[1]):
        back = at(hour + later) if status == "fixed" and later is not None else None
        turns.append(StatusChange("f", at(hour), status, "Ana", back))
    before = [turn for turn in turns if turn.changed_at < at(asked)]
    is_open = asked > 0
    if before:
        last = before[-1]
        is_open = last.status not in CLOSED or (
            last.regressed_at is not None and last.regressed_at < at(asked)
        )
    found = find_open_periods({"f": at(0)}, turns)
    assert any(spell.is_open_before(at(asked)) for spell in found) == is_open
    assert sum(spell.is_open_before(at(asked)) for spell in found) <= 1
