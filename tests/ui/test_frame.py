"""The visitor's name, errors as sentences, and the two copies of what the server reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.errors import InvalidInputError, StorageUnavailableError
from lavendertown.ui import errors
from lavendertown.ui.components.shared import large_store_hint, person

ROOT = Path(__file__).parents[2]
App = Callable[..., AppTest]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_a_name_is_set_on_its_own_screen(open_app: App, save: Callable[..., object]) -> None:
    save("r-1", author="Emil Novák")
    app = open_app("person", person="")
    app.text_input(key="person:change:name").set_value("  Emil \n Novák ")
    app.button(key="person:change:take").click().run()
    assert app.session_state["person"] == "Emil Novák"


def test_many_known_names_are_a_list_to_choose_from(open_app: App, save: Callable[..., object]) -> None:
    for number in range(7):
        save(f"r-{number}", author=f"Author {number}")
    app = open_app("person", person="")
    app.selectbox(key="person:change:known").set_value("Author 3").run()
    assert app.session_state["person"] == "Author 3"


def test_reading_asks_for_no_name(open_app: App, save: Callable[..., object]) -> None:
    save("r-1")
    for screen in ("findings", "reports", "inspect_", "trends", "activity", "owners", "data", "migrate"):
        app = open_app(screen, person="")
        assert not app.exception
        assert not [field for field in app.text_input if field.label == "Your name"]


@pytest.mark.parametrize("name", ["", "  ", "\u200b\u202e", "\x00"])
def test_a_name_without_a_visible_character_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="Enter your name"):
        person.set_name(name)


@pytest.mark.parametrize(
    ("cookie", "name"),
    [
        ("Ana%20Ferreira", "Ana Ferreira"),
        ("%20Ana%0A%20Ferreira%E2%80%8B", "Ana Ferreira"),
        ("A" * 81, ""),
        ("%00%E2%80%AE", ""),
        ("", ""),
    ],
)
def test_a_name_in_a_cookie_is_cleaned_like_one_that_was_typed(cookie: str, name: str) -> None:
    assert person._name_from_cookie(cookie) == name


def test_a_write_without_a_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "current_name", lambda: "")
    with pytest.raises(InvalidInputError, match="Enter your name"):
        person.require_name()


def test_an_unknown_storage_type_is_one_sentence(open_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "databse")
    app = open_app()
    assert not app.exception
    assert "'databse'" in app.error[0].value


def test_what_nobody_foresaw_gets_a_number_and_the_log_the_details(caplog: pytest.LogCaptureFixture) -> None:
    text, _ = errors.error_message(ZeroDivisionError("secret detail"))
    number = caplog.records[0].args[0]  # type: ignore[index]
    assert f"`{number}`" in text
    assert "secret detail" not in text
    assert caplog.records[0].exc_info is not None


def test_what_the_store_says_is_shown_as_it_is() -> None:
    assert errors.error_message(StorageUnavailableError("It is down."))[0] == "It is down."


def test_the_wheel_serves_the_same_theme() -> None:
    ours = ROOT / ".streamlit" / "config.toml"
    theirs = ROOT / "lavendertown" / "ui" / "server" / ".streamlit" / "config.toml"
    assert ours.read_text() == theirs.read_text()


def test_the_wheel_serves_the_same_app() -> None:
    ours = (ROOT / "app.py").read_text().split("import streamlit")[1]
    theirs = (ROOT / "lavendertown" / "ui" / "server" / "app.py").read_text().split("import streamlit")[1]
    assert ours.replace("lavendertown/ui/main.py", "../main.py") == theirs


def test_very_many_files_point_to_the_wizard(
    open_app: App, save: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_store_hint, "MAX_REPORTS", 1)
    save("r-1")
    for screen in ("findings", "reports"):
        assert "are stored in files" not in texts(open_app(screen))
    save("r-2")
    for screen in ("findings", "reports"):
        app = open_app(screen)
        assert not app.exception
        assert "**2 reports are stored in files.**" in texts(app)
        assert "Migrate storage" in [link.proto.label for link in app.main if link.type == "page_link"]
