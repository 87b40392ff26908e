"""Trends: figures and charts over time, and the way from each to the findings it counts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.clock import now
from lavendertown.ui.components.trends import trend_charts, trend_steps
from tests.support.finding_list import listed_rows

App = Callable[..., AppTest]
Save = Callable[..., Any]
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def saturday(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Saturday, 21 November 2026."""
    monkeypatch.setattr("lavendertown.core.clock.now", lambda: NOON)


def texts(app: AppTest) -> str:
    return "\n".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])


def test_without_reports_it_says_what_will_be_drawn(open_app: App) -> None:
    app = open_app("trends")
    assert not app.exception
    assert "No trends yet" in texts(app)


def test_the_figures_tell_where_things_stand(open_app: App, save: Save, storage: FileStorage) -> None:
    save("r-0", created_at=now() - dt.timedelta(days=30))
    report = save("r-1", created_at=now() - dt.timedelta(days=1))
    decided = Decision(status="fixed", reason="Reloaded")
    storage.triage.decide(get_finding_id(report.findings[0]), decided, actor="Ben")
    app = open_app("trends")
    assert not app.exception
    told = {metric.label: (metric.value, metric.delta.split()[0]) for metric in app.metric}
    assert told["Current findings"] == ("2", "unchanged")
    assert told["Open"] == ("1", "-1")
    assert told["Closed"][0] == "1"
    assert told["Median time to close"][0] == "30 days"


def test_a_figure_is_compared_with_the_first_run_of_the_period(open_app: App, save: Save) -> None:
    save("r-1", created_at=now() - dt.timedelta(days=1), findings=[])
    app = open_app("trends", period="4w")
    assert {m.label: m.delta for m in app.metric if m.label in ("Current findings", "Open")} == {
        "Current findings": "unchanged since " + clock.format_short_day(now() - dt.timedelta(days=1)),
        "Open": "unchanged since " + clock.format_short_day(now() - dt.timedelta(days=1)),
    }
    assert "none closed since" in app.metric[3].delta


def test_a_first_run_has_nothing_to_compare(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("trends")
    assert [metric.delta for metric in app.metric][:2] == ["nothing to compare yet"] * 2


def test_each_chart_has_a_menu_that_leads_where_its_bars_lead(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("trends")
    menus = [each for each in app.main if each.type == "menu_button" and each.proto.label == "Findings"]
    assert menus[0].proto.options[0].endswith(": 2 found")
    assert len(menus) == 3
    assert "Nothing in this period." in texts(app)


def test_a_figures_findings_are_listed_with_what_they_are(open_app: App, save: Save) -> None:
    save("r-1")
    counted = ChartSelection("seen", now(), now() + dt.timedelta(hours=1), "error")
    app = open_app("findings", view="all", counted=str(counted))
    assert [row["finding"] for row in listed_rows(app)] == ["customer_id is empty in 41 rows"]
    (shown,) = (button for button in app.button if button.key == "desk:counted")
    assert "in the latest runs up to" in shown.label
    shown.click().run()
    assert len(listed_rows(app)) == 2


def test_a_figure_that_is_none_is_one_sentence(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("findings", counted="half")
    assert not app.exception
    assert "'half' does not name what a chart counts" in app.error[0].value


@pytest.mark.parametrize(
    ("period", "count", "first", "last"),
    [
        ("4w", 28, dt.date(2026, 10, 25), dt.date(2026, 11, 22)),
        ("12w", 12, dt.date(2026, 8, 31), dt.date(2026, 11, 23)),
        ("12m", 12, dt.date(2025, 12, 1), dt.date(2026, 12, 1)),
    ],
)
def test_steps_are_whole_days_weeks_and_months(
    saturday: None, period: str, count: int, first: dt.date, last: dt.date
) -> None:
    steps = trend_steps.period_steps(period)
    assert len(steps) == count
    assert (steps[0].start.date(), steps[-1].end.date()) == (first, last)
    assert all(sooner.end == later.start for sooner, later in pairwise(steps))


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (ChartSelection("seen", NOON, NOON, "error"), "in the latest runs up to 21 Nov 2026, errors"),
        (ChartSelection("seen", NOON, NOON), "in the latest runs up to 21 Nov 2026"),
        (ChartSelection("found", NOON, NOON, "Ana"), "reported by Ana, in the latest runs up to 21 Nov 2026"),
        (
            ChartSelection("open", NOON, dt.datetime(2026, 11, 2, tzinfo=dt.UTC)),
            "open at the end of 1 Nov 2026",
        ),
        (
            ChartSelection("closing", dt.datetime(2026, 11, 2, tzinfo=dt.UTC), NOON, "Ana"),
            "closed by Ana from 2 Nov 2026 to 21 Nov 2026",
        ),
    ],
)
def test_a_figure_is_said_in_words(counted: ChartSelection, words: str) -> None:
    assert trend_steps.describe_selection(counted) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(None, "–"), (0.001, "< 1 hour"), (0.05, "1 hour"), (0.9, "22 hours"), (12.4, "12 days")],
)
def test_a_time_is_said_in_words(number: float | None, words: str) -> None:
    assert trend_charts.format_days(number) == words


def test_notes_are_lines_in_the_charts_and_can_be_deleted(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    storage.timeline.add("Loader <fixed> & more words", now(), dataset="orders", actor="Ana")
    storage.timeline.add("On another dataset", now(), dataset="other", actor="Ana")
    app = open_app("trends", dataset=report.metadata["dataset"])
    assert not app.exception
    charts = [json.loads(each.proto.spec) for each in app.get("plotly_chart")]
    lines = [each["layout"]["annotations"] for each in charts if each["layout"].get("annotations")]
    assert [of_chart[0]["text"] for of_chart in lines] == ["Loader &lt;fixed&gt; &amp; …"] * len(lines)
    assert lines[0][0]["hovertext"] == "Loader &lt;fixed&gt; &amp; more words"
    assert len(lines) >= 2
    assert "On another dataset" not in texts(app)
    (note,) = storage.timeline.query("orders")
    app.button(key=f"trends:note:orders:{note.id}").click().run()
    assert storage.timeline.query("orders") == []
    app.button(key="frame:undo:page").click().run()
    assert storage.timeline.query("orders") == [note]


def test_a_note_is_added_in_a_form(open_app: App, save: Save, storage: FileStorage) -> None:
    save("r-1")
    app = open_app("trends")
    app.button(key="trends:note:add").click().run()
    app.text_input(key="timeline:text").set_value("New warehouse")
    app.button(key="timeline:save").click().run()
    assert not app.exception
    (note,) = storage.timeline.query()
    assert (note.text, note.dataset, note.author) == ("New warehouse", "", "Chiyo Tanaka")
    assert "New warehouse" in texts(app)


@pytest.mark.parametrize(("locale", "first"), [("de-DE", "16 Nov"), ("en-US", "15 Nov"), ("ar-EG", "21 Nov")])
def test_the_weeks_of_the_charts_begin_as_in_the_readers_locale(
    open_app: App, save: Save, saturday: None, monkeypatch: pytest.MonkeyPatch, locale: str, first: str
) -> None:
    monkeypatch.setattr("lavendertown.ui.components.shared.weeks.reader_locale", lambda: locale)
    save("r-1", created_at=NOON - dt.timedelta(hours=1))
    for screen in ("trends", "reports", "dataset"):
        app = open_app(screen, dataset="orders")
        assert not app.exception
        labels = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]["x"]
        assert labels[-1] == first
        assert not any(label.startswith("0") for label in labels)
