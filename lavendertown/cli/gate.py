"""The gate of ``analyze`` and ``import``: options, judgement, summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

import click

from lavendertown.cli.errors import CommandError
from lavendertown.cli.options import open_storage
from lavendertown.cli.output import format_cell, format_count, write_file
from lavendertown.collaboration.parts.gate import (
    COMPARING,
    LATEST,
    FailOn,
    GateResult,
    Run,
    judge_by_severity,
)
from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import StorageError
from lavendertown.core.findings import column_label
from lavendertown.interchange.exports.markdown import escape_markdown

Command = TypeVar("Command", bound=Callable[..., Any])
_MAX_PRINTED = 50


def gate_options(command: Command) -> Command:
    """Add ``--fail-on``, ``--baseline`` and ``--summary``."""
    for option in (
        click.option(
            "--summary",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Write why it passed or failed: as Markdown (.md), JUnit (.xml), else as text.",
        ),
        click.option(
            "--baseline",
            metavar="REPORT_ID",
            default=LATEST,
            show_default=True,
            help="The report to compare with: 'latest' for the last run of the dataset, or its id.",
        ),
        click.option(
            "--fail-on",
            multiple=True,
            type=click.Choice([each.value for each in FailOn]),
            help="Exit with 1 for open findings of at least this severity (any: of every severity), or for "
            "findings that are new, regressed or worse than in the baseline; can be repeated.",
        ),
    ):
        command = option(command)
    return command


def check_gate_options(fail_on: Sequence[str], baseline: str, summary: Path | None) -> None:
    """Refuse options of the gate that have no effect.

    Raises:
        click.UsageError: ``--baseline`` or ``--summary`` is given without ``--fail-on``.
    """
    if not fail_on and (summary is not None or baseline != LATEST):
        name = "--summary" if summary is not None else "--baseline"
        raise click.UsageError(f"{name} requires --fail-on, which says what fails.")


def judge_runs(
    runs: Sequence[Run], fail_on: Sequence[str], baseline: str, storage: Storage | None = None
) -> list[GateResult]:
    """Judge runs, with what the storage knows of their findings.

    Without a readable storage, every finding counts as open, and the result says so.

    Args:
        runs: The runs.
        fail_on: What fails them.
        baseline: The report to compare with.
        storage: The storage if it is open already; the configured one by default.

    Raises:
        CommandError: A baseline is needed, and the storage cannot be read.
    """
    kinds = [FailOn(each) for each in fail_on]
    if not kinds:
        return []
    try:
        with open_storage() if storage is None else nullcontext(storage) as opened:
            return [opened.gate.judge_run(run, kinds, baseline) for run in runs]
    except (StorageError, ImportError) as error:
        comparing = [kind.value for kind in kinds if kind in COMPARING]
        if comparing:
            raise CommandError(
                f"The storage cannot be read, so there is no baseline for --fail-on {comparing[0]}: {error}"
            ) from error
        note = f"Statuses and snoozes are not applied, because the storage cannot be read: {error}"
        return [judge_by_severity(run, kinds, note) for run in runs]


def report_results(results: Sequence[GateResult], summary: Path | None, *, silent: bool) -> bool:
    """Print the results of the gate on standard error, write the summary, and return whether it failed.

    Args:
        results: The results.
        summary: The file of the summary; None for none.
        silent: Whether to print nothing, as the answer of the command has the results.
    """
    if summary is not None:
        write_summary(summary, results)
    if results and not silent:
        click.echo(text_summary(results, _MAX_PRINTED), err=True, nl=False)
    return not all(result.has_passed for result in results)


def write_summary(file: Path, results: Sequence[GateResult]) -> None:
    """Write the results in the format that the name of the file shows.

    Raises:
        CommandError: The file cannot be written.
    """
    ending = file.suffix.lower()
    text = (
        markdown_summary(results)
        if ending in (".md", ".markdown")
        else junit_summary(results)
        if ending == ".xml"
        else text_summary(results, None)
    )
    write_file(file, text.encode("utf-8"))


def text_summary(results: Sequence[GateResult], limit: int | None) -> str:
    """Return the results as text, with at most this many failures of each run."""
    lines: list[str] = []
    for result in results:
        lines.append(f"{format_cell(result.dataset)}: {_describe_outcome(result)}")
        lines += [f"  {format_cell(note)}" for note in result.notes]
        for each in result.failures[:limit]:
            what = ", ".join(each.failed_on)
            lines.append(
                f"  [{what}] {format_cell(each.finding.description)} {format_cell(each.reason)}".rstrip()
            )
        hidden = len(result.failures) - len(result.failures[:limit])
        if hidden:
            lines.append(f"  and {hidden:,} more.")
        if result.spared:
            lines.append(f"  {_describe_spared(result)}")
    return "".join(f"{line}\n" for line in lines)


def markdown_summary(results: Sequence[GateResult]) -> str:
    """Return the results as Markdown for the comment of a pull request."""
    parts: list[str] = []
    for result in results:
        parts.append(f"### {escape_markdown(result.dataset)}: {_describe_outcome(result)}\n")
        parts += [f"{escape_markdown(note)}\n" for note in result.notes]
        if result.failures:
            parts.append("| Fails | Severity | Column | Finding | Why |\n|---|---|---|---|---|")
            for each in result.failures:
                column = column_label(each.finding.column)
                texts = (column, each.finding.description, each.reason)
                cells = [", ".join(each.failed_on), each.finding.severity, *map(escape_markdown, texts)]
                parts.append(f"| {' | '.join(cells)} |")
            parts.append("")
        if result.spared:
            parts.append(f"{_describe_spared(result)}\n")
    return "\n".join(parts)


def junit_summary(results: Sequence[GateResult]) -> str:
    """Return the results as JUnit XML: a suite for each run, and a case for each finding."""
    root = ElementTree.Element("testsuites")
    for result in results:
        cases = result.judgements
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_clean_xml(result.dataset),
            tests=str(max(len(cases), 1)),
            failures=str(len(result.failures)),
        )
        if not cases:
            ElementTree.SubElement(
                suite, "testcase", classname=_clean_xml(result.dataset), name="no findings"
            )
        for each in cases:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_clean_xml(f"{result.dataset}.{each.finding.column}"),
                name=_clean_xml(each.finding.description),
            )
            if each.failed_on:
                failure = ElementTree.SubElement(case, "failure", message=_clean_xml(each.reason))
                failure.set("type", ",".join(each.failed_on))
            elif each.reason:
                ElementTree.SubElement(case, "skipped", message=_clean_xml(each.reason))
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _describe_outcome(result: GateResult) -> str:
    asked = ", ".join(result.fail_on)
    against = f", compared with report {result.baseline}" if result.baseline else ""
    if result.has_passed:
        return f"passed (fails on {asked}{against})"
    return f"failed: {format_count(len(result.failures), 'finding')} (fails on {asked}{against})"


def _describe_spared(result: GateResult) -> str:
    return f"The team has decided that {format_count(len(result.spared), 'finding')} should fail nothing."


def _clean_xml(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(c if c >= " " and c not in "\ufffe\uffff" else " " for c in text)
