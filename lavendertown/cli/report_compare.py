"""``lavendertown report compare``: what changed since an earlier run of the dataset."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from lavendertown.cli import options
from lavendertown.cli.output import cell, print_json, print_table
from lavendertown.errors import NotFoundError

WORSE = ("new", "back", "worse")


@click.command("compare")
@click.argument("report_id", metavar="REPORT_ID")
@click.option("--with", "before_id", help="The report to compare with. Default: the run before it.")
@click.option("--gate", is_flag=True, help="Exit with 1 where a finding is new, back again or worse.")
@options.json_option
def compare(report_id: str, before_id: str | None, gate: bool, as_json: bool) -> None:
    """Compare a report with an earlier run of its dataset.

    Each finding is new, back (seen before, but not in the earlier run), worse, better, same, gone, or
    not_checked (absent, and the report does not say that its check ran).

    \b
    Example:
      lavendertown report compare r-2f6c --gate
    """
    with options.storage() as opened:
        compared = opened.compare_report(report_id, before_id)
    if compared is None:
        raise NotFoundError(f"There is no report {report_id!r}. Find its id with `lavendertown report list`.")
    if as_json:
        print_json(compared)
    else:
        _print(compared)
    if gate and any(row["change"] in WORSE for row in compared["findings"]):
        raise SystemExit(1)


def _print(compared: dict[str, Any]) -> None:
    before = compared["before"]
    if before is None:
        click.echo("This is the first run of the dataset; there is nothing to compare it with.")
        return
    counts = Counter(row["change"] for row in compared["findings"])
    told = ", ".join(f"{number} {change}" for change, number in counts.items()) or "nothing in either"
    click.echo(f"Compared with {before['id']} of {cell(before['created_at'])}: {told}")
    print_table(
        ("change", "severity", "rows before", "rows now", "finding id", "description"),
        (
            (
                row["change"],
                row["severity"],
                row["before_count"],
                None if row["change"] in ("gone", "not_checked") else row["row_count"],
                row["finding_id"],
                row["description"],
            )
            for row in compared["findings"]
            if row["change"] != "same"
        ),
        "Nothing changed.",
    )
