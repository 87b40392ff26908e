"""Outliers: found where they were planted, silent elsewhere. Seeds are fixed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lavendertown.core.reading import Reading
from lavendertown.detectors import Outliers
from lavendertown.inspector import Inspector
from lavendertown.tables.inference.column_names import is_calendar, is_identifier, is_label

Numbers = np.ndarray
Draw = Callable[[np.random.Generator, int], Numbers]

PLANTED: dict[str, tuple[Draw, Draw]] = {
    "normal": (
        lambda r, n: r.normal(100, 15, n),
        lambda r, n: 100 + r.choice([-1, 1], n) * r.uniform(120, 450, n),
    ),
    "lognormal price": (lambda r, n: r.lognormal(3, 1, n), lambda r, n: r.lognormal(3, 0.3, n) * 1000),
    "price in cents": (lambda r, n: r.lognormal(3, 0.6, n), lambda r, n: r.lognormal(3, 0.6, n) * 100),
    "waiting times": (lambda r, n: r.exponential(10, n), lambda r, n: r.uniform(500, 5000, n)),
    "counts": (
        lambda r, n: r.poisson(20, n).astype(float),
        lambda r, n: r.integers(200, 900, n).astype(float),
    ),
    "even": (lambda r, n: r.uniform(0, 100, n), lambda r, n: r.uniform(900, 2000, n)),
    "mostly zero": (
        lambda r, n: np.where(r.random(n) < 0.8, 0.0, r.lognormal(2, 0.5, n)),
        lambda r, n: r.uniform(1e4, 1e5, n),
    ),
    "left-skewed": (lambda r, n: 100 * r.beta(9, 2, n), lambda r, n: r.uniform(300, 900, n)),
    "long tails": (
        lambda r, n: r.laplace(0, 5, n),
        lambda r, n: r.choice([-1, 1], n) * r.uniform(150, 500, n),
    ),
}


def found(values: object, name: str = "amount", **options: float) -> set[int]:
    findings = Inspector(pd.DataFrame({name: values}), detectors=[Outliers(**options)]).detect()
    return {row for finding in findings for row in finding.row_indices or []}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("n", [300, 5_000])
def test_planted_outliers_are_found_and_little_else(kind: str, n: int) -> None:
    hits = wrong = planted = 0
    for seed in range(100, 110):
        random = np.random.default_rng(seed)
        usual, unusual = PLANTED[kind]
        values, at = usual(random, n), random.choice(n, n // 150, replace=False)
        values[at] = unusual(random, len(at))
        got = found(values)
        hits, wrong, planted = hits + len(got & set(at)), wrong + len(got - set(at)), planted + len(at)
    assert hits / planted >= 0.9
    assert hits / (hits + wrong) >= (0.95 if kind != "long tails" or n > 300 else 0.8)


@pytest.mark.parametrize(
    "name",
    [
        "user_id",
        "identifier",
        "Telefon",
        "userId",
        "zip",
        "OrderNo",
        "phone_number",
        "uid2",
        "product code",
        "lat",
    ],
)
def test_identifiers_are_left_out(name: str) -> None:
    assert is_label(name)
    assert found(np.random.default_rng(1).zipf(1.3, 5_000) % 10**9, name) == set()


def test_a_row_number_is_left_out_whatever_it_is_called() -> None:
    values = np.arange(1_000)
    values[-1] = 10**9
    assert found(values, "seq") == set()


def test_years_are_left_out_whatever_they_are_called() -> None:
    years = np.random.default_rng(1).integers(2015, 2025, 500)
    years[3] = 1900
    assert found(years, "released") == set()


def test_how_most_of_a_column_is_spread_is_no_outlier() -> None:
    random = np.random.default_rng(1)
    values = random.normal(0, 1, 1_000)
    values[:30] = 100.0
    assert found(values) == set()


def test_one_bad_value_in_a_short_column_is_found() -> None:
    assert found([10, 12, 11, 13, 12, 14, 11, 1000]) == {7}
    assert found([10, 12, 11, 1000]) == set()


def test_a_wrong_sign_in_a_price_is_found() -> None:
    prices = np.random.default_rng(1).lognormal(3, 0.5, 1_000)
    prices[5] = -20.0
    assert found(prices) == {5}


def test_none_at_all_is_no_outlier_among_skewed_numbers() -> None:
    prices = np.random.default_rng(1).lognormal(3, 0.5, 1_000)
    prices[5] = 0.0
    assert found(prices) == set()


def test_numbers_written_as_text_are_looked_at_too() -> None:
    raw = "age\n" + "\n".join(["34", "29", "NA", "41", "38"] * 20) + "\n+4000\n"
    (finding,) = Inspector((raw.encode(), "people.csv"), detectors=[Outliers()]).detect()
    assert finding.row_indices == [100]


def test_k_is_the_persons_choice() -> None:
    values = [*np.linspace(0, 10, 99), 22.0]
    assert found(values) == set()
    assert found(values, k=1.5) == {99}


def test_bounds_are_told_under_their_old_names() -> None:
    random = np.random.default_rng(1)
    values = [*random.normal(50, 5, 999), 5_000.0]
    (finding,) = Inspector(pd.DataFrame({"amount": values}), detectors=[Outliers()]).detect()
    meta = finding.metadata
    assert meta["lower_bound"] < meta["q1"] < meta["q3"] < meta["upper_bound"]
    assert (meta["outlier_count"], meta["count"], meta["iqr_multiplier"], meta["params"]) == (1, 1, 3.0, {})
    assert meta["iqr"] == pytest.approx(meta["q3"] - meta["q1"])
    assert "the most extreme is 5,000" in finding.description


def test_infinity_is_an_outlier() -> None:
    assert found([*range(50), 49.5, np.inf]) == {51}


@pytest.mark.parametrize("name", ["rooms", "price", "idle_time", "void", "number of rooms", "Nodes", "width"])
def test_quantities_are_not_taken_for_identifiers(name: str) -> None:
    assert not is_identifier(name)
    assert not is_calendar(name)


def test_a_column_that_is_set_to_text_is_left_out() -> None:
    text = "batch;stock\n" + "".join(f"{9999 if i == 7 else 100 + i % 50};{i}\n" for i in range(200))
    for types, count in (({}, 1), ({"batch": "text"}, 0)):
        found = Inspector((text.encode(), "t.csv"), reading=Reading(types=types)).detect()
        assert len([each for each in found if each.ghost_type == "outlier"]) == count


def fault(values: object, name: str) -> tuple[str | None, list[int]]:
    findings = Inspector(pd.DataFrame({name: values}), detectors=[Outliers()]).detect()
    return (findings[0].metadata.get("fault"), findings[0].row_indices or []) if findings else (None, [])


UNITS = {
    "height": lambda v: v / 2.54,
    "height in m": lambda v: v / 100,
    "temperature": lambda v: v * 1.8 + 32,
    "length": lambda v: v * 1000,
}


@pytest.mark.parametrize("name", UNITS)
def test_numbers_in_another_unit_are_found(name: str) -> None:
    random = np.random.default_rng(1)
    values = random.normal(172, 9, 600).round(1)
    rows = sorted(random.choice(600, 25, replace=False))
    values[rows] = UNITS[name](values[rows]).round(3)
    kind, found_rows = fault(values, name)
    assert (kind, found_rows) == ("unit", [int(row) for row in rows])


def test_shares_among_percentages_are_found() -> None:
    values = np.random.default_rng(1).uniform(15, 95, 400).round(1)
    values[::40] = (values[::40] / 100).round(3)
    assert fault(values, "percent") == ("unit", list(range(0, 400, 40)))


@pytest.mark.parametrize("scale", [0.3, 0.6, 1.0, 1.5])
def test_one_wide_cluster_has_one_unit(scale: float) -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).lognormal(3, scale, 500).round(2)
        assert fault(values, "price")[0] is None


def test_a_value_that_repeats_is_no_other_unit() -> None:
    values = np.random.default_rng(1).normal(172, 9, 600).round(1)
    values[::40] = 17.2
    assert fault(values, "height")[0] is None


@pytest.mark.parametrize("name", ["age", "price", "qty", "number of rooms", "weight_kg"])
def test_quantities_below_zero_are_found(name: str) -> None:
    values = np.random.default_rng(1).normal(50, 10, 300).round()
    values[[4, 50, 200]] = [-3, -40, -55]
    assert fault(values, name) == ("sign", [4, 50, 200])


@pytest.mark.parametrize("name", ["balance", "price change", "profit"])
def test_refunds_are_no_outliers_by_being_negative(name: str) -> None:
    values = np.random.default_rng(1).lognormal(3, 0.8, 1_000)
    values[::150] *= -1
    assert fault(values, name) == (None, [])


def test_fractions_of_things_are_found() -> None:
    values = np.random.default_rng(1).integers(0, 6, 300).astype(float)
    values[[7, 70]] = 2.5
    assert fault(values, "children") == ("fraction", [7, 70])
    assert fault(values, "grade") == (None, [])


@pytest.mark.parametrize("exponent", [0.9, 1.5, 2.5])
def test_the_end_of_a_power_tail_is_no_outlier(exponent: float) -> None:
    wrong = 0
    for seed in range(40):
        wrong += len(found(200 * (1 + np.random.default_rng(seed).pareto(exponent, 2_000))))
    assert wrong <= 4


def test_a_number_past_a_gap_of_a_power_tail_is_found() -> None:
    values = 200 * (1 + np.random.default_rng(1).pareto(1.5, 2_000))
    values[9] = values.max() * 100_000
    assert found(values) == {9}


def test_the_name_of_a_column_may_have_braces() -> None:
    values = [float(20 + number % 50) for number in range(200)]
    assert fault([*values, -3.0], "age {y}") == ("sign", [200])


def test_the_larger_of_two_numbers_in_a_tail_is_no_reason_to_fail() -> None:
    values = [1.0] * 20 + [2.0] * 20 + [3.0] * 18 + [50.0, 4_000.0]
    findings = Inspector(pd.DataFrame({"amount": values}), detectors=[Outliers()]).detect()
    assert [finding.metadata["check"] for finding in findings if finding.ghost_type == "check_error"] == []


def test_a_number_just_below_zero_is_no_outlier_of_skewed_numbers() -> None:
    values = np.round(np.random.default_rng(3).gamma(6, 3, 1500), 1)
    values[10] = -1.6
    assert found(values, "temp_max") == set()
    values[10] = -16.0
    assert found(values, "temp_max") == {10}


@pytest.mark.parametrize("seed", range(4))
def test_two_heavy_tails_are_usual_up_to_a_gap(seed: int) -> None:
    random = np.random.default_rng(seed)
    balances = (random.choice([1, 1, 1, -1], 2_000) * random.lognormal(3, 1, 2_000)).round(2)
    results = (random.normal(0, 1, 2_000) * random.lognormal(3, 1, 2_000)).round(2)
    assert found(balances, "balance") == found(results, "result") == set()
    results[[5, 9]] = -90_000.0, 200_000.0
    assert found(results, "result") == {5, 9}
