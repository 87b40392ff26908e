"""Detect values of the wrong type: numbers and dates stored as text, stray text, mixed cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    Aggregates,
    ColumnAggregates,
    Detection,
    DetectionSteps,
    Detector,
    RowCounts,
    count_where,
    format_row_share,
    has_text,
    may_have_text,
)
from lavendertown.detectors.columns.missing_zones import count_missing_zones, lacks_zone
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.column_names import is_identifier

_NUMBER = f"{patterns.NUMBER}|{patterns.INFINITE}"
_MIN_VALUES = 3
_MIN_SHARE = 0.9
_SMALL_COLUMN = 50
_MIN_SHARE_IN_SMALL = 0.75
_KINDS = ("number", "date", "yes/no", "nested", "text")
_KIND_NAMES = {"number": "number", "time": "date", "boolean": "yes/no"}
_PLURAL = {"number": "numbers", "date": "dates", "yes/no": "yes/no values", "nested": "lists or objects"}


@dataclass(frozen=True)
class Types(Detector):
    """Values of the wrong type, at most one finding per column.

    ``metadata["fault"]`` is ``stored_as_text``, ``stray``, ``mixed`` or ``mixed_formats``.
    """

    check: ClassVar[str] = "types"
    title: ClassVar[str] = "Types"
    checks_values: ClassVar[bool] = True
    reports_missing_zones: ClassVar[bool] = False

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns in which cells may have the wrong type, typed ones included."""
        return [column for column in table.schema if may_have_text(column)]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows whose type differs from most rows, or all rows if numbers are stored as text."""
        assert column is not None
        if not has_text(column):
            return None
        if column.kinds_key:
            return (yield from _check_mixed_cells(table, column, column.kinds_key))
        if column.text_key:
            return (
                yield from _check_written_cells(table, column, column.text_key, self.reports_missing_zones)
            )
        first = yield RowCounts(column.key, _list_facts)
        values = int(first["present"]) - int(first["missing"] or 0)
        if values < _MIN_VALUES or not _is_most(int(first["likely"] or 0), values):
            return None
        facts = yield RowCounts(column.key, _count_kinds)
        return _detect_wrong_type(table, column, facts, values)


@dataclass(frozen=True)
class TypesAndZones(Types):
    """The same check where :class:`~lavendertown.detectors.Dates` does not run.

    Times without a time zone, which were not converted because the others have one, would be reported by
    neither.
    """

    reports_missing_zones: ClassVar[bool] = True


def _list_facts(value: nw.Expr) -> dict[str, nw.Expr]:
    missing = value.str.contains(patterns.DISGUISED_NULL)
    return {
        "present": ~value.is_null(),
        "missing": missing,
        "likely": value.str.contains(patterns.NUMBER_OR_DATE_START) & ~missing,
    }


def _count_kinds(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "number": value.str.contains(_NUMBER),
        "date": value.str.contains(patterns.DATE),
        "code": value.str.contains(patterns.CODE),
    }


def _is_most(hits: int, values: int) -> bool:
    least = _MIN_SHARE_IN_SMALL if values <= _SMALL_COLUMN and values - hits <= 2 else _MIN_SHARE
    return hits >= least * values


def _detect_wrong_type(
    table: Table, column: Column, facts: Mapping[str, Any], values: int
) -> Detection | None:
    kind = "date" if int(facts["date"] or 0) > int(facts["number"] or 0) else "number"
    hits = int(facts[kind] or 0)
    if not _is_most(hits, values) or (kind == "number" and facts["code"]):
        return None
    value = nw.col(column.key)
    fits = value.str.contains(_NUMBER if kind == "number" else patterns.DATE)
    if hits == values:
        if kind == "number" and is_identifier(column.name):
            return None  # ids are labels, which are correct as text
        return _stored_as_text(table, column, kind, hits, fits) if kind in column.declared else None
    rows = ~value.is_null() & ~fits & ~value.str.contains(patterns.DISGUISED_NULL)
    return _report_strays(table, column, column.key, kind, values - hits, rows)


def _report_strays(
    table: Table, column: Column, text_key: str, kind: str, stray: int, rows: nw.Expr
) -> Detection:
    return Detection(
        "type",
        "warning",
        f"{column.name} has {_PLURAL[kind]}, but {format_row_share(stray, table.row_count)} "
        f"{'has' if stray == 1 else 'have'} another value.",
        stray,
        rows,
        sample_column=text_key,
        metadata={"fault": "stray", "expected": kind, "total_count": table.row_count},
    )


def _check_written_cells(
    table: Table, column: Column, text_key: str, reports_missing_zones: bool
) -> DetectionSteps:
    """Check a column that was converted from text: cells that do not fit, and dates in several formats."""
    written = _is_written(nw.col(text_key))
    rows = written & nw.col(column.key).is_null()
    facts = yield ColumnAggregates(column.key, _count_written, text_key)
    stray = int(facts["stray"] or 0)
    if column.kind == "time":
        formats = yield ColumnAggregates(text_key, _count_formats)
        counts = {name: int(number) for name, number in formats.items() if number}
        if len(counts) > 1:
            return _report_formats(table, column, text_key, counts, int(facts["all"]), written)
    missing_zones = 0 if reports_missing_zones else (yield from count_missing_zones(column))
    if missing_zones:  # Dates reports these.
        stray, rows = stray - missing_zones, rows & ~lacks_zone(column)
    kind = _KIND_NAMES.get(column.kind, "text")
    return _report_strays(table, column, text_key, kind, stray, rows) if stray else None


def _is_written(text: nw.Expr) -> nw.Expr:
    return ~text.is_null() & ~text.str.contains(patterns.DISGUISED_NULL)


def _count_written(value: nw.Expr, text: nw.Expr) -> Aggregates:
    written = _is_written(text)
    return Aggregates({"stray": count_where(written & value.is_null()), "all": count_where(written)})


def _count_formats(text: nw.Expr) -> Aggregates:
    written = _is_written(text)
    return Aggregates(
        {
            name: count_where(written & text.str.contains(pattern))
            for name, pattern in patterns.DATE_FORMATS.items()
        }
    )


def _report_formats(
    table: Table, column: Column, text_key: str, counts: Mapping[str, int], values: int, written: nw.Expr
) -> Detection:
    usual = max(counts, key=lambda name: counts[name])
    odd = values - counts[usual]
    return Detection(
        "date",
        "warning",
        f"{column.name} mixes date formats: most are written as {usual}, but "
        f"{format_row_share(odd, table.row_count)} {'is' if odd == 1 else 'are'} not.",
        odd,
        written & ~nw.col(text_key).str.contains(patterns.DATE_FORMATS[usual]),
        sample_column=text_key,
        metadata={"fault": "mixed_formats", "formats": dict(counts), "total_count": table.row_count},
    )


def _stored_as_text(table: Table, column: Column, kind: str, hits: int, fits: nw.Expr) -> Detection:
    return Detection(
        "type",
        "warning" if kind == "number" else "info",
        f"{column.name} has {_PLURAL[kind]} stored as text: {format_row_share(hits, table.row_count)}.",
        hits,
        fits,
        sample_column=column.key,
        metadata={"fault": "stored_as_text", "expected": kind, "total_count": table.row_count},
    )


def _check_mixed_cells(table: Table, column: Column, kinds_key: str) -> DetectionSteps:
    kind, value = nw.col(kinds_key), nw.col(column.key)
    real = ~value.is_null() & ~value.str.contains(patterns.DISGUISED_NULL)
    text = real & (kind == nw.lit("text"))
    facts = yield Aggregates(
        {
            "all": count_where(real),
            **{name: count_where(real & (kind == nw.lit(name))) for name in _KINDS},
            "number as text": count_where(text & value.str.contains(patterns.NUMBER)),
            "date as text": count_where(text & value.str.contains(patterns.DATE)),
            "code": count_where(text & value.str.contains(patterns.CODE)),
        }
    )
    usual = _usual_kind({name: int(number or 0) for name, number in facts.items()})
    odd = int(facts["all"] or 0) - int(facts[usual] or 0)
    if not odd:
        return None
    as_text = int(facts.get(f"{usual} as text") or 0)
    return Detection(
        "type",
        "warning",
        _mixed_sentence(column.name, usual, facts, format_row_share(odd, table.row_count)),
        odd,
        real & (kind != nw.lit(usual)),
        sample_column=column.key,
        metadata={
            "fault": "stored_as_text" if as_text == odd else "mixed",
            "expected": usual,
            "kinds": {name: int(facts[name]) for name in _KINDS if facts[name]},
            "total_count": table.row_count,
        },
    )


def _usual_kind(facts: Mapping[str, int]) -> str:
    """Return the kind that the cells of a column should have.

    This is the most frequent kind. But if text cells contain numbers or dates and other cells are real
    numbers or dates, the text is wrong even if it is more frequent. Codes such as 00123 are correct as text.
    """
    for kind in ("number", "date"):
        fitting = facts[kind] + facts[f"{kind} as text"]
        if facts[kind] and _is_most(fitting, facts["all"]) and not (kind == "number" and facts["code"]):
            return kind
    return max(_KINDS, key=lambda name: facts[name])


def _mixed_sentence(name: str, usual: str, facts: Mapping[str, Any], rows: str) -> str:
    kinds, of_usual = _PLURAL.get(usual, usual), int(facts[usual] or 0)
    odd = int(facts["all"]) - of_usual
    if int(facts.get(f"{usual} as text") or 0) == odd:
        return f"{name} has {kinds}, but {rows} {'has one' if odd == 1 else 'have them'} as text."
    share = "most" if of_usual > odd else f"{of_usual:,}"
    return f"{name} mixes kinds of values: {share} are {kinds}, but {rows} {'is' if odd == 1 else 'are'} not."
