"""Seeds: functions that insert initial rows, each run once per database, in one transaction."""

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

from lavendertown.core import clock
from lavendertown.core.errors import ConfigurationError, InvalidInputError, SchemaError
from lavendertown.database import application
from lavendertown.database.project.model_discovery import discover_models
from lavendertown.database.session import Session
from lavendertown.stores.sql.connection.engine import BEGIN_OPTION
from lavendertown.stores.sql.connection.errors import driver_reason, is_duplicate, translate_errors
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.tables import seed_runs

SEED_FOLDER = Path("migrations") / "seed"
SEED_PREFIX = "seed_"
_MAX_NAME_LENGTH = 200
_NUMBERED = re.compile(r"(\d+)[ _.-]*(.*)")

SeedFunction = Callable[[Session], object]


class SeedState(StrEnum):
    """The state of a seed in a database."""

    PENDING = "pending"
    """Not run yet."""
    RAN = "ran"
    """Run just now."""
    DONE = "done"
    """Run earlier."""
    CHANGED = "changed"
    """Run earlier, but the function has changed since; not run again."""


@dataclass(frozen=True)
class Seed:
    """A function that inserts initial rows into a database.

    Attributes:
        name: The key in the ledger, such as ``"users.seed_admins"``, without the file's leading number.
        about: The first line of its docstring; empty if it has none.
        file: The file's path in the project; empty for a seed that LavenderTown ships.
        checksum: A hash of its source.
        load: Returns the function, which takes the session of the transaction.
    """

    name: str
    about: str
    file: str
    checksum: str
    load: Callable[[], SeedFunction] = field(repr=False, compare=False)


@dataclass(frozen=True)
class SeedStatus:
    """A seed with its state in a database and the time at which it ran."""

    seed: Seed
    state: SeedState
    applied_at: dt.datetime | None = None


def has_seed_files(root: Path) -> bool:
    """Return whether a project has seed files."""
    return any(_seed_paths(root))


def find_seeds(root: Path) -> list[Seed]:
    """Return a project's seeds in the order in which they run, without running any file.

    Seeds are the functions ``seed_*(db)`` in ``migrations/seed/*.py``. Files are sorted by leading number
    and name, those without a number last; functions keep their order in the file. Files whose names start
    with ``_`` or ``.`` are skipped.

    Args:
        root: The project root.

    Raises:
        ConfigurationError: A file cannot be read or parsed, a seed is ``async`` or its name is too long, or
            two seeds have the same name.
    """
    root = root.resolve()
    seeds = [seed for path in _seed_paths(root) for seed in _read_seeds(_SeedFile(path, root))]
    for name, count in Counter(seed.name for seed in seeds).items():
        files = " and ".join(dict.fromkeys(seed.file for seed in seeds if seed.name == name))
        if count > 1:
            raise ConfigurationError(
                f"The seed {name} is defined {count} times, in {files}. Rename the duplicates."
            )
        if len(name) > _MAX_NAME_LENGTH:
            raise ConfigurationError(
                f"The name of the seed {name} in {files} is longer than {_MAX_NAME_LENGTH} characters. "
                "Shorten it."
            )
    return seeds


def inspect_seeds(seeds: Sequence[Seed], database_url: str) -> list[SeedStatus]:
    """Return the states of seeds in a database, without changing it or creating a file.

    Raises:
        SchemaError: The database has another schema.
        StorageUnavailableError: The database does not answer.
    """
    inspection = revisions.inspect_schema(database_url)
    if inspection.state is revisions.SchemaState.EMPTY:
        return [SeedStatus(seed, SeedState.PENDING) for seed in seeds]
    if inspection.state is not revisions.SchemaState.CURRENT:
        raise SchemaError(inspection.sentence)
    database = application.Database(database_url)
    try:
        ledger = _read_ledger(database)
    finally:
        database.close()
    return [_seed_status(seed, ledger.get(seed.name)) for seed in seeds]


def run_seeds(seeds: Sequence[Seed], database_url: str) -> Iterator[SeedStatus]:
    """Run the seeds that did not run yet, one after another; yield the status of each seed.

    Each seed runs in one transaction together with its ledger entry, even if it commits. All files are
    imported before the first seed runs. The database becomes the application's, so that ``ModelAccessor``
    takes part; changes through it are audited as ``seed:NAME``. On MariaDB, a seed that creates a table
    commits.

    Raises:
        ConfigurationError: A file or the project's models cannot be imported; nothing was run.
        InvalidInputError: A seed failed and was undone. Earlier seeds stay, later ones did not run.
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    application.set_database_url(database_url)
    database = application.current_database()
    database.prepare_schema()
    ledger = _read_ledger(database)
    functions = {seed.name: seed.load() for seed in seeds if seed.name not in ledger}
    if application.current_database() is not database:
        # An imported file called set_database_url.
        application.set_database_url(database_url)
        database = application.current_database()
    for seed in seeds:
        if seed.name in ledger:
            yield _seed_status(seed, ledger[seed.name])
        else:
            yield _run_once(database, seed, functions[seed.name])


class _AlreadyRunError(Exception):
    """Another process ran the seed at the same time."""


def _run_once(database: application.Database, seed: Seed, function: SeedFunction) -> SeedStatus:
    now = clock.now()
    try:
        with translate_errors(database.url), database.atomic(f"seed:{seed.name}") as db:
            # The connection, not the session: a rollback() in the seed must not undo the ledger entry.
            connection: Any = db.get_bind()
            _write_ledger(connection, seed, now)
            try:
                function(db)
                db.flush()
            except (Exception, SystemExit) as error:
                raise _seed_error(seed, error) from error
    except _AlreadyRunError:
        return _seed_status(seed, _read_ledger(database).get(seed.name))
    return SeedStatus(seed, SeedState.RAN, now)


def _write_ledger(connection: sa.Connection, seed: Seed, now: dt.datetime) -> None:
    """Write the ledger entry before the seed runs, so that another process with the same seed waits here."""
    values = {"name": seed.name, "checksum": seed.checksum, "applied_at": now}
    try:
        connection.execute(sa.insert(seed_runs), values)
    except sa.exc.IntegrityError as error:
        if not is_duplicate(error):
            raise
        raise _AlreadyRunError from error


def _read_ledger(database: application.Database) -> Mapping[str, Any]:
    opened = database.engine.connect().execution_options(**{BEGIN_OPTION: "BEGIN"})
    with translate_errors(database.url), opened as connection:
        return {row.name: row for row in connection.execute(sa.select(seed_runs))}


def _seed_status(seed: Seed, ledger_row: Any) -> SeedStatus:
    if ledger_row is None:
        return SeedStatus(seed, SeedState.PENDING)
    state = SeedState.DONE if ledger_row.checksum == seed.checksum else SeedState.CHANGED
    return SeedStatus(seed, state, ledger_row.applied_at)


def _seed_error(seed: Seed, error: BaseException) -> InvalidInputError:
    location = f" ({seed.file}{_failing_line(seed, error)})" if seed.file else ""
    next_step = "Fix it and run it again."
    if isinstance(error, (sa.exc.OperationalError, sa.exc.ProgrammingError)):
        next_step = "Fix it, or upgrade the tables with: lavendertown db upgrade"
    return InvalidInputError(
        f"The seed {seed.name}{location} failed: {driver_reason(error)}. It was undone, including its own "
        f"commits. {next_step}"
    )


def _failing_line(seed: Seed, error: BaseException) -> str:
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if Path(step.filename).as_posix().endswith(seed.file)]
    return f", line {lines[-1]}" if lines else ""


class _SeedFile:
    """A file of seeds, imported once, when the first of them is about to run."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.relative_path = path.relative_to(root).as_posix()
        self._root = root
        self._module: ModuleType | None = None

    def load_function(self, name: str) -> SeedFunction:
        """Return a function of the file; import the project's models and the file on the first call."""
        if self._module is None:
            self._module = self._import_file()
        function: SeedFunction = getattr(self._module, name)
        return function

    def _import_file(self) -> ModuleType:
        discover_models(self._root)
        if str(self._root) not in sys.path:
            sys.path.insert(0, str(self._root))
        # Not import_module: a file name that starts with a number is not a module name.
        name = f"lavendertown_seed_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Dataclasses look up their module in sys.modules.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            raise ConfigurationError(
                f"The seeds in {self.relative_path} cannot be imported: {driver_reason(error)}. Fix the "
                "file and try again; nothing was run."
            ) from error
        return module


def _seed_paths(root: Path) -> list[Path]:
    paths = [path for path in (root / SEED_FOLDER).glob("*.py") if path.name[0] not in "._"]
    return sorted(paths, key=_sort_key)


def _sort_key(path: Path) -> tuple[bool, int, str]:
    number = _NUMBERED.fullmatch(path.stem)
    return number is None, int(number[1]) if number else 0, path.name


def _read_seeds(seed_file: _SeedFile) -> Iterator[Seed]:
    try:
        text = seed_file.path.read_text("utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError) as error:
        raise ConfigurationError(
            f"The seeds in {seed_file.relative_path} cannot be read: {driver_reason(error)}. "
            "Fix the file and try again."
        ) from error
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    seeds = [node for node in nodes if node.name.startswith(SEED_PREFIX)]
    for node in seeds:
        if isinstance(node, ast.AsyncFunctionDef):
            raise ConfigurationError(
                f"The seed {node.name} in {seed_file.relative_path} is async; make it a plain def."
            )
        yield Seed(
            name=f"{_name_without_number(seed_file.path)}.{node.name}",
            about=(ast.get_docstring(node) or "").partition("\n")[0],
            file=seed_file.relative_path,
            checksum=_hash_without_others(text, [other for other in seeds if other is not node]),
            load=lambda name=node.name: seed_file.load_function(name),  # type: ignore[misc]
        )


def _name_without_number(path: Path) -> str:
    number = _NUMBERED.fullmatch(path.stem)
    return number[2] if number and number[2] else path.stem


def _hash_without_others(text: str, others: Sequence[ast.FunctionDef | ast.AsyncFunctionDef]) -> str:
    """Hash a file without its other seeds, so that adding a seed does not change the others' hashes."""
    lines = text.splitlines()
    for node in others:
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        lines[first - 1 : node.end_lineno] = [""] * ((node.end_lineno or first) - first + 1)
    remaining = [line.rstrip() for line in lines if line.strip()]
    return hashlib.sha256("\n".join(remaining).encode("utf-8")).hexdigest()
