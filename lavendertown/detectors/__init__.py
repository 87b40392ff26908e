"""The checks, one ghost a file."""

from __future__ import annotations

from lavendertown.detectors.base import NOT_CHECKED, Aggregates, Candidate, Count, Detector, Examination
from lavendertown.detectors.constants import Constants
from lavendertown.detectors.disguised_nulls import DisguisedNulls
from lavendertown.detectors.duplicates import Duplicates
from lavendertown.detectors.nulls import Nulls
from lavendertown.detectors.outliers import Outliers
from lavendertown.detectors.types import Types


def default_detectors() -> list[Detector]:
    """Return every check with its default settings, in the order in which they run."""
    return [Nulls(), DisguisedNulls(), Types(), Constants(), Outliers(), Duplicates()]


__all__ = [
    "NOT_CHECKED",
    "Aggregates",
    "Candidate",
    "Constants",
    "Count",
    "Detector",
    "DisguisedNulls",
    "Duplicates",
    "Examination",
    "Nulls",
    "Outliers",
    "Types",
    "default_detectors",
]
