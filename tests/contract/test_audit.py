"""Every change leaves one event: who, what, when, before and after."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.errors import InvalidInputError
from lavendertown.records.record_classes import Record, RecordKind
from lavendertown.records.store import UnitOfWork
from lavendertown.rules.models import RuleSet
from tests.contract.builders import annotation, finding, report
from tests.contract.store_locations import StoreLocation


def told(storage: Storage, **asked: Any) -> list[str]:
    return [
        f"{e['actor']} {e['operation']} {e['component']} {e['record_id']}" for e in storage.audit_log(**asked)
    ]


@pytest.fixture
def history(storage: Storage) -> Storage:
    storage.save_report(report("r1", annotations=[annotation(id="a1", author="bob")], author="alice"))
    storage.save_report(report("r1", title="Renamed"), actor="carol")
    storage.save_ruleset(RuleSet("s", ""), actor="dave")
    storage.delete_report("r1", actor="erin")
    storage.restore_report("r1", actor="frank")
    storage.delete_annotation("a1")
    return storage


EVERYTHING = [
    "internal delete annotation a1",
    "frank restore report r1",
    "erin delete report r1",
    "dave create ruleset s",
    "carol update report r1",
    "bob create annotation a1",
    "alice create report r1",
]


def test_one_event_a_change_newest_first(history: Storage) -> None:
    assert told(history) == EVERYTHING


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"component": "report"}, [1, 2, 4, 6]),
        ({"component": ["annotation", "ruleset"]}, [0, 3, 5]),
        ({"record_id": "r1"}, [1, 2, 4, 6]),
        ({"actor": "carol"}, [4]),
        ({"actor": ["bob", "erin"]}, [2, 5]),
        ({"operation": "delete"}, [0, 2]),
        ({"operation": ["create", "restore"], "component": "report"}, [1, 6]),
        ({"limit": 2}, [0, 1]),
        ({"limit": 2, "offset": 5}, [5, 6]),
        ({"limit": None}, [0, 1, 2, 3, 4, 5, 6]),
        ({"record_id": "nobody"}, []),
    ],
    ids=str,
)
def test_events_are_filtered_and_paged(history: Storage, asked: dict[str, Any], kept: list[int]) -> None:
    assert told(history, **asked) == [EVERYTHING[position] for position in kept]


def test_an_event_keeps_before_and_after_without_bodies(history: Storage) -> None:
    create, update = history.audit_log(record_id="r1", operation=["create", "update"])[::-1]
    assert create["before"] is None
    assert create["after"]["title"] == "Week 12"
    assert (update["before"]["title"], update["after"]["title"]) == ("Week 12", "Renamed")
    assert (update["before"]["version"], update["after"]["version"]) == (1, 2)
    for event in (create, update):
        assert "is empty in 2 of 4 rows" not in str(event)
        assert event["after"]["finding_count"] == 1


def test_deleting_and_restoring_keep_the_counts(history: Storage) -> None:
    for event in history.audit_log(record_id="r1", operation=["delete", "restore"]):
        assert event["after"]["finding_count"] == event["before"]["finding_count"] == 1
        assert (event["after"]["deleted_at"] is None) == (event["operation"] == "restore")


def test_an_event_knows_its_moment_to_the_microsecond(storage: Storage) -> None:
    before = clock.now()
    storage.save_report(report("r1"))
    after = clock.now()
    (event,) = storage.audit_log()
    assert before <= event["at"] <= after
    assert event["at"].tzinfo is dt.UTC
    assert set(event) == {"at", "actor", "component", "record_id", "operation", "before", "after"}


def test_since_and_until_are_inclusive(history: Storage) -> None:
    moments = [event["at"] for event in history.audit_log()]
    for position, moment in enumerate(moments):
        assert all(m >= moment for m in (e["at"] for e in history.audit_log(since=moment)))
        assert EVERYTHING[position] in told(history, since=moment, until=moment)
    tick = dt.timedelta(microseconds=1)
    assert told(history, since=moments[0] + tick) == []
    assert told(history, until=moments[-1] - tick) == []
    assert told(history, since=moments[0].date(), until=dt.date(9999, 1, 1)) == EVERYTHING


def test_events_of_one_unit_keep_an_order_that_pages_can_rely_on(storage: Storage) -> None:
    storage.save_reports([report(f"r{n}", []) for n in range(20)])
    whole = told(storage, limit=None)
    assert [line for start in range(0, 20, 3) for line in told(storage, limit=3, offset=start)] == whole
    assert len(set(whole)) == 20


def test_a_refused_change_leaves_no_event(storage: Storage) -> None:
    with pytest.raises(InvalidInputError):
        storage.save_report(report("../x"))
    storage.delete_report("nobody")
    assert storage.audit_log() == []


@pytest.mark.parametrize("actor", ["a\x00b", "\ud800", "x" * 5_000])
def test_an_actor_that_cannot_be_kept_is_refused_in_one_sentence(storage: Storage, actor: str) -> None:
    storage.save_report(report("r1"))
    attempts = [
        lambda: storage.save_report(report("r2"), actor=actor),
        lambda: storage.delete_report("r1", actor=actor),
        lambda: storage.save_ruleset(RuleSet("s", ""), actor=actor),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidInputError) as refused:
            attempt()
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 250
    assert len(storage.audit_log()) == 1


def test_reading_leaves_no_event(history: Storage) -> None:
    history.load_report("r1")
    history.query_reports()
    history.check()
    assert told(history) == EVERYTHING


def test_annotations_tell_their_status_and_tags(storage: Storage) -> None:
    storage.save_annotation(annotation("f1", id="a1", status="reviewed", tags=["x"]))
    storage.save_annotation(annotation("f1", id="a1", status="fixed"), actor="carol")
    (event,) = storage.audit_log(operation="update")
    assert (event["before"]["status"], event["before"]["tags"], event["after"]["status"]) == (
        "reviewed",
        ["x"],
        "fixed",
    )


# The revision


def test_the_revision_moves_with_every_change_and_only_then(storage: Storage) -> None:
    seen = [storage.revision()]
    changes = [
        lambda: storage.save_report(report("r1")),
        lambda: storage.save_report(report("r1")),
        lambda: storage.save_annotation(annotation(id="a1")),
        lambda: storage.save_ruleset(RuleSet("s", "")),
        lambda: storage.delete_annotation("a1"),
        lambda: storage.restore_annotation("a1"),
        lambda: storage.delete_report("r1"),
        lambda: storage.restore_report("r1"),
        lambda: storage.rulesets.delete("s"),
    ]
    for change in changes:
        change()
        storage.query_reports(), storage.load_report("r1"), storage.audit_log(), storage.check()
        assert storage.revision() == storage.revision()
        seen.append(storage.revision())
    assert len(set(seen)) == len(seen)


def test_a_change_that_changes_nothing_does_not_move_the_revision(storage: Storage) -> None:
    storage.save_report(report("r1"))
    before = storage.revision()
    storage.delete_report("nobody")
    storage.restore_report("r1")
    storage.save_reports([])
    storage.annotations.save_many([])
    assert storage.revision() == before


def test_another_handle_sees_the_revision_move(storage: Storage, open_storage: Any) -> None:
    storage.save_report(report("r1"))
    other = open_storage()
    before = other.revision()
    assert before == storage.revision()
    storage.save_annotation(annotation())
    assert other.revision() != before
    assert other.revision() == storage.revision()
    assert len(other.query_annotations()) == 1


def test_a_store_that_answers_passes_its_check_and_says_where_it_is(storage: Storage) -> None:
    storage.check()
    storage.save_report(report("r1", [finding()]))
    storage.check()
    assert storage.unreadable_items() == []
    assert "\n" not in storage.describe()
    assert storage.describe()


@pytest.mark.postgres
def test_a_change_that_commits_behind_many_newer_ones_moves_the_revision(postgres_url: str) -> None:
    """On PostgreSQL a unit that began early may end late; a poller must still notice it."""
    slow, fast = (StoreLocation("postgres", postgres_url).open_storage() for _ in range(2))
    seen: list[str] = []

    def overtake(unit: UnitOfWork, record: Record) -> None:
        fast.save_reports([report(f"fast {n}", []) for n in range(300)])
        seen.append(fast.revision())

    slow.write_path.hooks.add_after(RecordKind.REPORT, "create", overtake)
    slow.save_report(report("slow", []))
    assert fast.load_report("slow") is not None
    assert fast.revision() != seen[0]
    slow.close()
    fast.close()


def test_a_findings_history_is_what_was_said_and_decided_about_it(storage: Storage) -> None:
    columns = ("a", "b", "c")
    storage.save_report(report("r1", [finding(name) for name in columns]))
    a, b, c = (get_finding_id(finding(name)) for name in columns)
    storage.save_annotation(annotation(a, id="one", author="Ana"))
    storage.save_annotation(annotation(b, id="two", author="Ben"))
    storage.save_annotation(annotation(c, id="other", author="Ben"))
    storage.triage.decide(a, Decision(assignee="Cy"), actor="Ana")
    storage.triage.merge_findings(b, a, actor="Cy")
    storage.delete_annotation("two", actor="Ben")
    told = [
        (event["component"], event["operation"], event["actor"]) for event in storage.audit_log(finding_id=b)
    ]
    assert told == [
        ("annotation", "delete", "Ben"),
        ("finding", "create", "Cy"),
        ("finding", "create", "Ana"),
        ("annotation", "create", "Ben"),
        ("annotation", "create", "Ana"),
    ]
    assert storage.audit_log(finding_id=a) == storage.audit_log(finding_id=b)
    assert len(storage.audit_log(finding_id=a, component="annotation", actor="Ben")) == 2
    assert storage.audit_log(finding_id=a, component="report") == []
    assert [e["record_id"] for e in storage.audit_log(finding_id=a, record_id="one")] == ["one"]
    assert storage.audit_log(finding_id=a, record_id="other") == []
    assert storage.audit_log(finding_id="nobody") == []
    assert storage.audit_log(finding_id="") == []
