"""Compare two tables, or a table with the column profiles of an earlier report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import FileLimits, limits_from_settings
from lavendertown.core.findings import GhostFinding
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.settings import load_settings
from lavendertown.detectors.runner import run_detectors
from lavendertown.drift.baseline import Baseline, ProfileBaseline, TableBaseline
from lavendertown.drift.checks import (
    AddedColumn,
    ChangedType,
    DriftCheck,
    MissingShare,
    RemovedColumn,
    RowCountDrift,
)
from lavendertown.drift.column_checks import (
    CategoryShares,
    LostCategories,
    NewCategories,
    NumberDistribution,
    RangeDrift,
)
from lavendertown.profile.evidence import Evidence
from lavendertown.tables import Table, from_frame, read_table

ComparisonType = Literal["full", "schema_only", "distribution_only"]

_SCHEMA: tuple[type[DriftCheck], ...] = (AddedColumn, RemovedColumn, ChangedType)
_DISTRIBUTION: tuple[type[DriftCheck], ...] = (
    RowCountDrift,
    MissingShare,
    NumberDistribution,
    RangeDrift,
    CategoryShares,
    NewCategories,
    LostCategories,
)
_WITH_INDEX = (NumberDistribution, RangeDrift, CategoryShares)
DRIFT_CHECKS = _SCHEMA + _DISTRIBUTION
"""All checks that compare a table with a baseline."""
_PERCENT_OF_INDEX = 100
DEFAULT_PERCENT = 10.0


def create_drift_checks(
    baseline: Baseline,
    comparison_type: ComparisonType = "full",
    distribution_threshold: float = DEFAULT_PERCENT,
) -> list[DriftCheck]:
    """Return the checks that compare a table with a baseline.

    Args:
        baseline: What the table is compared with.
        comparison_type: ``full``, ``schema_only`` or ``distribution_only``.
        distribution_threshold: The smallest shift of a distribution that is reported, as a percentage: 10
            stands for a population stability index of 0.1.

    Raises:
        InvalidInputError: The type is unknown, or the threshold is not above 0.
    """
    if comparison_type not in get_args(ComparisonType):
        raise InvalidInputError(
            f"The comparison type {comparison_type!r} is unknown; use one of "
            f"{', '.join(get_args(ComparisonType))}."
        )
    if not distribution_threshold > 0:
        raise InvalidInputError(
            f"The distribution threshold {distribution_threshold} is not above 0; "
            f"the default is {DEFAULT_PERCENT}."
        )
    checks = {"full": DRIFT_CHECKS, "schema_only": _SCHEMA, "distribution_only": _DISTRIBUTION}
    threshold = distribution_threshold / _PERCENT_OF_INDEX
    return [
        check(baseline, threshold=threshold) if issubclass(check, _WITH_INDEX) else check(baseline)
        for check in checks[comparison_type]
    ]


def compare_datasets(
    baseline_df: Any,
    current_df: Any,
    comparison_type: ComparisonType = "full",
    distribution_threshold: float = DEFAULT_PERCENT,
) -> list[GhostFinding]:
    """Compare two tables and return what has drifted, most severe first.

    Args:
        baseline_df: The table before: a frame, an Arrow table, a :class:`~lavendertown.tables.Table`, a path,
            or a :class:`Baseline`.
        current_df: The table now, in any of these forms except the last.
        comparison_type: ``full``, ``schema_only`` (columns and types) or ``distribution_only``.
        distribution_threshold: The smallest shift that is reported, as a percentage; see
            :func:`create_drift_checks`.

    Raises:
        InvalidInputError: An argument is not possible.
        UnreadableTableError: A file cannot be read as a table.
    """
    baseline = open_baseline(baseline_df)
    checks = create_drift_checks(baseline, comparison_type, distribution_threshold)
    findings, _ = run_detectors(_open_table(current_df, None, DETECT), checks)
    return findings


def open_baseline(data: Any, limits: FileLimits | None = None, reading: Reading = DETECT) -> Baseline:
    """Return what a table can be compared with, for a frame, a table, a path, evidence or a baseline.

    Raises:
        InvalidInputError: ``data`` is not one of these.
        UnreadableTableError: The file cannot be read as a table.
    """
    if isinstance(data, Baseline):
        return data
    if isinstance(data, Evidence):
        return ProfileBaseline(data, "the stored profile")
    table = _open_table(data, limits, reading)
    return TableBaseline(table, table.name or "the other table")


def _open_table(data: Any, limits: FileLimits | None, reading: Reading) -> Table:
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, Path)):
        return read_table(data, None, limits or limits_from_settings(load_settings()), reading)
    return from_frame(data)
