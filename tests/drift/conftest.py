"""Two deliveries of orders, drawn from the same distributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from lavendertown.core.findings import GhostFinding

ROWS = 2_000


def make_orders(seed: int, rows: int = ROWS) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "order_id": np.arange(rows) + seed * rows,
            "country": random.choice(["DE", "FR", "NL"], rows, p=[0.3, 0.5, 0.2]),
            "status": random.choice(["paid", "open"], rows, p=[0.8, 0.2]),
            "amount": random.lognormal(3, 1, rows).round(2),
            "items": random.poisson(3, rows),
            "gift": random.random(rows) < 0.1,
            "placed": pl.Series([None] * rows, dtype=pl.Date),
        }
    )


@pytest.fixture
def before() -> pl.DataFrame:
    return make_orders(1)


@pytest.fixture
def after() -> pl.DataFrame:
    return make_orders(2)


Only = Callable[[list[GhostFinding]], GhostFinding]


@pytest.fixture
def only() -> Only:
    """Return the only finding; fail with all descriptions if there are others."""

    def take(findings: list[GhostFinding]) -> GhostFinding:
        assert len(findings) == 1, [each.description for each in findings]
        return findings[0]

    return take
