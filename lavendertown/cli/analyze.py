"""``lavendertown analyze``: run all checks on a data file."""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lavendertown.cli.errors import CommandError
from lavendertown.cli.gate import check_gate_options, gate_options, judge_runs, report_results
from lavendertown.cli.options import (
    author_option,
    format_in_option,
    json_option,
    open_storage,
    query_option,
    require_author,
    table_option,
)
from lavendertown.cli.output import format_cell, format_count, print_json
from lavendertown.cli.reading_options import build_reading, reading_options
from lavendertown.cli.rules import load_rules
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.datasets import ChoiceReason
from lavendertown.collaboration.parts.gate import LATEST, Run
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError, StorageError
from lavendertown.core.file_limits import FileLimits, limits_from_settings
from lavendertown.core.findings import GhostFinding
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.settings import load_settings

if TYPE_CHECKING:
    from lavendertown.drift.baseline import Baseline, MissingBaseline
    from lavendertown.inspection.affected_files import RowsFormat
    from lavendertown.inspector import Inspector
    from lavendertown.rules.check_configuration import CheckConfiguration
    from lavendertown.tables import Table
    from lavendertown.tables.engines.engine_choice import EngineChoice

_MAX_LISTED_COLUMNS = 4


@click.command()
@click.argument("sources", metavar="FILE...", nargs=-1)
@click.option(
    "--source",
    "source_name",
    metavar="NAME",
    help="A source of the settings file, in place of FILE; its name is that of the dataset.",
)
@click.option(
    "--dataset",
    help="The dataset that FILE belongs to. Default: the file name without extensions, dates and numbers.",
)
@format_in_option
@table_option
@query_option
@reading_options
@click.option(
    "--key",
    "key",
    multiple=True,
    metavar="COLUMN",
    help="A column that identifies a row in samples; can be repeated. Default: the key saved for the "
    "dataset, else a unique column.",
)
@click.option(
    "--rules",
    "rules_name",
    metavar="FILE|NAME",
    help="Check the rules of this rule file or stored rule set, too.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "polars", "duckdb"]),
    default="auto",
    help="What computes: polars in memory, or duckdb, which reads Parquet files in parts. Default: duckdb "
    "for large Parquet files.",
)
@click.option(
    "--compare-to",
    metavar="FILE|latest",
    help="Find what has changed since this table, or since the last report of the dataset. Options that say "
    "how to read FILE apply to both.",
)
@click.option(
    "--checks",
    "checks_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A check configuration (YAML or JSON) that takes precedence over the one stored for the dataset.",
)
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", help="The output format."
)
@json_option
@gate_options
@click.option(
    "--rows-out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the affected rows of each finding to a file in this new or empty folder.",
)
@click.option(
    "--rows-format",
    type=click.Choice(["csv", "excel"]),
    help="The format of the files of --rows-out. Default: csv.",
)
@click.option("--save", is_flag=True, help="Save the findings as a report; requires --author.")
@click.option("--title", help="The title of the saved report. Default: the dataset.")
@click.option("--tag", "tags", multiple=True, help="A tag for the saved report; can be repeated.")
@author_option
def analyze_command(
    sources: tuple[str, ...],
    source_name: str | None,
    dataset: str | None,
    format_in: str | None,
    table: str | None,
    query: str | None,
    key: tuple[str, ...],
    rules_name: str | None,
    engine: EngineChoice,
    compare_to: str | None,
    checks_file: Path | None,
    output: str,
    as_json: bool,
    fail_on: tuple[str, ...],
    baseline: str,
    summary: Path | None,
    rows_out: Path | None,
    rows_format: RowsFormat | None,
    save: bool,
    title: str | None,
    tags: tuple[str, ...],
    author: str | None,
    **reading_values: Any,
) -> None:
    """Run all checks on the data in FILE; - reads standard input.

    FILE is a data file in one of the formats of --format-in, which may be gzipped or in a zip archive. Of
    several tables in an archive, name one: orders.zip::may.csv. A folder, a pattern or several files with
    the same columns are read as one table. FILE may also be an SQLite file (shop.db::orders), a database
    URL, or the URL of a file (https://, s3://, gs://); nothing is written to them.

    --fail-on judges the findings by what the team decided: closed ones, accepted ones within their ceiling
    and snoozed ones fail nothing. Comparisons use the last saved run of the dataset.

    Exit codes: 0 success, 1 as set by --fail-on, 2 if FILE cannot be read, or if --save would add the
    report to a dataset that has other columns or reports of several tables. To add it anyway, name the
    dataset with --dataset.

    With --save, options that say how FILE is read are stored for its dataset. A later analysis with --save or
    --dataset, and without such options, uses them.

    --compare-to reports columns, types, distributions, categories and rows that differ notably from those of
    another table. Without an earlier report with column profiles, --compare-to latest compares nothing.

    With --save or --dataset, the checks, parameters, expectations and rules that are stored for the dataset
    apply; --checks changes them for this run.

    \b
    Example:
      lavendertown analyze orders.csv --fail-on error
      lavendertown analyze orders.csv --fail-on new --fail-on regressed --summary gate.md
      cat orders.csv | lavendertown analyze - --format-in csv --dataset orders --json
      lavendertown analyze orders.csv --save --title "Orders, May" --author Ana
      lavendertown analyze orders.csv --rows-out affected --rows-format excel --key order_id
      lavendertown analyze orders.csv --rules orders-rules.yaml --fail-on error
      lavendertown analyze orders.csv --compare-to latest --save --author Ana
      lavendertown analyze orders-june.csv --compare-to orders-may.csv
      lavendertown analyze orders.csv --checks orders-checks.yaml
      lavendertown analyze orders.zip::may.csv
      lavendertown analyze postgresql://ana@host/shop --table orders
      lavendertown analyze "exports/orders-*.parquet"
      lavendertown analyze exports/ --engine duckdb
      lavendertown analyze https://host/exports/orders.csv
      lavendertown analyze --source orders --save --author Ana
      lavendertown analyze orders.xlsx --sheet Orders --range B4:H200
    """
    if save and query is not None and not dataset:
        raise click.UsageError("A query has no name. Name the dataset with --dataset.")
    _check_options(sources, dataset, save, title, tags, author)
    _check_source(sources, source_name, format_in, table, query)
    dataset = dataset or source_name
    check_gate_options(fail_on, baseline, summary)
    if rows_format is not None and rows_out is None:
        raise click.UsageError("--rows-format requires --rows-out.")
    reading = build_reading(**reading_values)
    given = reading
    if dataset and reading == DETECT:
        reading = _load_reading(dataset, required=save)
    # Imported here, because they import Polars, which other commands do not need.
    from lavendertown.inspector import Inspector
    from lavendertown.rules.reference_rules import References

    rules = load_rules(rules_name)[1] if rules_name else None
    limits = limits_from_settings(load_settings())
    if source_name is not None and engine == "duckdb":
        raise click.UsageError("DuckDB checks local Parquet files only; leave out --engine duckdb.")
    source = _Source(sources, source_name, format_in, table, query, limits, engine)
    data = source.read_table(reading)
    if save and not dataset:
        with open_storage() as storage:
            dataset = _choose_dataset(storage, data)
        if given == DETECT and (reading := _load_reading(dataset, required=True)) != DETECT:
            data = source.read_table(reading)
    checks = _load_checks(dataset, checks_file, data, required=save)
    references = None
    if checks_file is not None and not isinstance(rules, Path):
        references = References({}, checks_file.parent, limits)
    before: Table | Baseline | MissingBaseline | None = None
    if compare_to == LATEST:
        before = _load_baseline(data, dataset)
    elif compare_to is not None:
        before = source.read_other(compare_to, reading)
    inspector = Inspector(
        data,
        dataset=dataset,
        key=key or _load_row_key(dataset, data),
        rules=rules,
        checks=checks,
        references=references,
        compare_to=before,
    )
    findings = inspector.detect()
    if rows_out is not None:
        _write_rows(rows_out, inspector, findings, rows_format or "csv")
    report_id = None
    # Before the report is saved, which would be the baseline.
    run = Run(
        str(inspector.dataset or ""),
        findings,
        inspector.table.row_count,
        clock.now(),
        coverage=inspector.coverage(),
    )
    results = judge_runs([run], fail_on, baseline)
    if save:
        report_id = _save_report(
            inspector, findings, given, key, title, tags, require_author(author), source_name
        )
    is_json = as_json or output == "json"
    if is_json:
        failed = not all(result.has_passed for result in results)
        answer = _build_result(source.describe(), inspector, findings, report_id, failed)
        print_json(answer | {"gate": results[0].to_dict() if results else None})
    else:
        _print_findings(source.describe(), inspector, findings, report_id)
    failed = report_results(results, summary, silent=is_json)
    raise click.exceptions.Exit(1 if failed else 0)


class _Source(NamedTuple):
    """What the arguments and options of a run name: files, a database or a configured source."""

    arguments: tuple[str, ...]
    source_name: str | None
    format_in: str | None
    table: str | None
    query: str | None
    limits: FileLimits
    engine: EngineChoice

    def read_table(self, reading: Reading) -> Table:
        """Read the table."""
        from lavendertown.cli.sources import read_named_source, read_sources

        if self.source_name is not None:
            return read_named_source(self.source_name, self.limits, reading)
        return read_sources(
            self.arguments, self.format_in, self.limits, reading, self.table, self.query, self.engine
        )

    def read_other(self, other: str, reading: Reading) -> Table:
        """Read the table to compare with, by the same options as far as they go with it."""
        from lavendertown.cli.sources import read_other_source

        return read_other_source(other, self.format_in, self.limits, reading, self.table, self.query)

    def describe(self) -> str:
        """Return a name for answers, without passwords."""
        from lavendertown.cli.sources import describe_sources

        return self.source_name or describe_sources(self.arguments)


def _load_baseline(data: Table, dataset: str | None) -> Baseline | MissingBaseline:
    """Return the profiles of the last report of the dataset; without them, say so on standard error."""
    from lavendertown.drift.baseline import MissingBaseline

    with open_storage() as storage:
        name = dataset or storage.datasets.choose(data.columns, file=data.name or "").name
        found = storage.reports.load_baseline(name)
    if found is not None:
        return found
    missing = MissingBaseline(f"Dataset {name} has no earlier report with column profiles to compare with.")
    click.echo(format_cell(missing.reason), err=True)
    return missing


def _write_rows(
    folder: Path, inspector: Inspector, findings: list[GhostFinding], file_format: RowsFormat
) -> None:
    from lavendertown.inspection.affected_files import write_affected_files

    files = write_affected_files(folder, inspector.table, findings, inspector.evidence(), file_format)
    click.echo(f"Wrote {format_count(len(files), 'file')} of affected rows to {folder}.", err=True)
    for finding in findings:
        if finding.metadata.get("rows_truncated"):
            click.echo(
                f"Only the first {len(finding.row_indices or []):,} rows were kept of: "
                f"{format_cell(finding.description)}",
                err=True,
            )


def _check_options(
    sources: tuple[str, ...],
    dataset: str | None,
    save: bool,
    title: str | None,
    tags: tuple[str, ...],
    author: str | None,
) -> None:
    if save:
        require_author(author)
        if sources == ("-",) and not dataset:
            raise click.UsageError("Standard input has no file name. Name the dataset with --dataset.")
    elif title or tags:
        raise click.UsageError("--title and --tag require --save.")


def _check_source(
    sources: tuple[str, ...],
    source_name: str | None,
    format_in: str | None,
    table: str | None,
    query: str | None,
) -> None:
    if (source_name is None) == (not sources):
        raise click.UsageError("Give either FILE or --source NAME.")
    if source_name is not None and (format_in or table is not None or query is not None):
        raise click.UsageError("--format-in, --table and --query do not go with --source; leave them out.")


def _load_reading(dataset: str, *, required: bool) -> Reading:
    """Return the settings that are stored for a dataset, and say so on standard error.

    Args:
        dataset: The dataset.
        required: Whether the storage is used anyway, so that the command cannot go on without it.

    Raises:
        CommandError: A stored setting is not possible.
    """
    try:
        with open_storage() as storage:
            stored = storage.dataset_settings.load(dataset, "reading")
    except (StorageError, ImportError) as error:
        if required:
            raise
        click.echo(f"Stored settings are not used: {error}", err=True)
        return DETECT
    try:
        reading = Reading.from_dict(stored)
    except InvalidInputError as error:
        raise CommandError(
            f"The settings stored for dataset {dataset!r} cannot be used: {error} Say how to read the file "
            "with options such as --encoding, or analyze it without --dataset."
        ) from error
    if reading != DETECT:
        click.echo(f"Read as last time: {format_cell(reading.describe())}.", err=True)
    return reading


def _load_row_key(dataset: str | None, table: Table) -> list[str]:
    """Return the row key that is stored for a dataset, if the table has all of its columns.

    Raises:
        InvalidInputError: What is stored is not a list of columns.
    """
    if not dataset:
        return []
    try:
        with open_storage() as storage:
            key = storage.dataset_settings.load_row_key(dataset)
    except (StorageError, ImportError):
        return []  # The check configuration was read before, and said why the storage cannot be used.
    return key if all(map(table.has_column, key)) else []


def _load_checks(
    dataset: str | None, file: Path | None, table: Table, *, required: bool
) -> CheckConfiguration:
    """Return the check configuration of a run, with the rules of the rule sets that it names.

    Args:
        dataset: The dataset, whose stored configuration applies; None if it is not known.
        file: The configuration of this run, which takes precedence; None without one.
        table: The table to check.
        required: Whether the storage is used anyway, so that the command cannot go on without it.

    Raises:
        InvalidInputError: A configuration is not possible.
    """
    from lavendertown.rules.check_configuration import CheckConfiguration, read_check_configuration

    checks = CheckConfiguration() if file is None else read_check_configuration(file)
    if dataset or checks.rule_sets:
        try:
            with open_storage() as storage:
                stored = storage.dataset_settings.load_checks(dataset) if dataset else CheckConfiguration()
                if stored != CheckConfiguration():
                    click.echo(f"Checks as set for dataset {format_cell(str(dataset))}.", err=True)
                checks = storage.dataset_settings.add_rule_sets(stored.with_settings_over(checks))
        except (StorageError, ImportError) as error:
            if required or checks.rule_sets:
                raise
            click.echo(f"The stored check configuration is not used: {error}", err=True)
    unknown = checks.unmatched_columns(table.columns)
    if unknown:
        click.echo(
            f"The check configuration names columns that the table does not have: "
            f"{format_cell(', '.join(unknown))}.",
            err=True,
        )
    return checks


def _choose_dataset(storage: Storage, table: Table) -> str:
    """Choose the dataset of a table by its file name and columns.

    Raises:
        CommandError: The user must confirm first that the file belongs to the dataset.
    """
    choice = storage.datasets.choose(table.columns, file=table.name or "")
    changes = [
        f"{format_count(len(names), 'column')} {change} "
        f"({format_cell(', '.join(names[:_MAX_LISTED_COLUMNS]))}"
        f"{', …' if len(names) > _MAX_LISTED_COLUMNS else ''})"
        for names, change in ((choice.missing, "missing"), (choice.added, "new"))
        if names
    ]
    if choice.ask:
        if changes:
            reason = f"has other columns ({', '.join(changes)})"
        elif choice.reason is ChoiceReason.FORMER_NAME:
            reason = "may have reports of other tables with the same columns"
        else:
            reason = "has reports of several tables"
        raise CommandError(
            f"Not saved: dataset {choice.name!r} {reason}. Confirm with "
            f"--dataset {shlex.quote(choice.name)}, or choose another name with --dataset NAME."
        )
    if choice.adoptable:
        click.echo(
            f"Dataset {format_cell(choice.name)} is new. To continue the history of "
            f"{format_cell(choice.adoptable)}, run: "
            f"lavendertown findings adopt {shlex.quote(choice.adoptable)} {shlex.quote(choice.name)}",
            err=True,
        )
    return choice.name


def _save_report(
    inspector: Inspector,
    findings: list[GhostFinding],
    given: Reading,
    key: tuple[str, ...],
    title: str | None,
    tags: tuple[str, ...],
    author: str,
    source_name: str | None,
) -> str:
    """Save the findings as a report with their evidence, and the given settings and key; return its id."""
    name = inspector.table.name or ""
    report = ShareableReport(
        id=f"r-{uuid.uuid4().hex[:12]}",
        title=title or str(inspector.dataset),
        author=author,
        created_at=clock.now(),
        findings=findings,
        ruleset=inspector.ruleset,
        metadata={
            "dataset": inspector.dataset,
            "tags": list(tags),
            "coverage": inspector.coverage(),
            "file": name if name != "stdin" and not source_name else "",
            **({"source": source_name} if source_name else {}),
        },
    )
    ids = [get_finding_id(finding, inspector.dataset) for finding in findings]
    evidence = inspector.evidence().named(ids)
    with open_storage() as storage:
        if given != DETECT:
            storage.dataset_settings.save(str(inspector.dataset), "reading", given.to_dict(), actor=author)
        if key:
            storage.dataset_settings.save_row_key(str(inspector.dataset), key, actor=author)
        return storage.save_report(report, evidence=evidence)


def _build_result(
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


def _print_findings(
    name: str, inspector: Inspector, findings: list[GhostFinding], report_id: str | None
) -> None:
    coverage = inspector.coverage()
    for guess in coverage["guesses"]:
        click.echo(format_cell(guess))
    for off in coverage.get("switched_off", ()):
        where = f" on {off['column']}" if off["column"] else ""
        click.echo(format_cell(f"Not run: {off['check']}{where}, because {off['reason']}."))
    if "engine" in coverage:
        click.echo(format_cell(coverage["engine"]["reason"]))
    for skipped in coverage.get("not_run", ()):
        if "column" in skipped:  # Why nothing was compared is on standard error already.
            text = f"Not run: {skipped['check']} on {skipped['column']}. {skipped['reason']}"
            click.echo(format_cell(text))
    for finding in findings:
        click.echo(f"{finding.severity:<8} {finding.ghost_type:<15} {format_cell(finding.description)}")
    click.echo(
        f"{format_count(len(findings), 'finding')} in {format_cell(name)}: "
        f"{format_count(coverage['rows'], 'row')}, "
        f"{format_count(coverage['columns'], 'column')}, {format_count(coverage['checks_run'], 'check')}."
    )
    if report_id:
        click.echo(f"Saved. To show the report, run: lavendertown report show {report_id}")
