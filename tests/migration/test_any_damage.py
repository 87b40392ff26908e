"""Any value in a folder may be anything: it is laid aside or moved, and never in the way of the rest."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.migration.mover import move, plan
from lavendertown.migration.values import Request
from tests.migration.stores import fill
from tests.schema.databases import OLD

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


@pytest.mark.parametrize("seed", range(60))
def test_any_values_may_be_damaged(folders: list[Path], tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = Path(shutil.copytree(chance.choice(folders), tmp_path / "source"))
    damaged = [damage(source, chance) for _ in range(5)]
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    target = str(tmp_path / "target") if chance.random() < 0.4 else f"sqlite:///{tmp_path / 'target.db'}"
    request = Request(str(source), target)
    planned, outcome = plan(request), move(request)
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before
    assert (outcome.verified, outcome.differences) == (True, ()), damaged
    assert planned.quarantined == outcome.quarantined, damaged
    again = move(request)
    assert {name for name, count in again.counts.items() if count.written} == set(), damaged
    # The store that is worked with lives with it as well.
    storage = FileStorage(source)
    lists = (storage.query_reports, storage.query_findings, storage.query_annotations, storage.query_rulesets)
    assert all(isinstance(ask(limit=None), list) for ask in (*lists, storage.audit_log))
