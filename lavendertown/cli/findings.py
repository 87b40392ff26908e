"""``lavendertown findings``: list findings and read their threads."""

from __future__ import annotations

from typing import Any

import click

from lavendertown.cli import options
from lavendertown.cli.output import cell, count, print_json, print_table
from lavendertown.errors import NotFoundError


@click.group()
def findings() -> None:
    """List findings over all reports, and read their threads.

    \b
    Example:
      lavendertown findings list --status open --severity error
    """


@findings.command("list")
@click.option("--report", "report_id", help="Only in the report with this id.")
@options.dataset_option
@click.option("--type", "ghost_type", multiple=True, help="Only of this ghost type; repeat for more.")
@click.option("--column", multiple=True, help="Only on this column; repeat for more.")
@options.severity_option
@options.status_option
@options.tags_option
@options.by_option
@options.search_option
@options.since_until
@options.paging
@options.json_option
def list_findings(
    report_id: str | None,
    dataset: tuple[str, ...],
    ghost_type: tuple[str, ...],
    column: tuple[str, ...],
    severity: tuple[str, ...],
    status: tuple[str, ...],
    tags: tuple[str, ...],
    author: tuple[str, ...],
    search: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """List findings, those of the newest report first.

    A finding is listed once for each report that has it, under the same id.

    \b
    Example:
      lavendertown findings list --dataset movies --status needs-investigation
      lavendertown findings list --report r-2f6c --json
    """
    filters: dict[str, Any] = {
        "report_id": report_id,
        "dataset": dataset,
        "ghost_type": ghost_type,
        "column": column,
        "severity": severity,
        "status": status,
        "tags": tags,
        "author": author,
        "search": search,
        "start_date": since,
        "end_date": until,
    }
    with options.storage() as opened:
        found = opened.query_findings(limit=limit, offset=offset, **filters)
        total = opened.count_findings(**filters)
    if as_json:
        print_json(found)
        return
    print_table(
        ("finding id", "seen", "severity", "status", "dataset", "comments", "description"),
        (
            (
                f["finding_id"],
                f["seen_at"],
                f["severity"],
                f["status"],
                f["dataset"],
                f["comment_count"],
                f["description"],
            )
            for f in found
        ),
        "No finding matches.",
    )
    options.more(len(found), total, offset)


@findings.command("show")
@click.argument("finding_id", metavar="FINDING_ID")
@options.json_option
def show_finding(finding_id: str, as_json: bool) -> None:
    """Show a finding as it was last seen, and its thread.

    \b
    Example:
      lavendertown findings show f1-0c4e
    """
    with options.storage() as opened:
        finding_id = opened.resolve_finding(finding_id)
        found = opened.query_findings(finding_id=finding_id, limit=1)
        thread = opened.get_annotations(finding_id)
    if not found and not thread:
        raise NotFoundError(
            f"There is no finding {finding_id!r}. Find its id with `lavendertown findings list`."
        )
    if as_json:
        print_json({"finding": found[0] if found else None, "annotations": [a.to_dict() for a in thread]})
        return
    for last in found:
        click.echo(cell(last["description"]))
        click.echo(
            f"{cell(last['dataset'])} · {last['severity']} · {last['status']} · "
            f"seen in {count(last['times_seen'], 'report')}, last on {cell(last['last_seen'])}"
        )
    for said in thread:
        marks = [f"-> {said.status}"] if said.status else []
        marks += [f"#{tag}" for tag in said.tags]
        click.echo(f"\n{cell(said.author)}, {cell(said.timestamp)}  {cell(' '.join(marks))}".rstrip())
        for line in said.comment.splitlines():
            click.echo(f"  {cell(line)}")
