"""``lavendertown report``: list, show, compare, save, delete, restore, export and import reports."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any, BinaryIO

import click

from lavendertown.cli import options
from lavendertown.cli.output import format_cell, format_count, print_json, print_table
from lavendertown.collaboration.api import export_report, report_to_export
from lavendertown.collaboration.converters import read_exported_evidence
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.core.findings import GhostFinding
from lavendertown.profile.evidence import Evidence

_WORSE_CHANGES = ("new", "back", "worse")


@click.group()
def report_group() -> None:
    """List, show, compare, save, delete, restore, export and import reports.

    \b
    Example:
      lavendertown report list --author Ana --since 2026-11-01
    """


@report_group.command("list")
@options.filter_author_option
@options.date_options
@options.search_option
@options.tags_option
@options.status_option
@options.severity_option
@options.dataset_option
@click.option("--deleted", is_flag=True, help="Include reports in the trash.")
@options.paging_options
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
    """List reports, newest first.

    --status and --severity list the reports that have such a finding.

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
    with options.open_storage() as storage:
        reports = storage.query_reports(limit=limit, offset=offset, **filters)
        total = storage.count_reports(**filters)
    if as_json:
        print_json(reports)
        return
    print_table(
        ("id", "created", "author", "dataset", "errors", "warnings", "infos", "title"),
        (
            (
                report["id"],
                report["created_at"],
                report["author"],
                report["dataset"],
                report["error_count"],
                report["warning_count"],
                report["info_count"],
                report["title"] + (" (deleted)" if report["deleted_at"] else ""),
            )
            for report in reports
        ),
        "No matching reports.",
    )
    options.print_more_hint(len(reports), total, offset)


@report_group.command("show")
@click.argument("report_id", metavar="REPORT_ID")
@options.json_option
def show_report(report_id: str, as_json: bool) -> None:
    """Show a report with its findings and their comments.

    \b
    Example:
      lavendertown report show r-2f6c
    """
    with options.open_storage() as storage:
        report = _load_report(storage, report_id)
        rows = storage.query_findings(report_id=report_id, limit=None)
    if as_json:
        print_json(_with_finding_ids(report))
        return
    click.echo(format_cell(report.title))
    click.echo(
        f"{format_cell(report.metadata.get('dataset') or 'no dataset')} · {format_cell(report.author)} · "
        f"{format_cell(report.created_at)} · {format_count(len(report.findings), 'finding')}, "
        f"{format_count(len(report.annotations), 'comment')}"
    )
    for row in rows:
        click.echo(f"\n{row['severity']:<8} {row['status']:<20} {row['finding_id']}")
        click.echo(f"  {format_cell(row['description'])}")
        for annotation in report.annotations:
            if annotation.finding_id != row["finding_id"]:
                continue
            click.echo(
                f"  > {format_cell(annotation.author)}, {format_cell(annotation.timestamp)}: "
                f"{format_cell(annotation.comment)}"
            )


@report_group.command("compare")
@click.argument("report_id", metavar="REPORT_ID")
@click.option("--with", "before_id", help="The report to compare with. Default: the run before it.")
@click.option("--gate", is_flag=True, help="Exit with 1 if a finding is new, back or worse.")
@options.json_option
def compare_reports(report_id: str, before_id: str | None, gate: bool, as_json: bool) -> None:
    """Compare a report with an earlier run of its dataset.

    Each finding is new, back (found before, but not in the earlier run), worse, better, same, gone,
    not_checked (absent, and its check did not run according to the report), reading_changed or
    check_changed (in one of the runs only, because the settings for reading its column, or of its check,
    changed).

    \b
    Example:
      lavendertown report compare r-2f6c --gate
    """
    with options.open_storage() as storage:
        comparison = storage.reports.compare(report_id, before_id)
    if comparison is None:
        raise NotFoundError(f"There is no report {report_id!r}. Find its id with `lavendertown report list`.")
    if as_json:
        print_json(comparison)
    else:
        _print_comparison(comparison)
    if gate and any(row["change"] in _WORSE_CHANGES for row in comparison["findings"]):
        raise click.exceptions.Exit(1)


@report_group.command("save")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--title", help="The report's title. Default: the dataset.")
@click.option("--dataset", help="The dataset. Default: the dataset in FILE.")
@click.option("--tag", "tags", multiple=True, help="A tag for the report; can be repeated.")
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

    FILE contains the output of `lavendertown analyze --json`, or an array of findings.

    \b
    Example:
      lavendertown analyze orders.csv --json | lavendertown report save - --author Ana
    """
    author = options.require_author(author)
    data = _read_json(file)
    analysis = data if isinstance(data, dict) else {"findings": data}
    if not isinstance(analysis.get("findings"), list):
        raise InvalidInputError(
            f"{options.input_name(file)} contains no findings. "
            "To import a whole report, use `lavendertown report import`."
        )
    dataset = dataset or analysis.get("dataset")
    metadata = {"dataset": dataset, "tags": list(tags), "coverage": analysis.get("coverage")}
    report = ShareableReport(
        id=f"r-{uuid.uuid4().hex[:12]}",
        title=title or dataset or "Report",
        author=author,
        created_at=clock.now(),
        findings=[_parse_finding(each, options.input_name(file)) for each in analysis["findings"]],
        metadata={key: value for key, value in metadata.items() if value},
    )
    with options.open_storage() as storage:
        storage.save_report(report)
    if as_json:
        print_json({"id": report.id, "finding_count": len(report.findings)})
    else:
        click.echo(f"Saved. To show the report, run: lavendertown report show {report.id}")


@report_group.command("delete")
@click.argument("report_ids", metavar="REPORT_ID...", nargs=-1, required=True)
@options.author_option
def delete_reports(report_ids: tuple[str, ...], author: str | None) -> None:
    """Move reports to the trash. Comments on their findings are kept.

    Exits with 1 if a report was not found.

    \b
    Example:
      lavendertown report delete r-2f6c --author Ana
    """
    with options.open_storage() as storage:
        deleted = [
            report_id
            for report_id in report_ids
            if storage.delete_report(report_id, actor=author or "command line")
        ]
    _print_done("Deleted", deleted, "To restore, run: lavendertown report restore")
    _exit_if_missing(report_ids, deleted, "There is no report {} to delete.")


@report_group.command("restore")
@click.argument("report_ids", metavar="REPORT_ID...", nargs=-1, required=True)
@options.author_option
def restore_reports(report_ids: tuple[str, ...], author: str | None) -> None:
    """Restore reports from the trash.

    Exits with 1 if a report was not in the trash.

    \b
    Example:
      lavendertown report restore r-2f6c
    """
    with options.open_storage() as storage:
        restored = [
            report_id
            for report_id in report_ids
            if storage.restore_report(report_id, actor=author or "command line")
        ]
    _print_done("Restored", restored, "To show a report, run: lavendertown report show")
    _exit_if_missing(report_ids, restored, "There is no report {} in the trash.")


@report_group.command("export")
@click.argument("report_id", metavar="REPORT_ID")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="The file to write; - prints it. Default: exports/REPORT_ID.json in the data folder.",
)
def export_report_file(report_id: str, output: str | None) -> None:
    """Write a whole report, including comments and evidence, to a JSON file.

    For other formats, use `lavendertown export`.

    \b
    Example:
      lavendertown report export r-2f6c -o orders.json
    """
    with options.open_storage() as storage:
        report = _load_report(storage, report_id)
        evidence = storage.reports.load_evidence(report_id)
    if output == "-":
        print_json(report_to_export(report, evidence))
    else:
        click.echo(f"Wrote {export_report(report, output, evidence)}.")


@report_group.command("import")
@click.argument("files", type=click.File("rb"), metavar="FILE...", nargs=-1, required=True)
@click.option("--overwrite", is_flag=True, help="Overwrite newer versions of the same reports.")
@options.json_option
def import_reports(files: tuple[BinaryIO, ...], overwrite: bool, as_json: bool) -> None:
    """Import whole reports, with their evidence, from JSON FILEs, all or none; - reads standard input.

    Reports keep their ids. A report that exists already is updated.

    \b
    Example:
      lavendertown report import orders.json
    """
    parsed = [_parse_report(file) for file in files]
    reports = [report for report, _ in parsed]
    evidence = {report.id: found for report, found in parsed if found is not None}
    if overwrite:
        for report in reports:
            report.version = None
            for annotation in report.annotations:
                annotation.version = None
    with options.open_storage() as storage:
        ids = storage.save_reports(reports, evidence=evidence)
    if as_json:
        print_json(ids)
    else:
        click.echo(f"Imported {', '.join(ids)}.")


def _load_report(storage: Storage, report_id: str) -> ShareableReport:
    report = storage.load_report(report_id)
    if report is not None:
        return report
    if storage.reports.find(report_id) is not None:
        raise NotFoundError(
            f"Report {report_id!r} was deleted. Restore it with `lavendertown report restore {report_id}`."
        )
    raise NotFoundError(f"There is no report {report_id!r}. Find its id with `lavendertown report list`.")


def _with_finding_ids(report: ShareableReport) -> dict[str, Any]:
    findings = [{"finding_id": get_finding_id(finding), **finding.to_dict()} for finding in report.findings]
    return {**report.to_dict(), "findings": findings}


def _read_json(file: BinaryIO) -> Any:
    try:
        return json_codec.loads(file.read())
    except ValueError as error:
        raise InvalidInputError(f"{options.input_name(file)} is not JSON: {error}.") from error


def _parse_finding(value: Any, name: str) -> GhostFinding:
    if not isinstance(value, dict):
        raise InvalidInputError(
            f"{name} contains {value!r} instead of a finding; a finding must be a JSON object."
        )
    return GhostFinding.from_dict(value)


def _parse_report(file: BinaryIO) -> tuple[ShareableReport, Evidence | None]:
    data = _read_json(file)
    if not isinstance(data, dict) or "findings" not in data or "title" not in data:
        raise InvalidInputError(
            f"{options.input_name(file)} does not contain a whole report. "
            "To save findings only, use `lavendertown report save`."
        )
    for part in ("findings", "annotations"):
        items = data.get(part) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise InvalidInputError(f"The {part} in {options.input_name(file)} must be an array of objects.")
    return ShareableReport.from_dict(data), read_exported_evidence(data)


def _print_done(verb: str, ids: list[str], next_step: str) -> None:
    if ids:
        click.echo(f"{verb} {format_cell(ids)}. {next_step} {ids[0]}")


def _exit_if_missing(requested_ids: tuple[str, ...], done_ids: list[str], message_template: str) -> None:
    missing = [repr(each) for each in requested_ids if each not in done_ids]
    if missing:
        click.echo(message_template.format(", ".join(missing)), err=True)
        raise click.exceptions.Exit(1)


def _print_comparison(comparison: dict[str, Any]) -> None:
    before = comparison["before"]
    if before is None:
        click.echo("This is the first run of the dataset, so there is nothing to compare with.")
        return
    counts = Counter(row["change"] for row in comparison["findings"])
    changes = [f"{number} {change.replace('_', ' ')}" for change, number in counts.items()]
    summary = ", ".join(changes) or "no findings"
    click.echo(f"Compared with {before['id']} of {format_cell(before['created_at'])}: {summary}")
    print_table(
        ("change", "severity", "rows before", "rows now", "finding id", "description"),
        (
            (
                row["change"].replace("_", " "),
                row["severity"],
                row["before_count"],
                row["row_count"] if row["is_present"] else None,
                row["finding_id"],
                row["description"],
            )
            for row in comparison["findings"]
            if row["change"] != "same"
        ),
        "No changes.",
    )
