"""Effect sizes: what chance explains is no drift, whatever the size of the tables."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lavendertown.drift import ProfileBaseline, compare_datasets
from lavendertown.drift.effect_size import (
    compute_distance,
    compute_psi,
    measure_shift,
    smallest_notable_count,
)
from lavendertown.profile.measure import measure_table
from lavendertown.tables import from_frame

TABLES = 60


def draw_table(seed: int) -> pl.DataFrame:
    """Draw a table of any size and shape: skewed, heavy-tailed, rounded, with ties, rare values and gaps."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(20, 3_000))
    levels = int(random.integers(2, 40))
    weights = random.dirichlet(np.full(levels, random.uniform(0.1, 2)))
    missing = random.random(rows) < random.uniform(0, 0.5)
    return pl.DataFrame(
        {
            "normal": random.normal(0, 1, rows),
            "skewed": random.lognormal(0, random.uniform(0.5, 3), rows),
            "heavy": random.standard_cauchy(rows),
            "rounded": random.normal(50, 8, rows).round(0),
            "zeros": np.where(random.random(rows) < 0.6, 0, random.exponential(5, rows)),
            "count": random.poisson(random.uniform(0.2, 9), rows),
            "level": random.choice([f"level {chr(65 + n)}" for n in range(levels)], rows, p=weights),
            "flag": random.random(rows) < random.uniform(0.02, 0.98),
            "gaps": pl.Series(np.where(missing, np.nan, random.normal(0, 1, rows)), nan_to_null=True),
        }
    )


@pytest.mark.parametrize("seed", range(TABLES))
def test_random_halves_of_a_table_give_nothing(seed: int) -> None:
    table = draw_table(seed)
    order = np.random.default_rng(seed + 1_000).permutation(table.height)
    one, other = table[order[: table.height // 2]], table[order[table.height // 2 :]]
    assert compare_datasets(one, other) == []
    evidence = measure_table(from_frame(one), [])
    assert compare_datasets(ProfileBaseline(evidence, "one"), other) == []


def test_psi_and_distance() -> None:
    same, moved = np.asarray([50, 50]), np.asarray([80, 20])
    assert compute_psi(same, same) == 0
    assert compute_psi(same, moved) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))
    assert compute_distance(same, same) == 0
    assert compute_distance(np.asarray([9, 0]), np.asarray([0, 9])) == 1


def test_a_large_shift_of_few_rows_may_be_chance() -> None:
    small = measure_shift(np.asarray([30, 30]), np.asarray([20, 40]))
    large = measure_shift(np.asarray([3000, 3000]), np.asarray([2000, 4000]))
    assert small is not None
    assert large is not None
    assert small.psi == pytest.approx(large.psi)
    assert not small.is_drift(0.1)
    assert large.is_drift(0.1)


def test_too_few_rows_have_no_shift() -> None:
    assert measure_shift(np.asarray([10, 10]), np.asarray([500, 0])) is None


def test_rows_in_a_row_that_resemble_each_other_tell_less() -> None:
    counts = np.asarray([300, 300]), np.asarray([200, 400])
    plain, repeated = measure_shift(*counts), measure_shift(*counts, repetition=20)
    assert plain is not None
    assert repeated is not None
    assert plain.is_drift(0.1)
    assert not repeated.is_drift(0.1)


def test_counts_of_a_huge_table_can_be_split() -> None:
    shift = measure_shift(np.asarray([10**9, 10**9]), np.asarray([10**9, 3 * 10**9]))
    assert shift is not None
    assert shift.is_drift(0.1)


def test_many_rare_values_are_on_one_side_by_chance() -> None:
    assert smallest_notable_count([1] * 50, [1] * 100, 0.5) is None
    assert smallest_notable_count([30, 1, 1], [30, 500, 400, 1, 1, 1, 1], 0.5) == 30
    assert smallest_notable_count([9, 9, 9], [500, 400, 9, 9, 9], 0.5) == 9
