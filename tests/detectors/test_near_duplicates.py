"""Rows that nearly repeat an earlier row."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lavendertown.detectors import NearDuplicates
from lavendertown.detectors.runner import run_detectors
from lavendertown.tables import from_frame

N = 200
FIRST = ["Ana", "Bo", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hanna"]
LAST = ["Abel", "Berg", "Cruz", "Dahl", "Engel", "Fuchs", "Gross", "Huber", "Ivanov", "Jung"]


def people() -> dict[str, list[Any]]:
    random = np.random.default_rng(5)
    return {
        "id": list(range(1, N + 1)),
        "name": [f"{FIRST[a]} {LAST[b]}" for a, b in random.integers(0, 8, (N, 2))],
        "city": [["Bern", "Rome", "Oslo"][i] for i in random.integers(0, 3, N)],
        "born": [f"{1950 + y}-{m:02}" for y, m in zip(random.integers(0, 50, N), random.integers(1, 13, N),
                                                     strict=True)],
        "amount": random.lognormal(3, 1, N).round(2).tolist(),
    }  # fmt: skip


def added(data: dict[str, list[Any]], **row: Any) -> dict[str, list[Any]]:
    return {name: [*cells, row[name]] for name, cells in data.items()}


def row_of(data: dict[str, list[Any]], i: int) -> dict[str, Any]:
    return {name: cells[i] for name, cells in data.items()}


def test_a_row_under_another_key_is_found(detect) -> None:
    data = people()
    (finding,) = detect(added(data, **row_of(data, 9) | {"id": 999}), NearDuplicates())
    assert (finding.ghost_type, finding.column, finding.row_indices) == ("duplicate", "*", [N])


def test_case_blanks_and_punctuation_do_not_matter(detect) -> None:
    data = people()
    copy = row_of(data, 9)
    copy["name"] = f" {copy['name'].upper().replace(' ', ', ')}."
    (finding,) = detect(added(data, **copy), NearDuplicates())
    assert finding.row_indices == [N]


def test_a_misspelt_copy_is_found(detect) -> None:
    data = people()
    row = next(i for i, name in enumerate(data["name"]) if name == "Hanna Engel")
    (finding,) = detect(
        added(data, **row_of(data, row) | {"id": 999, "name": "Hana Engel"}), NearDuplicates()
    )
    assert finding.row_indices == [N]


def test_another_name_with_the_same_values_is_another_person(detect) -> None:
    data = people()
    assert detect(added(data, **row_of(data, 9) | {"id": 999, "name": "Zoe Quill"}), NearDuplicates()) == []


def test_exact_copies_are_left_to_the_check_for_duplicates(detect) -> None:
    data = people()
    assert detect(added(data, **row_of(data, 9)), NearDuplicates()) == []


def test_rows_that_chance_repeats_are_left_alone(detect) -> None:
    data = {name: cells for name, cells in people().items() if name in ("id", "name", "city")}
    assert detect(data, NearDuplicates()) == []


def test_what_depends_on_each_other_does_not_count_twice(detect) -> None:
    random = np.random.default_rng(1)
    customer = random.integers(0, 100, N)
    data: dict[str, list[Any]] = {
        "id": list(range(N)),
        "customer": customer.tolist(),
        "mail": [f"c{i}@example.org" for i in customer],
        "phone": [f"0{i * 7919}" for i in customer],
        "product": random.integers(0, 30, N).tolist(),
    }
    pairs = list(zip(data["customer"], data["product"], strict=True))
    assert len(set(pairs)) < N
    assert detect(data, NearDuplicates()) == []


def test_a_measurement_may_repeat(detect) -> None:
    random = np.random.default_rng(1)
    values = np.repeat(random.normal(20, 3, 20).round(2), 10).tolist()
    assert detect({"id": list(range(N)), "value": values, "unit": ["C"] * N}, NearDuplicates()) == []


def test_a_large_table_is_checked_in_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lavendertown.detectors.table_queries.SAMPLE_ROWS", 60)
    data = people()
    data = added(data, **row_of(data, 9) | {"id": 999})
    findings, _ = run_detectors(from_frame(pl.DataFrame(data)), [NearDuplicates()])
    assert [f.row_indices for f in findings] == [[N]]


@pytest.mark.parametrize("rows", [200, 400, 1_000])
@pytest.mark.parametrize("names", [(), ("product",)])
def test_what_is_computed_from_others_does_not_count(detect, rows: int, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(rows)
    prices = random.lognormal(3, 1, 2_000).round(2)
    product, quantity = random.integers(0, 2_000, rows), random.integers(1, 6, rows)
    price = prices[product]
    assert len(set(zip(product, quantity, strict=True))) < rows
    columns = {
        "line": list(range(rows)),
        "product": [f"P{each}" for each in product],
        "price": price.tolist(),
        "qty": quantity.tolist(),
        "total": (price * quantity).round(2).tolist(),
    }
    kept = {name: cells for name, cells in columns.items() if name in names or name != "product"}
    assert detect(kept, NearDuplicates()) == []


def test_exact_copies_do_not_make_columns_depend(detect) -> None:
    data = people()
    for i in range(20, 25):
        data = added(data, **row_of(data, i))
    (finding,) = detect(added(data, **row_of(data, 9) | {"id": 999}), NearDuplicates())
    assert finding.row_indices == [N + 5]
