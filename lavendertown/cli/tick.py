"""``lavendertown tick``: check the sources that are due, and notify people."""

from __future__ import annotations

import click

from lavendertown.cli import options
from lavendertown.cli.output import format_count, print_json
from lavendertown.core.settings import load_settings
from lavendertown.tick import run_tick


@click.command("tick")
@options.json_option
def tick_command(as_json: bool) -> None:
    """Check the configured sources that are due, and send the notifications that are due.

    Run it every few minutes, for example by cron. It can be ended at any time: the next run continues. Two
    runs at the same time do not send a message twice. Snoozes and acceptances end without it.

    A source that cannot be checked is tried again after 1, 5 and 30 minutes, 2 and 8 hours, and then once a
    day. Messages are removed 90 days after their last attempt, or as notifications.keep_days says.

    Exit codes: 0 success, 1 if a source could not be checked or a message not be delivered; both are tried
    again by later runs.

    \b
    Example:
      */5 * * * * cd /srv/quality && lavendertown tick
    """
    settings = load_settings()
    with options.open_storage() as storage:
        result = run_tick(storage, settings)
    if as_json:
        print_json(result.to_dict())
    elif result.is_running_elsewhere:
        click.echo("Another tick is running; nothing to do.")
    else:
        click.echo(
            f"Checked {format_count(len(result.checked), 'source')}; {result.new:,} new and "
            f"{result.delivered:,} delivered {'message' if result.delivered == 1 else 'messages'}."
        )
        for postponed in result.postponed:
            click.echo(postponed)
        if result.removed:
            click.echo(f"Removed {format_count(result.removed, 'old message')}.")
    for problem in result.problems:
        click.echo(problem, err=True)
    if result.failed:
        click.echo(
            f"{format_count(result.failed, 'message')} could not be delivered. For the reasons, run: "
            "lavendertown notifications list",
            err=True,
        )
    raise click.exceptions.Exit(1 if result.has_failed else 0)
