"""A report beside an earlier run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.core.clock import now
from lavendertown.models import GhostFinding
from tests.support.markdown import shown_text

App = Callable[..., AppTest]
Save = Callable[..., Any]


def changed(finding: GhostFinding, count: int, share: float) -> GhostFinding:
    return replace(finding, metadata={**finding.metadata, "count": count, "share": share})


def two_runs(save: Save) -> ShareableReport:
    first: ShareableReport = save("r-0", created_at=now() - dt.timedelta(days=7))
    nulls = changed(first.findings[0], 80, 0.2)
    other = GhostFinding("type", "qty", "info", "qty is text.", None, {"check": "types", "params": {}})
    made: ShareableReport = save("r-1", findings=[nulls, other])
    return made


def table(app: AppTest) -> list[tuple[str, str]]:
    frame = app.dataframe[0].value
    return list(zip([each[0] for each in frame["change"]], frame["finding"], strict=True))


def counts(app: AppTest) -> list[str]:
    return [button.label for button in app.button if (button.key or "").startswith("compare:only:")]


def test_a_report_is_compared_with_the_run_before(open_app: App, save: Save) -> None:
    two_runs(save)
    app = open_app("report", report="r-1")
    assert len(app.metric) == 4
    app.button(key="compare:toggle").click().run()
    assert not app.exception
    assert not app.metric
    assert table(app) == [
        ("New", "qty is text"),
        ("Worse", "customer_id is empty in 41 rows"),
        ("Not run", "price has 3 unusual values"),
    ]
    assert counts(app) == [":violet[**1**] New", ":orange[**1**] Worse", ":gray[**1**] Not run"]
    app.button(key="compare:only:worse").click().run()
    assert [change for change, _ in table(app)] == ["Worse"]
    app.button(key="compare:toggle").click().run()
    assert len(app.metric) == 4


def test_the_address_says_what_is_compared(open_app: App, save: Save) -> None:
    two_runs(save)
    save("r-2", created_at=now() - dt.timedelta(days=30), findings=[])
    app = open_app("report", report="r-1", compare="r-2")
    assert [change for change, _ in table(app)] == ["New", "Regressed"]


def test_the_findings_of_both_runs_are_one_table(open_app: App, save: Save) -> None:
    two_runs(save)
    app = open_app("report", report="r-1", compare="before")
    assert len(app.dataframe) == 1, "the list is not drawn a second time"
    assert list(app.dataframe[0].value["change"].str[0]) == ["New", "Worse", "Not run"]
    app.button(key="compare:toggle").click().run()
    assert "change" not in app.dataframe[0].value.columns


def test_what_stayed_as_it_was_comes_last(open_app: App, save: Save) -> None:
    first: ShareableReport = save("r-0", created_at=now() - dt.timedelta(days=7))
    save("r-1", findings=[first.findings[0], changed(first.findings[1], 2, 0.005)])
    app = open_app("report", report="r-1", compare="before")
    assert [change for change, _ in table(app)] == ["Better", "The same"]
    app.button(key="compare:only:same").click().run()
    assert [change for change, _ in table(app)] == ["The same"]


def test_a_first_run_has_nothing_to_be_compared_with(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("report", report="r-1")
    assert app.button(key="compare:toggle").disabled
    app = open_app("report", report="r-1", compare="before")
    assert any("This is the first run" in caption.value for caption in app.caption)


def test_a_run_that_is_not_there_is_one_sentence(open_app: App, save: Save) -> None:
    two_runs(save)
    app = open_app("report", report="r-1", compare="r-9")
    assert not app.exception
    assert "There is no report 'r-9' to compare with" in shown_text(app.error[0].value)
