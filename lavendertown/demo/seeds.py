"""The seeds LavenderTown ships: the demo reports, and rule sets to start from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lavendertown.collaboration.storage import Storage
from lavendertown.rules.models import Rule, RuleSet

if TYPE_CHECKING:
    from lavendertown.database.seeds import Seed


@dataclass(frozen=True)
class Shipped:
    """A seed for every storage.

    Attributes:
        fill: Writes what is missing; says whether anything was.
        is_there: Whether nothing is missing, as far as the storage shows by itself.
    """

    name: str
    about: str
    fill: Callable[[Storage], bool]
    is_there: Callable[[Storage], bool]


def on_database(shipped: Shipped) -> Seed:
    """Return a shipped seed as one that runs in a database, in one transaction with the ledger."""
    from lavendertown.database.bound import BoundStore
    from lavendertown.database.seeds import Seed

    def run(db: object) -> None:
        # The connection itself, which the ledger's line was written through.
        shipped.fill(Storage(BoundStore(db.get_bind())))  # type: ignore[attr-defined]

    # Its text is the package's; a new version of it is no other seed.
    checksum = hashlib.sha256(shipped.name.encode()).hexdigest()
    return Seed(shipped.name, shipped.about, "", checksum, lambda: run)


def starter_rulesets() -> list[RuleSet]:
    """Return the rule sets to start from; their column names are to be replaced by one's own."""
    return [
        RuleSet(
            "Starter: people",
            "A table of people or customers. Put your column names in.",
            [
                _rule("Mail looks like one", "One @, and a dot behind it", "regex", "email", pattern=_MAIL),
                _rule("Age is possible", "From 0 to 120", "range", "age", min_value=0, max_value=120),
                _rule("Country is a code", "Two capitals", "regex", "country", pattern=r"^[A-Z]{2}$"),
            ],
        ),
        RuleSet(
            "Starter: orders",
            "A table of orders or payments. Put your column names in.",
            [
                _rule("Amount is not negative", "0 or more", "range", "amount", min_value=0),
                _rule("Quantity is 1 or more", "Nobody orders nothing", "range", "quantity", min_value=1),
                _rule("Currency is known", "One we take", "enum", "currency", allowed_values=_CURRENCIES),
                _rule("Status is known", "One of the shop's", "enum", "status", allowed_values=_STATUSES),
                _sum("Parts make the total", ["net", "tax"], "total"),
            ],
        ),
        RuleSet(
            "Starter: measurements",
            "Readings of instruments. Put your column names and bounds in.",
            [
                _rule(
                    "Temperature is possible", "In °C", "range", "temperature", min_value=-90, max_value=60
                ),
                _rule("Share is one", "From 0 to 1", "range", "share", min_value=0, max_value=1),
                _rule("Unit is known", "One that is agreed", "enum", "unit", allowed_values=["C", "K", "%"]),
            ],
        ),
        RuleSet(
            "Starter: events",
            "A log of events. Put your column names in.",
            [
                _rule("Day is ISO 8601", "As 2026-11-21", "regex", "day", pattern=r"^\d{4}-\d{2}-\d{2}$"),
                _rule("Id is a UUID", "36 characters", "regex", "event_id", pattern=_UUID),
                _rule("Level is known", "One of four", "enum", "level", allowed_values=_LEVELS),
            ],
        ),
    ]


_MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_CURRENCIES = ["EUR", "USD", "GBP"]
_STATUSES = ["new", "paid", "shipped", "returned", "cancelled"]
_LEVELS = ["debug", "info", "warning", "error"]


def _rule(name: str, description: str, kind: str, column: str, **parameters: object) -> Rule:
    return Rule(name, description, kind, column, dict(parameters))


def _sum(name: str, parts: list[str], total: str) -> Rule:
    parameters = {"source_columns": parts, "operation": "sum_equals", "target_column": total}
    return Rule(name, f"{' + '.join(parts)} is {total}", "cross_column", None, parameters)


def _missing(storage: Storage) -> list[RuleSet]:
    stored = {row["name"] for row in storage.query_rulesets(limit=None, include_deleted=True)}
    return [each for each in starter_rulesets() if each.name not in stored]


def _fill_rulesets(storage: Storage) -> bool:
    missing = _missing(storage)
    for ruleset in missing:
        storage.save_ruleset(ruleset, actor="seed:starter_rulesets")
    return bool(missing)


def _fill_demo(storage: Storage) -> bool:
    from lavendertown.demo.fill import fill  # brings pandas

    return fill(storage, mix=True) is not None


def _demo_is_there(storage: Storage) -> bool:
    from lavendertown.demo.fill import is_filled

    return is_filled(storage)


SHIPPED = (
    Shipped("demo", "The demo reports, with a team's discussion of them", _fill_demo, _demo_is_there),
    Shipped(
        "starter_rulesets",
        "Four rule sets to start from",
        _fill_rulesets,
        lambda storage: not _missing(storage),
    ),
)
"""They run only where they are named."""
