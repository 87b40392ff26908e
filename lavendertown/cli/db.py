"""``lavendertown db``: the database and its schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lavendertown.cli import db_project
from lavendertown.cli.options import json_option
from lavendertown.cli.output import count, print_json
from lavendertown.config import load_settings

if TYPE_CHECKING:
    from lavendertown.database.schema import Look
    from lavendertown.database.upgrade import Changed

url_option = click.option("--url", help="The database. Default: the configured one.")


@click.group()
def db() -> None:
    """Make the database ready, bring it up to date, back it up, put a backup back.

    \b
    Example:
      lavendertown db init
    """


@db.command()
@url_option
@json_option
def init(url: str | None, as_json: bool) -> None:
    """Create the tables in an empty database; one that is ready stays as it is.

    \b
    Example:
      lavendertown db init --url sqlite:///reports.db
    """
    from lavendertown.collaboration.database_storage import DatabaseStorage

    storage = DatabaseStorage(url)
    where = storage.describe()
    storage.close()
    if as_json:
        print_json({"store": where, "state": "current"})
        return
    click.echo(f"Ready: {where}.")
    if load_settings().storage_type != "database":
        click.echo("Reports are still kept as files; set LAVENDERTOWN_STORAGE_TYPE=database to use it.")


@db.command()
@url_option
@click.option("--no-backup", is_flag=True, help="Do not copy the database first.")
@click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    help="Where a database of 0.7 was written to. Default: UTC, as 0.7 did.",
)
@click.option("--sql", is_flag=True, help="Print all statements instead; no database is asked or changed.")
@json_option
def upgrade(url: str | None, no_backup: bool, zone: str | None, sql: bool, as_json: bool) -> None:
    """Bring the database up to date; it is backed up first. One of 0.7 is turned into today's.

    A project's own migrations, in the folder migrations, are applied after LavenderTown's. What cannot
    be read in a database of 0.7 is listed, and copied aside.

    Exit codes: 0 up to date, 1 up to date but something could not be read, 2 refused.

    \b
    Example:
      lavendertown db upgrade --url sqlite:///reports.db
    """
    from lavendertown.migration.places import is_old, read_place

    if sql:
        click.echo(db_project.sql(url), nl=False)
        return
    place = read_place(url or load_settings().database_url)
    if is_old(place):
        _upgrade_old(place.url, place.words, not no_backup, zone, as_json)
        return
    from lavendertown.database import upgrade as schema_upgrade

    changed = schema_upgrade.upgrade(place.url, copy_first=not no_backup)
    if not as_json:
        _say_upgraded(place.words, changed)
    project = db_project.upgrade_project(place.url, changed.backup, not no_backup, is_new=not changed.before)
    if as_json:
        also = {"project": _plain(project)} if project else {}
        print_json({"store": place.words, **_plain(changed), **also})
    elif project:
        db_project.say_upgraded(project)


def _say_upgraded(words: str, changed: Changed) -> None:
    if changed.before == changed.after:
        click.echo(f"{words} is up to date already; nothing was changed.")
    elif not changed.before:
        click.echo(f"Made the tables in {words}, which was empty.")
    else:
        _say_backup(changed.backup)
        click.echo(f"Upgraded {words} from revision {changed.before} to {changed.after}.")


def _upgrade_old(url: str, words: str, copy_first: bool, zone: str | None, as_json: bool) -> None:
    from lavendertown.migration.in_place import upgrade as upgrade_old

    upgraded = upgrade_old(url, copy_first=copy_first, zone=zone)
    if upgraded is None:
        # Somebody else was faster.
        click.echo(f"{words} is up to date already; nothing was changed.")
        return
    outcome = upgraded.outcome
    project = db_project.upgrade_project(url, upgraded.backup, copy_first)
    if as_json:
        copy = str(upgraded.backup) if upgraded.backup else None
        also = {"project": _plain(project)} if project else {}
        print_json({"store": words, "backup": copy, **outcome.to_dict(), **also})
    else:
        _say_backup(upgraded.backup)
        for item in outcome.quarantined:
            click.echo(f"Cannot be read: {item.item}: {item.reason}.")
        if outcome.quarantine_folder is not None:
            click.echo(f"Copies of what cannot be read lie in {outcome.quarantine_folder}.")
        reports, notes = outcome.counts["reports"].written, outcome.counts["annotations"].written
        click.echo(
            f"Upgraded {words} from LavenderTown 0.7: {count(reports, 'report')} and "
            f"{count(notes, 'comment')}, read back and equal."
        )
        if project:
            db_project.say_upgraded(project)
    raise click.exceptions.Exit(1 if outcome.quarantined else 0)


@db.command()
@click.argument("revision", required=False)
@click.option(
    "--project",
    metavar="REVISION",
    help="Take this project's own tables back instead: to a revision, -1 for one back, base for none.",
)
@url_option
@click.option("--yes", is_flag=True, help="Do it: what only the newer schema holds is deleted.")
@json_option
def downgrade(revision: str | None, project: str | None, url: str | None, yes: bool, as_json: bool) -> None:
    """Take the database back to an earlier REVISION, for an earlier version; it is backed up first.

    \b
    Example:
      lavendertown db downgrade 0001 --yes
      lavendertown db downgrade --project -1 --yes
    """
    from lavendertown.database import upgrade as schema_upgrade
    from lavendertown.migration.places import read_place

    if (revision is None) == (project is None):
        raise click.UsageError("Say either REVISION, or --project REVISION for the project's own tables.")
    if not yes:
        raise click.UsageError("What only the newer schema holds would be deleted; repeat it with --yes.")
    place = read_place(url or load_settings().database_url)
    if project is not None:
        changed = db_project.downgrade_project(place.url, project)
    else:
        changed = schema_upgrade.downgrade(place.url, str(revision))
    if as_json:
        print_json({"store": place.words, **_plain(changed)})
    elif project is not None:
        db_project.say_upgraded(changed)
    else:
        _say_backup(changed.backup)
        click.echo(f"Took {place.words} back from revision {changed.before} to {changed.after}.")


def _plain(changed: Changed) -> dict[str, str | None]:
    copy = str(changed.backup) if changed.backup else None
    return {"before": changed.before, "after": changed.after, "backup": copy}


def _say_backup(copy: Path | None) -> None:
    if copy is not None:
        click.echo(f"Backed up to {copy}.")


@db.command()
@url_option
@json_option
def current(url: str | None, as_json: bool) -> None:
    """Say which schema the database has and what to do, and where the project's own is; changes nothing.

    \b
    Example:
      lavendertown db current
    """
    found = _state(url)
    project = db_project.standing(url)
    if as_json:
        also = {"project": db_project.plain(project)} if project else {}
        print_json({"store": found.store, "state": found.state, **also})
        return
    click.echo(found.sentence)
    for line in db_project.sentences(project) if project else ():
        click.echo(line)


@db.command()
@url_option
@json_option
def check(url: str | None, as_json: bool) -> None:
    """Exit with 0 when the database's schema is this version's, else with 1.

    Where the project has migrations of its own, its models and the database must agree, too.

    \b
    Example:
      lavendertown db check && lavendertown ui
    """
    found = _state(url)
    project = db_project.standing(url)
    good = found.state == "current" and (project is None or project.agrees)
    if as_json:
        also = {"project": db_project.plain(project)} if project else {}
        print_json({"store": found.store, "state": found.state, "current": good, **also})
    else:
        click.echo(found.sentence)
        for line in db_project.sentences(project) if project else ():
            click.echo(line)
    raise click.exceptions.Exit(0 if good else 1)


def _state(url: str | None) -> Look:
    try:
        from lavendertown.database import schema
    except ImportError as error:
        from lavendertown.collaboration.database_storage import MISSING

        raise ImportError(MISSING) from error
    return schema.look(url or load_settings().database_url)
