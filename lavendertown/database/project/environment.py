"""The alembic environment of a project: its ``migrations/env.py`` calls :func:`run`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrateOperation, MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy.engine import URL
from sqlalchemy.types import TypeDecorator

from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.database.project import constraint_names, enum_types, expression_indexes
from lavendertown.database.project.model_discovery import VERSION_TABLE, ProjectModels, discover_models
from lavendertown.database.project.risks import describe_renamed_tables, describe_risks
from lavendertown.stores.sql.connection.engine import make_database_folder, read_url, resolve_sqlite_path
from lavendertown.stores.sql.schema.revisions import enable_wal
from lavendertown.stores.sql.schema.upgrade import exclusive_engine, schema_change

log = logging.getLogger(__name__)


def run() -> None:
    """Run alembic's command exclusively, in one transaction.

    The database is the one of ``-x url=…``, or the configured one. A connection in
    ``config.attributes["connection"]`` takes precedence and is used as it is.

    Raises:
        CommandError: The models cannot be read, or the database does not answer; alembic prints the message.
    """
    try:
        root = Path(context.script.dir).resolve().parent
        models = discover_models(root)
        given_connection = context.config.attributes.get("connection")
        if given_connection is not None:
            _run_migrations(given_connection, models)
        elif context.is_offline_mode():
            _write_sql(_database_url(root), models)
        else:
            _connect_and_run(_database_url(root), models)
    except LavenderTownError as error:
        raise CommandError(str(error)) from error


def migration_options(models: ProjectModels) -> dict[str, Any]:
    """Return the options of alembic's contexts for a project's migrations."""
    return {
        "target_metadata": models.metadata,
        "version_table": VERSION_TABLE,
        "include_object": _include_object,
        "include_schemas": any(table.schema for table in models.metadata.tables.values()),
        "render_item": _render_type,
        "transaction_per_migration": False,
        "process_revision_directives": _complete_scripts,
        "autogenerate_plugins": [
            "alembic.autogenerate.*",
            constraint_names.PLUGIN,
            expression_indexes.PLUGIN,
        ],
    }


def _complete_scripts(migration: MigrationContext, _: object, scripts: list[MigrationScript]) -> None:
    """Complete a generated migration with names and enum types.

    What it cannot know, or cannot do on filled tables, is logged.
    """
    for script in scripts:
        if script.upgrade_ops is None or script.downgrade_ops is None:
            continue
        operations = list(_walk_operations(script.upgrade_ops.ops))
        constraint_names.name_new_constraints(operations)
        constraint_names.name_dropped_foreign_keys(script.upgrade_ops.ops)
        metadata = migration.opts["target_metadata"]
        enum_types.add_type_operations(script.upgrade_ops, operations, metadata, migration.connection)
        script.upgrade_ops.reverse_into(script.downgrade_ops)
        constraint_names.mark_unnamed_drops(script.upgrade_ops)
        sentences = [
            *describe_risks(operations),
            *describe_renamed_tables(operations, metadata, migration.connection),
        ]
        for sentence in sentences:
            log.warning("%s", sentence)


def _walk_operations(operations: Iterable[MigrateOperation]) -> Iterator[MigrateOperation]:
    for operation in operations:
        yield operation
        yield from _walk_operations(getattr(operation, "ops", ()))


def _database_url(root: Path) -> URL:
    url_argument = context.get_x_argument(as_dictionary=True).get("url")
    if given_url := url_argument or context.config.attributes.get("url"):
        return read_url(str(given_url))
    # Alembic may run in another folder than the project's.
    return resolve_sqlite_path(read_url(load_settings(root).database_url), root)


def _connect_and_run(url: URL, models: ProjectModels) -> None:
    make_database_folder(url)
    with exclusive_engine(url.render_as_string(hide_password=False)) as engine:
        enable_wal(engine)
        with schema_change(engine) as connection:
            _run_migrations(connection, models)


def _run_migrations(connection: sa.Connection, models: ProjectModels) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    context.configure(connection=connection, render_as_batch=is_sqlite, **migration_options(models))
    with context.begin_transaction(), expression_indexes.hide_skipping():
        context.run_migrations()


def _write_sql(url: URL, models: ProjectModels) -> None:
    backend = url.get_backend_name()
    context.configure(
        dialect_name=backend,
        literal_binds=True,
        render_as_batch=backend == "sqlite",
        **migration_options(models),
    )
    with context.begin_transaction():
        context.run_migrations()


def _include_object(_: object, __: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Exclude tables that no model describes: LavenderTown's and other programs'."""
    return not (kind == "table" and reflected and compared is None)


def _render_type(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Render the stored type of a type decorator, so that a migration imports no application classes."""
    if kind != "type":
        return False
    stored_type = item.impl_instance if isinstance(item, TypeDecorator) else item
    if isinstance(stored_type, sa.Enum) and (enum := enum_types.render_enum(stored_type)):
        return enum
    if stored_type is not item and type(stored_type).__module__.startswith("sqlalchemy.sql."):
        return f"sa.{stored_type!r}"
    return False
