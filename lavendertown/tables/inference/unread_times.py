"""Say why a column of times is kept as text."""

from __future__ import annotations

import polars as pl

from lavendertown.tables.inference.text_columns import TextColumn

_TIME_OF_DAY = r"^\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*$"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_WITH_OFFSET = rf"^\s*[0-9].*{_CLOCK}(?:[.,][0-9]+)? ?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})\s*$"
_OTHER_NOTATION = (
    rf"^\s*\[?(?:\p{{L}}{{3,9}}\.?,? )?[0-9]{{1,2}}[ /-]\p{{L}}{{3,9}}[ /-][0-9]{{4}}[ :]{_CLOCK}"
    rf"|^\s*\p{{L}}{{3}} \p{{L}}{{3}} +[0-9]{{1,2}} {_CLOCK} (?:[A-Z]{{3,4}} )?[0-9]{{4}}\s*$"
)
"""Times of mail (Mon, 02 Jan 2006 15:04:05 +0000), of web servers (02/Jan/2006:15:04:05), and of Unix."""

_MIN_SHARE = 0.6


def explain_unread_times(column: TextColumn, dates: pl.Series) -> str:
    """Return why a text column of times is not converted, as the end of a sentence; empty if it has none.

    Args:
        column: The text.
        dates: The dates and times that could be read, null elsewhere.
    """
    if not column.any_match(_CLOCK):
        return ""
    if _share(column, _TIME_OF_DAY) >= _MIN_SHARE:
        return "its times have no date"
    with_offset = _share(column, _WITH_OFFSET)
    without = (len(dates) - dates.null_count()) / max(1, column.present)
    if with_offset and without and with_offset + without >= _MIN_SHARE:
        return "some of its times have a time zone, and others have none"
    if _share(column, _OTHER_NOTATION) >= _MIN_SHARE:
        return "its times are in a notation that is not read; write them as 2024-01-31 14:30:00"
    return ""


def _share(column: TextColumn, pattern: str) -> float:
    return column.count_matches(pattern) / max(1, column.present)
