"""Seeds: functions that put first rows into a database, each once, in one transaction, noted in a ledger."""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import importlib.util
import re
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa

from lavendertown import clock
from lavendertown.database import application, schema
from lavendertown.database.engine import BEGIN
from lavendertown.database.errors import reason, translated
from lavendertown.database.project.models import discover
from lavendertown.database.sessions import Session
from lavendertown.database.tables import seed_runs
from lavendertown.errors import ConfigurationError, InvalidInputError, SchemaError

FOLDER = Path("migrations") / "seed"
PREFIX = "seed_"
_LONGEST = 200
_NUMBERED = re.compile(r"(\d+)[ _.-]*(.*)")

Function = Callable[[Session], object]


class State(StrEnum):
    """How a seed stands to a database."""

    PENDING = "pending"
    RAN = "ran"
    """Just now."""
    DONE = "done"
    """Earlier."""
    CHANGED = "changed"
    """Earlier, and its text is another one by now; it is not run again."""


@dataclass(frozen=True)
class Seed:
    """Something that puts first rows into a database.

    Attributes:
        name: Notes it in the ledger, such as ``"users.seed_admins"``: without the file's leading number.
        about: The first line of its docstring; empty where there is none.
        place: The file; empty for one that LavenderTown ships.
        checksum: Another one when its text changed.
        load: Returns the function, which is given the session of the transaction.
    """

    name: str
    about: str
    place: str
    checksum: str
    load: Callable[[], Function] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Outcome:
    """A seed, how it stands, and when it ran."""

    seed: Seed
    state: State
    applied_at: dt.datetime | None = None


def has_files(root: Path) -> bool:
    """Tell whether a project has files for seeds."""
    return any(_files(root))


def find(root: Path) -> list[Seed]:
    """Return a project's seeds, in the order they run in; no file is run for that.

    They are the functions ``seed_*(db)`` in ``migrations/seed/*.py``: files by their leading number, then
    by name, those without a number last; functions as they stand. Files that begin with ``_`` are none.

    Args:
        root: The project root.

    Raises:
        ConfigurationError: A file is no Python, a seed is ``async``, or two have the same name.
    """
    root = root.resolve()
    found = [seed for path in _files(root) for seed in _read(_File(path, root))]
    for name, times in Counter(seed.name for seed in found).items():
        places = " and ".join(dict.fromkeys(seed.place for seed in found if seed.name == name))
        if times > 1:
            raise ConfigurationError(f"The seed {name} is there {times} times, in {places}. Rename one.")
        if len(name) > _LONGEST:
            raise ConfigurationError(f"The seed {name} in {places} has a name over {_LONGEST} letters.")
    return found


def look(seeds: Sequence[Seed], database_url: str) -> list[Outcome]:
    """Tell which seeds ran in a database; changes nothing, makes no file.

    Raises:
        SchemaError: The database has another schema.
        StorageUnavailableError: It does not answer.
    """
    found = schema.look(database_url)
    if found.state is schema.State.EMPTY:
        return [Outcome(seed, State.PENDING) for seed in seeds]
    if found.state is not schema.State.CURRENT:
        raise SchemaError(found.sentence)
    database = application.Database(database_url)
    try:
        held = _ledger(database)
    finally:
        database.close()
    return [_outcome(seed, held.get(seed.name)) for seed in seeds]


def run(seeds: Sequence[Seed], database_url: str) -> Iterator[Outcome]:
    """Run those seeds that did not run yet, one after the other; yield what became of each.

    Each is one transaction, its line in the ledger included, whatever it commits itself. Before the
    first one, the files of all are imported. The database becomes the application's, so that
    ``ModelAccessor`` takes part; what is written through it is audited as ``seed:NAME``. On MariaDB a
    seed that makes a table commits by that.

    Raises:
        ConfigurationError: A file, or the project's models, cannot be imported; nothing was run.
        InvalidInputError: A seed raised. It was undone; those before it stay, those after it did not run.
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: It does not answer.
    """
    application.set_database_url(database_url)
    database = application.current()
    database.prepare()
    held = _ledger(database)
    functions = {seed.name: seed.load() for seed in seeds if seed.name not in held}
    if application.current() is not database:
        # A file that was imported chose a database of its own.
        application.set_database_url(database_url)
        database = application.current()
    for seed in seeds:
        if seed.name in held:
            yield _outcome(seed, held[seed.name])
        else:
            yield _once(database, seed, functions[seed.name])


class _OvertakenError(Exception):
    """Another process ran the seed meanwhile."""


def _once(database: application.Database, seed: Seed, function: Function) -> Outcome:
    now = clock.now()
    try:
        with translated(database.url), database.sealed(f"seed:{seed.name}") as db:
            # The connection itself: a rollback() in the seed must not take the ledger's line back.
            connection: Any = db.get_bind()
            _note(connection, seed, now)
            try:
                function(db)
                db.flush()
            except (Exception, SystemExit) as error:
                raise _failure(seed, error) from error
    except _OvertakenError:
        return _outcome(seed, _ledger(database).get(seed.name))
    return Outcome(seed, State.RAN, now)


def _note(connection: sa.Connection, seed: Seed, now: dt.datetime) -> None:
    """Write the ledger's line, first: whoever runs the same seed too waits here until this one has ended."""
    values = {"name": seed.name, "checksum": seed.checksum, "applied_at": now}
    try:
        connection.execute(sa.insert(seed_runs), values)
    except sa.exc.IntegrityError as error:
        raise _OvertakenError from error


def _ledger(database: application.Database) -> Mapping[str, Any]:
    reading = database.engine.connect().execution_options(**{BEGIN: "BEGIN"})
    with translated(database.url), reading as connection:
        return {row.name: row for row in connection.execute(sa.select(seed_runs))}


def _outcome(seed: Seed, held: Any) -> Outcome:
    if held is None:
        return Outcome(seed, State.PENDING)
    state = State.DONE if held.checksum == seed.checksum else State.CHANGED
    return Outcome(seed, state, held.applied_at)


def _failure(seed: Seed, error: BaseException) -> InvalidInputError:
    place = f" ({seed.place}{_line(seed, error)})" if seed.place else ""
    next_step = "Mend it and run it again."
    if isinstance(error, (sa.exc.OperationalError, sa.exc.ProgrammingError)):
        next_step = "Mend it, or bring the tables up to date with: lavendertown db upgrade"
    return InvalidInputError(
        f"The seed {seed.name}{place} failed: {reason(error)}. All of it was undone, what it had committed "
        f"itself included. {next_step}"
    )


def _line(seed: Seed, error: BaseException) -> str:
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if Path(step.filename).as_posix().endswith(seed.place)]
    return f", line {lines[-1]}" if lines else ""


class _File:
    """A file of seeds, imported once and only when one of them is to run."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.place = path.relative_to(root).as_posix()
        self._root = root
        self._module: ModuleType | None = None

    def function(self, name: str) -> Function:
        """Import the file, and the project's models before it; return one of its functions."""
        if self._module is None:
            self._module = self._import()
        found: Function = getattr(self._module, name)
        return found

    def _import(self) -> ModuleType:
        discover(self._root)
        if str(self._root) not in sys.path:
            sys.path.insert(0, str(self._root))
        # Not by its path: a name that begins with a number is none that could be imported.
        name = f"lavendertown_seed_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Dataclasses look for their module there.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            raise ConfigurationError(
                f"The seeds in {self.place} cannot be imported: {reason(error)}. Mend the file and try "
                "again; nothing was run."
            ) from error
        return module


def _files(root: Path) -> list[Path]:
    paths = [path for path in (root / FOLDER).glob("*.py") if path.name[0] not in "._"]
    return sorted(paths, key=_order)


def _order(path: Path) -> tuple[bool, int, str]:
    number = _NUMBERED.fullmatch(path.stem)
    return number is None, int(number[1]) if number else 0, path.name


def _read(file: _File) -> Iterator[Seed]:
    try:
        text = file.path.read_text("utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError) as error:
        raise ConfigurationError(
            f"The seeds in {file.place} cannot be read: {reason(error)}. Mend the file and try again."
        ) from error
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    seeds = [node for node in nodes if node.name.startswith(PREFIX)]
    for node in seeds:
        if isinstance(node, ast.AsyncFunctionDef):
            raise ConfigurationError(f"The seed {node.name} in {file.place} is async; make it a plain def.")
        yield Seed(
            name=f"{_stem(file.path)}.{node.name}",
            about=(ast.get_docstring(node) or "").partition("\n")[0],
            place=file.place,
            checksum=_checksum(text, [other for other in seeds if other is not node]),
            load=lambda name=node.name: file.function(name),  # type: ignore[misc]
        )


def _stem(path: Path) -> str:
    number = _NUMBERED.fullmatch(path.stem)
    return number[2] if number and number[2] else path.stem


def _checksum(text: str, others: Sequence[ast.FunctionDef | ast.AsyncFunctionDef]) -> str:
    """Hash a file without its other seeds, so that a new one beside it changes none."""
    lines = text.splitlines()
    for node in others:
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        lines[first - 1 : node.end_lineno] = [""] * ((node.end_lineno or first) - first + 1)
    kept = [line.rstrip() for line in lines if line.strip()]
    return hashlib.sha256("\n".join(kept).encode("utf-8")).hexdigest()
