"""The short way: annotate, share, export and import on the configured storage."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from lavendertown.collaboration import api
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.errors import InvalidInputError, LavenderTownError, NotFoundError
from lavendertown.models import GhostFinding
from lavendertown.rules.models import RuleSet


@pytest.fixture(autouse=True, params=["file", "database"])
def configured(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", request.param)


def finding() -> GhostFinding:
    return GhostFinding(
        "null", "email", "warning", "email is empty in 2 of 4 rows", [0, 3], {"check": "nulls", "params": {}}
    )


def shared() -> ShareableReport:
    return api.create_shareable_report(
        "Week 12", "Alice", [finding()], ruleset=RuleSet("s", ""), metadata={"dataset": "people"}
    )


def test_an_annotation_is_saved_and_found_by_its_finding() -> None:
    made = api.add_annotation(finding(), "Bob", "Looks odd", ["crm"], "reviewed")
    (note,) = api.get_annotations(finding())
    assert (note.id, note.author, note.comment, note.tags, note.status) == (
        made.id,
        "Bob",
        "Looks odd",
        ["crm"],
        "reviewed",
    )
    assert made.timestamp.utcoffset() == dt.timedelta(0)


def test_an_annotation_needs_no_report_where_the_finding_knows_its_dataset() -> None:
    report = shared()
    storage = get_storage_backend()
    storage.save_report(report)
    api.add_annotation(report.findings[0], "Bob", "Looks odd")
    loaded = storage.load_report(report.id)
    storage.close()
    assert loaded is not None
    assert [note.comment for note in loaded.annotations] == ["Looks odd"]


def test_a_refused_annotation_is_not_saved() -> None:
    with pytest.raises(InvalidInputError, match="'done'"):
        api.add_annotation(finding(), "Bob", "x", status="done")
    with pytest.raises(InvalidInputError, match="Closing a finding needs a reason"):
        api.add_annotation(finding(), "Bob", " ", status="fixed")
    with pytest.raises(InvalidInputError, match="annotation is empty"):
        api.add_annotation(finding(), "Bob", "")
    assert api.get_annotations(finding()) == []


def test_a_made_report_has_an_id_and_the_present_time_and_is_not_saved() -> None:
    first, second = shared(), shared()
    assert first.id != second.id
    assert first.created_at.utcoffset() == dt.timedelta(0)
    storage = get_storage_backend()
    assert storage.count_reports() == 0
    storage.close()


def test_a_report_goes_out_and_in_again_whole(tmp_path: Path) -> None:
    report = shared()
    path = api.export_report(report, tmp_path / "out" / "report.json")
    assert path == tmp_path / "out" / "report.json"
    assert api.import_report(path).to_dict() == report.to_dict()
    assert api.import_report(str(path)).to_dict() == report.to_dict()


def test_an_export_without_a_path_lies_in_the_data_folder(tmp_path: Path) -> None:
    path = api.export_report(shared())
    assert tmp_path / ".lavendertown" in path.resolve().parents
    assert json.loads(path.read_text("utf-8"))["title"] == "Week 12"


def test_an_export_by_default_is_not_taken_for_a_saved_report() -> None:
    api.export_report(shared())
    storage = get_storage_backend()
    assert (storage.count_reports(), storage.unreadable_items()) == (0, [])
    storage.close()


def test_an_export_never_leaves_the_data_folder(tmp_path: Path) -> None:
    report = shared()
    report.id = "../../evil"
    with pytest.raises(InvalidInputError, match="evil"):
        api.export_report(report)


def test_an_exported_time_is_the_same_instant_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    report = shared()
    report.created_at = dt.datetime(2026, 3, 4, 9, 0)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        path = api.export_report(report, tmp_path / "r.json")
        monkeypatch.setenv("TZ", "America/New_York")
        time.tzset()
        found = api.import_report(path).created_at.astimezone(dt.UTC)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert found == dt.datetime(2026, 3, 4, 0, 0, tzinfo=dt.UTC)


def test_a_value_json_cannot_hold_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    report = shared()
    report.metadata["thing"] = object()
    with pytest.raises(InvalidInputError, match="thing"):
        api.export_report(report, tmp_path / "r.json")
    assert not (tmp_path / "r.json").exists()


def test_a_file_that_0_7_wrote_with_bare_nan_is_imported() -> None:
    name = "2f6c1f0e-1111-4222-8333-444455556666.json"
    report = api.import_report(
        Path(__file__).parents[1] / "schema" / "assets" / "071" / "folder" / "reports" / name
    )
    assert report.title == "Q4 Data Quality Report"
    assert len(report.findings) == 2


def test_a_missing_file_is_named() -> None:
    with pytest.raises(NotFoundError, match=r"nowhere\.json"):
        api.import_report("nowhere.json")


HEAD = b'{"id":"r","title":"t","author":"a","created_at":"2026-01-01",'
NO_REPORTS = [b"", b"{", b"[]", b"17", b'{"id": "x"}', b"\xff\xfe"] + [
    HEAD + part + b"}"
    for part in (
        b'"findings":[17]',
        b'"findings":17',
        b'"metadata":[1]',
        b'"ruleset":"x"',
        b'"annotations":[{"id":"a"}]',
    )
]


@pytest.mark.parametrize("content", NO_REPORTS, ids=lambda content: content.decode("latin-1")[-24:])
def test_a_file_that_holds_no_report_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(LavenderTownError) as refused:
        api.import_report(tmp_path / "x.json")
    assert "\n" not in str(refused.value)


def test_a_folder_in_place_of_a_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LavenderTownError, match="cannot be"):
        api.import_report(tmp_path)
    with pytest.raises(LavenderTownError, match="cannot be"):
        api.export_report(shared(), tmp_path)
