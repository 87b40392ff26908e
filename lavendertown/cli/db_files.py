"""``lavendertown db backup``, ``restore``, ``export`` and ``import``: a database and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from lavendertown.cli.db import url_option
from lavendertown.cli.options import json_option
from lavendertown.cli.output import count, print_json, print_table
from lavendertown.config import load_settings
from lavendertown.errors import RefusedRowsError

dry_run_option = click.option("--dry-run", is_flag=True, help="Check everything and change nothing.")
actor_option = click.option(
    "--author", envvar="LAVENDERTOWN_AUTHOR", default="internal", help="Who does it, for the audit log."
)


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder for it. Default: backups.")
@url_option
@json_option
def backup(folder: Path | None, url: str | None, as_json: bool) -> None:
    """Copy the whole database into one file, while others work on it.

    Without --to, it goes into the folder backups beside a SQLite file, or in the data folder.

    \b
    Example:
      lavendertown db backup --to /mnt/safe
    """
    place, words = _place(url)
    from lavendertown.database.backup import backup as copy_database
    from lavendertown.database.engine import make_engine
    from lavendertown.database.schema import State
    from lavendertown.database.upgrade import refuse

    refuse(place, State.EMPTY)
    engine = make_engine(place)
    try:
        copy = copy_database(engine, folder)
    finally:
        engine.dispose()
    if as_json:
        print_json({"store": words, "backup": str(copy)})
    else:
        click.echo(f"Backed up {words} to {copy}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@dry_run_option
@click.option("--yes", is_flag=True, help="Do it: everything the database holds is replaced.")
@actor_option
@url_option
@json_option
def restore(file: Path, dry_run: bool, yes: bool, author: str, url: str | None, as_json: bool) -> None:
    """Put the backup FILE in the place of everything the database holds; that is backed up first.

    FILE is checked before anything else. Who works on the database meanwhile goes on with the
    restored content.

    \b
    Example:
      lavendertown db restore backups/team-20261121T071530-0002.db --dry-run
      lavendertown db restore backups/team-20261121T071530-0002.db --yes
    """
    _need_yes(yes or dry_run)
    place, words = _place(url)
    from lavendertown.database.restore import restore as put_back

    done = put_back(place, file, actor=author, dry_run=dry_run)
    _tell(words, "Restored", file, done.rows, done.held, done.replaced, dry_run, as_json)


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@url_option
@json_option
def export_tables(file: Path, url: str | None, as_json: bool) -> None:
    """Write every table as CSV, with types and checksums, into the new zip FILE.

    Texts that a spreadsheet would run as formulas have an apostrophe in front; NULL is \\N. Importing
    gives exactly what was exported, on SQLite and PostgreSQL alike.

    \b
    Example:
      lavendertown db export everything.zip
    """
    place, words = _place(url)
    from lavendertown.database.export import export

    done = export(place, file)
    if as_json:
        print_json({"store": words, "file": str(done.file), "rows": dict(done.rows)})
    else:
        rows = sum(done.rows.values())
        click.echo(f"Exported {words} to {file}: {count(rows, 'row')} of {count(len(done.rows), 'table')}.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@dry_run_option
@click.option("--replace", is_flag=True, help="Replace what is there; it is backed up first. Needs --yes.")
@click.option("--yes", is_flag=True, help="Do it, together with --replace.")
@actor_option
@url_option
@json_option
def import_tables(
    file: Path, dry_run: bool, replace: bool, yes: bool, author: str, url: str | None, as_json: bool
) -> None:
    """Bring in what db export wrote into FILE: all of it, or nothing.

    Rows that cannot be brought in are listed by their numbers, up to 100; the header is row 1. A
    database that holds rows is refused without --replace.

    \b
    Example:
      lavendertown db import everything.zip --url sqlite:///new.db
      lavendertown db import everything.zip --replace --yes
    """
    _need_yes(yes or dry_run or not replace)
    place, words = _place(url)
    from lavendertown.database.import_zip import import_zip

    with _listed(as_json):
        done = import_zip(place, file, actor=author, replace=replace, dry_run=dry_run)
    _tell(words, "Imported", file, done.rows, done.held, done.replaced, dry_run, as_json)


def _place(url: str | None) -> tuple[str, str]:
    """Return the database's URL and its words."""
    from lavendertown.migration.places import read_place

    place = read_place(url or load_settings().database_url)
    if place.kind == "folder":
        raise click.UsageError(f"{place.words} are no database; name one with --url.")
    return place.url, place.words


def _need_yes(yes: bool) -> None:
    if not yes:
        raise click.UsageError(
            "Everything the database holds would be replaced (it is backed up first); look at it with "
            "--dry-run, or repeat it with --yes."
        )


@contextmanager
def _listed(as_json: bool) -> Iterator[None]:
    """List refused rows before the sentence about them."""
    try:
        yield
    except RefusedRowsError as error:
        if as_json:
            print_json({"problems": list(error.problems)})
        else:
            click.echo("\n".join(error.problems))
        raise


def _tell(
    words: str,
    done: str,
    file: Path,
    rows: Mapping[str, int],
    held: Mapping[str, int],
    kept: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    if as_json:
        answer: dict[str, Any] = {
            "store": words,
            "dry_run": dry_run,
            "before": dict(held),
            "after": dict(rows),
        }
        print_json({**answer, "backup": str(kept) if kept else None})
        return
    if dry_run:
        table = [(name, held.get(name, 0), rows.get(name, 0)) for name in sorted(rows.keys() | held.keys())]
        print_table(("table", "rows now", "rows then"), table, "There are no tables.")
        click.echo(f"{file} is whole and fits. Nothing was changed.")
        return
    if kept is not None:
        click.echo(f"Backed up to {kept}.")
    click.echo(f"{done} {file} into {words}: {count(sum(rows.values()), 'row')}.")
