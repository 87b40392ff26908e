"""Profiles of a table on DuckDB are those of the same table in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lavendertown.inspector import Inspector
from lavendertown.profile import figures
from lavendertown.profile.evidence import ColumnProfile
from lavendertown.tables.engines import exact_quantiles
from tests.detectors.planted_files import BY_HAND, EMPTY, write_planted

pytest.importorskip("duckdb")


def comparable(profile: ColumnProfile) -> ColumnProfile:
    """Return a profile without the least frequent of its 20 top values, of which others may be left out."""
    counts = [(each.count, each.value) for each in profile.top]
    least = min(counts, default=(0, ""))[0]
    top = sorted(each for each in counts if each[0] > least or len(counts) < 20)
    return replace(profile, top=top, quantiles=[round(each, 9) for each in profile.quantiles])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [BY_HAND, "stand-in -999", EMPTY])
@pytest.mark.parametrize("sample_rows", [20_000, 100])
def test_duckdb_gives_the_same_profiles(
    name: str, sample_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "_SAMPLE_ROWS", sample_rows)
    monkeypatch.setattr(exact_quantiles, "MAX_READ", 10)
    path = write_planted(name, tmp_path)
    in_memory, on_duckdb = (Inspector(path, engine=each).evidence() for each in ("polars", "duckdb"))
    expected = {each.name: comparable(each) for each in in_memory.columns if each.name != "tags"}
    assert {each.name: comparable(each) for each in on_duckdb.columns if each.name != "tags"} == expected
    assert on_duckdb.samples == in_memory.samples
    assert on_duckdb.key == in_memory.key
