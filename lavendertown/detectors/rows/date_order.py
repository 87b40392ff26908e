"""Detect rows whose dates are in reverse order: an end before its start."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import narwhals as nw
import numpy as np

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    Passed,
    QuerySteps,
    Result,
    Sample,
    count_where,
    format_row_share,
    limit_columns,
)
from lavendertown.detectors.sampled_rows import Floats, SampledRows, to_seconds
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import split_words

_MIN_ROWS = 30
_MIN_ORDERED = 0.97
_MAX_COLUMNS = 40
_SURELY_MORE = 10.0
_DAY = 86_400.0

_ORDERED_WORDS = (
    ("birth", "born", "dob", "founded"),
    ("created", "creation", "issued", "issue", "requested", "submitted", "ordered", "order", "booked"),
    ("booking", "registered", "signup", "joined", "hired", "hire"),
    ("loaned", "lent", "borrowed", "rented", "loan"),
    ("admitted", "admission", "start", "started", "begin", "began", "from", "opened", "open", "departure"),
    ("departed", "pickup", "checkin", "in", "effective", "shipped", "ship", "dispatched", "sent"),
    ("shipping", "dispatch", "approved", "enrolled"),
    ("arrival", "arrived", "dropoff", "delivered", "delivery", "received", "returned"),
    ("discharged", "discharge", "end", "ended", "finished", "finish", "completed", "to", "until", "closed"),
    ("close", "checkout", "out", "left", "terminated", "termination", "resolved", "updated", "modified"),
    ("expires", "expiry", "expiration", "death", "died"),
)
"""Words of column names in the order in which such dates happen."""

_RECORDED_RANK = 2
_FREE_WORDS = frozenset(
    (
        *(
            "due",
            "deadline",
            "planned",
            "expected",
            "scheduled",
            "target",
            "promised",
            "estimated",
            "forecast",
        ),
        *(
            "sched",
            "plan",
            "est",
            "eta",
            "etd",
            "last",
            "next",
            "previous",
            "contact",
            "visit",
            "reminder",
            "paid",
            "payment",
        ),
    )
)
"""A date of this kind may rightly be on either side of another."""


@dataclass(frozen=True)
class DateOrder(Detector):
    """Rows in which a date is before another one that it follows in at least 97% of the rows.

    Names such as start and end decide where they can. Otherwise the exceptions must stand apart: dates
    that follow closely in most rows, or that always leave a gap. Due dates, last contacts and the like may
    be on either side.
    """

    check: ClassVar[str] = "date_order"
    title: ClassVar[str] = "Order of dates"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None) if there are two columns of dates."""
        times = _times(table)
        return [None] if len(times) > 1 and table.row_count >= _MIN_ROWS else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows in which two dates are in reverse order."""
        sample: SampledRows = yield Sample()
        times, left_out = limit_columns(_times(table), _MAX_COLUMNS)
        seconds = {each.key: to_seconds(sample.frame[each.key]) for each in times}
        ordered = []
        for one, other in itertools.combinations(times, 2):
            gaps = seconds[other.key] - seconds[one.key]
            for start, end, gap in ((one, other, gaps), (other, one, -gaps)):
                order = _order_of(start, end, gap)
                if order:
                    ordered.append((order, float(np.nanmedian(gap)), start, end))
                    break
        # The closest dates first: those of distant ones follow from them.
        ordered.sort(key=lambda each: each[1])
        results: list[Result] = [*left_out]
        for order, _, start, end in ordered:
            result = yield from _check_pair(table, start, end, order, sample)
            if result is not None:
                results.append(result)
        return results or NOT_CHECKED


def _times(table: Table) -> list[Column]:
    return [column for column in table.schema if column.kind == "time"]


def _order_of(start: Column, end: Column, gaps: Floats) -> Literal["named", "seen"] | None:
    """Return how it is known that one date is before the other; None if it is not."""
    gaps = gaps[~np.isnan(gaps)]
    reverse = gaps[gaps < 0]
    if len(gaps) < _MIN_ROWS or len(reverse) > (1 - _MIN_ORDERED) * len(gaps) or not (gaps > 0).any():
        return None
    names = [split_words(start.name), split_words(end.name)]
    if _rank_or_last(names[0]) <= _RECORDED_RANK and {"due", "deadline"} & set(names[1]):
        return "named"
    if _FREE_WORDS & {word for name in names for word in name}:
        return None
    first, last = (_rank_words(name) for name in names)
    if first is not None and last is not None and first < last:
        return "named"
    if not len(reverse):
        return "seen" if np.quantile(gaps, 0.05) >= 0 else None
    # If the order is a rule, dates just after the other are many or none; if it is a habit, those just
    # after are about as frequent as those just before.
    size = float(np.median(-reverse))
    after = int(((gaps >= 0) & (gaps <= max(size, _DAY))).sum())
    clear_gap = not ((gaps >= 0) & (gaps <= 3 * size)).any() and len(reverse) >= 2
    return "seen" if clear_gap or after >= _SURELY_MORE * len(reverse) + 5 else None


def _rank_words(words: Sequence[str]) -> int | None:
    ranks = [rank for word in words for rank, group in enumerate(_ORDERED_WORDS) if word in group]
    return ranks[-1] if ranks else None


def _rank_or_last(words: Sequence[str]) -> int:
    rank = _rank_words(words)
    return len(_ORDERED_WORDS) if rank is None else rank


def _check_pair(
    table: Table, start: Column, end: Column, order: str, sample: SampledRows
) -> QuerySteps[Detection | Passed | None]:
    first, second = nw.col(start.key), nw.col(end.key)
    if sample.frame[start.key].dtype != sample.frame[end.key].dtype:
        first, second = first.cast(nw.Datetime("us")), second.cast(nw.Datetime("us"))
    reverse = second < first
    facts = yield Aggregates({"reverse": count_where(reverse), "both": count_where(second >= first)})
    count, both = int(facts["reverse"] or 0), int(facts["both"] or 0) + int(facts["reverse"] or 0)
    names = [start.name, end.name]
    if not count:
        return Passed(names)
    if count > (1 - _MIN_ORDERED) * both:
        return None
    return Detection(
        "date",
        "error" if order == "named" else "warning",
        f"{end.name} is before {start.name} in {format_row_share(count, table.row_count)}; in all others it "
        "is the same or later.",
        count,
        reverse,
        metadata={"fault": "reverse_order", "total_count": table.row_count},
        columns=names,
    )
