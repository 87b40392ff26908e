"""Hundreds of changes between two runs, with what they really were: what continues is kept or offered, and
nothing is joined that does not belong together."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from lavendertown import Inspector
from lavendertown.core.findings import GhostFinding
from lavendertown.core.fingerprints import check_key, compute_fingerprint
from lavendertown.inbox.identity_passes import Candidate, match_findings
from lavendertown.inbox.run_tables import RunTable, build_run_table

SCENARIOS = 140
CITIES = ["Bonn", "Ulm", "Graz", "Bern", "Genf", "Linz", "Köln", "Jena", "Kiel", "Wien", "Basel", "Essen"]
COUNTRIES = ["DE", "AT", "CH", "FR", "NL", "PL"]
# Each kind of column with names for one that is alike: what a new column may really be.
NAMES = {
    "city": ["billing_city", "shipping_city", "Ort", "town"],
    "country": ["Länder", "origin_country", "Land", "märket"],
    "amount": ["amount", "net_amount", "Betrag", "price", "fee_2023", "fee_2024"],
    "share": ["discount", "tax_share", "Anteil", "margin"],
    "email": ["email", "contact_email", "E-Mail", "address"],
    "flag": ["is_active", "is_member", "aktiv", "newsletter"],
    "code": ["product_code", "article", "SKU", "Artikel Nummer"],
    "rating": ["rating", "score", "Note", "stars"],
    "number": ["id", "row_number", "line", "seq"],
    "day": ["created", "updated_at", "Datum", "shipped"],
}


class NoSuchColumnError(Exception):
    """No column of the kind is left."""


@dataclass
class Col:
    """A column of the truth: what it means stays, whatever it is called."""

    meaning: int
    kind: str
    name: str
    seed: int
    checks: list[dict[str, Any]] = field(default_factory=list)

    def values(self, rows: int, batch: int) -> list[Any]:
        rng = np.random.default_rng((self.seed, batch))
        shape = np.random.default_rng(self.seed)
        scale, offset = shape.uniform(2, 90), shape.uniform(0, 500)
        made: Any
        if self.kind in ("city", "country"):
            words = CITIES if self.kind == "city" else COUNTRIES
            made = rng.choice(words, rows, p=shape.dirichlet(np.ones(len(words)) * 2))
        elif self.kind == "amount":
            made = (rng.lognormal(1, 0.6, rows) * scale + offset).round(2)
        elif self.kind == "share":
            made = rng.uniform(0, 1, rows).round(4)
        elif self.kind == "email":
            made = np.array([f"p{n}@example.org" for n in rng.integers(0, 10**9, rows)])
        elif self.kind == "flag":
            made = rng.uniform(0, 1, rows) < 0.5
        elif self.kind == "code":
            made = np.array([f"A-{n:04}" for n in rng.zipf(1.6, rows) % 900 + self.seed % 500])
        elif self.kind == "rating":
            made = rng.integers(1, 6, rows)
        elif self.kind == "number":
            made = np.arange(1, rows + 1)
        else:
            made = np.datetime64("2026-01-01", "us") + rng.integers(0, 10**7, rows).astype("timedelta64[s]")
        empty = rng.uniform(0, 1, rows) < shape.choice([0.0, 0.02, 0.1])
        return [None if is_empty else value for value, is_empty in zip(made.tolist(), empty, strict=True)]


@dataclass
class World:
    """Both states of a table and its checks, and which findings continue which: by meaning and check."""

    chance: random.Random
    columns: list[Col]
    rows: int = 400
    batch: int = 0
    made: int = 100
    used: set[str] = field(default_factory=set)

    def free_name(self, kind: str) -> str:
        names = [name for name in NAMES[kind] if name not in self.used] or [f"{kind} {len(self.used) + 900}"]
        name = self.chance.choice(names)
        self.used.add(name)
        return name

    def new_column(self, kind: str) -> Col:
        self.made += 1
        return Col(
            self.made, kind, self.free_name(kind), self.chance.randrange(10**6), checks_for(self, kind)
        )

    def pick(self, *kinds: str) -> Col:
        fitting = [each for each in self.columns if not kinds or each.kind in kinds]
        if not fitting:
            raise NoSuchColumnError
        return self.chance.choice(fitting)


def checks_for(world: World, kind: str) -> list[dict[str, Any]]:
    """Return the checks of a column that fail: named ones, one of a tool, one known by its words only."""
    checks: list[dict[str, Any]] = [{"key": "nulls", "type": "null", "check": "nulls", "params": {}}]
    if kind in ("amount", "share", "rating"):
        limit = world.chance.randint(1, 50)
        checks.append({"key": "range", "type": "rule", "check": "rule:range", "params": {"max": limit}})
    if kind in ("email", "code"):
        pattern = world.chance.choice(["^[a-z]+@", "A-[0-9]+", "[^ ]+"])
        checks.append({"key": "regex", "type": "rule", "check": "rule:pattern", "params": {"regex": pattern}})
    if kind in ("city", "country"):
        checks.append({"key": "words", "type": "category", "words": "{} has 7 unknown values in {rows} rows"})
    return checks


# The changes: each returns the name under which it is counted.


def respell_header(world: World) -> str:
    column = world.pick()
    spelled: list[Callable[[str], str]] = [
        str.upper,
        str.title,
        lambda name: f" {name} ",
        lambda name: name.replace("_", " ") if "_" in name else f"{name}_",
        lambda name: unicodedata.normalize("NFD", name),
    ]
    how = world.chance.choice(spelled)
    column.name = how(column.name)
    return "respelled header"


def rename_column(world: World) -> str:
    column = world.pick()
    column.name = world.chance.choice(
        [f"{column.name}_raw", f"crm_{column.name}", f"x{world.made}", world.free_name(column.kind)]
    )
    world.made += 1
    return "renamed column"


def rename_and_move(world: World) -> str:
    column = world.pick()
    column.name = f"{column.name}_v"
    world.columns.remove(column)
    world.columns.insert(world.chance.randrange(len(world.columns) + 1), column)
    return "renamed and moved column"


def insert_column(world: World) -> str:
    """Add a column in front: all columns without a name that follow get another number."""
    world.columns.insert(0, world.new_column(world.chance.choice(list(NAMES))))
    return "inserted column"


def change_limit(world: World) -> str:
    column = world.pick("amount", "share", "rating")
    for check in column.checks:
        if check["key"] == "range":
            check["params"] = {"max": check["params"]["max"] + world.chance.randint(1, 9)}
    return "changed limit"


def change_pattern(world: World) -> str:
    column = world.pick("email", "code")
    for check in column.checks:
        if check["key"] == "regex":
            check["params"] = {"regex": check["params"]["regex"] + "$"}
    return "changed pattern"


def change_tool(world: World) -> str:
    column = world.pick()
    column.checks[0] = column.checks[0] | {"check": "not_null_v2", "check_id": f"gx-{column.meaning}"}
    return "changed tool"


def reword(world: World) -> str:
    column = world.pick("city", "country")
    for check in column.checks:
        if check["key"] == "words":
            check["words"] = "{} has unknown values: 7 of {rows} rows are not in the list"
    return "reworded description"


def replace_column(world: World) -> str:
    """Drop a column and add an unrelated one: often of the same kind, often in the same place."""
    column = world.pick()
    at = world.columns.index(column)
    kind = column.kind if world.chance.random() < 0.6 else world.chance.choice(list(NAMES))
    new = world.new_column(kind)
    world.columns.remove(column)
    world.columns.insert(at if world.chance.random() < 0.6 else len(world.columns), new)
    return "unrelated column"


def replace_rule(world: World) -> str:
    """Drop a rule and add two unrelated ones of the same kind on its column."""
    column = world.pick("amount", "share", "rating")
    for check in [each for each in column.checks if each["key"] == "range"]:
        column.checks.remove(check)
        column.checks += [
            check | {"key": f"range {n}", "params": {"max": check["params"]["max"] + 40 + n}} for n in (1, 2)
        ]
    return "unrelated rules"


def swap_columns(world: World) -> str:
    one = world.pick()
    others = [each for each in world.columns if each.kind == one.kind and each is not one]
    if not others or not one.name:
        return rename_column(world)
    other = world.chance.choice(others)
    one.name, other.name = f"{other.name}_1", f"{one.name}_1"
    return "swapped and renamed columns"


def split_dataset(world: World) -> str:
    for column in world.columns[len(world.columns) // 2 :]:
        world.columns.remove(column)
    return "split dataset"


CHANGES = [
    *[respell_header] * 4, *[rename_column] * 4, *[rename_and_move] * 2, *[insert_column] * 2,
    *[change_limit] * 3, *[change_pattern] * 2, *[change_tool] * 2, *[reword] * 2,
    *[replace_column] * 5, *[replace_rule] * 2, *[swap_columns] * 2,
]  # fmt: skip


@dataclass
class State:
    """A run: its table, its findings by what they mean, and the keys of its completed checks."""

    table: RunTable
    findings: dict[tuple[int, str], GhostFinding]
    executed: frozenset[str]

    def ids(self) -> dict[tuple[int, str], str]:
        return {meaning: compute_fingerprint(each, "d") for meaning, each in self.findings.items()}


def run(world: World) -> State:
    """Read the table as a run does, and profile it with the real code."""
    names = [each.name for each in world.columns]
    data = {f"{n}": each.values(world.rows, world.batch) for n, each in enumerate(world.columns)}
    # Columns without a name are called by their number, as tables/frames.py does.
    names = [name or f"column {n + 1}" for n, name in enumerate(names)]
    inspector = Inspector(
        pl.DataFrame(data, strict=False).rename(dict(zip(data, names, strict=True))), detectors=[]
    )
    inspector.detect()
    evidence = inspector.evidence().to_dict()
    ran, findings = [], {}
    for column, name in zip(world.columns, inspector.table.columns, strict=True):
        for number, check in enumerate(column.checks):
            count = 3 + (column.seed + number) % 40
            metadata: dict[str, Any] = {"count": count, "dataset": "d"}
            if "check" in check:
                metadata |= {"check": check["check"], "params": check["params"]}
                ran.append({"check": check["check"], "params": check["params"], "column": name})
            if "check_id" in check:
                metadata["check_id"] = check["check_id"]
            words = check.get("words", f"{{}} fails {check['key']} in {count} rows")
            text = words.replace("{rows}", str(world.rows)).replace("{}", name)
            findings[column.meaning, check["key"]] = GhostFinding(
                check["type"], name, "warning", text, None, metadata
            )
    coverage = {"column_names": list(inspector.table.columns), "ran": ran}
    keys = frozenset(check_key(entry, "d", entry["column"]) for entry in ran)
    return State(build_run_table({"coverage": coverage}, evidence), findings, keys)


def candidates(state: State, without: State, executed: frozenset[str] = frozenset()) -> list[Candidate]:
    """Return the findings of a run that another run lacks, and whose checks did not run."""
    others = set(without.ids().values())
    return [
        Candidate(
            name, f.ghost_type, f.column, f.severity, f.description, f.metadata["count"],
            f.metadata.get("check", ""), f.metadata.get("params", {}), f.metadata.get("check_id", ""),
        )
        for name, f in zip(state.ids().values(), state.findings.values(), strict=True)
        if name not in others and check_key(f.metadata, "d", f.column) not in executed
    ]  # fmt: skip


@dataclass
class Outcome:
    made: Counter[str] = field(default_factory=Counter)
    due: int = 0
    joined: int = 0
    offered: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def judge(number: int, outcome: Outcome) -> None:
    chance = random.Random(number)
    world = World(chance, [])
    for kind in chance.sample(list(NAMES), 8) + chance.choices(list(NAMES), k=4):
        world.columns.append(world.new_column(kind))
    if chance.random() < 0.6:
        for column in chance.sample(world.columns, 2):
            column.name = ""
    before_columns = [replace(each, checks=[dict(check) for check in each.checks]) for each in world.columns]
    changes = [split_dataset] if number % 20 == 0 else chance.sample(CHANGES, 5)
    named = []
    for change in changes:
        try:
            named.append(change(world))
        except NoSuchColumnError:
            continue
    before = run(World(chance, before_columns))
    # Half of the runs read the same data again, the others a larger new batch.
    world.batch, world.rows = (0, 400) if number % 2 else (1, 430)
    after = run(world)
    outcome.made.update(named)
    vanished, appeared = candidates(before, after, after.executed), candidates(after, before)
    matches = match_findings(vanished, appeared, before.table, after.table)
    certain = {match.finding_id: match.vanished_id for match in matches if match.certain}
    # What is left is offered from what the inbox knows: without checks and parameters.
    left = [each for each in vanished if each.finding_id not in certain.values()]
    rest = [each for each in appeared if each.finding_id not in certain]
    plain = [[replace(each, check="", params={}, check_id="") for each in found] for found in (left, rest)]
    offered = {m.finding_id: m.vanished_id for m in match_findings(*plain, before.table, after.table)}
    old, new = before.ids(), after.ids()
    gone = {each.finding_id for each in vanished}
    truth = {new[m]: old[m] for m in old.keys() & new.keys() if old[m] in gone and old[m] != new[m]}
    truth = {
        name: vanished_id for name, vanished_id in truth.items() if name in {a.finding_id for a in appeared}
    }
    outcome.due += len(truth)
    words = {name: f"{number}: {named} {f.column!r} {f.metadata}" for state in (before, after)
             for name, f in zip(state.ids().values(), state.findings.values(), strict=True)}  # fmt: skip
    for name, vanished_id in truth.items():
        outcome.joined += certain.get(name) == vanished_id
        outcome.offered += name not in certain and offered.get(name) == vanished_id
        if vanished_id not in (certain.get(name), offered.get(name)):
            outcome.lost.append(f"{words[vanished_id]} -> {words[name]}")
    for name, vanished_id in certain.items():
        if truth.get(name) != vanished_id:
            outcome.wrong.append(f"{words[vanished_id]} -> {words[name]}")


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    outcome = Outcome()
    for number in range(SCENARIOS):
        judge(number, outcome)
    return outcome


def test_nothing_is_joined_that_does_not_belong_together(outcome: Outcome) -> None:
    assert sum(outcome.made.values()) >= 500
    assert outcome.wrong == []


def test_nearly_all_context_is_kept_or_offered(outcome: Outcome) -> None:
    kept = (outcome.joined + outcome.offered) / outcome.due
    assert outcome.due >= 500
    assert kept >= 0.95, outcome.lost
    # Much of it needs nobody.
    assert outcome.joined / outcome.due >= 0.4
