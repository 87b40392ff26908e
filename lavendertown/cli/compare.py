"""``lavendertown compare``: find what has changed between two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lavendertown.cli.errors import CommandError
from lavendertown.cli.options import format_in_option, json_option
from lavendertown.cli.output import format_cell, format_count, print_json
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.findings import SEVERITIES
from lavendertown.core.reading import DETECT
from lavendertown.core.settings import load_settings

if TYPE_CHECKING:
    from lavendertown.drift.compare import ComparisonType

_TYPES = ("full", "schema_only", "distribution_only")


@click.command()
@click.argument("baseline", metavar="BASELINE")
@click.argument("current", metavar="CURRENT")
@format_in_option
@click.option(
    "--comparison-type",
    type=click.Choice(_TYPES),
    default="full",
    show_default=True,
    help="Compare everything, only columns and types, or only values and rows.",
)
@click.option(
    "--distribution-threshold",
    type=float,
    default=10.0,
    show_default=True,
    metavar="PERCENT",
    help="The smallest shift of a distribution to report; 10 is a population stability index of 0.1.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="Exit with 1 if anything of at least this severity has changed.",
)
@json_option
def compare_command(
    baseline: str,
    current: str,
    format_in: str | None,
    comparison_type: ComparisonType,
    distribution_threshold: float,
    fail_on: str | None,
    as_json: bool,
) -> None:
    """Find what has changed from the table BASELINE to the table CURRENT.

    Both are what `analyze` reads: a file, a folder, archive.zip::member, file.db::table or a database URL. To
    run all other checks on CURRENT, too, and to save a report, use `analyze CURRENT --compare-to BASELINE`.

    Exit codes: 0 success, 1 as set by --fail-on, 2 if a table cannot be read.

    \b
    Example:
      lavendertown compare orders-may.csv orders-june.csv
      lavendertown compare orders-may.csv orders-june.csv --comparison-type schema_only --fail-on warning
    """
    # Imported here, because they import Polars, which other commands do not need.
    from lavendertown.cli.sources import STDIN_ARGUMENT, describe_sources, read_other_source, read_sources
    from lavendertown.drift import TableBaseline, compare_datasets

    if baseline == STDIN_ARGUMENT:
        raise CommandError("BASELINE cannot be standard input; name a file, or analyze CURRENT from it.")
    limits = limits_from_settings(load_settings())
    table = read_sources([current], format_in, limits, DETECT)
    before = read_other_source(baseline, format_in, limits, DETECT)
    names = [describe_sources([each]) for each in (baseline, current)]
    known = TableBaseline(before, names[0])
    findings = compare_datasets(known, table, comparison_type, distribution_threshold)
    failing = SEVERITIES[SEVERITIES.index(fail_on) :] if fail_on else ()
    failed = any(finding.severity in failing for finding in findings)
    if as_json:
        print_json(
            {
                "baseline": names[0],
                "current": names[1],
                "findings": [finding.to_dict() for finding in findings],
                "failed": failed,
            }
        )
    else:
        for finding in findings:
            click.echo(f"{finding.severity:<8} {format_cell(finding.description)}")
        changes = format_count(len(findings), "change")
        click.echo(f"{changes} from {format_cell(names[0])} to {format_cell(names[1])}.")
    raise click.exceptions.Exit(1 if failed else 0)
