"""A project's own migrations: written, applied, taken back and compared with its models."""

from __future__ import annotations

import contextlib
import io
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from lavendertown.database import schema
from lavendertown.database.backup import backup
from lavendertown.database.engine import BEGIN, make_engine, make_folder, read_url
from lavendertown.database.errors import translated
from lavendertown.database.project.environment import options
from lavendertown.database.project.models import VERSION_TABLE, discover
from lavendertown.database.upgrade import Changed, alone, changing
from lavendertown.errors import InvalidInputError, NotFoundError, StorageUnavailableError

_FILES = {"alembic.ini": "alembic.ini", "env.py": "env.py.txt", "script.py.mako": "script.py.mako"}
_MARK = "lavendertown.database.project"


@dataclass(frozen=True)
class Standing:
    """How a project's models, migrations and database stand to each other.

    Attributes:
        revision: The database's, of the project's history; empty before the first.
        head: The newest there is a file for; empty where there is none.
        differences: What the models have and the database has not, or otherwise, a sentence each.
    """

    revision: str
    head: str
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the database is as the migrations and the models want it."""
        return self.revision == self.head and not self.differences


def has_migrations(root: Path) -> bool:
    """Tell whether a project has migrations that LavenderTown runs, by looking into ``migrations/env.py``.

    Other programs keep their ``migrations/alembic.ini`` in the same place.
    """
    env = root / "migrations" / "env.py"
    return env.is_file() and _MARK in env.read_text("utf-8", errors="replace")


def write_files(root: Path) -> list[Path]:
    """Write ``migrations/`` with what plain alembic needs; files that exist stay as they are.

    Returns:
        The files that were written.

    Raises:
        InvalidInputError: The folder holds another program's migrations; nothing was written.
        StorageUnavailableError: A file cannot be written.
    """
    folder = root / "migrations"
    if not has_migrations(root) and (folder / "env.py").exists():
        raise InvalidInputError(
            f"{folder} holds migrations of another program; nothing was written. Let its env.py call "
            f"{_MARK}.environment.run(), or move it aside."
        )
    written: list[Path] = []
    try:
        for part in ("versions", "seed"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for name, template in _FILES.items():
            if not (folder / name).exists():
                text = (files(__package__) / "templates" / template).read_text("utf-8")
                (folder / name).write_text(text, "utf-8")
                written.append(folder / name)
    except OSError as error:
        raise StorageUnavailableError(
            f"{folder} cannot be written ({error.strerror}). Change its permissions and try again."
        ) from error
    return written


def revise(root: Path, database_url: str, message: str, *, autogenerate: bool = True) -> Path | None:
    """Write the next migration; the first call writes ``migrations/`` too.

    Args:
        root: The project root.
        database_url: What the models are compared with.
        message: What the migration does; becomes part of its file name.
        autogenerate: Fill it from the differences; else it is empty, to be filled by hand.

    Returns:
        The file; None where models and database agree, so nothing was written.

    Raises:
        ConfigurationError: The models cannot be read.
        InvalidInputError: The database has not all migrations yet.
        StorageUnavailableError: The database does not answer.
    """
    write_files(root)

    def leave_out_empty(_: object, __: object, scripts: list[MigrationScript]) -> None:
        if autogenerate and scripts[0].upgrade_ops is not None and scripts[0].upgrade_ops.is_empty():
            scripts.clear()

    with _open(database_url) as connection, _sentences():
        made = command.revision(
            _config(root, connection),
            message,
            autogenerate=autogenerate,
            process_revision_directives=leave_out_empty,
        )
    return Path(made.path) if isinstance(made, Script) else None


def upgrade(root: Path, database_url: str, *, copy_first: bool = True) -> Changed:
    """Apply the project's migrations that the database has not yet, in one transaction.

    Raises:
        NotFoundError: The project has no migrations.
        ConfigurationError: The models cannot be read.
        InvalidInputError: A migration cannot be run, or the history has several ends; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    return _move(root, database_url, "head", copy_first, down=False)


def downgrade(root: Path, database_url: str, revision: str, *, copy_first: bool = True) -> Changed:
    """Take the project's tables back to a revision: its name, ``-1`` for one back, ``base`` for none.

    Raises:
        NotFoundError: The project has no migrations.
        InvalidInputError: There is no such revision below the database's; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    return _move(root, database_url, revision, copy_first, down=True)


def look(root: Path, database_url: str) -> Standing:
    """Compare the project's models with the database; changes nothing, makes no file.

    Raises:
        NotFoundError: The project has no migrations.
        ConfigurationError: The models cannot be read.
        InvalidInputError: The history has several ends.
        StorageUnavailableError: The database does not answer.
    """
    _need(root)
    models = discover(root)
    head = _head(root)
    url = read_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # Connecting would create the file.
        missing = (f"the table {name!r} is missing" for name in sorted(models.metadata.tables))
        return Standing("", head, tuple(missing))
    engine = make_engine(url)
    try:
        with translated(url), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            context = MigrationContext.configure(connection, opts=options(models))
            found = compare_metadata(context, models.metadata)
            return Standing(_revision(connection), head, tuple(map(_sentence, _flat(found))))
    finally:
        engine.dispose()


def write_sql(root: Path, database_url: str) -> str:
    """Return the statements of all the project's migrations, for a database that is not asked.

    Raises:
        NotFoundError: The project has no migrations.
        InvalidInputError: A migration cannot be written as statements, such as one that makes a SQLite
            table anew.
    """
    _need(root)
    text = io.StringIO()
    config = _config(root, None, text)
    config.attributes["url"] = database_url
    with _sentences():
        command.upgrade(config, "head", sql=True)
    return text.getvalue()


def _move(root: Path, database_url: str, revision: str, copy_first: bool, *, down: bool) -> Changed:
    _need(root)
    make_folder(read_url(database_url))
    with alone(database_url) as engine, _sentences():
        with engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            before = _revision(connection)
        if not down and before == _head(root):
            return Changed(before, before, None)
        copy = backup(engine) if copy_first else None
        schema.switch_to_wal(engine)
        with changing(engine) as connection:
            (command.downgrade if down else command.upgrade)(_config(root, connection), revision)
            return Changed(before, _revision(connection), copy)


@contextlib.contextmanager
def _open(database_url: str) -> Iterator[sa.Connection]:
    make_folder(read_url(database_url))
    with alone(database_url) as engine:
        schema.switch_to_wal(engine)
        with changing(engine) as connection:
            yield connection


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """Turn alembic's own errors into ours."""
    try:
        yield
    except CommandError as error:
        text = str(error).rstrip(".")
        raise InvalidInputError(
            f"The project's migrations cannot do that: {text}. Nothing was changed."
        ) from error


def _need(root: Path) -> None:
    if not has_migrations(root):
        raise NotFoundError(
            f"The project in {root} has no migrations of its own. Write the first with: "
            "lavendertown db revision --autogenerate -m TEXT"
        )


def _config(root: Path, connection: sa.Connection | None, output: io.StringIO | None = None) -> Config:
    ini = root / "migrations" / "alembic.ini"
    # Quiet: alembic would tell of its files on standard output, where our own answer goes.
    config = Config(ini, cmd_opts=Namespace(quiet=True, x=[]), output_buffer=output)
    config.attributes["connection"] = connection
    return config


def _head(root: Path) -> str:
    with _sentences():
        return ScriptDirectory.from_config(_config(root, None)).get_current_head() or ""


def _revision(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    found = connection.scalars(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return ", ".join(sorted(found))


def _flat(found: list[object]) -> Iterator[tuple[object, ...]]:
    """Yield alembic's differences one by one: it puts those of one column into a list."""
    for each in found:
        if isinstance(each, list):
            yield from each
        elif isinstance(each, tuple):
            yield each


def _sentence(difference: tuple[object, ...]) -> str:
    kind, *parts = difference
    words = str(kind).replace("_", " ")
    named = [part for part in parts if isinstance(part, sa.sql.schema.SchemaItem)]
    if named:
        item = named[-1]
        table = getattr(item, "table", None)
        name = getattr(item, "name", None) or type(item).__name__
        of = f" of {table.name!r}" if isinstance(table, sa.Table) else ""
        return f"{words} {name!r}{of}"
    return f"{words} {'.'.join(str(part) for part in parts[1:3])!r}"
