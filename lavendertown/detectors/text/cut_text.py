"""Detect text that was cut at a maximum length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    ColumnAggregates,
    Detection,
    DetectionSteps,
    Detector,
    RowCounts,
    format_row_share,
)
from lavendertown.tables import Column, Table

_MIN_LENGTH = 15
_MIN_CUT = 5
_NEAR = 5
_ENOUGH_TEXTS = 30
_SPIKE = 3.0
_MIN_MID_WORD_SHARE, _MIN_SPACED_SHARE = 0.5, 0.5
_FINISHED = r"[.!?;:)\]\"']\s*$"


@dataclass(frozen=True)
class CutText(Detector):
    """Free text of which many values end at exactly the maximum length, most of them within a sentence.

    Values of that length that end with a full stop or the like are not counted. Codes and columns with few
    lengths are left alone.
    """

    check: ClassVar[str] = "cut_text"
    title: ClassVar[str] = "Cut text"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns."""
        return [column for column in table.schema if column.kind == "text" and not column.kinds_key]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with text of the maximum length."""
        assert column is not None
        first = yield ColumnAggregates(column.key, _list_facts)
        longest = int(first["longest"] or 0)
        if longest < _MIN_LENGTH:
            return NOT_CHECKED
        facts = yield RowCounts(column.key, partial(_count_lengths, longest))
        cut, at_longest = int(facts["cut"] or 0), int(facts["at end"] or 0)
        is_spike = at_longest >= _MIN_CUT and at_longest > _SPIKE * int(facts["near"] or 0) / _NEAR
        is_prose = (
            int(facts["spaced"] or 0) >= _MIN_SPACED_SHARE * at_longest and int(facts["short"] or 0) > 0
        )
        if not (is_spike and is_prose and cut >= _MIN_MID_WORD_SHARE * at_longest):
            return None
        value = nw.col(column.key)
        at_end, rows = _is_as_long(value, longest), _is_cut(value, longest)
        answer = yield Aggregates({"different": nw.when(at_end).then(value).n_unique()})
        are_different = int(answer["different"] or 0) > max(_MIN_CUT, min(at_longest // 4, _ENOUGH_TEXTS))
        if not are_different:
            return None
        return Detection(
            "format",
            "info",
            f"{column.name} may be cut in {format_row_share(cut, table.row_count)}: "
            f"many values end at exactly the maximum length of {longest:,} characters.",
            cut,
            rows,
            sample_column=column.key,
            metadata={"length": longest, "total_count": table.row_count},
        )


def _list_facts(value: nw.Expr) -> Aggregates:
    return Aggregates({"longest": value.str.len_chars().max(), "present": value.count()})


def _count_lengths(longest: int, value: nw.Expr) -> dict[str, nw.Expr]:
    length = value.str.len_chars()
    return {
        "cut": _is_cut(value, longest),
        "near": (length < nw.lit(longest)) & (length >= nw.lit(longest - _NEAR)),
        "spaced": _is_as_long(value, longest) & value.str.contains(r"\S\s+\S+\s+\S"),
        "at end": _is_as_long(value, longest),
        "short": length <= nw.lit(longest // 2),
    }


def _is_as_long(value: nw.Expr, longest: int) -> nw.Expr:
    return value.str.len_chars() == nw.lit(longest)


def _is_cut(value: nw.Expr, longest: int) -> nw.Expr:
    return _is_as_long(value, longest) & ~value.str.contains(_FINISHED)
