"""What can be asked of the inbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from lavendertown.records.identities import Identity, Seen
from lavendertown.records.values import TriageRecord


class Facet(StrEnum):
    """What findings are counted by. AUTHOR is who wrote in the thread."""

    DATASET = "dataset"
    SEVERITY = "severity"
    STATUS = "status"
    SEEN = "seen"
    ASSIGNEE = "assignee"
    TAG = "tag"
    TYPE = "ghost_type"
    COLUMN = "column"
    AUTHOR = "author"


class Order(StrEnum):
    """What findings are listed by, the highest first; then by when they were seen last, and by id."""

    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"
    SEVERITY = "severity"
    ROWS = "last_count"
    TIMES_SEEN = "times_seen"
    COMMENTS = "comment_count"


class Snoozed(StrEnum):
    """Whether findings that sleep are listed."""

    HIDDEN = "hidden"
    INCLUDED = "included"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """Findings over all reports. Several values of a facet mean "any of them", but tags "all of them".

    Attributes:
        facets: The chosen values; nobody as assignee is "".
        search: A casefolded literal substring of description, column, dataset or a comment.
        mentions: The name of somebody whom a comment mentions as @name.
        among: Only these findings; None for all.
        twins: Only those that look like one that vanished when they came.
        start, end: When it was seen last, both ends inclusive.
    """

    facets: Mapping[Facet, tuple[str, ...]] = field(default_factory=dict)
    search: str = ""
    mentions: str = ""
    among: frozenset[str] | None = None
    twins: bool = False
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    snoozed: Snoozed = Snoozed.INCLUDED
    order: Order = Order.LAST_SEEN


class Entry(NamedTuple):
    """A finding as the inbox lists it.

    Attributes:
        runs: When the newest runs of its dataset were, newest first.
        twin: The vanished finding it looks like, see :mod:`lavendertown.records.inbox.twins`; or empty.
    """

    identity: Identity
    seen: Seen
    triage: TriageRecord | None
    snoozed: bool
    runs: tuple[dt.datetime, ...]
    twin: str
