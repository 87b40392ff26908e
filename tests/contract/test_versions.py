"""Saving again updates; whoever edits an old version is told who was faster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError
from lavendertown.rules.models import Rule, RuleSet
from tests.contract.builders import annotation, at, finding, ids, report


def load(storage: Storage, report_id: str = "r1") -> ShareableReport:
    loaded = storage.load_report(report_id)
    assert loaded is not None
    return loaded


def test_a_loaded_report_has_its_version(storage: Storage) -> None:
    storage.save_report(report())
    assert load(storage).version == 1
    storage.save_report(report())
    assert load(storage).version == 2
    assert storage.query_reports()[0]["version"] == 2


def test_saving_again_updates_the_whole_report(storage: Storage) -> None:
    storage.save_report(report(findings=[finding("a"), finding("b")], metadata={"dataset": "old", "k": 1}))
    storage.save_report(
        report(findings=[finding("c", severity="error")], title="New", created_at=at(5), author="eve")
    )
    assert storage.count_reports() == 1
    assert (
        load(storage).to_dict()
        == report(
            findings=[finding("c", severity="error")], title="New", created_at=at(5), author="eve", version=2
        ).to_dict()
    )
    (row,) = storage.query_reports()
    assert (row["title"], row["author"], row["dataset"]) == ("New", "eve", "")
    assert (row["finding_count"], row["error_count"], row["warning_count"]) == (1, 1, 0)
    assert [row["column"] for row in storage.query_findings()] == ["c"]


def test_a_loaded_report_can_be_changed_and_saved(storage: Storage) -> None:
    storage.save_report(report())
    mine = load(storage)
    mine.title = "Renamed"
    storage.save_report(mine)
    assert load(storage).title == "Renamed"


def test_a_stale_writer_is_refused_and_told_what_and_who(
    storage: Storage, open_storage: Callable[[], Storage]
) -> None:
    storage.save_report(report())
    mine = load(storage)
    theirs = load(open_storage())
    theirs.title = "Theirs"
    storage.save_report(theirs, actor="carol")
    mine.title = "Mine"
    with pytest.raises(ConflictError) as refused:
        storage.save_report(mine)
    assert load(storage).title == "Theirs"
    assert "'r1'" in str(refused.value)
    assert (refused.value.kind, refused.value.record_id, refused.value.stored_version) == ("report", "r1", 2)
    assert refused.value.changed_by == "carol"
    assert "carol" in str(refused.value)


def test_a_refused_writer_leaves_no_trace(storage: Storage) -> None:
    storage.save_report(report())
    stale = load(storage)
    storage.save_report(report())
    stale.annotations.append(annotation(id="new"))
    before = storage.revision()
    with pytest.raises(ConflictError):
        storage.save_report(stale)
    assert storage.revision() == before
    assert storage.annotations.load("new") is None
    assert len(storage.audit_log()) == 2


def test_a_report_without_a_version_updates_whatever_is_stored(storage: Storage) -> None:
    for title in ("one", "two", "three"):
        storage.save_report(report(title=title))
    assert (load(storage).title, load(storage).version) == ("three", 3)


def test_a_stale_annotation_is_refused_and_names_who_was_faster(storage: Storage) -> None:
    storage.save_annotation(annotation("f1", id="a1"))
    stale = storage.annotations.load("a1")
    assert stale is not None
    assert stale.version == 1
    storage.save_annotation(annotation("f1", id="a1", comment="Changed"), actor="carol")
    stale.comment = "Mine"
    with pytest.raises(ConflictError) as refused:
        storage.save_annotation(stale)
    assert storage.get_annotations("f1")[0].comment == "Changed"
    assert (refused.value.kind, refused.value.record_id, refused.value.stored_version) == (
        "annotation",
        "a1",
        2,
    )
    assert refused.value.changed_by == "carol"


def test_saving_an_annotation_again_updates_it(storage: Storage) -> None:
    storage.save_annotation(annotation("f1", id="a1", tags=["old"], status="fixed"))
    storage.save_annotation(annotation("f2", id="a1", tags=["new"], timestamp=at(2), author="eve"))
    assert storage.get_annotations("f1") == []
    (found,) = storage.get_annotations("f2")
    assert (found.tags, found.status, found.author, found.timestamp, found.version) == (
        ["new"],
        None,
        "eve",
        at(2),
        2,
    )


def test_saving_a_rule_set_again_updates_it(storage: Storage) -> None:
    storage.save_ruleset(RuleSet("s", "old", [Rule("r", "", "range")]))
    storage.save_ruleset(RuleSet("s", "new"))
    assert storage.load_ruleset("s") == RuleSet("s", "new")
    assert storage.query_rulesets()[0]["version"] == 2


@pytest.mark.parametrize("name", ["nobody", "../x", "a/b", "", ".hidden", "x" * 300, "a\x00b", "\ud800"])
def test_an_unknown_id_is_none_false_or_empty(storage: Storage, name: str) -> None:
    assert storage.load_report(name) is None
    assert storage.reports.find(name) is None
    assert storage.reports.load_metadata(name) == {}
    assert storage.annotations.load(name) is None
    assert storage.load_ruleset(name) is None
    assert storage.get_annotations(name) == []
    assert storage.findings.load_rows(name, 0) == []
    assert not storage.delete_report(name)
    assert not storage.restore_report(name)
    assert not storage.delete_annotation(name)
    assert not storage.restore_annotation(name)
    assert not storage.rulesets.delete(name)
    assert storage.findings.resolve_id(name) == name
    assert storage.audit_log(record_id=name or "nobody") == []
    assert storage.audit_log() == []


# Annotations a report carries


def test_carried_annotations_are_saved_with_the_report(storage: Storage) -> None:
    mine = annotation(id="a1", tags=["x"], status="reviewed")
    storage.save_report(report(annotations=[mine]))
    assert [found.id for found in load(storage).annotations] == ["a1"]
    assert storage.get_annotations(mine.finding_id)[0].tags == ["x"]


def test_a_carried_annotation_on_a_finding_of_no_report_comes_back_with_its_report(storage: Storage) -> None:
    storage.save_report(report(annotations=[annotation("finding_123", id="a1")]))
    assert [found.id for found in load(storage).annotations] == ["a1"]


def test_loading_brings_every_live_annotation_on_the_findings(storage: Storage) -> None:
    storage.save_report(report(findings=[finding("a"), finding("b")]))
    for number, about in enumerate([finding("a"), finding("b"), finding("elsewhere")]):
        storage.save_annotation(annotation(about, id=f"a{number}", timestamp=at(number)))
    storage.save_annotation(annotation(finding("a"), id="gone"))
    storage.delete_annotation("gone")
    assert [found.id for found in load(storage).annotations] == ["a0", "a1"]


def test_annotations_a_report_does_not_carry_stay(storage: Storage) -> None:
    storage.save_report(report(annotations=[annotation(id="a1"), annotation("finding_123", id="a2")]))
    storage.save_annotation(annotation(id="a3"))
    storage.save_report(report(annotations=[]))
    assert sorted(found.id for found in load(storage).annotations) == ["a1", "a2", "a3"]


def test_a_carried_annotation_that_did_not_change_is_left_alone(storage: Storage) -> None:
    storage.save_report(report(annotations=[annotation(id="a1")]))
    mine = load(storage)
    mine.title = "Renamed"
    storage.save_report(mine)
    (note,) = load(storage).annotations
    assert note.version == 1
    assert len(storage.audit_log(component="annotation")) == 1


def test_a_carried_annotation_that_was_edited_is_saved(storage: Storage) -> None:
    storage.save_report(report(annotations=[annotation(id="a1")]))
    mine = load(storage)
    mine.annotations[0].comment = "Edited"
    storage.save_report(mine)
    assert (load(storage).annotations[0].comment, load(storage).annotations[0].version) == ("Edited", 2)


def test_a_carried_annotation_that_changed_meanwhile_is_refused_with_the_report(storage: Storage) -> None:
    storage.save_report(report(annotations=[annotation(id="a1")]))
    mine = load(storage)
    storage.save_annotation(annotation(id="a1", comment="Theirs"), actor="carol")
    mine.title = "Mine"
    with pytest.raises(ConflictError) as refused:
        storage.save_report(mine)
    assert (refused.value.kind, refused.value.record_id) == ("annotation", "a1")
    assert load(storage).title == "Week 12"
    assert load(storage).version == 1
    assert load(storage).annotations[0].comment == "Theirs"


def test_a_carried_annotation_that_was_deleted_meanwhile_is_not_brought_back(storage: Storage) -> None:
    storage.save_report(report(annotations=[annotation(id="a1")]))
    mine = load(storage)
    storage.delete_annotation("a1")
    with pytest.raises(ConflictError, match="a1"):
        storage.save_report(mine)
    assert load(storage).annotations == []


# Ids

REFUSED = [
    "",
    "../x",
    "a/b",
    "a\\b",
    "..",
    ".",
    ".hidden",
    "x" * 300,
    "é" * 150,
    "a\nb",
    "a\x00b",
    "\x7f",
    " a",
    "a ",
]
KEPT = [
    "my report #1",
    "ü",
    "a%2Fb",
    "CON",
    "nul",
    "a:b",
    "x" * 200,
    "é" * 100,
    "日本",
    "a..b",
    '*?<>|"',
    "~",
    "-rf",
    "$HOME",
    "A",
    "a",
]


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: repr(name)[:12])
def test_a_dangerous_id_is_refused_in_one_sentence(storage: Storage, name: str) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: storage.save_report(report(name)),
        lambda: storage.save_annotation(annotation("f1", id=name)),
        lambda: storage.save_annotation(annotation(name)),
        lambda: storage.save_ruleset(RuleSet(name, "")),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match=r"\bid\b|name") as refused:
            attempt()
        assert type(refused.value).__name__ == "InvalidInputError"
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 250
    assert storage.query_reports() == storage.query_annotations() == storage.query_rulesets() == []


def test_odd_but_fine_ids_are_kept_apart(storage: Storage) -> None:
    for name in KEPT:
        storage.save_report(report(name, title=f"title of {name}"))
        storage.save_annotation(annotation(name, id=name))
        storage.save_ruleset(RuleSet(name, f"rules of {name}"))
    assert sorted(ids(storage.query_reports())) == sorted(KEPT)
    for name in KEPT:
        assert load(storage, name).title == f"title of {name}"
        assert [found.id for found in storage.get_annotations(name)] == [name]
        rules = storage.load_ruleset(name)
        assert rules is not None
        assert rules.description == f"rules of {name}"


def test_ids_that_differ_only_in_form_are_two(storage: Storage) -> None:
    for name in ("é", "e\u0301", "Straße", "strasse", "ID", "id"):
        storage.save_report(report(name, title=name))
    assert storage.count_reports() == 6
    assert load(storage, "e\u0301").title == "e\u0301"
