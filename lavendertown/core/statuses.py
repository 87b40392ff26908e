"""The statuses a finding can have: stored name and code, label, icon, urgency, and whether it is closed.

A status is defined only here. Stores, filters, commands and screens use this definition; only the colours
on the screens are defined in :mod:`lavendertown.ui.components.shared.formatting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StatusCategory(StrEnum):
    """Whether a finding with a status still needs work."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Status:
    """A status of a finding.

    Attributes:
        name: The value that is stored, filtered by and shown in ``--json``; it never changes.
        code: The number that databases store; it never changes.
        label: The name shown on screens.
        icon: The Material icon shown on screens.
        category: Whether the finding is open or closed.
        urgency: The rank by attention needed; 0 is the most urgent.
    """

    name: str
    code: int
    label: str
    icon: str
    category: StatusCategory
    urgency: int

    @property
    def is_closed(self) -> bool:
        """Whether this status closes a finding, which needs a reason."""
        return self.category is StatusCategory.CLOSED


OPEN = Status("open", 0, "Open", ":material/radio_button_unchecked:", StatusCategory.OPEN, 1)
INVESTIGATING = Status("needs-investigation", 1, "Investigating", ":material/search:", StatusCategory.OPEN, 0)
REVIEWED = Status("reviewed", 2, "Reviewed", ":material/visibility:", StatusCategory.OPEN, 2)
FIXED = Status("fixed", 3, "Fixed", ":material/check_circle:", StatusCategory.CLOSED, 5)
ACCEPTED = Status("accepted", 4, "Accepted", ":material/task_alt:", StatusCategory.CLOSED, 3)
FALSE_POSITIVE = Status(
    "false_positive", 5, "False alarm", ":material/do_not_disturb_on:", StatusCategory.CLOSED, 4
)

ALL = (OPEN, INVESTIGATING, REVIEWED, FIXED, ACCEPTED, FALSE_POSITIVE)
"""Every status by its code, which is also the order in which screens and commands offer them."""

BY_NAME = {status.name: status for status in ALL}

NAMES = tuple(status.name for status in ALL)
"""The stored names; the position of a name is its code."""

CODES = {status.name: status.code for status in ALL}

CLOSED_NAMES = tuple(status.name for status in ALL if status.is_closed)
"""The stored names of the statuses that close a finding."""

OPEN_NAMES = tuple(status.name for status in ALL if not status.is_closed)

NAMES_BY_URGENCY = tuple(status.name for status in sorted(ALL, key=lambda status: status.urgency))
"""The stored names, most urgent first."""


def is_closed(name: str | None) -> bool:
    """Return whether a stored status name closes a finding; None and unknown names do not."""
    return name in CLOSED_NAMES
