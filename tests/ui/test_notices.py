"""Notices: a toast reaches the browser also when another run of the script follows at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.ui.components.shared import layout


def _draw_page() -> None:
    import streamlit as st

    from lavendertown.ui.components.shared import layout

    if st.button("Save"):
        layout.queue_notice("Saved.")
    layout.show_notice()


def test_a_toast_is_sent_again_by_the_runs_that_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(layout, "time", SimpleNamespace(monotonic=lambda: now))
    app = AppTest.from_function(_draw_page).run()
    app.button[0].click().run()
    assert [each.value for each in app.toast] == ["Saved."]
    app.run()
    assert [each.value for each in app.toast] == ["Saved."]
    now += 6
    app.run()
    assert not app.toast
    now -= 6
    app.run()
    assert not app.toast
