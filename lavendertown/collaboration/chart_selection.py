"""The findings that one mark of a chart counts, as text for a URL."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple, get_args

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError

Measure = Literal["seen", "found", "open", "closed", "closing"]
_SEPARATOR = "~"


class ChartSelection(NamedTuple):
    """Findings at one time, or between two.

    Attributes:
        measure: ``seen`` or ``found`` in the latest run of each dataset before ``end``; ``open`` or
            ``closed`` at ``end``; or ``closing``: closed from ``start`` until before ``end``.
        start: Where the period starts; only ``closing`` uses it.
        end: Where the period ends.
        value: The severity for ``seen``, the reporter for ``found``, who closed them for ``closing``; empty
            for all.
    """

    measure: Measure
    start: dt.datetime
    end: dt.datetime
    value: str = ""

    def __str__(self) -> str:
        moments = map(_format_time, (self.start, self.end))
        return _SEPARATOR.join([self.measure, *moments, self.value])

    @classmethod
    def parse(cls, text: str) -> ChartSelection:
        """Parse the text that :meth:`__str__` returns.

        Raises:
            InvalidInputError: The text is not a selection.
        """
        what, *rest = text.split(_SEPARATOR, 3)
        try:
            start, end, which = rest
            if what in get_args(Measure):
                return cls(what, clock.parse_time(start), clock.parse_time(end), which)  # type: ignore[arg-type]
        except (ValueError, OverflowError):
            pass
        raise InvalidInputError(f"{text!r} does not name what a chart counts; follow the link of the chart.")


def _format_time(moment: dt.datetime) -> str:
    utc = clock.to_utc(moment)
    return f"{utc.year:04}{utc:%m%dT%H%M%S.%fZ}"  # %Y does not pad the year everywhere
