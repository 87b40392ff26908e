"""What is saved comes back whole, the same on every backend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError
from lavendertown.records.record_classes import RecordKind, ReportRecord
from lavendertown.rules.models import Rule, RuleSet
from tests.contract.builders import NOON, UTC, annotation, finding, report

TOKYO = ZoneInfo("Asia/Tokyo")
ODD_TEXTS = [
    "",
    "ü",
    "日本語",
    "👻 town",
    "e\u0301",
    "\u202eright to left",
    "tab\tline\nend\r\n",
    'it\'s "q" \\ % _',
    " x ",
]


def again(storage: Storage, saved: ShareableReport) -> ShareableReport:
    storage.save_report(saved)
    loaded = storage.load_report(saved.id)
    assert loaded is not None
    return loaded


def test_a_report_comes_back_whole(storage: Storage) -> None:
    rules = RuleSet(
        "strict", "No nulls", [Rule("r1", "no nulls", "not_null", "email", {"limit": 0.5}, False)]
    )
    saved = report(
        findings=[finding("email"), finding("age", ghost_type="outlier", severity="error")],
        ruleset=rules,
        metadata={"dataset": "people", "tags": ["weekly"], "deep": {"a": [1, {"b": None}]}},
    )
    expected = saved.to_dict() | {"version": 1}
    assert again(storage, saved).to_dict() == expected


def test_a_light_report_lacks_at_most_rows_and_ids_of_version_0_7(storage: Storage) -> None:
    assert storage.store.read_light_report("r1") is None
    storage.save_report(report("r1", findings=[finding("email"), finding("name", row_indices=None)]))
    light, whole = (storage.store.read_light_report("r1"), storage.store.read_record(RecordKind.REPORT, "r1"))
    assert isinstance(whole, ReportRecord)
    assert light is not None
    shown = [
        replace(each, findings=tuple(one._replace(rows=None, legacy_id="") for one in each.findings))
        for each in (light, whole)
    ]
    assert shown[0] == shown[1]
    assert len(light.findings) == 2


def test_save_report_returns_the_reports_own_id(storage: Storage) -> None:
    assert storage.save_report(report("my report #1")) == "my report #1"


def test_an_annotation_comes_back_whole(storage: Storage) -> None:
    saved = annotation("finding_123", tags=["b", "a"], status="reviewed", comment="**bold** & <b>")
    assert storage.save_annotation(saved) == saved.id
    (loaded,) = storage.get_annotations("finding_123")
    assert loaded.to_dict() == saved.to_dict() | {"version": 1}
    assert storage.annotations.load(saved.id) == loaded


def test_load_annotations_is_get_annotations(storage: Storage) -> None:
    storage.save_annotation(annotation("finding_123"))
    assert storage.load_annotations("finding_123") == storage.get_annotations("finding_123")


def test_a_rule_set_comes_back_whole(storage: Storage) -> None:
    saved = RuleSet(
        "strict", "", [Rule("r1", "", "range", None, {"min": 0, "max": None}), Rule("r2", "é", "enum")]
    )
    assert storage.save_ruleset(saved) == "strict"
    assert storage.load_ruleset("strict") == saved


def test_another_handle_sees_what_was_saved(storage: Storage, open_storage: Callable[[], Storage]) -> None:
    storage.save_report(report())
    assert open_storage().load_report("r1") == storage.load_report("r1")


def test_a_closed_storage_opens_again_by_itself(storage: Storage) -> None:
    storage.save_report(report())
    storage.close()
    assert storage.load_report("r1") is not None


# Times


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2026, 3, 4, 5, 6, 7, 1, tzinfo=TOKYO),
        dt.datetime(2026, 3, 4, 5, 6, 7, 999_999, tzinfo=dt.timezone(-dt.timedelta(hours=3, minutes=30))),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        dt.datetime(1901, 1, 1, tzinfo=UTC),
        dt.datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    ids=["Tokyo", "half hour", "before 1970", "1901", "9999"],
)
def test_a_time_with_a_zone_comes_back_as_the_same_instant_in_utc(
    storage: Storage, moment: dt.datetime
) -> None:
    loaded = again(storage, report(created_at=moment, annotations=[annotation(timestamp=moment)]))
    listed = storage.query_reports()[0]["created_at"]
    for found in (loaded.created_at, loaded.annotations[0].timestamp, listed):
        assert found == moment
        assert found.tzinfo is UTC
        assert found.microsecond == moment.microsecond


def test_a_time_without_a_zone_is_local_time(storage: Storage, local_zone: Callable[[str], None]) -> None:
    local_zone("Asia/Tokyo")
    naive = dt.datetime(2026, 3, 4, 5, 6, 7, 123456)
    loaded = again(storage, report(created_at=naive, annotations=[annotation(timestamp=naive)]))
    local_zone("America/New_York")
    again_loaded = storage.load_report("r1")
    assert again_loaded is not None
    for found in (loaded, again_loaded):
        assert found.created_at == naive.replace(tzinfo=TOKYO)
        assert found.created_at.tzinfo is UTC
        assert found.annotations[0].timestamp == naive.replace(tzinfo=TOKYO)


def test_saving_leaves_the_callers_report_as_it_was(storage: Storage) -> None:
    naive = dt.datetime(2026, 3, 4, 5, 6, 7)
    mine = report(created_at=naive, annotations=[annotation(timestamp=naive)])
    storage.save_report(mine)
    assert mine.created_at == naive
    assert mine.annotations[0].timestamp == naive


# Texts and empty fields


@pytest.mark.parametrize("words", ODD_TEXTS)
def test_every_text_comes_back_to_the_letter(storage: Storage, words: str) -> None:
    saved = report(
        title=words,
        author=words,
        findings=[
            finding(column=words, description=words, metadata={"check": "x", "note": words, "k" + words: 1})
        ],
        annotations=[annotation("f1", comment=words, author=words)],
        metadata={"note": words},
    )
    loaded = again(storage, saved)
    assert loaded.to_dict() == saved.to_dict() | {
        "version": 1,
        "annotations": loaded.to_dict()["annotations"],
    }
    (note,) = storage.get_annotations("f1")
    assert (note.comment, note.author) == (words, words)


def test_empty_and_null_fields_come_back_empty_and_null(storage: Storage) -> None:
    saved = ShareableReport("r1", "", "", NOON, [finding("", description="", row_indices=None, metadata={})])
    loaded = again(storage, saved)
    assert loaded.to_dict() == saved.to_dict() | {"version": 1}
    assert loaded.ruleset is None
    assert loaded.metadata == {}


def test_a_report_without_findings_comes_back(storage: Storage) -> None:
    assert again(storage, report(findings=[])).findings == []
    assert storage.query_reports()[0]["finding_count"] == 0


def test_findings_keep_their_order(storage: Storage) -> None:
    columns = [f"c{(n * 37) % 101}" for n in range(101)]
    loaded = again(storage, report(findings=[finding(column) for column in columns]))
    assert [found.column for found in loaded.findings] == columns


def test_the_same_finding_twice_in_one_report_comes_back_twice(storage: Storage) -> None:
    loaded = again(storage, report(findings=[finding(row_indices=[1]), finding(row_indices=[2])]))
    assert [found.row_indices for found in loaded.findings] == [[1], [2]]


# Values


@pytest.mark.parametrize(
    "number", [0, -1, 2**63 - 1, -(2**63), 2**53 + 1, 0.1, 1.0, -0.5, 1e300, 5e-324, 1.7976931348623157e308]
)
def test_numbers_come_back_exactly_with_their_type(storage: Storage, number: float) -> None:
    loaded = again(storage, report(findings=[finding(metadata={"n": number})], metadata={"n": number}))
    for found in (loaded.metadata["n"], loaded.findings[0].metadata["n"]):
        assert found == number
        assert type(found) is type(number)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        (pd.Timestamp("2026-03-04T05:06:07Z"), "2026-03-04T05:06:07+00:00"),
        (pd.NA, None),
        (pd.NaT, None),
        (float("nan"), None),
        (np.float64("nan"), None),
        (float("inf"), "Infinity"),
        ((1, 2), [1, 2]),
        pytest.param({"b", "a"}, ["a", "b"], id="set"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_foreign_scalars_become_plain_values_everywhere(storage: Storage, value: Any, plain: Any) -> None:
    saved = report(
        findings=[finding(metadata={"check": "x", "v": value})],
        metadata={"v": [value]},
        ruleset=RuleSet("s", "", [Rule("r", "", "range", None, {"v": value})]),
    )
    loaded = again(storage, saved)
    assert loaded.metadata == {"v": [plain]}
    assert loaded.findings[0].metadata["v"] == plain
    assert loaded.ruleset is not None
    assert loaded.ruleset.rules[0].parameters == {"v": plain}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "many", None, -3, 2**70 * 1.0, True])
def test_an_odd_count_or_share_does_not_keep_a_finding_out(storage: Storage, value: Any) -> None:
    loaded = again(
        storage, report(findings=[finding(metadata={"check": "x", "count": value, "share": value})])
    )
    assert len(loaded.findings) == 1
    assert len(storage.query_findings()) == 1


@pytest.mark.parametrize(
    "rows",
    [None, [], [0], [7, 3, 3], [-1, 2**40], ["row-a", "row-b"], list(range(5, 200_005))],
    ids=lambda r: str(r)[:20],
)
def test_row_indices_come_back_as_they_were(storage: Storage, rows: list[Any] | None) -> None:
    loaded = again(storage, report(findings=[finding(row_indices=rows)]))
    assert loaded.findings[0].row_indices == rows


def test_rows_are_read_in_pages(storage: Storage) -> None:
    rows = list(range(0, 3000, 3))
    storage.save_report(report(findings=[finding("a", row_indices=None), finding("b", row_indices=rows)]))
    assert storage.findings.load_rows("r1", 1, limit=5, offset=990) == [2970, 2973, 2976, 2979, 2982]
    assert storage.findings.load_rows("r1", 1, limit=50, offset=995) == rows[995:]
    assert storage.findings.load_rows("r1", 0) == []
    assert storage.findings.load_rows("r1", 7) == []
    assert storage.findings.load_rows("nobody", 0) == []


# What cannot be kept


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda: report(title="a\x00b"),
        lambda: report(author="a\x00b"),
        lambda: report(metadata={"note": "a\x00b"}),
        lambda: report(metadata={"a\x00b": 1}),
        lambda: report(metadata={"dataset": "a\x00b"}),
        lambda: report(metadata={"tags": ["a\x00b"]}),
        lambda: report(findings=[finding("a\x00b")]),
        lambda: report(findings=[finding(description="a\x00b")]),
        lambda: report(findings=[finding(ghost_type="a\x00b")]),
        lambda: report(findings=[finding(row_indices=["a\x00b"])]),
        lambda: report(annotations=[annotation(comment="a\x00b")]),
        lambda: report(annotations=[annotation(tags=["a\x00b"])]),
        lambda: report(ruleset=RuleSet("s", "a\x00b")),
        lambda: report("a\x00b"),
    ],
)
def test_a_nul_character_is_refused_and_nothing_is_written(
    storage: Storage, spoiled: Callable[[], ShareableReport]
) -> None:
    with pytest.raises(InvalidInputError, match="NUL"):
        storage.save_report(spoiled())
    assert storage.count_reports(include_deleted=True) == 0
    assert storage.audit_log() == []


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda: report(title=None),
        lambda: report(author=7),
        lambda: report(created_at="2026-03-04"),
        lambda: report(title="\ud800"),
        lambda: report(author="x" * 256),
        lambda: report(metadata={"thing": object()}),
        lambda: report(metadata={"n": 2**64}),
        lambda: report(findings=[finding(None)]),  # type: ignore[arg-type]
        lambda: report(findings=[finding(metadata={"check": object()})]),
        lambda: report(annotations=[annotation(status="finished")]),
        lambda: report(annotations=[annotation(tags=[" "])]),
        lambda: report(annotations=[annotation(tags=["x" * 101])]),
        lambda: report(annotations=[annotation(timestamp=None)]),
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_sentence_and_nothing_is_written(
    storage: Storage, spoiled: Callable[[], ShareableReport]
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        storage.save_report(spoiled())
    assert "\n" not in str(refused.value)
    assert storage.count_reports(include_deleted=True) == 0
    assert storage.audit_log() == []


def test_a_status_that_does_not_exist_is_refused_with_those_that_do(storage: Storage) -> None:
    with pytest.raises(InvalidInputError, match=r"'finished'.*needs-investigation.*false_positive"):
        storage.save_annotation(annotation(status="finished"))


def test_a_severity_set_after_the_fact_is_refused(storage: Storage) -> None:
    odd = finding()
    odd.severity = "loud"
    with pytest.raises(InvalidInputError, match="'loud'"):
        storage.save_report(report(findings=[odd]))


@pytest.mark.parametrize(
    "metadata",
    [
        {"tags": "one"},
        {"tags": [3]},
        {"tags": None},
        {"dataset": {"a": 1}},
        {"dataset": 7},
        {"dataset": None},
    ],
)
def test_odd_metadata_is_kept_as_it_is_or_refused(storage: Storage, metadata: dict[str, Any]) -> None:
    saved = report(findings=[], metadata=metadata)
    try:
        storage.save_report(saved)
    except InvalidInputError:
        assert storage.count_reports() == 0
        return
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert loaded.metadata == metadata
    assert len(storage.query_reports()) == 1
