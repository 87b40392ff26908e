"""Checks run day after day, worded as real tools word them: who a finding is outlasts what a day gives."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown import Inspector
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.models import GhostFinding

DAYS = 12
FIRST = dt.datetime(2026, 11, 24, 9, 58, 59, tzinfo=dt.UTC)
WORDS = ["n/a", "foo", "x9@y.org", "Berlin", "?", "tba", "12", "ann@example.org"]


class Day:
    """What one day gives to the texts of its findings: one draw for all of them, the same for a seed."""

    def __init__(self, number: int, found: int | None = None) -> None:
        self.random = random.Random(number)
        self.at = FIRST + dt.timedelta(days=number % 900, seconds=self.random.random() * 30_000)
        self.found = found or self.random.choice([1, 1, 2, 3, 12, 999, 1_000, 41_234])
        self.total = self.found * self.random.randint(2, 90) + 1
        self.percent = f"{100 * self.found / self.total:.{self.random.randint(0, 3)}f}"
        self.rows = sorted(self.random.sample(range(self.total), min(self.found, 9)))
        self.samples = self.random.choices(WORDS, k=self.random.randint(1, 4))
        self.uuid = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.digest = f"{self.random.getrandbits(128):032x}"
        self.value = round(self.random.uniform(-5_000, 5_000), self.random.randint(0, 9))

    def count(self, one: str, many: str | None = None) -> str:
        """Word a count: ``1 row``, ``41,234 rows``."""
        return f"1 {one}" if self.found == 1 else f"{self.found:,} {many or one + 's'}"

    def by_number(self, one: str, many: str) -> str:
        return one if self.found == 1 else many


@dataclass(frozen=True)
class Check:
    """A check of a suite, and the finding that it makes on a day."""

    name: str
    make: Callable[[Day], GhostFinding]

    def __str__(self) -> str:
        return self.name


def made(ghost_type: str, column: str, description: str, day: Day, **metadata: Any) -> GhostFinding:
    about = {
        "dataset": "orders",
        "count": day.found,
        "share": day.found / day.total,
        "run_id": day.uuid,
        **metadata,
    }
    return GhostFinding(
        ghost_type, column, day.random.choice(["info", "warning", "error"]), description, day.rows, about
    )


def native(check: str, column: str, **params: Any) -> Check:
    def make(day: Day) -> GhostFinding:
        text = f"{column} is empty in {day.found:,} of {day.total:,} rows ({day.percent} %)."
        bounds = {"lowest": day.value, "null_count": day.found, "samples": day.samples}
        return made(check, column, text, day, check=check, params=params, **bounds)

    return Check(f"native:{check}:{column}:{params}", make)


def great_expectations(number: int, expectation: str, column: str, **kwargs: Any) -> Check:
    own = str(uuid.UUID(int=number, version=4))

    def make(day: Day) -> GhostFinding:
        text = f"{expectation}: {day.found} unexpected ({day.percent}%), e.g. {day.samples}"
        found = {"partial_unexpected_index_list": day.rows, "batch_id": f"batch-{day.digest}"}
        return made("rule", column, text, day, check=expectation, params=kwargs, check_id=own, **found)

    return Check(f"gx:{expectation}:{column}", make)


def dbt(unique_id: str, column: str) -> Check:
    def make(day: Day) -> GhostFinding:
        text = f"Got {day.count('result')}, configured to fail if != 0"
        return made("rule", column, text, day, check_id=unique_id, invocation_id=day.uuid, failures=day.found)

    return Check(unique_id, make)


def pandera(check: str, column: str) -> Check:
    def make(day: Day) -> GhostFinding:
        cases = ", ".join(str(day.value + row) for row in day.rows)
        text = f"Column '{column}' failed element-wise validator number 0: {check} failure cases: {cases}"
        return made("rule", column, text, day, check=check, params={})

    return Check(f"pandera:{check}:{column}", make)


def bare(column: str, word: Callable[[Day], str], ghost_type: str = "rule") -> Check:
    """A finding that names no check: only its words tell it from the others of its column."""
    words = word(Day(1, found=7))
    return Check(f"bare:{column}:{words[:50]}", lambda day: made(ghost_type, column, word(day), day))


NAMED = [
    *(native("nulls", column) for column in ("email", "phone", "city")),
    native("nulls", "age", limit=0.1),
    native("nulls", "age", limit=0.2),
    native("near_empty", "email"),
    native("outliers", "amount", k=3.0),
    great_expectations(1, "expect_column_values_to_not_be_null", "email"),
    great_expectations(2, "expect_column_values_to_be_between", "age", min_value=0, max_value=120),
    great_expectations(3, "expect_column_values_to_be_between", "age", min_value=18, max_value=None),
    dbt("test.shop.not_null_orders_email.5f1e2a9c3b", "email"),
    dbt("test.shop.unique_orders_id.0a1b2c3d4e", "id"),
    dbt("test.shop.accepted_values_orders_age__29__34.ad056b2b2d", "age"),
    dbt("test.shop.accepted_values_orders_age__29__38.0d056b2b2e", "age"),
    pandera("in_range(0, 120)", "age"),
    pandera("in_range(0, 99)", "age"),
    pandera("not_nullable", "email"),
]
UNNAMED = [
    bare("email", lambda d: f"{d.count('value is', 'values are')} empty"),
    bare("email", lambda d: f"{d.count('value is', 'values are')} no address"),
    bare("email", lambda d: f"email is empty in {d.count('row')} ({d.percent} %)"),
    bare("id", lambda d: f"Got {d.count('result')}, configured to fail if != 0"),
    bare("id", lambda d: f"Found {d.count('duplicate row')} out of {d.total:,}"),
    bare("id", lambda d: f"There {d.by_number('is', 'are')} {d.count('duplicate')} at rows {d.rows}"),
    bare("id", lambda d: f"Duplicated in row indices: {d.rows[:5]}{'' if d.found < 6 else ' and 4 more'}"),
    bare("kind", lambda d: f"{d.found:,} of {d.total:,} rows {d.by_number('holds', 'hold')} something else."),
    bare("note", lambda d: f"[{d.at.isoformat()}] note failed in run {d.uuid}"),
    bare("note", lambda d: f"note failed (run_id={d.digest}) at {d.at:%H:%M:%S}"),
    bare("customer", lambda d: f"{d.count('customer has', 'customers have')} no address"),
    bare(
        "age",
        lambda d: (
            f"Expected values from 0 to 120, but {d.count('value')} ({d.percent}%) "
            f"{d.by_number('is', 'are')} not"
        ),
    ),
    bare("age", lambda d: f"Column 'age' missing values: Actual value {d.value:.3f}, but expected 0.000"),
]
SUITE = [*NAMED, *UNNAMED]


# The property


@pytest.mark.parametrize("check", SUITE, ids=str)
def test_a_finding_keeps_its_identity_from_day_to_day(check: Check) -> None:
    ids = {compute_fingerprint(check.make(Day(number))): number for number in range(200)}
    assert len(ids) == 1, [check.make(Day(number)).description for number in ids.values()]


@given(day=st.builds(Day, st.integers(0, 2**40), st.integers(1, 10**7)))
def test_whatever_a_day_gives_no_finding_of_the_suite_changes_its_identity(day: Day) -> None:
    other = Day(0, found=7)
    changed = [
        c.name for c in SUITE if compute_fingerprint(c.make(day)) != compute_fingerprint(c.make(other))
    ]
    assert changed == []


@pytest.mark.parametrize("number", range(5))
def test_no_two_checks_of_a_suite_share_an_identity(number: int) -> None:
    shared = Counter(compute_fingerprint(check.make(Day(number))) for check in SUITE)
    assert max(shared.values()) == 1


@pytest.mark.parametrize("check", SUITE, ids=str)
@pytest.mark.parametrize("field", ["ghost_type", "column", "dataset"])
def test_another_type_column_or_dataset_is_another_finding(check: Check, field: str) -> None:
    today, tomorrow = check.make(Day(1)), check.make(Day(2))
    if field == "dataset":
        other = replace(tomorrow, metadata={**tomorrow.metadata, "dataset": "returns"})
    else:
        other = replace(tomorrow, **{field: "another"})
    assert compute_fingerprint(other) != compute_fingerprint(today)


@pytest.mark.parametrize("check", [c for c in NAMED if c.name.startswith("native")], ids=str)
@pytest.mark.parametrize("changed", [{"check": "other"}, {"params": {"limit": 0.3}}], ids=["check", "params"])
def test_a_changed_check_or_parameter_is_another_finding(check: Check, changed: dict[str, Any]) -> None:
    today, tomorrow = check.make(Day(1)), check.make(Day(2))
    other = replace(tomorrow, metadata={**tomorrow.metadata, **changed})
    assert compute_fingerprint(other) != compute_fingerprint(today)


def test_our_own_checks_on_growing_data_keep_their_identities() -> None:
    ids, seen = defaultdict(set), Counter[tuple[str, ...]]()
    for number in range(DAYS):
        for finding in Inspector(_delivery(number)).detect():
            key = (finding.ghost_type, finding.column, finding.metadata["check"])
            ids[key].add(compute_fingerprint(finding, "orders"))
            seen[key] += 1
    assert len([key for key, times in seen.items() if times == DAYS]) >= 5
    assert {key: names for key, names in ids.items() if len(names) > 1} == {}


def _delivery(number: int) -> pd.DataFrame:
    """Make a day's table: the same faults in other rows, other numbers of them, another number of rows."""
    chance = random.Random(number)
    rows = chance.randint(400, 900)
    frame = pd.DataFrame(
        {
            "id": range(number * 1_000, number * 1_000 + rows),
            "email": [f"p{chance.randint(1, 10**6)}@example.org" for _ in range(rows)],
            "city": [chance.choice(["Bonn", "Berlin", "Ulm"]) for _ in range(rows)],
            "amount": [round(chance.gauss(100, 5), 2) for _ in range(rows)],
            "country": ["DE"] * rows,
            "age": [str(chance.randint(18, 90)) for _ in range(rows)],
        }
    )
    for column, value in (("email", None), ("city", "n/a"), ("amount", 99_999.0), ("age", "unknown")):
        frame.loc[chance.sample(range(rows), chance.randint(2, 4)), column] = value
    frame.loc[rows - chance.randint(1, 3) :, :] = frame.iloc[0].tolist()
    return frame


def test_twelve_days_in_a_store_are_one_row_a_finding(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    expected: Counter[str] = Counter()
    for number in range(DAYS):
        day = Day(number)
        failing = [check for check in SUITE if day.random.random() < 0.8]
        findings = [check.make(day) for check in failing]
        day.random.shuffle(findings)
        report = ShareableReport(day.uuid, f"Day {number}", "ann", day.at, findings)
        report.metadata["dataset"] = "orders"
        storage.save_report(report)
        expected.update(compute_fingerprint(check.make(Day(0))) for check in failing)
    seen = {row["finding_id"]: row["times_seen"] for row in storage.inbox.query(limit=None)}
    assert seen == dict(expected)
    assert len(seen) == len(SUITE)
