from __future__ import annotations

import datetime as dt

import pytest

from lavendertown.clock import now
from lavendertown.ui.components import charts, filters, words


def test_markdown_in_a_title_is_shown_letter_for_letter() -> None:
    assert words.plain("*bold* :red[x] $a$") == r"\*bold\* \:red\[x\] \$a\$"


def test_a_comment_cannot_fetch_a_picture_from_elsewhere() -> None:
    assert "![" not in words.comment("look ![x](http://elsewhere/p.png)")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, "unknown"),
        (0.0, "0 %"),
        (0.0001, "< 0.1 %"),
        (0.034, "3.4 %"),
        (0.99999, "99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_all(share: float | None, said: str) -> None:
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (dt.timedelta(seconds=5), "just now"),
        (dt.timedelta(minutes=3), "3 min ago"),
        (dt.timedelta(hours=30), "1 d ago"),
        (dt.timedelta(days=15), "2 w ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(age: dt.timedelta, said: str) -> None:
    assert words.ago(now() - age) == said


def test_large_counts_stay_short() -> None:
    assert [words.compact(n) for n in (7, 999, 1200, 45_000)] == ["7", "999", "1.2k", "45k"]


def test_a_week_begins_on_monday() -> None:
    assert filters.week_start(dt.date(2026, 11, 21)) == dt.date(2026, 11, 16)


def test_the_gravest_columns_come_first() -> None:
    rows = [
        {"column": "a", "severity": "info"},
        {"column": "b", "severity": "error"},
        {"column": "c", "severity": "warning"},
    ]
    assert charts.columns_by_gravity(rows) == ["b", "c", "a"]


def test_two_columns_with_the_same_beginning_keep_their_own_bars() -> None:
    names = ["a_very_long_column_name_one", "a_very_long_column_name_two"]
    figure = charts.share_by_column(names, {names[0]: 0.1, names[1]: 0.2}, {})
    assert figure["data"][0]["y"] == [0, 1]


@pytest.mark.parametrize(
    ("description", "short"),
    [
        ("email is empty in 41,188 of 1,204,318 rows (3.4 %).", "email is empty"),
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
    assert words.headline(description) == short
