"""Sums and products that do not add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lavendertown.detectors import Arithmetic

N = 300
RANDOM = np.random.default_rng(6)
QTY = RANDOM.integers(1, 9, N)
PRICE = RANDOM.lognormal(3, 0.8, N).round(2)
RATE = RANDOM.choice([0.0, 0.05, 0.1], N)
PARTS = RANDOM.lognormal(4, 0.5, (N, 4)).round(2)
WHOLE = PARTS.sum(axis=1)

EQUATIONS: dict[str, dict[str, np.ndarray]] = {
    "amount × price": {"amount": QTY, "price": PRICE, "total": (QTY * PRICE).round(2)},
    "amount × price × (1 - discount)": {
        "amount": QTY, "price": PRICE, "discount": RATE, "total": (QTY * PRICE * (1 - RATE)).round(2)
    },
    "price × (1 + tax/100)": {
        "price": PRICE, "tax": RATE * 100, "more": PARTS[:, 0], "total": (PRICE * (1 + RATE)).round(2)
    },
    "price × (1 - discount/100)": {
        "price": PRICE, "discount": RATE * 100, "more": PARTS[:, 0], "total": (PRICE * (1 - RATE)).round(2)
    },
    "revenue + tax": {"revenue": PARTS[:, 0], "tax": PARTS[:, 1], "total": PARTS[:, :2].sum(axis=1)},
    "spring + summer + autumn + winter": {
        **{name: PARTS[:, i] for i, name in enumerate(["spring", "summer", "autumn", "winter"])},
        "total": PARTS.sum(axis=1),
    },
    "gross + freight - rebate": {
        "gross": PARTS[:, 0], "freight": PARTS[:, 1], "rebate": PARTS[:, 2],
        "total": PARTS[:, 0] + PARTS[:, 1] - PARTS[:, 2],
    },
    "a/3 + b/3 + c/3": {
        **{name: PARTS[:, i] for i, name in enumerate(["a", "b", "c"])},
        "total": PARTS[:, :3].mean(axis=1).round(2),
    },
    "revenue / visitors": {
        "revenue": PARTS[:, 0], "visitors": QTY + 20, "total": (PARTS[:, 0] / (QTY + 20)).round(2)
    },
    "100 × part / whole": {
        "part": PARTS[:, 0], "whole": WHOLE, "total": (100 * PARTS[:, 0] / WHOLE).round(1)
    },
}  # fmt: skip


def lists(columns: dict[str, np.ndarray]) -> dict[str, list[Any]]:
    return {name: values.tolist() for name, values in columns.items()}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_rows_that_do_not_add_up_are_found(detect, equation: str) -> None:
    data = lists(EQUATIONS[equation])
    for row in (20, 130):
        data["total"][row] = round(data["total"][row] * 1.2 + 1, 2)
    (finding,) = detect(data, Arithmetic())
    assert (finding.ghost_type, finding.row_indices) == ("dependency", [20, 130])
    assert finding.metadata["equation"] == equation
    assert finding.metadata["columns"][-1] == "total"


@pytest.mark.parametrize("equation", EQUATIONS)
def test_sums_that_hold_are_no_finding(detect, equation: str) -> None:
    assert detect(lists(EQUATIONS[equation]), Arithmetic()) == []


def test_cents_of_rounding_are_no_fault(detect) -> None:
    data = lists(EQUATIONS["amount × price × (1 - discount)"])
    data["total"] = [total + 0.01 * (i % 30 == 0) for i, total in enumerate(data["total"])]
    assert detect(data, Arithmetic()) == []


def test_a_sum_with_nothing_is_no_equation(detect) -> None:
    """The third column equals the first but for a few rows in which the second is not 0."""
    fee = np.where(np.arange(N) % 100 == 0, 5.0, 0.0)
    data = {"paid": PARTS[:, 0], "fee": fee, "booked": PARTS[:, 0]}
    assert detect(lists(data), Arithmetic()) == []


def test_columns_of_their_own_are_no_equation(detect) -> None:
    data = {name: RANDOM.integers(0, 4, N) for name in ("a", "b", "c", "d")}
    assert detect(lists(data), Arithmetic()) == []
