"""``lavendertown annotate``: say something about a finding."""

from __future__ import annotations

import sys
import uuid

import click

from lavendertown import clock
from lavendertown.cli.options import author_option, json_option, need_author, storage
from lavendertown.cli.output import print_json
from lavendertown.collaboration.models import STATUSES, Annotation
from lavendertown.errors import NotFoundError


@click.command()
@click.argument("finding_id", metavar="FINDING_ID")
@author_option
@click.option("--comment", default="", help="What you have to say, in Markdown; - reads standard input.")
@click.option("--tag", "tags", multiple=True, help="A tag for the finding; repeat for more.")
@click.option("--status", type=click.Choice(STATUSES), help="The finding's new status.")
@click.option("--ahead", is_flag=True, help="Keep it also when no report has the finding yet.")
@json_option
def annotate(
    finding_id: str,
    author: str | None,
    comment: str,
    tags: tuple[str, ...],
    status: str | None,
    ahead: bool,
    as_json: bool,
) -> None:
    """Comment on a finding, tag it, set its status.

    It stays with the finding from report to report. `lavendertown findings list` shows the ids.

    \b
    Example:
      lavendertown annotate f1-0c4e --author Ana --comment "Asked the supplier" \\
        --tag supplier --status needs-investigation
    """
    name = need_author(author)
    text = sys.stdin.read().strip() if comment == "-" else comment
    if not text.strip() and not tags and not status:
        raise click.UsageError("Give a --comment, a --tag or a --status.")
    annotation = Annotation(
        id=f"a-{uuid.uuid4().hex[:12]}",
        finding_id=finding_id,
        author=name,
        timestamp=clock.now(),
        comment=text,
        tags=list(tags),
        status=status,
    )
    with storage() as opened:
        annotation.finding_id = opened.resolve_finding(finding_id)
        if not ahead and not opened.count_findings(finding_id=annotation.finding_id):
            raise NotFoundError(
                f"No report has the finding {finding_id!r}. Find its id with `lavendertown findings list`, "
                "or repeat with --ahead to keep this until a report has it."
            )
        opened.save_annotation(annotation)
    if as_json:
        print_json({k: v for k, v in annotation.to_dict().items() if k != "version"})
    else:
        click.echo(f"Saved {annotation.id}.")
