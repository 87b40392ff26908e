"""``lavendertown findings``: list and show findings, and adopt the history of a dataset."""

from __future__ import annotations

from typing import Any

import click

from lavendertown.cli import options
from lavendertown.cli.output import format_cell, format_count, print_json, print_table
from lavendertown.core.errors import NotFoundError
from lavendertown.core.settings import load_settings
from lavendertown.core.ticket_targets import find_ticket_target


@click.group()
def findings_group() -> None:
    """List and show the findings of all reports, and their comments.

    \b
    Example:
      lavendertown findings list --status open --severity error
    """


@findings_group.command("list")
@click.option("--report", "report_id", help="Only findings in the report with this id.")
@options.dataset_option
@click.option("--type", "ghost_type", multiple=True, help="Only this ghost type; can be repeated.")
@click.option("--column", multiple=True, help="Only this column; can be repeated.")
@options.severity_option
@options.status_option
@options.tags_option
@options.filter_author_option
@options.search_option
@options.date_options
@options.paging_options
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

    A finding that several reports have is listed once per report, with the same id.

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
    with options.open_storage() as storage:
        findings = storage.query_findings(limit=limit, offset=offset, **filters)
        total = storage.findings.count(**filters)
    if as_json:
        print_json(findings)
        return
    print_table(
        ("finding id", "seen", "severity", "status", "dataset", "comments", "description"),
        (
            (
                finding["finding_id"],
                finding["seen_at"],
                finding["severity"],
                finding["status"],
                finding["dataset"],
                finding["comment_count"],
                finding["description"],
            )
            for finding in findings
        ),
        "No matching findings.",
    )
    options.print_more_hint(len(findings), total, offset)


@findings_group.command("inbox")
@options.inbox_filter_options
@options.paging_options
@options.json_option
def list_inbox(limit: int, offset: int, as_json: bool, **filter_values: Any) -> None:
    """List the findings of all reports, each once, the most severe first, with why they need attention.

    \b
    Example:
      lavendertown findings inbox --attention any
      lavendertown findings inbox --state open --assignee Ana --json
    """
    filters = options.build_inbox_filters(**filter_values)
    with options.open_storage() as storage:
        findings = storage.inbox.query(limit, offset, "severity", **filters)
        total = storage.inbox.count(**filters)
    if as_json:
        print_json(findings)
        return
    print_table(
        (
            "finding id",
            "last seen",
            "run state",
            "severity",
            "status",
            "assignee",
            "description",
            "needs attention",
        ),
        (
            (
                finding["finding_id"],
                finding["last_seen"],
                finding["seen"].replace("_", " "),
                finding["severity"],
                finding["status"],
                finding["assignee"],
                finding["description"],
                finding["attention_text"],
            )
            for finding in findings
        ),
        "No matching findings.",
    )
    options.print_more_hint(len(findings), total, offset)


@findings_group.command("show")
@click.argument("finding_id", metavar="FINDING_ID")
@options.json_option
def show_finding(finding_id: str, as_json: bool) -> None:
    """Show the latest occurrence of a finding, and its comments.

    \b
    Example:
      lavendertown findings show f1-0c4e
    """
    with options.open_storage() as storage:
        finding_id = storage.findings.resolve_id(finding_id)
        findings = storage.query_findings(finding_id=finding_id, limit=1)
        thread = storage.get_annotations(finding_id)
        answers = storage.worklists.count_answers(findings[0]["report_id"]) if findings else {}
    rows = answers.get(finding_id)
    if not findings and not thread:
        raise NotFoundError(
            f"There is no finding {finding_id!r}. Find its id with `lavendertown findings list`."
        )
    if as_json:
        print_json(
            {
                "finding": findings[0] if findings else None,
                "annotations": [annotation.to_dict() for annotation in thread],
                **({"worklist": rows} if rows is not None else {}),
            }
        )
        return
    for latest in findings:
        click.echo(format_cell(latest["description"]))
        click.echo(
            f"{format_cell(latest['dataset'])} · {latest['severity']} · {latest['status']} · "
            f"seen in {format_count(latest['times_seen'], 'report')}, "
            f"last on {format_cell(latest['last_seen'])}"
        )
    if rows is not None:
        click.echo(
            f"{rows['answered_count']:,} of {format_count(rows['row_count'], 'row')} answered: "
            f"{rows['done_count']:,} done, {rows['cannot_count']:,} cannot"
        )
    for annotation in thread:
        changes = [f"-> {annotation.status}"] if annotation.status else []
        changes += [f"#{tag}" for tag in annotation.tags]
        click.echo(
            f"\n{format_cell(annotation.author)}, {format_cell(annotation.timestamp)}  "
            f"{format_cell(' '.join(changes))}".rstrip()
        )
        for line in annotation.comment.splitlines():
            click.echo(f"  {format_cell(line)}")


@findings_group.command("adopt")
@click.argument("former", metavar="FORMER")
@click.argument("dataset", metavar="DATASET")
@options.author_option
@options.json_option
def adopt_dataset(former: str, dataset: str, author: str | None, as_json: bool) -> None:
    """Continue the history of the dataset FORMER in DATASET.

    Findings of the same check and column are merged, with their comments, statuses and assignees.
    Findings that DATASET does not have yet are added to it. If FORMER has reports of several tables, only
    findings on columns of DATASET are adopted.

    \b
    Example:
      lavendertown findings adopt public public.orders --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        adopted = storage.datasets.adopt_history(former, dataset, actor=actor)
        merged = [
            finding_id
            for finding_id in adopted.finding_ids
            if storage.findings.resolve_id(finding_id) != finding_id
        ]
    if as_json:
        print_json({"dataset": dataset, "former": former, "finding_ids": merged})
    else:
        click.echo(
            f"{format_cell(dataset)} continues {format_count(len(merged), 'finding')} of "
            f"{format_cell(former)}."
        )


@findings_group.command("ticket")
@click.argument("finding_id", metavar="FINDING_ID")
@click.option("--to", "target_name", metavar="NAME", help="The tracker. Default: the only one.")
@options.author_option
@options.json_option
def create_ticket(finding_id: str, target_name: str | None, author: str | None, as_json: bool) -> None:
    """Create a ticket about a finding in GitHub, Jira or another tracker, with a link back.

    Trackers are tables [tickets.NAME] in the settings file. A comment on the finding has the address of the
    ticket.

    \b
    Example:
      lavendertown findings ticket f1-4c1e --to github --author Ana
    """
    author = options.require_author(author)
    settings = load_settings()
    only = settings.tickets[0].name if len(settings.tickets) == 1 else ""
    target = find_ticket_target(settings.tickets, target_name or only)
    with options.open_storage() as storage:
        address = storage.tickets.create(finding_id, target, settings.dashboard_url, actor=author)
    if as_json:
        print_json({"finding_id": finding_id, "tracker": target.name, "url": address})
    else:
        click.echo(f"Created {address or f'a ticket in {target.name}'}.")
