"""What one mark of a chart counts, as text for an address."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple, get_args

from lavendertown import clock
from lavendertown.errors import InvalidInputError

What = Literal["seen", "found", "open", "closed", "closing"]
_BETWEEN = "~"


class Counted(NamedTuple):
    """Some findings at a moment, or between two.

    Attributes:
        what: ``seen`` or ``found`` in the latest run of each dataset before ``end``; ``open`` or ``closed``
            then; or ``closing``: closed from ``start`` until before ``end``.
        which: Of those seen, the severity; of those found, who reported them; of those closing, who
            closed them. Empty for all.
    """

    what: What
    start: dt.datetime
    end: dt.datetime
    which: str = ""

    def __str__(self) -> str:
        moments = (f"{clock.to_utc(each):%Y%m%dT%H%M%S.%fZ}" for each in (self.start, self.end))
        return _BETWEEN.join([self.what, *moments, self.which])

    @classmethod
    def parse(cls, text: str) -> Counted:
        """Read what :meth:`__str__` wrote.

        Raises:
            InvalidInputError: It is not that.
        """
        what, *rest = text.split(_BETWEEN, 3)
        try:
            start, end, which = rest
            if what in get_args(What):
                return cls(what, clock.parse(start), clock.parse(end), which)  # type: ignore[arg-type]
        except ValueError:
            pass
        raise InvalidInputError(f"{text!r} is not what a chart counts; follow the chart's own link.")
