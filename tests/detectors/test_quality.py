"""Planted errors are found at the level that was reached, and clean tables stay clean.

``make bench-quality`` prints the kinds one by one.
"""

from __future__ import annotations

import pytest

from benchmarks.quality.clean_tables import CLEAN_TABLES
from benchmarks.quality.score import KINDS, false_findings, score_kind

_LEAST_FOUND = 0.93
_MOST_FALSE, _MOST_WARNINGS = 0.25, 0.25


@pytest.fixture(scope="module")
def scores():
    return [score_kind(kind, seeds=[7], rows=[400]) for kind in KINDS]


def test_most_planted_errors_are_found(scores) -> None:
    missed = [score.name for score in scores if not score.found]
    assert len(missed) <= (1 - _LEAST_FOUND) * len(scores), missed


def test_the_rows_that_are_reported_are_the_damaged_ones(scores) -> None:
    right, reported, planted = (
        sum(getattr(score, name) for score in scores)
        for name in ("right_rows", "reported_rows", "planted_rows")
    )
    assert right >= 0.97 * reported
    assert right >= 0.8 * planted


def test_little_is_found_in_clean_tables() -> None:
    false = [finding for _, finding in false_findings(seeds=[7, 8], rows=[400, 900])]
    assert len(false) <= _MOST_FALSE * 2 * len(CLEAN_TABLES), [finding.description for finding in false]
    warnings = [finding.description for finding in false if finding.severity != "info"]
    assert len(warnings) <= _MOST_WARNINGS * 2 * len(CLEAN_TABLES), warnings
