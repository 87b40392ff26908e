"""Match new findings with likely predecessors: if a check is changed, its finding gets another id.

The match is only a suggestion; people decide whether the two are the same finding.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from lavendertown.records.identities import Identity

MAX_PAIRS = 400
"""The maximum number of possible pairs on one column; with more, a match would be a guess."""

_MatchKey = tuple[str, str, dt.datetime]
"""Column, ghost type, and the run in which one finding appeared and the other disappeared."""


def match_renamed(
    appeared: Iterable[Identity], disappeared: Iterable[Identity], runs: Sequence[dt.datetime]
) -> dict[str, str]:
    """Match findings of one dataset that appeared in the run in which a similar one disappeared.

    Both have the same column and type, and the check of the one that disappeared no longer runs. If there
    are several, those with the same severity and the most similar number of affected rows are matched.

    Args:
        appeared: Findings in the dataset's latest run.
        disappeared: Findings that are not in it and whose checks did not run.
        runs: The times of the dataset's latest runs, newest first.

    Returns:
        The id of each matched finding, with the id of its predecessor.
    """
    next_run = dict(zip(runs[1:], runs, strict=False))
    appeared_by_key: dict[_MatchKey, list[Identity]] = defaultdict(list)
    disappeared_by_key: dict[_MatchKey, list[Identity]] = defaultdict(list)
    for finding in appeared:
        appeared_by_key[finding.column, finding.ghost_type, finding.first_seen].append(finding)
    for finding in disappeared:
        if finding.last_seen in next_run:
            key = (finding.column, finding.ghost_type, next_run[finding.last_seen])
            disappeared_by_key[key].append(finding)
    predecessors: dict[str, str] = {}
    for key, candidates in disappeared_by_key.items():
        predecessors |= _match_pairs(appeared_by_key.get(key, ()), candidates)
    return predecessors


def _match_pairs(appeared: Sequence[Identity], disappeared: Sequence[Identity]) -> dict[str, str]:
    if len(appeared) * len(disappeared) > MAX_PAIRS:
        return {}
    pairs = sorted(
        (*_dissimilarity(new, old), new.finding_id, old.finding_id) for new in appeared for old in disappeared
    )
    matched: dict[str, str] = {}
    for *_, new, old in pairs:
        if new not in matched and old not in matched.values():
            matched[new] = old
    return matched


def _dissimilarity(new: Identity, old: Identity) -> tuple[bool, float]:
    if new.last_count is None or old.last_count is None:
        return new.severity != old.severity, math.inf
    return new.severity != old.severity, abs(math.log1p(new.last_count) - math.log1p(old.last_count))
