"""The feed of changes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.triage import Decision, Undo
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.clock import now
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.models import GhostFinding
from lavendertown.ui.components.data import data_queries
from lavendertown.ui.components.shared import audit_text
from tests.support.receivers import http_receiver

App = Callable[..., AppTest]
Save = Callable[..., Any]


def lines(app: AppTest) -> list[str]:
    return [box.label for box in app.expander]


def open_all(app: AppTest) -> AppTest:
    """Open every line, as a click does."""
    for box in app.expander:
        app.session_state[box.key] = True
    return app.run()


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_a_store_without_changes_says_what_will_be_here(open_app: App) -> None:
    app = open_app("activity")
    assert not app.exception
    assert any("No activity yet" in text.value for text in app.markdown)


def test_changes_are_told_newest_first_under_their_day(open_app: App, save: Save, comment: Save) -> None:
    comment(save("r-1"), 0)
    app = open_app("activity")
    assert not app.exception
    assert (
        "**Ben Okafor** commented on **customer\\_id is empty in 41 rows**: Asked the shop" in lines(app)[0]
    )
    assert "**Ana Ferreira** created the report **Orders, nightly**" in lines(app)[1]
    assert "**Today**" in [text.value for text in app.markdown]
    assert "2 changes, newest first" in captions(app)


def test_a_changed_comment_shows_before_and_after(
    open_app: App, save: Save, comment: Save, storage: FileStorage
) -> None:
    said = comment(save("r-1"), 0)
    storage.save_annotation(replace(said, comment="It was us.", status="fixed", version=None))
    [event] = storage.audit_log(operation="update")
    assert audit_text.changed_fields(event) == [
        ("Comment", "Asked the shop.", "It was us."),
        ("Status", "—", "Fixed"),
    ]
    app = open_all(open_app("activity"))
    assert any("Asked the shop. → It was us." in str(table.value) for table in app.table)


def test_a_change_leads_to_its_report_and_finding(open_app: App, save: Save, comment: Save) -> None:
    comment(save("r-1"), 1)
    app = open_all(open_app("activity"))
    links = [link.proto.label for link in app.main if link.type == "page_link"]
    assert links == ["Open the finding", "Open the report"]


def test_the_address_filters_by_person_kind_and_operation(
    open_app: App, save: Save, comment: Save, storage: FileStorage
) -> None:
    comment(save("r-1"), 0)
    storage.delete_report("r-1", actor="Ben Okafor")
    assert len(lines(open_app("activity"))) == 3
    for query, expected in (
        ({"kind": ["report"]}, 2),
        ({"operation": ["delete"]}, 1),
        ({"kind": ["report"], "operation": ["create"]}, 1),
        ({"kind": ["annotation", "report"]}, 3),
    ):
        assert len(lines(opened(open_app, **query))) == expected, query


def test_days_and_a_record_filter(open_app: App, save: Save, comment: Save) -> None:
    comment(save("r-1"), 0)
    app = open_app("activity")
    app.text_input(key="record").set_value("r-1").run()
    assert len(lines(app)) == 1
    app.text_input(key="record").set_value("").run()
    app.date_input(key="until").set_value((now() - dt.timedelta(days=3)).date()).run()
    assert lines(app) == []
    app.date_input(key="since").set_value(now().date()).run()
    assert any("Until is before Since" in caption.value for caption in app.caption)
    app.date_input(key="until").set_value(None).run()
    app.date_input(key="since").set_value((now() - dt.timedelta(days=3)).date()).run()
    assert len(lines(app)) == 2


def test_the_person_in_the_address_filters(open_app: App, save: Save, comment: Save) -> None:
    comment(save("r-1"), 0)
    app = opened(open_app)
    app.query_params["person"] = "Ben Okafor"
    app.run()
    assert len(lines(app)) == 1


def opened(open_app: App, **query: Any) -> AppTest:
    """The screen, with an address of its own: a switch of screens drops the former's."""
    app = open_app("activity")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_filters_that_match_nothing_say_so_and_can_be_cleared(open_app: App, save: Save) -> None:
    save("r-1")
    app = opened(open_app, operation="restore")
    assert any("No change matches" in text.value for text in app.markdown)
    app.button(key="activity:clear").click().run()
    assert len(lines(app)) == 1


def test_older_changes_are_on_the_next_part(open_app: App, save: Save) -> None:
    for number in range(103):
        save(f"r-{number}", title=f"Run {number:03d}")
    app = open_app("activity")
    assert "Changes 1–100, newest first" in captions(app)
    app.button(key="activity:older").click().run()
    assert [line.rpartition("Run ")[2] for line in lines(app)] == ["002**", "001**", "000**"]
    app.button(key="activity:newer").click().run()
    assert len(lines(app)) == 100


def test_an_application_s_own_records_are_told_by_their_names() -> None:
    event = {
        "actor": "Ana",
        "operation": "soft_delete",
        "component": "invoices",
        "record_id": "7",
        "before": {"total": 3, "paid": False},
        "after": {"total": 4, "paid": True},
    }
    assert audit_text.describe_event(event, {}) == "**Ana** moved to trash the invoices **7**"
    assert audit_text.changed_fields(event) == [("Total", "3", "4"), ("Paid", "no", "yes")]


def test_removed_notifications_and_failed_checks_are_described(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    problem = "The source orders could not be checked: There is no file a_b.csv."
    storage.source_checks.save_failure("orders", problem, now())
    storage.source_checks.clear_failure("orders")
    settings = [audit_text.describe_event(event, {}) for event in storage.audit_log()]
    assert settings == [
        "**LavenderTown** checked **orders** again",
        "**LavenderTown** could not check **orders**: There is no file a\\_b.csv.",
    ]
    purge = {"actor": "LavenderTown", "operation": "purge", "component": "notification"}
    event = {**purge, "record_id": "expired", "before": None, "after": {"removed": 2}}
    assert audit_text.describe_event(event, {}) == "**LavenderTown** removed 2 notifications for good"


def decide_on_all(storage: FileStorage, **decision: Any) -> Undo:
    return storage.triage.decide(storage.inbox.query_ids(), Decision(**decision), actor="Maya")


def test_a_decision_about_many_findings_is_one_line_that_can_be_undone(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    decide_on_all(storage, status="reviewed")
    decide_on_all(storage, assignee="Ben")
    app = open_all(open_app("activity"))
    assert "**Maya** assigned **2 findings** to **Ben**" in lines(app)[0]
    assert "**Maya** set **2 findings** to :blue-badge" in lines(app)[1]
    assert len(lines(app)) == 3
    undo = [button for button in app.button if button.label == "Undo"]
    undo[1].click().run()
    assert {row["status"] for row in storage.inbox.query()} == {"open"}
    assert {row["assignee"] for row in storage.inbox.query()} == {"Ben"}


def test_a_decision_is_undone_whole_though_the_page_shows_a_part(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1", findings=[GhostFinding("null", f"c{n}", "error", f"c{n} is empty") for n in range(120)])
    decide_on_all(storage, status="reviewed")
    app = open_all(open_app("activity"))
    next(button for button in app.button if button.label == "Undo").click().run()
    assert {row["status"] for row in storage.inbox.query()} == {"open"}


def test_an_undone_decision_stays_one_line_and_leaves_no_comments(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    storage.triage.undo(decide_on_all(storage, status="reviewed"), actor="Maya")
    app = open_all(open_app("activity"))
    assert re.search(r"set \*\*2 findings\*\* to .*Reviewed.* undone \d+ s later", lines(app)[0])
    assert len(lines(app)) == 2
    assert [button for button in app.button if button.label == "Undo"] == []
    assert {row["comment_count"] for row in storage.inbox.query()} == {0}
    assert data_queries.count_trash()["annotation"] == 0


def test_a_status_that_was_taken_back_is_no_deleted_comment(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    undo = decide_on_all(storage, status="reviewed")
    storage.save_annotation(Annotation("a", storage.inbox.query_ids()[0], "Ben", now(), "No."))
    storage.delete_annotation(undo.annotations[0], actor="Ben")
    assert "**Ben** took back the status :blue-badge" in lines(open_app("activity"))[0]


def test_the_steps_of_a_notification_are_one_line(
    open_app: App, save: Save, comment: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    storage.people.save("Chiyo Tanaka", actor="Chiyo Tanaka")
    with http_receiver() as receiver:
        channel = NotificationChannel("team", "webhook", url=receiver.url, allow_private=True)
        storage.notifications.collect(channel)
        for number in (0, 1):
            comment(report, number, comment="@Chiyo Tanaka, look.")
        storage.notifications.collect(channel)
        storage.notifications.deliver_due([channel], "")
    comment(report, 0, comment="@Chiyo Tanaka, again.")
    storage.notifications.collect(channel)
    storage.notifications.deliver_due([channel], "")
    said = [line.split("**", 1)[1] for line in lines(open_app("activity")) if "**LavenderTown**" in line]
    assert said == [
        "LavenderTown** has 1 notification to send",
        "LavenderTown** sent 2 notifications",
        "LavenderTown** looked for changes to notify about",
    ]
