"""Incidents on the screens: grouped from the list or a suggestion, closed at once, restored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.ui.components.findings import inbox_actions
from tests.support.finding_list import listed_rows

App = Callable[..., AppTest]
Save = Callable[..., Any]


def names(report: ShareableReport) -> list[str]:
    return [get_finding_id(each) for each in report.findings]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


def related(save: Save) -> ShareableReport:
    """Save a report whose two findings have the same rows."""
    report: ShareableReport = save("r-1")
    first, second = report.findings
    first.metadata["related"] = [{"check": "outliers", "column": "price"}]
    second.metadata["related"] = [{"check": "nulls", "column": "customer_id"}]
    saved: ShareableReport = save("r-2", findings=[first, second])
    return saved


@pytest.fixture
def incident(save: Save, storage: FileStorage) -> str:
    """The id of an incident with two findings."""
    return storage.incidents.create("Loader down", names(save("r-1")), assignee="Ben", actor="Ana")


def opened(open_app: App, incident_id: str) -> AppTest:
    app = open_app(screen="incident", id=incident_id)
    assert not app.exception
    return app


def test_findings_with_the_same_rows_are_offered_to_be_grouped(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    first, second = names(related(save))
    app = open_app(screen="findings", finding=first)
    assert "**Group these 2 findings?**" in texts(app)
    assert "“price has 3 unusual values”" in texts(app)
    app.button(key=f"incident:group:{first}").click().run()
    app.text_input(key="incident:title").set_value("Loader *down*")
    app.button(key="desk:dialog:do").click().run()
    (made,) = storage.incidents.query()
    assert (made["title"], made["members"], made["assignee"]) == ("Loader *down*", [first, second], "")
    assert "2 findings grouped into **Loader \\*down\\***." in texts(app)
    assert "Group these" not in texts(app)
    app.button(key="frame:undo:page").click().run()
    assert storage.incidents.query() == []


def test_a_mention_in_its_discussion_is_in_the_view_mentions_me(
    open_app: App, incident: str, storage: FileStorage
) -> None:
    storage.incidents.comment(incident, "Ask @Chiyo Tanaka.", author="Ana")
    app = open_app(screen="findings", view="mentions")
    assert not app.exception
    assert "2 findings · rows counted in the latest run" in texts(app)
    assert any("Mentions me 2" in str(button.label) for button in app.button)


def test_a_suggestion_is_not_repeated_after_not_now(open_app: App, save: Save, storage: FileStorage) -> None:
    first, _ = names(related(save))
    app = open_app(screen="findings", finding=first)
    app.button(key=f"incident:dismiss:{first}").click().run()
    assert "Group these" not in texts(app)
    assert storage.incidents.query() == []


def test_a_finding_is_added_to_the_incident_of_a_related_one(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    first, second = names(related(save))
    made = storage.incidents.create("Loader down", second, actor="Ben")
    app = open_app(screen="findings", finding=first)
    assert "Add this to **Loader down**?" in texts(app)
    app.button(key=f"incident:add:{first}").click().run()
    assert storage.incidents.list_members(made) == [second, first]


def test_selected_findings_are_added_to_an_open_incident(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    first, second = names(save("r-1"))
    made = storage.incidents.create("Loader down", first, actor="Ben")
    app = open_app(screen="findings")
    app.session_state["desk:selected"] = [second]
    app.run()
    app.button(key="desk:bulk:group").click().run()
    app.selectbox(key="incident:target").set_value(made).run()
    app.button(key="desk:dialog:do").click().run()
    assert storage.incidents.list_members(made) == [first, second]
    assert "1 finding added to **Loader down**." in texts(app)
    app.button(key="frame:undo:page").click().run()
    assert storage.incidents.list_members(made) == [first]


def test_a_group_without_a_title_is_refused_in_the_dialog(open_app: App, save: Save) -> None:
    first, _ = names(related(save))
    app = open_app(screen="findings", finding=first)
    app.button(key=f"incident:group:{first}").click().run()
    app.button(key="desk:dialog:do").click().run()
    assert "The incident has no title; give it one." in app.error[0].value
    assert app.session_state[inbox_actions.DIALOG][0] == "group"


def test_the_list_marks_findings_and_the_view_lists_incidents(open_app: App, incident: str) -> None:
    app = open_app(screen="findings")
    assert [row["incident"] for row in listed_rows(app)] == ["Loader down", "Loader down"]
    app.button(key="desk:view:incidents").click().run()
    assert "1 incident · 1 open" in texts(app)
    assert not listed_rows(app)


def test_an_empty_view_of_incidents_says_how_to_make_one(open_app: App, save: Save) -> None:
    save("r-1")
    assert "An incident groups findings with one cause." in texts(
        open_app(screen="findings", view="incidents")
    )


def test_the_screen_shows_owner_status_and_findings(open_app: App, incident: str) -> None:
    app = opened(open_app, incident)
    assert app.title[0].value == "Loader down"
    assert "2 of 2 findings open" in texts(app)
    assert [box.value for box in app.selectbox] == ["Ben"]


def test_closing_it_asks_why_closes_all_and_is_undone_at_once(
    open_app: App, incident: str, storage: FileStorage
) -> None:
    app = opened(open_app, incident)
    app.button(key="incident:close").click().run()
    app.button(key="desk:dialog:do").click().run()
    assert "Closing a finding needs a reason" in app.error[0].value
    app.text_area(key="desk:reason").set_value("Restarted.")
    app.button(key="desk:dialog:do").click().run()
    found = storage.incidents.find(incident)
    assert found is not None
    assert (found["state"], found["status"]) == ("closed", "fixed")
    assert "2 findings set to Fixed." in texts(app)
    assert [button.key for button in app.button if button.key == "incident:close"] == []
    app.button(key="frame:undo:page").click().run()
    assert storage.inbox.count(state="open") == 2


def test_a_closed_incident_is_reopened_and_that_is_undone(
    open_app: App, incident: str, storage: FileStorage
) -> None:
    storage.incidents.close(incident, Decision(status="fixed", reason="Restarted."), actor="Ben")
    app = opened(open_app, incident)
    app.button(key="incident:reopen").click().run()
    assert "2 findings reopened." in texts(app)
    assert storage.inbox.count(state="open") == 2
    app.button(key="frame:undo:page").click().run()
    assert storage.inbox.count(state="open") == 0


def test_the_owner_changes_unless_somebody_else_was_faster(
    open_app: App, incident: str, storage: FileStorage
) -> None:
    app = opened(open_app, incident)
    storage.incidents.assign(incident, "Cy", actor="Cy")
    app.selectbox(key=f"incident:owner:{incident}:1").set_value("Nobody").run()
    assert "Cy changed this incident a few seconds ago." in app.error[0].value
    assert [each["assignee"] for each in storage.incidents.query()] == ["Cy"]
    app.selectbox(key=f"incident:owner:{incident}:2").set_value("Nobody").run()
    assert [each["assignee"] for each in storage.incidents.query()] == [""]


def test_a_finding_is_removed_and_put_back(open_app: App, incident: str, storage: FileStorage) -> None:
    first, second = storage.incidents.list_members(incident)
    app = opened(open_app, incident)
    app.button(key=f"incident:remove:{first}").click().run()
    assert storage.incidents.list_members(incident) == [second]
    app.button(key="frame:undo:page").click().run()
    assert set(storage.incidents.list_members(incident)) == {first, second}


def test_a_comment_joins_the_thread(open_app: App, incident: str, storage: FileStorage) -> None:
    app = opened(open_app, incident)
    app.text_area(key=f"incident:comment:{incident}:0").set_value("The disk was full.")
    app.button(key=f"incident:comment:{incident}:0:send").click().run()
    assert [note.comment for note in storage.incidents.list_comments(incident)] == ["The disk was full."]
    assert "The disk was full." in texts(app)
    assert app.text_area(key=f"incident:comment:{incident}:1").value in ("", None)


def test_it_is_renamed(open_app: App, incident: str, storage: FileStorage) -> None:
    app = opened(open_app, incident)
    app.session_state[inbox_actions.DIALOG] = (f"incident-title:{incident}", ())
    app.run()
    app.text_input(key="incident:title:1").set_value("Till offline")
    next(button for button in app.button if button.label == "Rename").click().run()
    assert app.title[0].value == "Till offline"


def test_a_deleted_one_says_so_and_is_restored(open_app: App, incident: str, storage: FileStorage) -> None:
    storage.incidents.delete(incident, actor="Ana")
    app = opened(open_app, incident)
    assert "This incident was deleted" in texts(app)
    app.button(key="incident:restore").click().run()
    assert [each["id"] for each in storage.incidents.query()] == [incident]


def test_an_unknown_one_is_named(open_app: App, save: Save) -> None:
    save("r-1")
    app = opened(open_app, "incident-x")
    assert any("No incident “incident\\-x”" in text.value for text in app.markdown)


def test_activity_tells_what_was_done(open_app: App, incident: str, storage: FileStorage) -> None:
    storage.incidents.comment(incident, "Hm.", author="Ben")
    storage.incidents.set_title(incident, "Till offline", actor="Cy")
    first, _ = storage.incidents.list_members(incident)
    storage.incidents.remove_findings(incident, first, actor="Dan")
    lines = "\n".join(box.label for box in open_app(screen="activity").expander)
    assert "**Ana** created the incident **Loader down**" in lines
    assert "**Ben** commented on **Till offline**: Hm." in lines
    assert "**Cy** renamed the incident **Till offline**, which was **Loader down**" in lines
    assert "**Dan** removed 1 finding from the incident **Till offline**" in lines


def test_an_assignment_by_rule_says_so(
    open_app: App, save: Save, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_TRIAGE_OWNERS", "column:price = Ben")
    second = names(save("r-1", created_at=now() - timedelta(days=1)))[1]
    assert "Assigned to Ben by owner rule." in texts(open_app(screen="findings", finding=second))
    lines = "\n".join(box.label for box in open_app(screen="activity").expander)
    assert "**LavenderTown** assigned **price has 3 unusual values** to **Ben** by owner rule" in lines
