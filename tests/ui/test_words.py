from __future__ import annotations

import datetime as dt

import pytest

from lavendertown.core.clock import now
from lavendertown.ui.components.shared import charts, formatting, weeks


def test_markdown_in_a_title_is_shown_letter_for_letter() -> None:
    assert formatting.escape_markdown("*bold* [x] $a$ &lt;") == r"\*bold\* \[x\] \$a\$ \&lt;"


def test_the_front_end_finds_no_icon_address_or_arrow_in_a_plain_text() -> None:
    assert formatting.escape_markdown(":skull: www.x.org a@b.c -> 1") == (
        r"\::small[]skull\: www:small[].x.org a@:small[]b.c \-:small[]\> 1"
    )


def test_a_comment_cannot_fetch_a_picture_from_elsewhere() -> None:
    assert (
        formatting.comment_markdown("look ![x](http://elsewhere/p.png)")
        == r"look \![x](<http://elsewhere/p.png>)"
    )


def test_a_list_without_blank_lines_stays_one() -> None:
    assert formatting.comment_markdown("1. one\n2. two\n   - in") == "1. one\n2. two\n   - in"


def test_a_comment_as_long_as_an_old_store_kept_it_is_shown_as_text() -> None:
    assert formatting.comment_markdown("*a*" * 7_000).startswith(r"\*a\*")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, "unknown"),
        (0.0, "0%"),
        (0.0001, "< 0.1%"),
        (0.034, "3.4%"),
        (0.99999, "99.9%"),
        (1.0, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_all(share: float | None, said: str) -> None:
    assert formatting.format_percent(share) == said


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (dt.timedelta(seconds=-90), "a few seconds ago"),
        (dt.timedelta(seconds=44), "a few seconds ago"),
        (dt.timedelta(seconds=45), "a minute ago"),
        (dt.timedelta(minutes=3), "3 minutes ago"),
        (dt.timedelta(minutes=45), "an hour ago"),
        (dt.timedelta(hours=21), "21 hours ago"),
        (dt.timedelta(hours=30), "a day ago"),
        (dt.timedelta(days=2), "2 days ago"),
        (dt.timedelta(days=25), "25 days ago"),
        (dt.timedelta(days=26), "a month ago"),
        (dt.timedelta(days=61), "2 months ago"),
        (dt.timedelta(days=330), "a year ago"),
        (dt.timedelta(days=1100), "3 years ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(age: dt.timedelta, said: str) -> None:
    assert formatting.format_relative_time(now() - age) == said


def test_large_counts_stay_short() -> None:
    assert [formatting.format_compact(n) for n in (7, 999, 1200, 45_000)] == ["7", "999", "1.2k", "45k"]


def test_a_day_has_no_leading_zero() -> None:
    when = dt.datetime(2026, 9, 7, 6, 5, tzinfo=dt.UTC)
    assert formatting.format_time(when) == "7 Sep 2026, 06:05"
    assert formatting.format_day(when) == "7 Sep 2026"
    assert formatting.format_short_day(when) == "7 Sep"


@pytest.mark.parametrize(
    ("locale", "first"),
    [
        ("", dt.date(2026, 11, 16)),
        ("de-DE", dt.date(2026, 11, 16)),
        ("fr", dt.date(2026, 11, 16)),
        ("en-GB", dt.date(2026, 11, 16)),
        ("en_001", dt.date(2026, 11, 16)),
        ("en", dt.date(2026, 11, 15)),
        ("en-US", dt.date(2026, 11, 15)),
        ("zh-Hant-TW", dt.date(2026, 11, 15)),
        ("es-419", dt.date(2026, 11, 16)),
        ("ar-EG", dt.date(2026, 11, 21)),
        ("fa", dt.date(2026, 11, 21)),
        ("dv-MV", dt.date(2026, 11, 20)),
        ("de-x-us", dt.date(2026, 11, 16)),
        ("<script>", dt.date(2026, 11, 16)),
    ],
)
def test_a_week_begins_as_in_the_readers_locale(
    monkeypatch: pytest.MonkeyPatch, locale: str, first: dt.date
) -> None:
    monkeypatch.setattr(weeks, "reader_locale", lambda: locale)
    assert weeks.week_start(dt.date(2026, 11, 21)) == first


def test_the_gravest_columns_come_first() -> None:
    rows = [
        {"column": "a", "severity": "info"},
        {"column": "b", "severity": "error"},
        {"column": "c", "severity": "warning"},
    ]
    assert charts.columns_by_severity(rows) == ["b", "c", "a"]


def test_two_columns_with_the_same_beginning_keep_their_own_bars() -> None:
    names = ["a_very_long_column_name_one", "a_very_long_column_name_two"]
    figure = charts.share_by_column(names, {names[0]: 0.1, names[1]: 0.2}, {})
    assert figure["data"][0]["y"] == [0, 1]


@pytest.mark.parametrize(
    ("description", "short"),
    [
        ("email is empty in 41,188 of 1,204,318 rows (3.4 %).", "email is empty"),
        ("email is empty in 41,188 of 1,204,318 rows (3.4%).", "email is empty"),
        (
            "Released holds dates stored as text: 17,472 of 17,472 rows (100 %).",
            "Released holds dates stored as text",
        ),
        ("Region is 'Anvers' in every row (94).", "Region is 'Anvers' in every row"),
        ("Column 'a' has 3 outliers", "Column 'a' has 3 outliers"),
        ("", ""),
    ],
)
def test_a_headline_leaves_the_counts_to_their_own_column(description: str, short: str) -> None:
    assert formatting.short_description(description) == short
