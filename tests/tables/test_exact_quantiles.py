"""Quantiles from a sample and counts are those of all values."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from lavendertown.tables.engines import exact_quantiles
from lavendertown.tables.engines.exact_quantiles import compute_quantiles

LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
RANDOM = np.random.default_rng(3)
N = 5_000
VALUES = {
    "normal": RANDOM.normal(size=N),
    "skewed": RANDOM.lognormal(3, 2, N),
    "few values": RANDOM.choice([0.0, 0.05, 0.1, 0.2], N),
    "one value": np.full(N, 7.0),
    "sorted": np.arange(N, dtype=np.float64),
    "infinite": np.where(RANDOM.random(N) < 0.1, np.inf, RANDOM.normal(size=N)),
    "far": np.where(RANDOM.random(N) < 0.3, 1e300, -1e300) * RANDOM.random(N),
    "two": np.array([1.0, 2.0]),
}


@pytest.mark.parametrize("limit", [10, 200_000])
@pytest.mark.parametrize("name", VALUES)
def test_quantiles_are_exact(name: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_quantiles, "MAX_READ", limit)
    frame = pl.DataFrame({"a": VALUES[name]})
    # A sample of the first rows says little about the others where they are sorted.
    for sample in (frame.head(100), frame.gather_every(50), frame.head(0)):
        found = compute_quantiles(
            nw.from_native(frame.lazy()), nw.col("a"), LEVELS, sample, is_complete=False
        )
        expected = [frame["a"].quantile(level, "linear") for level in LEVELS]
        assert found == pytest.approx(expected, rel=1e-12)


def test_null_is_left_out_and_no_values_have_no_quantile() -> None:
    frame = pl.DataFrame({"a": [None, 1.0, 2.0, None], "b": pl.Series([None] * 4, dtype=pl.Float64)})
    lazy = nw.from_native(frame.lazy())
    for is_complete in (True, False):
        assert compute_quantiles(lazy, nw.col("a"), [0.5], frame, is_complete=is_complete) == [1.5]
        assert compute_quantiles(lazy, nw.col("b"), [0.5], frame, is_complete=is_complete) == [None]
