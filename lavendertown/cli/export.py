"""``lavendertown export``: write a report, or the findings of the inbox, in the formats of other tools."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lavendertown.cli import options
from lavendertown.cli.bundles import export_bundle_file
from lavendertown.cli.output import format_count, print_json, refuse_existing, write_file
from lavendertown.interchange.exports.content import ExportContent
from lavendertown.interchange.exports.formats import (
    EXPORT_FORMAT_NAMES,
    EXPORT_FORMATS,
    ExportFormat,
    find_export_format,
)
from lavendertown.transfer.bundles.writing import BUNDLE_ENDING, BUNDLE_FORMAT_NAME


@click.command("export")
@click.option(
    "--report",
    "report_ids",
    metavar="REPORT_ID",
    multiple=True,
    help="The report. Default: the inbox. A bundle needs one, and can have several.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice((*EXPORT_FORMAT_NAMES, BUNDLE_FORMAT_NAME)),
    help="The format. Default: by the ending of FILE, or JSON.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="The file to write; - prints it, which is the default for text.",
)
@options.force_option
@options.inbox_filter_options
@click.option(
    "--json", "as_json", is_flag=True, help="Print what was written as JSON instead of text; needs FILE."
)
def export_command(
    report_ids: tuple[str, ...],
    format_name: str | None,
    output: str | None,
    force: bool,
    as_json: bool,
    **filter_values: Any,
) -> None:
    """Export a report, or all inbox findings that match the filters, one entry per finding.

    \b
    json      a report with comments and evidence, for `lavendertown report import`
    csv       one row per finding, for spreadsheet programs
    excel     the same, and a sheet with sample rows
    parquet   the same columns, with types
    markdown  a short table, for a pull request
    html      one page with charts and evidence, which needs no network
    sarif     for code scanning, closed findings suppressed; `lavendertown import` reads it
    bundle    reports with evidence, threads, triage and incidents, for `lavendertown import` elsewhere

    \b
    Example:
      lavendertown export --report r-2f6c --format markdown
      lavendertown export --report r-2f6c -o orders.html
      lavendertown export --state open --dataset orders -o open.xlsx
      lavendertown export --report r-2f6c --report r-81f0 -o orders.bundle.zip
    """
    has_filters = any(filter_values.values())
    if report_ids and has_filters:
        raise click.UsageError("--report exports a whole report; leave out the filters of the inbox.")
    target = None if output in (None, "-") else Path(str(output))
    if _is_bundle(format_name, target):
        _export_bundle(report_ids, output, target, force=force, as_json=as_json)
        return
    if len(report_ids) > 1:
        raise click.UsageError("Only a bundle can have several reports; give --report once.")
    report_id = report_ids[0] if report_ids else None
    export_format = _choose_format(format_name, target)
    if target is None and as_json:
        raise click.UsageError("--json needs --output FILE, because the export itself is printed.")
    if target is None and output is None and not export_format.is_text:
        raise click.UsageError(
            f"{export_format.label} is not text; write it to a file: --output FILE{export_format.ending}"
        )
    if target is not None:
        refuse_existing(target, force=force)
    filters = options.build_inbox_filters(**filter_values)
    with options.open_storage() as storage:
        if report_id is not None:
            content = storage.exports.read_report(report_id)
        else:
            content = storage.exports.read_inbox(_describe_filters(filter_values), **filters)
    data = export_format.write(content)
    if target is None:
        click.echo(data, nl=False)
        return
    write_file(target, data)
    _print_result(target, export_format, content, as_json)


def _is_bundle(format_name: str | None, target: Path | None) -> bool:
    if format_name is not None:
        return format_name == BUNDLE_FORMAT_NAME
    return target is not None and target.name.lower().endswith(BUNDLE_ENDING)


def _export_bundle(
    report_ids: Sequence[str], output: str | None, target: Path | None, *, force: bool, as_json: bool
) -> None:
    if not report_ids:
        raise click.UsageError("A bundle needs the reports to export: --report REPORT_ID")
    if output is None:
        raise click.UsageError(f"A bundle is not text; write it to a file: --output FILE{BUNDLE_ENDING}")
    if target is None and as_json:
        raise click.UsageError("--json needs --output FILE, because the export itself is printed.")
    if target is not None:
        refuse_existing(target, force=force)
    export_bundle_file(report_ids, target, as_json)


def _choose_format(name: str | None, target: Path | None) -> ExportFormat:
    if name is not None:
        return find_export_format(name)
    if target is None:
        return find_export_format("json")
    for each in EXPORT_FORMATS:
        if target.name.lower().endswith(each.ending):
            return each
    raise click.UsageError(
        f"The file extension of {target} is not a known export format; choose one with --format."
    )


def _describe_filters(values: Mapping[str, Any]) -> str:
    """Return a title for the list that names its filters."""
    parts = []
    for name, value in values.items():
        if value is True:
            parts.append(name)
        elif value:
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            parts.append(f"{name} {text}")
    return f"Findings: {'; '.join(parts)}" if parts else "All findings"


def _print_result(target: Path, export_format: ExportFormat, content: ExportContent, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(target), "format": export_format.name, "findings": len(content.findings)})
    else:
        count = format_count(len(content.findings), "finding")
        click.echo(f"Wrote {count} to {shlex.quote(str(target))}.")
