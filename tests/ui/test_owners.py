"""The screen Owner rules: rules are added and edited, with an undo; tests/browser has its menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.parts.ownership import OWNER_RULES, TEAM
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.owner_rules import create_owner_rule
from lavendertown.errors import InvalidInputError
from lavendertown.ui.components.owners import owner_form

App = Callable[..., AppTest]
RULES = [create_owner_rule("orders", "email", "Ben"), create_owner_rule("ord*", "", "Ana")]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


def owners(storage: FileStorage) -> list[str]:
    return [str(rule) for rule in storage.owner_rules.list_stored()]


@pytest.fixture
def rules(storage: FileStorage) -> None:
    storage.owner_rules.save(RULES, actor="Maya")


def fill(app: AppTest, dataset: str, column: str, owner: str) -> AppTest:
    app.text_input(key="owner:dataset").set_value(dataset)
    app.text_input(key="owner:column").set_value(column)
    if owner:
        app.selectbox(key="owner:person").set_value(owner)
    # In one run: AppTest does not draw a dialog again.
    return app.button(key="owner:save").click().run()


def test_the_first_rule_is_added(open_app: App, storage: FileStorage) -> None:
    storage.people.save("Ben", actor="Ben")
    app = open_app("owners")
    assert "**No owner rules yet**" in texts(app)
    app.button(key="owners:new").click().run()
    fill(app, "ord*", "", "Ben")
    assert not app.exception
    assert owners(storage) == ["dataset:ord* = Ben"]
    [event] = storage.audit.query(component="dataset_settings")
    assert event["actor"] == app.session_state["person"]
    app.button(key="frame:undo:page").click().run()
    assert owners(storage) == []


def test_a_rule_without_a_person_is_not_saved(open_app: App, storage: FileStorage) -> None:
    app = open_app("owners")
    app.button(key="owners:new").click().run()
    fill(app, "ord*", "", "")
    assert owners(storage) == []


@pytest.mark.usefixtures("rules")
def test_a_rule_is_edited(open_app: App, storage: FileStorage) -> None:
    app = open_app("owners")
    assert ":gray[1.] :gray[Dataset] `orders` · :gray[Column] `email` :gray[→] **Ben**" in texts(app)
    app.button(key="owners:0:edit").click().run()
    fill(app, "orders", "e*", "Ben")
    assert owners(storage) == ["dataset:orders column:e* = Ben", "dataset:ord* = Ana"]
    app.button(key="frame:undo:page").click().run()
    assert owners(storage) == [str(rule) for rule in RULES]


@pytest.mark.usefixtures("rules")
def test_a_rule_that_somebody_else_deleted_is_not_edited(open_app: App, storage: FileStorage) -> None:
    app = open_app("owners")
    app.button(key="owners:0:edit").click().run()
    storage.owner_rules.save(RULES[1:], actor="Maya")
    fill(app, "orders", "e*", "Ben")
    assert owners(storage) == [str(RULES[1])]


def test_a_rule_that_somebody_else_moved_is_not_moved_again() -> None:
    owner_form.require_rule(RULES, RULES[0], 0)
    with pytest.raises(InvalidInputError, match="was changed, moved or deleted in the meantime"):
        owner_form.require_rule(RULES[::-1], RULES[0], 0)


@pytest.mark.usefixtures("rules")
def test_rules_of_the_settings_are_shown_first_and_cannot_be_changed(
    open_app: App, save: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_TRIAGE_OWNERS", "dataset:orders column:price = Cy")
    app = open_app("owners")
    assert ":gray[1.] :gray[Dataset] `orders` · :gray[Column] `price` :gray[→] **Cy**" in texts(app)
    assert "From the settings" in texts(app)
    assert ":gray[2.] :gray[Dataset] `orders` · :gray[Column] `email` :gray[→] **Ben**" in texts(app)
    save("r-1", metadata={"dataset": "orders"})
    shown = str(open_app("dataset", dataset="orders").table[0].value.iloc[0, 0])
    assert r"Cy \(price\), Ben \(email\), Ana" in shown


def test_activity_names_the_change(open_app: App, storage: FileStorage) -> None:
    storage.owner_rules.save(RULES, actor="Maya")
    assert "**Maya** changed the owner rules" in open_app("activity").expander[0].label


def test_stored_rules_that_cannot_be_used_are_one_sentence(open_app: App, storage: FileStorage) -> None:
    storage.dataset_settings.save(TEAM, OWNER_RULES, {"rules": ["Ana"]}, actor="Maya")
    app = open_app("owners")
    assert any("The stored owner rules cannot be used" in error.value for error in app.error)
