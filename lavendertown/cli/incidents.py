"""``lavendertown incidents``: group findings with one cause, and close them together."""

from __future__ import annotations

import sys
from typing import Any

import click

from lavendertown.cli import options
from lavendertown.cli.output import format_cell, format_count, print_json, print_table
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import NotFoundError
from lavendertown.core.statuses import CLOSED_NAMES, StatusCategory

_incident_argument = click.argument("incident_id", metavar="INCIDENT_ID")
_findings_argument = click.argument("finding_ids", metavar="FINDING_ID...", nargs=-1, required=True)


@click.group()
def incidents_group() -> None:
    """Group findings with one cause under a title, with an owner and a discussion.

    An incident is open while one of its findings is.

    \b
    Example:
      lavendertown incidents create "Till offline" f1-0c4e f1-99ab --author Ana
    """


@incidents_group.command("list")
@click.option(
    "--state",
    type=click.Choice([each.value for each in StatusCategory]),
    help="Only open or only closed incidents.",
)
@click.option("--assignee", multiple=True, help="Only incidents of this person; can be repeated.")
@options.json_option
def list_incidents(state: str | None, assignee: tuple[str, ...], as_json: bool) -> None:
    """List incidents, open ones first, then the newest first.

    \b
    Example:
      lavendertown incidents list --state open --assignee Ana
    """
    with options.open_storage() as storage:
        incidents = storage.incidents.query(state, assignee)
    if as_json:
        print_json(incidents)
        return
    print_table(
        ("incident id", "created", "status", "open", "findings", "owner", "title"),
        (
            (
                each["id"],
                each["created_at"],
                each["status"] or each["state"],
                each["open_count"],
                len(each["members"]),
                each["assignee"],
                each["title"],
            )
            for each in incidents
        ),
        "No matching incidents.",
    )


@incidents_group.command("show")
@_incident_argument
@options.json_option
def show_incident(incident_id: str, as_json: bool) -> None:
    """Show an incident with its findings and its comments.

    \b
    Example:
      lavendertown incidents show incident-0c4e
    """
    with options.open_storage() as storage:
        incident = _require_incident(storage, incident_id)
        findings = storage.inbox.load_rows(incident["members"])
        comments = storage.incidents.list_comments(incident_id)
    if as_json:
        notes = [note.to_dict() for note in comments]
        print_json({"incident": incident, "findings": findings, "comments": notes})
        return
    owner = incident["assignee"] or "unassigned"
    click.echo(format_cell(incident["title"]))
    click.echo(
        f"{incident['status'] or incident['state']} · {incident['open_count']:,} of "
        f"{format_count(len(incident['members']), 'finding')} open · {format_cell(owner)} · created by "
        f"{format_cell(incident['created_by'])} on {format_cell(incident['created_at'])}"
    )
    print_table(
        ("finding id", "severity", "status", "dataset", "description"),
        (
            (row["finding_id"], row["severity"], row["status"], row["dataset"], row["description"])
            for row in findings
        ),
        "No live report has a finding of this incident.",
    )
    for note in comments:
        click.echo(f"\n{format_cell(note.author)}, {format_cell(note.timestamp)}")
        for line in note.comment.splitlines():
            click.echo(f"  {format_cell(line)}")


@incidents_group.command("create")
@click.argument("title")
@_findings_argument
@click.option("--assignee", default="", help="The owner of the incident.")
@options.author_option
@options.json_option
def create_incident(
    title: str, finding_ids: tuple[str, ...], assignee: str, author: str | None, as_json: bool
) -> None:
    """Group findings into a new incident. `lavendertown findings inbox` shows the ids.

    \b
    Example:
      lavendertown incidents create "Till offline" f1-0c4e f1-99ab --assignee Ben --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        storage.findings.require(finding_ids)
        made = storage.incidents.create(title, finding_ids, assignee=assignee, actor=actor)
        _print_incident(storage, made, f"Created {made}.", as_json)


@incidents_group.command("add")
@_incident_argument
@_findings_argument
@options.author_option
@options.json_option
def add_findings(incident_id: str, finding_ids: tuple[str, ...], author: str | None, as_json: bool) -> None:
    """Add findings to an incident.

    \b
    Example:
      lavendertown incidents add incident-0c4e f1-99ab --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        storage.findings.require(finding_ids)
        added = storage.incidents.add_findings(incident_id, finding_ids, actor=actor)
        _print_incident(storage, incident_id, f"Added {format_count(len(added), 'finding')}.", as_json)


@incidents_group.command("remove")
@_incident_argument
@_findings_argument
@options.author_option
@options.json_option
def remove_findings(
    incident_id: str, finding_ids: tuple[str, ...], author: str | None, as_json: bool
) -> None:
    """Remove findings from an incident, which must keep at least one.

    \b
    Example:
      lavendertown incidents remove incident-0c4e f1-99ab --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        removed = storage.incidents.remove_findings(incident_id, finding_ids, actor=actor)
        _print_incident(storage, incident_id, f"Removed {format_count(removed, 'finding')}.", as_json)


@incidents_group.command("assign")
@_incident_argument
@click.argument("person")
@options.author_option
@options.json_option
def assign_incident(incident_id: str, person: str, author: str | None, as_json: bool) -> None:
    """Set the owner of an incident; an empty PERSON removes the owner.

    \b
    Example:
      lavendertown incidents assign incident-0c4e Ben --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        storage.incidents.assign(incident_id, person.strip(), actor=actor)
        owner = format_cell(person.strip()) or "nobody"
        _print_incident(storage, incident_id, f"Assigned to {owner}.", as_json)


@incidents_group.command("comment")
@_incident_argument
@click.argument("text")
@options.author_option
@options.json_option
def comment_on_incident(incident_id: str, text: str, author: str | None, as_json: bool) -> None:
    """Add a comment in Markdown to an incident; - reads standard input.

    \b
    Example:
      lavendertown incidents comment incident-0c4e "The shop lost its network." --author Ana
    """
    actor = options.require_author(author)
    comment = sys.stdin.read() if text == "-" else text
    with options.open_storage() as storage:
        made = storage.incidents.comment(incident_id, comment, author=actor)
        _print_incident(storage, incident_id, f"Saved {made}.", as_json)


@incidents_group.command("close")
@_incident_argument
@click.option(
    "--status",
    type=click.Choice(CLOSED_NAMES),
    default="fixed",
    show_default=True,
    help="The status that the findings get.",
)
@click.option("--reason", default="", help="Why they are closed; required.")
@options.author_option
@options.json_option
def close_incident(incident_id: str, status: str, reason: str, author: str | None, as_json: bool) -> None:
    """Close all open findings of an incident in one act.

    \b
    Example:
      lavendertown incidents close incident-0c4e --reason "Loaded again." --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        undo = storage.incidents.close(incident_id, Decision(status=status, reason=reason), actor=actor)
        closed = format_count(len(undo.finding_ids), "finding")
        _print_incident(storage, incident_id, f"Closed {closed} as {status}.", as_json)


@incidents_group.command("reopen")
@_incident_argument
@click.option("--comment", default="", help="A comment on each finding.")
@options.author_option
@options.json_option
def reopen_incident(incident_id: str, comment: str, author: str | None, as_json: bool) -> None:
    """Open all closed findings of an incident in one act.

    \b
    Example:
      lavendertown incidents reopen incident-0c4e --comment "It is back." --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        undo = storage.incidents.reopen(incident_id, comment=comment, actor=actor)
        opened = format_count(len(undo.finding_ids), "finding")
        _print_incident(storage, incident_id, f"Opened {opened}.", as_json)


def _require_incident(storage: Storage, incident_id: str) -> dict[str, Any]:
    incident = storage.incidents.find(incident_id)
    if incident is None:
        raise NotFoundError(
            f"There is no incident {incident_id!r}. Find its id with `lavendertown incidents list`."
        )
    return incident


def _print_incident(storage: Storage, incident_id: str, done: str, as_json: bool) -> None:
    """Print the incident as JSON, or what was done."""
    if as_json:
        print_json(_require_incident(storage, incident_id))
    else:
        click.echo(done)
