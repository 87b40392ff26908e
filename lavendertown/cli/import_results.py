"""``lavendertown import``: save the results of other tools as reports."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from lavendertown.cli import options
from lavendertown.cli.gate import check_gate_options, gate_options, judge_runs, report_results
from lavendertown.cli.output import format_cell, format_count, print_json
from lavendertown.core.errors import NotFoundError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.interchange import FORMAT_NAMES, read_runs

if TYPE_CHECKING:
    from lavendertown.collaboration.parts.imports import ImportPreview

_COUNTS = ("findings", "passed", "errored", "not_run", "new", "regressed", "unchanged", "gone")


@click.command("import")
@click.argument("files", type=click.File("rb"), metavar="[FILE...]", nargs=-1)
@click.option(
    "--dataset", help="The dataset to join. Default: the dataset that FILE names, or else the file name."
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_NAMES),
    help="The format of the files. Default: recognized by their content.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and save nothing.")
@click.option("--undo", "report_id", metavar="REPORT_ID", help="Move the report of an import to the trash.")
@gate_options
@options.author_option
@options.json_option
def import_command(
    files: tuple[BinaryIO, ...],
    dataset: str | None,
    format_name: str | None,
    dry_run: bool,
    report_id: str | None,
    fail_on: tuple[str, ...],
    baseline: str,
    summary: Path | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Import results of dbt, Great Expectations, Soda, Pandera and other tools from FILEs, all or none.

    - reads standard input. Each run on a table becomes a report; importing a file again changes nothing.
    Give the manifest.json of dbt together with its run_results.json. Zip and gzip files are unpacked.

    --fail-on judges each run as `lavendertown analyze` does.

    Exit codes: 0 success, 1 as set by --fail-on, or if --undo finds no such report, 2 if a FILE cannot be
    imported.

    \b
    Example:
      lavendertown import target/run_results.json target/manifest.json
      lavendertown import validation.json --dataset orders --dry-run
      lavendertown import target/run_results.json --fail-on regressed --summary gate.xml
      lavendertown import --undo i-2f6c8a1b9d03e457
    """
    if report_id is not None:
        _undo_import(report_id, author, as_json, given_files=bool(files) or dry_run)
        return
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    check_gate_options(fail_on, baseline, summary)
    streams = [(file, options.input_name(file)) for file in files]
    limits = limits_from_settings(load_settings())
    results = read_runs(
        streams, format_name=format_name or "", dataset=(dataset or "").strip(), limits=limits
    )
    with options.open_storage() as storage:
        runs = [storage.imports.build_run(each) for each in results] if fail_on else []
        gate_results = judge_runs(runs, fail_on, baseline)
        if dry_run:
            previews = [storage.imports.preview(each) for each in results]
        else:
            previews = storage.imports.save(results, author=(author or "").strip())
    if as_json:
        gate = [each.to_dict() for each in gate_results]
        print_json(_build_answer(previews, dry_run) | ({"gate": gate} if fail_on else {}))
    else:
        for preview in previews:
            _print_preview(preview, dry_run)
    failed = report_results(gate_results, summary, silent=as_json)
    raise click.exceptions.Exit(1 if failed else 0)


def _undo_import(report_id: str, author: str | None, as_json: bool, given_files: bool) -> None:
    if given_files:
        raise click.UsageError("--undo takes neither files nor --dry-run.")
    with options.open_storage() as storage:
        if storage.reports.find(report_id) is None:
            raise NotFoundError(
                f"There is no report {report_id!r}. Find its id with `lavendertown report list`."
            )
        deleted = storage.delete_report(report_id, actor=author or "command line")
    if as_json:
        print_json({"report_id": report_id, "undone": deleted})
    elif deleted:
        click.echo(f"Undone. To restore it, run: lavendertown report restore {shlex.quote(report_id)}")
    if not deleted:
        click.echo(f"Report {report_id!r} is in the trash already.", err=True)
        raise click.exceptions.Exit(1)


def _build_answer(previews: Sequence[ImportPreview], dry_run: bool) -> dict[str, Any]:
    """Return the sums over all reports; the id and the dataset if there is one, else None."""
    single = previews[0] if len(previews) == 1 else None
    return {
        "report_id": single.report_id if single else None,
        "dataset": single.dataset if single else None,
        **{name: sum(getattr(each, name) for each in previews) for name in _COUNTS},
        "saved": not dry_run,
        "reports": [asdict(each) for each in previews],
    }


def _print_preview(preview: ImportPreview, dry_run: bool) -> None:
    if preview.is_saved:
        click.echo(
            f"{format_cell(preview.title)} was imported before as {preview.report_id}; nothing changed."
        )
        return
    joined = (
        f"has {format_count(preview.report_count, 'report')} so far"
        if preview.report_count
        else "is a new dataset"
    )
    click.echo(
        f"{format_cell(preview.tool)}: {format_count(preview.findings, 'finding')}, "
        f"{preview.passed:,} passed, {format_count(preview.errored, 'check')} could not run. "
        f"{format_cell(preview.dataset)} {joined}."
    )
    click.echo(
        f"{preview.new:,} new, {preview.regressed:,} back, {preview.unchanged:,} unchanged, "
        f"{preview.gone:,} gone, {preview.not_run:,} not run."
    )
    if dry_run:
        click.echo("Nothing was saved. To save it, run the command without --dry-run.")
    else:
        click.echo(
            f"Saved. To undo, run: lavendertown import --undo {preview.report_id}. "
            f"To show it, run: lavendertown report show {preview.report_id}"
        )
