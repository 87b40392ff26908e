"""What a project's ``migrations/env.py`` calls: runs its migrations on the configured database."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from sqlalchemy.engine import URL
from sqlalchemy.types import TypeDecorator

from lavendertown.config import load_settings
from lavendertown.database.engine import make_folder, read_url
from lavendertown.database.project.models import VERSION_TABLE, Models, discover
from lavendertown.database.schema import switch_to_wal
from lavendertown.database.upgrade import alone, changing
from lavendertown.errors import LavenderTownError


def run() -> None:
    """Run what alembic was asked for, alone and in one transaction.

    The database is the configured one, or the one of ``-x url=…``; a connection in
    ``config.attributes["connection"]`` is used as it is.

    Raises:
        CommandError: Models cannot be read, or the database does not answer; alembic shows the sentence.
    """
    try:
        root = Path(context.script.dir).resolve().parent
        models = discover(root)
        handed = context.config.attributes.get("connection")
        if handed is not None:
            _run(handed, models)
        elif context.is_offline_mode():
            _write_sql(_url(root), models)
        else:
            _connect_and_run(_url(root), models)
    except LavenderTownError as error:
        raise CommandError(str(error)) from error


def options(models: Models) -> dict[str, Any]:
    """Return how migrations are compared and written, for alembic's contexts."""
    return {
        "target_metadata": models.metadata,
        "version_table": VERSION_TABLE,
        "include_object": _include,
        "include_schemas": any(table.schema for table in models.metadata.tables.values()),
        "render_item": _render,
        "transaction_per_migration": False,
    }


def _url(root: Path) -> URL:
    given = context.get_x_argument(as_dictionary=True).get("url")
    chosen = given or context.config.attributes.get("url") or load_settings(root).database_url
    return read_url(str(chosen))


def _connect_and_run(url: URL, models: Models) -> None:
    make_folder(url)
    with alone(url.render_as_string(hide_password=False)) as engine:
        switch_to_wal(engine)
        with changing(engine) as connection:
            _run(connection, models)


def _run(connection: sa.Connection, models: Models) -> None:
    batch = connection.dialect.name == "sqlite"
    context.configure(connection=connection, render_as_batch=batch, **options(models))
    with context.begin_transaction():
        context.run_migrations()


def _write_sql(url: URL, models: Models) -> None:
    name = url.get_backend_name()
    batch = name == "sqlite"
    context.configure(dialect_name=name, literal_binds=True, render_as_batch=batch, **options(models))
    with context.begin_transaction():
        context.run_migrations()


def _include(_: object, __: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Leave tables alone that no model describes: LavenderTown's, or another program's."""
    return not (kind == "table" and reflected and compared is None)


def _render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write what a type is stored as: a migration must not import live classes."""
    if kind == "type" and isinstance(item, TypeDecorator):
        stored = item.impl_instance
        if type(stored).__module__.startswith("sqlalchemy.sql."):
            return f"sa.{stored!r}"
    return False
