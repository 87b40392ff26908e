"""``lavendertown annotate``: comment on a finding, tag it or set its status."""

from __future__ import annotations

import sys
import uuid

import click

from lavendertown.cli.options import author_option, json_option, open_storage, require_author
from lavendertown.cli.output import print_json
from lavendertown.collaboration.models import STATUSES, Annotation
from lavendertown.core import clock
from lavendertown.core.errors import NotFoundError


@click.command()
@click.argument("finding_id", metavar="FINDING_ID")
@author_option
@click.option("--comment", default="", help="A comment in Markdown; - reads standard input.")
@click.option("--tag", "tags", multiple=True, help="A tag for the finding; can be repeated.")
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    help="The new status of the finding; to close it, give the reason with --comment.",
)
@click.option("--ahead", is_flag=True, help="Save the annotation even if no report has the finding yet.")
@json_option
def annotate_command(
    finding_id: str,
    author: str | None,
    comment: str,
    tags: tuple[str, ...],
    status: str | None,
    ahead: bool,
    as_json: bool,
) -> None:
    """Comment on a finding, tag it or set its status.

    An annotation applies to the finding in all reports. `lavendertown findings list` shows the ids.

    \b
    Example:
      lavendertown annotate f1-0c4e --author Ana --comment "Asked the supplier" \\
        --tag supplier --status needs-investigation
    """
    text = sys.stdin.read().strip() if comment == "-" else comment
    annotation = Annotation(
        id=f"a-{uuid.uuid4().hex[:12]}",
        finding_id=finding_id,
        author=require_author(author),
        timestamp=clock.now(),
        comment=text,
        tags=list(tags),
        status=status,
    )
    with open_storage() as storage:
        annotation.finding_id = storage.findings.resolve_id(finding_id)
        if not ahead and not storage.findings.count(finding_id=annotation.finding_id):
            raise NotFoundError(
                f"No report has the finding {finding_id!r}. Find its id with `lavendertown findings list`, "
                "or repeat with --ahead to save the annotation for a later report."
            )
        storage.save_annotation(annotation)
    if as_json:
        print_json({key: value for key, value in annotation.to_dict().items() if key != "version"})
    else:
        click.echo(f"Saved {annotation.id}.")
