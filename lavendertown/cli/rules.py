"""``lavendertown rules``: list, show, run, import, export and suggest rule sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli import options
from lavendertown.cli.errors import CommandError
from lavendertown.cli.output import (
    format_cell,
    format_count,
    print_json,
    print_table,
    refuse_existing,
    write_file,
)
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.interchange.rulesets import IMPORT_FORMATS, RULESET_FORMATS, read_rules, write_rules
from lavendertown.rules.models import RuleSet
from lavendertown.rules.ruleset_files import format_ruleset, read_ruleset_file, read_text_file

if TYPE_CHECKING:
    from lavendertown.inspector import Inspector
    from lavendertown.rules.running import RuleResult

_MAX_NAMED = 5
_OUTCOME_WORDS = {"passed": "passed", "failed": "failed", "not_run": "not run", "disabled": "disabled"}

output_option = click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file instead of standard output.",
)


@click.group()
def rules_group() -> None:
    """Check data against rules of your own, and exchange rules with other tools.

    A rule set is a YAML or JSON file, or stored under a name. docs/rules.md describes the types of rules.

    \b
    Example:
      lavendertown rules suggest orders.csv --output orders-rules.yaml
      lavendertown rules run orders.csv --rules orders-rules.yaml
    """


@rules_group.command("list")
@options.search_option
@options.paging_options
@options.json_option
def list_rulesets(search: str | None, limit: int, offset: int, as_json: bool) -> None:
    """List the stored rule sets.

    \b
    Example:
      lavendertown rules list --search orders
    """
    with options.open_storage() as storage:
        rows = storage.query_rulesets(search=search, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("name", "rules", "changed", "description"),
        ((row["name"], row["rule_count"], row["updated_at"], row["description"]) for row in rows),
        "No rule sets. To store one, run: lavendertown rules import FILE",
    )


@rules_group.command("show")
@click.argument("name", metavar="NAME|FILE")
@options.json_option
def show_ruleset(name: str, as_json: bool) -> None:
    """Show the rules of a stored rule set or a rule file, and which of them cannot run.

    \b
    Example:
      lavendertown rules show "Starter: orders"
      lavendertown rules show orders-rules.yaml --json
    """
    from lavendertown.rules.running import find_problem

    ruleset, _ = load_rules(name)
    problems = [problem for rule in ruleset.rules if (problem := find_problem(rule))]
    if as_json:
        print_json({**ruleset.to_dict(), "problems": problems})
        return
    click.echo(
        format_cell(ruleset.name) + (f": {format_cell(ruleset.description)}" if ruleset.description else "")
    )
    print_table(
        ("rule", "type", "column", "parameters", "enabled"),
        (
            (
                rule.name,
                rule.rule_type,
                rule.column,
                ", ".join(f"{key}: {value}" for key, value in rule.parameters.items()),
                "yes" if rule.enabled else "no",
            )
            for rule in ruleset.rules
        ),
        "The rule set has no rules.",
    )
    for problem in problems:
        click.echo(format_cell(problem), err=True)


@rules_group.command("run")
@click.argument("sources", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--rules", "rules_name", required=True, metavar="FILE|NAME", help="A rule file or a stored rule set."
)
@options.format_in_option
@options.table_option
@options.query_option
@options.json_option
def run_rules(
    sources: tuple[str, ...],
    rules_name: str,
    format_in: str | None,
    table: str | None,
    query: str | None,
    as_json: bool,
) -> None:
    """Check the data in FILE against rules only; - reads standard input.

    FILE is everything that `lavendertown analyze` reads. To save the result as a report, run
    `lavendertown analyze` with --rules.

    Exit codes: 0 all enabled rules passed, 1 a rule failed or could not run, 2 FILE or the rules cannot be
    read. Rules of a table without rows do not run.

    \b
    Example:
      lavendertown rules run orders.csv --rules orders-rules.yaml
      lavendertown rules run orders.parquet --rules "Starter: orders" --json
    """
    from lavendertown.cli.sources import describe_sources, read_sources
    from lavendertown.core.reading import DETECT
    from lavendertown.inspector import Inspector
    from lavendertown.rules.running import match_results

    ruleset, given = load_rules(rules_name)
    limits = limits_from_settings(load_settings())
    data = read_sources(sources, format_in, limits, DETECT, table, query)
    inspector = Inspector(data, detectors=[], rules=given, limits=limits)
    findings = inspector.detect()
    results = match_results(ruleset.rules, findings, inspector.checks)
    counts = {outcome: sum(result.outcome == outcome for result in results) for outcome in _OUTCOME_WORDS}
    ok = not counts["failed"] and not counts["not_run"]
    if as_json:
        print_json(
            {
                "file": describe_sources(sources),
                "ruleset": ruleset.name,
                "ok": ok,
                **counts,
                "rules": [_result_to_dict(result) for result in results],
            }
        )
    else:
        _print_results(results, counts, describe_sources(sources), inspector)
    raise click.exceptions.Exit(0 if ok else 1)


def _result_to_dict(result: RuleResult) -> dict[str, Any]:
    finding = result.finding
    return {
        "name": result.rule.name,
        "rule_type": result.rule.rule_type,
        "column": result.rule.column,
        "outcome": result.outcome,
        "severity": finding.severity if finding else None,
        "description": finding.description if finding else None,
        "count": finding.metadata.get("count") if finding else None,
        "share": finding.metadata.get("share") if finding else None,
    }


def _print_results(
    results: list[RuleResult], counts: dict[str, int], name: str, inspector: Inspector
) -> None:
    for result in results:
        text = result.finding.description if result.finding else result.rule.name
        if result.outcome == "not_run" and result.finding is None:
            text = f"{result.rule.name}: the table has no rows."
        click.echo(f"{_OUTCOME_WORDS[result.outcome]:<8} {format_cell(text)}")
    listed = ", ".join(
        f"{number:,} {_OUTCOME_WORDS[outcome]}" for outcome, number in counts.items() if number
    )
    click.echo(
        f"{format_count(len(results), 'rule')} on {format_cell(name)} "
        f"({format_count(inspector.table.row_count, 'row')}): {listed or 'none'}."
    )


@rules_group.command("suggest")
@click.argument("sources", metavar="FILE...", nargs=-1, required=True)
@click.option("--name", help="The name of the rule set. Default: the dataset of FILE.")
@options.format_in_option
@options.table_option
@options.query_option
@output_option
@options.force_option
@options.json_option
def suggest_command(
    sources: tuple[str, ...],
    name: str | None,
    format_in: str | None,
    table: str | None,
    query: str | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Suggest rules that the data in FILE meets, and print them as a rule file.

    Keep the rules that are meant, and delete those that hold by chance: a column without missing values, a
    key, few categories, numbers that are never negative, texts of one form, the type of a column.

    \b
    Example:
      lavendertown rules suggest orders.csv > orders-rules.yaml
      lavendertown rules suggest orders.csv --output orders-rules.yaml
    """
    if output is not None:
        refuse_existing(output, force=force)
    from lavendertown.cli.sources import read_sources
    from lavendertown.core.dataset_names import dataset_name
    from lavendertown.core.reading import DETECT
    from lavendertown.profile.measure import measure_table
    from lavendertown.rules.suggestions import suggest_rules

    limits = limits_from_settings(load_settings())
    data = read_sources(sources, format_in, limits, DETECT, table, query)
    ruleset_name = name or (dataset_name(data.name) if data.name else "") or "suggested"
    ruleset = suggest_rules(data, measure_table(data, []), ruleset_name)
    write_text(output, format_ruleset(ruleset, "json" if as_json else "yaml"))


@rules_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "format_name",
    type=click.Choice(IMPORT_FORMATS),
    help="The format of FILE. Default: recognized by its content.",
)
@click.option("--name", help="The name of the rule set. Default: the name in FILE, or else its file name.")
@click.option("--table", help="The table of a contract or data package that describes several.")
@click.option("--replace", is_flag=True, help="Replace the stored rule set of the same name.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="RULE_FILE",
    help="Write a rule file (YAML, or JSON if it ends in .json) instead of storing the rule set.",
)
@options.force_option
@options.author_option
@options.json_option
def import_rules(
    file: Path,
    format_name: str | None,
    name: str | None,
    table: str | None,
    replace: bool,
    output: Path | None,
    force: bool,
    author: str | None,
    as_json: bool,
) -> None:
    """Store the rules in FILE under a name.

    FILE is a rule file (YAML or JSON), a Pandera schema (YAML), a Great Expectations suite (JSON), a
    Frictionless schema or data package (JSON) or an ODCS data contract (YAML). What cannot be translated is
    listed.

    Exit codes: 0 success, 2 FILE cannot be read, or a rule set of the same name is stored.

    \b
    Example:
      lavendertown rules import orders-rules.yaml --author Ana
      lavendertown rules import suite.json --output orders-rules.yaml
    """
    if output is not None:
        refuse_existing(output, force=force)
    read = read_rules(read_text_file(file), file.name, format_name, table)
    ruleset = RuleSet(name or read.ruleset.name, read.ruleset.description, read.ruleset.rules)
    if output is not None:
        write_text(output, format_ruleset(ruleset, "json" if output.suffix == ".json" else "yaml"))
    else:
        actor = options.require_author(author)
        with options.open_storage() as storage:
            if storage.load_ruleset(ruleset.name) is not None and not replace:
                raise CommandError(
                    f"A rule set {ruleset.name!r} is stored already. Replace it with --replace, or choose "
                    "another name with --name."
                )
            storage.save_ruleset(ruleset, actor=actor)
    if as_json:
        print_json(
            {
                "name": ruleset.name,
                "format": read.format_name,
                "rule_count": len(ruleset.rules),
                "not_translated": read.skipped,
                "output": None if output is None else str(output),
            }
        )
        return
    for sentence in read.skipped:
        click.echo(f"Not translated: {format_cell(sentence)}", err=True)
    where = f"to {output}" if output else f"as {ruleset.name!r}"
    click.echo(f"{'Wrote' if output else 'Stored'} {format_count(len(ruleset.rules), 'rule')} {where}.")


@rules_group.command("export")
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(RULESET_FORMATS),
    default="yaml",
    show_default=True,
    help="The format to write.",
)
@output_option
@options.force_option
@options.json_option
def export_rules(name: str, format_name: str, output: Path | None, force: bool, as_json: bool) -> None:
    """Print the rules of a stored rule set or a rule file in the format of another tool.

    What cannot be translated is listed on standard error. With --json, the answer has the text and this list.

    \b
    Example:
      lavendertown rules export "Starter: orders" --format great-expectations
      lavendertown rules export orders-rules.yaml --format pandera --output schema.yaml
    """
    if output is not None:
        refuse_existing(output, force=force)
    ruleset, _ = load_rules(name)
    text, skipped = write_rules(ruleset, format_name)
    if as_json:
        if output is not None:
            write_text(output, text)
        print_json({"format": format_name, "text": text, "not_translated": skipped})
        return
    for sentence in skipped:
        click.echo(f"Not translated: {format_cell(sentence)}", err=True)
    write_text(output, text)


def load_rules(name: str) -> tuple[RuleSet, RuleSet | Path]:
    """Return the rule set that an argument names, and what to pass to an inspector for it.

    Args:
        name: The path of a rule file, or the name of a stored rule set.

    Raises:
        CommandError: There is neither.
        InvalidInputError: The file is no rule file.
    """
    path = Path(name)
    if path.is_file():
        return read_ruleset_file(path), path
    with options.open_storage() as storage:
        found = storage.load_ruleset(name)
        stored = [row["name"] for row in storage.query_rulesets(limit=_MAX_NAMED)] if found is None else []
    if found is None:
        listed = f"; stored are {', '.join(map(repr, stored))}" if stored else ""
        raise CommandError(
            f"There is no rule file and no stored rule set {name!r}{listed}. "
            "To list rule sets, run: lavendertown rules list"
        )
    return found, found


def write_text(output: Path | None, text: str) -> None:
    """Print a text, or write it to a file.

    Raises:
        CommandError: The file cannot be written.
    """
    if output is None:
        click.echo(text, nl=False)
    else:
        write_file(output, text.encode("utf-8"))
