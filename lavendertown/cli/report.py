"""``lavendertown report``: list, read, save, remove and carry reports."""

from __future__ import annotations

import uuid
from typing import Any, BinaryIO

import click

from lavendertown import clock, codec
from lavendertown.cli import options
from lavendertown.cli.output import cell, count, print_json, print_table
from lavendertown.cli.report_compare import compare
from lavendertown.collaboration.api import export_report
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.errors import InvalidInputError, NotFoundError
from lavendertown.models import GhostFinding


@click.group()
def report() -> None:
    """List, read, compare, save, delete, restore, export and import reports.

    \b
    Example:
      lavendertown report list --author Ana --since 2026-11-01
    """


report.add_command(compare)


@report.command("list")
@options.by_option
@options.since_until
@options.search_option
@options.tags_option
@options.status_option
@options.severity_option
@options.dataset_option
@click.option("--deleted", is_flag=True, help="Also those in the trash.")
@options.paging
@options.json_option
def list_reports(
    author: tuple[str, ...],
    since: str | None,
    until: str | None,
    search: str | None,
    tags: tuple[str, ...],
    status: tuple[str, ...],
    severity: tuple[str, ...],
    dataset: tuple[str, ...],
    deleted: bool,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """List reports, the newest first.

    --status and --severity keep the reports that have such a finding.

    \b
    Example:
      lavendertown report list --dataset movies --since 2026-11-01 --limit 10
      lavendertown report list --status needs-investigation --json
    """
    filters: dict[str, Any] = {
        "author": author,
        "start_date": since,
        "end_date": until,
        "search": search,
        "tags": tags,
        "status": status,
        "severity": severity,
        "dataset": dataset,
        "include_deleted": deleted,
    }
    with options.storage() as opened:
        found = opened.query_reports(limit=limit, offset=offset, **filters)
        total = opened.count_reports(**filters)
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "created", "author", "dataset", "errors", "warnings", "infos", "title"),
        (
            (
                r["id"],
                r["created_at"],
                r["author"],
                r["dataset"],
                r["error_count"],
                r["warning_count"],
                r["info_count"],
                r["title"] + (" (deleted)" if r["deleted_at"] else ""),
            )
            for r in found
        ),
        "No report matches.",
    )
    options.more(len(found), total, offset)


@report.command("show")
@click.argument("report_id", metavar="REPORT_ID")
@options.json_option
def show_report(report_id: str, as_json: bool) -> None:
    """Show a report with its findings and what was said about them.

    \b
    Example:
      lavendertown report show r-2f6c
    """
    with options.storage() as opened:
        shown = _get(opened, report_id)
        rows = opened.query_findings(report_id=report_id, limit=None)
    if as_json:
        print_json(_with_ids(shown))
        return
    click.echo(cell(shown.title))
    click.echo(
        f"{cell(shown.metadata.get('dataset') or 'no dataset')} · {cell(shown.author)} · "
        f"{cell(shown.created_at)} · {count(len(shown.findings), 'finding')}, "
        f"{count(len(shown.annotations), 'comment')}"
    )
    for row in rows:
        click.echo(f"\n{row['severity']:<8} {row['status']:<20} {row['finding_id']}")
        click.echo(f"  {cell(row['description'])}")
        for said in (a for a in shown.annotations if a.finding_id == row["finding_id"]):
            click.echo(f"  > {cell(said.author)}, {cell(said.timestamp)}: {cell(said.comment)}")


@report.command("save")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--title", help="The report's title. Default: the dataset.")
@click.option("--dataset", help="What was checked. Default: what FILE says.")
@click.option("--tag", "tags", multiple=True, help="A tag of the report; repeat for more.")
@options.author_option
@options.json_option
def save_report(
    file: BinaryIO,
    title: str | None,
    dataset: str | None,
    tags: tuple[str, ...],
    author: str | None,
    as_json: bool,
) -> None:
    """Save findings from a JSON FILE as a new report; - reads standard input.

    FILE is what `lavendertown analyze --json` prints, or an array of findings.

    \b
    Example:
      lavendertown analyze orders.csv --json | lavendertown report save - --author Ana
    """
    name = options.need_author(author)
    data = _read_json(file)
    analysis = data if isinstance(data, dict) else {"findings": data}
    if not isinstance(analysis.get("findings"), list):
        raise InvalidInputError(
            f"{options.name_of(file)} does not hold findings; "
            "a whole report goes in with `lavendertown report import`."
        )
    dataset = dataset or analysis.get("dataset")
    metadata = {"dataset": dataset, "tags": list(tags), "coverage": analysis.get("coverage")}
    made = ShareableReport(
        id=f"r-{uuid.uuid4().hex[:12]}",
        title=title or dataset or "Report",
        author=name,
        created_at=clock.now(),
        findings=[_finding(each, options.name_of(file)) for each in analysis["findings"]],
        metadata={key: value for key, value in metadata.items() if value},
    )
    with options.storage() as opened:
        opened.save_report(made)
    if as_json:
        print_json({"id": made.id, "finding_count": len(made.findings)})
    else:
        click.echo(f"Saved. Show it with: lavendertown report show {made.id}")


@report.command("delete")
@click.argument("report_ids", metavar="REPORT_ID...", nargs=-1, required=True)
@options.author_option
def delete_reports(report_ids: tuple[str, ...], author: str | None) -> None:
    """Put reports into the trash. Comments on their findings stay.

    Exits with 1 when one of them was not there.

    \b
    Example:
      lavendertown report delete r-2f6c --author Ana
    """
    with options.storage() as opened:
        gone = [i for i in report_ids if opened.delete_report(i, actor=author or "command line")]
    _tell("Deleted", gone, "Take it back with: lavendertown report restore")
    _missing(report_ids, gone, "No report {} to delete.")


@report.command("restore")
@click.argument("report_ids", metavar="REPORT_ID...", nargs=-1, required=True)
@options.author_option
def restore_reports(report_ids: tuple[str, ...], author: str | None) -> None:
    """Take reports back out of the trash.

    Exits with 1 when one of them was not in it.

    \b
    Example:
      lavendertown report restore r-2f6c
    """
    with options.storage() as opened:
        back = [i for i in report_ids if opened.restore_report(i, actor=author or "command line")]
    _tell("Restored", back, "Show it with: lavendertown report show")
    _missing(report_ids, back, "No report {} in the trash.")


@report.command("export")
@click.argument("report_id", metavar="REPORT_ID")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="The file to write; - prints it. Default: exports/REPORT_ID.json in the data folder.",
)
def export(report_id: str, output: str | None) -> None:
    """Write a whole report, comments included, to a JSON file.

    \b
    Example:
      lavendertown report export r-2f6c -o orders.json
    """
    with options.storage() as opened:
        found = _get(opened, report_id)
    if output == "-":
        print_json(found.to_dict())
    else:
        click.echo(f"Wrote {export_report(found, output)}.")


@report.command("import")
@click.argument("files", type=click.File("rb"), metavar="FILE...", nargs=-1, required=True)
@click.option("--overwrite", is_flag=True, help="Write over a newer version of the same report.")
@options.json_option
def import_reports(files: tuple[BinaryIO, ...], overwrite: bool, as_json: bool) -> None:
    """Save whole reports from JSON FILEs, all or none; - reads standard input.

    A report keeps its id: importing it again updates it.

    \b
    Example:
      lavendertown report import orders.json
    """
    reports = [_whole_report(file) for file in files]
    if overwrite:
        for each in reports:
            each.version = None
            for annotation in each.annotations:
                annotation.version = None
    with options.storage() as opened:
        ids = opened.save_reports(reports)
    if as_json:
        print_json(ids)
    else:
        click.echo(f"Imported {', '.join(ids)}.")


def _get(opened: Storage, report_id: str) -> ShareableReport:
    found = opened.load_report(report_id)
    if found is not None:
        return found
    if opened.find_report(report_id) is not None:
        raise NotFoundError(
            f"Report {report_id!r} was deleted; restore it with `lavendertown report restore {report_id}`."
        )
    raise NotFoundError(f"There is no report {report_id!r}. Find its id with `lavendertown report list`.")


def _with_ids(shown: ShareableReport) -> dict[str, Any]:
    found = [{"finding_id": get_finding_id(f), **f.to_dict()} for f in shown.findings]
    return {**shown.to_dict(), "findings": found}


def _read_json(file: BinaryIO) -> Any:
    try:
        return codec.loads(file.read())
    except ValueError as error:
        raise InvalidInputError(f"{options.name_of(file)} is not JSON: {error}.") from error


def _finding(value: Any, name: str) -> GhostFinding:
    if not isinstance(value, dict):
        raise InvalidInputError(f"{name} holds {value!r} where a finding should be; a finding is an object.")
    return GhostFinding.from_dict(value)


def _whole_report(file: BinaryIO) -> ShareableReport:
    data = _read_json(file)
    if not isinstance(data, dict) or "findings" not in data or "title" not in data:
        raise InvalidInputError(
            f"{options.name_of(file)} does not hold a whole report; "
            "findings alone are saved with `lavendertown report save`."
        )
    for part in ("findings", "annotations"):
        each = data.get(part) or []
        if not isinstance(each, list) or not all(isinstance(one, dict) for one in each):
            raise InvalidInputError(f"The {part} in {options.name_of(file)} must be an array of objects.")
    return ShareableReport.from_dict(data)


def _tell(done: str, ids: list[str], then: str) -> None:
    if ids:
        click.echo(f"{done} {cell(ids)}. {then} {ids[0]}")


def _missing(asked: tuple[str, ...], done: list[str], words: str) -> None:
    left = [repr(each) for each in asked if each not in done]
    if left:
        click.echo(words.format(", ".join(left)), err=True)
        raise click.exceptions.Exit(1)
