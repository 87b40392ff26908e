"""The desk: one row a finding over all reports, what its runs say of it, and what people decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.fingerprints import legacy_id
from lavendertown.errors import ConflictError, InvalidInputError
from lavendertown.models import GhostFinding
from tests.contract.builders import annotation, at, finding, report, sentence

DAY = 24
ORDERS = "orders"


def run(
    day: int, *columns: str, ran: tuple[str, ...] | None = None, dataset: str = ORDERS, **changes: Any
) -> ShareableReport:
    """A day's report of one dataset: nulls in these columns; ``ran`` names the columns that were checked."""
    found = [
        finding(name, metadata={"check": "nulls", "params": {}, "count": 10 + day, "share": 0.1})
        for name in columns
    ]
    metadata: dict[str, Any] = {"dataset": dataset}
    if ran is not None:
        checks = [{"check": "nulls", "column": c, "params": {}, "outcome": "passed"} for c in ran]
        metadata["coverage"] = {"ran": checks}
    return report(f"{dataset} {day}", found, created_at=at(day * DAY), metadata=metadata, **changes)


def name_of(column: str = "email", dataset: str = ORDERS) -> str:
    return get_finding_id(finding(column), dataset)


def row_of(storage: Storage, column: str = "email", dataset: str = ORDERS) -> dict[str, Any]:
    (row,) = storage.inbox.load_rows([name_of(column, dataset)])
    return row


def seen(storage: Storage) -> dict[str, str]:
    return {row["column"]: row["seen"] for row in storage.inbox.query()}


# What the runs say


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_of_reports_of_one_moment_the_one_with_the_higher_id_is_the_last(
    storage: Storage, order: str
) -> None:
    said = {"a": (3, 0.1, "error"), "b": (7, 0.2, "warning")}
    for name in order:
        count, share, severity = said[name]
        metadata = {"check": "nulls", "params": {}, "count": count, "share": share}
        found = finding(severity=severity, metadata=metadata)
        storage.save_report(report(name, [found], metadata={"dataset": ORDERS}))
    row = row_of(storage)
    assert (row["last_count"], row["last_share"], row["severity"], row["times_seen"]) == (
        7,
        0.2,
        "warning",
        2,
    )


def test_a_finding_is_one_row_however_often_it_was_seen(storage: Storage) -> None:
    for day in range(3):
        storage.save_report(run(day, "email"))
    (row,) = storage.inbox.query()
    assert (row["finding_id"], row["times_seen"], row["seen"]) == (name_of(), 3, "ongoing")
    assert (row["first_seen"], row["last_seen"]) == (at(0), at(2 * DAY))
    assert (row["report_id"], row["position"], row["last_count"]) == ("orders 2", 0, 12)
    assert row["description"] == "email is empty in 2 of 4 rows"
    assert row["runs"] == [10, 11, 12]


def test_new_ongoing_passing_and_not_checked_are_told_apart(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b", "c"))
    storage.save_report(run(1, "a", "d", ran=("a", "b", "d")))
    assert seen(storage) == {"a": "ongoing", "b": "passing", "c": "not_checked", "d": "new"}
    assert storage.inbox.count(seen="passing") == 1


def test_a_check_that_failed_to_run_is_not_checked(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    failed = run(1, ran=("a",))
    failed.metadata["coverage"]["ran"][0]["outcome"] = "failed"
    storage.save_report(failed)
    assert seen(storage) == {"a": "not_checked"}


def test_another_datasets_run_says_nothing(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.save_report(run(1, ran=("a",), dataset="people"))
    assert seen(storage) == {"a": "new"}


def test_a_fixed_finding_that_is_back_is_open_again_and_says_since_when(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.save_annotation(annotation(name_of("a"), status="fixed", timestamp=at(1), comment="Mended"))
    storage.save_report(run(1, ran=("a",)))
    row = row_of(storage, "a")
    assert (row["status"], row["seen"], row["fixed_at"]) == ("fixed", "passing", at(1))
    storage.save_report(run(2, "a", ran=("a",)))
    storage.save_report(run(3, "a", ran=("a",)))
    row = row_of(storage, "a")
    assert (row["status"], row["seen"], row["regressed_at"]) == ("open", "regressed", at(2 * DAY))
    assert [note.comment for note in storage.get_annotations(name_of("a"))] == ["Mended"]


def test_a_finding_is_closed_again_when_the_report_that_reopened_it_is_deleted(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.save_annotation(annotation(name_of("a"), status="fixed", timestamp=at(1)))
    storage.save_report(run(2, "a"))
    storage.delete_report("orders 2")
    assert row_of(storage, "a")["status"] == "fixed"
    storage.restore_report("orders 2")
    assert row_of(storage, "a")["regressed_at"] == at(2 * DAY)


def test_what_is_fixed_after_it_came_back_is_fixed(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.save_annotation(annotation(name_of("a"), status="fixed", timestamp=at(1)))
    storage.save_report(run(2, "a"))
    storage.save_annotation(annotation(name_of("a"), status="fixed", timestamp=at(2 * DAY + 1)))
    assert row_of(storage, "a")["status"] == "fixed"
    assert row_of(storage, "a")["regressed_at"] is None


def test_only_fixed_findings_come_back(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.save_annotation(annotation(name_of("a"), status="accepted", timestamp=at(1)))
    storage.save_report(run(2, "a"))
    assert row_of(storage, "a")["status"] == "accepted"


def test_an_older_report_that_comes_late_reopens_nothing(storage: Storage) -> None:
    storage.save_report(run(1, "a"))
    storage.save_annotation(annotation(name_of("a"), status="fixed", timestamp=at(DAY + 1)))
    storage.save_report(run(0, "a"))
    assert row_of(storage, "a")["status"] == "fixed"


# What people decide


def test_a_decision_shows_in_every_report_that_holds_the_finding(storage: Storage) -> None:
    storage.save_reports([run(0, "a"), run(1, "a")])
    storage.triage.decide(
        name_of("a"),
        Decision(status="needs-investigation", comment="Odd", tags=["crm"], assignee="Ana", note="See wiki"),
        actor="Ben",
    )
    row = row_of(storage, "a")
    assert (row["status"], row["assignee"], row["note"], row["tags"]) == (
        "needs-investigation",
        "Ana",
        "See wiki",
        ["crm"],
    )
    storage.save_report(run(2, "a"))
    for day in range(3):
        (found,) = storage.query_findings(f"orders {day}")
        assert (found["status"], found["tags"]) == ("needs-investigation", ["crm"])
    (note,) = storage.get_annotations(name_of("a"))
    assert (note.author, note.comment) == ("Ben", "Odd")


def test_closing_asks_for_a_reason(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    for status in ("fixed", "accepted", "false_positive"):
        with pytest.raises(InvalidInputError) as refused:
            storage.triage.decide(name_of("a"), Decision(status=status), actor="Ben")
        assert "reason" in sentence(refused)
    storage.triage.decide(name_of("a"), Decision(status="accepted", reason="By design"), actor="Ben")
    row = row_of(storage, "a")
    assert (row["status"], row["close_reason"]) == ("accepted", "By design")
    storage.triage.decide(name_of("a"), Decision(status="open"), actor="Ben")
    assert row_of(storage, "a")["close_reason"] == ""


def test_nothing_decided_is_refused(storage: Storage) -> None:
    with pytest.raises(InvalidInputError):
        storage.triage.decide(name_of(), Decision(), actor="Ben")
    with pytest.raises(InvalidInputError):
        storage.triage.decide([], Decision(status="open"), actor="Ben")


def test_many_are_decided_at_once_and_undone(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b", "c"))
    storage.triage.decide(name_of("a"), Decision(assignee="Cy"), actor="Ben")
    before = storage.inbox.query()
    every = storage.inbox.query_ids()
    undo = storage.triage.decide(
        every, Decision(status="fixed", reason="Reloaded", assignee="Ana", tags=["x"]), actor="Ben"
    )
    assert storage.inbox.count(status="fixed", assignee="Ana", tags="x") == 3
    assert storage.triage.undo(undo, actor="Ben") == 3
    after = storage.inbox.query()
    for row in (*before, *after):
        row.pop("version")
    assert after == before


def test_undo_leaves_alone_what_others_decided_since(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b"))
    undo = storage.triage.decide([name_of("a"), name_of("b")], Decision(assignee="Ana"), actor="Ben")
    storage.triage.decide(name_of("a"), Decision(assignee="Cy"), actor="Cy")
    assert storage.triage.undo(undo, actor="Ben") == 1
    assert (row_of(storage, "a")["assignee"], row_of(storage, "b")["assignee"]) == ("Cy", "")


def test_who_saw_an_older_decision_is_told_who_changed_it(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    version = row_of(storage, "a")["version"]
    storage.triage.decide(name_of("a"), Decision(note="Cy's"), actor="Cy")
    with pytest.raises(ConflictError) as refused:
        storage.triage.decide(
            name_of("a"), Decision(note="mine"), actor="Ben", versions={name_of("a"): version}
        )
    assert "by Cy" in sentence(refused)
    assert row_of(storage, "a")["note"] == "Cy's"


def test_every_decision_is_in_the_audit_log(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.triage.decide(name_of("a"), Decision(assignee="Ana"), actor="Ben")
    storage.triage.decide(name_of("a"), Decision(assignee="Cy"), actor="Dee")
    events = storage.audit_log(component="finding", record_id=name_of("a"))
    assert [(e["actor"], e["operation"], e["after"]["assignee"]) for e in events] == [
        ("Dee", "update", "Cy"),
        ("Ben", "create", "Ana"),
    ]


# Snooze


def test_a_snoozed_finding_sleeps_until_its_date(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b"))
    storage.triage.decide(
        name_of("a"), Decision(snooze_until=clock.now() + dt.timedelta(days=1)), actor="Ben"
    )
    storage.triage.decide(
        name_of("b"), Decision(snooze_until=clock.now() - dt.timedelta(days=1)), actor="Ben"
    )
    assert [row["column"] for row in storage.inbox.query(snoozed="hidden")] == ["b"]
    assert [row["column"] for row in storage.inbox.query(snoozed="only")] == ["a"]
    storage.triage.decide(name_of("a"), Decision(unsnooze=True), actor="Ben")
    assert storage.inbox.count(snoozed="only") == 0


@pytest.mark.parametrize(("count", "awake"), [(20, False), (21, True)])
def test_a_finding_wakes_when_it_gets_worse_by_the_chosen_factor(
    storage: Storage, count: int, awake: bool
) -> None:
    storage.save_report(run(0, "a"))
    storage.triage.decide(name_of("a"), Decision(snooze_factor=2), actor="Ben")
    assert row_of(storage, "a")["snoozed"]
    worse = finding("a", metadata={"check": "nulls", "params": {}, "count": count, "share": 0.1})
    storage.save_report(report("next", [worse], created_at=at(DAY), metadata={"dataset": ORDERS}))
    assert row_of(storage, "a")["snoozed"] is not awake


# Merge and split


def test_merged_findings_are_one(storage: Storage) -> None:
    storage.save_reports([run(0, "a"), run(1, "a", "b"), run(2, "b")])
    storage.save_annotation(annotation(name_of("a"), id="on a", tags=["old"]))
    storage.save_annotation(annotation(name_of("b"), id="on b", status="reviewed"))
    storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben")
    (row,) = storage.inbox.query()
    assert (row["finding_id"], row["times_seen"], row["first_seen"]) == (name_of("b"), 3, at(0))
    assert (row["status"], row["tags"], row["comment_count"]) == ("reviewed", ["old"], 2)
    for name in (name_of("a"), name_of("b")):
        assert [note.id for note in storage.get_annotations(name)] == ["on a", "on b"]
    assert {found["finding_id"] for found in storage.query_findings()} == {name_of("b")}
    storage.save_report(run(3, "a", "b"))
    assert row_of(storage, "b")["times_seen"] == 4
    assert storage.findings.find_merged(name_of("b")) == [name_of("a")]


def test_a_split_gives_each_its_own_back(storage: Storage) -> None:
    storage.save_reports([run(0, "a"), run(1, "a", "b"), run(2, "b")])
    storage.save_annotation(annotation(name_of("a"), id="on a", tags=["old"], status="fixed"))
    storage.save_annotation(annotation(name_of("b"), id="on b"))
    before = storage.inbox.query()
    findings = storage.query_findings()
    storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben")
    storage.triage.unmerge_finding(name_of("a"), actor="Ben")
    for row in (*before, *(after := storage.inbox.query())):
        row.pop("version")
    assert after == before
    assert storage.query_findings() == findings


def test_merges_in_a_row_are_taken_apart_one_by_one(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b", "c"))
    for column in "abc":
        storage.save_annotation(annotation(name_of(column), id=column))
    storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben")
    storage.triage.merge_findings(name_of("b"), name_of("c"), actor="Ben")
    assert [n.id for n in storage.get_annotations(name_of("a"))] == ["a", "b", "c"]
    storage.triage.unmerge_finding(name_of("b"), actor="Ben")
    assert [n.id for n in storage.get_annotations(name_of("a"))] == ["a", "b"]
    assert [n.id for n in storage.get_annotations(name_of("c"))] == ["c"]


def test_a_merge_can_be_undone(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b"))
    undo = storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben")
    storage.triage.undo(undo, actor="Ben")
    assert {row["finding_id"] for row in storage.inbox.query()} == {name_of("a"), name_of("b")}


def test_a_finding_cannot_be_merged_into_itself(storage: Storage) -> None:
    storage.save_report(run(0, "a", "b"))
    storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben")
    with pytest.raises(InvalidInputError):
        storage.triage.merge_findings(name_of("b"), name_of("a"), actor="Ben")
    with pytest.raises(InvalidInputError):
        storage.triage.unmerge_finding(name_of("b"), actor="Ben")


def test_an_old_id_leads_to_the_finding_it_was_merged_into(storage: Storage) -> None:
    about = finding("a")
    old = legacy_id(about.ghost_type, about.column, about.description)
    storage.save_annotation(annotation(old, id="old"))
    storage.save_report(run(0, "a", "b"))
    storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben")
    assert storage.findings.resolve_id(old) == name_of("b")
    storage.triage.unmerge_finding(name_of("a"), actor="Ben")
    assert storage.findings.resolve_id(old) == name_of("a")
    assert storage.get_annotations(name_of("b")) == []


# Lists, filters, counts


def town(storage: Storage) -> None:
    storage.save_reports([run(0, "a", "b"), run(1, "a", "c"), run(1, "z", dataset="people")])
    storage.save_annotation(annotation(name_of("a"), id="n1", author="Ana", comment="Ask @Ben Stone, please"))
    storage.save_annotation(annotation(name_of("b"), id="n2", author="Ben Stone", tags=["crm", "late"]))
    storage.triage.decide(
        name_of("c"), Decision(status="fixed", reason="Reloaded", assignee="Ana"), actor="Cy"
    )


@pytest.mark.parametrize(
    ("comment", "name"),
    [
        ("@Ana Maria de la Cruz, please", "Ana Maria de la Cruz"),
        ("Ask @Ben Jr. about it", "Ben Jr."),
        ("Ask @Cy (ops)", "Cy (ops)"),
        ("@Dee's loader did it", "Dee"),
        ("@Eve\u2019s loader did it", "Eve"),
        ("@Flo/@Gus: whose is it?", "Flo"),
        ("@Flo/@Gus: whose is it?", "Gus"),
        ("@Hal – is it yours?", "Hal"),
    ],
)
def test_a_mention_finds_the_whole_name(storage: Storage, comment: str, name: str) -> None:
    storage.save_report(run(0, "a", "b"))
    storage.save_annotation(annotation(name_of("a"), comment=comment))
    assert storage.inbox.query_ids(mentions=name) == [name_of("a")]


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ({}, {"a", "b", "c", "z"}),
        ({"dataset": "people"}, {"z"}),
        ({"dataset": ["people", "orders"], "status": "fixed"}, {"c"}),
        ({"assignee": "Ana"}, {"c"}),
        ({"assignee": ""}, {"a", "b", "z"}),
        ({"tags": ["crm", "late"]}, {"b"}),
        ({"tags": ["crm", "no"]}, set()),
        ({"author": "Ana"}, {"a"}),
        ({"mentions": "ben stone"}, {"a"}),
        ({"mentions": "Ben"}, {"a"}),
        ({"mentions": "Stone"}, set()),
        ({"search": "ASK @BEN"}, {"a"}),
        ({"search": "reloaded"}, {"c"}),
        ({"search": "people"}, {"z"}),
        ({"seen": "ongoing"}, {"a"}),
        ({"column": ["a", "z"]}, {"a", "z"}),
        ({"severity": "error"}, set()),
        ({"end_date": at(0)}, {"b"}),
        ({"start_date": at(DAY)}, {"a", "c", "z"}),
    ],
)
def test_a_filter_finds(storage: Storage, asked: Any, columns: set[str]) -> None:
    town(storage)
    found = storage.inbox.query(**asked)
    assert {row["column"] for row in found} == columns
    assert storage.inbox.count(**asked) == len(columns)
    assert storage.inbox.query_ids(**asked) == [row["finding_id"] for row in found]


def test_facets_leave_their_own_choice_out(storage: Storage) -> None:
    town(storage)
    facets = storage.inbox.count_by_value(dataset="orders", status="fixed")
    assert facets["dataset"] == {"orders": 1}
    assert facets["status"] == {"open": 2, "fixed": 1}
    assert facets["assignee"] == {"Ana": 1}
    assert facets["author"] == {"Cy": 1}


def test_pages_are_cut_from_one_order(storage: Storage) -> None:
    storage.save_report(run(0, *"dbca"))
    storage.save_report(run(1, *"xb"))
    every = storage.inbox.query(limit=None)
    assert [storage.inbox.query(limit=2, offset=n)[0] for n in range(len(every))] == every
    assert [row["last_seen"] for row in every] == sorted((r["last_seen"] for r in every), reverse=True)
    first = [row["finding_id"] for row in every if row["last_seen"] == at(0)]
    assert first == sorted(first)
    assert storage.inbox.query(order="times_seen", limit=1)[0]["column"] == "b"
    with pytest.raises(InvalidInputError):
        storage.inbox.query(order="colour")


def test_what_another_process_writes_is_seen(storage: Storage, open_storage: Callable[[], Storage]) -> None:
    other = open_storage()
    assert other.inbox.query() == []
    storage.save_report(run(0, "a", "b"))
    assert len(other.inbox.query()) == 2
    steps: list[Callable[[], object]] = [
        lambda: storage.save_annotation(annotation(name_of("a"), id="x", tags=["t"], status="fixed")),
        lambda: storage.save_report(run(1, "a", "c", ran=("a", "b", "c"))),
        lambda: storage.save_report(run(1, "c")),
        lambda: storage.triage.decide(name_of("c"), Decision(assignee="Ana", snooze_factor=3), actor="Ben"),
        lambda: storage.triage.merge_findings(name_of("a"), name_of("b"), actor="Ben"),
        lambda: storage.triage.unmerge_finding(name_of("a"), actor="Ben"),
        lambda: storage.delete_report("orders 1"),
        lambda: storage.restore_report("orders 1"),
        lambda: storage.delete_annotation("x"),
    ]
    for step in steps:
        step()
        fresh = open_storage()
        assert other.inbox.query() == fresh.inbox.query()
        assert other.inbox.count_by_value() == fresh.inbox.count_by_value()


# People and views


def test_people_are_known_by_what_they_wrote_or_by_name(storage: Storage) -> None:
    storage.save_report(report("r", author="Zoe Young"))
    storage.people.save("Ana Bell", mail="ana@example.org")
    storage.people.save("Cy", initials="CY1")
    assert storage.people.list_known() == [
        {"name": "Ana Bell", "mail": "ana@example.org", "initials": "AB"},
        {"name": "Cy", "mail": "", "initials": "CY1"},
        {"name": "Zoe Young", "mail": "", "initials": "ZY"},
    ]
    storage.people.save("Ana Bell", initials="X")
    assert storage.people.delete("Cy")
    assert [p["name"] for p in storage.people.list_known()] == ["Ana Bell", "Zoe Young"]
    assert storage.people.list_known()[0] == {"name": "Ana Bell", "mail": "ana@example.org", "initials": "X"}
    storage.people.save("Cy")
    assert len(storage.people.list_known()) == 3


def test_saving_somebody_again_writes_nothing(storage: Storage) -> None:
    storage.people.save("Ana")
    revision = storage.revision()
    storage.people.save("Ana")
    assert storage.revision() == revision


def test_views_are_shared(storage: Storage) -> None:
    storage.views.save("Crm, open", {"dataset": ["crm"], "status": ["open"]}, author="Ana")
    storage.views.save("Crm, open", {"dataset": ["crm"]}, author="Ben")
    (view,) = storage.views.query()
    assert (view["name"], view["author"], view["query"]) == ("Crm, open", "Ben", {"dataset": ["crm"]})
    assert storage.views.delete("Crm, open")
    assert storage.views.query() == []
    assert storage.views.restore("Crm, open")


@pytest.mark.parametrize(
    "call",
    [
        lambda storage: storage.people.save("a/b"),
        lambda storage: storage.people.save("Ana", initials="ABCDE"),
        lambda storage: storage.views.save("", {}),
        lambda storage: storage.triage.decide("f", Decision(snooze_factor=0.5), actor="Ben"),
        lambda storage: storage.triage.decide("f", Decision(assignee="x" * 300), actor="Ben"),
        lambda storage: storage.triage.decide("../f", Decision(assignee="x"), actor="Ben"),
        lambda storage: storage.triage.decide("f", Decision(status="done"), actor="Ben"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(storage: Storage, call: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        call(storage)
    sentence(refused)
    assert storage.audit_log() == []


def test_findings_that_no_live_report_holds_are_not_on_the_desk(storage: Storage) -> None:
    storage.save_report(run(0, "a"))
    storage.save_annotation(annotation("nobody has it yet"))
    assert storage.inbox.load_rows(["nobody has it yet", "f1-unknown", "../x"]) == []
    storage.delete_report("orders 0")
    assert storage.inbox.query() == storage.inbox.load_rows([name_of("a")]) == []


def test_ghosts_without_counts_are_listed(storage: Storage) -> None:
    bare = GhostFinding("rule", "x", "error", "x is odd")
    storage.save_report(report("r", [bare]))
    (row,) = storage.inbox.query()
    assert (row["last_count"], row["last_share"], row["runs"]) == (None, None, [None])


def test_a_finding_is_searched_by_its_newest_words(storage: Storage) -> None:
    first, second = run(1, "a"), run(2, "a")
    second.findings[0].description = "Nothing stands in 3 of 9 cells of a"
    storage.save_report(first)
    assert storage.inbox.count(search="rows") == 1
    storage.save_report(second)
    assert (storage.inbox.count(search="nothing stands"), storage.inbox.count(search="rows")) == (1, 0)
    storage.save_report(run(0, "a"))  # comes late
    assert storage.inbox.count(search="nothing stands") == 1


@pytest.mark.slow
def test_a_search_over_thousands_of_findings_follows_what_is_written(storage: Storage) -> None:
    many = [finding(f"column {number}", metadata={}) for number in range(2_100)]
    storage.save_report(report("r1", many))
    for text, search in (("Ask @Dana about it", "ask @dana"), ("Late @Dana again", "late @dana")):
        assert storage.inbox.count(search=search) == 0
        mentioned = storage.inbox.count(mentions="Dana")
        storage.save_annotation(annotation(many[7 + mentioned], comment=text))
        assert [row["column"] for row in storage.inbox.query(search=search)] == [many[7 + mentioned].column]
        assert storage.inbox.count(mentions="Dana") == mentioned + 1
    storage.delete_report("r1")
    assert storage.inbox.count(search="dana") == storage.inbox.count(mentions="Dana") == 0
