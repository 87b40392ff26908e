"""When findings were open and when closed, told from when they were seen and what was decided."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from lavendertown.collaboration.triage import CLOSED
from lavendertown.records.identities import Turn


class Spell(NamedTuple):
    """A time in which a finding was open, without a break.

    Attributes:
        opened_at: When it was seen first, or was open again.
        closing: What ended it; None while it lasts.
    """

    finding_id: str
    opened_at: dt.datetime
    closing: Turn | None

    def covers(self, at: dt.datetime) -> bool:
        """Tell whether the finding was open just before a moment."""
        return self.opened_at < at and (self.closing is None or self.closing.at >= at)


def spells(births: Mapping[str, dt.datetime], turns: Iterable[Turn]) -> list[Spell]:
    """Return in which times findings were open.

    Args:
        births: When each was seen first.
        turns: What was decided, oldest first.
    """
    decided: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        if turn.finding_id in births:
            decided[turn.finding_id].append(turn)
    return [spell for name, born in births.items() for spell in _of_one(name, born, decided.get(name, ()))]


def _of_one(name: str, born: dt.datetime, turns: Sequence[Turn]) -> Iterator[Spell]:
    opened_at: dt.datetime | None = born
    for turn, following in pairwise([*turns, None]):
        assert turn is not None
        if turn.status not in CLOSED:
            opened_at = opened_at or turn.at
            continue
        if opened_at is not None:
            # What was decided before its first report came in was decided as it was seen.
            yield Spell(name, min(opened_at, turn.at), turn)
        opened_at = None
        if turn.back_at is not None and (following is None or turn.back_at < following.at):
            opened_at = turn.back_at
    if opened_at is not None:
        yield Spell(name, opened_at, None)
