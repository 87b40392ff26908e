"""``lavendertown notifications``: list the messages that were sent, send one again, test a channel."""

from __future__ import annotations

import click

from lavendertown.cli import options
from lavendertown.cli.output import print_json, print_table
from lavendertown.core.notification_channels import find_channel
from lavendertown.core.settings import load_settings


@click.group()
def notifications_group() -> None:
    """List the messages to people, send one again, or test a channel.

    The channels are tables [notifications.NAME] in the settings file; `lavendertown tick` sends the messages.

    \b
    Example:
      lavendertown notifications list
      lavendertown notifications test team
    """


@notifications_group.command("list")
@options.paging_options
@options.json_option
def list_notifications(limit: int, offset: int, as_json: bool) -> None:
    """List messages, newest first, with their delivery.

    \b
    Example:
      lavendertown notifications list --limit 20
    """
    with options.open_storage() as storage:
        rows = storage.notifications.query(limit, offset)
        total = storage.notifications.count()
    if as_json:
        print_json(rows)
        return
    columns = ("created_at", "state", "channel", "event", "recipient", "title", "problem", "id")
    print_table(
        ("created", "state", "channel", "event", "recipient", "title", "problem", "id"),
        (tuple(row[name] for name in columns) for row in rows),
        "No messages." if not total else f"Only {total:,} messages.",
    )


@notifications_group.command("send")
@click.argument("message_id", metavar="MESSAGE_ID")
@options.author_option
def send_notification(message_id: str, author: str | None) -> None:
    """Send a message again; the next tick delivers it.

    \b
    Example:
      lavendertown notifications send n-20261102T080000-2f6c8a1b9d03e457
    """
    with options.open_storage() as storage:
        storage.notifications.send_again(message_id, actor=author or "command line")
    click.echo("It is due now. To deliver it, run: lavendertown tick")


@notifications_group.command("test")
@click.argument("channel_name", metavar="CHANNEL")
@click.option("--to", "recipient", metavar="NAME", default="", help="The person who receives an e-mail.")
@options.author_option
@options.json_option
def test_channel(channel_name: str, recipient: str, author: str | None, as_json: bool) -> None:
    """Send a test message through a channel at once.

    Exits with 1 if it was not delivered.

    \b
    Example:
      lavendertown notifications test team
      lavendertown notifications test mail --to Ana
    """
    settings = load_settings()
    channel = find_channel(settings.notifications, channel_name)
    with options.open_storage() as storage:
        row = storage.notifications.send_test(
            channel, settings.dashboard_url, recipient=recipient, actor=author or "command line"
        )
    if as_json:
        print_json(row)
    elif row["problem"]:
        click.echo(f"Not delivered: {row['problem']}", err=True)
    else:
        click.echo("Delivered.")
    raise click.exceptions.Exit(1 if row["problem"] else 0)
