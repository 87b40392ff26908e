"""``lavendertown owners``: who owns new findings."""

from __future__ import annotations

import click

from lavendertown.cli import options
from lavendertown.cli.output import print_json, print_table
from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.owner_rules import create_owner_rule


@click.group()
def owners_group() -> None:
    """List and change the owner rules, which assign new findings to people.

    The first rule that matches counts; the rules of the settings come first.

    \b
    Example:
      lavendertown owners add Ana --dataset "orders*" --column email --author Ben
    """


@owners_group.command("list")
@options.json_option
def list_owners(as_json: bool) -> None:
    """List the owner rules in the order in which they apply.

    \b
    Example:
      lavendertown owners list
    """
    with options.open_storage() as storage:
        _print_rules(storage, as_json)


@owners_group.command("add")
@click.argument("person")
@click.option("--dataset", default="", metavar="PATTERN", help="Only findings of matching datasets.")
@click.option("--column", default="", metavar="PATTERN", help="Only findings on matching columns.")
@click.option("--first", is_flag=True, help="Put it before the other rules; by default, it is the last one.")
@options.author_option
@options.json_option
def add_owner(person: str, dataset: str, column: str, first: bool, author: str | None, as_json: bool) -> None:
    """Add a rule by which PERSON owns new findings. * in a PATTERN is any text; case does not matter.

    \b
    Example:
      lavendertown owners add Ana --dataset "orders*" --column email --author Ben
    """
    actor = options.require_author(author)
    rule = create_owner_rule(dataset, column, person)
    with options.open_storage() as storage:
        version, rules = storage.owner_rules.read_version(), storage.owner_rules.list_stored()
        changed = [rule, *rules] if first else [*rules, rule]
        storage.owner_rules.save(changed, actor=actor, version=version)
        _print_rules(storage, as_json)


@owners_group.command("remove")
@click.argument("number", type=click.IntRange(min=1))
@options.author_option
@options.json_option
def remove_owner(number: int, author: str | None, as_json: bool) -> None:
    """Remove the rule that `lavendertown owners list` shows with NUMBER.

    \b
    Example:
      lavendertown owners remove 2 --author Ben
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        configured = storage.owner_rules.list_configured()
        version, rules = storage.owner_rules.read_version(), storage.owner_rules.list_stored()
        if number <= len(configured):
            raise InvalidInputError(
                f"The owner rule {number} ({configured[number - 1]}) is in the settings; change "
                "triage.owners there."
            )
        if number > len(configured) + len(rules):
            raise InvalidInputError(
                f"There is no owner rule {number:,}; `lavendertown owners list` shows the numbers."
            )
        del rules[number - len(configured) - 1]
        storage.owner_rules.save(rules, actor=actor, version=version)
        _print_rules(storage, as_json)


def _print_rules(storage: Storage, as_json: bool) -> None:
    rules = [(rule, "settings") for rule in storage.owner_rules.list_configured()]
    rules += [(rule, "team") for rule in storage.owner_rules.list_stored()]
    if as_json:
        print_json(
            [
                {"dataset": rule.dataset, "column": rule.column, "owner": rule.owner, "source": source}
                for rule, source in rules
            ]
        )
        return
    print_table(
        ("number", "dataset", "column", "owner", "source"),
        (
            (number, rule.dataset or "any", rule.column or "any", rule.owner, source)
            for number, (rule, source) in enumerate(rules, 1)
        ),
        "No owner rules.",
    )
