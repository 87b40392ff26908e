"""Find the times without a time zone in columns whose other times have one."""

from __future__ import annotations

import narwhals as nw

from lavendertown.detectors.base import Aggregates, ColumnAggregates, QuerySteps, count_where
from lavendertown.tables import Column

_ENDS_WITH_CLOCK = r"[0-9]:[0-9]{2}(?:[.,][0-9]+)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*$"
_ENDS_WITH_ZONE = r"[0-9]:[0-9]{2}.*(?:Z|[+-][0-9]{2}:?[0-9]{2}|[A-Z]{3,4}|/[A-Za-z0-9_+-]+\]?)\s*$"


def count_missing_zones(column: Column) -> QuerySteps[int]:
    """Return the number of times that were not converted because only the others have a time zone."""
    if column.kind != "time" or column.text_key is None:
        return 0
    facts = yield ColumnAggregates(column.key, _count_zones, column.text_key)
    return int(facts["without"] or 0) if facts["zoned"] else 0


def lacks_zone(column: Column) -> nw.Expr:
    """Return the condition for a time that was not converted and ends without a time zone."""
    assert column.text_key is not None
    return _lacks_zone(nw.col(column.key), nw.col(column.text_key))


def _lacks_zone(value: nw.Expr, text: nw.Expr) -> nw.Expr:
    return value.is_null() & ~text.is_null() & text.str.contains(_ENDS_WITH_CLOCK)


def _count_zones(value: nw.Expr, text: nw.Expr) -> Aggregates:
    zoned = ~value.is_null() & text.str.contains(_ENDS_WITH_ZONE)
    return Aggregates({"zoned": count_where(zoned), "without": count_where(_lacks_zone(value, text))})
