"""What LavenderTown 0.7.1 wrote: the folder is read where it lies, the database is refused untouched."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.errors import SchemaError
from lavendertown.rules.models import RuleSet

ASSETS = Path(__file__).parent / "assets" / "071"
TOKYO = ZoneInfo("Asia/Tokyo")
FIRST, PLAIN = "2f6c1f0e-1111-4222-8333-444455556666", "my report #1"
NULLS_071, OUTLIERS_071 = "e3cbb442d154a5c3b1d2d2f3c691ef40", "ffdb23b336479446a576ce09427354fc"


@pytest.fixture(autouse=True)
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The assets hold Tokyo's local times."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An own copy of the folder 0.7.1 wrote."""
    return Path(shutil.copytree(ASSETS / "folder", tmp_path / ".lavendertown"))


@pytest.fixture
def storage(folder: Path) -> FileStorage:
    return FileStorage(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def load(storage: FileStorage, report_id: str = FIRST) -> ShareableReport:
    loaded = storage.load_report(report_id)
    assert loaded is not None
    return loaded


def note_ids(notes: list[Annotation]) -> list[str]:
    return sorted(note.id for note in notes)


def test_every_report_is_listed(storage: FileStorage) -> None:
    assert storage.unreadable_items() == []
    rows = storage.query_reports()
    assert [
        (row["id"], row["title"], row["author"], row["dataset"], row["finding_count"]) for row in rows
    ] == [
        (FIRST, "Q4 Data Quality Report", "Alice", "sales.csv", 2),
        (PLAIN, "Plain", "Bob", "", 1),
    ]


def test_reading_changes_nothing(storage: FileStorage, folder: Path) -> None:
    before = content(folder)
    storage.query_reports(search="email", status="fixed", tags="crm")
    storage.query_findings()
    storage.query_annotations()
    storage.query_rulesets()
    load(storage)
    storage.check()
    assert content(folder) == before


def test_a_report_comes_back_whole(storage: FileStorage) -> None:
    loaded = load(storage)
    nulls, outliers = loaded.findings
    assert (nulls.row_indices, outliers.row_indices) == ([2, 5, 8, 12, 15], None)
    assert nulls.metadata == {
        "null_count": 15,
        "total_count": 60,
        "null_percentage": 0.25,
        "dataset": "sales.csv",
    }
    assert (outliers.column, outliers.severity) == ("prix_ü", "error")
    assert loaded.metadata == {"dataset": "sales.csv", "run": 7}
    assert loaded.ruleset is not None
    assert [rule.name for rule in loaded.ruleset.rules] == ["age", "off"]
    assert loaded.ruleset.rules[0].parameters == {"min": 18, "max": 120}


def test_its_bare_nan_and_infinity_are_read_as_today(storage: FileStorage) -> None:
    """0.7.1 wrote NaN and Infinity into its JSON, which strict readers refuse."""
    (outliers,) = (found for found in load(storage).findings if found.ghost_type == "outlier")
    assert outliers.metadata["q1"] is None
    assert outliers.metadata["upper_bound"] == "Infinity"


def test_its_times_are_local(storage: FileStorage) -> None:
    loaded = load(storage)
    assert loaded.created_at == dt.datetime(2025, 6, 1, 0, 30, 0, 1, tzinfo=TOKYO)
    assert loaded.created_at.tzinfo is dt.UTC
    (note,) = (note for note in loaded.annotations if note.id == "note-1")
    assert note.timestamp == dt.datetime(2025, 6, 1, 10, 30, 0, 123456, tzinfo=TOKYO)
    day = dt.date(2025, 6, 1)
    assert [row["id"] for row in storage.query_reports(start_date=day, end_date=day)] == [FIRST]


def test_its_annotations_find_their_findings(storage: FileStorage) -> None:
    assert note_ids(load(storage).annotations) == ["note-1", "note-2", "note-4"]
    nulls, outliers = load(storage).findings
    assert note_ids(storage.get_annotations(get_finding_id(nulls))) == ["note-1", "note-2"]
    assert note_ids(storage.get_annotations(NULLS_071)) == ["note-1", "note-2"]
    assert note_ids(storage.get_annotations(get_finding_id(outliers))) == ["note-4"]
    assert note_ids(storage.get_annotations(OUTLIERS_071)) == ["note-4"]
    status = {row["column"]: (row["status"], row["tags"]) for row in storage.query_findings(report_id=FIRST)}
    assert status == {"email": ("reviewed", ["crm", "late"]), "prix_ü": ("fixed", ["embedded"])}
    assert [row["id"] for row in storage.query_reports(tags="embedded")] == [FIRST]


def test_an_annotation_on_nothing_known_is_kept(storage: FileStorage) -> None:
    (note,) = storage.get_annotations("finding_123")
    assert (note.id, note.status, note.comment) == ("note-3", "false_positive", "On nothing known")
    assert len(storage.query_annotations()) == 4


def test_its_shared_rule_set_is_listed_and_loads(storage: FileStorage) -> None:
    assert [row["name"] for row in storage.query_rulesets()] == ["customer rules"]
    rules = storage.load_ruleset("customer rules")
    assert rules is not None
    assert [rule.enabled for rule in rules.rules] == [True, False]


def everything(storage: FileStorage) -> list[object]:
    reports = [load(storage, row["id"]).to_dict() for row in storage.query_reports(limit=None)]
    notes = storage.query_annotations(limit=None, newest_first=False)
    rules = [storage.load_ruleset(row["name"]) for row in storage.query_rulesets()]
    return [
        reports,
        [{k: v for k, v in n.items() if k not in ("updated_at", "report_id")} for n in notes],
        rules,
    ]


def test_writing_beside_it_loses_nothing(storage: FileStorage, folder: Path) -> None:
    before = everything(storage)
    storage.save_report(ShareableReport("new", "New", "Eve", dt.datetime(2026, 1, 1)))
    storage.save_annotation(Annotation("n-new", "finding_new", "Eve", dt.datetime(2026, 1, 1), "x"))
    storage.save_ruleset(RuleSet("new rules", ""))
    storage.delete_report("new")
    storage.delete_annotation("n-new")
    storage.rulesets.delete("new rules")
    for handle in (storage, FileStorage(folder)):
        assert everything(handle) == before


def test_the_first_new_note_on_an_old_thread_keeps_the_old_notes(storage: FileStorage, folder: Path) -> None:
    about = get_finding_id(load(storage).findings[0])
    for name, finding_id in {"by md5": NULLS_071, "by today's id": about}.items():
        storage.save_annotation(Annotation(name, finding_id, "Eve", dt.datetime(2026, 1, 1), name))
    for handle in (storage, FileStorage(folder)):
        expected = ["by md5", "by today's id", "note-1", "note-2"]
        assert (
            note_ids(handle.get_annotations(about)) == note_ids(handle.get_annotations(NULLS_071)) == expected
        )
        notes = {note.id: note for note in handle.get_annotations(about)}
        assert (notes["note-2"].comment, notes["note-2"].status) == ("Comment 2 \u2013 ü", "reviewed")


def test_an_old_report_that_is_saved_again_keeps_everything(storage: FileStorage, folder: Path) -> None:
    before = load(storage)
    renamed = load(storage)
    renamed.title = "Renamed"
    storage.save_report(renamed)
    after = load(FileStorage(folder))
    assert after.title == "Renamed"
    ignored = {"title", "version", "annotations"}
    assert {k: v for k, v in after.to_dict().items() if k not in ignored} == {
        k: v for k, v in before.to_dict().items() if k not in ignored
    }
    assert [(n.id, n.comment, n.tags, n.status, n.timestamp) for n in after.annotations] == [
        (n.id, n.comment, n.tags, n.status, n.timestamp) for n in before.annotations
    ]


def test_old_reports_and_notes_can_be_deleted_and_restored(storage: FileStorage, folder: Path) -> None:
    before = everything(storage)
    assert storage.delete_report(FIRST)
    assert storage.delete_annotation("note-4")
    assert storage.delete_annotation("note-1")
    assert [row["id"] for row in FileStorage(folder).query_reports()] == [PLAIN]
    assert len(FileStorage(folder).query_annotations()) == 2
    assert storage.restore_annotation("note-1")
    assert storage.restore_annotation("note-4")
    assert storage.restore_report(FIRST)
    after = everything(FileStorage(folder))
    assert [[strip(item) for item in part] for part in after] == [
        [strip(item) for item in part] for part in before
    ]  # type: ignore[attr-defined]


def strip(item: object) -> object:
    """Leave versions out, which deleting and restoring raise."""
    return json.loads(
        json.dumps(item, default=str), object_hook=lambda d: {k: v for k, v in d.items() if k != "version"}
    )


def test_an_old_embedded_note_can_be_edited(storage: FileStorage, folder: Path) -> None:
    loaded = storage.annotations.load("note-4")
    assert loaded is not None
    loaded.comment = "Edited"
    loaded.status = "accepted"
    storage.save_annotation(loaded)
    for handle in (storage, FileStorage(folder)):
        (note,) = handle.get_annotations(OUTLIERS_071)
        assert (note.comment, note.status) == ("Edited", "accepted")
        assert note_ids(load(handle).annotations) == ["note-1", "note-2", "note-4"]


def test_its_database_is_refused_in_a_sentence_and_unchanged_to_the_byte(tmp_path: Path) -> None:
    from lavendertown.collaboration.database_storage import DatabaseStorage

    path = tmp_path / "lavendertown.db"
    shutil.copy(ASSETS / "lavendertown.db", path)
    before = path.read_bytes()
    with pytest.raises(SchemaError) as refused:
        DatabaseStorage(f"sqlite:///{path}")
    words = str(refused.value)
    assert "lavendertown.db" in words
    assert "0.7" in words
    assert "\n" not in words
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["lavendertown.db"]
