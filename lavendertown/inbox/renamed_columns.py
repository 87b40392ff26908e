"""Match the columns that a table lost with those that it got: renamed, respelled, or moved without a name.

A match is certain only if little else can explain it, because findings are merged by certain matches. The
names of both columns, their places among the columns that stayed, and their profiles are compared.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from lavendertown.inbox.run_tables import RunTable
from lavendertown.profile.evidence import ColumnProfile

MAX_COLUMN_PAIRS = 2_500
"""The maximum number of pairs of lost and new columns that are compared; with more, the table is another."""

_UNNAMED = re.compile(r"column \d+(?: \(\d+\))?")
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MIN_SHARED_VALUES = 5
_MIN_DISTINCT_NUMBERS = 20
_MIN_DRIFT, _MAX_DRIFT = 0.02, 0.15
_CLEAR_MARGIN = 0.1
_MAX_OFFERED = 0.35
_CONTRADICTION = 0.5


class IdentityPass(StrEnum):
    """The evidence that two findings are the same, from strong to weak."""

    RESPELLED_HEADER = "respelled_header"
    MOVED_COLUMN = "moved_column"
    RENAMED_COLUMN = "renamed_column"
    CHANGED_PARAMETERS = "changed_parameters"
    CHANGED_CHECK = "changed_check"
    REWORDED = "reworded"


class ColumnMatch(NamedTuple):
    """A removed column and the new column that replaces it."""

    old: str
    new: str
    reason: IdentityPass
    certain: bool


def match_columns(before: RunTable, after: RunTable) -> list[ColumnMatch]:
    """Match the lost columns of a table with its new ones, each at most once; empty if they are not known."""
    gone = [name for name in before.columns if name not in set(after.columns)]
    new = [name for name in after.columns if name not in set(before.columns)]
    if not (before.columns and after.columns and gone and new):
        return []
    comparison = _TableComparison(before, after)
    matches = _match_respelled(gone, new, before, after)
    # The number in the name of an unnamed column is its place, so that all of them may have moved.
    matches += comparison.match_by_profile(
        [name for name in before.columns if _is_unnamed(name)],
        [name for name in after.columns if _is_unnamed(name)],
        IdentityPass.MOVED_COLUMN,
    )
    matched_old, matched_new = {match.old for match in matches}, {match.new for match in matches}
    matches += comparison.match_by_profile(
        [name for name in gone if name not in matched_old],
        [name for name in new if name not in matched_new],
        IdentityPass.RENAMED_COLUMN,
    )
    return [match for match in matches if match.old != match.new]


def _is_unnamed(column: str) -> bool:
    """Return whether a column has the name that is given to a column without one: ``column 3``."""
    return _UNNAMED.fullmatch(column) is not None


def _fold_header(column: str) -> str:
    """Return a column name without its case, blanks, underscores and Unicode form."""
    folded = unicodedata.normalize("NFKC", column).casefold()
    return "".join(char for char in folded if not char.isspace() and char not in "_\u200b\ufeff")


def _match_respelled(
    gone: Sequence[str], new: Sequence[str], before: RunTable, after: RunTable
) -> list[ColumnMatch]:
    matches = []
    all_folded = [_fold_header(name) for name in {*before.columns, *after.columns}]
    for old in gone:
        folded = _fold_header(old)
        candidates = [name for name in new if _fold_header(name) == folded]
        # Another column with the same folded name, in either run, leaves open which of them it is.
        if folded and len(candidates) == 1 and all_folded.count(folded) == 2:
            profiles = before.profiles.get(old), after.profiles.get(candidates[0])
            is_certain = not has_other_values(*profiles)
            matches.append(ColumnMatch(old, candidates[0], IdentityPass.RESPELLED_HEADER, is_certain))
    return matches


class _TableComparison:
    """The columns of two runs of one table, compared by their profiles and places."""

    def __init__(self, before: RunTable, after: RunTable) -> None:
        self._before, self._after = before, after
        others = set(after.columns)
        kept = [name for name in before.columns if name in others and not _is_unnamed(name)]
        known = [
            (before.profiles[name], after.profiles[name])
            for name in kept
            if name in before.profiles and name in after.profiles
        ]
        self._is_same_data = bool(known) and all(_are_equal_profiles(*pair) for pair in known)
        drifts = [_compare_profiles(*pair) for pair in known]
        self._old_neighbors = _find_neighbors(before.columns, frozenset(kept))
        self._new_neighbors = _find_neighbors(after.columns, frozenset(kept))
        self._drift = min(_MAX_DRIFT, max(_MIN_DRIFT, 2 * median(drifts) if drifts else 0.0))

    def match_by_profile(
        self, gone: Sequence[str], new: Sequence[str], reason: IdentityPass
    ) -> list[ColumnMatch]:
        """Match lost and new columns one to one, those with the most similar profiles first.

        Empty if there are more than :data:`MAX_COLUMN_PAIRS` pairs.
        """
        if len(gone) * len(new) > MAX_COLUMN_PAIRS:
            return []
        distances = {(old, name): self._distance(old, name) for old in gone for name in new}
        matches: list[ColumnMatch] = []
        taken: set[str] = set()
        for old, name in sorted(distances, key=lambda pair: (self._rank(pair, distances[pair]), pair)):
            if old in taken or name in taken or not self._is_possible(old, name, distances[old, name]):
                continue
            taken |= {old, name}
            is_clear = all(
                other == (old, name) or distance >= distances[old, name] + _CLEAR_MARGIN
                for other, distance in distances.items()
                if old in other or name in other
            )
            is_certain = is_clear and self._is_certain(old, name, distances[old, name], reason)
            matches.append(ColumnMatch(old, name, reason, is_certain))
        return matches

    def _distance(self, old: str, new: str) -> float:
        one, other = self._before.profiles.get(old), self._after.profiles.get(new)
        # Without a profile nothing speaks for two columns but their names and places.
        return _MAX_OFFERED if one is None or other is None else _compare_profiles(one, other)

    def _rank(self, pair: tuple[str, str], distance: float) -> float:
        bonus = 0.1 * self._have_same_place(*pair) + 0.1 * _have_related_names(*pair)
        return distance - bonus

    def _is_possible(self, old: str, new: str, distance: float) -> bool:
        profiles = self._before.profiles.get(old), self._after.profiles.get(new)
        if None not in profiles and distance <= _MAX_OFFERED:
            return True
        return distance < 1 and (self._have_same_place(old, new) or _have_related_names(old, new))

    def _is_certain(self, old: str, new: str, distance: float, reason: IdentityPass) -> bool:
        one, other = self._before.profiles.get(old), self._after.profiles.get(new)
        if one is None or other is None or not _is_distinctive(one, other):
            return False
        is_unnamed_column = reason is IdentityPass.MOVED_COLUMN
        if self._is_same_data:
            is_in_place = is_unnamed_column or self._have_same_place(old, new)
            return is_in_place and _are_equal_profiles(one, other)
        has_same_name = is_unnamed_column or _have_related_names(old, new)
        return has_same_name and self._have_same_place(old, new) and distance <= self._drift

    def _have_same_place(self, old: str, new: str) -> bool:
        """Return whether two columns are between the same columns that stayed."""
        return self._old_neighbors[old] == self._new_neighbors[new]


def _find_neighbors(columns: Sequence[str], kept: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the nearest kept column on each side of each column; empty at the ends of the table."""
    left: dict[str, str] = {}
    right: dict[str, str] = {}
    for found, ordered in ((left, columns), (right, reversed(columns))):
        nearest = ""
        for name in ordered:
            found[name] = nearest
            nearest = name if name in kept else nearest
    return {name: (left[name], right[name]) for name in columns}


def _have_related_names(one: str, other: str) -> bool:
    """Return whether one name has all words of the other, or shortens each: ``cust_name``, ``CustomerName``.

    Numbers must be equal: ``amount_2023`` and ``amount_2024`` are two columns.
    """
    words, others = _split_words(one), _split_words(other)
    if [word for word in words if word.isdigit()] != [word for word in others if word.isdigit()]:
        return False
    if not words or not others:
        return False
    if set(words) <= set(others) or set(others) <= set(words):
        return True
    return len(words) == len(others) and all(
        len(short) >= 3 and long.startswith(short)
        for short, long in (sorted(pair, key=len) for pair in zip(words, others, strict=True))
    )


def _split_words(name: str) -> list[str]:
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFKC", name))
    return [word.casefold() for word in _TOKEN.findall(spaced)]


def _are_equal_profiles(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Return whether two profiles are of equal values, as far as they tell."""
    facts = [
        (each.kind, each.count, each.nulls, each.distinct, each.minimum, each.maximum, each.quantiles)
        for each in (one, other)
    ]
    return facts[0] == facts[1] and _frequent_values(one) == _frequent_values(other)


def _frequent_values(profile: ColumnProfile) -> dict[str, int]:
    """Return the values whose rank among the most frequent is certain, with their counts."""
    is_complete = len(profile.top) == profile.distinct
    least = min((each.count for each in profile.top), default=0)
    return {each.value: each.count for each in profile.top if is_complete or each.count > least}


def has_other_values(one: ColumnProfile | None, other: ColumnProfile | None) -> bool:
    """Return whether two profiles are so different that a column of the same name is another one."""
    return one is not None and other is not None and _compare_profiles(one, other) > _CONTRADICTION


def _compare_profiles(one: ColumnProfile, other: ColumnProfile) -> float:
    """Return how different two columns are: 0 for equal profiles, 1 for columns of different kinds."""
    if one.kind != other.kind:
        return 1.0
    present, others = one.count - one.nulls, other.count - other.nulls
    distances = [
        abs(one.nulls / max(1, one.count) - other.nulls / max(1, other.count)),
        abs(one.distinct / max(1, present) - other.distinct / max(1, others)),
    ]
    if one.top and other.top:
        distances.append(_compare_shares(_value_shares(one), _value_shares(other)))
    if one.quantiles and len(one.quantiles) == len(other.quantiles):
        scale = max(each.quantiles[-1] - each.quantiles[0] for each in (one, other))
        gap = max(abs(a - b) for a, b in zip(one.quantiles, other.quantiles, strict=True))
        distances.append(min(1.0, gap / scale) if scale else float(gap > 0))
    elif one.histogram is not None and other.histogram is not None:
        ends = [(each.histogram.start, each.histogram.end) for each in (one, other) if each.histogram]
        scale = max(end - start for start, end in ends)
        gap = max(abs(ends[0][0] - ends[1][0]), abs(ends[0][1] - ends[1][1]))
        distances.append(min(1.0, gap / scale) if scale else float(gap > 0))
    return max(distances)


def _value_shares(profile: ColumnProfile) -> dict[str, float]:
    present = max(1, profile.count - profile.nulls)
    return {each.value: each.count / present for each in profile.top}


def _compare_shares(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(abs(one.get(value, 0) - other.get(value, 0)) for value in {*one, *other}) / 2


def _is_distinctive(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Return whether two different columns are unlikely to share these profiles.

    Flags, small codes, running numbers and calendars look alike in many columns.
    """
    if one.masked or other.masked:
        return False
    if one.kind == "text":
        return len({each.value for each in one.top} & {each.value for each in other.top}) >= (
            _MIN_SHARED_VALUES
        )
    if one.kind not in ("number", "time"):
        return False
    return all(each.distinct >= _MIN_DISTINCT_NUMBERS and not _is_sequence(each) for each in (one, other))


def _is_sequence(profile: ColumnProfile) -> bool:
    """Return whether a column has each number or each day of a range."""
    low, high = profile.minimum, profile.maximum
    if isinstance(low, int) and isinstance(high, int):
        return high - low + 1 == profile.distinct
    if isinstance(low, float) and isinstance(high, float):
        return low.is_integer() and high - low + 1 == profile.distinct
    if isinstance(low, str) and isinstance(high, str):
        try:
            span = dt.datetime.fromisoformat(high) - dt.datetime.fromisoformat(low)
        except (ValueError, TypeError):  # A time of day has no date, or only one time has a zone.
            return False
        return span / dt.timedelta(days=1) + 1 == profile.distinct
    return False
