"""``lavendertown migrate``: copy all records from one store into another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import format_count, print_json, print_table
from lavendertown.transfer import count_table
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationOutcome, MigrationProgress, MigrationRequest, OnConflict

_PHASE_LABELS = {
    "reports": "Reports",
    "annotations": "Comments",
    "rulesets": "Rule sets",
    "triage": "Triage",
    "people": "People",
    "views": "Saved views",
    "dataset_settings": "Settings of datasets",
    "evidence": "Evidence",
    "incidents": "Incidents",
    "worklists": "Worklists",
    "notifications": "Notifications",
    "channels": "Channels",
    "events": "Audit events",
    "changes": "Recent changes",
    "verifying": "Comparing both stores",
}
_COUNT_LABELS = {
    "annotations": "comments",
    "rulesets": "rule sets",
    "triage": "triage records",
    "views": "saved views",
    "dataset_settings": "settings of datasets",
    "evidence": "evidence records",
    "events": "audit events",
    count_table.OTHER: "other files",
}


@click.command()
@click.option("--from", "source", required=True, metavar="SOURCE", help="A data folder or a database URL.")
@click.option("--to", "target", required=True, metavar="TARGET", help="A data folder or a database URL.")
@click.option("--dry-run", is_flag=True, help="Show what would be migrated; write nothing.")
@click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    help="The time zone of times without one, such as Europe/Berlin. Default: local time for files, UTC for "
    "databases.",
)
@click.option(
    "--on-conflict",
    type=click.Choice([each.value for each in OnConflict]),
    default=OnConflict.SKIP.value,
    show_default=True,
    help="What to do if the target has a record with other content: keep the target's record, take the "
    "source's, or migrate nothing.",
)
@click.option("--resume", is_flag=True, help="Continue an unfinished migration with its original options.")
@click.option(
    "--author", envvar="LAVENDERTOWN_AUTHOR", default="internal", help="Your name, for the audit log."
)
@json_option
def migrate_command(
    source: str,
    target: str,
    dry_run: bool,
    zone: str | None,
    on_conflict: str,
    resume: bool,
    author: str,
    as_json: bool,
) -> None:
    """Copy all records of SOURCE into TARGET, and verify the copy. SOURCE is only read.

    SOURCE and TARGET can be data folders and databases of any kind; SOURCE can also be a database of
    version 0.7. Records that TARGET already has are skipped, so the command can be repeated at any time,
    also after an interruption. Unreadable items are listed and copied into a quarantine folder.

    Exit codes: 0 migrated and verified, 1 migrated with quarantined items, conflicts or differences,
    2 usage error or failure.

    \b
    Example:
      lavendertown migrate --from .lavendertown --to sqlite:///reports.db --dry-run
      lavendertown migrate --from .lavendertown --to postgresql://ana@db/quality
    """
    request = MigrationRequest(source, target, OnConflict(on_conflict), zone, actor=author, resume=resume)
    with _show_progress(hidden=as_json or not sys.stderr.isatty()) as report_progress:
        outcome = (preview_migration if dry_run else migrate_store)(request, report_progress)
    if as_json:
        print_json(outcome.to_dict())
    else:
        _print_outcome(outcome)
    raise click.exceptions.Exit(0 if _is_complete(outcome) else 1)


def _is_complete(outcome: MigrationOutcome) -> bool:
    verified = outcome.verified or outcome.dry_run
    return verified and not outcome.conflict_count and not outcome.quarantined


@contextmanager
def _show_progress(hidden: bool) -> Iterator[Callable[[MigrationProgress], None]]:
    with click.progressbar(length=1, file=sys.stderr, hidden=hidden, show_eta=False) as bar:

        def update_bar(progress: MigrationProgress) -> None:
            bar.label = _format_progress(progress)
            bar.length = progress.total or max(progress.done, 1)
            bar.update(progress.done - bar.pos)

        yield update_bar


def _format_progress(progress: MigrationProgress) -> str:
    time_left = (
        f", {_format_duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    )
    return f"{_PHASE_LABELS[progress.phase]} ({progress.rate:,.0f} per second{time_left})"


def _format_duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _print_outcome(outcome: MigrationOutcome) -> None:
    written, kept = ("to write", "conflicts") if outcome.dry_run else ("written", "kept in target")
    counts = {_COUNT_LABELS.get(name, name): row for name, row in count_table.count_rows(outcome).items()}
    counts["total, findings left out"] = count_table.total_row(outcome)
    rows = [(label, *(f"{number:,}" for number in astuple(row))) for label, row in counts.items()]
    print_table(("", "in source", written, "already there", kept, "quarantine"), rows, "")
    for conflict in outcome.conflicts:
        click.echo(
            f"Conflict: {conflict.kind} {conflict.record_id} ({conflict.title}): source version "
            f"{conflict.source_version} by {conflict.source_by or 'unknown'}, target version "
            f"{conflict.target_version} by {conflict.target_by or 'unknown'}: {conflict.decision.value}."
        )
    if outcome.normalized:
        click.echo(outcome.normalized_sentence)
    for item in outcome.quarantined:
        click.echo(f"Not migrated: {item.item}: {item.reason}.")
    if outcome.quarantine_folder is not None:
        click.echo(f"The items that were not migrated are copied to {outcome.quarantine_folder}.")
    for difference in outcome.differences:
        click.echo(f"Difference: {difference}")
    click.echo(_format_conclusion(outcome))


def _format_conclusion(outcome: MigrationOutcome) -> str:
    if outcome.dry_run:
        return "This was a dry run; nothing was written."
    if outcome.differences:
        return "The stores differ unexpectedly. The source is unchanged; run the migration again."
    if outcome.changed_nothing:
        return f"The target already has all records; nothing was written to {outcome.target}."
    written = sum(counts.written for name, counts in outcome.counts.items() if name != "findings")
    return (
        f"Migrated {format_count(written, 'record')} from {outcome.source} to {outcome.target} in "
        f"{_format_duration(outcome.seconds)}; both stores were read back and are equal."
    )
