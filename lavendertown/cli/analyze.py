"""``lavendertown analyze``: run every check on a data file."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from lavendertown import clock
from lavendertown.cli.options import STDIN, author_option, json_option, name_of, need_author, storage
from lavendertown.cli.output import cell, count, print_json
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.models import SEVERITIES, GhostFinding

if TYPE_CHECKING:
    from lavendertown.inspector import Inspector

_ENDINGS = {"csv": ".csv", "json": ".json", "jsonl": ".jsonl", "parquet": ".parquet", "excel": ".xlsx"}


@click.command()
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--dataset", help="What the file is a delivery of. Default: its name without ending.")
@click.option(
    "--format-in", type=click.Choice(list(_ENDINGS)), help="What FILE is, where its name lies or -."
)
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", help="How to print the answer."
)
@json_option
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 at a finding this serious or more."
)
@click.option("--save", is_flag=True, help="Save what was found as a report; needs --author.")
@click.option("--title", help="The saved report's title. Default: the dataset.")
@click.option("--tag", "tags", multiple=True, help="A tag of the saved report; repeat for more.")
@author_option
def analyze(
    file: BinaryIO,
    dataset: str | None,
    format_in: str | None,
    output: str,
    as_json: bool,
    fail_on: str | None,
    save: bool,
    title: str | None,
    tags: tuple[str, ...],
    author: str | None,
) -> None:
    """Run every check on a CSV, Parquet, Excel or JSON FILE; - reads standard input.

    Exits with 0, with 1 where --fail-on says so, with 2 when the file cannot be read.

    \b
    Example:
      lavendertown analyze orders.csv --fail-on error
      cat orders.csv | lavendertown analyze - --format-in csv --dataset orders --json
      lavendertown analyze orders.csv --save --title "Orders, May" --author Ana
    """
    name = name_of(file)
    _check_use(name, dataset, save, title, tags, author)
    inspector = _inspector(file, dataset, format_in)
    findings = inspector.detect()
    report_id = None
    if save:
        report_id = _save(inspector, findings, title, tags, need_author(author))
    failed = fail_on is not None and any(
        SEVERITIES.index(f.severity) >= SEVERITIES.index(fail_on) for f in findings
    )
    if as_json or output == "json":
        print_json(_answer(name, inspector, findings, report_id, failed))
    else:
        _print(name, inspector, findings, report_id)
    raise click.exceptions.Exit(1 if failed else 0)


def _check_use(
    name: str, dataset: str | None, save: bool, title: str | None, tags: tuple[str, ...], author: str | None
) -> None:
    if save:
        need_author(author)
        if name == STDIN and not dataset:
            raise click.UsageError("Standard input has no name; say with --dataset what it is a delivery of.")
    elif title or tags:
        raise click.UsageError("--title and --tag belong to a saved report; add --save.")


def _inspector(file: BinaryIO, dataset: str | None, format_in: str | None) -> Inspector:
    from lavendertown.inspector import Inspector  # brings Polars, which no other start needs

    given = name_of(file)
    name = "stdin" if given == STDIN else Path(given).name
    if format_in:
        name = Path(name).stem + _ENDINGS[format_in]
    return Inspector((file.read(), name), dataset=dataset)


def _save(
    inspector: Inspector, findings: list[GhostFinding], title: str | None, tags: tuple[str, ...], author: str
) -> str:
    report = ShareableReport(
        id=f"r-{uuid.uuid4().hex[:12]}",
        title=title or str(inspector.dataset),
        author=author,
        created_at=clock.now(),
        findings=findings,
        metadata={"dataset": inspector.dataset, "tags": list(tags), "coverage": inspector.coverage()},
    )
    with storage() as opened:
        return opened.save_report(report)


def _answer(
    name: str, inspector: Inspector, findings: list[GhostFinding], report_id: str | None, failed: bool
) -> dict[str, Any]:
    return {
        "file": name,
        "dataset": inspector.dataset,
        "findings": [
            {"finding_id": get_finding_id(finding, inspector.dataset), **finding.to_dict()}
            for finding in findings
        ],
        "coverage": inspector.coverage(),
        "report_id": report_id,
        "failed": failed,
    }


def _print(name: str, inspector: Inspector, findings: list[GhostFinding], report_id: str | None) -> None:
    coverage = inspector.coverage()
    for guess in coverage["guesses"]:
        click.echo(cell(guess))
    for finding in findings:
        click.echo(f"{finding.severity:<8} {finding.ghost_type:<15} {cell(finding.description)}")
    click.echo(
        f"{count(len(findings), 'finding')} in {cell(name)}: {count(coverage['rows'], 'row')}, "
        f"{count(coverage['columns'], 'column')}, {count(coverage['checks_run'], 'check')}."
    )
    if report_id:
        click.echo(f"Saved. Show it with: lavendertown report show {report_id}")
