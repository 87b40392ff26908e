"""What a thread is made of: who says what, after which delivery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MISSING = ("null", "disguised_null")
"""Both ways in which a value can be missing."""


class When(StrEnum):
    """The delivery a remark follows."""

    SEEN = "seen"
    """The n-th delivery in which the finding is there."""
    GONE = "gone"
    """The n-th delivery that is the first without it."""
    BACK = "back"
    """The n-th delivery in which it returned."""
    WORST = "worst"
    """The delivery in which it covers the largest share, if that is not the first."""


@dataclass(frozen=True)
class Remark:
    """One comment.

    Attributes:
        author: Who.
        text: What; ``{count}``, ``{share}``, ``{example}`` (an affected row's name), ``{value}`` (its
            number) and ``{remark}`` (its Comments cell) are filled in from that delivery's finding.
        when: After which delivery.
        nth: Which of those, from 0; -1 is the last.
        hours: How long after that delivery.
        status: The status it sets.
        tags: The tags it adds.
    """

    author: str
    text: str
    when: When = When.SEEN
    nth: int = 0
    hours: float = 2.0
    status: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """The thread of one finding. It ends early where the data does not go its way."""

    dataset: str
    ghost_types: tuple[str, ...]
    column: str
    remarks: tuple[Remark, ...]
