"""How a dataset continues the history of another one, on every store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.errors import InvalidInputError
from tests.contract.builders import annotation, at, finding, report

ORDERS = ["id", "email", "amount", "shop"]
CUSTOMERS = ["id", "name", "city", "phone"]


def save(
    storage: Storage,
    day: int,
    dataset: str,
    columns: Sequence[str],
    found: Sequence[str] = (),
    *,
    columns_known: bool = True,
) -> None:
    """Save a day's report: empty cells in the columns that are found, and all other columns passed."""
    ran = [{"check": "nulls", "column": name, "params": {}, "outcome": "passed"} for name in columns]
    coverage = {"columns": len(columns), "column_names": list(columns), "ran": ran} if columns_known else {}
    findings = [finding(column) for column in found]
    metadata = {"dataset": dataset, "coverage": coverage}
    storage.save_report(report(f"day {day}", findings, created_at=at(day * 24), metadata=metadata))


def id_of(column: str, dataset: str) -> str:
    return get_finding_id(finding(column), dataset)


def desk(storage: Storage, dataset: str) -> dict[str, dict[str, Any]]:
    return {row["column"]: row for row in storage.inbox.query(dataset=dataset)}


def discuss(storage: Storage, finding_id: str) -> None:
    storage.save_annotation(annotation(finding_id, comment="Ask the shop", status="reviewed"))
    storage.triage.decide(finding_id, Decision(assignee="Ben"), actor="ana")


def adopted(storage: Storage) -> None:
    """Adopt three findings, of which the new dataset has one, and let the others be discussed before."""
    save(storage, 1, "public", ORDERS, ["email", "amount", "shop"])
    for column in ("email", "amount"):
        discuss(storage, id_of(column, "public"))
    save(storage, 2, "public.orders", ORDERS, ["email"])
    storage.datasets.adopt_history("public", "public.orders", actor="ana")


def test_adopting_joins_threads_statuses_and_assignees(storage: Storage) -> None:
    adopted(storage)
    row = desk(storage, "public.orders")["email"]
    assert (row["status"], row["assignee"], row["times_seen"]) == ("reviewed", "Ben", 2)
    assert (row["comment_count"], row["seen"]) == (1, "ongoing")
    assert storage.findings.resolve_id(id_of("email", "public")) == row["finding_id"]


def test_a_finding_that_comes_later_continues_its_history(storage: Storage) -> None:
    adopted(storage)
    save(storage, 3, "public.orders", ORDERS, ["amount"])
    row = desk(storage, "public.orders")["amount"]
    assert row["finding_id"] == id_of("amount", "public.orders")
    assert (row["status"], row["assignee"], row["times_seen"]) == ("reviewed", "Ben", 2)
    assert (row["seen"], row["first_seen"], row["last_seen"]) == ("ongoing", at(24), at(72))
    (note,) = storage.get_annotations(row["finding_id"])
    assert note.comment == "Ask the shop"
    (found,) = storage.query_findings(report_id="day 3")
    assert (found["finding_id"], found["status"], found["times_seen"]) == (row["finding_id"], "reviewed", 2)


def test_a_finding_that_did_not_come_yet_is_listed_as_any_other(storage: Storage) -> None:
    adopted(storage)
    assert desk(storage, "public") == {}
    row = desk(storage, "public.orders")["shop"]
    fields = ("dataset", "ghost_type", "column", "severity", "description", "seen", "times_seen", "runs")
    assert [row[name] for name in fields] == [
        "public.orders", "null", "shop", "warning", "shop is empty in 2 of 4 rows", "passing", 1, [0],
    ]  # fmt: skip
    facets = storage.inbox.count_by_value()
    assert (facets["dataset"], facets["column"]["shop"]) == ({"public.orders": 3}, 1)
    found = storage.inbox.query(search="shop is empty", dataset="public.orders")
    assert [each["column"] for each in found] == ["shop"]
    assert storage.trends.count_statuses([at(0), at(96)], "public.orders")[0]["open"] == 3


def test_a_finding_that_did_not_come_yet_can_be_opened_and_decided_about(storage: Storage) -> None:
    adopted(storage)
    row = desk(storage, "public.orders")["shop"]
    (found,) = storage.query_findings(report_id=row["report_id"], finding_id=row["finding_id"])
    assert (found["finding_id"], found["report_id"]) == (id_of("shop", "public.orders"), "day 1")
    storage.triage.decide(row["finding_id"], Decision(status="fixed", reason="Mended"), actor="ana")
    assert desk(storage, "public.orders")["shop"]["status"] == "fixed"
    save(storage, 3, "public.orders", ORDERS, ["shop"])
    storage.save_annotation(annotation(row["finding_id"], comment="Still there", timestamp=at(80)))
    assert desk(storage, "public.orders")["shop"]["comment_count"] == 2


def test_it_stays_the_new_datasets_when_the_former_one_gets_a_report(storage: Storage) -> None:
    adopted(storage)
    save(storage, 3, "public", ORDERS, ["shop"])
    storage.delete_report("day 1")
    row = desk(storage, "public.orders")["shop"]
    assert (row["dataset"], row["finding_id"]) == ("public.orders", id_of("shop", "public.orders"))
    storage.delete_report("day 3")
    assert "shop" not in desk(storage, "public.orders")
    storage.restore_report("day 3")
    assert desk(storage, "public.orders")["shop"]["dataset"] == "public.orders"


def test_undoing_an_adoption_restores_everything(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["email", "amount", "shop"])
    discuss(storage, id_of("amount", "public"))
    save(storage, 2, "public.orders", ORDERS, ["email"])
    before = storage.inbox.query(), storage.query_findings(), storage.inbox.count_by_value()
    undo = storage.datasets.adopt_history("public", "public.orders", actor="ana")
    storage.triage.undo(undo, actor="ana")
    after = storage.inbox.query(), storage.query_findings(), storage.inbox.count_by_value()
    for row in (*before[0], *after[0]):
        del row["version"]
    assert after == before
    assert storage.findings.resolve_id(id_of("amount", "public")) == id_of("amount", "public")
    save(storage, 3, "public.orders", ORDERS, ["amount"])
    row = desk(storage, "public.orders")["amount"]
    assert (row["status"], row["assignee"], row["times_seen"]) == ("open", "", 1)
    assert storage.get_annotations(row["finding_id"]) == []


def test_undoing_leaves_later_comments_with_the_new_dataset(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["amount"])
    save(storage, 2, "public.orders", ORDERS)
    undo = storage.datasets.adopt_history("public", "public.orders", actor="ana")
    storage.save_annotation(annotation(id_of("amount", "public.orders"), id="since"))
    storage.triage.undo(undo, actor="ana")
    assert storage.get_annotations(id_of("amount", "public")) == []
    save(storage, 3, "public.orders", ORDERS, ["amount"])
    assert [note.id for note in storage.get_annotations(id_of("amount", "public.orders"))] == ["since"]


def test_of_a_mixed_dataset_only_this_tables_findings_are_adopted(storage: Storage) -> None:
    save(storage, 1, "public", CUSTOMERS, ["id", "city"])
    save(storage, 2, "public", ORDERS, ["amount"])
    save(storage, 3, "public", [*ORDERS, "till"], ["till"])
    save(storage, 4, "public.orders", ORDERS, ["id"])
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders").keys() == {"id", "amount"}
    assert desk(storage, "public.orders")["id"]["times_seen"] == 1
    assert desk(storage, "public").keys() == {"id", "city", "till"}


def test_of_a_mixed_dataset_a_finding_that_this_table_had_too_is_adopted(storage: Storage) -> None:
    save(storage, 1, "public", CUSTOMERS, ["id"])
    save(storage, 2, "public", ORDERS, ["id"])
    save(storage, 3, "public.orders", ORDERS)
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders")["id"]["times_seen"] == 2


def test_of_similar_tables_only_reports_with_the_same_columns_count(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["amount"])
    save(storage, 2, "public", ["id", "email", "amount", "till"], ["email"])
    save(storage, 3, "public", ORDERS)
    save(storage, 4, "public.orders", ORDERS)
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders").keys() == {"amount"}
    assert desk(storage, "public").keys() == {"email"}


def test_of_a_mixed_dataset_without_the_same_columns_matching_ones_count(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["amount"])
    save(storage, 2, "public", CUSTOMERS, ["id", "city"])
    save(storage, 3, "public.orders", [*ORDERS, "till"])
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders").keys() == {"amount"}


def test_another_table_of_long_ago_is_left_out(storage: Storage) -> None:
    save(storage, 1, "public", CUSTOMERS, ["city"])
    for day in range(2, 16):
        save(storage, day, "public", ORDERS, ["amount"])
    save(storage, 16, "public.orders", ORDERS)
    assert storage.datasets.choose(ORDERS, file="public.orders.csv").name == "public.orders"
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders").keys() == {"amount"}


def test_of_one_table_findings_on_dropped_columns_are_adopted_too(storage: Storage) -> None:
    save(storage, 1, "public", ["id", "email", "amount", "till"], ["till"])
    save(storage, 2, "public.orders", ORDERS)
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders")["till"]["seen"] == "not_checked"


def test_findings_of_another_table_that_are_in_both_are_adopted(storage: Storage) -> None:
    save(storage, 1, "public", CUSTOMERS, ["id", "city"])
    save(storage, 2, "public.orders", ORDERS, ["id"])
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders").keys() == {"id"}
    assert desk(storage, "public").keys() == {"city"}


def test_reports_without_columns_are_adopted(storage: Storage) -> None:
    save(storage, 1, "public", (), ["email", "amount"], columns_known=False)
    save(storage, 2, "public.orders", (), ["email"], columns_known=False)
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert desk(storage, "public.orders").keys() == {"email", "amount"}


def test_what_was_merged_before_stays_one_finding(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["email", "amount"])
    storage.triage.merge_findings(id_of("amount", "public"), id_of("email", "public"), actor="ana")
    save(storage, 2, "public.orders", ORDERS)
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    save(storage, 3, "public.orders", ORDERS, ["amount"])
    (row,) = storage.inbox.query()
    assert (row["finding_id"], row["column"]) == (id_of("email", "public.orders"), "email")
    assert row["times_seen"] == 2


def test_what_belongs_to_a_third_dataset_stays_there(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["email", "amount"])
    save(storage, 2, "shops", ORDERS, ["shop"])
    storage.triage.merge_findings(id_of("email", "public"), id_of("shop", "shops"), actor="ana")
    save(storage, 3, "public.orders", ORDERS)
    storage.datasets.adopt_history("public", "public.orders", actor="ana")
    assert storage.findings.resolve_id(id_of("email", "public")) == id_of("shop", "shops")
    assert desk(storage, "public.orders").keys() == {"amount"}


def test_what_was_adopted_is_not_offered_again(storage: Storage) -> None:
    adopted(storage)
    choice = storage.datasets.choose(ORDERS, file="public.customers.csv")
    assert (choice.name, choice.adoptable) == ("public.customers", "")
    save(storage, 3, "public.customers", ORDERS, ["email"])
    with pytest.raises(InvalidInputError, match="nothing can be adopted"):
        storage.datasets.adopt_history("public", "public.customers", actor="ana")


def test_nothing_to_adopt_is_refused(storage: Storage) -> None:
    save(storage, 1, "public", CUSTOMERS, ["city"])
    save(storage, 2, "orders", ORDERS, ["email"])
    for former in ("public", "orders", "unknown"):
        with pytest.raises(InvalidInputError, match="nothing can be adopted"):
            storage.datasets.adopt_history(former, "orders", actor="ana")


def test_a_dataset_without_a_report_adopts_nothing(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["email"])
    with pytest.raises(InvalidInputError, match="has no report yet"):
        storage.datasets.adopt_history("public", "public.orders", actor="ana")


def test_any_finding_may_be_merged_into_one_that_comes_later(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS, ["email"])
    later = id_of("amount", "orders")
    storage.triage.merge_findings(id_of("email", "public"), later, actor="ana")
    (row,) = storage.inbox.query()
    assert (row["finding_id"], row["dataset"], row["column"]) == (later, "public", "email")
    save(storage, 2, "orders", ORDERS, ["amount"])
    (row,) = storage.inbox.query(search="amount is empty")
    assert (row["dataset"], row["column"], row["times_seen"]) == ("orders", "amount", 2)
    storage.save_report(
        report("again", [finding("email")], created_at=at(72), metadata={"dataset": "public"})
    )
    (row,) = storage.inbox.query()
    assert (row["dataset"], row["column"], row["times_seen"]) == ("orders", "amount", 3)


def test_a_merge_that_is_stored_before_both_findings_is_followed(storage: Storage) -> None:
    early, late = id_of("email", "public"), id_of("email", "public.orders")
    storage.triage.merge_findings(early, late, actor="ana")
    save(storage, 1, "public.orders", ORDERS)
    save(storage, 2, "public", ORDERS, ["email"])
    (row,) = storage.inbox.query()
    assert (row["finding_id"], row["dataset"], row["column"]) == (late, "public.orders", "email")
    save(storage, 3, "public.orders", ORDERS, ["email"])
    (row,) = storage.inbox.query()
    assert (row["dataset"], row["times_seen"], row["seen"]) == ("public.orders", 2, "ongoing")
