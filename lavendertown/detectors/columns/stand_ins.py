"""Find values that stand for a missing one, such as -999, 1900-01-01 and TBD.

Several checks ask: one reports them, others leave them out.
"""

from __future__ import annotations

import datetime as dt
import re
import statistics
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from lavendertown.detectors.base import (
    Aggregates,
    ColumnAggregates,
    CountedValues,
    QuerySteps,
    Sample,
    ValueCounts,
    count_where,
)
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import (
    is_calendar,
    is_coordinate,
    is_identifier,
    is_proper_name,
)
from lavendertown.tables.inference.patterns import DISGUISED_NULL

_RUNS = [10**digits - 1 for digits in range(2, 10)] + [99.9, 99.99, 999.9, 999.99, 9999.9, 9999.99]
_REPEATED = [888, 8888, 88888, 777, 7777, 77777, 66666, 55555]
_LIMITS = [32767, -32768, 65535, 2147483647, -2147483648, 4294967295]
_TYPED = [111111, 1111111, 12345, 123456, 1234567, 12345678, 123456789]
_CODES = [0, -1, -9, -9998, -9990, -88, -77]
_NUMBERS = frozenset(
    float(each) for each in (*_RUNS, *(-run for run in _RUNS), *_REPEATED, *_LIMITS, *_TYPED, *_CODES)
)
_MIN_REPEATS, _MIN_EXTREME_REPEATS = 2, 3
_MIN_BODY, _MIN_DISTINCT, _MIN_DENSE = 20, 8, 30
_GAP, _SPIKE = 0.25, 8.0
_NEIGHBOURS = 5
_MAX_ZERO_SHARE, _MAX_SHARE = 0.2, 0.5
_MIN_ROWS_OF_ZERO = 100
_ZERO_GAP, _ZERO_STEPS = 0.25, 4
"""Zero is far away if the least other value is at least this share of the median, and this many steps."""

_MIN_COUNT_SHARE = 0.002
"""The share of the values from which on -1 is a placeholder next to 0 and 1."""

_DATES = {
    (1, 1, 1), (1111, 11, 11), (1677, 9, 21), (1753, 1, 1), (1800, 1, 1), (1899, 12, 30),
    (1899, 12, 31), (1900, 1, 1), (1900, 1, 31), (1901, 1, 1), (1904, 1, 1), (1910, 1, 1), (1950, 1, 1),
    (1969, 12, 31), (1970, 1, 1), (1980, 1, 1), (1999, 9, 9), (1999, 12, 31), (2000, 1, 1), (2038, 1, 19),
    (2050, 12, 31), (2079, 6, 6), (2099, 1, 1), (2099, 12, 31), (2100, 1, 1), (2199, 12, 31), (2200, 1, 1),
    (2222, 2, 2), (2262, 4, 11), (2500, 12, 31), (2999, 1, 1), (2999, 12, 31), (3000, 1, 1), (3000, 12, 31),
    (4000, 12, 31), (4712, 12, 31), (5000, 12, 31), (8888, 12, 31), (9999, 1, 1), (9999, 9, 9),
    (9999, 12, 30), (9999, 12, 31),
}  # fmt: skip

_SURE_WORDS = re.compile(
    r"t\.?b\.?[acd]\.?|to be (?:determined|defined|confirmed|announced|done)|todo|n\.\s?n\.?"
    r"|n/?k|n/?v|n/?d|unk|unkn"
    r"|not (?:known|specified|provided|given|recorded|entered|set|stated|reported)"
    r"|unspecified|undetermined|unnamed|no (?:data|value|info|information|entry|name|answer|response)|nodata"
    r"|keine? (?:angaben?|daten?|wert)|k\.\s?a\.?|unbekannt|inconnue?"
    r"|desconocid[oa]"
    r"|sconosciut[oa]|onbekend|ok[äa]nd|ukendt|nieznan[yae]|desconhecid[oa]|sin datos|non renseigné"
    r"|(?:to )?be filled|fill (?:me|in)"
    r"|change ?me|placeholder|lorem ipsum.*|asdf+|qwert[yz]|foo ?bar|\(blank\)|\(empty\)|\(none\)|\[null\]"
    r"|<(?:unknown|blank|empty|none|missing)>|#(?:value|ref|name|num|div/0|null)[!?]?|null value|#+"
    r"|x{2,}|\*{2,}|_+|-{2,}|\?[?!]+|\.{2,}|x{1,4}[-/. ]x{2,4}(?:[-/. ]x{2,4})*|n/a .*|<na>|\$null\$",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"test(?:ing|e|er)?\d*|dummy\d*|default|sample|example|blank|empty|abc|xyz|foo|bar|delete ?me|temp"
    r"|invalid|none|null|unknown|unassigned|do not use|other/unknown",
    re.IGNORECASE,
)
_LONGEST_ROMAN = 5
_ROMAN = re.compile(r"[IVX]{1,5}")
_SHORT = re.compile(r"[^\W\d_]{1,4}")
_NO_DIGIT = re.compile(r"\D+")
_LONGEST_WORD, _LONGEST_STAND_IN = 20, 40
_DISGUISED_NULL = re.compile(DISGUISED_NULL)
_MAX_WORD_SHARE = 0.05
_FEW_LEVELS = 12
_MAIL = re.compile(
    r"(?:test|dummy|none|null|na|n/a|no|noemail|no-?reply|nomail|noone|nobody|unknown|xxx*|asdf|a|abc|foo"
    r"|user|someone|example|email|mail|fake|your\.?email|john\.?doe|missing|default)@"
    r"(?:test|example|dummy|none|null|na|no|noemail|nomail|unknown|xxx*|asdf|a|b|abc|bar|email|mail|fake|domain"
    r"|company|localhost|nowhere|missing|invalid|default)(?:\.[a-z]{1,7})+",
    re.IGNORECASE,
)
_PHONE_DIGITS = re.compile(r"(?:\+?\d{1,3})??(\d)\1{5,}|0?123456\d*|(?:\+?\d{1,3})?5550?1\d\d|9876543\d*")
_PHONE = re.compile(r"[+\d][\d ()./-]{5,}")
_SAME_DIGITS = re.compile(r"9{4,}|0{4,}|1{5,}")


def find_number_stand_ins(table: Table, column: Column) -> QuerySteps[list[float]]:
    """Return the numbers of a number column that stand for a missing value, in ascending order.

    These are usual ones (-999, 9999) and any repeated extreme number, if they stand apart from the others:
    by a gap of more than a quarter of the interquartile range, or by being 8 times as frequent as their
    neighbours. Labels have no neighbours: there, only runs of nines count that are frequent.
    """
    if table.row_count < _MIN_BODY or is_calendar(column.name) or is_coordinate(column.name):
        return []
    facts = yield ColumnAggregates(column.key, _list_facts)
    if int(facts["present"]) < _MIN_BODY:
        return []
    if int(facts["usual"] or 0) < _MIN_REPEATS:
        value = nw.col(column.key).cast(nw.Float64)
        ends = yield Aggregates(
            {name: count_where(value == nw.lit(float(facts[name]))) for name in ("least", "most")}
        )
        if max(int(ends["least"] or 0), int(ends["most"] or 0)) < _MIN_EXTREME_REPEATS:
            return []
    counted: CountedValues = yield ValueCounts(column.key)
    counts = {float(each): count for each, count in counted.by_value().items()}
    return _find_labels(counts) if is_identifier(column.name) else _find_numbers(counts)


def _list_facts(number: nw.Expr) -> Aggregates:
    value = number.cast(nw.Float64)
    return Aggregates(
        {
            "present": value.count(),
            "usual": count_where(value.is_in(sorted(_NUMBERS))),
            "least": value.min(),
            "most": value.max(),
        }
    )


def _find_labels(counts: Mapping[float, int]) -> list[float]:
    nines = [each for each in counts if each in _NUMBERS and _SAME_DIGITS.fullmatch(f"{abs(each):.0f}")]
    usual = statistics.median(counts.values())
    most = max((count for each, count in counts.items() if each not in nines), default=0)
    return sorted(each for each in nines if counts[each] >= max(3, _SPIKE * usual, 2 * most))


def _find_numbers(counts: Mapping[float, int]) -> list[float]:
    usual = {each for each in counts if each in _NUMBERS}
    body = sorted(each for each in counts if each not in usual)
    if len(body) < _MIN_DISTINCT or sum(counts[each] for each in body) < _MIN_BODY:
        return []
    quartiles = _weighted_quartiles(body, counts)
    gap = _GAP * (quartiles[2] - quartiles[0])
    total = sum(counts.values())
    found = {each for each in usual if _is_stand_in(each, counts, body, quartiles, gap, total)}
    if len(body) >= _MIN_DENSE:
        found |= {
            each for each in (body[0], body[-1]) if _is_repeated_extreme(each, counts, body, gap, total)
        }
    return sorted(found)


def _is_stand_in(
    value: float,
    counts: Mapping[float, int],
    body: Sequence[float],
    quartiles: Sequence[float],
    gap: float,
    total: int,
) -> bool:
    count = counts[value]
    if count < _MIN_REPEATS or count > _MAX_SHARE * total:
        return False
    if value == 0:
        step = (body[len(body) // 4] - body[0]) / max(1, len(body) // 4)
        is_far = (
            total >= _MIN_ROWS_OF_ZERO
            and body[0] > 0
            and body[0] >= max(gap, _ZERO_GAP * quartiles[1], _ZERO_STEPS * step)
        )
        return is_far and count >= _MIN_EXTREME_REPEATS and count <= _MAX_ZERO_SHARE * total
    if value < 0 <= body[0]:
        return body[0] - value > gap or count >= _MIN_COUNT_SHARE * total
    if value > 0 and count < _MIN_EXTREME_REPEATS:
        return False
    if value < body[0] - gap or value > body[-1] + gap:
        dense = (body[-1] - body[0]) / len(body)
        return value < 0 or value - body[-1] > 4 * dense
    if abs(value) < 999 or value != round(value):
        return False
    repeats = max(_MIN_REPEATS * 2, 0.003 * total, _SPIKE * _usual_count(value, counts, body))
    if count < repeats:
        return False
    return count >= 3 * max((n for each, n in counts.items() if each not in (value, 0)), default=0)


def _is_repeated_extreme(
    value: float, counts: Mapping[float, int], body: Sequence[float], gap: float, total: int
) -> bool:
    count, rest = counts[value], [each for each in body if each != value]
    distance = rest[0] - value if value < rest[0] else value - rest[-1]
    far = max(4 * gap, (rest[-1] - rest[0]) / 2)
    repeats = max(_MIN_EXTREME_REPEATS, 0.005 * total, _usual_count(value, counts, rest))
    return value != 0 and distance > far and repeats <= count <= _MAX_SHARE * total


def _usual_count(value: float, counts: Mapping[float, int], body: Sequence[float]) -> float:
    place = bisect_left(body, value)
    return max(counts[each] for each in body[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS])


def _weighted_quartiles(body: Sequence[float], counts: Mapping[float, int]) -> list[float]:
    found: list[float] = []
    total, passed = sum(counts[each] for each in body), 0
    for each in body:
        passed += counts[each]
        while len(found) < 3 and passed >= (len(found) + 1) * total / 4:
            found.append(each)
    return found


def count_days(column: Column) -> QuerySteps[dict[Any, int]]:
    """Return the days of a column of dates or times with their counts; empty if it holds times of day."""
    sample: SampledRows = yield Sample()
    if not isinstance(sample.frame[column.key].dtype, pl.Date | pl.Datetime):
        return {}
    counted: CountedValues = yield ValueCounts(column.key, by_day=True)
    return dict(sorted(counted.by_value().items()))


def day_of(column: Column) -> nw.Expr:
    """Return the start of the day of a date or time."""
    return nw.col(column.key).dt.truncate("1d")


def find_date_stand_ins(counts: Mapping[Any, int]) -> list[Any]:
    """Return the days that stand for a missing date, such as 1900-01-01, if repeated and apart.

    Args:
        counts: The result of :func:`count_days`.
    """
    days = {day.toordinal(): count for day, count in counts.items()}
    usual = {day for day in days if _date_key(dt.date.fromordinal(day)) in _DATES}
    body = sorted(day for day in days if day not in usual)
    total = sum(days.values())
    # The ends of the calendar stand for a missing date whatever the others are.
    ends = {
        day
        for day in usual
        if dt.date.fromordinal(day).year in (dt.MINYEAR, dt.MAXYEAR)
        and _MIN_REPEATS <= days[day] <= _MAX_SHARE * total
    }
    if not usual or len(body) < _MIN_DISTINCT or sum(days[day] for day in body) < _MIN_BODY:
        return [day for day in counts if day.toordinal() in ends]
    quartiles = _weighted_quartiles(body, days)
    most = max(days[day] for day in body)
    gap = max(_GAP * (quartiles[2] - quartiles[0]), 30)
    found = {
        day
        for day in usual
        if _MIN_REPEATS <= days[day] <= _MAX_SHARE * total
        and (
            not body[0] - gap <= day <= body[-1] + gap
            or days[day] >= max(_MIN_EXTREME_REPEATS, _SPIKE * _usual_count(day, days, body), 3 * most)
        )
    }
    return [day for day in counts if day.toordinal() in found | ends]


def _date_key(date: dt.date) -> tuple[int, int, int]:
    return date.year, date.month, date.day


def find_text_stand_ins(name: str, counted: CountedValues) -> list[str]:
    """Return the texts that stand for a missing one, such as TBD, xxx and test@test.com.

    Words of :data:`~lavendertown.tables.inference.patterns.DISGUISED_NULL` are left to the check for these.
    Words that may be right, such as Test, count only where they are rare, the column has many different
    values, and does not hold names of people or works.
    """
    return counted.derive("text stand-ins", lambda: _find_text_stand_ins(name, counted))


def is_disguised_null(text: str) -> bool:
    """Return whether the check of disguised empty values knows the text."""
    is_long_word = len(text) > _LONGEST_WORD and text[0].isalnum()
    return not is_long_word and _DISGUISED_NULL.search(text) is not None


def find_disguised_nulls(counted: CountedValues) -> frozenset[str]:
    """Return the values that the check of disguised empty values knows."""
    return counted.derive("disguised nulls", lambda: frozenset(filter(is_disguised_null, counted.values)))


def _find_text_stand_ins(name: str, counted: CountedValues) -> list[str]:
    total = sum(counted.counts)
    disguised = find_disguised_nulls(counted)
    levels = len(counted.values) - len(disguised)
    # XX and XXX are numbers where there are other Roman numbers.
    brief = [value for value in counted.values if len(value) <= _LONGEST_ROMAN]
    are_roman = sum(1 for value in brief if _ROMAN.fullmatch(value) and set(value) != {"X"}) > 1
    # ND and UNK may be right among chemical elements and airports.
    short = sum(1 for value in brief if _SHORT.fullmatch(value))
    are_short = levels > _FEW_LEVELS and short > 0.5 * len(counted.values)
    found = []
    for value, count in counted.by_value().items():
        text = value.strip()
        if len(text) > _LONGEST_STAND_IN or count > _MAX_SHARE * total or value in disguised:
            continue
        if _SURE_WORDS.fullmatch(text):
            if (are_roman or is_proper_name(name)) and _ROMAN.fullmatch(text):
                continue
            if set(text) == {"X"} and sum(len(value) == len(text) for value in counted.values) > levels / 2:
                continue  # an unknown code among codes, which the check of shapes reports
            if are_short and _SHORT.fullmatch(text):
                continue
            found.append(value)
        elif _WORDS.fullmatch(text):
            may_be_right = levels <= _FEW_LEVELS or (is_proper_name(name) and text[:1].isupper())
            if count <= _MAX_WORD_SHARE * total and not may_be_right:
                found.append(value)
        elif "@" in text and _MAIL.fullmatch(text):
            found.append(value)
    return found + _find_codes(counted)


def _find_codes(counted: CountedValues) -> list[str]:
    """Return phone numbers and codes that are one repeated digit, such as 000-0000 and C-99999."""
    digits = {value: _NO_DIGIT.sub("", value) for value in counted.values if len(value) <= 25}
    with_digits = [value for value, only in digits.items() if len(only) >= 4]
    if len(with_digits) < max(_MIN_DISTINCT, 0.5 * len(counted.values)):
        return []
    counts = counted.by_value()
    phones = sum(1 for value in with_digits if _PHONE.fullmatch(value.strip()))
    are_phones = phones >= 0.8 * len(with_digits) and statistics.median(map(len, with_digits)) >= 8
    if are_phones:
        defaults = [value for value in with_digits if _PHONE_DIGITS.fullmatch(digits[value])]
        # If most numbers look like this, it is the notation of the column, not a placeholder.
        return defaults if counted.count_rows(defaults) <= _MAX_SHARE * sum(counted.counts) else []
    usual = statistics.median(counts[value] for value in with_digits)
    highest = max(
        (only for value, only in digits.items() if not _SAME_DIGITS.fullmatch(only)),
        key=lambda only: (len(only), only),
        default="",
    )
    found = []
    for value in with_digits:
        only = digits[value]
        if not _SAME_DIGITS.fullmatch(only) or counts[value] < _MIN_EXTREME_REPEATS:
            continue
        beyond = (
            only[0] == "9" and (len(only), only) > (len(highest), highest) and len(only) <= len(highest) + 1
        )
        if beyond or counts[value] >= _SPIKE * usual:
            found.append(value)
    return found
