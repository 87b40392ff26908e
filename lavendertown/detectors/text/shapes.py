"""Detect texts in another format than the rest of their column."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    ColumnAggregates,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    ValueCounts,
    format_row_share,
)
from lavendertown.detectors.columns.stand_ins import find_disguised_nulls, find_text_stand_ins
from lavendertown.detectors.text.text_faults import find_text_faults
from lavendertown.detectors.text.validators import VALIDATORS, is_article_number
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns

_MIN_VALUES = 30
_MIN_VALID_SHARE = 0.9
_TRIED_VALUES, _MOST_TRIED_VALUES = 200, 2_000
_MIN_DATE_SHARE = 0.6
_MAX_FREQUENT, _MAX_FEW = 6, 2
_MIN_FREQUENT_SHARE = 0.05
_MIN_COVERAGE_OF_MANY = 0.985
_MIN_DIGIT_SHARE = 0.5
_FEW_VALUES = 30
_MAX_REPEATS, _MAX_REPEATED_SHARE = (2, 10), 0.005
"""Among few values, a shape that is repeated more often may be a rare category."""

_MAX_BLANKS = 3
_MAX_LETTERS = 4
_MIN_CAPITALS = 8
_MIN_ROWS_OF_FEW_VALUES = 200
_MAX_GAP, _MIN_NUMBERS = 20, 10
_NEARLY_FULL = 0.3
_MAX_LOST_ZEROS = 0.15
_MAX_NUMBERS = 0.02
_MAX_WORD_LENGTH = 30
_MAX_LISTED = 6
_ZIP = re.compile(r"zip|postal|postcode|plz|post_?code", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_ARTICLE_NUMBERS = (10_000_000, 10**14)


@dataclass(frozen=True)
class Shapes(Detector):
    """Texts that are not of the format that nearly all values of their column have.

    If 90% of the values are mail addresses, URLs, IP addresses, UUIDs, ISO codes, phone numbers, times of day
    or numbers with a correct checksum (IBAN, EAN, ISBN), the others are reported. Otherwise values are
    compared by shape: ``AA-9999`` for AB-1234, or ``A-9`` if lengths vary. Free text, words without digits,
    and numbers that only have more digits because they count on, are left alone.

    Attributes:
        min_coverage: The share of the values that one or two frequent shapes must cover.
    """

    check: ClassVar[str] = "shapes"
    title: ClassVar[str] = "Formats of text"
    checks_values: ClassVar[bool] = True
    min_coverage: float = 0.95

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the text columns, and the columns of whole numbers, which may be codes."""
        return [
            column
            for column in table.schema
            if (column.kind == "text" and not column.kinds_key)
            or (column.kind == "number" and column.integer)
        ]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows in another format."""
        assert column is not None
        if table.row_count < _MIN_VALUES:
            return NOT_CHECKED
        if column.kind == "number":
            return (yield from _check_codes(table, column))
        counted: CountedValues = yield ValueCounts(column.key)
        values = _values_to_compare(column, counted)
        total = sum(values.values())
        if total < _MIN_VALUES:
            return NOT_CHECKED
        odd, expected = _find_invalid(column.name, values, total)
        if not expected:
            if _is_checked_elsewhere(values):
                return NOT_CHECKED
            odd, expected = self._find_other_shapes(column.name, values, total)
        if not odd:
            return None
        return _create_detection(table, column, odd, values, expected)

    def _find_other_shapes(self, name: str, values: Mapping[str, int], total: int) -> tuple[list[str], str]:
        if _ZIP.search(name) and (lost := _find_lost_zeros(values, total)):
            return lost, "a code with its leading zero"
        numbers = _find_numbers_among_words(values, total)
        if numbers:
            return numbers, "a word"
        if not _are_codes(values, total):
            return [], ""
        if len(values) <= _FEW_VALUES and total < _MIN_ROWS_OF_FEW_VALUES:
            return [], ""
        for shape_of, is_exact in ((_exact_shape, True), (_short_shape, False)):
            if not is_exact and _have_words(values, total):
                break
            usual = _frequent_shapes(values, shape_of, total)
            others = [value for value in values if shape_of(value) not in usual]
            covered = 1 - sum(values[value] for value in others) / total
            few = len(usual) <= _MAX_FEW
            if usual and covered >= (self.min_coverage if few else _MIN_COVERAGE_OF_MANY):
                if is_exact:
                    others = _without_counting_on(others, values, usual)
                    others = [value for value in others if not _is_continued(_exact_shape(value), usual)]
                if len(values) <= _FEW_VALUES:
                    most = min(max(_MAX_REPEATS[0], _MAX_REPEATED_SHARE * total), _MAX_REPEATS[1])
                    others = [value for value in others if values[value] <= most]
                return others, "of the form " + " or ".join(usual[:_MAX_LISTED])
        return [], ""


def _values_to_compare(column: Column, counted: CountedValues) -> dict[str, int]:
    """Return the values that no other check of text reports."""
    faults = find_text_faults(column.name, counted)
    reported = {*faults.damaged, *faults.spellings, *find_text_stand_ins(column.name, counted)}
    reported |= find_disguised_nulls(counted)
    return {value: count for value, count in counted.by_value().items() if value not in reported}


def _find_invalid(name: str, values: Mapping[str, int], total: int) -> tuple[list[str], str]:
    tried = list(values)[:_TRIED_VALUES]
    for validator in VALIDATORS:
        if validator.name is not None and not validator.name.search(name):
            continue
        if sum(map(validator.is_valid, map(str.strip, tried))) < min(validator.min_distinct, len(tried)):
            continue
        invalid = [value for value in values if not validator.is_valid(value.strip())]
        if len(values) - len(invalid) < validator.min_distinct:
            continue
        if sum(values[value] for value in invalid) <= (1 - _MIN_VALID_SHARE) * total:
            return invalid, validator.noun
    return [], ""


def _is_checked_elsewhere(values: Mapping[str, int]) -> bool:
    """Return whether the values are numbers or dates, which the check of types compares."""
    tried = list(values)[:_MOST_TRIED_VALUES]
    dates, numbers = (
        sum(values[value] for value in tried if re.search(pattern, value))
        for pattern in (patterns.DATE, patterns.NUMBER)
    )
    codes = any(re.search(patterns.CODE, value) for value in tried)
    return max(dates, 0 if codes else numbers) >= _MIN_DATE_SHARE * sum(values[value] for value in tried)


def _exact_shape(value: str) -> str:
    return value.translate(_ASCII_CLASSES) if value.isascii() else "".join(map(_class_of, value))


def _short_shape(value: str) -> str:
    return "".join(kind for kind, _ in groupby(_exact_shape(value)))


def _class_of(sign: str) -> str:
    if sign.isdecimal():
        return "9"
    if sign.isalpha():
        return "A" if sign.isupper() else "a"
    return sign


_ASCII_CLASSES = {sign: _class_of(chr(sign)) for sign in range(128)}


def _frequent_shapes(values: Mapping[str, int], shape_of: Any, total: int) -> list[str]:
    counts: dict[str, int] = {}
    for value, count in values.items():
        shape = shape_of(value)
        counts[shape] = counts.get(shape, 0) + count
    usual = [shape for shape, count in counts.items() if count >= _MIN_FREQUENT_SHARE * total]
    return sorted(usual, key=lambda shape: (-counts[shape], shape)) if len(usual) <= _MAX_FREQUENT else []


def _are_codes(values: Mapping[str, int], total: int) -> bool:
    """Return whether most values have digits or are words of capitals, and few have several blanks."""
    capitals = [value for value in values if value.isupper() and len(value) <= _MAX_LETTERS]
    are_capitals = len(capitals) >= _MIN_CAPITALS
    coded = sum(values[value] for value in capitals) if are_capitals else 0
    coded += sum(n for value, n in values.items() if any(sign.isdigit() for sign in value))
    long = sum(n for value, n in values.items() if value.count(" ") > _MAX_BLANKS)
    return coded >= _MIN_DIGIT_SHARE * total and long <= (1 - _MIN_VALID_SHARE) * total


def _have_words(values: Mapping[str, int], total: int) -> bool:
    letters = sum(count * sum(sign.isalpha() for sign in value) for value, count in values.items())
    return letters > _MAX_LETTERS * total


def _without_counting_on(others: Sequence[str], values: Mapping[str, int], usual: Sequence[str]) -> list[str]:
    """Leave out values whose length is usual: u99 among u100 to u800, and ann7 among carla8 and david9."""
    forms = Counter(_short_shape(shape) for shape in usual)
    frequent: defaultdict[str, list[str]] = defaultdict(list)
    for value in values:
        if (shape := _exact_shape(value)) in usual:
            frequent[_length_free_shape(shape)].append(value)
    found = []
    for value in others:
        if forms[_short_shape(value)] > 1:
            continue
        similar = frequent.get(_length_free_shape(_exact_shape(value)), [])
        if not similar or not _counts_on(value, similar, others):
            found.append(value)
    return found


def _is_continued(shape: str, usual: Sequence[str]) -> bool:
    """Return whether usual shapes have one more sign of several kinds: N1602 among N16021 and N1602A."""
    return sum(each[:-1] == shape for each in usual) > 1


def _length_free_shape(shape: str) -> str:
    """Return an exact shape in which each number has one digit."""
    return re.sub("9+", "9", shape)


def _counts_on(value: str, similar: Sequence[str], others: Sequence[str]) -> bool:
    runs, usual = _DIGITS.findall(value), [_DIGITS.findall(each) for each in similar]
    differs = [i for i, run in enumerate(runs) if all(len(each[i]) != len(run) for each in usual)]
    if len(differs) != 1:
        return False
    place = differs[0]
    digits = max(len(each[place]) for each in usual)
    if len(runs[place]) > digits and max(int(each[place]) for each in usual) > _NEARLY_FULL * 10**digits:
        return not runs[place].startswith("0")
    if any(each[place].startswith("0") and len(each[place]) > 1 for each in usual):
        return False
    same = [_DIGITS.findall(other) for other in others]
    numbers = {int(each[place]) for each in usual}
    if len(numbers) < _MIN_NUMBERS:
        return False
    numbers |= {
        int(each[place]) for each in same if len(each) == len(runs) and not each[place].startswith("0")
    }
    ordered = sorted(numbers)
    steps = sorted(b - a for a, b in pairwise(ordered))
    step = max(1, steps[len(steps) // 2])
    low, high = min(int(each[place]) for each in usual), max(int(each[place]) for each in usual)
    number = int(runs[place])
    path = [each for each in ordered if (number <= each <= low if number < low else high <= each <= number)]
    return all(b - a <= _MAX_GAP * step for a, b in pairwise(path))


def _find_lost_zeros(values: Mapping[str, int], total: int) -> list[str]:
    lengths: dict[int, int] = {}
    for value, count in values.items():
        if value.strip().isdigit():
            lengths[len(value.strip())] = lengths.get(len(value.strip()), 0) + count
    usual = max(lengths, key=lambda length: lengths[length], default=0)
    short = [value for value in values if value.strip().isdigit() and len(value.strip()) == usual - 1]
    lost = sum(values[value] for value in short)
    return short if lengths.get(usual, 0) + lost >= 0.98 * total and lost <= _MAX_LOST_ZEROS * total else []


def _find_numbers_among_words(values: Mapping[str, int], total: int) -> list[str]:
    numbers = [value for value in values if re.search(patterns.PLAIN_NUMBER, value)]
    with_digits = sum(count for value, count in values.items() if any(sign.isdigit() for sign in value))
    longest = max(map(len, values))
    if not numbers or with_digits > _MAX_NUMBERS * total or longest > _MAX_WORD_LENGTH:
        return []
    return numbers


def _list_facts(value: nw.Expr) -> Aggregates:
    return Aggregates({"n": value.count(), "least": value.min(), "most": value.max()})


def _check_codes(table: Table, column: Column) -> DetectionSteps:
    """Check whole numbers that may be article numbers, or codes whose leading zeros were lost."""
    facts = yield ColumnAggregates(column.key, _list_facts)
    if int(facts["n"]) < _MIN_VALUES or facts["least"] is None:
        return NOT_CHECKED
    least, most = int(facts["least"]), int(facts["most"])
    may_be_zip = bool(_ZIP.search(column.name)) and least > 0 and 10_000 <= most < 100_000
    if not may_be_zip and not (_ARTICLE_NUMBERS[0] <= least and most < _ARTICLE_NUMBERS[1]):
        return NOT_CHECKED
    counted: CountedValues = yield ValueCounts(column.key)
    values = {str(each): count for each, count in counted.by_value().items()}
    total = sum(values.values())
    if may_be_zip:
        odd, expected = _find_lost_zeros(values, total), "a code with its leading zero"
    else:
        odd = [each for each in values if not is_article_number(each)]
        expected = "an article number with a correct check digit"
        if sum(values[each] for each in odd) > (1 - _MIN_VALID_SHARE) * total:
            return NOT_CHECKED
    if not odd:
        return None
    return _create_detection(table, column, [int(each) for each in odd], values, expected)


def _create_detection(
    table: Table,
    column: Column,
    odd: Sequence[Any],
    values: Mapping[str, int],
    expected: str,
) -> Detection:
    count = sum(values[str(value)] for value in odd)
    return Detection(
        "format",
        "warning",
        f"{column.name} is not {expected} in {format_row_share(count, table.row_count)}, unlike the others.",
        count,
        nw.col(column.key).is_in(sorted(odd)),
        sample_column=column.key,
        metadata={"expected": expected, "total_count": table.row_count},
    )
