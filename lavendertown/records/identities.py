"""What a store tells of findings over all reports: each once, whatever number of times it was seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from lavendertown.records.values import TriageRecord

RUNS = 12
"""How many of a dataset's newest runs a sparkline shows."""


class Seen(StrEnum):
    """What the runs of its dataset say of a finding."""

    NEW = "new"
    REGRESSED = "regressed"
    ONGOING = "ongoing"
    PASSING = "passing"
    NOT_CHECKED = "not_checked"


PRESENT = (Seen.NEW, Seen.REGRESSED, Seen.ONGOING)
"""What the runs say of a finding that the newest one holds."""


class Identity(NamedTuple):
    """A finding over all live reports.

    A tuple, because a hundred thousand are read at once.

    Attributes:
        description: The last one, its numbers masked.
        fixed_at: When it was set to fixed, if that is the last status that was set.
        regressed_at: When it was first seen again since then; the status is open again.
        last_count, last_share: Affected rows and their share where it was seen last.
        check_key: See :func:`lavendertown.identity.check_key`.
    """

    finding_id: str
    dataset: str
    ghost_type: str
    column: str
    description: str
    severity: str
    status: str
    fixed_at: dt.datetime | None
    regressed_at: dt.datetime | None
    first_seen: dt.datetime
    last_seen: dt.datetime
    times_seen: int
    comment_count: int
    last_count: int | None
    last_share: float | None
    check_key: str
    tags: tuple[str, ...]


class Run(NamedTuple):
    """The newest runs of a dataset, each a live report.

    Attributes:
        times: When they were, newest first, at most :data:`RUNS`.
        report_id: The newest.
        covered: The keys of the checks that the newest one ran to their end.
    """

    times: tuple[dt.datetime, ...]
    report_id: str
    covered: frozenset[str]


class Recent(NamedTuple):
    """Where a finding was seen last.

    Attributes:
        report_id, position, description: Its last occurrence.
        seen: Its newest occurrences, newest first, at most :data:`RUNS`: when, and how many rows.
    """

    report_id: str
    position: int
    description: str
    seen: tuple[tuple[dt.datetime, int | None], ...]


class Said(NamedTuple):
    """A live annotation, as a search looks into it.

    Attributes:
        finding_id: The finding's fingerprint.
        text: The comment, casefolded.
    """

    finding_id: str
    author: str
    text: str


class Turn(NamedTuple):
    """A live annotation that set a finding's status.

    Attributes:
        finding_id: The finding's fingerprint.
        back_at: When the finding was first seen again after it was set to fixed; None where it was not.
    """

    finding_id: str
    at: dt.datetime
    status: str
    author: str
    back_at: dt.datetime | None


def seen(identity: Identity, run: Run | None) -> Seen:
    """Return what the newest run of its dataset says of a finding.

    A finding that is absent from a run counts as passing only where the run tells that its check ran.
    """
    if run is None or identity.last_seen >= run.times[0]:
        if identity.regressed_at is not None:
            return Seen.REGRESSED
        return Seen.NEW if identity.times_seen == 1 else Seen.ONGOING
    return Seen.PASSING if identity.check_key in run.covered else Seen.NOT_CHECKED


def asleep(identity: Identity, triage: TriageRecord, now: dt.datetime) -> bool:
    """Tell whether a finding sleeps: its time has not come, and it has not grown as much as was chosen."""
    if triage.snooze_until is not None and now >= triage.snooze_until:
        return False
    if triage.snooze_factor is None:
        return triage.snooze_until is not None
    measures = (
        (identity.last_count, triage.snooze_count),
        (identity.last_share, triage.snooze_share),
    )
    known = [(now_, then) for now_, then in measures if now_ is not None and then is not None]
    return not any(now_ > then * triage.snooze_factor for now_, then in known)


def mentions(texts: Iterable[str]) -> frozenset[str]:
    """Return what stands behind an @ in these texts: one to four words each, any of which may be a name."""
    return frozenset(name for text in texts if "@" in text for name in _behind_at(text))


def _behind_at(text: str) -> Iterator[str]:
    for part in text.split("@")[1:]:
        words = part.split()[:4] if part[:1].strip() else []
        for length in range(1, len(words) + 1):
            yield " ".join(words[:length]).rstrip(".,;:!?)'\"*_")
