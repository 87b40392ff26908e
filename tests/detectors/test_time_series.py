"""Gaps, repeated times, stuck values and level shifts in time series."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from lavendertown.detectors import LevelShifts, RepeatedTimes, StuckValues, TimeGaps

N = 400
START = dt.datetime(2024, 3, 1)


def readings() -> dict[str, list[Any]]:
    random = np.random.default_rng(12)
    return {
        "at": [START + dt.timedelta(minutes=10) * i for i in range(N)],
        "value": random.normal(20, 1, N).round(2).tolist(),
        "count": random.poisson(0.3, N).tolist(),
    }


def without(data: dict[str, list[Any]], rows: range) -> dict[str, list[Any]]:
    return {name: [cell for i, cell in enumerate(cells) if i not in rows] for name, cells in data.items()}


def test_the_rows_on_both_sides_of_a_gap_are_found(detect) -> None:
    (finding,) = detect(without(readings(), range(100, 112)), TimeGaps())
    assert (finding.ghost_type, finding.column, finding.row_indices) == ("date", "at", [99, 100])
    assert finding.metadata["usual_step"] == "10 minutes"


def test_gaps_of_each_station_are_found(detect) -> None:
    one = readings()
    data = {name: [*cells, *cells] for name, cells in one.items()}
    data["station"] = ["a"] * N + ["b"] * N
    (finding,) = detect(without(data, range(N + 50, N + 60)), TimeGaps())
    assert finding.row_indices == [N + 49, N + 50]
    assert "for each station" in finding.description


@pytest.mark.parametrize("kind", ["months", "working days", "irregular", "steady"])
def test_steps_that_are_usual_are_no_gap(detect, kind: str) -> None:
    days = [START.replace(hour=0) + dt.timedelta(days=i) for i in range(N)]
    times = {
        "months": [dt.datetime(2000 + i // 12, i % 12 + 1, 1) for i in range(N)],
        "working days": [day for day in days if day.weekday() < 5],
        "irregular": sorted((np.datetime64(START) + np.random.default_rng(1).integers(0, 10**6, N)
                             .astype("timedelta64[s]")).tolist()),
        "steady": days,
    }[kind]  # fmt: skip
    assert detect({"at": times, "x": [0.5] * len(times)}, TimeGaps()) == []


def test_repeated_times_are_found(detect) -> None:
    data = readings()
    data["at"][200] = data["at"][199]
    (finding,) = detect(data, RepeatedTimes())
    assert (finding.column, finding.row_indices) == ("at", [199, 200])


def test_copies_of_a_row_are_no_repeated_time(detect) -> None:
    data = {name: [*cells, cells[9]] for name, cells in readings().items()}
    assert detect(data, RepeatedTimes()) == []


def test_a_stuck_value_is_found_and_usual_repeats_are_not(detect) -> None:
    data = readings()
    data["value"][100:130] = [data["value"][100]] * 30
    (finding,) = detect(data, StuckValues())
    assert (finding.ghost_type, finding.column) == ("date", "value")
    assert finding.row_indices == list(range(100, 130))


def test_nights_without_sun_are_not_stuck(detect) -> None:
    data = readings()
    data["sun"] = [0.0 if i % 144 < 72 else float(v) * 10 + 0.5 for i, v in enumerate(data["value"])]
    assert detect(data, StuckValues()) == []


def test_values_that_change_rarely_are_not_stuck(detect) -> None:
    data = readings()
    data["value"] = np.repeat(data["value"][: N // 10], 10).tolist()
    assert detect(data, StuckValues()) == []


@pytest.mark.parametrize("end", [260, N])
def test_a_shift_of_the_level_is_found(detect, end: int) -> None:
    data = readings()
    data["value"] = [v + 12 * (180 <= i < end) for i, v in enumerate(data["value"])]
    (finding,) = detect(data, LevelShifts())
    assert (finding.column, finding.severity) == ("value", "info")
    assert finding.row_indices == list(range(180, end))


@pytest.mark.parametrize("kind", ["noise", "random walk", "season", "trend"])
def test_a_level_that_moves_is_no_shift(detect, kind: str) -> None:
    for seed in range(10):
        random = np.random.default_rng(seed)
        noise = random.normal(0, 1, N)
        values = {
            "noise": noise,
            "random walk": noise.cumsum(),
            "season": 10 * np.sin(np.arange(N) / 15) + noise,
            "trend": np.arange(N) / 5 + noise,
        }[kind]
        assert detect(readings() | {"value": values.tolist()}, LevelShifts()) == []
