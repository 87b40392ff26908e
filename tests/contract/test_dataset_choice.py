"""Which dataset a report joins, on every store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lavendertown.collaboration.parts.datasets import ChoiceReason
from lavendertown.collaboration.storage import Storage
from tests.contract.builders import at, finding, report

ORDERS = ["id", "email", "amount", "shop"]
CUSTOMERS = ["id", "name", "city", "phone"]


def save(
    storage: Storage,
    day: int,
    dataset: str,
    columns: Sequence[str],
    found: Sequence[str] = (),
    coverage: dict[str, Any] | None = None,
    file: str = "",
) -> None:
    told = {"columns": len(columns), "column_names": list(columns)} if coverage is None else coverage
    metadata: dict[str, Any] = {"dataset": dataset, "coverage": told}
    if file:
        metadata["file"] = file
    findings = [finding(column) for column in found]
    storage.save_report(report(f"day {day}", findings, created_at=at(day * 24), metadata=metadata))


def test_a_dataset_without_reports_is_new(storage: Storage) -> None:
    choice = storage.datasets.choose(ORDERS, file="public.orders.csv")
    assert (choice.name, choice.reason, choice.ask) == ("public.orders", ChoiceReason.NEW, False)


def test_a_dataset_with_the_same_columns_is_joined(storage: Storage) -> None:
    save(storage, 1, "orders", ORDERS)
    save(storage, 2, "orders", ORDERS)
    choice = storage.datasets.choose([name.upper() for name in ORDERS], file="orders_2025_w48.csv")
    assert (choice.name, choice.reason, choice.ask) == ("orders", ChoiceReason.JOINS, False)
    assert (choice.report_count, choice.latest) == (2, at(48))
    assert (choice.missing, choice.added) == ((), ())


def test_a_changed_column_is_asked_about(storage: Storage) -> None:
    save(storage, 1, "orders", ORDERS)
    choice = storage.datasets.choose(["id", "email", "amount", "till"], file="orders.csv")
    assert (choice.ask, choice.missing, choice.added) == (True, ("shop",), ("till",))


def test_another_table_is_asked_about(storage: Storage) -> None:
    save(storage, 1, "orders", ORDERS)
    choice = storage.datasets.choose(CUSTOMERS, dataset=" orders ")
    assert (choice.name, choice.ask) == ("orders", True)
    assert (choice.missing, choice.added) == (("email", "amount", "shop"), ("name", "city", "phone"))


def test_an_older_report_tells_its_columns_by_its_checks(storage: Storage) -> None:
    ran = [{"check": "nulls", "column": name, "params": {}, "outcome": "passed"} for name in ORDERS]
    ran.append({"check": "duplicates", "column": "*", "params": {}, "outcome": "passed"})
    save(storage, 1, "orders", ORDERS, coverage={"columns": len(ORDERS), "ran": ran})
    assert storage.datasets.choose(CUSTOMERS, file="orders.csv").ask
    assert storage.datasets.choose(ORDERS, file="orders.csv").columns_known


def test_a_report_with_findings_alone_tells_a_part_of_its_columns(storage: Storage) -> None:
    save(storage, 1, "orders", ORDERS, ["email"], coverage={})
    assert not storage.datasets.choose(ORDERS, file="orders.csv").ask
    assert storage.datasets.choose(ORDERS, file="orders.csv").added == ()
    assert storage.datasets.choose(CUSTOMERS, file="orders.csv").ask


def test_a_report_without_columns_asks_nothing(storage: Storage) -> None:
    save(storage, 1, "orders", [], coverage={})
    choice = storage.datasets.choose(ORDERS, file="orders.csv")
    assert (choice.reason, choice.ask, choice.columns_known) == (ChoiceReason.JOINS, False, False)


def test_the_former_name_is_kept_where_its_columns_match(storage: Storage) -> None:
    save(storage, 1, "orders_2025_w", ORDERS)
    choice = storage.datasets.choose(ORDERS, file="orders_2025_w48.csv")
    assert (choice.name, choice.reason, choice.adoptable) == ("orders_2025_w", ChoiceReason.FORMER_NAME, "")


def test_the_former_name_is_kept_with_a_question_where_a_column_changed(storage: Storage) -> None:
    save(storage, 1, "orders_2025_w", ORDERS)
    choice = storage.datasets.choose([*ORDERS, "till"], file="orders_2025_w48.csv")
    assert (choice.name, choice.reason, choice.ask) == ("orders_2025_w", ChoiceReason.FORMER_NAME, True)


def test_the_history_of_another_table_under_the_former_name_is_offered(storage: Storage) -> None:
    save(storage, 1, "public", CUSTOMERS)
    choice = storage.datasets.choose(ORDERS, file="public.orders.csv")
    assert (choice.name, choice.reason, choice.ask) == ("public.orders", ChoiceReason.NEW, False)
    assert (choice.adoptable, choice.adoptable_count, choice.adoptable_mixed) == ("public", 1, False)


@pytest.mark.parametrize("last", [ORDERS, CUSTOMERS])
def test_a_former_dataset_of_several_tables_is_never_joined_by_itself(
    storage: Storage, last: list[str]
) -> None:
    save(storage, 1, "public", CUSTOMERS)
    save(storage, 2, "public", ORDERS)
    save(storage, 3, "public", last)
    choice = storage.datasets.choose(ORDERS, file="public.orders.csv")
    assert (choice.name, choice.adoptable, choice.adoptable_mixed) == ("public.orders", "public", True)


def test_tables_that_take_turns_are_several(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS)
    save(storage, 2, "public", ["id", "email", "amount", "till"])
    save(storage, 3, "public", ORDERS)
    assert storage.datasets.choose(ORDERS, file="public.orders.csv").adoptable_mixed


def test_a_dataset_that_is_there_under_its_own_name_is_joined(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS)
    save(storage, 2, "public.orders", ORDERS)
    choice = storage.datasets.choose(ORDERS, file="public.orders.csv")
    assert (choice.name, choice.reason) == ("public.orders", ChoiceReason.JOINS)


@pytest.mark.parametrize(
    ("file", "name", "former"),
    [
        ("public.customers.csv", "public.customers", "public"),
        ("sales.north.2025.csv", "sales.north", "sales"),
        ("01.orders.csv", "orders", "01"),
        ("2025-11-21.orders.csv", "orders", "2025-11-21"),
        ("table2.csv", "table2", "table"),
    ],
)
def test_a_former_name_that_other_tables_may_share_is_kept_for_the_same_columns_only(
    storage: Storage, file: str, name: str, former: str
) -> None:
    save(storage, 1, former, ORDERS)
    kept = storage.datasets.choose(ORDERS, file=file)
    assert (kept.name, kept.reason, kept.ask) == (former, ChoiceReason.FORMER_NAME, True)
    choice = storage.datasets.choose([*ORDERS, "till"], file=file)
    assert (choice.name, choice.reason, choice.adoptable) == (name, ChoiceReason.NEW, former)
    assert not choice.adoptable_mixed


def test_a_shared_former_name_is_confirmed_once_for_each_table(storage: Storage) -> None:
    save(storage, 1, "public", ORDERS)
    save(storage, 2, "public", ORDERS, file="public.orders.2025-11-21.csv")
    assert not storage.datasets.choose(ORDERS, file="public.orders.csv").ask
    other = storage.datasets.choose(ORDERS, file="public.returns.csv")
    assert (other.name, other.ask) == ("public", True)


@pytest.mark.parametrize(
    ("file", "former"),
    [
        ("orders_w48.csv", "orders_w"),
        ("orders_nov_2025.csv", "orders_nov"),
        ("h1_2025_orders.csv", "h1_2025_orders"),
        ("20251121T000000_orders.csv", "20251121T000000_orders"),
    ],
)
def test_a_former_name_with_the_whole_table_name_is_kept(storage: Storage, file: str, former: str) -> None:
    save(storage, 1, former, ORDERS)
    choice = storage.datasets.choose(ORDERS, file=file)
    assert (choice.name, choice.reason, choice.ask) == (former, ChoiceReason.FORMER_NAME, False)


def earlier(columns: Sequence[str]) -> dict[str, Any]:
    """Return what reports of earlier versions know of a table: the columns of its checks."""
    ran = [{"check": "nulls", "column": name, "params": {}, "outcome": "passed"} for name in columns]
    return {"columns": len(columns), "ran": ran}


def test_a_dataset_of_several_tables_is_asked_about_though_its_name_is_right(storage: Storage) -> None:
    for day, columns in enumerate((ORDERS, CUSTOMERS, ORDERS), start=1):
        save(storage, day, "orders", columns, coverage=earlier(columns))
    choice = storage.datasets.choose(ORDERS, file="orders.csv")
    assert (choice.name, choice.reason, choice.ask) == ("orders", ChoiceReason.MIXED, True)
    assert (choice.missing, choice.added) == ((), ())
    assert not storage.datasets.choose(ORDERS, dataset="orders").ask
    save(storage, 4, "orders", ORDERS)
    assert storage.datasets.choose(ORDERS, file="orders.csv").reason is ChoiceReason.JOINS
