"""Detect placeholders for missing values: N/A, -, none, spaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    RowCounts,
    ValueCounts,
    format_row_share,
    has_text,
    may_have_text,
    severity_of_missing,
)
from lavendertown.detectors.columns.stand_ins import find_text_stand_ins
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import is_proper_name
from lavendertown.tables.inference.patterns import DISGUISED_NULL, NULL_SIGN, NULL_WORD

_BLANK = r"^\s*$"
_TWO_LETTERS = r"^[A-Z]{2}$"
_MIN_CODE_SHARE = 0.9
_MIN_WORD_SHARE = 0.001
_SURNAME = re.compile("Null|None|Nil")
_MAX_SURNAME_SHARE = 0.1
_FEW_LEVELS, _MIN_PER_LEVEL = 12, 5


@dataclass(frozen=True)
class DisguisedNulls(Detector):
    """Values that are only a placeholder for a missing value: signs (``-``, ``N/A``), blanks, words.

    ``NA`` among two-letter codes (Namibia) is not a placeholder, nor are words such as ``Unknown`` in at
    most one row of a thousand (it may be the title of a film), surnames such as Null, and the level None
    among a few levels. If a column has such placeholders, other words that
    :class:`~lavendertown.detectors.Placeholders` knows belong to the same finding.
    """

    check: ClassVar[str] = "disguised_nulls"
    title: ClassVar[str] = "Disguised empty values"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns that may have text, also those in which only a few or no cells are text."""
        return [column for column in table.schema if may_have_text(column)]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows whose text is a placeholder."""
        assert column is not None
        if not has_text(column):
            return None
        value = nw.col(column.text_key or column.key)
        sign, word = value.str.contains(NULL_SIGN), value.str.contains(NULL_WORD)
        na = value == nw.lit("NA")
        facts = yield RowCounts(column.text_key or column.key, _list_facts)
        count, rows = int(facts["signs"] or 0), sign
        if count or facts["words"]:
            counted: CountedValues = yield ValueCounts(column.text_key or column.key)
            if levels := _find_real_words(column, counted):
                word = word & ~value.is_in(levels)
                facts = {**facts, "words": int(facts["words"]) - counted.count_rows(levels)}
            others = find_text_stand_ins(column.name, counted)
        if _na_is_a_code(facts):
            count, rows = count - int(facts["na"]), rows & ~na
        if int(facts["words"] or 0) > _MIN_WORD_SHARE * int(facts["present"]):
            count, rows = count + int(facts["words"]), rows | word
        if not count:
            return None
        if others:
            count, rows = count + counted.count_rows(others), rows | value.is_in(others)
        written = nw.when(rows & ~value.str.contains(_BLANK)).then(value)
        words = yield Aggregates({"first": written.min(), "last": written.max()})
        total = table.row_count
        return Detection(
            "disguised_null",
            severity_of_missing(count / total),
            f"{column.name} {_describe_values(words['first'], words['last'])} in "
            f"{format_row_share(count, total)}.",
            count,
            rows,
            sample_column=column.text_key or column.key,
            metadata={"total_count": total},
        )


def _list_facts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "present": ~value.is_null(),
        "signs": value.str.contains(NULL_SIGN),
        "words": value.str.contains(NULL_WORD),
        "na": value == nw.lit("NA"),
        "codes": value.str.contains(_TWO_LETTERS),
    }


def _find_real_words(column: Column, counted: CountedValues) -> list[str]:
    """Return words that are right here: the level None among a few levels, and surnames such as Null."""
    counts = counted.by_value()
    total = sum(counts.values())
    others = [value for value in counts if not re.search(DISGUISED_NULL, value)]
    if is_proper_name(column.name):
        return [v for v in counts if _SURNAME.fullmatch(v) and counts[v] <= _MAX_SURNAME_SHARE * total]
    if not 2 <= len(others) <= _FEW_LEVELS or sum(counts[v] for v in others) < _MIN_PER_LEVEL * len(others):
        return []
    levels = [value for value in counts if value.lower() == "none"]
    return levels if len(levels) == 1 and all(_is_styled_like(levels[0], other) for other in others) else []


def _is_styled_like(level: str, other: str) -> bool:
    return level[0].isupper() == other[0].isupper() and level[1:].isupper() == other[1:].isupper()


def _na_is_a_code(facts: dict[str, Any]) -> bool:
    na, codes = int(facts["na"] or 0), int(facts["codes"] or 0)
    others = int(facts["present"]) - int(facts["signs"] or 0) - int(facts["words"] or 0) + na
    return 0 < na < codes and codes >= _MIN_CODE_SHARE * others


def _describe_values(first: str | None, last: str | None) -> str:
    if first is None or last is None:
        return "has only spaces or empty text"
    same = first.strip() == last.strip()
    if same:
        return f"has the placeholder '{first.strip()}'"
    return f"has placeholders such as '{first.strip()}' and '{last.strip()}'"
