"""``lavendertown demo``: fill the store with real demo data."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from lavendertown.cli.options import json_option, storage
from lavendertown.cli.output import count, print_json


@click.command()
@click.option("--yes", is_flag=True, help="Write also where other reports are.")
@click.option(
    "--reports",
    type=click.IntRange(1, 156),
    default=30,
    show_default=True,
    help="How many reports, dealt out to three datasets, one a week each.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another number, other slices.")
@json_option
def demo(yes: bool, reports: int, seed: int, as_json: bool) -> None:
    """Fill the store with real demo data and a team's discussion of it.

    Films, the Titanic's passengers and field records of penguins, in weekly deliveries up to today,
    checked and discussed. Running it again adds nothing.

    \b
    Example:
      LAVENDERTOWN_DATA_DIR=/tmp/try lavendertown demo
      LAVENDERTOWN_DATA_DIR=/tmp/try lavendertown ui
    """
    from lavendertown.demo import fill  # brings pandas, which no other start needs

    with storage() as opened:
        where = opened.describe()
        with click.progressbar(
            length=reports,
            label="Checking deliveries",
            item_show_func=lambda title: title,
            file=sys.stderr,
            hidden=as_json or not sys.stderr.isatty(),
        ) as bar:
            filled = fill(
                opened,
                reports=reports,
                seed=seed,
                mix=yes,
                progress=lambda _done, _total, title: bar.update(1, title),
            )
    if as_json:
        print_json({"added": filled is not None, "store": where, **(asdict(filled) if filled else {})})
        return
    if filled is None:
        click.echo(f"The store ({where}) has the demo data already; nothing was added.")
    else:
        click.echo(
            f"Wrote {count(filled.reports, 'report')} on {', '.join(filled.datasets)} with "
            f"{count(filled.findings, 'finding')} and {count(filled.annotations, 'comment')} by "
            f"{count(len(filled.people), 'person', 'people')}, "
            f"{filled.first:%Y-%m-%d} to {filled.last:%Y-%m-%d}. The store: {where}."
        )
    click.echo("Look at it with: lavendertown ui")
