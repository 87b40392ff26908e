"""Missing values that are written out: N/A, -, none, spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    Candidate,
    Detector,
    Examination,
    count,
    of_rows,
    severity_of_missing,
)
from lavendertown.tables import Column, Table
from lavendertown.tables.patterns import NULL_SIGN, NULL_WORD

_BLANK = r"^\s*$"
_TWO_LETTERS = r"^[A-Z]{2}$"
_MOSTLY = 0.9
_WORDS_BY_CHANCE = 0.001


@dataclass(frozen=True)
class DisguisedNulls(Detector):
    """Text that stands for a missing value, as a whole: signs (``-``, ``N/A``), blanks, words.

    ``NA`` among two-letter codes (Namibia) is left alone, and so are words such as ``Unknown`` in
    fewer than one row in a thousand: a film may be called so.
    """

    check: ClassVar[str] = "disguised_nulls"
    title: ClassVar[str] = "Disguised empty values"

    def targets(self, table: Table) -> Sequence[Column | None]:
        """Text columns."""
        return [column for column in table.schema if column.kind == "text"]

    def examine(self, table: Table, column: Column | None) -> Examination:
        """Find the rows whose text is a stand-in."""
        assert column is not None
        value = nw.col(column.key)
        sign, word = value.str.contains(NULL_SIGN), value.str.contains(NULL_WORD)
        na = value == nw.lit("NA")
        facts = yield Aggregates(
            {
                "present": value.count(),
                "signs": count(sign),
                "words": count(word),
                "na": count(na),
                "codes": count(value.str.contains(_TWO_LETTERS)),
            }
        )
        found, rows = int(facts["signs"] or 0), sign
        if _na_is_a_code(facts):
            found, rows = found - int(facts["na"]), rows & ~na
        if int(facts["words"] or 0) > _WORDS_BY_CHANCE * int(facts["present"]):
            found, rows = found + int(facts["words"]), rows | word
        if not found:
            return None
        written = nw.when(rows & ~value.str.contains(_BLANK)).then(value)
        words = yield Aggregates({"first": written.min(), "last": written.max()})
        total = table.row_count
        return Candidate(
            "disguised_null",
            severity_of_missing(found / total),
            f"{column.name} {_what(words['first'], words['last'])} in {of_rows(found, total)}, "
            "which stands for a missing value.",
            found,
            rows,
            sample=column.key,
            metadata={"total_count": total},
        )


def _na_is_a_code(facts: dict[str, Any]) -> bool:
    na, codes = int(facts["na"] or 0), int(facts["codes"] or 0)
    others = int(facts["present"]) - int(facts["signs"] or 0) - int(facts["words"] or 0) + na
    return 0 < na < codes and codes >= _MOSTLY * others


def _what(first: str | None, last: str | None) -> str:
    if first is None or last is None:
        return "holds only spaces or empty text"
    same = first.strip() == last.strip()
    return f"says '{first.strip()}'" if same else f"says '{first.strip()}', '{last.strip()}' or the like"
