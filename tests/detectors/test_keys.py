"""Keys that repeat, and values that repeat rightly."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from lavendertown.detectors import Keys
from lavendertown.detectors.runner import run_detectors
from lavendertown.inspector import Inspector
from lavendertown.tables import from_frame

N = 300


def orders(**columns: list[Any]) -> dict[str, list[Any]]:
    random = np.random.default_rng(1)
    made: dict[str, list[Any]] = {
        "order_no": [f"A-{2000 + i}" for i in range(N)],
        "customer_id": [f"C{i}" for i in random.integers(1, 90, N)],
        "amount": random.lognormal(3, 1, N).round(2).tolist(),
    }
    return made | columns


def test_rows_that_share_a_key_are_found(detect) -> None:
    data = orders()
    data["order_no"][50] = data["order_no"][10]
    (finding,) = detect(data, Keys())
    assert (finding.ghost_type, finding.column, finding.severity) == ("duplicate", "order_no", "error")
    assert finding.row_indices == [10, 50]
    assert finding.description == (
        "order_no identifies 298 rows, but 2 of 300 rows (0.7%) share it with another row."
    )


def test_a_key_of_numbers_is_found(detect) -> None:
    data = orders(order_no=list(range(7000, 7000 + N)))
    data["order_no"][50] = data["order_no"][10]
    assert [f.row_indices for f in detect(data, Keys())] == [[10, 50]]


def test_exact_copies_are_left_to_the_check_for_duplicates(detect) -> None:
    data = {name: [*cells, cells[7]] for name, cells in orders().items()}
    assert detect(data, Keys()) == []


def test_a_key_that_does_not_repeat_is_covered() -> None:
    inspector = Inspector(pl.DataFrame(orders()), detectors=[Keys()])
    assert inspector.detect() == []
    assert [(c.column, c.outcome) for c in inspector.checks] == [("order_no", "passed")]


@pytest.mark.parametrize("kind", ["customers", "floats", "free text", "timestamps", "random numbers"])
def test_values_that_repeat_rightly_are_left_alone(detect, kind: str) -> None:
    random = np.random.default_rng(2)
    values: list[Any] = {
        "customers": [int(v) for v in random.integers(1, 6_000, N)],
        "floats": random.normal(100, 30, N).round(2).tolist(),
        "free text": [f"We met {a} and {b}." for a, b in random.integers(1, 80, (N, 2))],
        "timestamps": random.integers(0, 9_000, N).astype("datetime64[s]").tolist(),
        "random numbers": [f"{v:08}" for v in random.integers(0, 4_000, N)],
    }[kind]
    assert len(set(values)) < N
    assert detect(orders(other_no=values), Keys()) == []


def test_a_key_of_two_columns_is_found(detect) -> None:
    data: dict[str, list[Any]] = {
        "store": [f"S{i % 10}" for i in range(N)],
        "week": [202301 + i // 10 for i in range(N)],
        "sold": np.random.default_rng(1).integers(0, 50, N).tolist(),
    }
    data["week"][205] = data["week"][195]
    (finding,) = detect(data, Keys())
    assert (finding.column, finding.metadata["columns"]) == ("store, week", ["store", "week"])
    assert finding.row_indices == [195, 205]


def test_columns_that_repeat_as_chance_has_it_are_no_key(detect) -> None:
    random = np.random.default_rng(3)
    data = {name: random.integers(0, 60, N).tolist() for name in ("a", "b", "c")}
    assert detect(data, Keys()) == []


def test_a_column_that_is_hardly_unique_is_no_key(detect) -> None:
    data = orders()
    data["order_no"][20:40] = data["order_no"][:20]
    assert detect(data, Keys()) == []


def test_a_large_table_is_checked_in_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lavendertown.detectors.table_queries.SAMPLE_ROWS", 100)
    monkeypatch.setattr("lavendertown.detectors.runner.SMALL_TABLE_CELLS", 0)
    data = orders()
    data["order_no"][50] = data["order_no"][11]
    findings, _ = run_detectors(from_frame(pl.DataFrame(data)), [Keys()])
    assert [f.row_indices for f in findings] == [[11, 50]]


def test_numbers_that_start_again_for_each_group_are_no_key_in_few_rows(detect) -> None:
    """Birds of nests, two each; nests of other species have the same numbers."""
    birds = [f"N{nest}A{bird}" for nest in range(1, 18) for bird in (1, 2)] + ["N3A1"]
    assert detect({"Sample": [0.5] * 35, "Individual ID": birds, "x": list(range(35))}, Keys()) == []


@pytest.mark.parametrize("kind", ["time of day", "duration"])
def test_times_of_day_and_durations_are_no_keys(detect, kind: str) -> None:
    steps = [dt.timedelta(seconds=31 * number) for number in range(200)]
    day = dt.datetime(2024, 1, 1)
    values = [(day + step).time() for step in steps] if kind == "time of day" else steps
    assert detect({"at": values, "n": [number % 7 for number in range(200)]}, Keys()) == []
