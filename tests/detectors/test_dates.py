"""Dates far from the others and dates written otherwise, and dates that are right."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from lavendertown.detectors import Dates, Placeholders, Types
from lavendertown.inspector import Inspector

DRAWN = random.Random(6)
N = 200
DAY = dt.timedelta(days=1)
ORDERED = [dt.date(2023, 1, 1) + DAY * DRAWN.randrange(700) for _ in range(N)]
BORN = [dt.date(1938, 1, 1) + DAY * DRAWN.randrange(25_000) for _ in range(N)]
TIMES = [f"2024-05-{1 + i % 28:02}T{i % 24:02}:10:00Z" for i in range(N)]


def from_csv(values: list[str], name: str = "when") -> list:
    lines = [f"id,{name}", *(f"{i},{value}" for i, value in enumerate(values))]
    return Inspector(("\n".join(lines).encode(), "t.csv"), detectors=[Dates(), Types()]).detect()


@pytest.mark.parametrize(
    ("values", "far"),
    [
        (ORDERED, dt.date(2123, 6, 1)), (ORDERED, dt.date(2025, 11, 1)), (ORDERED, dt.date(1, 1, 1)),
        (ORDERED, dt.date(1923, 6, 1)), (BORN, dt.date(2099, 3, 4)), (BORN, dt.date(1738, 5, 6)),
        ([dt.datetime(2024, 3, 1 + i // 100, i % 24) for i in range(N)], dt.datetime(2030, 3, 1)),
        ([dt.datetime(d.year, d.month, d.day, 8) for d in ORDERED], dt.datetime(2123, 6, 1, 7)),
    ],
)  # fmt: skip
def test_a_far_date_is_found(detect, values: list, far: dt.date) -> None:
    (finding,) = detect({"a": [*values, far]}, Dates())
    assert (finding.ghost_type, finding.severity, finding.row_indices) == ("date", "warning", [N])
    assert finding.metadata["fault"] == "far"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ordered", ORDERED),
        ("born", BORN),
        ("due", [*ORDERED, dt.date(2025, 11, 1)]),
        ("founded", [*BORN, dt.date(1880, 1, 1), dt.date(1911, 2, 3)]),
        ("rare", [dt.date(1950 + 5 * i, 1, 1) for i in range(15)] * 4 + [dt.date(2050, 1, 1)]),
        ("monthly", [dt.date(2020 + i // 12, 1 + i % 12, 1) for i in range(60)]),
        ("few", [dt.date(2024, 1, 1), dt.date(2094, 1, 1)]),
    ],
)
def test_dates_that_may_be_right_are_left_alone(detect, name: str, values: list) -> None:
    assert detect({name: values}, Dates()) == []


def test_placeholders_are_not_far_dates_too(detect) -> None:
    (finding,) = detect({"a": [*ORDERED, *[dt.date(1900, 1, 1)] * 3]}, Dates(), Placeholders())
    assert finding.metadata["check"] == "placeholders"


@pytest.mark.parametrize(
    ("values", "other", "fault"),
    [
        (TIMES, "2024-05-09T10:10:00+02:00", "zone"),
        (TIMES, "2024-05-09T10:10:00", "no_zone"),
        ([f"{d:%d/%m/%Y}" for d in ORDERED], "03/25/2024", "order"),
        ([f"{d:%d.%m.%Y}" for d in ORDERED], "13.02.24", "short_year"),
        ([f"{d:%d %b %Y}" for d in ORDERED], "13 Feb 24", "short_year"),
    ],
)
def test_another_notation_is_found(values: list[str], other: str, fault: str) -> None:
    (finding,) = from_csv([*values, other, other])
    assert (finding.ghost_type, finding.row_indices) == ("date", [N, N + 1])
    assert finding.metadata["fault"] == fault


def test_a_time_without_a_zone_and_a_time_that_is_none_are_one_finding_each() -> None:
    found = from_csv([*TIMES[:8], "2024-05-09T10:10:00", "2024-13-09T10:10:00Z"])
    assert {(each.ghost_type, each.metadata["fault"], *(each.row_indices or [])) for each in found} == {
        ("date", "no_zone", 8),
        ("type", "stray", 9),
    }


@pytest.mark.parametrize(
    "values",
    [
        TIMES,
        [f"{d:%d/%m/%Y}" for d in ORDERED],
        [f"2024-{month:02}-05T10:00:00+0{2 if 3 < month < 11 else 1}:00" for month in [1, *range(4, 10)] * 9],
        [f"{d:%d/%m/%y}" for d in ORDERED],
        [f"Room {i}" for i in range(N)],
    ],
)  # fmt: skip
def test_one_notation_is_left_alone(values: list[str]) -> None:
    assert from_csv(values) == []
