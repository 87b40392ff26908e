"""Queries to the inbox and the entries it returns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from lavendertown.inbox.attention import AttentionReason, Ceiling, FixCheck
from lavendertown.records.identities import Acceptance, Identity, RunState
from lavendertown.records.record_classes import TriageRecord


class Facet(StrEnum):
    """A property by which findings are filtered and counted.

    STATE is the category of the status (open or closed), AUTHOR is an author in the thread, ATTENTION a
    reason why the finding needs attention, and DUE is :data:`OVERDUE` or :data:`NOT_YET_DUE` for a finding
    that has a due date.
    """

    DATASET = "dataset"
    SEVERITY = "severity"
    STATUS = "status"
    STATE = "state"
    RUN_STATE = "seen"
    ASSIGNEE = "assignee"
    TAG = "tag"
    TYPE = "ghost_type"
    COLUMN = "column"
    AUTHOR = "author"
    ATTENTION = "attention"
    DUE = "due"


OVERDUE, NOT_YET_DUE = "overdue", "not_yet"


class InboxOrder(StrEnum):
    """The sort key of a list, highest first; ties are sorted by when they were last seen, then by id."""

    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"
    SEVERITY = "severity"
    ROWS = "last_count"
    TIMES_SEEN = "times_seen"
    COMMENTS = "comment_count"


class SnoozedFilter(StrEnum):
    """Whether snoozed findings are listed."""

    HIDDEN = "hidden"
    INCLUDED = "included"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """A query for findings over all reports.

    Several values of a facet match findings with any of them; several tags match findings with all of them.

    Attributes:
        facets: The selected values; the assignee "" means unassigned.
        search: A casefolded literal substring of description, column, dataset or a comment.
        mentions: The name of a person whom a comment mentions as @name.
        mentioned_ids: Findings that count as mentioning this person, too.
        finding_ids: Only these findings; None for all.
        twins: Only findings with a likely predecessor, see :mod:`lavendertown.inbox.renamed_checks`.
        start_date, end_date: The range of the time last seen, both ends inclusive.
    """

    facets: Mapping[Facet, tuple[str, ...]] = field(default_factory=dict)
    search: str = ""
    mentions: str = ""
    mentioned_ids: frozenset[str] = frozenset()
    finding_ids: frozenset[str] | None = None
    twins: bool = False
    start_date: dt.datetime | None = None
    end_date: dt.datetime | None = None
    snoozed: SnoozedFilter = SnoozedFilter.INCLUDED
    order: InboxOrder = InboxOrder.LAST_SEEN


class InboxEntry(NamedTuple):
    """A finding in the inbox.

    Attributes:
        run_ids: The reports of the latest runs of its dataset, newest first.
        predecessor_id: Its likely predecessor, see :mod:`lavendertown.inbox.renamed_checks`; empty for none.
        attention: Why it needs attention; empty if it does not.
        due_at: When it is due; None if it has no due date.
        fix_check: Whether its fix was verified; None if its status is not fixed.
        acceptance: Its acceptance; None if its status is not accepted.
        ceiling: The size up to which it is accepted; None if its status is not accepted.
    """

    identity: Identity
    run_state: RunState
    triage: TriageRecord | None
    snoozed: bool
    run_ids: tuple[str, ...]
    predecessor_id: str
    attention: tuple[AttentionReason, ...] = ()
    due_at: dt.datetime | None = None
    fix_check: FixCheck | None = None
    acceptance: Acceptance | None = None
    ceiling: Ceiling | None = None
