"""Choose the chart that explains a finding, from the evidence of its report."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lavendertown.core import clock
from lavendertown.profile.evidence import ColumnProfile, FindingSamples, Histogram, ValueCount
from lavendertown.ui import queries
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.formatting import format_cell

_SHOWN_VALUES = 6
_DECIMAL_COMMA = re.compile(r",(?=[0-9]{1,2}$|[0-9]{4,}$)")
"""A comma that cannot separate thousands: values are as the file has them."""

_MIN_SHOWN_SHARE = 0.5
"""The share of the affected rows from which on their frequent values say more than the distribution."""


@dataclass(frozen=True)
class EvidenceChart:
    """A chart with its text alternative and its caption."""

    figure: charts.Figure
    alt: str
    caption: str


def make_chart(
    profile: ColumnProfile | None, samples: FindingSamples | None, row: queries.Row
) -> EvidenceChart | None:
    """Return the chart that explains a finding; None if the evidence has nothing to draw.

    Args:
        profile: The column of the finding.
        samples: The samples of the finding.
        row: The finding in a report.
    """
    frequent = samples.frequent if samples is not None else []
    severity, row_count = str(row["severity"]), int(row["row_count"] or 0)
    if profile is not None and row["ghost_type"] == "null" and 0 < profile.nulls < profile.count:
        counted = [ValueCount("missing", profile.nulls), ValueCount("present", profile.count - profile.nulls)]
        return _make_bars(counted, [severity, "strong"], "Cells of the column")
    if profile is not None and (spellings := _count_spellings(profile, frequent, row["metadata"])):
        colours = ["strong" if is_usual else severity for _, is_usual in spellings]
        return _make_bars([each for each, _ in spellings], colours, "Spellings")
    histogram = profile.histogram if profile is not None else None
    has_bins = histogram is not None and len(histogram.counts) > 1
    if len(frequent) > 1 and frequent[0].count > 1:
        shown = sum(each.count for each in frequent)
        if not has_bins or shown >= _MIN_SHOWN_SHARE * row_count:
            return _make_bars(frequent, [severity] * len(frequent), "Most frequent affected values")
    if profile is None:
        return None
    if histogram is not None and has_bins:
        return _make_histogram(
            profile, histogram, _mark_affected(profile, histogram, frequent, row_count), severity
        )
    if profile.top and profile.top[0].count > 1:
        # All rows with the value are affected, not only some as of a repeated key.
        colours = [severity if each in frequent else "strong" for each in profile.top]
        return _make_bars(profile.top, colours, "Most frequent values of the column")
    return None


def _count_spellings(
    profile: ColumnProfile, frequent: Sequence[ValueCount], metadata: Mapping[str, object]
) -> list[tuple[ValueCount, bool]]:
    """Return each usual spelling with its count and its variants, and whether it is the usual one.

    Metadata of imported reports can have any values.
    """
    stored = metadata.get("spellings")
    usual = {each.value: each for each in profile.top}
    counted: list[tuple[ValueCount, bool]] = []
    if not isinstance(stored, Mapping):
        return counted
    for name in dict.fromkeys(map(str, stored.values())):
        variants = [each for each in frequent if stored.get(each.value) == name]
        if name in usual and variants:
            counted += [(usual[name], True), *((each, False) for each in variants)]
    return counted


def _make_bars(counted: Sequence[ValueCount], colours: Sequence[str], caption: str) -> EvidenceChart:
    shown = counted[:_SHOWN_VALUES]
    labels, counts = [format_cell(each.value) for each in shown], [each.count for each in shown]
    alt = "; ".join(f"{label} {count:,}" for label, count in zip(labels, counts, strict=True))
    figure = charts.value_bars(labels, counts, colours[: len(shown)])
    return EvidenceChart(figure, f"{caption}: {alt}", caption)


def _mark_affected(
    profile: ColumnProfile, histogram: Histogram, frequent: Sequence[ValueCount], row_count: int
) -> list[int]:
    """Return how many values of each bin are affected; zeros if not all affected values are known."""
    marked = [0] * len(histogram.counts)
    width = (histogram.end - histogram.start) / len(marked)
    if profile.kind != "number" or width <= 0 or sum(each.count for each in frequent) != row_count:
        return marked
    for each in frequent:
        number = _to_number(each.value)
        if number is not None and histogram.start <= number <= histogram.end:
            place = min(int((number - histogram.start) / width), len(marked) - 1)
            marked[place] = min(marked[place] + each.count, histogram.counts[place])
    return marked


def _to_number(text: str) -> float | None:
    try:
        number = float(_DECIMAL_COMMA.sub(".", text))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _make_histogram(
    profile: ColumnProfile, histogram: Histogram, marked: Sequence[int], severity: str
) -> EvidenceChart:
    is_time = profile.kind == "time"
    outside = (histogram.below, histogram.above)
    bins, width = len(histogram.counts), histogram.end - histogram.start
    edges = [_format_edge(histogram.start + width * i / bins, is_time) for i in range(bins + 1)]
    alt = f"Distribution of {profile.name} from {edges[0]} to {edges[-1]}"
    alt += f", with {histogram.below:,} values below and {histogram.above:,} above" if any(outside) else ""
    alt += f", {sum(marked):,} of them affected" if any(marked) else ""
    figure = charts.value_histogram(edges, histogram.counts, outside, severity, marked)
    return EvidenceChart(figure, alt, "Distribution of the column")


def _format_edge(edge: float, is_time: bool) -> str:
    if not is_time:
        return charts.format_edge(edge)
    try:
        return clock.format_day(dt.datetime.fromtimestamp(edge, dt.UTC))
    except (OverflowError, ValueError, OSError):
        return "before year 1" if edge < 0 else "after year 9999"
