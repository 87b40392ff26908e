"""Findings that look like one that vanished: a check was changed, and its finding got another id.

A suggestion, never more: people say whether the two are one.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from lavendertown.records.identities import Identity

MOST_PAIRS = 400
"""Where more pairs are possible on one column, a guess would say nothing."""

_Place = tuple[str, str, dt.datetime]


def twins(came: Iterable[Identity], gone: Iterable[Identity], runs: Sequence[dt.datetime]) -> dict[str, str]:
    """Return the findings of one dataset that look like one that vanished in the very run they came in.

    The two are on the same column and of the same type, and the vanished one's check does not run any
    more. Of several, those that are equally grave and affect about as many rows belong together: the
    data changed little meanwhile.

    Args:
        came: Findings that the dataset's newest run holds.
        gone: Findings that it does not hold, and whose checks it did not run.
        runs: When the dataset's newest runs were, newest first.

    Returns:
        The id of the finding that came → that of the one that vanished.
    """
    next_run = dict(zip(runs[1:], runs, strict=False))
    arrived: dict[_Place, list[Identity]] = defaultdict(list)
    vanished: dict[_Place, list[Identity]] = defaultdict(list)
    for finding in came:
        arrived[finding.column, finding.ghost_type, finding.first_seen].append(finding)
    for finding in gone:
        if finding.last_seen in next_run:
            vanished[finding.column, finding.ghost_type, next_run[finding.last_seen]].append(finding)
    found: dict[str, str] = {}
    for place, others in vanished.items():
        found |= _paired(arrived.get(place, ()), others)
    return found


def _paired(came: Sequence[Identity], gone: Sequence[Identity]) -> dict[str, str]:
    if len(came) * len(gone) > MOST_PAIRS:
        return {}
    pairs = sorted((*_unlikeness(new, old), new.finding_id, old.finding_id) for new in came for old in gone)
    found: dict[str, str] = {}
    for *_, new, old in pairs:
        if new not in found and old not in found.values():
            found[new] = old
    return found


def _unlikeness(new: Identity, old: Identity) -> tuple[bool, float]:
    if new.last_count is None or old.last_count is None:
        return new.severity != old.severity, math.inf
    return new.severity != old.severity, abs(math.log1p(new.last_count) - math.log1p(old.last_count))
