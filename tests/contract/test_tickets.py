"""Tickets about findings are created in trackers, with a link back, on every store."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.settings import load_settings
from lavendertown.core.ticket_targets import TicketTarget, find_ticket_target
from lavendertown.errors import ConfigurationError, InvalidInputError, NotFoundError
from lavendertown.notifications import DeliveryError
from tests.contract.test_desk import name_of, run
from tests.support.receivers import HttpReceiver, http_receiver

BASE = "https://quality.example.org"
LINK = f"{BASE}/?view=all&finding={name_of()}"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as started:
        yield started


@pytest.fixture
def store(storage: Storage) -> Storage:
    storage.save_report(run(1, "email"))
    return storage


def test_an_issue_of_github(store: Storage, receiver: HttpReceiver) -> None:
    receiver.answer = b'{"url": "https://api.example.org/7", "html_url": "https://example.org/issues/7"}'
    target = TicketTarget(
        "github", "github", receiver.url, token="t0k", fields={"labels": ["data"]}, allow_private=True
    )
    assert store.tickets.create(name_of(), target, BASE, actor="Ana") == "https://example.org/issues/7"
    ((headers, _),) = receiver.calls
    assert headers["authorization"] == "Bearer t0k"
    (body,) = receiver.bodies
    assert body["title"] == "orders, email: email is empty in 2 of 4 rows"
    assert body["labels"] == ["data"]
    assert body["body"].splitlines()[-1] == LINK
    (note,) = store.get_annotations(name_of())
    assert (note.author, note.comment) == (
        "Ana",
        "Created a ticket in github: https://example.org/issues/7",
    )


def test_an_issue_of_jira(store: Storage, receiver: HttpReceiver) -> None:
    receiver.answer = b'{"id": "10", "key": "DQ-7", "self": "https://x/10"}'
    fields = {"project": {"key": "DQ"}, "issuetype": {"name": "Bug"}}
    target = TicketTarget("jira", "jira", receiver.url, "ana", "t0k", fields, allow_private=True)
    found = store.tickets.create(name_of(), target, BASE, actor="Ana")
    assert found == receiver.url.replace("/hook", "/browse/DQ-7")
    ((headers, _),) = receiver.calls
    assert headers["authorization"] == "Basic " + base64.b64encode(b"ana:t0k").decode()
    (body,) = receiver.bodies
    assert body["fields"]["summary"] == "orders, email: email is empty in 2 of 4 rows"
    assert body["fields"]["project"] == {"key": "DQ"}


def test_a_template_of_another_tracker(store: Storage, receiver: HttpReceiver) -> None:
    template = {"name": "{severity}: {title}", "notes": ["{link}"], "count": 3}
    target = TicketTarget("other", "webhook", receiver.url, template=template, allow_private=True)
    assert store.tickets.create(name_of(), target, BASE, actor="Ana") == ""
    assert receiver.bodies == [
        {"name": "warning: orders, email: email is empty in 2 of 4 rows", "notes": [LINK], "count": 3}
    ]
    (note,) = store.get_annotations(name_of())
    assert note.comment == "Created a ticket in other."


def test_a_ticket_about_whole_rows_names_no_column(store: Storage, receiver: HttpReceiver) -> None:
    store.save_report(run(2, "*"))
    target = TicketTarget("github", "github", receiver.url, allow_private=True)
    store.tickets.create(name_of("*"), target, BASE, actor="Ana")
    (body,) = receiver.bodies
    assert body["title"] == "orders: * is empty in 2 of 4 rows"
    assert body["body"].splitlines()[3:6] == [
        "Column: -",
        "Severity: warning",
        "Seen in 1 report, last on 2026-03-06",
    ]


def test_a_refused_ticket_leaves_no_comment(store: Storage, receiver: HttpReceiver) -> None:
    target = TicketTarget("github", "github", receiver.url, allow_private=True)
    receiver.status = 401
    with pytest.raises(DeliveryError, match=r"^No ticket was created: 127\.0\.0\.1 answered with status 401"):
        store.tickets.create(name_of(), target, BASE, actor="Ana")
    with pytest.raises(NotFoundError):
        store.tickets.create("nonsense", target, BASE, actor="Ana")
    assert store.get_annotations(name_of()) == []
    assert len(receiver.calls) == 1


def test_a_ticket_without_an_answer_may_exist(store: Storage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/new"
        target = TicketTarget("github", "github", url, allow_private=True)

        def hang_up() -> None:
            connection, _ = silent.accept()
            connection.recv(100_000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(DeliveryError, match=r"^It is not known whether github created a ticket") as found:
            store.tickets.create(name_of(), target, BASE, actor="Ana")
        thread.join()
    assert str(found.value).endswith("Look there before you send it again.")
    with pytest.raises(DeliveryError, match=r"^No ticket was created: .* the connection failed"):
        store.tickets.create(name_of(), target, BASE, actor="Ana")
    assert store.get_annotations(name_of()) == []


def test_trackers_are_read_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text(
        """
        [tickets.github]
        type = "github"
        url = "https://api.github.com/repos/acme/orders/issues"
        token = "${GITHUB_TOKEN}"
        fields = { labels = ["data quality"] }

        [tickets.other]
        type = "webhook"
        url = "https://tracker.example.org/new"
        template = { name = "{title}" }
        """
    )
    github, other = load_settings(tmp_path, {"GITHUB_TOKEN": "t0k"}).tickets
    assert (github.token, github.fields, github.missing) == ("t0k", {"labels": ["data quality"]}, ())
    assert load_settings(tmp_path, {}).tickets[0].missing == ("GITHUB_TOKEN",)
    assert "t0k" not in repr(github)
    assert find_ticket_target((github, other), "other") is other
    with pytest.raises(InvalidInputError, match="the configured trackers: github, other"):
        find_ticket_target((github, other), "x")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('type = "bugzilla"', "needs a type: one of github, jira, webhook"),
        ('type = "github"', "needs a url that begins with https:// or http://"),
        ('type = "webhook"\nurl = "https://h"', "is of type webhook and needs a template"),
        (
            'type = "webhook"\nurl = "https://h"\ntemplate = { a = ["{nme}"] }',
            "has the unknown placeholder 'nme'",
        ),
        ('type = "github"\nurl = "https://h"\nfields = "x"', "needs a table for fields"),
        ('type = "github"\nurl = "https://h"\ncolour = "x"', "has the unknown key 'colour'"),
    ],
)
def test_a_malformed_tracker_is_named(tmp_path: Path, lines: str, problem: str) -> None:
    (tmp_path / "lavendertown.toml").write_text(f"[tickets.team]\n{lines}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(tmp_path, {})
    assert "The tracker 'team' in" in str(refused.value)
    assert problem in str(refused.value)
