"""The demo team's store, seen from the dashboard of an empty one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.demo import public_tables
from lavendertown.ui import demo_store, queries
from tests.support.finding_list import listed_rows

App = Callable[..., AppTest]
LOOK, LEAVE = "Look at a demo team", "Leave the demo"


@pytest.fixture(autouse=True)
def no_demo_left() -> Iterator[None]:
    yield
    demo_store.stop()
    queries.close_storages()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run(timeout=120)


def titles(app: AppTest) -> str:
    return "\n".join(each.proto.label for each in app.main if each.type == "page_link")


def test_an_empty_store_offers_the_demo_and_stays_empty(
    open_app: App, storage: FileStorage, save: Callable[..., object]
) -> None:
    app = press(open_app(None), LOOK)
    assert not app.exception
    assert len(listed_rows(app)) > 10
    assert LEAVE in labels(app)
    app.switch_page("views/reports.py").run()
    assert "Movie catalogue" in titles(app)
    assert storage.query_reports() == []

    # Another session on the same server sees its own store.
    save("r-1")
    other = open_app("reports")
    assert "Orders, nightly" in titles(other)
    assert "Movie catalogue" not in titles(other)

    app = press(app, LEAVE).switch_page("views/reports.py").run()
    assert "Orders, nightly" in titles(app)
    assert LEAVE not in labels(app)


def test_without_the_demo_tables_an_empty_store_says_where_they_are(
    open_app: App, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_tables, "_PACKAGES", ("no_such_package",))
    app = open_app(None)
    assert LOOK not in labels(app)
    assert any("`pip install lavendertown[demo]`" in each.value for each in app.caption)


def test_a_demo_that_fails_is_one_sentence_and_can_be_tried_again(
    open_app: App, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_store, "WRITE_DEMO", "lavendertown.demo.tasks:missing")
    app = press(open_app(None), LOOK)
    assert "could not be prepared" in app.error[0].value
    monkeypatch.undo()
    app = press(app.run(), LOOK)
    assert LEAVE in labels(app)
