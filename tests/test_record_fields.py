"""Every field of every record is declared, and the validators use the declarations."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.core import clock
from lavendertown.models import GhostFinding
from lavendertown.records import field_checks, field_kinds, validation
from lavendertown.records.field_checks import check_field_kinds
from lavendertown.records.fields import FIELDS, Field, searched_fields, summary_fields
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    FindingRecord,
    PersonRecord,
    ReportRecord,
    ReportSummary,
    RuleSetRecord,
    RuleSetSummary,
    TriageRecord,
    ViewRecord,
)
from lavendertown.rules.models import RuleSet
from lavendertown.stores.sql.schema.record_mapping import column_type
from lavendertown.stores.sql.schema.tables import RECORD_TABLES
from lavendertown.transfer.record_digests import hash_event, hash_record

NOW = clock.EPOCH
FINDING = FindingRecord("f", "old", "d", "null", "c", "info", "text", None, None, None, {})
SOUND: list[Any] = [
    FINDING,
    ReportRecord("r", "t", "a", "d", NOW, ("x",), {}, None, (FINDING,), NOW, 1),
    AnnotationRecord("a", "f", "bob", NOW, "text", (), None, None, NOW, 1),
    RuleSetRecord("s", "text", ({},), NOW, 1),
    TriageRecord("f", NOW),
    PersonRecord("Ana", NOW),
    ViewRecord("v", "Ana", {}, NOW),
    AuditEvent(NOW, "Ana", "report", "r", "create", None, {}),
]
IDS = [type(record).__name__ for record in SOUND]


def field_names(of: type) -> list[str]:
    return list(of._fields) if issubclass(of, tuple) else [each.name for each in dataclasses.fields(of)]


def changed(record: Any, name: str, value: object) -> Any:
    if isinstance(record, FindingRecord):
        return record._replace(**{name: value})
    return dataclasses.replace(record, **{name: value})


@pytest.mark.parametrize("of", FIELDS)
def test_every_field_of_a_record_is_declared_once(of: type) -> None:
    assert sorted(each.name for each in FIELDS[of]) == sorted(field_names(of))


@pytest.mark.parametrize("record", SOUND, ids=IDS)
def test_a_sound_record_passes(record: Any) -> None:
    check_field_kinds(record)


@pytest.mark.parametrize("record", SOUND, ids=IDS)
def test_a_value_of_the_wrong_kind_is_named(record: Any) -> None:
    for each in FIELDS[type(record)]:
        if each.kind is field_kinds.CHILDREN:
            continue
        change = (
            record._replace if isinstance(record, tuple) else lambda **new: dataclasses.replace(record, **new)
        )
        with pytest.raises(ValueError, match=f"^{each.name} is "):
            check_field_kinds(change(**{each.name: {7}}))


@pytest.mark.parametrize("record", [each for each in SOUND if type(each) is not FindingRecord])
def test_every_declared_limit_is_enforced(record: Any) -> None:
    for each in FIELDS[type(record)]:
        if each.limit is not None:
            longest = dataclasses.replace(record, **{each.name: "x" * each.limit})
            assert validation.find_violations(longest) == {}
            longer = dataclasses.replace(record, **{each.name: "x" * (each.limit + 1)})
            ((field, _),) = validation.find_violations(longer)
            assert field == each.name


def test_findings_are_checked_with_their_report() -> None:
    report = dataclasses.replace(SOUND[1], findings=(FINDING._replace(share="half"),))
    with pytest.raises(ValueError, match="share is 'half'"):
        field_checks.check_stored_record(report)


DIGESTS = {
    "ReportRecord": "18c9b026f5435689f466576d0a9d81c22a549c993071ad3318f3b7f9143e0f57",
    "AnnotationRecord": "6f430ee6e3fd955dabfe20e9465842cebe7134c465476c861b4d1e1e8f4c5fa2",
    "RuleSetRecord": "ceaae2a70c0e26663b4a2c9f8db0cf007af1d4124415d3bc28d5b1aff2d8e12e",
    "TriageRecord": "7be4a98825d51e89cdcaa99997ef9f8f09830ff210c7d51bc81a7f8279b483bd",
    "PersonRecord": "b0efcda65fcac8b33ed720514cb0a5ef86204ef9b99db00b51f71fcf3d34a844",
    "ViewRecord": "e74393244dfd949fae28d012df043f10dc0d7651f25e772a5a9db6ebb87ee705",
    "AuditEvent": "89a45a5407983396488fbe1e3c5430dfaf1dd5aea99a853d9450803aa73bc434",
}
"""As the version before the declarations made them; stored ledgers of migrations compare with them."""


@pytest.mark.parametrize("record", SOUND[1:], ids=IDS[1:])
def test_digests_never_change(record: Any) -> None:
    if isinstance(record, ReportRecord):
        second = FINDING._replace(rows=b"\x01\xff", share=0.5, row_count=2)
        record = dataclasses.replace(record, findings=(FINDING, second))
    found = hash_event(record) if isinstance(record, AuditEvent) else hash_record(record)
    assert found.hex() == DIGESTS[type(record).__name__]


@pytest.mark.parametrize("record", SOUND[1:4], ids=IDS[1:4])
def test_a_field_added_to_a_declaration_is_validated_limited_and_digested(
    record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bigger = dataclasses.make_dataclass("Bigger", [("mood", Any, "")], bases=(type(record),), frozen=True)
    added = Field("mood", field_kinds.TEXT, default="", added_later=True, limit=4)
    monkeypatch.setitem(FIELDS, bigger, (*FIELDS[type(record)], added))
    values = {each.name: getattr(record, each.name) for each in dataclasses.fields(record)}
    assert hash_record(bigger(**values)) == hash_record(record) != hash_record(bigger(**values, mood="calm"))
    with pytest.raises(ValueError, match="mood is 7"):
        check_field_kinds(bigger(**values, mood=7))
    assert [field for field, _ in validation.find_violations(bigger(**values, mood="angry"))] == ["mood"]


def attributes_of(of: type) -> set[str]:
    return {name for name in of.__annotations__ if not name.startswith("_")}


def class_default(of: Any, name: str) -> object:
    if issubclass(of, tuple):
        return of._field_defaults[name]
    return {each.name: each.default for each in dataclasses.fields(of)}[name]


@pytest.mark.parametrize("of", FIELDS)
def test_a_field_that_was_added_later_has_the_default_of_its_class(of: type) -> None:
    later = [each for each in FIELDS[of] if each.added_later]
    assert [each.default for each in later] == [class_default(of, each.name) for each in later]


NOT_PUBLIC: dict[tuple[type, type], set[str]] = {
    (ReportRecord, ShareableReport): {"dataset", "tags", "updated_at", "deleted_at"},
    (FindingRecord, GhostFinding): {"fingerprint", "legacy_id", "dataset", "rows", "row_count", "share"},
    (AnnotationRecord, Annotation): {"report_id", "updated_at", "deleted_at"},
    (RuleSetRecord, RuleSet): {"updated_at", "version", "deleted_at"},
}


@pytest.mark.parametrize(("of", "public"), NOT_PUBLIC)
def test_the_public_class_has_every_other_field(of: type, public: type) -> None:
    """Without one, whoever loads and saves a record would lose it."""
    expected = {each.file_key for each in FIELDS[of] if each.name not in NOT_PUBLIC[of, public]}
    assert expected <= attributes_of(public)


@pytest.mark.parametrize(("of", "listed"), [(ReportRecord, ReportSummary), (RuleSetRecord, RuleSetSummary)])
def test_lists_have_every_field_of_the_summary(of: type, listed: type) -> None:
    assert {each.file_key for each in summary_fields(of)} <= attributes_of(listed)


@pytest.mark.parametrize("of", FIELDS)
def test_every_field_has_its_column(of: type) -> None:
    for each in FIELDS[of]:
        if each.kind.column_type is not field_kinds.ColumnType.ELSEWHERE and each.name != "key":
            column = RECORD_TABLES[of].c[each.column]
            assert repr(column.type) == repr(column_type(each)), each.name
            assert column.nullable == (each.kind.optional or (of, each.name) == (ReportRecord, "tags"))


@pytest.mark.parametrize("of", FIELDS)
def test_only_texts_are_searched(of: type) -> None:
    assert {each.kind.column_type for each in searched_fields(of)} <= {field_kinds.ColumnType.TEXT}
