"""The evidence of a report: a profile of each column, and sample rows of each finding, as plain JSON values.

Evidence is limited in size, and values of masked columns are removed before it is stored anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.dataclass_dicts import fields_from_dict
from lavendertown.core.errors import InvalidInputError

MAX_EVIDENCE_BYTES = 256_000
"""The largest evidence of a report, as JSON."""

MAX_SAMPLES = 20
"""The number of sample rows of a finding."""

MAX_PARTS = 40
"""The number of parts of a table in which the affected rows are counted."""

Value = str | int | float | bool | None


@dataclass(frozen=True)
class ValueCount:
    """A value as written in the source, and the number of rows that have it."""

    value: str
    count: int


@dataclass(frozen=True)
class Histogram:
    """Counts of numbers or times in bins of equal width.

    Attributes:
        start, end: The lower edge of the first bin and the upper edge of the last; times are in seconds
            since 1970.
        counts: The number of values per bin.
        below, above: The number of values outside the bins.
    """

    start: float
    end: float
    counts: list[int]
    below: int = 0
    above: int = 0


@dataclass(frozen=True)
class ColumnProfile:
    """What a column contains.

    Attributes:
        name: The column name.
        kind: number, text, boolean, time or other.
        count: The number of rows.
        nulls: The number of missing values.
        distinct: The number of different values.
        minimum, maximum: The smallest and largest value: numbers, or times in ISO format; None for others.
        quantiles: The 5th, 25th, 50th, 75th and 95th percentile of numbers; empty for others.
        histogram: The distribution of numbers and times.
        top: The most frequent values.
        masked: Whether values were removed because the column is masked.
    """

    name: str
    kind: str
    count: int
    nulls: int
    distinct: int
    minimum: Value = None
    maximum: Value = None
    quantiles: list[float] = field(default_factory=list)
    histogram: Histogram | None = None
    top: list[ValueCount] = field(default_factory=list)
    masked: bool = False


@dataclass(frozen=True)
class SampleRow:
    """A row that a finding affects.

    Attributes:
        position: The position of the row in the table, counted from 0.
        values: Values of the row by column, as written in the source: the key, and the affected columns.
    """

    position: int
    values: dict[str, Value]


@dataclass(frozen=True)
class FindingSamples:
    """Sample rows of a finding.

    Attributes:
        column: The affected column, or the names of several, joined by commas; empty if the finding affects
            whole rows.
        rows: The first affected rows.
        frequent: The most frequent affected values; empty if the finding affects whole rows.
        rows_by_part: The number of affected rows in each part of the table, see :func:`divide_rows`; for
            missing values only, else empty.
    """

    column: str = ""
    rows: list[SampleRow] = field(default_factory=list)
    frequent: list[ValueCount] = field(default_factory=list)
    rows_by_part: list[int] = field(default_factory=list)


def divide_rows(row_count: int) -> list[int]:
    """Return the sizes of the parts of a table for :attr:`FindingSamples.rows_by_part`, at most 40.

    All parts have the same size, except that the last may be smaller.
    """
    size = max(1, math.ceil(row_count / MAX_PARTS))
    return [min(size, row_count - start) for start in range(0, row_count, size)]


@dataclass(frozen=True)
class Evidence:
    """The evidence of a report.

    Attributes:
        columns: The profiles of the columns, in the order of the table.
        samples: The samples by finding id. Before a report is made the keys are positions in the list of
            findings, see :meth:`named`.
        key: The columns that identify a row.
        first_row: The number that the source counts for the row at position 0 (2 below a header).
        omitted: What was left out to keep the limit of size: top values, histograms, samples.
    """

    columns: list[ColumnProfile] = field(default_factory=list)
    samples: dict[str, FindingSamples] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    first_row: int = 1
    omitted: list[str] = field(default_factory=list)

    def column(self, name: str) -> ColumnProfile | None:
        """Return the profile of a column; None if the evidence has none of it."""
        return next((profile for profile in self.columns if profile.name == name), None)

    def named(self, finding_ids: Sequence[str]) -> Evidence:
        """Return the evidence with the samples of the finding at position N under the id at position N."""
        named: dict[str, FindingSamples] = {}
        for position, finding_id in enumerate(finding_ids):
            if str(position) in self.samples:
                named.setdefault(finding_id, self.samples[str(position)])
        return replace(self, samples=named)

    def without_samples(self) -> Evidence:
        """Return the evidence without any value of the table: counts only."""
        columns = [remove_values(profile, masked=profile.masked) for profile in self.columns]
        return replace(self, columns=columns, samples={}, key=[])

    def limited(self, max_bytes: int = MAX_EVIDENCE_BYTES) -> Evidence:
        """Return the evidence within a limit of size: first without top values, then without histograms,
        then without samples, then without profiles."""
        limited = self
        for name in ("top values", "histograms", "samples", "profiles"):
            if limited.size() <= max_bytes:
                break
            limited = limited._without(name)
        return limited

    def _without(self, part: str) -> Evidence:
        columns, samples = self.columns, self.samples
        match part:
            case "top values":
                columns = [replace(profile, top=[]) for profile in columns]
            case "histograms":
                columns = [replace(profile, histogram=None) for profile in columns]
            case "samples":
                samples = {}
            case _:
                columns = []
        return replace(self, columns=columns, samples=samples, omitted=[*self.omitted, part])

    def size(self) -> int:
        """Return the size as JSON, in bytes."""
        return len(json_codec.dumps(self.to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as JSON values; ``rows_by_part`` only where it is not empty."""
        values = asdict(self)
        for each in values["samples"].values():
            if not each["rows_by_part"]:
                del each["rows_by_part"]
        return values

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Return the evidence in a dictionary, as :meth:`to_dict` returns it.

        Raises:
            InvalidInputError: A value is missing or has the wrong type.
        """
        values = fields_from_dict(cls, data, "evidence")
        values["columns"] = [_to_profile(each) for each in values.get("columns", [])]
        values["samples"] = {name: _to_samples(each) for name, each in values.get("samples", {}).items()}
        return cls(**values)


def remove_values(profile: ColumnProfile, *, masked: bool) -> ColumnProfile:
    """Return a profile with its counts only."""
    return replace(profile, minimum=None, maximum=None, quantiles=[], histogram=None, top=[], masked=masked)


def _to_profile(data: Mapping[str, Any]) -> ColumnProfile:
    values = fields_from_dict(ColumnProfile, data, "column profile")
    values["top"] = _to_counts(values.get("top", []))
    if values.get("histogram") is not None:
        values["histogram"] = _to_histogram(values["histogram"])
    if not all(_is_count(values.get(name, 0)) for name in ("count", "nulls", "distinct")):
        raise InvalidInputError("A column profile has a count that is not a whole number.")
    quantiles = values.get("quantiles", [])
    if not isinstance(quantiles, list) or not all(map(_is_number, quantiles)):
        raise InvalidInputError("A column profile has quantiles that are not a list of numbers.")
    return ColumnProfile(**values)


def _to_histogram(data: Mapping[str, Any]) -> Histogram:
    histogram = Histogram(**fields_from_dict(Histogram, data, "histogram"))
    if not (_is_number(histogram.start) and _is_number(histogram.end)):
        raise InvalidInputError("A histogram has an end that is not a number.")
    if not isinstance(histogram.counts, list) or not all(map(_is_count, histogram.counts)):
        raise InvalidInputError("A histogram has a count that is not a whole number.")
    return histogram


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_samples(data: Mapping[str, Any]) -> FindingSamples:
    values = fields_from_dict(FindingSamples, data, "samples of a finding")
    rows = [SampleRow(**fields_from_dict(SampleRow, row, "sample row")) for row in values.get("rows", [])]
    by_part = values.get("rows_by_part", [])
    if not isinstance(by_part, list) or not all(map(_is_count, by_part)):
        raise InvalidInputError("The rows by part of a finding are not a list of whole numbers.")
    return FindingSamples(values.get("column", ""), rows, _to_counts(values.get("frequent", [])), by_part)


def _to_counts(data: Sequence[Mapping[str, Any]]) -> list[ValueCount]:
    counts = [ValueCount(**fields_from_dict(ValueCount, each, "value count")) for each in data]
    if not all(isinstance(each.value, str) and _is_count(each.count) for each in counts):
        raise InvalidInputError("A frequent value must be a text with the number of its rows.")
    return counts
