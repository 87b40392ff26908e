"""``lavendertown db revision``, and what the other ``db`` commands say of a project's own migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import print_json
from lavendertown.config import load_settings

if TYPE_CHECKING:
    from types import ModuleType

    from lavendertown.database.project.migrations import Standing
    from lavendertown.database.upgrade import Changed


@click.command()
@click.option("-m", "--message", metavar="TEXT", help="What the migration does; names its file.")
@click.option("--autogenerate", is_flag=True, help="Fill it from what models and database differ in.")
@click.option("--init", "init_only", is_flag=True, help="Only write the folder migrations/.")
@click.option("--url", help="The database. Default: the configured one.")
@json_option
def revision(
    message: str | None, autogenerate: bool, init_only: bool, url: str | None, as_json: bool
) -> None:
    """Write a migration for this project's own models, in models/ and components/**/*_models.py.

    The first call writes migrations/ too, which plain alembic works with as well. Nothing is written
    where --autogenerate finds that models and database agree.

    \b
    Example:
      lavendertown db revision --autogenerate -m "Add user table"
    """
    project = _library()
    root = Path.cwd()
    if not init_only and not message:
        raise click.UsageError("Say what the migration does with -m TEXT.")
    files = project.write_files(root)
    made = None
    if not init_only:
        made = project.revise(root, database(url), str(message), autogenerate=autogenerate)
    if as_json:
        print_json({"files": [_shown(path) for path in files], "revision": _shown(made) if made else None})
        return
    for path in (*files, *([made] if made else [])):
        click.echo(f"Wrote {_shown(path)}.")
    if made is None and not init_only:
        click.echo("Models and database agree; no migration was written.")
    elif made is None and not files:
        click.echo("The folder migrations is there already; nothing was written.")


def database(url: str | None) -> str:
    """Return the database's URL: the one given, else the configured one."""
    return url or load_settings().database_url


def standing(url: str | None) -> Standing | None:
    """Compare the project's models with the database; None where the project has no migrations."""
    project = _library()
    root = Path.cwd()
    return project.look(root, database(url)) if project.has_migrations(root) else None


def upgrade_project(
    url: str, copied: Path | None, copy_first: bool, *, is_new: bool = False
) -> Changed | None:
    """Apply the project's migrations after ours; None where it has none.

    Args:
        url: The database.
        copied: The copy that was made before ours; then no other is.
        copy_first: Whether the database is to be copied at all.
        is_new: LavenderTown's tables were made just now: worth a copy only with tables of the project.
    """
    project = _library()
    root = Path.cwd()
    if not project.has_migrations(root):
        return None
    worth = copied is None and not (is_new and not project.look(root, url).revision)
    changed: Changed = project.upgrade(root, url, copy_first=copy_first and worth)
    return changed


def downgrade_project(url: str, revision: str) -> Changed:
    """Take the project's tables back to a revision; the database is backed up first."""
    changed: Changed = _library().downgrade(Path.cwd(), url, revision)
    return changed


def sql(url: str | None) -> str:
    """Return the statements of all migrations: ours, then the project's."""
    project = _library()
    from lavendertown.database import schema

    root = Path.cwd()
    text: str = schema.write_sql(database(url))
    return text + (project.write_sql(root, database(url)) if project.has_migrations(root) else "")


def plain(found: Standing) -> dict[str, Any]:
    """Return a standing for programs."""
    return {
        "revision": found.revision,
        "head": found.head,
        "differences": list(found.differences),
        "agrees": found.agrees,
    }


def sentences(found: Standing) -> list[str]:
    """Say how the project's models and the database stand to each other, and what to do."""
    at = f"revision {found.revision}" if found.revision else "no revision yet"
    if found.revision != found.head:
        newest = found.head or "none"
        return [
            f"The project's own tables are at {at}, its newest is {newest}. "
            "Bring them up to date with: lavendertown db upgrade"
        ]
    if found.differences:
        return [
            f"The project's own tables are at {at}, but its models differ from them. "
            'Write a migration with: lavendertown db revision --autogenerate -m "…"',
            *(f"  {each}" for each in found.differences),
        ]
    return [f"The project's own tables are at {at}; models and database agree."]


def say_upgraded(changed: Changed) -> None:
    """Say what was done to the project's tables."""
    if changed.backup is not None:
        click.echo(f"Backed up to {changed.backup}.")
    if changed.before == changed.after:
        click.echo("The project's own tables are up to date already.")
    else:
        before = changed.before or "nothing"
        click.echo(f"Took the project's own tables from {before} to {changed.after or 'nothing'}.")


def _shown(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)


def _library() -> ModuleType:
    try:
        from lavendertown.database.project import migrations
    except ImportError as error:
        from lavendertown.collaboration.database_storage import MISSING

        raise ImportError(MISSING) from error
    return migrations
