"""lavendertown tick: sources that are due are checked, and people are notified, also after kill -9."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import portalocker
import pytest
from click.testing import Result

from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.core import clock
from lavendertown.core.settings import load_settings
from lavendertown.tick import LOCK_FILE
from tests.contract.builders import annotation
from tests.contract.test_desk import name_of
from tests.support.receivers import HttpReceiver, http_receiver

ROOT = Path(__file__).parents[2]
Command = Callable[..., Result]
Answer = Callable[..., Any]


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as started:
        yield started


@pytest.fixture
def channel(folder: Path, receiver: HttpReceiver) -> Path:
    """A folder with a channel that follows its store, which has one report."""
    (folder / "lavendertown.toml").write_text(
        f"""
        dashboard_url = "https://quality.example.org"
        [notifications.team]
        type = "webhook"
        url = "{receiver.url}"
        allow_private = true
        """
    )
    return folder


def fill(folder: Path, comments: int) -> None:
    with closing(get_storage_backend(load_settings(folder))) as storage:
        storage.people.save("Ben")
        for number in range(comments):
            storage.save_annotation(annotation(name_of(), author="Ana", comment=f"@Ben {number}"))


def test_a_mention_is_delivered(channel: Path, receiver: HttpReceiver, answer: Answer, run: Command) -> None:
    assert answer("tick") == {
        "is_running_elsewhere": False,
        "checked": [],
        "problems": [],
        "postponed": [],
        "new": 0,
        "delivered": 0,
        "failed": 0,
        "removed": 0,
    }
    fill(channel, 1)
    printed = answer("tick")
    assert (printed["new"], printed["delivered"]) == (1, 1)
    (row,) = answer("notifications", "list")
    assert (row["title"], row["state"]) == ("Ana mentioned Ben", "delivered")
    assert receiver.bodies[0]["data"]["items"][0]["url"].startswith("https://quality.example.org/?view=all")
    assert run("notifications", "send", row["id"]).output == (
        "It is due now. To deliver it, run: lavendertown tick\n"
    )
    assert run("tick").output == "Checked 0 sources; 0 new and 1 delivered message.\n"
    assert receiver.ids()[0] == receiver.ids()[1]


def test_a_message_that_is_refused_is_said(channel: Path, receiver: HttpReceiver, run: Command) -> None:
    run("tick")
    fill(channel, 1)
    receiver.status = 404
    result = run("tick")
    assert result.exit_code == 1
    assert result.stderr == (
        "1 message could not be delivered. For the reasons, run: lavendertown notifications list\n"
    )
    assert "127.0.0.1 answered with status 404." in run("notifications", "list").output


def test_a_channel_is_tested(channel: Path, receiver: HttpReceiver, run: Command) -> None:
    assert run("notifications", "test", "team").output == "Delivered.\n"
    receiver.status = 500
    result = run("notifications", "test", "team")
    assert (result.exit_code, result.stderr) == (1, "Not delivered: 127.0.0.1 answered with status 500.\n")
    result = run("notifications", "test", "x")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "There is no notification channel 'x'; the configured channels: team." in result.stderr


def test_a_second_tick_does_nothing_while_one_runs(channel: Path, run: Command) -> None:
    run("tick")
    with portalocker.Lock(channel / ".lavendertown" / LOCK_FILE):
        assert run("tick").output == "Another tick is running; nothing to do.\n"


@pytest.mark.timeout(300)
def test_no_message_is_lost_and_none_has_two_ids_after_kill_9(
    channel: Path, receiver: HttpReceiver, run: Command
) -> None:
    run("tick")
    fill(channel, 12)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    for wait in (0.0, 0.05, 0.1, 0.2, 0.3):
        process = subprocess.Popen([sys.executable, "-m", "lavendertown", "tick"], cwd=channel, env=environ)
        seen = len(receiver.calls)
        while process.poll() is None and len(receiver.calls) == seen:
            time.sleep(0.01)
        time.sleep(wait)
        process.kill()
        process.wait()
    with closing(get_storage_backend(load_settings(channel))) as storage:
        later = clock.now() + dt.timedelta(minutes=20)
        channels = load_settings(channel).notifications
        storage.notifications.collect(channels[0])
        storage.notifications.deliver_due(channels, "", later)
        rows = storage.notifications.query()
    assert len(rows) == 12
    assert {row["state"] for row in rows} == {"delivered"}
    comments = {body["data"]["items"][0]["detail"] for body in receiver.bodies}
    assert comments == {f"@Ben {number}" for number in range(12)}
    assert set(receiver.ids()) == {row["id"] for row in rows}


@pytest.mark.timeout(300)
def test_sources_are_checked_when_they_are_due(folder: Path, answer: Answer, run: Command) -> None:
    (folder / "orders.csv").write_text("id,price\n1,2\n2,\n3,4\n")
    (folder / "lavendertown.toml").write_text(
        '[sources.orders]\npath = "orders.csv"\nevery = "6 hours"\n'
        '[sources.gone]\npath = "gone.csv"\nevery = "1 day"\n'
        '[sources.manual]\npath = "orders.csv"\n'
    )
    result = run("tick", "--json")
    printed = json.loads(result.stdout)
    assert (result.exit_code, printed["checked"]) == (1, ["orders"])
    (problem,) = printed["problems"]
    assert problem.startswith("The source gone could not be checked: ")
    assert "gone.csv" in problem
    (report,) = answer("report", "list")
    assert (report["dataset"], report["author"], report["finding_count"]) == ("orders", "LavenderTown", 1)
    printed = answer("tick")
    assert (printed["checked"], printed["problems"]) == ([], [])
    assert [each[: len("gone failed once")] for each in printed["postponed"]] == ["gone failed once"]
    with closing(get_storage_backend(load_settings(folder))) as storage:
        storage.source_checks.save_failure("gone", problem, clock.now() - dt.timedelta(minutes=4))
    assert answer("tick")["problems"] == []
    with closing(get_storage_backend(load_settings(folder))) as storage:
        storage.source_checks.save_failure("gone", problem, clock.now() - dt.timedelta(minutes=31))
    (folder / "gone.csv").write_text("id,price\n1,2\n2,\n3,4\n")
    assert answer("tick")["checked"] == ["gone"]
    with closing(get_storage_backend(load_settings(folder))) as storage:
        assert storage.source_checks.find_failed("gone") is None


def test_an_impossible_interval_is_refused(folder: Path, run: Command) -> None:
    (folder / "lavendertown.toml").write_text('[sources.orders]\npath = "orders.csv"\nevery = "often"\n')
    result = run("tick")
    assert result.exit_code == 2
    assert "The source 'orders' in" in result.stderr
    assert "needs a number of minutes, hours or days for every, such as '6 hours'" in result.stderr
