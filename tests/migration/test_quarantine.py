"""What cannot be moved is listed with its reason and copied aside, and never in the way of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest
from tests.contract.builders import annotation, finding, report
from tests.migration.conftest import MakePlace
from tests.migration.stores import traces

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two good reports, two good annotations and a good rule set."""
    storage = FileStorage(tmp_path / "source")
    storage.save_reports([report("good"), report("fine")])
    storage.save_annotation(annotation("a finding", id="a1"))
    storage.save_annotation(annotation("a finding", id="a2"))
    return tmp_path / "source"


def moved(folder: Path) -> tuple[MigrationOutcome, dict[str, str]]:
    """Move the folder; return what came of it, and each item in quarantine with its reason."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    target = f"sqlite:///{folder.parent / 'out' / 'target.db'}"
    planned = preview_migration(MigrationRequest(str(folder), target))
    outcome = migrate_store(MigrationRequest(str(folder), target))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert planned.quarantined == outcome.quarantined
    assert planned.quarantine_folder is None
    assert outcome.verified
    storage = DatabaseStorage(target)
    assert {row["id"] for row in storage.query_reports()} >= {"good", "fine"}
    assert [note.id for note in storage.get_annotations("a finding")][:1] == ["a1"]
    storage.close()
    return outcome, {each.item: each.reason for each in outcome.quarantined}


def copies(outcome: MigrationOutcome) -> list[bytes]:
    assert outcome.quarantine_folder is not None
    return sorted(path.read_bytes() for path in outcome.quarantine_folder.iterdir())


def report_file(folder: Path, report_id: str = "good") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / f"reports/{report_id}.json").read_bytes())
    return loaded


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b'{"id": "torn", "title": "Hal', "not JSON, or truncated"),
        (b"\x00\x01\x02", "not JSON, or truncated"),
        (b"[1, 2]", "it is not a report"),
        (b'{"format": 2, "id": "x"}', "title is missing"),
        (b'{"format": 77}', "written by a newer version"),
    ],
)
def test_a_report_that_cannot_be_read_is_laid_aside(folder: Path, content: bytes, reason: str) -> None:
    (folder / "reports/bad.json").write_bytes(content)
    outcome, aside = moved(folder)
    assert aside.keys() == {"reports/bad.json"}
    assert aside["reports/bad.json"].startswith(reason)
    assert copies(outcome) == [content]


@pytest.mark.parametrize("bad_id", ["../x", "a/b", ".hidden", "", "x" * 201, "a\nb"])
def test_a_report_whose_id_is_none_is_laid_aside(folder: Path, bad_id: str) -> None:
    content = json.dumps({**report_file(folder), "id": bad_id}).encode()
    (folder / "reports/bad.json").write_bytes(content)
    outcome, aside = moved(folder)
    assert list(aside) == ["reports/bad.json"]
    assert copies(outcome) == [content]


def test_a_severity_that_is_none_is_laid_aside(folder: Path) -> None:
    data = {**report_file(folder), "id": "bad"}
    data["findings"][0]["severity"] = "catastrophic"
    (folder / "reports/bad.json").write_text(json.dumps(data))
    assert "catastrophic" in moved(folder)[1]["reports/bad.json"]


def test_the_second_report_with_an_id_is_laid_aside(folder: Path) -> None:
    (folder / "reports/zz.json").write_bytes((folder / "reports/good.json").read_bytes())
    assert moved(folder)[1] == {"reports/zz.json": "its id 'good' is already used by reports/good.json"}


def test_what_0_7_wrote_beside_its_folders_is_laid_aside(folder: Path) -> None:
    old = {
        "id": "../outside",
        "title": "x",
        "author": "y",
        "created_at": "2025-01-01T00:00:00",
        "findings": [],
    }
    (folder / "outside.json").write_text(json.dumps(old))
    (folder / "there.json").write_text(json.dumps([{"id": "a", "finding_id": "../there"}]))
    _, aside = moved(folder)
    assert aside.keys() == {"outside.json", "there.json"}
    assert "'../outside' is a path" in aside["outside.json"]


def test_a_link_that_leads_out_is_laid_aside_as_a_link(folder: Path) -> None:
    secret = folder.parent / "secret.json"
    secret.write_text(json.dumps({**report_file(folder), "id": "secret"}))
    (folder / "reports/link.json").symlink_to(secret)
    outcome, aside = moved(folder)
    assert aside == {"reports/link.json": "it is a link to a file outside of the data folder"}
    assert outcome.quarantine_folder is not None
    (copy,) = outcome.quarantine_folder.iterdir()
    assert copy.is_symlink()


def thread(folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    path = folder / "annotations/a finding.json"
    return path, json.loads(path.read_bytes())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "../up"}, "slash"),
        ({"finding_id": "../../etc/passwd"}, "slash"),
        ({"timestamp": "yesterday"}, "yesterday"),
        ({"status": "pondering"}, "pondering"),
        ({"tags": [""]}, "tag is empty"),
        ({"author": "x" * 300}, "author is longer"),
    ],
)
def test_one_bad_annotation_leaves_its_neighbours_alone(
    folder: Path, changes: dict[str, Any], reason: str
) -> None:
    path, notes = thread(folder)
    notes.insert(1, {**notes[0], "id": "bad", **changes})
    path.write_text(json.dumps(notes))
    outcome, aside = moved(folder)
    assert len(aside) == 1
    assert reason in next(iter(aside.values()))
    assert outcome.counts["annotations"].written == 2


def test_an_annotation_with_a_taken_id_and_other_content_is_laid_aside(folder: Path) -> None:
    path, notes = thread(folder)
    same, other = dict(notes[0]), {**notes[0], "comment": "Something else"}
    path.write_text(json.dumps([*notes, same, other]))
    outcome, aside = moved(folder)
    assert aside == {
        "annotations/a finding.json annotation 4": "its id 'a1' is already used by an annotation with other "
        "content"
    }
    assert outcome.counts["annotations"].written == 2


def test_a_thread_that_is_none_is_laid_aside(folder: Path) -> None:
    (folder / "annotations/other.json").write_text('{"id": 1}')
    assert moved(folder)[1] == {"annotations/other.json": "it contains no list of annotations"}


def test_rule_sets_that_are_none_or_taken_are_laid_aside(folder: Path) -> None:
    (folder / "shared_rulesets").mkdir()
    for name, content in {
        "a": {"name": "x", "rules": []},
        "b": {"name": "x", "rules": [{}]},
        "c": [],
    }.items():
        (folder / f"shared_rulesets/{name}.json").write_text(json.dumps(content))
    assert moved(folder)[1] == {
        "shared_rulesets/b.json": "its name 'x' is already used by shared_rulesets/a.json",
        "shared_rulesets/c.json": "it is not a rule set",
    }


def test_a_damaged_line_of_history_is_laid_aside(folder: Path) -> None:
    (log,) = (folder / "audit").iterdir()
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], b'{"at": "yesterday"}\n', *lines[1:], b'{"at": "2026-']))
    outcome, aside = moved(folder)
    assert [item.rpartition(":")[2] for item in aside] == ["2", str(len(lines) + 2)]
    assert outcome.counts["events"].written == len(lines)


def test_aliases_that_cannot_be_read_are_laid_aside(folder: Path) -> None:
    (folder / "identities").mkdir(exist_ok=True)
    (folder / "identities/aliases.json").write_text("{")
    assert list(moved(folder)[1]) == ["identities/aliases.json"]


def test_an_interrupted_change_that_nobody_can_read_is_laid_aside(folder: Path) -> None:
    (folder / ".journal").mkdir(exist_ok=True)
    (folder / ".journal/intent.json").write_bytes(b'{"moves": [')
    outcome, aside = moved(folder)
    assert "cannot be read" in aside[".journal/intent.json"]
    assert copies(outcome) == [b'{"moves": [']


def test_copies_never_lie_in_the_source(folder: Path) -> None:
    (folder / "reports/bad.json").write_bytes(b"{")
    outcome = migrate_store(MigrationRequest(str(folder), f"sqlite:///{folder / 'lavendertown.db'}"))
    assert outcome.quarantine_folder is not None
    assert not outcome.quarantine_folder.is_relative_to(folder)
    assert outcome.quarantine_folder.parent.name == "source-quarantine"


BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_damaged_row_is_laid_aside(make_place: MakePlace, tmp_path: Path, backend: str) -> None:
    origin = make_place(backend, "source")
    storage = origin.open_storage()
    storage.save_reports([report("good"), report("bad", [finding("other")])])
    storage.save_annotation(annotation("x", id="a1"))
    storage.save_annotation(annotation("x", id="a2", status="fixed"))
    storage.close()
    engine = make_engine(origin.where)
    with engine.begin() as connection:
        # A severity and a status that no version ever wrote.
        connection.execute(sa.text("UPDATE findings SET severity = 77 WHERE column_name = 'other'"))
        connection.execute(sa.text("UPDATE annotations SET status = 99 WHERE id = 'a2'"))
        if backend == "sqlite":
            connection.execute(sa.text("UPDATE audit_log SET after = '{' WHERE key = 1"))
    engine.dispose()
    before = traces(origin)
    outcome = migrate_store(MigrationRequest(origin.where, str(tmp_path / "target")))
    assert traces(origin) == before
    expected = ["report 'bad'", "annotation 'a2'"] + ["audit event 1"] * (backend == "sqlite")
    assert [each.item for each in outcome.quarantined] == expected
    assert outcome.verified
    target = FileStorage(tmp_path / "target")
    assert [row["id"] for row in target.query_reports()] == ["good"]
    assert any(b"bad" in copy for copy in copies(outcome))
