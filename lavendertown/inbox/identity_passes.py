"""Match findings that vanished with findings that appeared in the same run, from strong evidence to weak.

A finding with the same id in both runs is neither: an exact match always wins. Every finding is matched at
most once. Certain matches are merged when a report is saved; the others are offered to people.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lavendertown.core import json_codec
from lavendertown.core.fingerprints import mask_description
from lavendertown.inbox.renamed_columns import ColumnMatch, IdentityPass, has_other_values, match_columns
from lavendertown.inbox.run_tables import RunTable, check_run

MAX_PAIRS = 400
"""The maximum number of possible pairs on one column; with more, a match would be a guess."""

_COLUMN_MARK = "\ufffc"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding that vanished or appeared.

    Attributes:
        description: Its description; the numbers in it do not matter.
        row_count: The number of affected rows; None if it is not known.
        check, params: Its check; an empty name if it has none or if the check is not known.
        check_id: The stable id that a tool gave the check.
    """

    finding_id: str
    ghost_type: str
    column: str
    severity: str
    description: str
    row_count: int | None = None
    check: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    check_id: str = ""


class IdentityMatch(NamedTuple):
    """A finding that appeared, and the vanished one that it continues.

    Attributes:
        certain: Whether the evidence leaves no doubt.
    """

    finding_id: str
    vanished_id: str
    reason: IdentityPass
    certain: bool


def match_findings(
    vanished: Sequence[Candidate], appeared: Sequence[Candidate], before: RunTable, after: RunTable
) -> list[IdentityMatch]:
    """Match the findings that vanished in a run with those that appeared in it.

    Args:
        vanished: The findings of the earlier run that the later one lacks, and whose checks it did not run.
        appeared: The findings of the later run that no earlier one has.
        before, after: The tables of the two runs.
    """
    matches: list[IdentityMatch] = []
    columns = {each.old: each for each in match_columns(before, after)} if vanished and appeared else {}
    if columns:
        matches += _match_on_renamed_columns(vanished, appeared, columns)
    taken = {name for match in matches for name in (match.finding_id, match.vanished_id)}
    return matches + _match_changed_checks(
        [each for each in vanished if each.finding_id not in taken],
        [each for each in appeared if each.finding_id not in taken],
        columns,
        before,
        after,
    )


def _match_on_renamed_columns(
    vanished: Sequence[Candidate],
    appeared: Sequence[Candidate],
    columns: Mapping[str, ColumnMatch],
) -> list[IdentityMatch]:
    """Match findings of the same check on a renamed column, or on columns of which one is renamed."""
    old_by_key: dict[str, list[Candidate]] = defaultdict(list)
    new_by_key: dict[str, list[Candidate]] = defaultdict(list)
    evidence: dict[str, ColumnMatch] = {}
    names = {old: match.new for old, match in columns.items()}
    for each in vanished:
        renamed = _renamed_columns_of(each, columns)
        if renamed:
            key = _check_key(each, names)
            old_by_key[key].append(each)
            # A finding on several renamed columns is as certain as the least certain of them.
            evidence[each.finding_id] = min(renamed, key=lambda match: match.certain)
    for each in appeared:
        new_by_key[_check_key(each, {})].append(each)
    matches = []
    for key, old in old_by_key.items():
        new = new_by_key.get(key, [])
        if len(old) * len(new) > MAX_PAIRS:
            continue
        is_unique = len(old) == len(new) == 1
        for new_one, old_one in _pair_by_size(old, new):
            column = evidence[old_one.finding_id]
            is_certain = column.certain and is_unique
            matches.append(IdentityMatch(new_one.finding_id, old_one.finding_id, column.reason, is_certain))
    return matches


def _renamed_columns_of(finding: Candidate, columns: Mapping[str, ColumnMatch]) -> list[ColumnMatch]:
    named = {finding.column, *json_codec.iterate_texts(finding.params)}
    return [match for old, match in columns.items() if old in named]


def _check_key(finding: Candidate, names: Mapping[str, str]) -> str:
    """Return a key of the type, column and check of a finding, with the new names of its columns."""
    column = names.get(finding.column, finding.column)
    if finding.check:
        check = ["check", finding.check, _rename_texts(finding.params, names)]
    else:
        check = ["text", _describe_without_column(finding)]
    return json_codec.dumps_canonical([finding.ghost_type, column, *check]).decode("utf-8")


def _rename_texts(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {key: _rename_texts(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rename_texts(each, names) for each in value]
    return value


def _describe_without_column(finding: Candidate) -> str:
    """Return the masked description of a finding without the name of its column."""
    text = finding.description
    for name in (finding.column, mask_description(finding.column)):
        text = text.replace(name, _COLUMN_MARK) if name else text
    return mask_description(text)


def _match_changed_checks(
    vanished: Sequence[Candidate],
    appeared: Sequence[Candidate],
    columns: Mapping[str, ColumnMatch],
    before: RunTable,
    after: RunTable,
) -> list[IdentityMatch]:
    """Match findings whose check got other parameters, or was replaced or reworded.

    They are on one column, which may have been renamed as well; then they are not certain.
    """
    old_by_key: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    new_by_key: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for each in vanished:
        column = columns[each.column].new if each.column in columns else each.column
        old_by_key[column, each.ghost_type].append(each)
    for each in appeared:
        new_by_key[each.column, each.ghost_type].append(each)
    matches = []
    for key, old in old_by_key.items():
        new = new_by_key.get(key, [])
        if not new or len(old) * len(new) > MAX_PAIRS:
            continue
        for new_one, old_one in _pair_by_check(old, new):
            reason = _changed_part(old_one, new_one)
            is_certain = (
                reason is IdentityPass.CHANGED_PARAMETERS
                and old_one.column == new_one.column
                and _is_one_changed_check(old_one, new_one, before, after)
            )
            matches.append(IdentityMatch(new_one.finding_id, old_one.finding_id, reason, is_certain))
    return matches


def _changed_part(old: Candidate, new: Candidate) -> IdentityPass:
    if old.check and old.check == new.check:
        return IdentityPass.CHANGED_PARAMETERS
    if old.check or new.check or old.check_id or new.check_id:
        return IdentityPass.CHANGED_CHECK
    return IdentityPass.REWORDED


def _is_one_changed_check(old: Candidate, new: Candidate, before: RunTable, after: RunTable) -> bool:
    """Return whether both runs tell that this check, once on its column, only got other limits."""
    if old.check_id or new.check_id or old.params.keys() != new.params.keys():
        return False
    differing = [(old.params[name], new.params[name]) for name in old.params]
    differing = [(one, other) for one, other in differing if one != other]
    if not all(_is_number(value) for pair in differing for value in pair):
        return False
    profiles = before.profiles.get(old.column), after.profiles.get(new.column)
    if has_other_values(*profiles):
        return False
    former = {each for each in before.checks if each[:2] == (old.check, old.column)}
    current = {each for each in after.checks if each[:2] == (new.check, new.column)}
    was, has = (check_run(each.check, each.column, each.params) for each in (old, new))
    return former - current == {was} and current - former == {has}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pair_by_check(old: Sequence[Candidate], new: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Pair findings one to one: first by the evidence, then by severity, wording and size."""
    order = list(IdentityPass)

    def rank(new_one: Candidate, old_one: Candidate) -> tuple[Any, ...]:
        wording = round(_compare_wording(old_one, new_one), 1)
        reason = order.index(_changed_part(old_one, new_one))
        return reason, old_one.severity != new_one.severity, wording, _compare_sizes(old_one, new_one)

    return _pair_greedily(old, new, rank)


def _pair_by_size(old: Sequence[Candidate], new: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    return _pair_greedily(old, new, lambda a, b: (a.severity != b.severity, _compare_sizes(a, b)))


def _pair_greedily(
    old: Sequence[Candidate],
    new: Sequence[Candidate],
    rank: Callable[[Candidate, Candidate], tuple[Any, ...]],
) -> list[tuple[Candidate, Candidate]]:
    ranked = sorted(
        ((rank(a, b), a.finding_id, b.finding_id, a, b) for a in new for b in old), key=lambda row: row[:3]
    )
    paired: dict[str, tuple[Candidate, Candidate]] = {}
    taken: set[str] = set()
    for _, new_id, old_id, new_one, old_one in ranked:
        if new_id not in paired and old_id not in taken:
            paired[new_id] = (new_one, old_one)
            taken.add(old_id)
    return list(paired.values())


def _compare_wording(one: Candidate, other: Candidate) -> float:
    """Return the share of words that only one of two descriptions has."""
    words = [set(_describe_without_column(each).casefold().split()) for each in (one, other)]
    return 1 - len(words[0] & words[1]) / max(1, len(words[0] | words[1]))


def _compare_sizes(one: Candidate, other: Candidate) -> float:
    if one.row_count is None or other.row_count is None:
        return math.inf
    return abs(math.log1p(one.row_count) - math.log1p(other.row_count))
