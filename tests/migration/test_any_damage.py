"""Any value in a folder or a SQLite file may be anything: it never stands in the way of the rest."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationRequest
from tests.migration.stores import fill
from tests.schema.databases import OLD

pytestmark = pytest.mark.slow

SEEDS = [*range(20), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(20, 60))]
VALUES: list[Any] = [None, True, 0, -1, 3.5, 2**63 - 1, float("inf"), "", "x", "../x", "a\0b", "x" * 300]
VALUES += ["0001-01-01", [], [1], ["a", "a"], ["a", None], [[]], [{}], {}, {"a": [None]}]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A folder of today and one of 0.7."""
    today, old = tmp_path_factory.mktemp("damage") / "today", OLD.parent / "folder"
    fill(FileStorage(today), 3, 4)
    return [today, old]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to every value inside a value."""
    inside: Any = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else inside:
        yield (*path, key)
        yield from places(each, (*path, key))


def damage(folder: Path, chance: random.Random) -> str:
    """Change or remove one value in one file; return which."""
    kind = chance.choice(sorted({path.parent for path in folder.rglob("*.json*")}))
    file = chance.choice(sorted(kind.glob("*.json*")))
    lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
    number = chance.randrange(len(lines))
    data = [json.loads(line) for line in lines[number : number + 1] if line.strip()]
    if not data:
        return "nothing"
    *way, last = chance.choice(list(places(data)))
    here = data
    for key in way:
        here = here[key]
    if chance.random() < 0.2:
        del here[last]
    else:
        here[last] = chance.choice(VALUES)
    lines[number] = json.dumps(data[0]) if data else ""
    file.write_text("".join(f"{line}\n" for line in lines))
    return f"{file.relative_to(folder)} {[*way, last]}"


def content(source: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (source, *source.rglob("*")) if path.is_file()}


def expect_the_rest(request: MigrationRequest, source: Path, damaged: list[str]) -> None:
    """Everything that is not laid aside arrives, and nothing is changed in the source."""
    before = content(source)
    planned, outcome = preview_migration(request), migrate_store(request)
    assert content(source) == before
    assert (outcome.verified, outcome.differences) == (True, ()), damaged
    assert planned.quarantined == outcome.quarantined, damaged
    again = migrate_store(request)
    assert {name for name, count in again.counts.items() if count.written} == set(), damaged


@pytest.mark.parametrize("seed", SEEDS)
def test_any_values_may_be_damaged(folders: list[Path], tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = Path(shutil.copytree(chance.choice(folders), tmp_path / "source"))
    damaged = [damage(source, chance) for _ in range(5)]
    target = str(tmp_path / "target") if chance.random() < 0.4 else f"sqlite:///{tmp_path / 'target.db'}"
    expect_the_rest(MigrationRequest(str(source), target), source, damaged)
    # The store that is worked with lives with it as well.
    storage = FileStorage(source)
    lists = (storage.query_reports, storage.query_findings, storage.query_annotations, storage.query_rulesets)
    assert all(isinstance(ask(limit=None), list) for ask in (*lists, storage.audit_log))


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A SQLite file of today and one of 0.7."""
    today = tmp_path_factory.mktemp("damage") / "today.db"
    storage = DatabaseStorage(f"sqlite:///{today}")
    fill(storage, 3, 4)
    storage.close()
    return [today, OLD]


TABLES = ["reports", "findings", "annotations", "rulesets", "audit_log"]
CELLS: list[Any] = [
    None,
    0,
    -1,
    99,
    3.5,
    2**62,
    "",
    "x",
    "../x",
    "{",
    "{}",
    "[1]",
    "0",
    '"x"',
    "null",
    "a\0b",
]
CELLS += ['["a","a"]', '["a", null]', "[{}]", '{"a": [null]}', "x" * 300, '"\\u0000"']


def damage_cell(connection: sqlite3.Connection, chance: random.Random) -> str:
    """Change one value in one row, if the schema allows it; return which."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    filled = [
        name for name in TABLES if name in there and connection.execute(f"SELECT 1 FROM {name}").fetchone()
    ]
    table = chance.choice(filled)
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    keys = [column[1] for column in columns if column[5]]
    # SQLite keeps text among the times of the log, but cannot say where in its order that belongs.
    column = chance.choice([name for _, name, *_ in columns if name not in (*keys, "at")])
    rows = connection.execute(f"SELECT {', '.join(keys)} FROM {table}").fetchall()
    where = " AND ".join(f"{key} = ?" for key in keys)
    row, value = chance.choice(rows), chance.choice(CELLS)
    connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {where}", (value, *row))
    return f"{table}.{column} {row} = {value!r}"


@pytest.mark.parametrize("seed", SEEDS)
def test_any_cells_may_be_damaged(databases: list[Path], tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = Path(shutil.copy(chance.choice(databases), tmp_path / "source.db"))
    connection = sqlite3.connect(source)
    damaged = [damage_cell(connection, chance) for _ in range(4)]
    connection.commit()
    connection.close()
    target = str(tmp_path / "target") if chance.random() < 0.4 else f"sqlite:///{tmp_path / 'target.db'}"
    expect_the_rest(MigrationRequest(f"sqlite:///{source}", target), source, damaged)
