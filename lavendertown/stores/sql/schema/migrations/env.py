"""Alembic's entry point: runs on the given connection, or on the configured database."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import URL, Connection

from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.stores.sql.connection.engine import (
    make_database_folder,
    make_engine,
    read_url,
    resolve_sqlite_path,
)
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.schema.revisions import (
    QuarantinedFindings,
    SchemaState,
    enable_wal,
    open_quarantine,
    refuse_state,
)
from lavendertown.stores.sql.schema.tables import metadata
from lavendertown.stores.sql.schema.upgrade import schema_change

log = logging.getLogger("lavendertown.database")


def _include_object(_: Any, name: str | None, kind: str, reflected: bool, __: object) -> bool:
    """Exclude tables of other programs, which autogenerate would propose to drop."""
    return not (kind == "table" and reflected and name not in metadata.tables)


def _run_migrations(connection: Connection) -> None:
    context.config.attributes["open_quarantine"] = partial(open_quarantine, root=_project_root())
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_include_object,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    if quarantined := context.config.attributes.get("quarantined_findings"):
        context.config.attributes["quarantined"] = QuarantinedFindings(*quarantined)


def _render_sql() -> None:
    """Write the SQL for ``alembic upgrade --sql``, without connecting to the database."""
    given_url = context.config.attributes.get("url")
    url = read_url(given_url) if given_url else _configured_url()
    context.configure(
        dialect_name=url.get_backend_name(),
        target_metadata=metadata,
        literal_binds=True,
        render_as_batch=url.get_backend_name() == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def _project_root() -> Path:
    """Return the folder of alembic's ini file; for the one in the package, the working folder."""
    ini = context.config.config_file_name
    folder = Path(ini).resolve().parent if ini else None
    return Path.cwd() if folder in (None, Path(__file__).parent.resolve()) else folder


def _configured_url() -> URL:
    """Return the URL of the project's database, also if alembic runs in another folder."""
    root = _project_root()
    return resolve_sqlite_path(read_url(load_settings(root).database_url), root)


def _connect_and_run() -> None:
    try:
        url = _configured_url()
        state = refuse_state(url, SchemaState.NEWER, SchemaState.UNVERSIONED)
        make_database_folder(url)
        engine = make_engine(url)
        try:
            with translate_errors(url):
                if state is SchemaState.EMPTY:
                    enable_wal(engine)
                with schema_change(engine) as connection:
                    _run_migrations(connection)
        finally:
            engine.dispose()
        if quarantined := context.config.attributes.get("quarantined"):
            log.warning(quarantined.sentence)
    except LavenderTownError as error:
        # Alembic prints only the message of a CommandError, without a traceback.
        raise CommandError(str(error)) from error


given_connection = context.config.attributes.get("connection")
if given_connection is not None:
    _run_migrations(given_connection)
elif context.is_offline_mode():
    _render_sql()
else:
    _connect_and_run()
