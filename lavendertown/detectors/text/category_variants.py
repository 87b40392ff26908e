"""Detect categories that are spelled in several ways: Berlin, berlin, Berlni."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    ValueCounts,
    format_row_share,
    format_value,
)
from lavendertown.detectors.text.text_faults import find_text_faults
from lavendertown.tables import Column, Table

_MAX_LISTED = 20


@dataclass(frozen=True)
class CategoryVariants(Detector):
    """Values that are another spelling of a more frequent one: they split a group in two.

    Spellings differ in case, blanks, signs or width of letters, or by a typing error of one or two letters
    if the usual spelling is at least 8 times as frequent. Numbers and words of up to two letters must be
    equal (Item 1 and Item 2 are different), as must the first letter. Typing errors are not sought in names
    of people and in columns with many rare values: Hansen and Hanson are both right.
    """

    check: ClassVar[str] = "category_variants"
    title: ClassVar[str] = "Spellings of categories"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns."""
        return [column for column in table.schema if column.kind == "text" and not column.kinds_key]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with the rarer spelling."""
        assert column is not None
        counted: CountedValues = yield ValueCounts(column.key)
        spellings = find_text_faults(column.name, counted).spellings
        if not spellings:
            return None
        rarer = {v: n for v, n in counted.by_value().items() if v in spellings}
        count, first = sum(rarer.values()), next(iter(rarer))
        return Detection(
            "category",
            "warning",
            f"{column.name} is spelled in another way in {format_row_share(count, table.row_count)}: "
            f"'{format_value(first)}' instead of '{format_value(spellings[first])}'"
            f"{' and others' if len(rarer) > 1 else ''}.",
            count,
            nw.col(column.key).is_in(sorted(rarer)),
            sample_column=column.key,
            metadata={
                "spellings": {value: spellings[value] for value in list(rarer)[:_MAX_LISTED]},
                "total_count": table.row_count,
            },
        )
