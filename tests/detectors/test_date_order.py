"""Dates in reverse order, and dates that may be in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lavendertown.detectors import DateOrder, Durations

N = 300


def stays(
    lengths: np.ndarray, *, names: tuple[str, str] = ("first_day", "second_day")
) -> dict[str, list[Any]]:
    random = np.random.default_rng(8)
    first = np.datetime64("2023-01-01", "us") + (random.integers(0, 700, N) * 24).astype("timedelta64[h]")
    second = first + (lengths.astype(int) * 24).astype("timedelta64[h]")
    return {names[0]: first.tolist(), names[1]: second.tolist()}


def short_stays() -> np.ndarray:
    return np.random.default_rng(9).integers(0, 12, N)


def test_an_end_before_its_start_is_found(detect) -> None:
    lengths = short_stays()
    lengths[[15, 99]] = -4
    (finding,) = detect(stays(lengths), DateOrder())
    assert (finding.ghost_type, finding.column, finding.row_indices) == (
        "date", "first_day, second_day", [15, 99]
    )  # fmt: skip
    assert finding.severity == "warning"
    assert finding.description == (
        "second_day is before first_day in 2 of 300 rows (0.7%); in all others it is the same or later."
    )


def test_names_of_dates_make_it_an_error(detect) -> None:
    lengths = short_stays()
    lengths[15] = -400
    (finding,) = detect(stays(lengths, names=("admitted", "discharged")), DateOrder())
    assert (finding.severity, finding.row_indices) == ("error", [15])


def test_dates_that_always_leave_a_gap(detect) -> None:
    lengths = np.random.default_rng(9).integers(7_000, 20_000, N)
    lengths[[3, 4]] = -200
    assert [f.row_indices for f in detect(stays(lengths), DateOrder())] == [[3, 4]]


@pytest.mark.parametrize(
    "names", [("issued", "last_contact"), ("due_date", "paid"), ("one_day", "other_day")]
)
def test_a_habit_with_exceptions_is_no_fault(detect, names: tuple[str, str]) -> None:
    lengths = np.random.default_rng(9).normal(10, 5, N).round()
    assert 0 < (lengths < 0).sum() < 0.03 * N
    assert detect(stays(lengths, names=names), DateOrder()) == []


def test_dates_in_any_order_are_no_fault(detect) -> None:
    lengths = np.random.default_rng(9).integers(-100, 100, N)
    assert detect(stays(lengths), DateOrder()) == []


def test_a_date_and_a_time_compare(detect) -> None:
    lengths = short_stays() + 1
    data = stays(lengths)
    data["first_day"] = [day.date() for day in data["first_day"]]
    data["second_day"][7] = data["second_day"][7].replace(year=2001)
    assert [f.row_indices for f in detect(data, DateOrder())] == [[7]]


@pytest.mark.parametrize("added", [0, 1])
def test_durations_that_do_not_fit_are_found(detect, added: int) -> None:
    lengths = short_stays()
    data = stays(lengths)
    data["nights"] = (lengths + added).tolist()
    assert detect(data, Durations()) == []
    data["nights"][8] += 3
    (finding,) = detect(data, Durations())
    assert (finding.ghost_type, finding.row_indices) == ("dependency", [8])
    assert finding.metadata["columns"] == ["first_day", "second_day", "nights"]


def test_a_number_of_its_own_is_no_duration(detect) -> None:
    data = stays(short_stays())
    data["guests"] = np.random.default_rng(1).integers(0, 12, N).tolist()
    assert detect(data, Durations()) == []
