"""Paging, order, counts and facets."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError
from lavendertown.rules.models import Rule, RuleSet
from tests.contract.builders import annotation, at, finding, ids, report


def test_reports_come_newest_first(storage: Storage) -> None:
    for name, hour in {"b": 2, "a": 3, "c": 1}.items():
        storage.save_report(report(name, created_at=at(hour)))
    assert ids(storage.query_reports()) == ["a", "b", "c"]


def test_reports_of_one_instant_come_by_id_descending(storage: Storage) -> None:
    names = ["a", "B", "z", "Z", "é", "e\u0301", "10", "9", "_", "日"]
    for name in names:
        storage.save_report(report(name))
    assert ids(storage.query_reports()) == sorted(names, reverse=True)


def test_a_microsecond_orders_two_reports(storage: Storage) -> None:
    storage.save_report(report("a", created_at=at(0).replace(microsecond=2)))
    storage.save_report(report("b", created_at=at(0).replace(microsecond=1)))
    assert ids(storage.query_reports()) == ["a", "b"]


def test_annotations_of_one_instant_come_by_id(storage: Storage) -> None:
    names = ["b", "A", "é", "a"]
    for name in names:
        storage.save_annotation(annotation("f1", id=name))
    assert [note.id for note in storage.get_annotations("f1")] == sorted(names)
    assert ids(storage.query_annotations()) == sorted(names, reverse=True)


def test_pages_put_together_are_the_whole_list(storage: Storage) -> None:
    storage.save_reports([report(f"r{n:02}", created_at=at(n // 3)) for n in range(23)])
    whole = ids(storage.query_reports(limit=None))
    paged = [name for start in range(0, 28, 4) for name in ids(storage.query_reports(limit=4, offset=start))]
    assert paged == whole
    assert len(set(whole)) == 23


def test_a_list_ends_at_100_unless_told_otherwise(storage: Storage) -> None:
    storage.save_reports([report(f"r{n}", [finding(f"c{i}") for i in range(2)]) for n in range(102)])
    assert len(storage.query_reports()) == 100
    assert len(storage.query_reports(limit=None)) == 102
    assert storage.count_reports() == 102
    assert len(storage.query_findings()) == 100
    assert len(storage.query_findings(limit=None)) == storage.findings.count() == 204


def test_odd_pages(storage: Storage) -> None:
    storage.save_report(report())
    assert storage.query_reports(limit=0) == []
    assert storage.query_reports(offset=5) == []
    assert ids(storage.query_reports(limit=None, offset=0)) == ["r1"]
    assert storage.query_reports(limit=None, offset=1) == []


@pytest.mark.parametrize("page", [{"limit": -1}, {"offset": -1}])
def test_a_negative_page_is_refused(storage: Storage, page: dict[str, int]) -> None:
    for ask in (
        storage.query_reports,
        storage.query_findings,
        storage.query_annotations,
        storage.query_rulesets,
    ):
        with pytest.raises(InvalidInputError, match="negative"):
            ask(**page)


def test_a_listed_report_says_everything_but_its_findings(storage: Storage) -> None:
    findings = [finding(name, severity=name) for name in ("error", "warning", "info")] + [
        finding("x", severity="error")
    ]
    storage.save_report(report("r1", findings, metadata={"dataset": "people", "tags": ["b", "a"]}))
    (row,) = storage.query_reports()
    updated = row.pop("updated_at")
    assert updated.utcoffset() is not None
    assert row == {
        "id": "r1", "title": "Week 12", "author": "alice", "dataset": "people", "created_at": at(0),
        "finding_count": 4, "error_count": 2, "warning_count": 1, "info_count": 1, "tags": ["b", "a"],
        "version": 1, "deleted_at": None,
    }  # fmt: skip
    assert storage.reports.find("r1") == row | {"updated_at": updated}


def test_what_is_listed_can_be_changed_freely(storage: Storage) -> None:
    storage.save_report(report("r1", metadata={"tags": ["a"], "deep": {"k": [1]}}))
    storage.query_reports()[0]["tags"].append("mine")
    storage.query_findings()[0]["metadata"]["mine"] = 1
    storage.reports.load_metadata("r1")["mine"] = 1
    loaded = storage.load_report("r1")
    assert loaded is not None
    loaded.metadata["deep"]["k"].append(2)
    loaded.findings[0].metadata["mine"] = 1
    assert storage.query_reports()[0]["tags"] == ["a"]
    assert "mine" not in storage.query_findings()[0]["metadata"]
    again = storage.load_report("r1")
    assert again is not None
    assert again.metadata == {"tags": ["a"], "deep": {"k": [1]}}
    assert "mine" not in again.findings[0].metadata


def test_findings_are_paged(storage: Storage) -> None:
    storage.save_report(report("r1", [finding(f"c{n}") for n in range(10)]))
    page = storage.query_findings(report_id="r1", limit=3, offset=4)
    assert [(row["column"], row["position"]) for row in page] == [("c4", 4), ("c5", 5), ("c6", 6)]


# Facets


def facet_town(storage: Storage) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = []
    for number in range(12):
        columns = [f"c{(number + step) % 4}" for step in range(number % 3)]
        severities = [("info", "warning", "error")[(number + step) % 3] for step in range(len(columns))]
        fact = {
            "author": f"author {number % 3}",
            "dataset": f"data {number % 2}",
            "severity": set(severities),
            "status": {"fixed" if column == "c1" else "open" for column in columns},
            "tag": {"weekly"} if number % 4 == 0 else set(),
        }
        fact["tag"] |= {"slow"} if "c2" in columns else set()
        findings = [finding(c, severity=s) for c, s in zip(columns, severities, strict=True)]
        metadata = {"dataset": fact["dataset"], "tags": ["weekly"] if number % 4 == 0 else []}
        storage.save_report(report(f"r{number}", findings, author=fact["author"], metadata=metadata))
        facts.append(fact)
    for dataset in ("data 0", "data 1"):
        about = {"check": "nulls", "params": {}, "dataset": dataset}
        storage.save_annotation(annotation(finding("c1", metadata=about), status="fixed"))
        storage.save_annotation(annotation(finding("c2", metadata=about), tags=["slow"]))
    return facts


def expected_facets(facts: list[dict[str, Any]], chosen: dict[str, set[str]]) -> dict[str, dict[str, int]]:
    facets: dict[str, dict[str, int]] = {}
    for by in ("author", "dataset", "status", "severity", "tag"):
        counts: Counter[str] = Counter()
        for fact in facts:
            values = {name: {value} if isinstance(value, str) else value for name, value in fact.items()}
            others = {name: wanted for name, wanted in chosen.items() if name != by and name != "tag"}
            if (
                all(wanted & values[name] for name, wanted in others.items())
                and chosen.get("tag", set()) <= values["tag"]
            ):
                counts.update(values[by])
        facets[by] = dict(counts)
    return facets


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"author": {"author 1"}},
        {"author": {"author 0", "author 2"}, "dataset": {"data 1"}},
        {"status": {"fixed"}},
        {"severity": {"error"}, "status": {"open"}},
        {"tag": {"slow"}},
        {"tag": {"slow", "weekly"}, "severity": {"info", "error"}},
        {"author": {"nobody"}},
    ],
    ids=lambda chosen: "+".join(chosen) or "all",
)
def test_facets_count_what_else_could_be_chosen(storage: Storage, chosen: dict[str, set[str]]) -> None:
    facts = facet_town(storage)
    asked: dict[str, Any] = {
        ("tags" if name == "tag" else name): sorted(wanted) for name, wanted in chosen.items()
    }
    assert storage.reports.count_by_value(**asked) == expected_facets(facts, chosen)


def test_facets_follow_dates_and_text(storage: Storage) -> None:
    storage.save_report(report("r1", created_at=at(0), author="ann", title="one"))
    storage.save_report(report("r2", created_at=at(48), author="ben", title="two"))
    assert storage.reports.count_by_value(start_date=at(1))["author"] == {"ben": 1}
    assert storage.reports.count_by_value(search="ONE")["author"] == {"ann": 1}


def test_facets_leave_deleted_reports_out(storage: Storage) -> None:
    storage.save_report(report("r1", author="ann"))
    storage.save_report(report("r2", author="ben"))
    storage.delete_report("r2")
    assert storage.reports.count_by_value()["author"] == {"ann": 1}


def test_what_is_said_changes_what_was_asked_before(storage: Storage) -> None:
    for name, columns in (("r1", "ab"), ("r2", "b"), ("r3", "c")):
        storage.save_report(report(name, [finding(column) for column in columns]))
    assert (storage.reports.count_by_value()["status"], ids(storage.query_reports(tags="odd"))) == (
        {"open": 3},
        [],
    )
    note = annotation(finding("b"), status="fixed", tags=["odd"])
    storage.save_annotation(note)
    assert storage.reports.count_by_value()["status"] == {"open": 2, "fixed": 2}
    assert set(ids(storage.query_reports(tags="odd"))) == {"r1", "r2"}
    storage.delete_annotation(note.id, actor="bob")
    assert storage.reports.count_by_value()["status"] == {"open": 3}
    assert ids(storage.query_reports(tags="odd")) == []


# Rule sets


def test_rule_sets_are_listed_by_name(storage: Storage) -> None:
    for name in ("b", "A", "é", "a"):
        storage.save_ruleset(RuleSet(name, f"about {name}", [Rule("r", "", "range")] * 2))
    rows = storage.query_rulesets()
    assert [row["name"] for row in rows] == sorted(["b", "A", "é", "a"])
    assert (rows[0]["description"], rows[0]["rule_count"], rows[0]["version"], rows[0]["deleted_at"]) == (
        "about A",
        2,
        1,
        None,
    )
    assert [row["name"] for row in storage.query_rulesets(limit=2, offset=1)] == ["a", "b"]


def test_rule_sets_are_searched_by_name_and_description(storage: Storage) -> None:
    storage.save_ruleset(RuleSet("Strict", "no nulls"))
    storage.save_ruleset(RuleSet("loose", "50% ÄRGER"))
    assert [row["name"] for row in storage.query_rulesets(search="STRICT")] == ["Strict"]
    assert [row["name"] for row in storage.query_rulesets(search="50% ärger")] == ["loose"]
    assert storage.query_rulesets(search="_") == []


def test_a_deleted_rule_set_is_hidden_until_restored(storage: Storage) -> None:
    storage.save_ruleset(RuleSet("s", "d"))
    assert storage.rulesets.delete("s")
    assert not storage.rulesets.delete("s")
    assert storage.load_ruleset("s") is None
    assert storage.query_rulesets() == []
    assert [row["name"] for row in storage.query_rulesets(include_deleted=True)] == ["s"]
    assert storage.rulesets.restore("s")
    assert storage.load_ruleset("s") == RuleSet("s", "d")


def test_several_findings_are_asked_for_at_once_by_any_of_their_ids(storage: Storage) -> None:
    storage.save_report(report("r1", [finding("a"), finding("b"), finding("c")]))
    first, _, third = storage.query_findings("r1")
    found = storage.query_findings(finding_id=[first["finding_id"], third["finding_id"], "nobody"])
    assert [row["column"] for row in found] == ["a", "c"]
    assert storage.findings.count(finding_id=(first["finding_id"],)) == 1
