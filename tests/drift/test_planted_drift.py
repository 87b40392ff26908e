"""Planted drift is found at the level that was reached; ``make bench-drift`` prints the kinds one by one."""

from __future__ import annotations

import pytest

from benchmarks.quality.drift import KINDS, MODES, DriftScore, false_findings, score_kind

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=MODES)
def scores(request: pytest.FixtureRequest) -> list[DriftScore]:
    return [score_kind(kind, seeds=[7], rows=[1_000], mode=request.param) for kind in KINDS]


def test_every_kind_is_found_and_nothing_else(scores: list[DriftScore]) -> None:
    assert [score.name for score in scores if not score.found] == []
    assert [other for score in scores for other in score.others] == []


def test_the_rows_that_are_reported_are_the_changed_ones(scores: list[DriftScore]) -> None:
    right, reported, planted = (sum(score.rows[place] for score in scores) for place in range(3))
    assert right == planted
    assert right >= 0.98 * reported


def test_the_segment_is_named_where_all_rows_are_known(scores: list[DriftScore]) -> None:
    assert sum(score.segments_found for score in scores) == sum(score.segments for score in scores)


@pytest.mark.parametrize("mode", MODES)
def test_changes_that_are_no_drift_give_nothing(mode: str) -> None:
    found = [f"{name}: {each.description}" for name, each in false_findings([7], [1_000], mode)]
    assert found == []
