"""A project's own migrations: writing, upgrading, downgrading and comparing them with its models."""

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

from lavendertown.core.errors import InvalidInputError, NotFoundError, StorageUnavailableError
from lavendertown.database.project.environment import migration_options
from lavendertown.database.project.expression_indexes import hide_skipping
from lavendertown.database.project.model_discovery import VERSION_TABLE, discover_models
from lavendertown.stores.sql.connection.engine import (
    BEGIN_OPTION,
    make_database_folder,
    make_engine,
    read_url,
)
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.copies.backup import copy_database
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.upgrade import RevisionChange, exclusive_engine, schema_change

_FILES = {"alembic.ini": "alembic.ini", "env.py": "env.py.txt", "script.py.mako": "script.py.mako"}
_ENV_MARKER = "lavendertown.database.project"


@dataclass(frozen=True)
class MigrationStatus:
    """The status of a project's migrations in a database.

    Attributes:
        revision: The database's revision; empty if no migration was applied.
        head: The newest revision with a file; empty without revisions.
        differences: The differences between the models and the database, one phrase each.
    """

    revision: str
    head: str
    differences: tuple[str, ...]

    @property
    def is_up_to_date(self) -> bool:
        """Whether the database matches the migrations and the models."""
        return self.revision == self.head and not self.differences


def has_migrations(root: Path) -> bool:
    """Return whether a project has migrations whose ``migrations/env.py`` calls LavenderTown.

    Other programs have a ``migrations/`` folder too.
    """
    env = root / "migrations" / "env.py"
    return env.is_file() and _ENV_MARKER in env.read_text("utf-8", errors="replace")


def write_migration_files(root: Path) -> list[Path]:
    """Write the missing files of ``migrations/``, with which plain alembic works too.

    Returns:
        The files that were written.

    Raises:
        InvalidInputError: The folder has migrations of another program; nothing was written.
        StorageUnavailableError: A file cannot be written.
    """
    folder = root / "migrations"
    if not has_migrations(root) and (folder / "env.py").exists():
        raise InvalidInputError(
            f"{folder} has migrations of another program; nothing was written. Call "
            f"{_ENV_MARKER}.environment.run() in its env.py, or move the folder."
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


def write_revision(root: Path, database_url: str, message: str, *, autogenerate: bool = True) -> Path | None:
    """Write the next migration, and the missing files of ``migrations/``.

    Args:
        root: The project root.
        database_url: The database to compare the models with.
        message: A description of the migration, which becomes part of its file name.
        autogenerate: Whether to fill the migration from the differences; otherwise it is empty.

    Returns:
        The file; None if the models match the database, so that no migration was written.

    Raises:
        ConfigurationError: The models cannot be read.
        InvalidInputError: The database does not have all migrations yet.
        StorageUnavailableError: The database does not answer.
    """
    write_migration_files(root)

    def leave_out_empty(_: object, __: object, scripts: list[MigrationScript]) -> None:
        if autogenerate and scripts[0].upgrade_ops is not None and scripts[0].upgrade_ops.is_empty():
            scripts.clear()

    with _open_connection(database_url) as connection, _translate_alembic_errors():
        revision = command.revision(
            _alembic_config(root, connection),
            message,
            autogenerate=autogenerate,
            process_revision_directives=leave_out_empty,
        )
    return Path(revision.path) if isinstance(revision, Script) else None


def upgrade(root: Path, database_url: str, *, copy_first: bool = True) -> RevisionChange:
    """Apply the project's pending migrations, in one transaction.

    Raises:
        NotFoundError: The project has no migrations.
        ConfigurationError: The models cannot be read.
        InvalidInputError: A migration cannot be run, or the history has several heads; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    return _run_migration(root, database_url, "head", copy_first, down=False)


def downgrade(root: Path, database_url: str, revision: str, *, copy_first: bool = True) -> RevisionChange:
    """Downgrade the project's tables to a revision: its name, ``-1`` for the previous one, or ``base``.

    Raises:
        NotFoundError: The project has no migrations.
        InvalidInputError: There is no such earlier revision; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    return _run_migration(root, database_url, revision, copy_first, down=True)


def inspect_migrations(root: Path, database_url: str) -> MigrationStatus:
    """Compare the project's models with a database, without changing it or creating a file.

    Raises:
        NotFoundError: The project has no migrations.
        ConfigurationError: The models cannot be read.
        InvalidInputError: The history has several heads.
        StorageUnavailableError: The database does not answer.
    """
    _require_migrations(root)
    models = discover_models(root)
    head = _newest_revision(root)
    url = read_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # Connecting would create the file.
        missing = (f"the table {name!r} is missing" for name in sorted(models.metadata.tables))
        return MigrationStatus("", head, tuple(missing))
    engine = make_engine(url)
    try:
        with (
            translate_errors(url),
            engine.connect().execution_options(**{BEGIN_OPTION: "BEGIN"}) as connection,
        ):
            context = MigrationContext.configure(connection, opts=migration_options(models))
            with hide_skipping():
                differences = compare_metadata(context, models.metadata)
            return MigrationStatus(
                _database_revision(connection),
                head,
                tuple(map(_describe_difference, _flatten_differences(differences))),
            )
    finally:
        engine.dispose()


def write_sql(root: Path, database_url: str) -> str:
    """Return the SQL of all the project's migrations, without connecting to the database.

    Raises:
        NotFoundError: The project has no migrations.
        InvalidInputError: A migration cannot be written as SQL, such as one that recreates a SQLite table.
    """
    _require_migrations(root)
    text = io.StringIO()
    config = _alembic_config(root, None, text)
    config.attributes["url"] = database_url
    with _translate_alembic_errors():
        command.upgrade(config, "head", sql=True)
    return text.getvalue()


def _run_migration(
    root: Path, database_url: str, revision: str, copy_first: bool, *, down: bool
) -> RevisionChange:
    _require_migrations(root)
    make_database_folder(read_url(database_url))
    with exclusive_engine(database_url) as engine, _translate_alembic_errors():
        with engine.connect().execution_options(**{BEGIN_OPTION: "BEGIN"}) as connection:
            before = _database_revision(connection)
        if not down and before == _newest_revision(root):
            return RevisionChange(before, before, None)
        backup = copy_database(engine) if copy_first else None
        revisions.enable_wal(engine)
        with schema_change(engine) as connection:
            (command.downgrade if down else command.upgrade)(_alembic_config(root, connection), revision)
            return RevisionChange(before, _database_revision(connection), backup)


@contextlib.contextmanager
def _open_connection(database_url: str) -> Iterator[sa.Connection]:
    make_database_folder(read_url(database_url))
    with exclusive_engine(database_url) as engine:
        revisions.enable_wal(engine)
        with schema_change(engine) as connection:
            yield connection


@contextlib.contextmanager
def _translate_alembic_errors() -> Iterator[None]:
    """Translate alembic's errors into LavenderTown's errors."""
    try:
        yield
    except CommandError as error:
        text = str(error).rstrip(".")
        raise InvalidInputError(f"The project's migrations failed: {text}. Nothing was changed.") from error


def _require_migrations(root: Path) -> None:
    if not has_migrations(root):
        raise NotFoundError(
            f"The project in {root} has no migrations of its own. Write the first one with: "
            "lavendertown db revision --autogenerate -m TEXT"
        )


def _alembic_config(
    root: Path, connection: sa.Connection | None, output: io.StringIO | None = None
) -> Config:
    ini = root / "migrations" / "alembic.ini"
    # Quiet: alembic would print the names of its files to standard output, among the command's own output.
    config = Config(ini, cmd_opts=Namespace(quiet=True, x=[]), output_buffer=output)
    config.attributes["connection"] = connection
    return config


def _newest_revision(root: Path) -> str:
    with _translate_alembic_errors():
        return ScriptDirectory.from_config(_alembic_config(root, None)).get_current_head() or ""


def _database_revision(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    stored_revisions = connection.scalars(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return ", ".join(sorted(stored_revisions))


def _flatten_differences(differences: list[object]) -> Iterator[tuple[object, ...]]:
    """Yield alembic's differences one by one; alembic groups those of one column in a list."""
    for each in differences:
        if isinstance(each, list):
            yield from each
        elif isinstance(each, tuple):
            yield each


def _describe_difference(difference: tuple[object, ...]) -> str:
    kind, *parts = difference
    words = str(kind).replace("_", " ")
    schema_items = [part for part in parts if isinstance(part, sa.sql.schema.SchemaItem)]
    if schema_items:
        item = schema_items[-1]
        table = getattr(item, "table", None)
        name = getattr(item, "name", None) or type(item).__name__
        of = f" of {table.name!r}" if isinstance(table, sa.Table) else ""
        return f"{words} {name!r}{of}"
    return f"{words} {'.'.join(str(part) for part in parts[1:3])!r}"
