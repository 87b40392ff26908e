"""``lavendertown migrate``: everything from one store into another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import count, print_json, print_table
from lavendertown.migration.mover import move, plan
from lavendertown.migration.values import OnConflict, Outcome, Progress, Request

_PHASES = {
    "reports": "Reports",
    "annotations": "Comments",
    "rulesets": "Rule sets",
    "triage": "Decisions about findings",
    "people": "People",
    "views": "Saved views",
    "events": "History",
    "changes": "Changes made meanwhile",
    "verifying": "Comparing both stores",
}
_NAMES = {
    "annotations": "comments",
    "rulesets": "rule sets",
    "triage": "decisions about findings",
    "views": "saved views",
    "events": "audit events",
}


@click.command()
@click.option("--from", "source", required=True, metavar="SOURCE", help="A data folder or a database URL.")
@click.option("--to", "target", required=True, metavar="TARGET", help="A data folder or a database URL.")
@click.option("--dry-run", is_flag=True, help="Count and show what would happen; write nothing.")
@click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    help="Where times without a zone were written, such as Europe/Berlin. Default: here for files, UTC for "
    "databases.",
)
@click.option(
    "--on-conflict",
    type=click.Choice([each.value for each in OnConflict]),
    default=OnConflict.SKIP.value,
    show_default=True,
    help="A record that the target holds with other content: keep the target's, take the source's, or "
    "move nothing at all.",
)
@click.option("--resume", is_flag=True, help="Go on with an unfinished move, with the options it began with.")
@click.option(
    "--author", envvar="LAVENDERTOWN_AUTHOR", default="internal", help="Who moves, for the audit log."
)
@json_option
def migrate(
    source: str,
    target: str,
    dry_run: bool,
    zone: str | None,
    on_conflict: str,
    resume: bool,
    author: str,
    as_json: bool,
) -> None:
    """Move everything that SOURCE holds into TARGET, and verify it. SOURCE is only read.

    Any store into any other: data folders (0.7's as well) and databases (0.7's as source), in every
    direction. What is there already is left alone, so it can be run again at any time, also after it
    was interrupted. What cannot be read is listed, and copied aside.

    Exit codes: 0 all moved and verified, 1 moved but something is in quarantine, in conflict or
    differs, 2 refused.

    \b
    Example:
      lavendertown migrate --from .lavendertown --to sqlite:///reports.db --dry-run
      lavendertown migrate --from .lavendertown --to postgresql://ana@db/quality
    """
    request = Request(source, target, OnConflict(on_conflict), zone, actor=author, resume=resume)
    with _progress(hidden=as_json or not sys.stderr.isatty()) as tell:
        outcome = (plan if dry_run else move)(request, tell)
    if as_json:
        print_json(outcome.to_dict())
    else:
        _print(outcome)
    raise click.exceptions.Exit(0 if _is_good(outcome) else 1)


def _is_good(outcome: Outcome) -> bool:
    verified = outcome.verified or outcome.dry_run
    return verified and not outcome.conflict_count and not outcome.quarantined


@contextmanager
def _progress(hidden: bool) -> Iterator[Callable[[Progress], None]]:
    with click.progressbar(length=1, file=sys.stderr, hidden=hidden, show_eta=False) as bar:

        def tell(progress: Progress) -> None:
            bar.label = _line(progress)
            bar.length = progress.total or max(progress.done, 1)
            bar.update(progress.done - bar.pos)

        yield tell


def _line(progress: Progress) -> str:
    left = f", {_duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    return f"{_PHASES[progress.phase]} ({progress.rate:,.0f} a second{left})"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _print(outcome: Outcome) -> None:
    to_do = "to write" if outcome.dry_run else "written"
    rows = [
        (_NAMES.get(name, name), *(f"{number:,}" for number in astuple(outcome.counts[name])))
        for name in outcome.shown
    ]
    print_table(("", "read", to_do, "there already", "in conflict"), rows, "")
    for conflict in outcome.conflicts:
        click.echo(
            f"Conflict: {conflict.kind} {conflict.record_id} ({conflict.title}): source version "
            f"{conflict.source_version} by {conflict.source_by or 'somebody'}, target version "
            f"{conflict.target_version} by {conflict.target_by or 'somebody'}: {conflict.decision.value}."
        )
    for item in outcome.quarantined:
        click.echo(f"Cannot be moved: {item.item}: {item.reason}.")
    if outcome.quarantine_folder is not None:
        click.echo(f"Copies of what cannot be moved lie in {outcome.quarantine_folder}.")
    for difference in outcome.differences:
        click.echo(f"Differs: {difference}")
    click.echo(_conclusion(outcome))


def _conclusion(outcome: Outcome) -> str:
    if outcome.dry_run:
        return "Nothing was written: this was a dry run."
    if outcome.differences:
        return "The stores differ where they should not; nothing is lost in the source. Run it again."
    if outcome.changed_nothing:
        return f"Everything is there already; nothing was written to {outcome.target}."
    moved = sum(each.written for name, each in outcome.counts.items() if name != "findings")
    return (
        f"Moved {count(moved, 'record')} from {outcome.source} to {outcome.target} in "
        f"{_duration(outcome.seconds)}; everything was read back from both and is equal."
    )
