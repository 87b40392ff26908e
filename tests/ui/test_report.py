"""One report, its findings and their discussion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core import json_codec
from lavendertown.core.clock import now
from lavendertown.interchange.exports.formats import find_export_format
from lavendertown.models import GhostFinding
from lavendertown.ui.components.finding import thread
from lavendertown.ui.components.report import report_menu

CHECKS = (("nulls", "customer_id"), ("outliers", "price"))
App = Callable[..., AppTest]
Save = Callable[..., Any]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def captions(app: AppTest) -> str:
    return "\n".join(element.value for element in app.caption)


def finding_id(report: ShareableReport, place: int) -> str:
    return get_finding_id(report.findings[place])


def form(report: ShareableReport, place: int, part: str, sent: int = 0) -> str:
    """The key of a part of the form under a finding."""
    return f"form:{finding_id(report, place)}:{sent}:{part}"


def test_a_link_on_the_home_address_opens_that_finding(open_app: App, save: Save) -> None:
    report = save("r-1")
    app = open_app(report="r-1", finding=finding_id(report, 1))
    assert not app.exception
    assert "## price has 3 unusual values" in texts(app)


def test_an_unknown_report_says_so(open_app: App) -> None:
    app = open_app(report="r-81f")
    assert "No report “r\\-81f”" in texts(app)


def test_an_unknown_finding_is_named_and_the_first_one_shown(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app(report="r-1", finding="f1-nothing")
    assert "f1-nothing" in app.warning[0].value
    assert "## customer\\_id is empty" in texts(app)


@pytest.mark.parametrize(("kept", "colour"), [(1, "RED"), (2, "GRAY"), (3, "GREEN")])
def test_more_errors_are_red_and_fewer_are_green(open_app: App, save: Save, kept: int, colour: str) -> None:
    def errors(number: int) -> list[GhostFinding]:
        return [GhostFinding("null", f"c{each}", "error", f"c{each} is empty") for each in range(number)]

    save("r-1", findings=errors(kept), created_at=now() - timedelta(days=1), metadata={"dataset": "shop"})
    save("r-2", findings=errors(2), metadata={"dataset": "shop"})
    metric = open_app(report="r-2").metric[1]
    assert metric.label == "Errors"
    assert metric.proto.color == metric.proto.MetricColor.Value(colour)


def test_a_finding_of_one_run_that_passes_since_awaits_no_history(open_app: App, save: Save) -> None:
    ran = [{"check": check, "column": column, "params": {}, "outcome": "passed"} for check, column in CHECKS]
    metadata = {"dataset": "shop", "coverage": {"ran": ran}}
    save("r-1", created_at=now() - timedelta(days=2), metadata=metadata)
    assert "This is the first run that found it." in captions(open_app(report="r-1"))
    save("r-2", created_at=now() - timedelta(days=1), metadata=metadata, findings=[])
    assert "No history: only one run has found it." in captions(open_app(report="r-1"))


def test_a_comment_with_tag_and_status_is_saved_under_my_name(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    app = open_app(report="r-1")
    app.text_area(key=form(report, 0, "comment")).set_value("The till sends none.")
    app.multiselect(key=form(report, 0, "tags")).set_value(["tills"])
    app.selectbox(key=form(report, 0, "status")).set_value("needs-investigation")
    app.button(key=form(report, 0, "send")).click().run()
    (saved,) = storage.get_annotations(finding_id(report, 0))
    assert (saved.author, saved.comment) == ("Chiyo Tanaka", "The till sends none.")
    assert (saved.tags, saved.status) == (["tills"], "needs-investigation")
    assert "The till sends none." in texts(app)
    assert app.text_area(key=form(report, 0, "comment", sent=1)).value == ""


def test_an_empty_comment_is_refused(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    app = open_app(report="r-1")
    app.button(key=form(report, 0, "send")).click().run()
    assert "Write a comment, pick a tag or choose a status." in app.error[0].value
    assert storage.get_annotations(finding_id(report, 0)) == []


def test_closing_without_a_comment_is_refused(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    app = open_app(report="r-1")
    app.selectbox(key=form(report, 0, "status")).set_value("fixed")
    app.button(key=form(report, 0, "send")).click().run()
    assert "Closing a finding needs a reason; explain it in a comment." in app.error[0].value
    assert storage.get_annotations(finding_id(report, 0)) == []


def test_a_status_set_by_somebody_else_meanwhile_is_not_overwritten_unseen(
    open_app: App, save: Save, comment: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    app = open_app(report="r-1")
    comment(report, 0, author="Ben Okafor", status="fixed")
    app.text_area(key=form(report, 0, "comment")).set_value("Mine.")
    app.selectbox(key=form(report, 0, "status")).set_value("accepted")
    app.button(key=form(report, 0, "send")).click().run()
    assert "Ben Okafor set this finding to Fixed" in app.error[0].value
    assert app.text_area(key=form(report, 0, "comment")).value == "Mine."
    assert len(storage.get_annotations(finding_id(report, 0))) == 1
    app.button(key=form(report, 0, "send")).click().run()
    assert storage.get_annotations(finding_id(report, 0))[-1].status == "accepted"


def test_the_status_select_saves_the_status_alone(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    app = open_app(report="r-1")
    app.selectbox(key=f"detail:status:{finding_id(report, 0)}:open").set_value("reviewed").run()
    (saved,) = storage.get_annotations(finding_id(report, 0))
    assert (saved.comment, saved.status) == ("", "reviewed")


def test_next_moves_to_the_next_finding(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app(report="r-1")
    app.button(key="findings:Next").click().run()
    assert "## price has 3 unusual values" in texts(app)


def test_a_deleted_report_says_who_deleted_it_and_comes_back(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    storage.delete_report("r-1", actor="Ben Okafor")
    app = open_app(report="r-1")
    assert "was deleted by Ben Okafor" in app.caption[0].value
    restore = next(button for button in app.button if button.label == "Restore it")
    restore.click().run()
    assert storage.load_report("r-1") is not None
    assert app.title[0].value == "Orders, nightly"


def test_a_clean_run_is_no_fault(open_app: App, save: Save) -> None:
    save("r-1", findings=[], metadata={"dataset": "orders", "coverage": {"checks_run": 43}})
    app = open_app(report="r-1")
    assert not app.exception
    assert "No problems found" in texts(app)


def test_positions_are_shown_where_the_data_is_not_at_hand(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("report", report="r-1")
    app.session_state["rows:r-1:0"] = True
    app.run()
    assert ":small[3, 5]" in texts(app)


def test_an_exported_report_reads_back(save: Save, storage: FileStorage, comment: Save) -> None:
    comment(save("r-1"), 0)
    data = find_export_format("json").write(report_menu.read_report("r-1"))
    read = ShareableReport.from_dict(json_codec.loads(data))
    assert read == storage.load_report("r-1")


def test_a_cell_that_looks_like_a_formula_is_disarmed(save: Save) -> None:
    report = save("r-0")
    evil = replace(report.findings[0], description="=HYPERLINK(1)")
    save("r-1", findings=[evil])
    data = find_export_format("csv").write(report_menu.read_report("r-1"))
    assert "'=HYPERLINK(1)" in data.decode("utf-8-sig")


def test_colleagues_are_mentioned_by_choice(
    open_app: App, save: Save, comment: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    comment(report, 1)  # Ben Okafor becomes known
    app = open_app("report", report="r-1")
    app.text_area(key=form(report, 0, "comment")).set_value("Can you look?")
    app.multiselect(key=form(report, 0, "mentions")).set_value(["Ben Okafor"])
    app.button(key=form(report, 0, "send")).click().run()
    assert not app.exception
    (said,) = storage.get_annotations(get_finding_id(report.findings[0]))
    assert said.comment == "Can you look?\n\n@Ben Okafor"
    assert storage.inbox.count(mentions="Ben Okafor") == 1


@pytest.mark.parametrize(
    ("comment", "people", "expected"),
    [
        ("", ["Ana"], "@Ana"),
        ("Ask @ana about it", ["Ana", "Ben"], "Ask @ana about it\n\n@Ben"),
        ("Nobody", [], "Nobody"),
    ],
)
def test_a_mention_stands_once(comment: str, people: list[str], expected: str) -> None:
    assert thread.add_mentions(comment, people) == expected
