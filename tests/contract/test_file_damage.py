"""Files that cannot be read: reported by name, never overwritten, and the rest works on."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import clock
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.errors import DamagedRecordError, LavenderTownError
from lavendertown.rules.models import RuleSet
from lavendertown.stores.files.journal import Journal
from tests.contract.builders import annotation, finding, ids, refusal, report

WHOLE = json.dumps(
    {
        "id": "r1",
        "title": "t",
        "author": "a",
        "created_at": "2026-03-04T12:00:00+00:00",
        "findings": [],
        "annotations": [],
    }
)
SPOILED = {
    "empty": b"",
    "half": WHOLE[: len(WHOLE) // 2].encode(),
    "zeros": b"\x00" * 512,
    "no JSON": b"<<<<<<< HEAD\n",
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "a list": b"[]",
    "null": b"null",
    "a text": b'"r1"',
    "no id": WHOLE.replace('"id"', '"di"').encode(),
    "odd id": WHOLE.replace('"r1"', "17").encode(),
    "odd time": WHOLE.replace("2026-03-04T12:00:00+00:00", "yesterday").encode(),
    "time as number": WHOLE.replace('"2026-03-04T12:00:00+00:00"', "17").encode(),
    "findings as text": WHOLE.replace('"findings": []', '"findings": "none"').encode(),
    "odd finding": WHOLE.replace('"findings": []', '"findings": [17]').encode(),
    "odd severity": WHOLE.replace(
        '"findings": []', '"findings": [{"ghost_type":"n","column":"c","severity":"loud","description":"d"}]'
    ).encode(),
    "metadata as list": WHOLE.replace('"findings"', '"metadata": [1], "findings"').encode(),
    "deep": b"[" * 100_000,
    "deep metadata": WHOLE.replace('"findings"', f'"metadata": {"[" * 900 + "]" * 900}, "findings"').encode(),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def storage(folder: Path) -> Iterator[Storage]:
    made = FileStorage(folder)
    made.save_report(report("r1", [finding("a")]))
    made.save_report(report("r2", [finding("b")]))
    made.save_annotation(annotation(finding("a"), id="note a"))
    made.save_annotation(annotation(finding("b"), id="note b"))
    made.save_ruleset(RuleSet("s1", ""))
    made.save_ruleset(RuleSet("s2", ""))
    yield made
    made.close()


def named(storage: Storage) -> list[str]:
    return [found["item"] for found in storage.unreadable_items()]


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
def test_a_damaged_report_is_named_and_the_rest_lists(storage: Storage, folder: Path, spoiled: bytes) -> None:
    (folder / "reports" / "r1.json").write_bytes(spoiled)
    for handle in (storage, FileStorage(folder)):
        assert ids(handle.query_reports()) == ["r2"]
        assert handle.count_reports() == 1
        assert handle.reports.count_by_value()["author"] == {"alice": 1}
        assert [row["column"] for row in handle.query_findings()] == ["b"]
        assert handle.load_report("r2") is not None
        (damage,) = handle.unreadable_items()
        assert "r1.json" in damage["item"]
        assert damage["reason"]
        assert "\n" not in damage["reason"]


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
def test_a_damaged_report_is_never_overwritten(storage: Storage, folder: Path, spoiled: bytes) -> None:
    path = folder / "reports" / "r1.json"
    path.write_bytes(spoiled)
    for attempt in (
        lambda: storage.save_report(report("r1", title="New")),
        lambda: storage.save_reports([report("r3"), report("r1")]),
        lambda: storage.delete_report("r1"),
        lambda: storage.load_report("r1"),
    ):
        with pytest.raises(DamagedRecordError, match=r"r1\.json"):
            attempt()
    storage.save_report(report("r2", [finding("b")], title="Renamed"))
    storage.save_annotation(annotation(finding("a"), id="another"))
    assert path.read_bytes() == spoiled
    assert storage.load_report("r3") is None
    assert ids(storage.query_reports(search="renamed")) == ["r2"]
    assert [note.id for note in storage.get_annotations(annotation(finding("a")).finding_id)] == [
        "another",
        "note a",
    ]


def test_what_is_no_file_among_many_reports_is_named(storage: Storage, folder: Path) -> None:
    storage.save_reports(report(f"r{number}") for number in range(60))
    (folder / "reports" / "folder.json").mkdir()
    (folder / "reports" / "nowhere.json").symlink_to(folder / "gone")
    opened = FileStorage(folder)
    assert opened.count_reports() == 60
    assert [damage["item"] for damage in opened.unreadable_items()] == ["reports/folder.json"]
    opened.close()


def test_a_repaired_report_is_there_again(storage: Storage, folder: Path) -> None:
    path = folder / "reports" / "r1.json"
    good = path.read_bytes()
    path.write_bytes(good[:-20])
    assert len(storage.unreadable_items()) == 1
    path.write_bytes(good)
    assert storage.unreadable_items() == []
    assert ids(storage.query_reports()) == ["r2", "r1"]


@pytest.mark.parametrize("spoiled", [b"", b"[{]", b"{}", b"[17]", b'[{"id": "note a"}]'], ids=str)
def test_a_damaged_thread_is_named_and_never_overwritten(
    storage: Storage, folder: Path, spoiled: bytes
) -> None:
    finding_id = annotation(finding("a")).finding_id
    path = folder / "annotations" / f"{finding_id}.json"
    assert path.exists()
    path.write_bytes(spoiled)
    assert [f"{finding_id}.json" in item for item in named(storage)] == [True]
    for attempt in (
        lambda: storage.save_annotation(annotation(finding("a"))),
        lambda: storage.save_report(report("r9", [], annotations=[annotation(finding("a"))])),
    ):
        with pytest.raises(DamagedRecordError, match=finding_id):
            attempt()
    storage.save_annotation(annotation(finding("b"), id="more"))
    assert path.read_bytes() == spoiled
    assert storage.load_report("r9") is None
    assert len(storage.get_annotations(annotation(finding("b")).finding_id)) == 2
    assert storage.load_report("r1") is not None


@pytest.mark.parametrize(
    "spoiled", [b"", b"{}", b"[]", b'{"name": 7, "description": "", "rules": []}'], ids=str
)
def test_a_damaged_rule_set_is_named_and_never_overwritten(
    storage: Storage, folder: Path, spoiled: bytes
) -> None:
    path = folder / "rulesets" / "s1.json"
    path.write_bytes(spoiled)
    assert [row["name"] for row in storage.query_rulesets()] == ["s2"]
    assert ["s1.json" in item for item in named(storage)] == [True]
    with pytest.raises(DamagedRecordError, match=r"s1\.json"):
        storage.save_ruleset(RuleSet("s1", "new"))
    assert path.read_bytes() == spoiled


def test_a_damaged_line_in_the_audit_log_is_named_and_the_rest_lists(storage: Storage, folder: Path) -> None:
    (path,) = (folder / "audit").glob("*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + b"".join(lines[2:]))
    fresh = FileStorage(folder)
    assert len(fresh.audit_log()) == len(lines) - 1
    assert [path.name in item for item in named(fresh)] == [True]
    fresh.save_report(report("r3"))
    assert b"garbage\n" in path.read_bytes()
    assert len(fresh.audit_log()) == len(lines)


def test_a_half_written_last_audit_line_does_not_swallow_the_next(storage: Storage, folder: Path) -> None:
    (path,) = (folder / "audit").glob("*.jsonl")
    path.write_bytes(path.read_bytes() + b'{"at": "2026-')
    fresh = FileStorage(folder)
    fresh.save_report(report("r3"))
    assert [event["record_id"] for event in FileStorage(folder).audit_log(limit=1)] == ["r3"]


@pytest.mark.parametrize("spoiled", [b"", b"{", b"[]", b'{"moves": 7}'], ids=str)
def test_a_damaged_commit_note_is_one_sentence_and_loses_nothing(
    storage: Storage, folder: Path, spoiled: bytes
) -> None:
    (folder / ".journal" / "intent.json").write_bytes(spoiled)
    before = (folder / "reports" / "r1.json").read_bytes()
    for attempt in (lambda: storage.query_reports(), lambda: storage.save_report(report("r3"))):
        refused = refusal(attempt)
        assert refused is None or ("intent" in refused and "\n" not in refused)
    assert (folder / "reports" / "r1.json").read_bytes() == before


def test_a_removal_that_was_interrupted_is_finished(
    storage: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = NotificationChannel("team", "webhook", url="http://127.0.0.1:9/", allow_private=True)
    made = storage.notifications.send_test(channel, "", actor="Ana")
    monkeypatch.setattr(Journal, "_finish_intent", interrupt)
    later = clock.now() + dt.timedelta(days=91)
    with pytest.raises(KeyboardInterrupt):
        storage.notifications.remove_old(90, later)
    monkeypatch.undo()
    assert (folder / ".journal" / "intent.json").exists()
    fresh = FileStorage(folder)
    assert fresh.notifications.count() == 0
    assert [each["after"] for each in fresh.audit.query(operation="purge")] == [{"removed": 1}]
    assert not any(made["id"] in path.name for path in folder.rglob("*.json"))


def interrupt(journal: Journal) -> None:
    if journal.intent_path.exists():
        raise KeyboardInterrupt


def test_stray_files_are_left_alone(storage: Storage, folder: Path) -> None:
    strays = [folder / "reports" / name for name in (".DS_Store", "notes.txt", "r1.json.bak", "r1.json~")]
    strays.append(folder / "readme.md")
    for stray in strays:
        stray.write_text("mine")
    (folder / "reports" / "sub").mkdir()
    storage.save_report(report("r3"))
    storage.delete_report("r3")
    assert storage.unreadable_items() == []
    assert storage.count_reports() == 2
    assert [stray.read_text() for stray in strays] == ["mine"] * 5


def test_a_folder_named_like_a_report_is_named_and_stays(storage: Storage, folder: Path) -> None:
    (folder / "reports" / "odd.json").mkdir()
    assert ["odd.json" in item for item in named(storage)] == [True]
    assert storage.count_reports() == 2
    with pytest.raises(LavenderTownError, match=r"odd\.json"):
        storage.save_report(report("odd"))
    assert storage.count_reports() == 2


def test_a_copy_of_a_report_file_is_named_and_one_of_them_is_shown(storage: Storage, folder: Path) -> None:
    original = folder / "reports" / "r1.json"
    copy = folder / "reports" / "r1 copy.json"
    copy.write_bytes(original.read_bytes())
    fresh = FileStorage(folder)
    assert sorted(ids(fresh.query_reports())) == ["r1", "r2"]
    assert len(fresh.unreadable_items()) == 1
    fresh.save_report(report("r1", title="Renamed"))
    assert sorted(row["title"] for row in FileStorage(folder).query_reports()) == ["Renamed", "Week 12"]


def test_a_report_file_may_have_another_name_than_its_id(storage: Storage, folder: Path) -> None:
    (folder / "reports" / "r1.json").rename(folder / "reports" / "Q4 final.json")
    fresh = FileStorage(folder)
    assert sorted(ids(fresh.query_reports())) == ["r1", "r2"]
    fresh.save_report(report("r1", title="Renamed"))
    assert [row["title"] for row in fresh.query_reports() if row["id"] == "r1"] == ["Renamed"]
    assert len(list((folder / "reports").glob("*.json"))) == 2


@pytest.mark.parametrize("evil", ["../../evil", "/tmp/evil", "..\\evil", ".hidden"])
def test_an_evil_id_inside_a_file_reaches_nothing_outside(storage: Storage, folder: Path, evil: str) -> None:
    data = json.loads(WHOLE) | {"id": evil}
    data["annotations"] = [
        {
            "id": evil,
            "finding_id": evil,
            "author": "m",
            "timestamp": "2026-03-04T12:00:00+00:00",
            "comment": "x",
        }
    ]
    (folder / "reports" / "innocent.json").write_text(json.dumps(data))
    before = sorted(folder.parent.rglob("*"))
    fresh = FileStorage(folder)
    assert fresh.count_reports() in (2, 3)
    for attempt in (
        lambda: fresh.delete_report(evil),
        lambda: fresh.restore_report(evil),
        lambda: fresh.delete_annotation(evil),
    ):
        assert "\n" not in (refusal(attempt) or "")
    new = [path for path in folder.parent.rglob("*") if path not in before]
    assert all(folder in path.parents for path in new)
    assert not Path("/tmp/evil.json").exists()
    assert not (folder.parent.parent / "evil.json").exists()
