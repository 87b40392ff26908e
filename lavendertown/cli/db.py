"""``lavendertown db``: the database and its schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import print_json
from lavendertown.config import load_settings

if TYPE_CHECKING:
    from lavendertown.database.schema import State

url_option = click.option("--url", help="The database. Default: the configured one.")


@click.group()
def db() -> None:
    """Make the database ready, and see which schema it has.

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
@json_option
def current(url: str | None, as_json: bool) -> None:
    """Say which schema the database has; changes nothing.

    \b
    Example:
      lavendertown db current
    """
    where, found = _state(url)
    if as_json:
        print_json({"store": where, "state": found.value})
    else:
        click.echo(f"{where}: {_WORDS[found.value]}")


@db.command()
@url_option
@json_option
def check(url: str | None, as_json: bool) -> None:
    """Exit with 0 when the database's schema is this version's, else with 1.

    \b
    Example:
      lavendertown db check && lavendertown ui
    """
    where, found = _state(url)
    good = found.value == "current"
    if as_json:
        print_json({"store": where, "state": found.value, "current": good})
    else:
        click.echo(f"{where}: {_WORDS[found.value]}")
    raise click.exceptions.Exit(0 if good else 1)


def _state(url: str | None) -> tuple[str, State]:
    """Return the database's name for people and the state of its schema."""
    try:
        from lavendertown.database import schema
        from lavendertown.database.engine import BEGIN, make_engine, read_url
        from lavendertown.database.errors import translated, where
    except ImportError as error:
        from lavendertown.collaboration.database_storage import MISSING

        raise ImportError(MISSING) from error

    read = read_url(url or load_settings().database_url)
    if read.get_backend_name() == "sqlite" and not Path(read.database or "").is_file():
        # Connecting would create the file.
        return where(read), schema.State.EMPTY
    engine = make_engine(read)
    try:
        with translated(read), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            return where(read), schema.state(connection)
    finally:
        engine.dispose()


_WORDS = {
    "current": "ready.",
    "empty": "empty. Create the tables with: lavendertown db init",
    "older": "made by an earlier version.",
    "newer": "made by a newer version of LavenderTown; install that version.",
    "unversioned": "holds tables of LavenderTown 0.7 or of another program; choose an empty database.",
}
