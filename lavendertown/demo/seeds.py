"""LavenderTown's own seeds: the demo reports and the starter rule sets."""

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
class ShippedSeed:
    """A seed that works on any storage.

    Attributes:
        apply_to: Writes the missing records; returns whether there were any.
        is_applied_to: Returns whether no record is missing.
    """

    name: str
    about: str
    apply_to: Callable[[Storage], bool]
    is_applied_to: Callable[[Storage], bool]


def to_database_seed(shipped: ShippedSeed) -> Seed:
    """Return a seed for a database, which runs in one transaction with its entry in the ledger."""
    from lavendertown.database.seeds import Seed
    from lavendertown.stores.sql.transaction_store import TransactionStore

    def run(db: object) -> None:
        # On the connection of the ledger entry, so that both are in one transaction.
        shipped.apply_to(Storage(TransactionStore(db.get_bind())))  # type: ignore[attr-defined]

    # Only the name: a new version of the package must not make it a changed seed.
    checksum = hashlib.sha256(shipped.name.encode()).hexdigest()
    return Seed(shipped.name, shipped.about, "", checksum, lambda: run)


def starter_rulesets() -> list[RuleSet]:
    """Return the starter rule sets; users replace the column names by their own."""
    return [
        RuleSet(
            "Starter: people",
            "A table of people or customers. Replace the column names by your own.",
            [
                _make_rule(
                    "Mail looks like one", "One @, followed by a dot", "regex", "email", pattern=_MAIL
                ),
                _make_rule("Age is possible", "From 0 to 120", "range", "age", min_value=0, max_value=120),
                _make_rule(
                    "Country is a code", "Two capital letters", "regex", "country", pattern=r"^[A-Z]{2}$"
                ),
            ],
        ),
        RuleSet(
            "Starter: orders",
            "A table of orders or payments. Replace the column names by your own.",
            [
                _make_rule("Amount is not negative", "0 or more", "range", "amount", min_value=0),
                _make_rule("Quantity is 1 or more", "1 or more", "range", "quantity", min_value=1),
                _make_rule(
                    "Currency is known",
                    "An accepted currency",
                    "enum",
                    "currency",
                    allowed_values=_CURRENCIES,
                ),
                _make_rule(
                    "Status is known", "A status of the shop", "enum", "status", allowed_values=_STATUSES
                ),
                _make_sum_rule("Parts make the total", ["net", "tax"], "total"),
            ],
        ),
        RuleSet(
            "Starter: measurements",
            "Readings of instruments. Replace the column names and bounds by your own.",
            [
                _make_rule(
                    "Temperature is possible", "In °C", "range", "temperature", min_value=-90, max_value=60
                ),
                _make_rule("Share is one", "From 0 to 1", "range", "share", min_value=0, max_value=1),
                _make_rule("Unit is known", "An agreed unit", "enum", "unit", allowed_values=["C", "K", "%"]),
            ],
        ),
        RuleSet(
            "Starter: events",
            "A log of events. Replace the column names by your own.",
            [
                _make_rule(
                    "Day is ISO 8601",
                    "A date such as 2026-11-21",
                    "regex",
                    "day",
                    pattern=r"^\d{4}-\d{2}-\d{2}$",
                ),
                _make_rule("Id is a UUID", "36 characters", "regex", "event_id", pattern=_UUID),
                _make_rule(
                    "Level is known", "One of the four levels", "enum", "level", allowed_values=_LEVELS
                ),
            ],
        ),
    ]


_MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_CURRENCIES = ["EUR", "USD", "GBP"]
_STATUSES = ["new", "paid", "shipped", "returned", "cancelled"]
_LEVELS = ["debug", "info", "warning", "error"]


def _make_rule(name: str, description: str, kind: str, column: str, **parameters: object) -> Rule:
    return Rule(name, description, kind, column, dict(parameters))


def _make_sum_rule(name: str, parts: list[str], total: str) -> Rule:
    parameters = {"source_columns": parts, "operation": "sum_equals", "target_column": total}
    return Rule(name, f"{' + '.join(parts)} is {total}", "cross_column", None, parameters)


def _missing_rulesets(storage: Storage) -> list[RuleSet]:
    stored = {row["name"] for row in storage.query_rulesets(limit=None, include_deleted=True)}
    return [each for each in starter_rulesets() if each.name not in stored]


def _fill_rulesets(storage: Storage) -> bool:
    missing = _missing_rulesets(storage)
    for ruleset in missing:
        storage.save_ruleset(ruleset, actor="seed:starter_rulesets")
    return bool(missing)


def _fill_demo(storage: Storage) -> bool:
    # Imported here, because it imports pandas.
    from lavendertown.demo.demo_data import write_demo_data

    return write_demo_data(storage, mix=True) is not None


def _has_demo(storage: Storage) -> bool:
    from lavendertown.demo.demo_data import has_demo_data

    return has_demo_data(storage)


SHIPPED_SEEDS = (
    ShippedSeed("demo", "The demo reports, with a team's comments", _fill_demo, _has_demo),
    ShippedSeed(
        "starter_rulesets",
        "Four starter rule sets",
        _fill_rulesets,
        lambda storage: not _missing_rulesets(storage),
    ),
)
"""They run only if named with ``--only``."""
