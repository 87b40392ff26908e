"""An archive holds everything that a store holds, and every store can restore it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.errors import InvalidInputError, LavenderTownError, StorageError
from lavendertown.stores import zip_files
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.transfer.backups.archive import write_archive
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from lavendertown.transfer.migrator import migrate_store
from lavendertown.transfer.values import MigrationRequest
from tests.contract.builders import annotation, report, sentence
from tests.contract.store_locations import StoreLocation
from tests.migration.conftest import MakePlace
from tests.migration.stores import exact, fill, told, traces

pytestmark = pytest.mark.slow

PAIRS = [
    pytest.param(a, b, marks=[pytest.mark.postgres] if "postgres" in (a, b) else [], id=f"{a}-{b}")
    for a, b in [
        ("file", "file"),
        ("file", "sqlite"),
        ("file", "postgres"),
        ("sqlite", "file"),
        ("sqlite", "postgres"),
        ("postgres", "sqlite"),
        ("postgres", "file"),
        ("postgres", "postgres"),
    ]
]


def filled(make_place: MakePlace, backend: str, seed: int = 1) -> StoreLocation:
    place = make_place(backend, "source")
    with closing(place.open_storage()) as storage:
        fill(storage, seed)
    return place


def small(make_place: MakePlace, backend: str) -> StoreLocation:
    place = make_place(backend, "source")
    with closing(place.open_storage()) as storage:
        storage.save_report(report("r1", annotations=[annotation(id="a1", tags=["x"])]))
    return place


def archive(place: StoreLocation, folder: Path) -> Path:
    return write_archive(parse_location(place.where), folder / "made.zip").file


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_target_says_what_the_source_says(
    make_place: MakePlace, source: str, target: str, tmp_path: Path
) -> None:
    origin, goal = filled(make_place, source), make_place(target, "target")
    with closing(goal.open_storage()) as storage:
        storage.save_report(report("theirs"))
    before = traces(origin)
    done = restore_store(goal.where, archive(origin, tmp_path), actor="Ana")
    assert traces(origin) == before
    assert exact(told(goal)) == exact(told(origin))
    assert done.rows_before["reports"] == 1
    assert done.backup_file is not None
    with closing(goal.open_storage()) as storage:
        (event,) = storage.audit_log(component="store")
        storage.save_report(report("next"))
    assert (event["actor"], event["operation"], event["record_id"]) == ("Ana", "restore", "made.zip")
    restore_store(goal.where, done.backup_file)
    assert [row["id"] for row in told(goal)["reports"]] == ["theirs"]


@pytest.mark.parametrize("source", ["file", "sqlite"])
def test_an_unpacked_archive_is_a_data_folder(make_place: MakePlace, source: str, tmp_path: Path) -> None:
    origin = filled(make_place, source)
    with zipfile.ZipFile(archive(origin, tmp_path)) as found:
        found.extractall(tmp_path / "unpacked")
    assert exact(told(StoreLocation("file", str(tmp_path / "unpacked")))) == exact(told(origin))


def test_the_manifest_counts_the_records_and_sums_every_member(make_place: MakePlace, tmp_path: Path) -> None:
    origin = filled(make_place, "sqlite")
    made = write_archive(parse_location(origin.where), tmp_path / "made.zip")
    with zipfile.ZipFile(made.file) as found:
        manifest = json.loads(found.read("manifest.json"))
        sums = {name: hashlib.sha256(found.read(name)).hexdigest() for name in found.namelist()}
    del sums["manifest.json"]
    tables = {table["file"]: table["sha256"] for table in manifest["tables"]}
    assert sums == {**manifest["members"], **tables}
    assert manifest["archive"] == 1
    assert manifest["counts"]["reports"] == made.counts["reports"] == 14
    assert manifest["unreadable"] == []


def test_the_ledger_of_migrations_comes_along(make_place: MakePlace, tmp_path: Path) -> None:
    origin, between, goal = filled(make_place, "file"), make_place("sqlite", "b"), make_place("file", "c")
    migrate_store(MigrationRequest(origin.where, between.where))
    restore_store(goal.where, archive(between, tmp_path))
    with closing(between.open_storage()) as one, closing(goal.open_storage()) as other:
        assert list(one.store.migrations()) == list(other.store.migrations())


def test_a_table_of_an_application_comes_along_into_a_database_only(
    make_place: MakePlace, tmp_path: Path
) -> None:
    origin, folder = small(make_place, "sqlite"), make_place("file", "folder")
    engine = make_engine(origin.where)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE plants (id INTEGER PRIMARY KEY, name TEXT)"))
        connection.execute(sa.text("INSERT INTO plants VALUES (7, '=lavender'), (8, NULL)"))
    made = archive(origin, tmp_path)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE plants SET name = 'weed'"))
    restore_store(origin.where, made)
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT * FROM plants")).all() == [(7, "=lavender"), (8, None)]
    engine.dispose()
    with pytest.raises(
        InvalidInputError, match="table 'plants', which cannot be restored into a data folder"
    ) as refused:
        restore_store(folder.where, made)
    sentence(refused)


def test_what_cannot_be_read_is_kept_as_it_was_found(make_place: MakePlace, tmp_path: Path) -> None:
    origin, goal = small(make_place, "file"), make_place("file", "goal")
    (Path(origin.where) / "reports" / "torn.json").write_text('{"format": 2, "id": "to')
    made = write_archive(parse_location(origin.where), tmp_path / "made.zip")
    assert [each.item for each in made.unreadable] == ["reports/torn.json"]
    with zipfile.ZipFile(made.file) as found:
        (kept,) = (name for name in found.namelist() if name.startswith("quarantine/"))
        assert found.read(kept) == b'{"format": 2, "id": "to'
        assert json.loads(found.read("manifest.json"))["unreadable"][0]["item"] == "reports/torn.json"
    assert restore_store(goal.where, made.file).rows["reports"] == 1


def test_a_damaged_row_of_a_database_is_kept_as_it_was_found(make_place: MakePlace, tmp_path: Path) -> None:
    origin = small(make_place, "sqlite")
    with closing(sqlite3.connect(origin.where.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute("UPDATE reports SET metadata = '[1]'")
    made = write_archive(parse_location(origin.where), tmp_path / "made.zip")
    assert [each.item for each in made.unreadable] == ["report 'r1'"]
    with zipfile.ZipFile(made.file) as found:
        assert any(b'"metadata": "[1]"' in found.read(n) for n in found.namelist() if "quarantine" in n)


def test_an_archive_of_a_database_is_of_one_moment(
    make_place: MakePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lavendertown.transfer.backups import archive as archives

    origin = small(make_place, "sqlite")
    real = archives.formats.write_thread

    def write(annotations: Any) -> bytes:
        with closing(origin.open_storage()) as storage:
            storage.save_annotation(annotation(id="later"))
        return real(annotations)

    monkeypatch.setattr(archives.formats, "write_thread", write)
    made = write_archive(parse_location(origin.where), tmp_path / "made.zip")
    assert (made.counts["annotations"], made.counts["events"]) == (1, 2)


def test_nothing_is_written_over_and_an_empty_folder_is_not_archived(
    make_place: MakePlace, tmp_path: Path
) -> None:
    made = archive(small(make_place, "file"), tmp_path)
    for place, words in ((tmp_path / "source", "already exists"), (tmp_path / "none", "nothing to archive")):
        with pytest.raises(InvalidInputError, match=words):
            write_archive(
                parse_location(str(place)), made if words == "already exists" else tmp_path / "b.zip"
            )
    assert not (tmp_path / "b.zip").exists()


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None], *, fit: bool) -> None:
    """Change the manifest and the members of an archive; ``fit`` makes the checksums fit."""
    with zipfile.ZipFile(path) as found:
        members = {name: found.read(name) for name in found.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    if fit:
        manifest["members"] = {
            name: hashlib.sha256(data).hexdigest() for name, data in members.items() if "tables" not in name
        }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in (*members.items(), ("manifest.json", json.dumps(manifest).encode())):
            made.writestr(name, data)


def member(name: str, old: bytes, new: bytes) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(_: dict[str, Any], members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)

    return change


def added(name: str, data: bytes = b"{}") -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda _, members: members.update({name: data})


REPORT = "reports/r1.json"
BROKEN = [
    (member(REPORT, b"alice", b"alicf"), False, "r1.json does not match its checksum"),
    (lambda _, members: members.pop(REPORT), False, "r1.json is missing"),
    (added("reports/r2.json"), False, "r2.json is not listed in the manifest"),
    (added("../r2.json"), True, "is not a member of an archive"),
    (added("reports/../../r2.json"), True, "is not a member of an archive"),
    (added("/etc/passwd"), True, "is not a member of an archive"),
    (added("config.toml"), True, "is not a member of an archive"),
    (added("reports/.."), True, "is not a member of an archive"),
    (added("reports/a\\b.json"), True, "is not a member of an archive"),
    (lambda manifest, _: manifest.update(members=[]), False, "members in the manifest"),
    (lambda manifest, _: manifest["members"].update(x=1), False, "members in the manifest"),
    (lambda manifest, _: manifest.pop("members"), False, "lists no members"),
    (lambda manifest, _: manifest.pop("tables"), False, "lists no tables"),
    (lambda manifest, _: manifest.update(archive=99), False, "archive format 99"),
    (lambda manifest, _: manifest.update(archive=[1]), False, "archive format"),
    (lambda manifest, _: manifest.pop("archive"), False, "not a backup or export"),
    (member(REPORT, b'"r1"', b'"../r1"'), True, "reports/r1.json is damaged"),
    (member(REPORT, b'"severity": "warning"', b'"severity": "grave"'), True, "reports/r1.json is damaged"),
    (member(REPORT, b'"format"', b'"forma'), True, "reports/r1.json is damaged"),
    (added("views/x.json", b"[]"), True, "views/x.json is damaged"),
    (added("audit/2026-01.jsonl", b"no event\n"), True, "audit/2026-01.jsonl:1 is damaged"),
]


@pytest.mark.parametrize("backend", ["file", "sqlite"])
@pytest.mark.parametrize(("change", "fit", "words"), BROKEN, ids=[str(n) for n in range(len(BROKEN))])
def test_a_broken_archive_is_refused_in_a_sentence_and_nothing_is_changed(
    make_place: MakePlace, backend: str, change: Any, fit: bool, words: str, tmp_path: Path
) -> None:
    origin = small(make_place, backend)
    made = archive(origin, tmp_path)
    rewrite(made, change, fit=fit)
    before = exact(told(origin))
    for dry_run in (True, False):
        with pytest.raises(LavenderTownError) as refused:
            restore_store(origin.where, made, dry_run=dry_run)
        assert words in sentence(refused)
        assert "othing was changed" in str(refused.value)
    assert exact(told(origin)) == before
    assert not (tmp_path / "r2.json").exists()


def test_two_members_of_one_name_are_refused(make_place: MakePlace, tmp_path: Path) -> None:
    origin = small(make_place, "file")
    made = archive(origin, tmp_path)
    with zipfile.ZipFile(made, "a") as found, pytest.warns(UserWarning, match="Duplicate name"):
        found.writestr(REPORT, b"{}")
    with pytest.raises(InvalidInputError, match="two members have the same name"):
        restore_store(origin.where, made)


@pytest.mark.parametrize("count", [1, 30])
def test_an_archive_that_unpacks_to_very_much_is_refused(
    make_place: MakePlace, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One member, or all of them together."""
    monkeypatch.setattr(zip_files, "_SMALL", 1 << 20)
    origin = small(make_place, "file")
    made = archive(origin, tmp_path)
    size = (2 << 20) // count

    def change(_: dict[str, Any], members: dict[str, bytes]) -> None:
        members |= {f"reports/{number}.json": b" " * size for number in range(count)}

    rewrite(made, change, fit=True)
    with pytest.raises(InvalidInputError, match="would unpack to"):
        restore_store(origin.where, made)


def test_an_archive_that_has_no_room_is_refused(
    make_place: MakePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = small(make_place, "file")
    made = archive(origin, tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
    refusal = r"and 100 bytes are free for temporary files; nothing was"
    with pytest.raises(StorageError, match=refusal) as refused:
        restore_store(origin.where, made)
    sentence(refused)
