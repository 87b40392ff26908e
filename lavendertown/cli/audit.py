"""``lavendertown audit``: list changes from the audit log."""

from __future__ import annotations

import click

from lavendertown.cli import options
from lavendertown.cli.output import print_json, print_table


@click.command()
@click.option(
    "--component",
    multiple=True,
    help="Only changes to this kind of record: report, annotation, ruleset, finding, person, view, store, or "
    "a kind of an application; can be repeated.",
)
@click.option("--record", "record_id", help="Only changes to the record with this id.")
@click.option("--finding", "finding_id", help="Only changes to the finding with this id and its annotations.")
@click.option("--actor", multiple=True, help="Only changes by this person; can be repeated.")
@click.option(
    "--operation",
    multiple=True,
    help="Only this operation: create, update, delete, soft_delete, restore, import …; can be repeated.",
)
@options.date_options
@options.paging_options
@options.json_option
def audit_command(
    component: tuple[str, ...],
    record_id: str | None,
    finding_id: str | None,
    actor: tuple[str, ...],
    operation: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """List changes, newest first.

    \b
    Example:
      lavendertown audit --since 2026-11-01 --operation delete
      lavendertown audit --finding f1-0c4e
    """
    with options.open_storage() as storage:
        events = storage.audit_log(
            component=component,
            record_id=record_id,
            finding_id=finding_id,
            actor=actor,
            operation=operation,
            since=since,
            until=until,
            limit=limit,
            offset=offset,
        )
    if as_json:
        print_json(events)
        return
    print_table(
        ("when", "who", "did", "what", "id"),
        (
            (event["at"], event["actor"], event["operation"], event["component"], event["record_id"])
            for event in events
        ),
        "No matching changes.",
    )
