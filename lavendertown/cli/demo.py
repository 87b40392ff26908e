"""``lavendertown demo``: write demo data into the store."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from lavendertown.cli.options import json_option, open_storage
from lavendertown.cli.output import format_count, print_json


@click.command()
@click.option("--yes", is_flag=True, help="Write the demo data even if the store has other reports.")
@click.option(
    "--reports",
    type=click.IntRange(1, 156),
    default=30,
    show_default=True,
    help="The number of weekly reports, spread over three datasets.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The seed of the random selection of rows."
)
@json_option
def demo_command(yes: bool, reports: int, seed: int, as_json: bool) -> None:
    """Write demo reports on real data, with comments by a team, into the store.

    The data are films, passengers of the Titanic and field records of penguins, in weekly deliveries up
    to today. A second run adds nothing.

    \b
    Example:
      LAVENDERTOWN_DATA_DIR=/tmp/try lavendertown demo
      LAVENDERTOWN_DATA_DIR=/tmp/try lavendertown ui
    """
    # Imported here, because it imports pandas, which other commands do not need.
    from lavendertown.demo import write_demo_data

    with open_storage() as storage:
        store_name = storage.describe()
        with click.progressbar(
            length=reports,
            label="Checking deliveries",
            item_show_func=lambda title: title,
            file=sys.stderr,
            hidden=as_json or not sys.stderr.isatty(),
        ) as bar:
            filled = write_demo_data(
                storage,
                reports=reports,
                seed=seed,
                mix=yes,
                progress=lambda _done, _total, title: bar.update(1, title),
            )
    if as_json:
        print_json({"added": filled is not None, "store": store_name, **(asdict(filled) if filled else {})})
        return
    if filled is None:
        click.echo(f"The store ({store_name}) already has the demo data; nothing was added.")
    else:
        click.echo(
            f"Wrote {format_count(filled.reports, 'report')} on {', '.join(filled.datasets)} with "
            f"{format_count(filled.findings, 'finding')} and "
            f"{format_count(filled.annotations, 'comment')} by "
            f"{format_count(len(filled.people), 'person', 'people')}, "
            f"{filled.first:%Y-%m-%d} to {filled.last:%Y-%m-%d}. Store: {store_name}."
        )
    click.echo("To open the dashboard, run: lavendertown ui")
