"""Who I am, errors as sentences, and the two copies of what the server reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.errors import InvalidInputError, StorageUnavailableError
from lavendertown.ui import problems
from lavendertown.ui.components import crowded, person

ROOT = Path(__file__).parents[2]
App = Callable[..., AppTest]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_a_first_visitor_is_asked_once(open_app: App, save: Callable[..., object]) -> None:
    save("r-1", author="Emil Novák")
    app = open_app(person="")
    app.selectbox(key="person:choice").set_value("Emil Novák")
    app.button(key="person:take").click().run()
    assert app.session_state["person"] == "Emil Novák"
    assert not [box for box in app.selectbox if box.key == "person:choice"]


def test_a_name_of_blanks_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="Say a name"):
        person.become("  ")


def test_an_unknown_storage_type_is_one_sentence(open_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "databse")
    app = open_app()
    assert not app.exception
    assert "'databse'" in app.error[0].value


def test_what_nobody_foresaw_gets_a_number_and_the_log_the_details(caplog: pytest.LogCaptureFixture) -> None:
    text, _ = problems.sentence(ZeroDivisionError("secret detail"))
    number = caplog.records[0].args[0]  # type: ignore[index]
    assert f"`{number}`" in text
    assert "secret detail" not in text
    assert caplog.records[0].exc_info is not None


def test_what_the_store_says_is_shown_as_it_is() -> None:
    assert problems.sentence(StorageUnavailableError("It is down."))[0] == "It is down."


def test_the_wheel_serves_the_same_theme() -> None:
    ours = ROOT / ".streamlit" / "config.toml"
    theirs = ROOT / "lavendertown" / "ui" / "serve" / ".streamlit" / "config.toml"
    assert ours.read_text() == theirs.read_text()


def test_the_wheel_serves_the_same_app() -> None:
    ours = (ROOT / "app.py").read_text().split("import streamlit")[1]
    theirs = (ROOT / "lavendertown" / "ui" / "serve" / "app.py").read_text().split("import streamlit")[1]
    assert ours.replace("lavendertown/ui/main.py", "../main.py") == theirs


def test_very_many_files_point_to_the_wizard(
    open_app: App, save: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowded, "MOST_REPORTS", 1)
    save("r-1")
    for screen in ("findings", "reports"):
        assert "lie in plain files" not in texts(open_app(screen))
    save("r-2")
    for screen in ("findings", "reports"):
        app = open_app(screen)
        assert not app.exception
        assert "**2 reports lie in plain files.**" in texts(app)
        assert "Move to a database" in [link.proto.label for link in app.main if link.type == "page_link"]
