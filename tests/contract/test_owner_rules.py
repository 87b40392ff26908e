"""Owner rules assign new findings when their report is saved, on every store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lavendertown.collaboration.parts.ownership import OWNER_RULES, TEAM
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR, Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core.owner_rules import create_owner_rule
from lavendertown.errors import ConflictError, InvalidInputError
from tests.contract import test_adoption
from tests.contract.builders import annotation, at, finding, report
from tests.contract.test_desk import name_of, row_of, run


@pytest.fixture(autouse=True)
def owners(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = "dataset:ord* column:email = Ana, dataset:orders=Ben , column:*_city = Cy"
    monkeypatch.setenv("LAVENDERTOWN_TRIAGE_OWNERS", rules)


def test_the_first_rule_that_matches_assigns_a_new_finding(storage: Storage) -> None:
    storage.save_report(run(1, "email", "zip"))
    storage.save_report(run(2, "ZIP_CITY", "email", dataset="Other"))
    owners = {(row["dataset"], row["column"]): row["assignee"] for row in storage.inbox.query()}
    assert owners == {
        ("orders", "email"): "Ana",
        ("orders", "zip"): "Ben",
        ("Other", "ZIP_CITY"): "Cy",
        ("Other", "email"): "",
    }
    assert storage.inbox.count(assignee="Ana") == 1


def test_a_rule_for_a_column_applies_to_findings_of_several_columns(storage: Storage) -> None:
    storage.save_report(report(findings=[finding("id, home_city")], metadata={"dataset": "people"}))
    assert row_of(storage, "id, home_city", "people")["assignee"] == "Cy"


def test_the_audit_log_names_the_rule(storage: Storage) -> None:
    storage.save_report(run(1, "email"))
    (event,) = storage.audit.query(finding_id=name_of())
    assert (event["actor"], event["operation"], event["before"]) == (AUTOMATIC_ACTOR, "create", None)
    assert (event["after"]["assignee"], event["after"]["owner_rule"]) == ("Ana", "dataset:ord* column:email")
    assert storage.triage.load(name_of())["owner_rule"] == "dataset:ord* column:email"
    assert event["at"] == storage.audit.query(component="report")[0]["at"]


def test_saving_the_same_report_again_changes_nothing(storage: Storage) -> None:
    storage.save_report(run(1, "email"))
    row = row_of(storage)
    storage.save_report(run(1, "email"))
    storage.save_report(run(2, "email"))
    assert len(storage.audit.query(component="finding")) == 1
    assert row_of(storage)["version"] == row["version"] == 1


@pytest.mark.parametrize("assignee", ["Dan", ""])
def test_what_a_person_chose_stays(storage: Storage, assignee: str) -> None:
    storage.save_report(run(1, "email"))
    storage.triage.decide(name_of(), Decision(assignee=assignee), actor="Dan")
    assert (row_of(storage)["assignee"], row_of(storage)["owner_rule"]) == (assignee, "")
    storage.delete_report("orders 1")
    storage.save_report(run(2, "email"))
    assert row_of(storage)["assignee"] == assignee


def test_a_decision_before_the_first_run_stays(storage: Storage) -> None:
    storage.triage.decide(name_of(), Decision(assignee="Dan"), actor="Dan")
    storage.save_report(run(1, "email"))
    assert row_of(storage)["assignee"] == "Dan"


def test_findings_that_earlier_runs_had_are_not_new(
    open_storage: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage().save_report(run(1, "phone", dataset="other"))
    monkeypatch.setenv("LAVENDERTOWN_TRIAGE_OWNERS", "dataset:other = Eve")
    storage = open_storage()
    storage.save_report(run(2, "phone", "fax", dataset="other"))
    assert {row["column"]: row["assignee"] for row in storage.inbox.query()} == {"phone": "", "fax": "Eve"}


def test_an_assigned_finding_is_new_until_a_person_acts(storage: Storage) -> None:
    storage.save_report(run(1, "email"))
    assert row_of(storage)["attention"] == ["new"]
    storage.save_annotation(annotation(name_of(), timestamp=at(30)))
    assert row_of(storage)["attention"] == []


def test_a_renamed_column_keeps_its_assignee(storage: Storage) -> None:
    test_adoption.save(storage, 0, test_adoption.table())
    found = test_adoption.rows(storage)["billing_city"]
    assert found["assignee"] == "Ben", "the dataset's rule comes first"
    storage.triage.decide(found["finding_id"], Decision(assignee="Dan"), actor="Dan")
    test_adoption.save(storage, 1, test_adoption.table(billing_city="Ort"))
    (row,) = storage.inbox.query()
    assert (row["column"], row["assignee"], row["owner_rule"], row["times_seen"]) == ("Ort", "Dan", "", 2)


# Rules of the team


def test_the_rules_of_the_team_come_after_those_of_the_settings(storage: Storage) -> None:
    rules = [create_owner_rule("ord*", "", "Eve"), create_owner_rule("", "zip", "Finn")]
    assert storage.owner_rules.save(rules, actor="Maya") == 1
    assert storage.owner_rules.list_stored() == rules
    assert [rule.owner for rule in storage.owner_rules.list_all()] == ["Ana", "Ben", "Cy", "Eve", "Finn"]
    storage.save_report(run(1, "zip"))
    storage.save_report(run(2, "zip", "phone", dataset="Order lines"))
    storage.save_report(run(3, "zip", "phone", dataset="people"))
    owners = {(row["dataset"], row["column"]): row["assignee"] for row in storage.inbox.query()}
    assert owners == {
        ("orders", "zip"): "Ben",
        ("Order lines", "zip"): "Eve",
        ("Order lines", "phone"): "Eve",
        ("people", "zip"): "Finn",
        ("people", "phone"): "",
    }
    assert row_of(storage, "zip", "people")["owner_rule"] == "column:zip"


def test_a_change_of_the_rules_is_audited_and_notices_others(storage: Storage) -> None:
    first = [create_owner_rule("a", "", "Eve")]
    version = storage.owner_rules.save(first, actor="Maya")
    storage.owner_rules.save([*first, create_owner_rule("b", "", "Finn")], actor="Ben", version=version)
    with pytest.raises(ConflictError):
        storage.owner_rules.save([], actor="Maya", version=version)
    storage.owner_rules.save([], actor="Maya")
    assert storage.owner_rules.list_stored() == []
    events = storage.audit.query(component="dataset_settings")
    assert [(event["actor"], event["operation"]) for event in events] == [
        ("Maya", "update"),
        ("Ben", "update"),
        ("Maya", "create"),
    ]
    assert events[1]["after"]["settings"] == {
        "owner_rules": {"rules": ["dataset:a = Eve", "dataset:b = Finn"]}
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("", " ", "Ana"), "needs a dataset, a column or both"),
        (("orders", "", " "), "needs a person"),
        (("orders", "", "Ana = Ben"), "cannot be stored"),
        (("a column:b", "", "Ana"), "cannot be stored"),
        (("orders", "", "A\nna"), "cannot be stored"),
        (("orders", "", "A\0"), "cannot be stored"),
        (("o" * 300, "", "Ana"), "cannot be stored"),
        (("orders", "", "A" * 256), "cannot be stored"),
    ],
)
def test_a_rule_that_cannot_be_written_as_text_is_refused(values: tuple[str, str, str], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        create_owner_rule(*values)


@pytest.mark.parametrize("values", [("a=b", "", "Ana"), ("", "x column", "Ana"), ("column:x", "y z", "A B")])
def test_an_unusual_rule_is_read_as_it_was_written(storage: Storage, values: tuple[str, str, str]) -> None:
    rule = create_owner_rule(*values)
    storage.owner_rules.save([rule], actor="Maya")
    assert storage.owner_rules.list_stored() == [rule]


def test_too_many_rules_are_refused(storage: Storage) -> None:
    rules = [create_owner_rule(f"d{number}", "", "Ana") for number in range(1_001)]
    with pytest.raises(InvalidInputError, match="There are 1,001 owner rules; the limit is 1,000"):
        storage.owner_rules.save(rules, actor="Maya")


def test_stored_rules_that_another_program_broke_are_refused_in_one_sentence(storage: Storage) -> None:
    storage.dataset_settings.save(TEAM, OWNER_RULES, {"rules": ["Ana"]}, actor="Maya")
    with pytest.raises(InvalidInputError, match="The stored owner rules cannot be used"):
        storage.owner_rules.list_stored()
    with pytest.raises(InvalidInputError, match="The stored owner rules cannot be used"):
        storage.save_report(run(1, "zip"))
    storage.owner_rules.save([], actor="Maya")
    storage.save_report(run(1, "zip"))
