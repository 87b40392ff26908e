"""Options that several commands share, and the opened storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import click

from lavendertown.collaboration.models import STATUSES
from lavendertown.collaboration.storage import Storage, get_storage_backend
from lavendertown.models import SEVERITIES

Function = TypeVar("Function", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
author_option = click.option(
    "--author",
    envvar="LAVENDERTOWN_AUTHOR",
    help="Who does it; LAVENDERTOWN_AUTHOR says it for all commands.",
)
severity_option = click.option(
    "--severity", multiple=True, type=click.Choice(SEVERITIES), help="Only of this severity; repeat for more."
)
status_option = click.option(
    "--status", multiple=True, type=click.Choice(STATUSES), help="Only in this status; repeat for more."
)
dataset_option = click.option("--dataset", multiple=True, help="Only of this dataset; repeat for more.")
search_option = click.option("--search", help="Only with this text, in any case.")
tags_option = click.option("--tag", "tags", multiple=True, help="Only with this tag; repeat: all of them.")
by_option = click.option("--author", multiple=True, help="Only by this author; repeat for more.")


@contextmanager
def storage() -> Iterator[Storage]:
    """Open the configured storage, and close it at the end."""
    opened = get_storage_backend()
    try:
        yield opened
    finally:
        opened.close()


STDIN = "standard input"


def name_of(file: BinaryIO) -> str:
    """Return an opened file's name as it was given, or :data:`STDIN`."""
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and name != "<stdin>" else STDIN


def since_until(function: Function) -> Function:
    """Add ``--since`` and ``--until``."""
    function = click.option("--until", metavar="DATE", help="Up to this day or ISO time, itself included.")(
        function
    )
    return click.option("--since", metavar="DATE", help="From this day or ISO time on.")(function)


def paging(function: Function) -> Function:
    """Add ``--limit`` and ``--offset``."""
    function = click.option(
        "--offset", type=click.IntRange(0), default=0, show_default=True, help="Leave so many out first."
    )(function)
    return click.option(
        "--limit", type=click.IntRange(0), default=100, show_default=True, help="At most so many."
    )(function)


def need_author(author: str | None) -> str:
    """Return the author.

    Raises:
        click.UsageError: None was given.
    """
    if author is None or not author.strip():
        raise click.UsageError("Say who you are with --author NAME, or set LAVENDERTOWN_AUTHOR.")
    return author.strip()


def more(shown: int, total: int, offset: int) -> None:
    """Say on standard error that there is more than was listed."""
    if offset + shown < total and shown:
        click.echo(f"{shown:,} of {total:,}; go on with --offset {offset + shown}.", err=True)
