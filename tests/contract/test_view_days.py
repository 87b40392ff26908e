"""The days of a saved view or an address, whatever was stored."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lavendertown.collaboration.view_filters import parse_days

FIRST, LAST = dt.date(2026, 9, 7), dt.date(2026, 9, 9)


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, (None, None)),
        ({"from": ["2026-09-07"], "to": ["2026-09-09"]}, (FIRST, LAST)),
        ({"to": ["2026-09-09"]}, (None, LAST)),
        ({"when": ["2026-09-07", "2026-09-09"]}, (FIRST, LAST)),
        ({"when": ["2026-09-07"]}, (FIRST, None)),
        ({"when": ["2026-01-01", "2026-01-02"], "from": ["2026-09-07"], "to": ["2026-09-09"]}, (FIRST, LAST)),
        ({"when": 5, "from": {"a": 1}, "to": "2026-09-09"}, (None, None)),
        ({"when": None, "from": ["2026-02-30"], "to": [7]}, (None, None)),
    ],
)
def test_days_are_read_from_both_forms_and_nonsense_is_no_day(
    query: dict[str, Any], days: tuple[Any, Any]
) -> None:
    assert parse_days(query) == days
