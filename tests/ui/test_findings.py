"""The desk's screen: one row a finding, views and filters, decisions with a way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.collaboration.view_filters import base_view_filters
from lavendertown.core.clock import now
from lavendertown.ui.components.findings import finding_list
from tests.support.finding_list import listed_rows

App = Callable[..., AppTest]
Save = Callable[..., Any]


def name(report: ShareableReport, place: int) -> str:
    return get_finding_id(report.findings[place])


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def desk(open_app: App, **query: str) -> AppTest:
    app = open_app(screen="findings", **query)
    assert not app.exception
    return app


def listed(app: AppTest) -> list[str]:
    return [row["finding"] for row in listed_rows(app)]


def test_an_empty_desk_says_where_findings_come_from(open_app: App) -> None:
    assert "No findings yet" in texts(desk(open_app))


def test_a_finding_is_one_row_over_all_reports(open_app: App, save: Save) -> None:
    save("r-1", created_at=now() - timedelta(days=2))
    save("r-2", created_at=now() - timedelta(days=1))
    app = desk(open_app)
    assert listed(app) == ["customer_id is empty in 41 rows", "price has 3 unusual values"]
    assert listed_rows(app)[0]["runs"] == [41, 41]


def test_a_view_narrows_and_its_button_counts(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    storage.triage.decide(name(report, 0), Decision(status="fixed", reason="Reloaded"), actor="Ben")
    app = desk(open_app)
    assert listed(app) == ["price has 3 unusual values"]
    app.button(key="desk:view:closed").click().run()
    assert listed(app) == ["customer_id is empty in 41 rows"]
    assert app.button(key="desk:view:closed").label == ":violet[**Closed 1**]"


@pytest.mark.parametrize("view", ["mine", "mentions"])
def test_nothing_is_mine_without_a_name(save: Save, storage: FileStorage, view: str) -> None:
    report = save("r-1")
    storage.triage.decide(name(report, 0), Decision(assignee="Ana", comment="@Ana, look"), actor="Ben")
    assert storage.inbox.query_ids(**base_view_filters(view, "Ana")) == [name(report, 0)]
    assert storage.inbox.query_ids(**base_view_filters(view, "")) == []


def test_a_filter_outside_of_the_view_matches_nothing(open_app: App, save: Save) -> None:
    save("r-1")
    assert "No finding matches these filters" in texts(desk(open_app, view="mine", assignee="Ben"))


def test_the_address_holds_filters_and_order(open_app: App, save: Save) -> None:
    save("r-1")
    assert listed(desk(open_app, severity="warning")) == ["price has 3 unusual values"]
    assert listed(desk(open_app, assignee="-", view="all", sort="last_count")) == [
        "customer_id is empty in 41 rows",
        "price has 3 unusual values",
    ]
    assert "No finding matches these filters" in texts(desk(open_app, dataset="nothing"))


def test_one_day_alone_filters(open_app: App, save: Save) -> None:
    save("r-1")
    today, later = (str(now().date() + timedelta(days=days)) for days in (0, 3))
    assert len(listed(desk(open_app, **{"from": today}))) == 2
    assert len(listed(desk(open_app, to=later))) == 2
    empty = desk(open_app, **{"from": later})
    assert "No finding matches these filters" in texts(empty)
    reversed_days = desk(open_app, **{"from": later, "to": today})
    assert any("Until is before Since" in each.value for each in reversed_days.caption)
    empty.button(key="desk:clear again").click().run()
    assert len(listed(empty)) == 2


def test_a_link_opens_a_finding_that_the_view_leaves_out(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    storage.triage.decide(name(report, 1), Decision(status="accepted", reason="By design"), actor="Ben")
    app = desk(open_app, finding=name(report, 1))
    assert "## price has 3 unusual values" in texts(app)
    assert "By design" in texts(app)


def test_an_adopted_finding_is_shown_in_its_new_dataset_before_it_comes_again(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    report = save("r-1", metadata={"dataset": "public"}, created_at=now() - timedelta(days=2))
    save("r-2", metadata={"dataset": "public.orders"}, findings=report.findings[:1])
    storage.datasets.adopt_history("public", "public.orders", actor="Ben")
    adopted = get_finding_id(report.findings[1], "public.orders")
    app = desk(open_app, finding=adopted, view="all")
    assert [row["where"] for row in listed_rows(app)] == ["public.orders.customer_id", "public.orders.price"]
    assert "## price has 3 unusual values" in texts(app)
    links = [each.proto.query_string for each in app.main if each.type == "page_link"]
    assert "dataset=public.orders" in links


def test_an_unknown_finding_is_named(open_app: App, save: Save) -> None:
    save("r-1")
    app = desk(open_app, finding="f1-nothing")
    assert "f1-nothing" in app.warning[0].value


def test_the_list_stays_while_others_work_until_it_is_asked_for(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    app = desk(open_app)
    storage.triage.decide(name(report, 0), Decision(status="fixed", reason="Reloaded"), actor="Ben")
    app.run()
    assert listed(app) == ["customer_id is empty in 41 rows", "price has 3 unusual values"]
    app.button(key="live:show:None").click().run()
    assert listed(app) == ["price has 3 unusual values"]


def test_assigning_is_undone(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    storage.people.save("Cy")
    app = desk(open_app, finding=name(report, 0))
    app.selectbox(key=f"detail:assignee:{name(report, 0)}:0").set_value("Cy").run()
    assert storage.triage.load(name(report, 0))["assignee"] == "Cy"
    app.button(key="frame:undo:page").click().run()
    assert storage.triage.load(name(report, 0))["assignee"] == ""


def test_closing_asks_for_a_reason(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save("r-1")
    app = desk(open_app, finding=name(report, 0))
    app.selectbox(key=f"detail:status:{name(report, 0)}:open").set_value("fixed").run()
    app.button(key="desk:dialog:do").click().run()
    assert "reason" in app.error[0].value
    app.text_area(key="desk:reason").set_value("Reloaded")
    app.button(key="desk:dialog:do").click().run()
    (row,) = storage.inbox.load_rows([name(report, 0)])
    assert (row["status"], row["close_reason"]) == ("fixed", "Reloaded")


def test_the_second_of_two_is_told_and_keeps_the_note(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    report = save("r-1")
    app = desk(open_app, finding=name(report, 0))
    app.session_state["desk:dialog"] = ("note:0", (name(report, 0),))
    app.run()
    app.text_area(key="desk:note").set_value("Mine").run()
    storage.triage.decide(name(report, 0), Decision(note="Ben's"), actor="Ben Okafor")
    app.button(key="desk:dialog:do").click().run()
    assert "Ben Okafor changed this finding" in app.error[0].value
    assert storage.triage.load(name(report, 0))["note"] == "Ben's"
    assert app.text_area(key="desk:note").value == "Mine"
    app.button(key="desk:dialog:do").click().run()
    assert storage.triage.load(name(report, 0))["note"] == "Mine"


@pytest.mark.parametrize("picked", ["Mentions me", "Snoozed"])
def test_the_other_views_are_in_a_menu(open_app: App, save: Save, storage: FileStorage, picked: str) -> None:
    report = save("r-1")
    storage.triage.decide(
        name(report, 1), Decision(snooze_factor=2, comment="Ask @Chiyo Tanaka"), actor="Ben"
    )
    view = "mentions" if picked == "Mentions me" else "snoozed"
    assert listed(desk(open_app, view=view)) == ["price has 3 unusual values"]


# What looks alike, and what happened


def twins(save: Save) -> tuple[ShareableReport, ShareableReport]:
    """A finding vanishes, and in the same run one of a changed check comes."""
    first = save("r-1", created_at=now() - timedelta(days=2))
    changed = replace(
        first.findings[0], metadata={"check": "nulls", "params": {"limit": 5}, "count": 41, "share": 0.1}
    )
    return first, save("r-2", created_at=now() - timedelta(days=1), findings=[changed])


def test_a_look_alike_is_asked_about_and_taken_over(
    open_app: App, save: Save, comment: Save, storage: FileStorage
) -> None:
    first, second = twins(save)
    comment(first, 0)
    app = desk(open_app, finding=name(second, 0), view="all")
    assert "Is this the same as “customer" in texts(app)
    app.button(key=f"twin:same:{name(second, 0)}").click().run()
    assert not app.exception
    assert "Asked the shop." in texts(app)
    assert storage.findings.resolve_id(name(first, 0)) == name(second, 0)
    app.button(key="frame:undo:page").click().run()
    assert storage.findings.resolve_id(name(first, 0)) == name(first, 0)


def test_one_that_is_different_is_not_asked_about_again(open_app: App, save: Save) -> None:
    _, second = twins(save)
    assert len(listed(desk(open_app, view="twins"))) == 1
    app = desk(open_app, finding=name(second, 0), view="all")
    app.button(key=f"twin:different:{name(second, 0)}").click().run()
    assert "Is this the same" not in texts(app)
    assert "No possible duplicates" in texts(desk(open_app, view="twins"))


def test_a_finding_tells_its_history(open_app: App, save: Save, comment: Save, storage: FileStorage) -> None:
    report = save("r-1", created_at=now() - timedelta(days=2))
    save("r-2", created_at=now() - timedelta(days=1))
    comment(report, 0)
    storage.triage.decide(name(report, 0), Decision(assignee="Chiyo"), actor="Ben")
    storage.triage.decide(name(report, 0), Decision(note="See the wiki"), actor="Ana")
    app = desk(open_app, finding=name(report, 0))
    app.session_state["detail:tabs"] = "History"
    app.run()
    told = [text.value for text in app.markdown if text.value.startswith(":small[:gray[:material")]
    assert [text.partition(" :gray[·")[0].split("**", 1)[1] for text in told] == [
        "Ana** pinned a note on it: See the wiki",
        "Ben** assigned it to **Chiyo**",
        "Ben Okafor** commented on it: Asked the shop.",
    ]
    runs = [link.proto.label for link in app.main if link.type == "page_link" and "Seen" in link.proto.label]
    assert [run.partition(" :gray")[0] for run in runs] == [
        ":small[Seen: 41 rows",
        ":small[Seen first: 41 rows",
    ]


@pytest.mark.parametrize(
    "sent", [None, 1, [], {}, {"ids": "x", "turn": 1}, {"ids": [[], {}], "turn": 1}, {"ids": [], "turn": {}}]
)
def test_messages_that_the_list_does_not_send_change_nothing(
    sent: Any, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a visitor can send anything in the name of the list."""
    report = save("r-1")
    state = {"desk:list": SimpleNamespace(open=sent, select=sent, order=sent)}
    monkeypatch.setattr(finding_list.st, "session_state", state)
    monkeypatch.setattr(finding_list.st, "query_params", query := dict[str, Any]())
    finding_list._take_opened([name(report, 0)])
    finding_list._take_selection([name(report, 0)])
    finding_list._take_order()
    assert finding_list.selected_ids() == []
    assert query == {}
