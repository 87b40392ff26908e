"""``lavendertown db backup``, ``restore``, ``export`` and ``import``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import format_count, print_json, print_table
from lavendertown.core.errors import RefusedRowsError
from lavendertown.core.settings import load_settings

if TYPE_CHECKING:
    from lavendertown.transfer.backups.restore import RestoreResult
    from lavendertown.transfer.locations import StoreLocation

store_option = click.option(
    "--url", help="The store: a database URL or a data folder. Default: the configured store."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Check the file and the store; change nothing.")
actor_option = click.option(
    "--author", envvar="LAVENDERTOWN_AUTHOR", default="internal", help="Your name, for the audit log."
)


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder for the backup.")
@click.option(
    "--archive", is_flag=True, help="Write an archive, which can be restored into any kind of store."
)
@store_option
@json_option
def backup_command(folder: Path | None, archive: bool, url: str | None, as_json: bool) -> None:
    """Back up the store into one file, while it is in use.

    SQLite is copied into another SQLite file; PostgreSQL is dumped with pg_dump if that is installed.
    Otherwise, or with --archive, the backup is an archive: a zip of the data folder's layout with
    checksums. The default folder is backups, next to a SQLite file or in the data folder.

    \b
    Example:
      lavendertown db backup --to /mnt/safe
      lavendertown db backup --archive
    """
    location = _resolve_location(url)
    from lavendertown.transfer.backups.backup import back_up

    if location.folder is None:
        from lavendertown.stores.sql.schema import revisions

        revisions.refuse_state(location.url, revisions.SchemaState.EMPTY)
    backup = back_up(location, folder, as_archive=archive)
    if as_json:
        unreadable = {"unreadable": [asdict(item) for item in backup.unreadable]} if backup.unreadable else {}
        print_json({"store": location.display_name, "backup": str(backup.file), **unreadable})
        return
    click.echo(f"Backed up {location.display_name} to {backup.file}.")
    if backup.unreadable:
        click.echo(backup.unreadable_message)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@dry_run_option
@click.option("--yes", is_flag=True, help="Confirm that the contents of the store are replaced.")
@actor_option
@store_option
@json_option
def restore_command(
    file: Path, dry_run: bool, yes: bool, author: str, url: str | None, as_json: bool
) -> None:
    """Replace the contents of the store with the backup FILE; the current contents are backed up first.

    An archive can be restored into any kind of store; a backup of SQLite or PostgreSQL only into a
    database of the same kind. FILE is checked first, and upgraded if an earlier version wrote it. Other
    users of the store continue with the restored contents.

    \b
    Example:
      lavendertown db restore backups/team-20261121T071530-0002.db --dry-run
      lavendertown db restore backups/team-20261121T071530-0002.db --yes
    """
    _require_yes(yes or dry_run)
    location = _resolve_location(url)
    from lavendertown.transfer.backups.restore import restore_store

    with _print_refused_rows(as_json):
        result = restore_store(location.url or str(location.folder), file, actor=author, dry_run=dry_run)
    _print_restore_result(location.display_name, "Restored", file, result, dry_run, as_json)


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@json_option
def export_tables(file: Path, url: str | None, as_json: bool) -> None:
    """Write all tables as CSV, with types and checksums, into a new zip FILE.

    Text that a spreadsheet would run as a formula is prefixed with an apostrophe; NULL is \\N. An import
    into SQLite or PostgreSQL restores exactly the exported values.

    \b
    Example:
      lavendertown db export everything.zip
    """
    location = _resolve_location(url)
    if location.folder is not None:
        raise click.UsageError(
            f"{location.display_name} have no tables. Choose a database with --url, or use db backup."
        )
    from lavendertown.stores.sql.copies.export import export_database

    store_name = location.display_name
    exported = export_database(location.url, file)
    if as_json:
        print_json({"store": store_name, "file": str(exported.file), "rows": dict(exported.rows)})
    else:
        row_count = sum(exported.rows.values())
        click.echo(
            f"Exported {store_name} to {file}: {format_count(row_count, 'row')} of "
            f"{format_count(len(exported.rows), 'table')}."
        )


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@dry_run_option
@click.option(
    "--replace", is_flag=True, help="Replace the contents of the store, after a backup; requires --yes."
)
@click.option("--yes", is_flag=True, help="Confirm --replace.")
@actor_option
@store_option
@json_option
def import_tables(
    file: Path, dry_run: bool, replace: bool, yes: bool, author: str, url: str | None, as_json: bool
) -> None:
    """Import a FILE that db export or db backup --archive wrote: all of it, or nothing.

    Up to 100 invalid rows are listed by their numbers; the header is row 1. A store that is not empty is
    refused without --replace.

    \b
    Example:
      lavendertown db import everything.zip --url sqlite:///new.db
      lavendertown db import everything.zip --replace --yes
    """
    _require_yes(yes or dry_run or not replace)
    location = _resolve_location(url)
    from lavendertown.transfer.backups.restore import restore_store

    with _print_refused_rows(as_json):
        result = restore_store(
            location.url or str(location.folder),
            file,
            actor=author,
            operation="import",
            replace=replace,
            dry_run=dry_run,
        )
    _print_restore_result(location.display_name, "Imported", file, result, dry_run, as_json)


def _resolve_location(url: str | None) -> StoreLocation:
    """Return the location of the given store, else of the configured one."""
    from lavendertown.transfer.locations import parse_location
    from lavendertown.transfer.store_switch import current_location

    settings = load_settings()
    if url is None and settings.origins["database_url"] != "the default":
        # A configured database is used even if the storage type is still "file".
        url = settings.database_url
    return parse_location(url) if url else current_location(settings)


def _require_yes(yes: bool) -> None:
    if not yes:
        raise click.UsageError(
            "The contents of the store would be replaced (they are backed up first). Check with --dry-run, "
            "or repeat with --yes."
        )


@contextmanager
def _print_refused_rows(as_json: bool) -> Iterator[None]:
    """Print the refused rows before the error message about them."""
    try:
        yield
    except RefusedRowsError as error:
        if as_json:
            print_json({"problems": list(error.problems)})
        else:
            click.echo("\n".join(error.problems))
        raise


def _print_restore_result(
    store_name: str, verb: str, file: Path, result: RestoreResult, dry_run: bool, as_json: bool
) -> None:
    rows, rows_before, backup = result.rows, result.rows_before, result.backup_file
    if as_json:
        data: dict[str, Any] = {
            "store": store_name,
            "dry_run": dry_run,
            "before": dict(rows_before),
            "after": dict(rows),
            "backup": str(backup) if backup else None,
        }
        if dry_run:
            data["changes"] = {name: asdict(each) for name, each in result.changes.items()}
        print_json(data)
        return
    if dry_run:
        table = [
            (name, rows_before.get(name, 0), rows.get(name, 0))
            for name in sorted(rows.keys() | rows_before.keys())
        ]
        print_table(("table", "rows before", "rows after"), table, "There are no tables.")
        for name, each in result.changes.items():
            click.echo(
                f"{name.replace('_', ' ')}: {each.returning:,} would come back, {each.leaving:,} go, "
                f"{each.reverted:,} return to another state."
            )
        click.echo(f"{file} is undamaged and can be used. Nothing was changed.")
        return
    if backup is not None:
        click.echo(f"Backed up to {backup}.")
    click.echo(f"{verb} {file} into {store_name}: {format_count(sum(rows.values()), 'row')}.")
