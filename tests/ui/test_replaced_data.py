"""A page that was drawn before all data was replaced: its next write is refused, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from lavendertown.ui import queries
from tests.contract.builders import report


def _draw_page() -> None:
    import streamlit as st

    from lavendertown.ui import actions, queries, replaced_data
    from lavendertown.ui.components.shared import layout

    def save() -> None:
        actions.run_action(lambda: queries.current_storage().views.save("Mine", {}, author="Ana"))

    st.button("Save", on_click=save)
    layout.show_notice()
    replaced_data.remember_drawn_data(queries.time_of_latest_change())


@pytest.fixture(params=["file", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The location of the store that the dashboard uses."""
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    if request.param == "file":
        return str(tmp_path / "data")
    url = f"sqlite:///{tmp_path / 'team.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_store_url")
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", url)
    return url


def test_a_write_of_a_page_from_before_a_restore_is_refused_once(store: str, tmp_path: Path) -> None:
    queries.forget_results()
    storage = queries.current_storage()
    storage.save_report(report("r1"))
    backup = back_up(parse_location(store), tmp_path / "copies").file
    storage.save_report(report("r2"))
    app = AppTest.from_function(_draw_page).run()
    restore_store(store, backup, actor="Ben Okafor")
    app.button[0].click().run()
    assert "Ben Okafor replaced all data" in app.error[0].value
    assert storage.views.query() == []
    app.button[0].click().run()
    assert not app.error
    assert [view["name"] for view in storage.views.query()] == ["Mine"]


def test_writes_of_others_refuse_nothing(store: str) -> None:
    queries.forget_results()
    app = AppTest.from_function(_draw_page).run()
    storage = queries.current_storage()
    storage.save_report(report("r1"), actor="Ben Okafor")
    app.button[0].click().run()
    assert not app.error
    assert [view["name"] for view in storage.views.query()] == ["Mine"]
