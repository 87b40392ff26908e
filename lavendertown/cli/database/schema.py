"""``lavendertown db``: create, upgrade, downgrade and check the schema of the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli.database import project_migrations
from lavendertown.cli.options import json_option
from lavendertown.cli.output import format_count, print_json
from lavendertown.core.settings import load_settings
from lavendertown.transfer.locations import database_libraries

if TYPE_CHECKING:
    from lavendertown.stores.sql.schema.revisions import SchemaInspection
    from lavendertown.stores.sql.schema.upgrade import RevisionChange

url_option = click.option("--url", help="The database. Default: the configured one.")


@click.group()
def db_group() -> None:
    """Create, upgrade, check, back up and restore the database.

    \b
    Example:
      lavendertown db init
    """


@db_group.command()
@url_option
@json_option
def init_command(url: str | None, as_json: bool) -> None:
    """Create the tables in an empty database; an existing schema stays as it is.

    \b
    Example:
      lavendertown db init --url sqlite:///reports.db
    """
    from lavendertown.collaboration.database_storage import DatabaseStorage

    storage = DatabaseStorage(url)
    store_name = storage.describe()
    storage.close()
    if as_json:
        print_json({"store": store_name, "state": "current"})
        return
    click.echo(f"Ready: {store_name}.")
    if load_settings().storage_type != "database":
        click.echo(
            "Records are still stored as files. To use the database, set LAVENDERTOWN_STORAGE_TYPE=database."
        )


@db_group.command()
@url_option
@click.option("--no-backup", is_flag=True, help="Do not back up the database first.")
@click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    help="The time zone in which a database of 0.7 was written. Default: UTC.",
)
@click.option("--sql", is_flag=True, help="Only print the SQL statements; connect to no database.")
@json_option
def upgrade_command(url: str | None, no_backup: bool, zone: str | None, sql: bool, as_json: bool) -> None:
    """Upgrade the database to the current schema, also from version 0.7; it is backed up first.

    A project's own migrations, in the folder migrations, are applied after LavenderTown's. Unreadable
    items in a database of 0.7 are listed and copied into a quarantine folder. Findings without a report in
    a PostgreSQL database of schema 0006 or 0007 are moved to a file and counted.

    Exit codes: 0 up to date, 1 up to date with quarantined items, 2 usage error or failure.

    \b
    Example:
      lavendertown db upgrade --url sqlite:///reports.db
    """
    from lavendertown.transfer.locations import is_legacy_database, parse_location

    if sql:
        click.echo(project_migrations.render_migration_sql(url), nl=False)
        return
    location = parse_location(url or load_settings().database_url)
    if is_legacy_database(location):
        _upgrade_legacy(location.url, location.display_name, not no_backup, zone, as_json)
        return
    from lavendertown.stores.sql.schema import upgrade as schema_upgrade

    change = schema_upgrade.upgrade_database(location.url, copy_first=not no_backup)
    if not as_json:
        _print_upgrade(location.display_name, change)
    project = project_migrations.upgrade_project(
        location.url, change.backup, not no_backup, is_new=not change.before
    )
    if as_json:
        project_data = {"project": _change_to_dict(project)} if project else {}
        print_json({"store": location.display_name, **_change_to_dict(change), **project_data})
    elif project:
        project_migrations.print_project_upgrade(project)
    raise click.exceptions.Exit(1 if change.quarantined else 0)


def _print_upgrade(store_name: str, change: RevisionChange) -> None:
    if change.before == change.after:
        click.echo(f"{store_name} is already up to date; nothing was changed.")
    elif not change.before:
        click.echo(f"Created the tables in {store_name}.")
    else:
        _print_backup(change.backup)
        click.echo(f"Upgraded {store_name} from revision {change.before} to {change.after}.")
    if change.quarantined:
        click.echo(change.quarantined.sentence)


def _upgrade_legacy(url: str, store_name: str, copy_first: bool, zone: str | None, as_json: bool) -> None:
    from lavendertown.transfer.upgrade_legacy import upgrade_legacy_database

    upgraded = upgrade_legacy_database(url, copy_first=copy_first, zone=zone)
    if upgraded is None:
        # Upgraded by another process since its schema was read.
        click.echo(f"{store_name} is already up to date; nothing was changed.")
        return
    outcome = upgraded.outcome
    project = project_migrations.upgrade_project(url, upgraded.backup, copy_first)
    if as_json:
        backup = str(upgraded.backup) if upgraded.backup else None
        project_data = {"project": _change_to_dict(project)} if project else {}
        print_json({"store": store_name, "backup": backup, **outcome.to_dict(), **project_data})
    else:
        _print_backup(upgraded.backup)
        if outcome.normalized:
            click.echo(outcome.normalized_sentence)
        for item in outcome.quarantined:
            click.echo(f"Unreadable: {item.item}: {item.reason}.")
        if outcome.quarantine_folder is not None:
            click.echo(f"The unreadable items are copied to {outcome.quarantine_folder}.")
        reports, annotations = outcome.counts["reports"].written, outcome.counts["annotations"].written
        click.echo(
            f"Upgraded {store_name} from LavenderTown 0.7: {format_count(reports, 'report')} and "
            f"{format_count(annotations, 'comment')}, read back and equal."
        )
        if project:
            project_migrations.print_project_upgrade(project)
    raise click.exceptions.Exit(1 if outcome.quarantined else 0)


@db_group.command()
@click.argument("revision", required=False)
@click.option(
    "--project",
    metavar="REVISION",
    help="Downgrade this project's own tables instead: to a revision, -1 (the previous one) or base (none).",
)
@url_option
@click.option(
    "--yes", is_flag=True, help="Confirm that data that only the newer schema can store are deleted."
)
@json_option
def downgrade_command(
    revision: str | None, project: str | None, url: str | None, yes: bool, as_json: bool
) -> None:
    """Downgrade the database to an earlier REVISION; it is backed up first.

    \b
    Example:
      lavendertown db downgrade 0001 --yes
      lavendertown db downgrade --project -1 --yes
    """
    from lavendertown.stores.sql.schema import upgrade as schema_upgrade
    from lavendertown.transfer.locations import parse_location

    if (revision is None) == (project is None):
        raise click.UsageError("Give either REVISION, or --project REVISION for the project's own tables.")
    if not yes:
        raise click.UsageError(
            "Data that only the newer schema can store would be deleted. To confirm, repeat with --yes."
        )
    location = parse_location(url or load_settings().database_url)
    if project is not None:
        change = project_migrations.downgrade_project(location.url, project)
    else:
        change = schema_upgrade.downgrade_database(location.url, str(revision))
    if as_json:
        print_json({"store": location.display_name, **_change_to_dict(change)})
    elif project is not None:
        project_migrations.print_project_upgrade(change)
    else:
        _print_backup(change.backup)
        click.echo(f"Downgraded {location.display_name} from revision {change.before} to {change.after}.")


def _change_to_dict(change: RevisionChange) -> dict[str, Any]:
    backup = str(change.backup) if change.backup else None
    data: dict[str, Any] = {"before": change.before, "after": change.after, "backup": backup}
    if quarantined := change.quarantined:
        data["quarantined"] = {"findings": quarantined.count, "file": str(quarantined.file)}
    return data


def _print_backup(backup: Path | None) -> None:
    if backup is not None:
        click.echo(f"Backed up to {backup}.")


@db_group.command()
@url_option
@json_option
def current_command(url: str | None, as_json: bool) -> None:
    """Show the schema of the database and of the project's own tables, and what to do; change nothing.

    \b
    Example:
      lavendertown db current
    """
    schema = _inspect_schema(url)
    project = project_migrations.read_migration_status(url)
    if as_json:
        project_data = {"project": project_migrations.status_to_dict(project)} if project else {}
        print_json({"store": schema.store, "state": schema.state, **project_data})
        return
    click.echo(schema.sentence)
    for line in project_migrations.describe_status(project) if project else ():
        click.echo(line)
    for notice in () if url else load_settings().notices:
        click.echo(notice)


@db_group.command()
@url_option
@json_option
def check_command(url: str | None, as_json: bool) -> None:
    """Exit with 0 if the database has the current schema, else with 1.

    If the project has its own migrations, its models must match the database too.

    \b
    Example:
      lavendertown db check && lavendertown ui
    """
    schema = _inspect_schema(url)
    project = project_migrations.read_migration_status(url)
    is_current = schema.state == "current" and (project is None or project.is_up_to_date)
    if as_json:
        project_data = {"project": project_migrations.status_to_dict(project)} if project else {}
        print_json({"store": schema.store, "state": schema.state, "current": is_current, **project_data})
    else:
        click.echo(schema.sentence)
        for line in project_migrations.describe_status(project) if project else ():
            click.echo(line)
    raise click.exceptions.Exit(0 if is_current else 1)


def _inspect_schema(url: str | None) -> SchemaInspection:
    with database_libraries():
        from lavendertown.stores.sql.schema import revisions
    return revisions.inspect_schema(url or load_settings().database_url)
