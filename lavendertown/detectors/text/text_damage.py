"""Detect damaged text: mojibake, replacement signs, invisible signs, entities, stray blanks."""

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
)
from lavendertown.detectors.text.text_faults import COSMETIC, find_text_faults
from lavendertown.tables import Column, Table

_MAX_NAMED = 3


@dataclass(frozen=True)
class TextDamage(Detector):
    """Text that lost or gained signs on its way.

    Reported are UTF-8 read as Latin-1 (``MÃ¼ller``), the replacement sign, invisible and control signs,
    entities and tags of HTML, escapes (``%20``), a word with letters of two scripts, question marks for
    letters, and stray, double and unusual blanks. What is usual in a column is left alone, and blanks
    that make another spelling of a category are left to
    :class:`~lavendertown.detectors.CategoryVariants` if it reports the column.
    """

    check: ClassVar[str] = "text_damage"
    title: ClassVar[str] = "Damaged text"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns."""
        return [column for column in table.schema if column.kind == "text" and not column.kinds_key]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with damaged text."""
        assert column is not None
        counted: CountedValues = yield ValueCounts(column.key)
        damaged = find_text_faults(column.name, counted).damaged
        if not damaged:
            return None
        counts: dict[str, int] = {}
        for value, rows in counted.by_value().items():
            if value in damaged:
                counts[damaged[value]] = counts.get(damaged[value], 0) + rows
        count = sum(counts.values())
        kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))
        named = ", ".join(kinds[:_MAX_NAMED]) + (" and more" if len(kinds) > _MAX_NAMED else "")
        return Detection(
            "format",
            "info" if COSMETIC.issuperset(kinds) else "warning",
            f"{column.name} has damaged text in {format_row_share(count, table.row_count)}: {named}.",
            count,
            nw.col(column.key).is_in(sorted(damaged)),
            sample_column=column.key,
            metadata={
                "damage": counts,
                "total_count": table.row_count,
            },
        )
