"""A database of 0.7.1 is turned into today's where it is, backed up first, all or nothing."""

from __future__ import annotations

import datetime as dt
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import InvalidInputError, SchemaError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.transfer import upgrade_legacy
from lavendertown.transfer.readers.legacy_source import LegacyDatabaseSource
from tests.schema.databases import OLD, copy_of, old_on_postgres, rows
from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow

NULLS = "e3cbb442d154a5c3b1d2d2f3c691ef40"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database as 0.7.1 left it, on each backend."""
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    if request.param == "sqlite":
        return copy_of(OLD, tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    old_on_postgres(url)
    return url


def change(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def done(upgraded: upgrade_legacy.LegacyUpgrade | None) -> upgrade_legacy.LegacyUpgrade:
    assert upgraded is not None
    return upgraded


def test_everything_in_it_is_there_afterwards(old: str) -> None:
    upgraded = done(upgrade_legacy.upgrade_legacy_database(old))
    assert upgraded.outcome.verified
    storage = DatabaseStorage(old)
    assert [(row["id"], row["title"]) for row in storage.query_reports()] == [
        ("2", "Plain"),
        ("1", "Q4 Data Quality Report"),
    ]
    (found,) = storage.query_findings("1")
    assert (found["status"], found["tags"], found["times_seen"]) == ("reviewed", ["crm"], 2)
    for name in (NULLS, found["finding_id"]):
        (note,) = storage.get_annotations(name)
        assert (note.comment, note.author) == ("Comment 1 – ü", "Bob")
    assert storage.reports.find("1")["created_at"] == dt.datetime(  # type: ignore[index]
        2026, 11, 21, 3, 1, 13, 865775, tzinfo=dt.UTC
    )
    (event,) = storage.audit_log()
    assert (event["component"], event["operation"]) == ("store", "move")
    storage.close()


def test_0_7s_tables_are_gone_and_the_backup_has_them(old: str) -> None:
    before = rows(old)
    upgraded = done(upgrade_legacy.upgrade_legacy_database(old))
    assert not any(name.startswith("lavendertown07") for name in rows(old))
    assert upgraded.backup is not None
    if upgraded.backup.suffix == ".db":
        assert rows(f"sqlite:///{upgraded.backup}") == before


def test_times_are_read_in_the_zone_that_is_named(old: str) -> None:
    upgrade_legacy.upgrade_legacy_database(old, zone="Asia/Tokyo")
    storage = DatabaseStorage(old)
    report = storage.reports.find("1")
    assert report is not None
    assert report["created_at"] == dt.datetime(2026, 11, 20, 18, 1, 13, 865775, tzinfo=dt.UTC)
    storage.close()


def test_an_unknown_zone_is_refused_before_anything_is_done(old: str) -> None:
    before = rows(old)
    with pytest.raises(InvalidInputError, match="Mars/Olympus"):
        upgrade_legacy.upgrade_legacy_database(old, zone="Mars/Olympus")
    assert rows(old) == before


def test_what_cannot_be_read_is_laid_aside(old: str) -> None:
    change(
        old,
        "UPDATE annotations SET status = 'pondering'",
        "INSERT INTO reports (id, title, author, created_at, findings_json) "
        "VALUES (7, 'Odd', 'Cy', '2026-01-01 00:00:00', '[{\"ghost_type\": 1}]')",
    )
    upgraded = done(upgrade_legacy.upgrade_legacy_database(old))
    assert [item.item for item in upgraded.outcome.quarantined] == ["report 7", "annotation '1'"]
    folder = upgraded.outcome.quarantine_folder
    assert folder is not None
    assert len(list(folder.iterdir())) == 2
    storage = DatabaseStorage(old)
    assert storage.count_reports() == 2
    storage.close()


def test_an_upgrade_that_fails_leaves_0_7s_tables_as_they_were(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(old)
    # The connection breaks after the reports were written.
    monkeypatch.setattr(LegacyDatabaseSource, "read_aliases", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        upgrade_legacy.upgrade_legacy_database(old)
    assert rows(old) == before


def test_a_database_that_is_neither_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as raw, raw:
        raw.execute("CREATE TABLE reports (id TEXT)")
    with pytest.raises(SchemaError, match="another program"):
        upgrade_legacy.upgrade_legacy_database(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_second_time_there_is_nothing_to_do(old: str) -> None:
    upgrade_legacy.upgrade_legacy_database(old)
    before = rows(old)
    assert upgrade_legacy.upgrade_legacy_database(old) is None
    assert rows(old) == before


def test_six_processes_upgrade_at_once(old: str) -> None:
    code = "import sys; from lavendertown.cli import main; main()"
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: run_python("-c", code, "db", "upgrade", "--url", old), range(6)))
    assert [process.returncode for process in done] == [0] * 6, [process.stderr for process in done]
    storage = DatabaseStorage(old)
    assert storage.count_reports() == 2
    storage.close()


def test_bare_nan_of_0_7_is_read(tmp_path: Path) -> None:
    url = copy_of(OLD, tmp_path)
    with closing(sqlite3.connect(tmp_path / "store.db")) as raw, raw:
        raw.execute("UPDATE reports SET findings_json = replace(findings_json, '0.25', 'NaN')")
    outcome = done(upgrade_legacy.upgrade_legacy_database(url)).outcome
    assert outcome.quarantined == ()
    assert outcome.counts["findings"].written == 2
