"""Alembic's entry: runs on the connection it is handed, or on the configured database."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from lavendertown.config import load_settings
from lavendertown.database.engine import make_engine, make_folder, read_url
from lavendertown.database.errors import translated
from lavendertown.database.schema import State, switch_to_wal
from lavendertown.database.tables import UNWATCHED, metadata
from lavendertown.database.upgrade import changing, refuse
from lavendertown.errors import LavenderTownError


def _include(found: Any, name: str | None, kind: str, reflected: bool, _: object) -> bool:
    """Never propose to drop a table that is not ours, or to watch what PostgreSQL is not to watch."""
    if kind == "foreign_key_constraint":
        return not (context.get_context().dialect.name == "postgresql" and found.table.name == UNWATCHED)
    return not (kind == "table" and reflected and name not in metadata.tables)


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_include,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _write_sql() -> None:
    """``alembic upgrade --sql``: the statements, for a database that is not asked."""
    url = read_url(context.config.attributes.get("url") or load_settings().database_url)
    context.configure(
        dialect_name=url.get_backend_name(),
        target_metadata=metadata,
        literal_binds=True,
        render_as_batch=url.get_backend_name() == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def _connect_and_run() -> None:
    url = read_url(load_settings().database_url)
    try:
        found = refuse(url, State.NEWER, State.UNVERSIONED)
        make_folder(url)
        engine = make_engine(url)
        try:
            with translated(url):
                if found is State.EMPTY:
                    switch_to_wal(engine)
                with changing(engine) as connection:
                    _run(connection)
        finally:
            engine.dispose()
    except LavenderTownError as error:
        # Alembic shows the sentence of its own errors alone.
        raise CommandError(str(error)) from error


handed = context.config.attributes.get("connection")
if handed is not None:
    _run(handed)
elif context.is_offline_mode():
    _write_sql()
else:
    _connect_and_run()
