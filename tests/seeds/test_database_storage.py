"""Every example of the first seed runs as it is written there (database_storage.txt, word for word)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.errors import ConfigurationError
from tests.contract.builders import finding
from tests.contract.store_locations import StoreLocation

SEED = (Path(__file__).parent / "database_storage.txt").read_text("utf-8")
ROOT = Path(__file__).parents[2]


def block(first_line: str, next_words: str | None) -> str:
    """Cut one code block out of the seed: from its first line to the words that follow it."""
    start = SEED.index(first_line)
    return SEED[start : SEED.index(next_words, start) if next_words else None]


CONFIGURING = block("from lavendertown.collaboration.database_storage", "Usage\n")
SAVING = block("from lavendertown.collaboration.models import ShareableReport", "Loading Reports")
LOADING = block("report = storage.load_report(report_id)", "Saving Annotations")
ANNOTATING = block("from lavendertown.collaboration.models import Annotation", "Querying Reports")
QUERYING = block("from datetime import datetime, timedelta", "Database Schema")
ABSTRACTION = block("from lavendertown.collaboration.storage import get_storage_backend", "Error Handling")
MISSING = block("try:\n    storage = DatabaseStorage()", None)


def run(code: str, names: dict[str, Any]) -> None:
    exec(compile(code, "seed", "exec"), names)


def use(storage: Storage) -> None:
    """Run the seed's chapter on using a storage, from the first block to the last, and look at it."""
    names: dict[str, Any] = {"storage": storage, "finding1": finding("a"), "finding2": finding("b")}
    run(SAVING, names)
    saved = names["report"]
    assert names["report_id"] == saved.id
    run(LOADING, names)
    assert names["report"].title == "Q4 Data Quality Report"
    assert names["report"].created_at == saved.created_at.astimezone()
    assert [found.column for found in names["report"].findings] == ["a", "b"]
    run(ANNOTATING, names)
    (note,) = storage.get_annotations("finding_123")
    assert note.to_dict() == names["annotation"].to_dict() | {
        "version": 1,
        "timestamp": note.timestamp.isoformat(),
    }
    assert note.timestamp == names["annotation"].timestamp.astimezone()
    run(QUERYING, names)
    for listed in ("all_reports", "author_reports", "recent_reports"):
        assert [row["id"] for row in names[listed]] == [saved.id]


def test_using_a_storage(storage: Storage) -> None:
    use(storage)


def test_the_backend_abstraction(
    fresh_place: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if fresh_place.backend == "file":
        monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", fresh_place.where)
    else:
        monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
        monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", fresh_place.where)
    names: dict[str, Any] = {"finding1": finding("a"), "finding2": finding("b")}
    with closing(fresh_place.open_storage()) as direct:
        names["storage"] = direct
        run(SAVING, names)
        run(ANNOTATING, names)
        run(ABSTRACTION, names)
        with closing(names["storage"]) as configured:
            assert isinstance(configured, FileStorage) == (fresh_place.backend == "file")
            assert configured.count_reports() == direct.count_reports() == 1
            assert configured.load_report(names["report_id"]).version == 2


def test_sqlite_is_the_default_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    names: dict[str, Any] = {}
    run(
        "from lavendertown.collaboration.storage import get_storage_backend\nstorage = get_storage_backend()",
        names,
    )
    with closing(names["storage"]) as storage:
        use(storage)
    assert (tmp_path / ".lavendertown" / "lavendertown.db").exists()


@pytest.fixture
def the_seeds_database(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The role and the database that the seed's PostgreSQL URL names, on the test server's port."""
    monkeypatch.setenv("PGPORT", str(urlsplit(postgres_server).port))
    sentences = [
        "CREATE ROLE \"user\" LOGIN PASSWORD 'password'",
        'CREATE DATABASE lavendertown OWNER "user"',
    ]
    end = ["DROP DATABASE IF EXISTS lavendertown WITH (FORCE)", 'DROP ROLE IF EXISTS "user"']
    on_server(postgres_server, end + sentences)
    yield
    on_server(postgres_server, end)


def on_server(server: str, sentences: list[str]) -> None:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for sentence in sentences:
            cursor.execute(sentence)
    connection.close()


@pytest.mark.postgres
@pytest.mark.usefixtures("the_seeds_database")
def test_configuring_by_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three: SQLite by default, SQLite elsewhere, and the PostgreSQL URL as it is written."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    run(CONFIGURING, names)
    assert (tmp_path / ".lavendertown" / "lavendertown.db").exists()
    assert (tmp_path / "path" / "to" / "database.db").exists()
    with closing(names["storage"]) as storage:
        assert "PostgreSQL" in storage.describe()
        assert "password" not in storage.describe()
        use(storage)


@pytest.mark.parametrize("table", ["reports", "annotations", "rulesets"])
def test_the_database_has_the_tables_the_seed_names(tmp_path: Path, table: str) -> None:
    import sqlite3

    StoreLocation("sqlite", f"sqlite:///{tmp_path / 'x.db'}").open_storage().close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as raw:
        assert raw.execute(f"select count(*) from {table}").fetchone() == (0,)


WITHOUT_SQLALCHEMY = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "sqlalchemy":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, get_storage_backend
"""


def without_sqlalchemy(code: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_SQLALCHEMY + code]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT), **environ}, capture_output=True, text=True
    )


def test_a_missing_sqlalchemy_is_told_as_the_seed_tells_it(tmp_path: Path) -> None:
    done = without_sqlalchemy(MISSING, tmp_path)
    assert done.stdout == "SQLAlchemy is required. Install with: pip install lavendertown[database]\n", (
        done.stderr
    )


@pytest.mark.parametrize("call", ["DatabaseStorage()", "get_storage_backend()"])
def test_a_missing_sqlalchemy_is_exactly_this_import_error(tmp_path: Path, call: str) -> None:
    done = without_sqlalchemy(call, tmp_path, LAVENDERTOWN_STORAGE_TYPE="database")
    expected = "ImportError: SQLAlchemy is required. Install with: pip install lavendertown[database]"
    assert done.stderr.splitlines()[-1] == expected
    assert list(tmp_path.iterdir()) == []


def test_file_storage_needs_no_sqlalchemy(tmp_path: Path) -> None:
    code = "storage = get_storage_backend()\nprint(type(storage).__name__, storage.query_reports())"
    done = without_sqlalchemy(code, tmp_path)
    assert done.stdout == "FileStorage []\n", done.stderr


def test_an_unknown_storage_type_is_no_quiet_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lavendertown.collaboration.storage import get_storage_backend

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "mongodb")
    with pytest.raises(ConfigurationError, match=r"'mongodb'.*'file' or 'database'"):
        get_storage_backend()
