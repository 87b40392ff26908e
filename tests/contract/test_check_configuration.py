"""The check configuration of a dataset on every store, and what a changed check says about findings."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.errors import ConflictError, InvalidInputError
from lavendertown.inbox import inbox
from lavendertown.inbox.run_tables import RunTable, read_run_table
from lavendertown.inspector import Inspector
from lavendertown.records.store import Store
from lavendertown.rules.check_configuration import CheckConfiguration, ColumnSettings
from lavendertown.rules.models import Rule, RuleSet
from tests.contract.builders import annotation, at

BAD = pd.DataFrame({"id": range(40), "amount": [None if i < 4 else i % 7 for i in range(40)]})
GOOD = BAD.assign(amount=[i % 7 for i in range(40)])


def save_run(storage: Storage, hour: int, checks: Any, frame: pd.DataFrame = BAD) -> list[str]:
    inspector = Inspector(frame, dataset="orders", checks=checks)
    findings = inspector.detect()
    metadata = {"dataset": "orders", "coverage": inspector.coverage()}
    storage.save_report(ShareableReport(f"r{hour}", "Orders", "Ana", at(hour), findings, metadata=metadata))
    return [get_finding_id(each) for each in findings]


def state(storage: Storage, name: str) -> str:
    (row,) = storage.inbox.load_rows([name])
    return str(row["seen"])


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ({"checks": {"nulls": False}}, "not_checked"),
        ({"columns": {"amount": {"optional": True}}}, "not_checked"),
        ({"columns": {"am*": {"checks": {"nulls": False}}}}, "not_checked"),
        ({"checks": {"nulls": {"max_share": 0.5}}}, "check_changed"),
    ],
)
def test_a_finding_of_a_changed_check_is_neither_passing_nor_gone(
    storage: Storage, checks: Any, expected: str
) -> None:
    (name,) = save_run(storage, 1, None)
    assert save_run(storage, 2, checks) == []
    assert state(storage, name) == expected
    compared = storage.reports.compare("r2", "r1")
    assert compared is not None
    assert [row["change"] for row in compared["findings"]] == [expected]
    assert save_run(storage, 3, None) == [name]
    assert state(storage, name) == "ongoing"


def test_with_the_same_settings_a_finding_passes(storage: Storage) -> None:
    checks = {"checks": {"nulls": {"max_share": 0.05}}}
    (name,) = save_run(storage, 1, None)
    assert save_run(storage, 2, checks) == [name]
    assert save_run(storage, 3, checks, GOOD) == []
    assert state(storage, name) == "passing"
    # Without the tolerance it is another check again, although it found nothing.
    save_run(storage, 4, None, GOOD)
    assert state(storage, name) == "check_changed"


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.05), (0.5, None)], ids=["tightened", "removed"])
def test_a_finding_that_a_stricter_check_brings_is_not_new(
    storage: Storage, before: float, after: float | None
) -> None:
    loose = {"checks": {"nulls": {"max_share": before}}}
    strict = {"checks": {"nulls": {"max_share": after}}} if after else None
    assert save_run(storage, 1, loose) == []
    (name,) = save_run(storage, 2, strict)
    assert state(storage, name) == "check_changed"
    (row,) = storage.inbox.load_rows([name])
    assert row["attention"] == []
    assert storage.inbox.count(seen="check_changed") == 1
    compared = storage.reports.compare("r2", "r1")
    assert compared is not None
    assert [row["change"] for row in compared["findings"]] == ["check_changed"]
    save_run(storage, 3, strict)
    assert state(storage, name) == "ongoing"
    storage.delete_report("r1")
    storage.delete_report("r3")
    assert state(storage, name) == "new"


def test_a_fixed_finding_that_a_stricter_check_brings_back_has_not_regressed(storage: Storage) -> None:
    loose = {"checks": {"nulls": {"max_share": 0.5}}}
    (name,) = save_run(storage, 1, None)
    storage.save_annotation(annotation(name, status="fixed", timestamp=at(1)))
    save_run(storage, 2, loose)
    assert state(storage, name) == "check_changed"
    save_run(storage, 3, None)
    assert state(storage, name) == "check_changed"
    save_run(storage, 4, None)
    assert state(storage, name) == "ongoing"


def test_another_severity_is_not_another_check(storage: Storage) -> None:
    (name,) = save_run(storage, 1, {"checks": {"nulls": {"severity": "info"}}})
    save_run(storage, 2, {"checks": {"nulls": {"severity": "error"}}}, GOOD)
    assert state(storage, name) == "passing"


def test_the_configuration_of_a_dataset_is_stored_with_versions(storage: Storage) -> None:
    assert storage.dataset_settings.load_checks("orders") == CheckConfiguration()
    assert storage.dataset_settings.read_version("orders") == 0
    configuration = CheckConfiguration(columns={"note": ColumnSettings(optional=True)})
    first = storage.dataset_settings.save_checks("orders", configuration, actor="Ana", version=0)
    assert storage.dataset_settings.load_checks("orders") == configuration
    storage.dataset_settings.save("orders", "reading", {"delimiter": ";"}, actor="Ben")
    with pytest.raises(ConflictError):
        storage.dataset_settings.save_checks("orders", CheckConfiguration(), actor="Ana", version=first)
    assert storage.dataset_settings.load_checks("orders") == configuration
    newest = storage.dataset_settings.read_version("orders")
    storage.dataset_settings.save_checks("orders", CheckConfiguration(), actor="Ana", version=newest)
    assert storage.dataset_settings.load_checks("orders") == CheckConfiguration()
    assert storage.dataset_settings.load("orders", "reading") == {"delimiter": ";"}
    actors = [event["actor"] for event in storage.audit_log(component="dataset_settings")]
    assert actors == ["Ana", "Ben", "Ana"]


def test_rule_sets_of_a_dataset_run_with_its_own_rules(storage: Storage) -> None:
    own, shared = Rule("a", "", "not_null", "amount"), Rule("a", "", "unique", "amount")
    other = Rule("b", "", "unique", "id")
    storage.save_ruleset(RuleSet("shop", "", [shared, other]))
    configuration = CheckConfiguration(rules=(own,), rule_sets=("shop",))
    storage.dataset_settings.save_checks("orders", configuration, actor="Ana")
    to_run = storage.dataset_settings.load_checks_to_run("orders")
    assert (to_run.rules, to_run.rule_sets) == ((own, other), ())
    storage.rulesets.delete("shop")
    with pytest.raises(InvalidInputError, match="'shop', which is not stored or was deleted"):
        storage.dataset_settings.load_checks_to_run("orders")


def test_whole_reports_are_read_only_where_settings_changed(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def read_table(store: Store, report_id: str) -> RunTable:
        read.append(report_id)
        return read_run_table(store, report_id)

    monkeypatch.setattr(inbox, "read_run_table", read_table)
    (name,) = save_run(storage, 1, None)
    storage.save_annotation(annotation(name, status="fixed", timestamp=at(1)))
    save_run(storage, 2, None, GOOD)
    save_run(storage, 3, None)
    assert state(storage, name) == "regressed"
    assert read == []
