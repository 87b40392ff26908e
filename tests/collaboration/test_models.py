"""The public models: what they hold, and their dictionaries, 0.7.1's too."""

from __future__ import annotations

import datetime as dt

import pytest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.errors import InvalidInputError
from lavendertown.models import GhostFinding
from lavendertown.rules.models import Rule, RuleSet

WHEN = dt.datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=dt.timezone(dt.timedelta(hours=9)))


def finding(dataset: str | None = "people") -> GhostFinding:
    metadata = {"check": "nulls", "params": {}, "count": 2, "share": 0.5}
    return GhostFinding(
        "null",
        "email",
        "warning",
        "email is empty in 2 of 4 rows",
        [0, 3],
        metadata | ({"dataset": dataset} if dataset else {}),
    )


def annotation() -> Annotation:
    return Annotation("a1", "finding_123", "Bob", WHEN, "Looks odd", ["data-entry"], "reviewed", 3)


def report() -> ShareableReport:
    rules = RuleSet("strict", "No nulls", [Rule("r1", "no nulls", "not_null", "email", {"limit": 0}, False)])
    return ShareableReport(
        "r1", "Week 12", "Alice", WHEN, [finding()], [annotation()], rules, {"dataset": "people"}, 4
    )


def test_a_report_survives_its_dictionary() -> None:
    assert ShareableReport.from_dict(report().to_dict()) == report()


def test_an_annotation_survives_its_dictionary() -> None:
    assert Annotation.from_dict(annotation().to_dict()) == annotation()


def test_a_finding_survives_its_dictionary() -> None:
    assert GhostFinding.from_dict(finding().to_dict()) == finding()


def test_dictionaries_of_0_7_without_version_are_read() -> None:
    old = report().to_dict()
    del old["version"], old["annotations"][0]["version"]
    made = ShareableReport.from_dict(old)
    assert made.version is None
    assert made.annotations[0].version is None
    assert made.title == "Week 12"


def test_keys_that_nobody_knows_are_ignored() -> None:
    assert GhostFinding.from_dict(finding().to_dict() | {"future": 1}) == finding()
    assert ShareableReport.from_dict(report().to_dict() | {"future": 1}) == report()


@pytest.mark.parametrize("key", ["ghost_type", "column", "severity", "description"])
def test_a_finding_without_a_required_key_is_refused_by_name(key: str) -> None:
    data = finding().to_dict()
    del data[key]
    with pytest.raises(InvalidInputError, match=key):
        GhostFinding.from_dict(data)


@pytest.mark.parametrize("key", ["id", "title", "author", "created_at"])
def test_a_report_without_a_required_key_is_refused_by_name(key: str) -> None:
    data = report().to_dict()
    del data[key]
    with pytest.raises(InvalidInputError, match=key):
        ShareableReport.from_dict(data)


@pytest.mark.parametrize("time", ["yesterday", 17, [], "2026-13-01"])
def test_a_time_that_is_none_is_refused_in_words(time: object) -> None:
    with pytest.raises(InvalidInputError, match="ISO 8601"):
        Annotation.from_dict(annotation().to_dict() | {"timestamp": time})


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'loud'.*info, warning, error"):
        GhostFinding("null", "email", "loud", "x")


def test_an_unknown_severity_is_a_value_error_as_in_0_7() -> None:
    with pytest.raises(ValueError, match="loud"):
        GhostFinding("null", "email", "loud", "x")


def test_models_can_be_assigned_to() -> None:
    made = report()
    made.title = "Another"
    made.findings.append(finding())
    assert made.to_dict()["title"] == "Another"


def test_two_reports_do_not_share_their_lists() -> None:
    first, second = (ShareableReport(name, "t", "a", WHEN) for name in "xy")
    first.findings.append(finding())
    first.metadata["k"] = 1
    assert second.findings == []
    assert second.metadata == {}


def test_get_finding_id_uses_the_findings_own_dataset() -> None:
    assert get_finding_id(finding()) == compute_fingerprint(finding())


def test_get_finding_id_uses_another_dataset_when_told() -> None:
    assert get_finding_id(finding(), "orders") == compute_fingerprint(finding("orders"))
    assert get_finding_id(finding(), "orders") != get_finding_id(finding())


def test_get_finding_id_leaves_the_finding_as_it_is() -> None:
    made = finding()
    get_finding_id(made, "orders")
    assert made == finding()


def test_a_made_report_names_its_dataset_in_each_finding() -> None:
    bare = finding(None)
    ShareableReport("r", "t", "a", WHEN, [bare], metadata={"dataset": "people"})
    assert get_finding_id(bare) == get_finding_id(finding())


def test_a_finding_keeps_the_dataset_it_came_with() -> None:
    made = ShareableReport("r", "t", "a", WHEN, [finding()], metadata={"dataset": "orders"})
    assert made.findings[0].metadata["dataset"] == "people"


def test_a_rule_set_survives_its_dictionary_and_can_be_edited() -> None:
    rules = report().ruleset
    assert rules is not None
    assert RuleSet.from_dict(rules.to_dict()) == rules
    rules.add_rule(Rule("r2", "", "range"))
    assert rules.remove_rule("r1")
    assert not rules.remove_rule("r1")
    assert [rule.name for rule in rules.rules] == ["r2"]
