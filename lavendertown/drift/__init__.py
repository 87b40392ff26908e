"""Drift: what has changed between two tables, or since the last report of a dataset."""

from __future__ import annotations

from lavendertown.drift.baseline import Baseline, MissingBaseline, ProfileBaseline, TableBaseline
from lavendertown.drift.compare import compare_datasets, create_drift_checks, open_baseline

__all__ = [
    "Baseline",
    "MissingBaseline",
    "ProfileBaseline",
    "TableBaseline",
    "compare_datasets",
    "create_drift_checks",
    "open_baseline",
]
