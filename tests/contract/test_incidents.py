"""Incidents group findings with one cause, on every store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError, InvalidInputError, NotFoundError
from tests.contract.builders import annotation, at, finding, report
from tests.contract.test_desk import name_of, row_of, run

COLUMNS = ("email", "phone", "fax", "zip")
FIXED = Decision(status="fixed", reason="The loader was restarted.")


@pytest.fixture
def store(storage: Storage) -> Storage:
    storage.save_report(run(1, *COLUMNS))
    return storage


def group(store: Storage, *columns: str, title: str = "Loader down", **changes: Any) -> str:
    names = [name_of(column) for column in columns or COLUMNS[:3]]
    return store.incidents.create(title, names, actor="Ana", **changes)


def row(store: Storage, incident_id: str) -> dict[str, Any]:
    found = store.incidents.find(incident_id)
    assert found is not None
    return found


def decide(store: Storage, column: str, status: str = "fixed") -> None:
    store.triage.decide(name_of(column), Decision(status=status, reason="Because."), actor="Ben")


def test_an_incident_has_a_title_an_owner_and_members(store: Storage) -> None:
    made = row(store, group(store, assignee="Ben"))
    assert (made["title"], made["assignee"], made["created_by"]) == ("Loader down", "Ben", "Ana")
    assert made["members"] == [name_of(column) for column in COLUMNS[:3]]
    assert (made["state"], made["status"], made["open_count"]) == ("open", "open", 3)
    assert (made["version"], made["comment_count"], made["absent_count"]) == (1, 0, 0)
    assert store.incidents.query() == [made]
    assert row_of(store)["incident_title"] == "Loader down"
    assert (row_of(store, "zip")["incident_id"], row_of(store, "zip")["incident_title"]) == ("", "")


def test_its_status_is_that_of_its_findings(store: Storage) -> None:
    made = group(store)
    decide(store, "email")
    decide(store, "phone")
    assert (row(store, made)["state"], row(store, made)["status"], row(store, made)["open_count"]) == (
        "open",
        None,
        1,
    )
    decide(store, "fax")
    assert (row(store, made)["state"], row(store, made)["status"]) == ("closed", "fixed")
    decide(store, "fax", "accepted")
    assert (row(store, made)["state"], row(store, made)["status"]) == ("closed", None)
    # It was fixed, and a later run finds it again.
    store.save_report(run(400, "email"))
    assert (row(store, made)["state"], row(store, made)["open_count"]) == ("open", 1)


def test_a_finding_that_no_live_report_has_counts_as_closed(store: Storage) -> None:
    made = group(store, "email")
    store.delete_report("orders 1")
    assert (row(store, made)["state"], row(store, made)["absent_count"]) == ("closed", 1)
    store.restore_report("orders 1")
    assert (row(store, made)["state"], row(store, made)["absent_count"]) == ("open", 0)


def test_closing_it_closes_what_is_open_in_one_act_with_one_undo(store: Storage) -> None:
    made = group(store)
    decide(store, "email", "accepted")
    undo = store.incidents.close(made, FIXED, actor="Ana")
    assert (row(store, made)["state"], row(store, made)["open_count"]) == ("closed", 0)
    assert row_of(store, "phone")["close_reason"] == "The loader was restarted."
    assert row_of(store)["status"] == "accepted", "it was closed before"
    (at_once,) = {
        event["at"] for event in store.audit.query(actor="Ana") if event["component"] == "annotation"
    }
    assert {event["record_id"] for event in store.audit.query_commit(at_once, "Ana")} >= {
        name_of("phone"),
        name_of("fax"),
    }
    assert store.triage.undo(undo, actor="Ana") == 2
    assert row(store, made)["open_count"] == 2


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (Decision(status="fixed"), "Closing a finding needs a reason"),
        (Decision(status="open", reason="x"), "is closed with one of"),
        (Decision(comment="x"), "is closed with one of"),
    ],
)
def test_closing_needs_a_status_and_a_reason(store: Storage, decision: Decision, message: str) -> None:
    made = group(store)
    with pytest.raises(InvalidInputError, match=message):
        store.incidents.close(made, decision, actor="Ana")
    assert row(store, made)["open_count"] == 3


def test_closing_again_is_refused(store: Storage) -> None:
    made = group(store)
    store.incidents.close(made, FIXED, actor="Ana")
    with pytest.raises(InvalidInputError, match="No finding of the incident 'Loader down' is open"):
        store.incidents.close(made, FIXED, actor="Ana")


def test_closing_notices_a_decision_in_the_meantime(store: Storage) -> None:
    made = group(store)
    seen = {name_of(column): 0 for column in COLUMNS[:3]}
    store.triage.decide(name_of("fax"), Decision(assignee="Ben"), actor="Ben")
    with pytest.raises(ConflictError):
        store.incidents.close(made, FIXED, actor="Ana", versions=seen)
    assert row(store, made)["open_count"] == 3


def test_reopening_it_opens_what_is_closed_in_one_act_with_one_undo(store: Storage) -> None:
    made = group(store)
    with pytest.raises(InvalidInputError, match="No finding of the incident 'Loader down' is closed"):
        store.incidents.reopen(made, actor="Ana")
    decide(store, "email", "accepted")
    decide(store, "phone", "fixed")
    undo = store.incidents.reopen(made, comment="It is back.", actor="Ana")
    assert sorted(undo.finding_ids) == sorted([name_of("email"), name_of("phone")])
    assert (row(store, made)["open_count"], row(store, made)["status"]) == (3, "open")
    assert [note.comment for note in store.get_annotations(name_of("phone"))][-1] == "It is back."
    assert store.triage.undo(undo, actor="Ana") == 2
    assert [row_of(store, column)["status"] for column in ("email", "phone", "fax")] == [
        "accepted",
        "fixed",
        "open",
    ]


def test_findings_are_added_and_removed(store: Storage) -> None:
    made = group(store, "email")
    assert store.incidents.add_findings(made, [name_of("email"), name_of("fax")], actor="Ben") == [
        name_of("fax")
    ]
    store.incidents.add_findings(made, name_of("fax"), actor="Ben")
    assert (row(store, made)["members"], row(store, made)["version"]) == ([name_of(), name_of("fax")], 2)
    store.incidents.remove_findings(made, name_of("email"), actor="Ben")
    assert row(store, made)["members"] == [name_of("fax")]
    with pytest.raises(InvalidInputError, match="would have no finding left; delete it instead"):
        store.incidents.remove_findings(made, [name_of("fax")], actor="Ben")


def test_a_finding_is_in_one_incident_at_most(store: Storage) -> None:
    made = group(store, "email", "phone")
    with pytest.raises(InvalidInputError, match="is in the incident 'Loader down' already"):
        group(store, "fax", "email", title="Other")
    other = group(store, "fax", title="Other")
    with pytest.raises(InvalidInputError, match="is in the incident 'Loader down' already"):
        store.incidents.add_findings(other, name_of("phone"), actor="Ana")
    store.incidents.delete(made, actor="Ana")
    store.incidents.add_findings(other, name_of("phone"), actor="Ana")
    assert row(store, other)["members"] == [name_of("fax"), name_of("phone")]
    with pytest.raises(InvalidInputError, match="is in the incident 'Other' already"):
        store.incidents.restore(made, actor="Ana")


def test_a_finding_that_a_merge_puts_into_two_incidents_belongs_to_the_older_one(store: Storage) -> None:
    older, newer = group(store, "email"), group(store, "fax", "phone", title="Other")
    store.triage.merge_findings(name_of("fax"), name_of("email"), actor="Ben")
    assert row(store, older)["members"] == [name_of("email")]
    assert row(store, newer)["members"] == [name_of("phone")]
    store.incidents.close(newer, FIXED, actor="Ben")
    assert row(store, older)["open_count"] == 1


def test_title_and_owner_change_unless_somebody_else_was_faster(store: Storage) -> None:
    made = group(store)
    store.incidents.set_title(made, " Loader ü ", actor="Ben", version=1)
    store.incidents.assign(made, "Cy", actor="Ben", version=2)
    assert (row(store, made)["title"], row(store, made)["assignee"]) == ("Loader ü", "Cy")
    with pytest.raises(ConflictError, match=r"Incident .* was changed by Ben"):
        store.incidents.set_title(made, "Other", actor="Ana", version=2)
    assert row(store, made)["title"] == "Loader ü"


@pytest.mark.parametrize("title", ["", "  ", "x" * 501])
def test_an_impossible_title_is_refused(store: Storage, title: str) -> None:
    with pytest.raises(InvalidInputError, match="title"):
        group(store, title=title)
    assert store.incidents.query() == []


def test_an_incident_needs_a_finding_and_has_a_thousand_at_most(store: Storage) -> None:
    with pytest.raises(InvalidInputError, match="choose at least one"):
        store.incidents.create("x", [], actor="Ana")
    with pytest.raises(InvalidInputError, match="at most 1,000"):
        store.incidents.create("x", [f"f{number}" for number in range(1001)], actor="Ana")


def test_people_comment_on_it(store: Storage) -> None:
    made = group(store)
    first = store.incidents.comment(made, "The disk was full.", author="Ben")
    store.incidents.comment(made, "I ordered one.", author="Ana")
    assert [note.comment for note in store.incidents.list_comments(made)] == [
        "The disk was full.",
        "I ordered one.",
    ]
    assert row(store, made)["comment_count"] == 2
    store.delete_annotation(first, actor="Ben")
    assert row(store, made)["comment_count"] == 1
    assert row_of(store)["comment_count"] == 0
    with pytest.raises(InvalidInputError, match="is empty"):
        store.incidents.comment(made, " ", author="Ben")


def test_a_deleted_incident_comes_back_from_the_trash(store: Storage) -> None:
    made = group(store)
    store.incidents.comment(made, "Hm.", author="Ben")
    assert store.incidents.delete(made, actor="Ana")
    assert not store.incidents.delete(made, actor="Ana")
    assert store.incidents.query() == []
    assert [each["id"] for each in store.incidents.query(include_deleted=True)] == [made]
    assert row_of(store)["incident_id"] == ""
    for change in (
        lambda: store.incidents.comment(made, "x", author="Ana"),
        lambda: store.incidents.close(made, FIXED, actor="Ana"),
        lambda: store.incidents.add_findings(made, name_of("zip"), actor="Ana"),
    ):
        with pytest.raises(NotFoundError, match="'Loader down' was deleted; restore it from the trash"):
            change()
    assert store.incidents.restore(made, actor="Ana")
    assert (row_of(store)["incident_id"], row(store, made)["comment_count"]) == (made, 1)


def test_an_unknown_incident_is_refused(store: Storage) -> None:
    assert store.incidents.find("nothing") is None
    assert store.incidents.list_comments("a/b") == []
    with pytest.raises(NotFoundError, match="There is no incident 'nothing'"):
        store.incidents.assign("nothing", "Ana", actor="Ana")


def test_a_merged_member_counts_as_the_finding_that_is_kept(store: Storage) -> None:
    made = group(store, "email", "phone")
    undo = store.triage.merge_findings(name_of("email"), name_of("fax"), actor="Ben")
    assert row(store, made)["members"] == [name_of("fax"), name_of("phone")]
    assert row_of(store, "fax")["incident_id"] == made
    decide(store, "fax")
    assert row(store, made)["open_count"] == 1
    assert set(store.inbox.query_ids(incident=made)) == {name_of("fax"), name_of("phone")}
    store.triage.merge_findings(name_of("phone"), name_of("fax"), actor="Ben")
    assert row(store, made)["members"] == [name_of("fax")]
    with pytest.raises(InvalidInputError, match="no finding left"):
        store.incidents.remove_findings(made, name_of("email"), actor="Ben")
    store.triage.undo(undo, actor="Ben")
    assert row(store, made)["members"] == [name_of("email"), name_of("fax")]


def test_the_inbox_filters_by_incident(store: Storage) -> None:
    made, other = group(store, "email", "phone"), group(store, "fax", title="Other")
    assert set(store.inbox.query_ids(incident="any")) == {name_of(each) for each in COLUMNS[:3]}
    assert store.inbox.query_ids(incident=other) == [name_of("fax")]
    assert store.inbox.count(incident=[made, other]) == 3
    assert store.inbox.count(incident="nothing") == 0
    assert store.inbox.count(incident=made, column="email") == 1


def test_open_incidents_come_first_and_can_be_filtered(store: Storage) -> None:
    closed, mine = group(store, "email"), group(store, "fax", title="Mine", assignee="Ben")
    newest = group(store, "zip", title="Newest")
    store.incidents.close(closed, FIXED, actor="Ana")
    assert [each["id"] for each in store.incidents.query()] == [newest, mine, closed]
    assert [each["id"] for each in store.incidents.query("open")] == [newest, mine]
    assert [each["id"] for each in store.incidents.query("closed")] == [closed]
    assert [each["id"] for each in store.incidents.query(assignee="Ben")] == [mine]
    assert [each["id"] for each in store.incidents.query("open", assignee="")] == [newest]


def test_every_change_is_in_the_audit_log(store: Storage) -> None:
    made = group(store)
    store.incidents.add_findings(made, name_of("zip"), actor="Ben")
    store.incidents.delete(made, actor="Cy")
    events = store.audit.query(component="incident", record_id=made)
    assert [(event["actor"], event["operation"]) for event in events] == [
        ("Cy", "delete"),
        ("Ben", "update"),
        ("Ana", "create"),
    ]
    assert events[1]["after"]["members"] == [name_of(column) for column in COLUMNS]
    assert events[1]["before"]["members"] == [name_of(column) for column in COLUMNS[:3]]


def test_two_people_add_findings_at_the_same_time(open_storage: Callable[[], Storage]) -> None:
    store = open_storage()
    columns = [f"c{number}" for number in range(9)]
    store.save_report(run(1, *columns))
    made = group(store, columns[0])
    storages = [open_storage(), open_storage()]

    def add(number: int) -> None:
        storages[number % 2].incidents.add_findings(made, name_of(columns[number]), actor="Ben")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, range(1, 9)))
    assert set(row(store, made)["members"]) == {name_of(column) for column in columns}


def test_another_storage_sees_it(open_storage: Callable[[], Storage]) -> None:
    store = open_storage()
    store.save_report(run(1, *COLUMNS))
    made = group(store)
    other = open_storage()
    assert row(other, made) == row(store, made)
    other.save_annotation(annotation(name_of(), status="fixed", timestamp=at(30)))
    assert row(store, made)["open_count"] == 2


# Suggestions


def related_run(*pairs: tuple[str, str, tuple[str, ...]], day: int = 1) -> ShareableReport:
    """Return a run of findings, each given by its check, its column and the columns with the same rows."""
    findings = [
        finding(
            column,
            ghost_type="null" if check == "nulls" else "outlier",
            metadata={
                "check": check,
                "params": {},
                "related": [{"check": "nulls", "column": each} for each in others],
            },
        )
        for check, column, others in pairs
    ]
    return report(f"r{day}", findings, created_at=at(24 * day), metadata={"dataset": "orders"})


def suggested(store: Storage, column: str = "email") -> tuple[str, list[str], str | None] | None:
    found = store.incidents.suggest(name_of(column))
    if found is None:
        return None
    columns = [each["column"] for each in store.inbox.load_rows(found["finding_ids"])]
    return found["trait"], columns, found["incident"] and found["incident"]["title"]


def test_findings_with_nearly_the_same_rows_are_suggested(storage: Storage) -> None:
    storage.save_report(
        related_run(
            ("nulls", "email", ("phone", "fax")),
            ("nulls", "phone", ("email", "fax")),
            ("nulls", "fax", ("email", "phone")),
            ("nulls", "zip", ()),
            ("outliers", "email", ()),
        )
    )
    assert suggested(storage) == ("rows", ["email", "phone", "fax"], None)
    assert suggested(storage, "zip") is None
    assert storage.incidents.query() == [], "nothing is grouped without a person"
    decide(storage, "fax")
    assert suggested(storage) == ("rows", ["email", "phone"], None)
    made = group(storage, "phone")
    assert suggested(storage) == ("rows", ["email"], "Loader down")
    assert suggested(storage, "phone") is None
    storage.incidents.delete(made, actor="Ana")
    decide(storage, "email")
    assert suggested(storage) is None


def test_findings_on_the_same_column_are_suggested(storage: Storage) -> None:
    storage.save_report(related_run(("nulls", "email", ()), ("outliers", "email", ()), ("nulls", "zip", ())))
    assert suggested(storage) == ("column", ["email", "email"], None)
    storage.save_report(related_run(("nulls", "email", ()), day=2))
    assert suggested(storage) is None, "the other one is not in the same run"


def test_findings_of_the_whole_table_have_no_column_in_common(storage: Storage) -> None:
    storage.save_report(related_run(("nulls", "*", ()), ("outliers", "*", ())))
    assert suggested(storage, "*") is None


@pytest.mark.parametrize("related", ["x", [1], {"check": "nulls"}, [{"check": 1}]])
def test_other_metadata_suggests_nothing(storage: Storage, related: Any) -> None:
    metadata = {"check": "nulls", "params": {}, "related": related}
    storage.save_report(report(findings=[finding(metadata=metadata)], metadata={"dataset": "orders"}))
    assert suggested(storage) is None
    assert storage.incidents.suggest("nothing") is None


def mentioning(store: Storage, name: str = "Ben Stone", **filters: Any) -> set[str]:
    """Return the columns of the findings that mention a person, which every question answers alike."""
    found = store.inbox.query(mentions=name, **filters)
    ids = [each["finding_id"] for each in found]
    assert store.inbox.query_ids(mentions=name, **filters) == ids
    assert store.inbox.count(mentions=name, **filters) == len(ids)
    assert sum(store.inbox.count_by_value(mentions=name, **filters)["dataset"].values()) == len(ids)
    return {each["column"] for each in found}


def test_a_mention_in_the_thread_of_an_incident_counts_for_its_findings(store: Storage) -> None:
    made = group(store, "email", "phone")
    note = store.incidents.comment(made, "Ask @Ben Stone, please.", author="Ana")
    store.save_annotation(annotation(name_of("zip"), comment="Or @Ben Stone?"))
    assert mentioning(store) == {"email", "phone", "zip"}
    assert mentioning(store, "ben stone") == mentioning(store, "Ben") == {"email", "phone", "zip"}
    assert mentioning(store, "Stone") == mentioning(store, "Ana") == set()
    assert mentioning(store, column="phone") == {"phone"}
    assert mentioning(store, incident="any") == {"email", "phone"}
    store.incidents.add_findings(made, name_of("fax"), actor="Ana")
    store.incidents.remove_findings(made, name_of("email"), actor="Ana")
    assert mentioning(store) == {"phone", "fax", "zip"}
    store.triage.merge_findings(name_of("fax"), name_of("email"), actor="Ana")
    assert mentioning(store) == {"phone", "email", "zip"}, "the member counts as the one it was merged into"
    store.delete_annotation(note)
    assert mentioning(store) == {"zip"}
    store.restore_annotation(note)
    store.incidents.delete(made, actor="Ana")
    assert mentioning(store) == {"zip"}
    store.incidents.restore(made, actor="Ana")
    store.delete_report("orders 1")
    assert mentioning(store) == set()
