"""``lavendertown db revision``, and the migrations of a project in other ``db`` commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import print_json
from lavendertown.core.settings import load_settings
from lavendertown.transfer.locations import database_libraries

if TYPE_CHECKING:
    from lavendertown.database.project.migrations import MigrationStatus
    from lavendertown.stores.sql.schema.upgrade import RevisionChange


@click.command()
@click.option("-m", "--message", metavar="TEXT", help="What the migration does; used in its file name.")
@click.option(
    "--autogenerate",
    is_flag=True,
    help="Generate the migration from the differences between models and database.",
)
@click.option("--init", "init_only", is_flag=True, help="Only create the folder migrations/.")
@click.option("--url", help="The database. Default: the configured one.")
@json_option
def revision_command(
    message: str | None, autogenerate: bool, init_only: bool, url: str | None, as_json: bool
) -> None:
    """Write a migration for this project's own models in models/ and components/**/*_models.py.

    The first call also creates migrations/, which works with plain alembic too. If --autogenerate finds
    no differences between models and database, no migration is written.

    \b
    Example:
      lavendertown db revision --autogenerate -m "Add user table"
    """
    with database_libraries():
        from lavendertown.database.project import migrations
    root = Path.cwd()
    if not init_only and not message:
        raise click.UsageError("The message is missing. Describe the migration with -m TEXT.")
    files = migrations.write_migration_files(root)
    revision_file = None
    if not init_only:
        revision_file = migrations.write_revision(
            root, resolve_database_url(url), str(message), autogenerate=autogenerate
        )
    if as_json:
        print_json(
            {
                "files": [_display_path(path) for path in files],
                "revision": _display_path(revision_file) if revision_file else None,
            }
        )
        return
    for path in (*files, *([revision_file] if revision_file else [])):
        click.echo(f"Wrote {_display_path(path)}.")
    if revision_file is None and not init_only:
        click.echo("Models and database match; no migration was written.")
    elif revision_file is None and not files:
        click.echo("The folder migrations already exists; nothing was written.")


def resolve_database_url(url: str | None) -> str:
    """Return the given database URL, else the configured one."""
    return url or load_settings().database_url


def read_migration_status(url: str | None) -> MigrationStatus | None:
    """Compare the project's models with the database; return None if the project has no migrations."""
    with database_libraries():
        from lavendertown.database.project import migrations
    root = Path.cwd()
    return (
        migrations.inspect_migrations(root, resolve_database_url(url))
        if migrations.has_migrations(root)
        else None
    )


def upgrade_project(
    url: str, backup: Path | None, copy_first: bool, *, is_new: bool = False
) -> RevisionChange | None:
    """Apply the project's migrations after LavenderTown's; return None if it has none.

    Args:
        url: The database.
        backup: The backup made before LavenderTown's migrations; if there is one, no other is made.
        copy_first: Back up the database first.
        is_new: Whether LavenderTown's tables were just created. Then a backup is made only if the database
            has tables of the project.
    """
    with database_libraries():
        from lavendertown.database.project import migrations
    root = Path.cwd()
    if not migrations.has_migrations(root):
        return None
    needs_backup = backup is None and not (is_new and not migrations.inspect_migrations(root, url).revision)
    return migrations.upgrade(root, url, copy_first=copy_first and needs_backup)


def downgrade_project(url: str, revision: str) -> RevisionChange:
    """Downgrade the project's tables to a revision; the database is backed up first."""
    with database_libraries():
        from lavendertown.database.project import migrations
    return migrations.downgrade(Path.cwd(), url, revision)


def render_migration_sql(url: str | None) -> str:
    """Return the SQL of all migrations: LavenderTown's, then the project's."""
    with database_libraries():
        from lavendertown.database.project import migrations
    from lavendertown.stores.sql.schema import revisions

    root = Path.cwd()
    text = revisions.render_migration_sql(resolve_database_url(url))
    return text + (
        migrations.write_sql(root, resolve_database_url(url)) if migrations.has_migrations(root) else ""
    )


def status_to_dict(status: MigrationStatus) -> dict[str, Any]:
    """Return a status as JSON-compatible data."""
    return {
        "revision": status.revision,
        "head": status.head,
        "differences": list(status.differences),
        "agrees": status.is_up_to_date,
    }


def describe_status(status: MigrationStatus) -> list[str]:
    """Return lines that compare the project's models with the database, and say what to do."""
    at = f"revision {status.revision}" if status.revision else "no revision yet"
    if status.revision != status.head:
        newest = status.head or "none"
        return [
            f"The project's own tables are at {at}; the newest is {newest}. "
            "To upgrade them, run: lavendertown db upgrade"
        ]
    if status.differences:
        return [
            f"The project's own tables are at {at}, but its models differ from them. "
            'To write a migration, run: lavendertown db revision --autogenerate -m "…"',
            *(f"  {each}" for each in status.differences),
        ]
    return [f"The project's own tables are at {at}; models and database match."]


def print_project_upgrade(change: RevisionChange) -> None:
    """Print what was done to the project's tables."""
    if change.backup is not None:
        click.echo(f"Backed up to {change.backup}.")
    if change.before == change.after:
        click.echo("The project's own tables are already up to date.")
    else:
        before, after = change.before or "no revision", change.after or "no revision"
        click.echo(f"Changed the project's own tables from {before} to {after}.")


def _display_path(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
