"""The dashboard's server ticks if the settings ask for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.ui.server.ticker import Ticker, run_due_tick
from tests.contract.builders import annotation
from tests.contract.test_desk import name_of
from tests.support.receivers import http_receiver


def test_the_server_delivers_messages(
    storage: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with http_receiver() as receiver:
        (tmp_path / "lavendertown.toml").write_text(
            f'[notifications.team]\ntype = "webhook"\nurl = "{receiver.url}"\nallow_private = true\n'
        )
        assert run_due_tick() == 60
        monkeypatch.setenv("LAVENDERTOWN_TICK_MINUTES", "5")
        assert run_due_tick() == 300
        storage.people.save("Ben")
        storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben look"))
        ticker = Ticker()
        ticker.start()
        deadline = time.monotonic() + 30
        while not receiver.calls and time.monotonic() < deadline:
            time.sleep(0.05)
        ticker.stop()
    assert len(receiver.calls) == 1


def test_a_failed_tick_is_logged_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_TICK_MINUTES", "often")
    assert run_due_tick() == 60
    assert "The tick failed: LAVENDERTOWN_TICK_MINUTES" in caplog.text
