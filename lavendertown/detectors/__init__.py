"""The checks, one ghost a file."""

from __future__ import annotations

from lavendertown.detectors.base import Aggregates, Candidate, Count, Detector, Examination
from lavendertown.detectors.duplicates import Duplicates
from lavendertown.detectors.nulls import Nulls


def default_detectors() -> list[Detector]:
    """Return every check with its default settings, in the order in which they run."""
    return [Nulls(), Duplicates()]


__all__ = [
    "Aggregates",
    "Candidate",
    "Count",
    "Detector",
    "Duplicates",
    "Examination",
    "Nulls",
    "default_detectors",
]
