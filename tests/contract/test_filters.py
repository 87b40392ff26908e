"""What each filter means: one by one, combined, and in whose zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError
from tests.contract.builders import UTC, annotation, at, finding, ids, refusal, report


def found(storage: Storage, **asked: Any) -> list[str]:
    """Return the ids query_reports lists, having checked that count_reports counts them."""
    listed = ids(storage.query_reports(**asked))
    assert storage.count_reports(**asked) == len(listed)
    return sorted(listed)


@pytest.fixture
def town(storage: Storage) -> Storage:
    """Three reports that differ in everything that can be asked."""
    storage.save_reports(
        [
            report(
                "a",
                [finding("x", severity="error"), finding("y", severity="info")],
                author="Alice",
                title="Weekly check",
                metadata={"dataset": "people", "tags": ["weekly", "crm"]},
            ),
            report(
                "b",
                [finding("x", severity="warning")],
                author="Bob",
                title="100% wrong_path C:\\tmp",
                created_at=at(24),
                metadata={"dataset": "orders"},
            ),
            report(
                "c",
                [],
                author="alice",
                title="Straße İzmir",
                created_at=at(48),
                metadata={"tags": ["weekly"]},
            ),
        ]
    )
    return storage


def test_the_author_is_exact(town: Storage) -> None:
    assert found(town, author="Alice") == ["a"]
    assert found(town, author="alice") == ["c"]
    assert found(town, author="Ali") == []
    assert found(town, author="%") == []


def test_several_values_mean_any_of_them(town: Storage) -> None:
    assert found(town, author=["Alice", "Bob", "Nobody"]) == ["a", "b"]
    assert found(town, dataset=["people", "orders"]) == ["a", "b"]
    assert found(town, severity=["error", "warning"]) == ["a", "b"]
    assert found(town, severity=("info",)) == ["a"]
    assert found(town, status=["open", "fixed"]) == ["a", "b"]


def test_an_empty_filter_does_not_filter(town: Storage) -> None:
    assert found(town, author=None, search="", tags=[], status=(), severity=None, dataset=[]) == [
        "a",
        "b",
        "c",
    ]


def test_tags_mean_all_of_them_on_the_report_or_its_findings(town: Storage) -> None:
    town.save_annotation(
        annotation(
            finding("x", metadata={"check": "nulls", "params": {}, "dataset": "orders"}), tags=["late"]
        )
    )
    town.save_annotation(
        annotation(
            finding("y", metadata={"check": "nulls", "params": {}, "dataset": "people"}), tags=["late"]
        )
    )
    assert found(town, tags="weekly") == ["a", "c"]
    assert found(town, tags=["weekly", "crm"]) == ["a"]
    assert found(town, tags="late") == ["a", "b"]
    assert found(town, tags=["late", "crm"]) == ["a"]
    assert found(town, tags=["late", "missing"]) == []
    assert found(town, tags="Weekly") == []


def test_the_status_is_the_current_one_of_any_finding(town: Storage) -> None:
    x = finding("x", metadata={"check": "nulls", "params": {}, "dataset": "people"})
    town.save_annotation(annotation(x, status="reviewed", timestamp=at(0)))
    town.save_annotation(annotation(x, status="fixed", timestamp=at(1)))
    assert found(town, status="fixed") == ["a"]
    assert found(town, status="reviewed") == []
    assert found(town, status="open") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weekly", ["a"]),
        ("WEEKLY CHECK", ["a"]),
        ("people", ["a"]),
        ("y is EMPTY", ["a"]),
        ("x is empty", ["a", "b"]),
        ("alice", []),
        ("100%", ["b"]),
        ("%", ["b"]),
        ("_", ["b"]),
        ("g_p", ["b"]),
        ("n_g", []),
        ("c:\\TMP", ["b"]),
        ("\\", ["b"]),
        ("STRASSE", ["c"]),
        ("straße", ["c"]),
        ("i\u0307zmir", ["c"]),
        ("'", []),
        ('"; drop table reports', []),
        ("*", []),
        ("[a-z]", []),
    ],
)
def test_search_is_a_literal_text_whatever_its_case(town: Storage, text: str, expected: list[str]) -> None:
    assert found(town, search=text) == expected


def test_search_does_not_join_two_fields(storage: Storage) -> None:
    storage.save_report(
        report(
            "a",
            [finding(description="end"), finding("b", description="start")],
            title="title",
            metadata={"dataset": "data"},
        )
    )
    for text in ("titledata", "title data", "title\ndata", "endstart", "end\nstart", "end start", "dataend"):
        assert found(storage, search=text) == []


def test_search_sees_what_a_report_says_now(town: Storage) -> None:
    town.save_report(report("a", [finding(description="quite new")], title="Other"))
    assert found(town, search="weekly") == []
    assert found(town, search="quite NEW") == ["a"]


def test_filters_combine_as_and(town: Storage) -> None:
    asked: dict[str, Any] = {
        "author": "Alice", "start_date": at(0), "end_date": at(0), "search": "weekly", "tags": ["crm"],
        "status": "open", "severity": "info", "dataset": "people",
    }  # fmt: skip
    assert found(town, **asked) == ["a"]
    for name, other in {
        "author": "Bob", "start_date": at(1), "end_date": at(-1), "search": "monthly", "tags": ["x"],
        "status": "fixed", "severity": "warning", "dataset": "orders",
    }.items():  # fmt: skip
        assert found(town, **(asked | {name: other})) == [], name


# Dates


def test_both_ends_are_inclusive_to_the_microsecond(town: Storage) -> None:
    tick = dt.timedelta(microseconds=1)
    assert found(town, start_date=at(24)) == ["b", "c"]
    assert found(town, start_date=at(24) + tick) == ["c"]
    assert found(town, end_date=at(24)) == ["a", "b"]
    assert found(town, end_date=at(24) - tick) == ["a"]
    assert found(town, start_date=at(24), end_date=at(24)) == ["b"]


def test_a_time_of_another_zone_is_the_same_instant(town: Storage) -> None:
    there = at(24).astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert found(town, start_date=there, end_date=there) == ["b"]


def test_dates_can_be_texts(town: Storage) -> None:
    assert found(town, start_date="2026-03-05", end_date="2026-03-05") == ["b"]
    assert found(town, start_date="2026-03-05T12:00:00.123456+00:00") == ["b", "c"]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "05.03.2026", "2026-3-5"])
def test_a_text_that_is_no_date_is_refused(storage: Storage, text: str) -> None:
    with pytest.raises(InvalidInputError, match="2026-11-21"):
        storage.query_reports(start_date=text)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_a_bare_date_is_the_whole_local_day(
    storage: Storage, local_zone: Callable[[str], None], zone: str
) -> None:
    local_zone(zone)
    tick = dt.timedelta(microseconds=1)
    midnight = dt.datetime(2026, 3, 4)
    for name, moment in {
        "before": midnight - tick, "first": midnight, "last": midnight + dt.timedelta(days=1) - tick,
        "after": midnight + dt.timedelta(days=1),
    }.items():  # fmt: skip
        storage.save_report(report(name, created_at=moment))
    day = dt.date(2026, 3, 4)
    assert found(storage, start_date=day, end_date=day) == ["first", "last"]
    assert found(storage, start_date="2026-03-04", end_date="2026-03-04") == ["first", "last"]
    assert found(storage, end_date=day) == ["before", "first", "last"]
    assert found(storage, start_date=midnight, end_date=midnight) == ["first"]


def test_a_local_day_has_23_hours_when_the_clocks_go_forward(
    storage: Storage, local_zone: Callable[[str], None]
) -> None:
    local_zone("Europe/Berlin")
    storage.save_report(report("last", created_at=dt.datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)))
    storage.save_report(report("next", created_at=dt.datetime(2026, 3, 29, 22, 0, 0, tzinfo=UTC)))
    storage.save_report(report("first", created_at=dt.datetime(2026, 3, 28, 23, 0, 0, tzinfo=UTC)))
    assert found(storage, start_date=dt.date(2026, 3, 29), end_date=dt.date(2026, 3, 29)) == ["first", "last"]


def test_a_time_without_a_zone_in_a_filter_is_local(
    storage: Storage, local_zone: Callable[[str], None]
) -> None:
    local_zone("Asia/Tokyo")
    storage.save_report(report("r", created_at=dt.datetime(2026, 3, 4, 0, 0, tzinfo=UTC)))
    assert found(
        storage, start_date=dt.datetime(2026, 3, 4, 9, 0), end_date=dt.datetime(2026, 3, 4, 9, 0)
    ) == ["r"]


# Odd questions


@pytest.mark.parametrize("odd", ["a\x00b", "\ud800", "x" * 10_000])
@pytest.mark.parametrize("name", ["author", "search", "tags", "status", "severity", "dataset"])
def test_an_odd_question_has_no_answer_or_is_refused(town: Storage, name: str, odd: str) -> None:
    listed: list[str] = []
    refused = refusal(lambda: listed.extend(found(town, **{name: odd})))
    assert listed == []
    assert "\n" not in (refused or "")


def test_many_values_are_one_question(town: Storage) -> None:
    many = [f"nobody {number}" for number in range(2_000)] + ["Bob"]
    assert found(town, author=many) == ["b"]


# Findings and annotations


def columns(storage: Storage, **asked: Any) -> list[str]:
    rows = storage.query_findings(**asked)
    assert storage.findings.count(**asked) == len(rows)
    return [f"{row['report_id']}.{row['column']}" for row in rows]


def test_findings_come_newest_report_first_then_in_their_order(town: Storage) -> None:
    assert columns(town) == ["b.x", "a.x", "a.y"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"report_id": "a"}, ["a.x", "a.y"]),
        ({"report_id": "nobody"}, []),
        ({"author": "Bob"}, ["b.x"]),
        ({"dataset": "people"}, ["a.x", "a.y"]),
        ({"ghost_type": "null"}, ["b.x", "a.x", "a.y"]),
        ({"ghost_type": "outlier"}, []),
        ({"column": ["y"]}, ["a.y"]),
        ({"severity": ["error", "warning"]}, ["b.x", "a.x"]),
        ({"status": "open"}, ["b.x", "a.x", "a.y"]),
        ({"search": "Y IS"}, ["a.y"]),
        ({"search": "ORDERS"}, ["b.x"]),
        ({"search": "weekly"}, []),
        ({"start_date": at(1)}, ["b.x"]),
        ({"end_date": at(0)}, ["a.x", "a.y"]),
        ({"report_id": "a", "severity": "info", "search": "empty"}, ["a.y"]),
    ],
)
def test_findings_are_filtered(town: Storage, asked: dict[str, Any], expected: list[str]) -> None:
    assert columns(town, **asked) == expected


def test_a_findings_tags_are_all_of_them_and_its_own(town: Storage) -> None:
    x = finding("x", metadata={"check": "nulls", "params": {}, "dataset": "people"})
    town.save_annotation(annotation(x, tags=["late"]))
    town.save_annotation(annotation(x, tags=["crm"]))
    assert columns(town, tags=["late", "crm"]) == ["a.x"]
    assert columns(town, tags=["late", "weekly"]) == []


def test_a_listed_finding_says_everything_but_its_rows(town: Storage) -> None:
    (row,) = town.query_findings(report_id="b")
    assert row == {
        "finding_id": row["finding_id"], "report_id": "b", "position": 0, "dataset": "orders",
        "ghost_type": "null", "column": "x", "severity": "warning", "row_count": 2, "share": 0.5,
        "description": "x is empty in 2 of 4 rows",
        "metadata": {"check": "nulls", "params": {}, "count": 2, "share": 0.5, "dataset": "orders"},
        "seen_at": at(24), "status": "open", "tags": [], "comment_count": 0,
        "first_seen": at(24), "last_seen": at(24), "times_seen": 1,
    }  # fmt: skip


def test_annotations_are_filtered(storage: Storage) -> None:
    storage.save_report(report("r1", [finding("x")], annotations=[annotation("free", id="carried")]))
    storage.save_annotation(
        annotation(finding("x"), id="a1", author="Ann", comment="50% OFF", tags=["p", "q"], timestamp=at(1))
    )
    storage.save_annotation(annotation(finding("x"), id="a2", author="ben", status="fixed", timestamp=at(2)))
    storage.save_annotation(annotation("other", id="a3", tags=["q"], timestamp=at(3)))
    for asked, expected in [
        ({}, ["a3", "a2", "a1", "carried"]),
        ({"newest_first": False}, ["carried", "a1", "a2", "a3"]),
        ({"finding_id": "other"}, ["a3"]),
        ({"finding_id": ["other", "free"]}, ["a3", "carried"]),
        ({"report_id": "r1"}, ["a2", "a1", "carried"]),
        ({"author": ["Ann", "ben"]}, ["a2", "a1"]),
        ({"tags": "q"}, ["a3", "a1"]),
        ({"tags": ["q", "p"]}, ["a1"]),
        ({"status": "fixed"}, ["a2"]),
        ({"search": "50% off"}, ["a1"]),
        ({"search": "_"}, []),
        ({"start_date": at(2)}, ["a3", "a2"]),
        ({"end_date": at(1)}, ["a1", "carried"]),
        ({"limit": 2, "offset": 1}, ["a2", "a1"]),
        ({"report_id": "nobody"}, []),
    ]:  # fmt: skip
        assert ids(storage.query_annotations(**asked)) == expected, asked


def test_a_listed_annotation_says_everything(storage: Storage) -> None:
    storage.save_report(report("r1", annotations=[annotation("free", id="a1", tags=["t"], status="fixed")]))
    (row,) = storage.query_annotations()
    assert set(row) == {
        "id", "finding_id", "author", "timestamp", "comment", "tags", "status", "report_id", "updated_at",
        "version", "deleted_at",
    }  # fmt: skip
    assert (row["id"], row["finding_id"], row["report_id"], row["tags"]) == ("a1", "free", "r1", ["t"])
    assert (row["timestamp"], row["version"], row["deleted_at"]) == (at(0), 1, None)
