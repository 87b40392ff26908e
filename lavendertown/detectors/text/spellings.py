"""Find other spellings of frequent values: case, blanks, signs, and typing errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

from lavendertown.detectors.base import CountedValues
from lavendertown.tables.inference.column_names import is_identifier, is_proper_name

_MAX_DISTINCT_SHARE, _CATEGORICAL_SHARE, _MAX_LEVELS = 0.5, 0.2, 20_000
_MIN_RATIO, _MIN_CLEAR_RATIO = 2, 8
_MIN_WORD = 4
"""Words of at least this length that differ only in case are one category, however frequent each is."""

_MIN_TYPED, _MIN_TWICE_TYPED = 5, 10
_TWICE_TYPED_RATIO = 30
_MAX_TYPED, _MAX_USUAL, _MAX_LENGTH = 5_000, 1_000, 60
_MIN_FREQUENT_SHARE = 0.9

_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[-_./'\u2019\u2010-\u2014,]+\s*(?=[^\W\d_])")
_AT_END = re.compile(r"(?<=[^\W\d_]{2})[.,;:]+$")
_BLANKS = re.compile(r"\s+")
_EXACT_WORDS = re.compile(r"[0-9]+|\b(?:[ivx]+|\w{1,2})\b")
_YES = frozenset(("true", "yes", "y", "t", "1", "ja", "j", "oui", "si", "sí", "on"))
_NO = frozenset(("false", "no", "n", "f", "0", "nein", "non", "off"))


def find_spellings(name: str, counted: CountedValues, damaged: Collection[str] = ()) -> dict[str, str]:
    """Return values that are another spelling of a more frequent value, with that value.

    These are values that differ only in case, blanks, width of letters, or signs between letters; then, in
    columns of few values, typing errors: one or two letters differ, the first not, and the usual spelling is
    at least 8 times as frequent. Numbers and short words must be equal. Empty if the values are mostly
    different, or too many.

    Args:
        name: The name of the column; typing errors are not sought in names of people, and identifiers are
            left alone.
        counted: The values.
        damaged: Values to leave out.
    """
    counts = {
        value: count for value, count in counted.by_value().items() if value not in damaged and value.strip()
    }
    total = sum(counts.values())
    if len(counts) > min(_MAX_LEVELS, max(3, _MAX_DISTINCT_SHARE * total)) or not counted.is_complete:
        return {}
    if is_identifier(name) and len(counts) > _CATEGORICAL_SHARE * total:
        return {}
    groups: dict[str, list[str]] = {}
    for value in counts:
        groups.setdefault(_fold_spelling(value), []).append(value)
    categorical = len(groups) <= _CATEGORICAL_SHARE * total
    ratio = _MIN_RATIO if categorical else _MIN_CLEAR_RATIO
    found = {}
    for values in groups.values():
        usual = values[0]  # the most frequent comes first
        for value in values[1:]:
            is_word = categorical and len(_fold_spelling(value)) >= _MIN_WORD
            if is_word or counts[usual] >= ratio * counts[value]:
                found[value] = usual
    found |= _other_yes_no(counts, total)
    if categorical and not is_identifier(name) and not is_proper_name(name):
        found |= _find_typing_errors(
            {fold: sum(counts[value] for value in values) for fold, values in groups.items()}, groups, total
        )
    return found


def _fold_spelling(value: str) -> str:
    text = _BLANKS.sub(" ", unicodedata.normalize("NFKC", value).strip().casefold())
    return _AT_END.sub("", _BETWEEN_LETTERS.sub("", text)).replace(" ", "")


def _other_yes_no(counts: Mapping[str, int], total: int) -> dict[str, str]:
    """Return rare words for yes and no if two words are usual: Y among yes and no."""
    words = {value: value.strip().casefold() for value in counts}
    if not all(word in _YES or word in _NO for word in words.values()):
        return {}
    usual: dict[str, str] = {}
    for meaning in (_YES, _NO):
        fitting = [value for value in counts if words[value] in meaning]
        if not fitting:
            return {}
        usual |= dict.fromkeys(fitting[1:], fitting[0])
    rare = sum(counts[value] for value in usual) * _MIN_CLEAR_RATIO
    return usual if rare <= total else {}


def _find_typing_errors(
    folds: Mapping[str, int], groups: Mapping[str, list[str]], total: int
) -> dict[str, str]:
    usual = [fold for fold, count in folds.items() if count >= _MIN_CLEAR_RATIO and len(fold) >= _MIN_TYPED]
    usual = sorted(usual, key=lambda fold: (-folds[fold], fold))[:_MAX_USUAL]
    most = folds[usual[0]] if usual else 0
    rare = [
        fold
        for fold, count in folds.items()
        if count * _MIN_CLEAR_RATIO <= most and len(fold) >= _MIN_TYPED - 1
    ]
    if not usual or len(rare) > _MAX_TYPED:
        return {}
    by_form: dict[str, list[str]] = {}
    for fold in usual:
        for form in _deletions_of(fold):
            by_form.setdefault(form, []).append(fold)
    found = {}
    for fold in rare:
        target = _closest_spelling(fold, folds, by_form, usual, groups)
        if target is not None:
            found[fold] = target
    # Among many rare values, two that are close may be right.
    highest = max((folds[fold] for fold in found), default=0)
    tail = [fold for fold, count in folds.items() if count <= highest and fold not in found]
    if (
        len(tail) > max(3, len(found))
        or sum(folds[fold] for fold in found) > (1 - _MIN_FREQUENT_SHARE) * total
    ):
        return {}
    return {value: groups[target][0] for fold, target in found.items() for value in groups[fold]}


def _closest_spelling(
    fold: str,
    folds: Mapping[str, int],
    by_form: Mapping[str, list[str]],
    usual: list[str],
    groups: Mapping[str, list[str]],
) -> str | None:
    near = {each for form in _deletions_of(fold) for each in by_form.get(form, ())}
    for target in sorted(near, key=lambda each: (-folds[each], each)):
        if folds[target] >= _MIN_CLEAR_RATIO * folds[fold] and _may_be_typing_error(fold, target, groups):
            return target
    if len(fold) < _MIN_TWICE_TYPED:
        return None
    for target in usual:
        if folds[target] < _TWICE_TYPED_RATIO * folds[fold]:
            break
        if _may_be_typing_error(fold, target, groups):
            return target
    return None


def _may_be_typing_error(fold: str, target: str, groups: Mapping[str, list[str]]) -> bool:
    if fold == target or fold[0] != target[0] or max(len(fold), len(target)) > _MAX_LENGTH:
        return False
    written, meant = (groups[each][0].strip().casefold() for each in (fold, target))
    return (
        _EXACT_WORDS.findall(written) == _EXACT_WORDS.findall(meant) and edit_distance(fold, target, 2) <= 2
    )


def _deletions_of(text: str) -> Iterator[str]:
    yield text
    for i in range(len(text)):
        yield text[:i] + text[i + 1 :]


def edit_distance(left: str, right: str, limit: int) -> int:
    """Return how many letters were inserted, left out, replaced or swapped; ``limit + 1`` if more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
