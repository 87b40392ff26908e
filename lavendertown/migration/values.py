"""What a move is asked to do, how far it is, and what came of it: plain values for every door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lavendertown.records.values import Kind

COUNTED = {
    Kind.REPORT: "reports",
    Kind.ANNOTATION: "annotations",
    Kind.RULESET: "rulesets",
    Kind.TRIAGE: "triage",
    Kind.PERSON: "people",
    Kind.VIEW: "views",
}
"""What records of each kind are counted as."""
KINDS = ("reports", "findings", "annotations", "rulesets", "triage", "people", "views", "events")
"""What is counted, in the order it is shown."""


class OnConflict(StrEnum):
    """What happens to a record that the target holds under the same id with other content."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Request:
    """A move from one store to another.

    Attributes:
        source, target: A data folder or a database URL, passwords included.
        zone: The IANA name of the zone in which times without one are read; None for the source's
            default (local in files, UTC in a database).
        choices: Conflicts decided one by one: ``"report:r1"`` → SKIP or OVERWRITE; the others follow
            ``on_conflict``.
        actor: Who moves, for the audit log.
        resume: Take conflict policy, choices and zone from the unfinished move in the target.
    """

    source: str = field(repr=False)
    target: str = field(repr=False)
    on_conflict: OnConflict = OnConflict.SKIP
    zone: str | None = None
    choices: Mapping[str, OnConflict] = field(default_factory=dict)
    actor: str = "internal"
    resume: bool = False


@dataclass(slots=True)
class Counts:
    """What became of the records of one kind; in a dry run, what would become of them.

    Attributes:
        read: Whole ones in the source, each of which is one of the following.
        written: New in the target, or overwritten there.
        skipped: Already there with the same content.
        conflicts: There with other content.
    """

    read: int = 0
    written: int = 0
    skipped: int = 0
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A record that source and target hold with different content.

    Attributes:
        key: Names it in :attr:`Request.choices`.
        title: The report's title, the comment's beginning, or the rule set's name.
        source_version, source_changed_at, source_by: The source's; who changed it last.
        decision: What the request's policy does with it.
    """

    key: str
    kind: str
    record_id: str
    title: str
    source_version: int
    source_changed_at: dt.datetime
    source_by: str
    source_deleted: bool
    target_version: int
    target_changed_at: dt.datetime
    target_by: str
    target_deleted: bool
    decision: OnConflict


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something in the source that cannot be moved, and why. The source keeps it as it is."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class TimeSample:
    """A time as the source wrote it, without a zone, and how it will read."""

    item: str
    written: str
    read_as: dt.datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a move is.

    Attributes:
        phase: ``"reports"``, ``"annotations"`` and so on, ``"events"``, ``"changes"`` (what
            was written meanwhile) or ``"verifying"``.
        done, total: Records of all kinds, verification counted a second time; total is None while
            it is not known.
        findings: Findings read so far in this phase.
        rate: Records a second, over the whole run.
        findings_rate: Findings a second, in this phase.
        seconds_left: None while nothing can be said.
    """

    phase: str
    done: int
    total: int | None
    findings: int
    rate: float
    findings_rate: float
    seconds_left: float | None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Outcome:
    """What came of a move or a dry run.

    Attributes:
        id: The move's id in the target's ledger.
        source, target: In words, without passwords.
        counts: A :class:`Counts` for each of :data:`KINDS`.
        conflicts: The first thousand of them.
        quarantine_folder: Where copies of the quarantined items lie; None where there are none.
        differences: What differs after the move though it should not, one sentence each.
        verified: Whether everything was read back on both sides and found equal.
        finished: Whether the move is complete; a dry run never is.
        times: A few times without a zone and how they will read.
        left_out: Keys of all records that were not to be moved: conflicts in which the target keeps
            its own, and what may not be stored.
    """

    id: str
    source: str
    target: str
    dry_run: bool
    counts: dict[str, Counts]
    conflicts: tuple[Conflict, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    quarantine_folder: Path | None = None
    differences: tuple[str, ...] = ()
    verified: bool = False
    finished: bool = False
    times: tuple[TimeSample, ...] = ()
    seconds: float = 0.0
    left_out: frozenset[str] = frozenset()

    @property
    def changed_nothing(self) -> bool:
        """Tell whether the target had everything already."""
        return not any(count.written for count in self.counts.values())

    @property
    def shown(self) -> list[str]:
        """The names of the counts that people look for, and of the others that are not zero."""
        often = ("reports", "findings", "annotations", "rulesets", "events")
        return [name for name in KINDS if name in often or self.counts[name].read]

    @property
    def conflict_count(self) -> int:
        """How many records are in conflict; the findings of a report are not counted beside it."""
        return sum(count.conflicts for name, count in self.counts.items() if name != "findings")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        found = asdict(self)
        found |= found.pop("counts")
        del found["left_out"]
        folder = found["quarantine_folder"]
        return found | {"quarantine_folder": str(folder) if folder else None}
