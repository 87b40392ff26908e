"""Damaged and hostile backups and exports are refused with the item's name, and nothing is changed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.errors import LavenderTownError
from lavendertown.rules.models import RuleSet
from lavendertown.stores import zip_files
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.copies.backup import copy_database
from lavendertown.stores.sql.copies.export import export_database
from lavendertown.transfer.backups.restore import restore_store
from tests.contract.builders import annotation, report, sentence
from tests.schema.databases import rows

import_zip = partial(restore_store, operation="import", replace=False)

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'team.db'}"
    storage = DatabaseStorage(url)
    storage.save_report(report("r1", annotations=[annotation(id="a1", tags=["x"])]))
    storage.save_report(ShareableReport("r2", "Empty", "bob", report().created_at))
    name = storage.query_findings(limit=1)[0]["finding_id"]
    storage.triage.decide(name, Decision("fixed", "mended"), actor="ann")
    storage.save_ruleset(RuleSet("nightly", "x"))
    storage.people.save("Ben")
    storage.views.save("Mine", {"view": ["all"]}, author="ann")
    yield url
    storage.close()


def refused(url: str, call: Callable[[], object]) -> str:
    """Return the sentence with which a call was refused, having seen that the database is as it was."""
    before = rows(url)
    with pytest.raises(LavenderTownError) as error:
        call()
    assert rows(url) == before
    words = sentence(error)
    assert "othing was changed" in words
    return words


SPOILED = {
    "reports SET metadata = '[1]' WHERE id = 'r1'": "report 'r1'",
    "reports SET metadata = '{' WHERE id = 'r1'": "table 'reports'",
    "reports SET tags = '[1]' WHERE id = 'r1'": "report 'r1'",
    "reports SET created_at = 'soon' WHERE id = 'r1'": "created_at is 'soon'",
    f"reports SET created_at = {2**62} WHERE id = 'r1'": "created_at is",
    "reports SET version = 0 WHERE id = 'r1'": "report 'r1'",
    "reports SET title = x'00' WHERE id = 'r1'": "title is",
    "reports SET id = '../r1' WHERE id = 'r1'": "report '../r1'",
    "reports SET author = printf('%.*c', 300, 'x') WHERE id = 'r1'": "author is",
    "findings SET severity = -1": "severity is -1",
    "findings SET metadata = '[]'": "report 'r1'",
    "findings SET row_count = -5": "report 'r1'",
    "finding_rows SET data = x'5a5a'": "table 'finding_rows'",
    "annotations SET status = 99 WHERE id = 'a1'": "status is 99",
    "annotations SET tags = '[\"\"]' WHERE id = 'a1'": "annotation 'a1'",
    "rulesets SET rules = '[1]'": "ruleset 'nightly'",
    "triage SET snooze_factor = 0.5": "finding '",
    "known_people SET mail = x'07'": "mail is",
    "saved_views SET query = '[]'": "view 'Mine'",
    "identities SET status = 77": "status is 77",
    "audit_log SET operation = printf('%.*c', 30, 'x')": "operation is",
    "audit_log SET after = '[]' WHERE component = 'view'": "audit event",
}


@pytest.mark.parametrize("statement", SPOILED)
def test_a_backup_with_a_damaged_field_is_refused_with_the_name_of_the_record(
    url: str, statement: str, tmp_path: Path
) -> None:
    engine = make_engine(url)
    file = copy_database(engine, tmp_path / "backups")
    engine.dispose()
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute(f"UPDATE {statement}")
    assert SPOILED[statement] in refused(url, lambda: restore_store(url, file))
    assert SPOILED[statement] in refused(url, lambda: restore_store(url, file, dry_run=True))


@pytest.fixture
def exported(url: str, tmp_path: Path) -> Path:
    return export_database(url, tmp_path / "all.zip").file


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """Change the manifest and the files of an export; the sums are made to fit."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(found.pop("manifest.json"))
    change(manifest, found)
    for table in manifest["tables"] if isinstance(manifest.get("tables"), list) else ():
        if (
            isinstance(table, dict)
            and isinstance(table.get("sha256"), str)
            and str(table.get("file")) in found
        ):
            table["sha256"] = hashlib.sha256(found[table["file"]]).hexdigest()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (*found.items(), ("manifest.json", json.dumps(manifest).encode())):
            archive.writestr(name, data)


def cell(table: str, old: bytes, new: bytes) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(_: dict[str, Any], files: dict[str, bytes]) -> None:
        name = f"tables/{table}.csv"
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


def entry(key: str, value: Any) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, _: manifest["tables"][0].update({key: value})


def without(key: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, _: manifest["tables"][0].pop(key)


ODD = [
    (cell("reports", b"r1,", b"..r1,"), "report '..r1'"),
    (cell("saved_views", b'"{""view"":[""all""]}"', b"[]"), "view 'Mine'"),
    (cell("annotations", b'"[""x""]"', b'"["" ""]"'), "annotation 'a1'"),
    (entry("name", 7), "has no name"),
    (entry("name", None), "has no name"),
    (entry("file", ["x"]), "file of the table"),
    (entry("file", "../../etc/passwd"), "damaged"),
    (entry("rows", "many"), "rows of the table"),
    (entry("rows", -1), "rows of the table"),
    (entry("rows", True), "rows of the table"),
    (entry("sha256", 1), "sha256 of the table"),
    (entry("columns", {"a": 1}), "columns of the table"),
    (entry("columns", [{"name": 1, "type": "text"}]), "columns of the table"),
    *((without(key), "table") for key in ("name", "file", "rows", "sha256", "columns")),
    (lambda manifest, _: manifest["tables"].append(manifest["tables"][0]), "twice"),
    (lambda manifest, _: manifest["tables"].append(None), "has no name"),
    (lambda manifest, _: manifest.update(tables={"a": 1}), "lists no tables"),
    (lambda manifest, _: manifest.pop("tables"), "lists no tables"),
    (lambda manifest, _: manifest.update(revision=7), "revision is 7"),
    (lambda manifest, _: manifest.pop("revision"), "revision is None"),
    (lambda manifest, _: manifest.pop("export"), "not a backup or export"),
    (lambda manifest, _: manifest.update(export=[1]), "export format"),
]


@pytest.mark.parametrize(("change", "words"), ODD, ids=[str(number) for number in range(len(ODD))])
def test_an_odd_export_is_refused_in_a_sentence(url: str, exported: Path, change: Any, words: str) -> None:
    rewrite(exported, change)
    assert words in refused(url, lambda: import_zip(url, exported, replace=True))


@pytest.mark.parametrize("manifest", [b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_object_is_refused(url: str, tmp_path: Path, manifest: bytes) -> None:
    file = tmp_path / "odd.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", manifest)
    assert "not a backup or export" in refused(url, lambda: import_zip(url, file, replace=True))
    assert "not a backup or export" in refused(url, lambda: restore_store(url, file))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    url: str, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_files, "_SMALL", 1 << 20)
    rewrite(exported, lambda _, files: files.update({"tables/reports.csv": b"0" * (4 << 20)}))
    words = refused(url, lambda: import_zip(url, exported, replace=True))
    assert "'tables/reports.csv' would unpack to 4,194,304 bytes" in words


def test_a_manifest_that_unpacks_to_very_much_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_files, "_MAX_MANIFEST", 1 << 20)
    file = tmp_path / "odd.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (2 << 20))
    assert "manifest is too large" in refused(url, lambda: import_zip(url, file, replace=True))
