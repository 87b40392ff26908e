"""Values that contradict the column which determines them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lavendertown.detectors import Dependencies
from lavendertown.detectors.runner import run_detectors
from lavendertown.inspector import Inspector
from lavendertown.tables import from_frame

N = 400
CITIES = ["Bern", "Rome", "Oslo", "Bonn", "Lyon", "Graz"]


def places() -> dict[str, list[Any]]:
    random = np.random.default_rng(4)
    zips = random.integers(0, 18, N)
    return {
        "zip": [f"{1000 + 11 * i}" for i in zips],
        "city": [CITIES[i // 3] for i in zips],
        "name": [f"n{i}" for i in random.integers(0, 30, N)],
        "amount": random.lognormal(3, 1, N).round(2).tolist(),
    }


def test_rows_that_deviate_are_found(detect) -> None:
    data = places()
    for row in (12, 200):
        data["city"][row] = "Lyon" if data["city"][row] != "Lyon" else "Rome"
    (finding,) = detect(data, Dependencies())
    assert (finding.ghost_type, finding.column, finding.row_indices) == ("dependency", "zip, city", [12, 200])
    assert finding.description == (
        "zip determines city, but 2 of 400 rows (0.5%) have another city than all others with the same zip."
    )


def test_placeholders_for_missing_values_determine_nothing(detect) -> None:
    data = places()
    for row, name in ((12, "zip"), (200, "zip"), (300, "zip"), (30, "city"), (31, "city")):
        data[name][row] = "NA"
    data["city"][12], data["city"][200], data["city"][300] = "Bern", "Bern", "Oslo"
    assert detect(data, Dependencies()) == []


def test_a_dependency_that_holds_is_covered() -> None:
    inspector = Inspector(pl.DataFrame(places()), detectors=[Dependencies()])
    assert inspector.detect() == []
    assert [(c.column, c.outcome) for c in inspector.checks] == [("zip, city", "passed")]


def test_columns_that_determine_each_other_are_one_finding(detect) -> None:
    data = places()
    data["code"] = [city[:2] for city in data["city"]]
    data["city"][12] = "Lyon" if data["city"][12] != "Lyon" else "Rome"
    (finding,) = detect(data, Dependencies())
    assert finding.row_indices == [12]
    assert "city" in finding.metadata["columns"]


def test_a_value_that_is_nearly_always_the_same_depends_on_nothing(detect) -> None:
    data = places()
    data["flag"] = ["no"] * N
    data["flag"][5] = data["flag"][90] = "yes"
    assert detect(data, Dependencies()) == []


def test_ambiguous_groups_are_no_fault(detect) -> None:
    """A first name tells the sex, but for the one that both have."""
    random = np.random.default_rng(1)
    data = places()
    data["sex"] = ["f" if int(name[1:]) % 2 else "m" for name in data["name"]]
    for row, name in enumerate(data["name"]):
        if name == "n3" and random.random() < 0.5:
            data["sex"][row] = "m"
    assert detect(data, Dependencies()) == []


def test_few_rows_a_group_tell_nothing(detect) -> None:
    data = places()
    data["name"] = [f"n{i // 2}" for i in range(N)]
    data["city"] = [CITIES[i // 2 % 6] for i in range(N)]
    data["city"][7] = "Lyon" if data["city"][7] != "Lyon" else "Rome"
    assert [f.column for f in detect(data, Dependencies())] == []


def test_a_large_table_is_checked_in_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lavendertown.detectors.table_queries.SAMPLE_ROWS", 150)
    data = places()
    data["city"][13] = "Lyon" if data["city"][13] != "Lyon" else "Rome"
    findings, _ = run_detectors(from_frame(pl.DataFrame(data)), [Dependencies()])
    assert [f.row_indices for f in findings] == [[13]]
