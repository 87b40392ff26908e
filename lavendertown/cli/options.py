"""Define options that several commands share, and open the configured storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar, cast

import click

from lavendertown.collaboration.models import STATUSES
from lavendertown.collaboration.parts.inbox import InboxFilters
from lavendertown.collaboration.storage import Storage, get_storage_backend
from lavendertown.core.findings import SEVERITIES
from lavendertown.core.statuses import StatusCategory
from lavendertown.core.table_formats import ENDINGS
from lavendertown.inbox.attention import AttentionReason
from lavendertown.inbox.inbox_query import OVERDUE

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
author_option = click.option(
    "--author",
    envvar="LAVENDERTOWN_AUTHOR",
    help="Your name. Default: LAVENDERTOWN_AUTHOR.",
)
severity_option = click.option(
    "--severity", multiple=True, type=click.Choice(SEVERITIES), help="Only this severity; can be repeated."
)
status_option = click.option(
    "--status", multiple=True, type=click.Choice(STATUSES), help="Only this status; can be repeated."
)
dataset_option = click.option("--dataset", multiple=True, help="Only this dataset; can be repeated.")
search_option = click.option("--search", help="Only records that contain this text, ignoring case.")
tags_option = click.option(
    "--tag", "tags", multiple=True, help="Only records with this tag; if repeated, with all of them."
)
filter_author_option = click.option("--author", multiple=True, help="Only this author; can be repeated.")

force_option = click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
format_in_option = click.option(
    "--format-in",
    type=click.Choice(list(ENDINGS)),
    help="The format of FILE, if its name does not show it.",
)
table_option = click.option(
    "--table", help="The table of a database, also schema.table. Default: its only table."
)
query_option = click.option("--query", metavar="SQL", help="A query in a database, in place of a table.")


@contextmanager
def open_storage() -> Iterator[Storage]:
    """Open the configured storage, and close it afterwards."""
    storage = get_storage_backend()
    try:
        yield storage
    finally:
        storage.close()


STDIN = "standard input"


def input_name(file: BinaryIO) -> str:
    """Return the name of an open file as the user gave it, or :data:`STDIN`."""
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and name != "<stdin>" else STDIN


def date_options(function: CommandFunction) -> CommandFunction:
    """Add ``--since`` and ``--until``."""
    function = click.option("--until", metavar="DATE", help="Only up to this day or ISO time, inclusive.")(
        function
    )
    return click.option("--since", metavar="DATE", help="Only from this day or ISO time on.")(function)


def paging_options(function: CommandFunction) -> CommandFunction:
    """Add ``--limit`` and ``--offset``."""
    function = click.option(
        "--offset",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="The number of results to skip.",
    )(function)
    return click.option(
        "--limit",
        type=click.IntRange(0),
        default=100,
        show_default=True,
        help="The maximum number of results.",
    )(function)


def inbox_filter_options(function: CommandFunction) -> CommandFunction:
    """Add the filters of the inbox; :func:`build_inbox_filters` takes their values."""
    for option in reversed(
        (
            click.option(
                "--state",
                type=click.Choice([each.value for each in StatusCategory]),
                help="Only open or only closed findings.",
            ),
            click.option(
                "--attention",
                multiple=True,
                type=click.Choice(["any", *(each.value for each in AttentionReason)]),
                help="Only findings that need attention, for any or for this reason; can be repeated.",
            ),
            click.option("--overdue", is_flag=True, help="Only open findings whose due date has passed."),
            click.option("--assignee", multiple=True, help="Only findings of this person; can be repeated."),
            click.option("--unassigned", is_flag=True, help="Only findings that nobody is assigned to."),
            click.option(
                "--mentions",
                metavar="NAME",
                help="Only findings with a comment, or with a comment on their incident, that has @NAME.",
            ),
            dataset_option,
            severity_option,
            status_option,
            tags_option,
            search_option,
            date_options,
        )
    ):
        function = option(function)
    return function


def build_inbox_filters(
    *,
    state: str | None,
    attention: tuple[str, ...],
    overdue: bool,
    assignee: tuple[str, ...],
    unassigned: bool,
    mentions: str | None,
    dataset: tuple[str, ...],
    severity: tuple[str, ...],
    status: tuple[str, ...],
    tags: tuple[str, ...],
    search: str | None,
    since: str | None,
    until: str | None,
) -> InboxFilters:
    """Return the filters of the inbox for the values of :func:`inbox_filter_options`.

    Raises:
        click.UsageError: The values exclude each other.
    """
    if unassigned and assignee:
        raise click.UsageError("Give --assignee or --unassigned, but not both.")
    filters: dict[str, Any] = {
        "state": state,
        "attention": "any" if "any" in attention else attention,
        "due": OVERDUE if overdue else None,
        "assignee": "" if unassigned else assignee,
        "mentions": mentions,
        "dataset": dataset,
        "severity": severity,
        "status": status,
        "tags": tags,
        "search": search,
        "start_date": since,
        "end_date": until,
    }
    return cast("InboxFilters", filters)


def require_author(author: str | None) -> str:
    """Return the author's name without surrounding blanks.

    Raises:
        click.UsageError: No author was given.
    """
    if author is None or not author.strip():
        raise click.UsageError(
            "The author is missing. Give your name with --author NAME, or set LAVENDERTOWN_AUTHOR."
        )
    return author.strip()


def print_more_hint(shown: int, total: int, offset: int) -> None:
    """Print on standard error how to list more results, if there are any."""
    if offset + shown < total and shown:
        click.echo(f"{shown:,} of {total:,} shown. For more, use --offset {offset + shown}.", err=True)
