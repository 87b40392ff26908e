"""``lavendertown audit``: who changed what, and when."""

from __future__ import annotations

import click

from lavendertown.cli import options
from lavendertown.cli.output import print_json, print_table


@click.command()
@click.option(
    "--component",
    multiple=True,
    help="Only changes of this kind of record: report, annotation, ruleset, finding, person, view, store, or "
    "an application's own; repeat for more.",
)
@click.option("--record", "record_id", help="Only the history of the record with this id.")
@click.option(
    "--finding", "finding_id", help="Only what was said and decided about the finding with this id."
)
@click.option("--actor", multiple=True, help="Only changes by this person; repeat for more.")
@click.option(
    "--operation",
    multiple=True,
    help="Only changes of this sort: create, update, delete, soft_delete, restore, import …; repeat for "
    "more.",
)
@options.since_until
@options.paging
@options.json_option
def audit(
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
    """List what was changed, the newest first.

    \b
    Example:
      lavendertown audit --since 2026-11-01 --operation delete
      lavendertown audit --finding f1-0c4e
    """
    with options.storage() as opened:
        events = opened.audit_log(
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
        ((e["at"], e["actor"], e["operation"], e["component"], e["record_id"]) for e in events),
        "No change matches.",
    )
