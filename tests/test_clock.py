"""The one clock: every time is aware, in UTC, exact to the microsecond."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.core import clock

TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, 123456)


@pytest.fixture
def local_zone(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is dt.UTC


def test_a_time_with_a_zone_stays_the_same_instant() -> None:
    given_time = MOMENT.replace(tzinfo=TOKYO)
    assert clock.to_utc(given_time) == given_time
    assert clock.to_utc(given_time).tzinfo is dt.UTC
    assert clock.to_utc(given_time).hour == 20


def test_a_time_without_a_zone_is_local(local_zone: Callable[[str], None]) -> None:
    local_zone("Asia/Tokyo")
    assert clock.to_utc(MOMENT) == MOMENT.replace(tzinfo=TOKYO)


def test_a_time_without_a_zone_is_read_in_the_zone_that_is_named() -> None:
    assert clock.to_utc(MOMENT, BERLIN) == MOMENT.replace(tzinfo=BERLIN)


def test_a_named_zone_does_not_move_a_time_that_has_its_own() -> None:
    given_time = MOMENT.replace(tzinfo=TOKYO)
    assert clock.to_utc(given_time, BERLIN) == given_time


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_microseconds_lose_nothing(moment: dt.datetime) -> None:
    assert clock.from_microseconds(clock.to_microseconds(moment)) == moment


def test_microseconds_before_1970_are_exact() -> None:
    moment = dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)
    assert clock.to_microseconds(moment) == -1


def test_parse_reads_a_time_with_and_without_a_zone() -> None:
    assert clock.parse_time("2026-03-04T05:06:07+09:00") == dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=TOKYO)
    assert clock.parse_time("2026-03-04T05:06:07Z") == dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=clock.UTC)
    assert clock.parse_time("2026-03-04T05:06:07", BERLIN) == dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=BERLIN)


def test_parse_refuses_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        clock.parse_time("yesterday")


@pytest.mark.parametrize(
    ("day", "hours"),
    [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (dt.date(2026, 6, 1), 24)],
)
def test_a_day_is_as_long_as_its_zone_makes_it(day: dt.date, hours: int) -> None:
    length = clock.day_end(day, BERLIN) - clock.day_start(day, BERLIN)
    assert length == dt.timedelta(hours=hours) - dt.timedelta(microseconds=1)


def test_a_day_without_a_zone_is_local(local_zone: Callable[[str], None]) -> None:
    local_zone("Asia/Tokyo")
    start = clock.day_start(dt.date(2026, 3, 4))
    assert start == dt.datetime(2026, 3, 3, 15, tzinfo=clock.UTC)
    assert start.tzinfo is clock.UTC
