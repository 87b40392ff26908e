"""Saying that something is expected: on a finding of a report, on Inspect, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.rules.check_configuration import CheckConfiguration, ColumnSettings
from tests.ui.test_inspect import button, upload

App = Callable[..., AppTest]
Save = Callable[..., Any]
CSV = b"order_id,customer_id\n1,7\n2,\n3,9\n4,\n"


def texts(app: AppTest) -> str:
    return "\n".join(each.value for each in [*app.markdown, *app.caption, *app.error]).replace("\\", "")


def save_expected(app: AppTest) -> AppTest:
    app = app.button(key="expected:save").click().run()
    assert not app.exception
    return app


def test_empty_values_of_a_finding_in_a_report_are_expected(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    app = open_app("report", report="r-1")
    button(app, "Expected…").click().run()
    assert "The next run does not report it; stored reports keep it." in texts(app)
    app = save_expected(app)
    assert storage.dataset_settings.load_checks("orders").column("customer_id") == ColumnSettings(
        optional=True
    )
    (event,) = storage.audit_log(component="dataset_settings")
    assert event["actor"] == "Chiyo Tanaka"
    assert len(storage.query_findings(limit=None)) == 2

    app.run()
    assert "empty values are expected" in texts(app)
    app = button(app, "Undo").click().run()
    assert storage.dataset_settings.load_checks("orders") == CheckConfiguration()


def test_a_range_is_typed_and_a_wrong_one_is_refused(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    names = [row["finding_id"] for row in storage.findings.query(report.id)]
    app = open_app("report", report="r-1", finding=names[1])
    button(app, "Expected…").click().run()
    app.text_input(key="expected:low").set_value("9")
    app.text_input(key="expected:high").set_value("5")
    app = save_expected(app)
    # The dialog shows it; a test draws the whole page, in which the dialog is not open.
    assert "has a min above its max" in app.session_state["frame:notice:checks"].text
    assert storage.dataset_settings.load_checks("orders") == CheckConfiguration()
    button(app, "Expected…").click().run()
    app.text_input(key="expected:low").set_value("1")
    app.text_input(key="expected:high").set_value("5")
    save_expected(app)
    expected = storage.dataset_settings.load_checks("orders").column("price")
    assert (expected.low, expected.high) == (1, 5)


def test_an_undo_after_another_change_is_refused(open_app: App, save: Save, storage: FileStorage) -> None:
    save("r-1")
    app = open_app("report", report="r-1")
    button(app, "Expected…").click().run()
    app = save_expected(app).run()
    other = CheckConfiguration(columns={"x": ColumnSettings(unique=True)})
    storage.dataset_settings.save_checks("orders", other, actor="Ben Okafor")
    app = button(app, "Undo").click().run()
    assert "Ben Okafor changed this configuration" in texts(app)
    assert storage.dataset_settings.load_checks("orders") == other


def test_on_inspect_the_next_run_does_not_report_it(open_app: App, storage: FileStorage) -> None:
    app = upload(open_app("inspect_"), "orders.csv", CSV)
    box = next(each for each in app.expander if "customer\\_id is empty" in each.label)
    app.session_state[box.key] = True
    app.run()
    button(app, "Expected…").click().run()
    app = save_expected(app).run()
    assert "have changed since this run" in texts(app)
    app = button(app, "Check again").click().run()
    assert not app.exception
    assert not any("customer\\_id is empty" in each.label for each in app.expander)
    assert "have changed since this run" not in texts(app)
    off = app.session_state["inspect:result"].coverage["switched_off"]
    assert off == [{"check": "nulls", "column": "customer_id", "reason": "empty values are expected"}]


def test_activity_tells_the_change_and_takes_it_back(open_app: App, storage: FileStorage) -> None:
    configuration = CheckConfiguration(columns={"note": ColumnSettings(optional=True)})
    storage.dataset_settings.save_checks("orders", configuration, actor="Ana Ferreira")
    app = open_app("activity")
    (line,) = app.expander
    assert (
        "**Ana Ferreira** changed the checks of **orders**: note: empty values are expected"
        in line.label.replace("\\", "")
    )
    app.session_state[line.key] = True
    app = button(app.run(), "Undo").click().run()
    assert not app.exception
    assert storage.dataset_settings.load_checks("orders") == CheckConfiguration()


def test_a_finding_of_another_tool_offers_nothing(open_app: App, save: Save) -> None:
    from lavendertown.models import GhostFinding

    tool = GhostFinding("null", "a", "error", "a is empty", None, {"check_id": "dbt:1", "check": "nulls"})
    save("r-1", findings=[tool])
    app = open_app("report", report="r-1")
    assert "Expected…" not in [each.label for each in app.button]


def test_a_finding_says_that_its_check_was_changed(open_app: App, save: Save) -> None:
    save("r-1")
    off = [{"check": "nulls", "column": "customer_id", "reason": "empty values are expected"}]
    tuned = [
        {"check": "outliers", "column": "price", "params": {}, "outcome": "passed", "settings": {"k": 5}}
    ]
    coverage = {"ran": tuned, "switched_off": off}
    second = save("r-2", findings=[], metadata={"dataset": "orders", "coverage": coverage})
    assert second.findings == []
    app = open_app("report", report="r-1")
    assert "Check changed: it did not run in the latest report, because empty values are expected." in texts(
        app
    )
