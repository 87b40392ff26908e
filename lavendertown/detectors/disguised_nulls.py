"""Detect placeholders for missing values: N/A, -, none, spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    count_where,
    format_row_share,
    severity_of_missing,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.patterns import NULL_SIGN, NULL_WORD

_BLANK = r"^\s*$"
_TWO_LETTERS = r"^[A-Z]{2}$"
_MIN_CODE_SHARE = 0.9
_MIN_WORD_SHARE = 0.001


@dataclass(frozen=True)
class DisguisedNulls(Detector):
    """Values that are only a placeholder for a missing value: signs (``-``, ``N/A``), blanks, words.

    ``NA`` among two-letter codes (Namibia) is not a placeholder, nor are words such as ``Unknown`` in at
    most one row of a thousand: it may be the title of a film.
    """

    check: ClassVar[str] = "disguised_nulls"
    title: ClassVar[str] = "Disguised empty values"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns with text, also those in which only a few cells are text."""
        return [column for column in table.schema if column.kind == "text" or column.text_key]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows whose text is a placeholder."""
        assert column is not None
        value = nw.col(column.text_key or column.key)
        sign, word = value.str.contains(NULL_SIGN), value.str.contains(NULL_WORD)
        na = value == nw.lit("NA")
        facts = yield Aggregates(
            {
                "present": value.count(),
                "signs": count_where(sign),
                "words": count_where(word),
                "na": count_where(na),
                "codes": count_where(value.str.contains(_TWO_LETTERS)),
            }
        )
        count, rows = int(facts["signs"] or 0), sign
        if _na_is_a_code(facts):
            count, rows = count - int(facts["na"]), rows & ~na
        if int(facts["words"] or 0) > _MIN_WORD_SHARE * int(facts["present"]):
            count, rows = count + int(facts["words"]), rows | word
        if not count:
            return None
        written = nw.when(rows & ~value.str.contains(_BLANK)).then(value)
        words = yield Aggregates({"first": written.min(), "last": written.max()})
        total = table.row_count
        return Detection(
            "disguised_null",
            severity_of_missing(count / total),
            f"{column.name} {_describe_values(words['first'], words['last'])} in "
            f"{format_row_share(count, total)}, "
            "which stands for a missing value.",
            count,
            rows,
            sample_column=column.text_key or column.key,
            metadata={"total_count": total},
        )


def _na_is_a_code(facts: dict[str, Any]) -> bool:
    na, codes = int(facts["na"] or 0), int(facts["codes"] or 0)
    others = int(facts["present"]) - int(facts["signs"] or 0) - int(facts["words"] or 0) + na
    return 0 < na < codes and codes >= _MIN_CODE_SHARE * others


def _describe_values(first: str | None, last: str | None) -> str:
    if first is None or last is None:
        return "holds only spaces or empty text"
    same = first.strip() == last.strip()
    return f"says '{first.strip()}'" if same else f"says '{first.strip()}', '{last.strip()}' or the like"
