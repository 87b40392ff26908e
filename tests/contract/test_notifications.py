"""Notifications follow what is committed and what becomes due, on every store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.core.notification_channels import EVENTS, NotificationChannel
from lavendertown.errors import NotFoundError
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import RecordKind
from tests.contract.builders import annotation, at, report
from tests.contract.test_desk import name_of, run
from tests.support.receivers import HttpReceiver, http_receiver

BASE = "https://quality.example.org"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as started:
        yield started


@pytest.fixture
def channel(receiver: HttpReceiver, storage: Storage) -> NotificationChannel:
    """A channel that follows the storage from now on; the storage has one report and two people."""
    made = make_channel(receiver)
    storage.save_report(run(1, "email", "phone"))
    storage.people.save("Ana", mail="ana@example.org")
    storage.people.save("Ben Bo", mail="ben@example.org")
    assert storage.notifications.collect(made) == 0
    return made


def make_channel(receiver: HttpReceiver, *events: str) -> NotificationChannel:
    return NotificationChannel(
        "team", "webhook", events or EVENTS, url=receiver.url, secret="whsec_c2VjcmV0", allow_private=True
    )


def titles(storage: Storage) -> list[str]:
    return [row["title"] for row in storage.notifications.query()]


def test_what_happened_before_a_channel_was_configured_is_not_sent(
    channel: NotificationChannel, storage: Storage
) -> None:
    assert storage.notifications.collect(channel) == 0
    assert storage.notifications.query() == []


def test_a_mention_is_sent_once_and_links_to_the_finding(
    channel: NotificationChannel, receiver: HttpReceiver, storage: Storage
) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben Bo, is this the loader?"))
    assert storage.notifications.collect(channel) == 1
    assert storage.notifications.collect(channel) == 0
    counts = storage.notifications.deliver_due([channel], BASE)
    assert (counts.delivered, counts.failed) == (1, 0)
    assert storage.notifications.deliver_due([channel], BASE).delivered == 0
    (body,) = receiver.bodies
    assert (body["type"], body["data"]["title"]) == ("mention", "Ana mentioned Ben Bo")
    (item,) = body["data"]["items"]
    assert item["detail"] == "@Ben Bo, is this the loader?"
    assert item["url"] == f"{BASE}/?view=all&finding={name_of()}"
    (row,) = storage.notifications.query()
    assert (row["state"], row["recipient"], row["attempts"], row["problem"]) == (
        "delivered",
        "Ben Bo",
        1,
        "",
    )


def test_nobody_is_told_of_their_own_mention_or_of_a_deleted_comment(
    channel: NotificationChannel, storage: Storage
) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ana to do"))
    note = annotation(name_of(), author="Ana", comment="@Ben Bo look")
    storage.save_annotation(note)
    storage.delete_annotation(note.id, actor="Ana")
    assert storage.notifications.collect(channel) == 0


def test_an_edited_comment_tells_only_the_people_it_adds(
    channel: NotificationChannel, storage: Storage
) -> None:
    storage.people.save("Cy")
    note = annotation(name_of(), author="Ana", comment="@Ben Bo look")
    storage.save_annotation(note)
    storage.notifications.collect(channel)
    stored = storage.get_annotations(name_of())[0]
    stored.comment = "@Ben Bo and @Cy look"
    storage.save_annotation(stored)
    storage.notifications.collect(channel)
    assert titles(storage) == ["Ana mentioned Cy", "Ana mentioned Ben Bo"]


def test_many_assignments_in_one_act_are_one_message(channel: NotificationChannel, storage: Storage) -> None:
    storage.triage.decide([name_of("email"), name_of("phone")], Decision(assignee="Ben Bo"), actor="Ana")
    storage.triage.decide(name_of("email"), Decision(assignee="Ana"), actor="Ana")
    storage.notifications.collect(channel)
    assert titles(storage) == ["Ana assigned Ben Bo orders, phone: phone is empty in 2 of 4 rows"]


def test_a_finding_about_whole_rows_is_named_without_a_column(
    channel: NotificationChannel, storage: Storage
) -> None:
    storage.save_report(run(2, "*"))
    storage.triage.decide(name_of("*"), Decision(assignee="Ben Bo"), actor="Ana")
    storage.notifications.collect(channel)
    assert "Ana assigned Ben Bo orders: * is empty in 2 of 4 rows" in titles(storage)


def test_an_assignment_that_was_undone_is_not_sent(channel: NotificationChannel, storage: Storage) -> None:
    storage.triage.decide(name_of(), Decision(assignee="Ben Bo"), actor="Ana")
    storage.triage.decide(name_of(), Decision(assignee=""), actor="Ana")
    assert storage.notifications.collect(channel) == 0


def test_an_incident_is_assigned_and_discussed(channel: NotificationChannel, storage: Storage) -> None:
    made = storage.incidents.create("Loader down", [name_of()], assignee="Ben Bo", actor="Ana")
    storage.incidents.comment(made, "@Ben Bo please", author="Ana")
    storage.notifications.collect(channel)
    assert sorted(titles(storage)) == ["Ana assigned Ben Bo Loader down", "Ana mentioned Ben Bo"]
    storage.notifications.deliver_due([channel], BASE)


def test_new_findings_in_a_saved_view(receiver: HttpReceiver, storage: Storage) -> None:
    view = make_channel(receiver, "view:Emails")
    storage.views.save("Emails", {"view": ["open"], "q": ["email"]}, author="Ana")
    storage.save_report(run(1, "phone"))
    storage.notifications.collect(view)
    storage.save_report(run(2, "phone", "email", "fax"))
    storage.notifications.collect(view)
    storage.save_report(run(3, "phone", "email"))
    storage.notifications.collect(view)
    storage.notifications.deliver_due([view], BASE)
    (body,) = receiver.bodies
    assert (body["type"], body["data"]["title"]) == ("view:Emails", "1 new finding in Emails: orders")
    assert body["data"]["url"] == f"{BASE}/report?report=orders%202"


def test_checks_and_datasets_that_stopped(channel: NotificationChannel, storage: Storage) -> None:
    now = clock.now()

    def deliver(day: int, *ran: str) -> None:
        delivery = run(day, "email", ran=ran, dataset="sales")
        delivery.created_at = now + dt.timedelta(days=day - 3)
        storage.save_report(delivery)

    for day in (1, 2):
        deliver(day, "email", "phone")
    storage.notifications.collect(channel)
    deliver(3, "email")
    storage.notifications.collect(channel)
    assert titles(storage) == ["1 check of sales did not run, but did in the run before"]
    for hours in (24, 35, 37, 48):
        storage.notifications.collect(channel, now + dt.timedelta(hours=hours))
    assert [each for each in titles(storage) if "digest" not in each and "Week to" not in each] == [
        "sales has stopped reporting",
        "1 check of sales did not run, but did in the run before",
    ]


def test_a_snooze_that_ended(channel: NotificationChannel, storage: Storage) -> None:
    now = clock.now()
    storage.triage.decide(
        name_of(), Decision(assignee="Ben Bo", snooze_until=now + dt.timedelta(seconds=1)), actor="Ben Bo"
    )
    assert storage.notifications.collect(channel, now) == 0
    while clock.now() < now + dt.timedelta(seconds=1.1):
        pass
    storage.notifications.collect(channel)
    storage.notifications.collect(channel)
    assert titles(storage) == ["1 snooze or acceptance ended"]


def test_a_weekly_digest(channel: NotificationChannel, receiver: HttpReceiver, storage: Storage) -> None:
    later = clock.now() + dt.timedelta(weeks=1)
    storage.notifications.collect(channel, later)
    storage.notifications.collect(channel, later + dt.timedelta(hours=1))
    storage.notifications.deliver_due([channel], "", later)
    digests = [body for body in receiver.bodies if body["type"] == "digest"]
    assert len(digests) == 1
    assert digests[0]["data"]["items"][0]["text"] == "orders"
    assert digests[0]["data"]["items"][0]["detail"].startswith("2 open, 2 need attention")
    assert digests[0]["data"]["url"] == ""


def test_a_failed_delivery_is_repeated_with_the_same_id(
    channel: NotificationChannel, receiver: HttpReceiver, storage: Storage
) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben Bo look"))
    storage.notifications.collect(channel)
    receiver.status = 500
    assert storage.notifications.deliver_due([channel], BASE).failed == 1
    (row,) = storage.notifications.query()
    assert (row["state"], row["problem"]) == ("waiting", "127.0.0.1 answered with status 500.")
    assert storage.notifications.deliver_due([channel], BASE).failed == 0
    receiver.status = 200
    later = clock.now() + dt.timedelta(minutes=2)
    assert storage.notifications.deliver_due([channel], BASE, later).delivered == 1
    assert len(set(receiver.ids())) == 1
    assert len(receiver.ids()) == 2


def test_a_message_is_given_up_after_the_last_attempt_and_can_be_sent_again(
    channel: NotificationChannel, receiver: HttpReceiver, storage: Storage
) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben Bo look"))
    storage.notifications.collect(channel)
    receiver.status = 503
    now = clock.now()
    for day in range(10):
        storage.notifications.deliver_due([channel], BASE, now + dt.timedelta(days=2 * day))
    (row,) = storage.notifications.query()
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("failed", 7, None)
    receiver.status = 200
    storage.notifications.send_again(row["id"], actor="Ana")
    assert storage.notifications.deliver_due([channel], BASE).delivered == 1
    assert len(set(receiver.ids())) == 1
    with pytest.raises(NotFoundError, match="There is no notification 'n-x'"):
        storage.notifications.send_again("n-x")


def test_a_refused_message_is_given_up_at_once(
    channel: NotificationChannel, receiver: HttpReceiver, storage: Storage
) -> None:
    receiver.status = 404
    row = storage.notifications.send_test(channel, BASE, actor="Ana")
    assert (row["state"], row["problem"]) == ("failed", "127.0.0.1 answered with status 404.")
    assert storage.notifications.deliver_due([], BASE).failed == 0


def test_messages_of_a_removed_channel_are_given_up(channel: NotificationChannel, storage: Storage) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben Bo look"))
    storage.notifications.collect(channel)
    assert storage.notifications.deliver_due([], BASE).failed == 1
    (row,) = storage.notifications.query()
    assert (row["state"], row["problem"]) == ("failed", "The channel team is no longer configured.")


def test_old_messages_are_removed_for_good_and_not_sent_again(
    channel: NotificationChannel,
    receiver: HttpReceiver,
    open_storage: Callable[[], Storage],
    storage: Storage,
) -> None:
    for comment in ("@Ben Bo one", "@Ben Bo two", "@Ben Bo three"):
        storage.save_annotation(annotation(name_of(), author="Ana", comment=comment))
        storage.notifications.collect(channel)
    now = clock.now()
    delivered, given_up, waiting = (row["id"] for row in reversed(storage.notifications.query()))
    receiver.statuses = {given_up: 404, waiting: 500}
    storage.notifications.deliver_due([channel], BASE)
    assert storage.notifications.remove_old(90, now + dt.timedelta(days=89)) == 0
    assert storage.notifications.remove_old(0, now + dt.timedelta(days=999)) == 0
    assert storage.notifications.remove_old(90, now + dt.timedelta(days=91)) == 2
    for each in (storage, open_storage()):
        assert [row["id"] for row in each.notifications.query()] == [waiting]
        assert each.notifications.count() == 1
    (event,) = storage.audit.query(component="notification", operation="purge")
    assert (event["actor"], event["after"]) == ("LavenderTown", {"removed": 2})
    assert storage.notifications.collect(channel) == 0
    assert receiver.ids().count(delivered) == 1


def test_a_message_that_is_sent_again_meanwhile_is_not_removed(
    channel: NotificationChannel, receiver: HttpReceiver, storage: Storage
) -> None:
    receiver.status = 404
    row = storage.notifications.send_test(channel, BASE, actor="Ana")
    query = FlatRecordQuery(RecordKind.NOTIFICATION)
    read_before = storage.store.scan(query)
    storage.notifications.send_again(row["id"], actor="Ana")
    assert storage.write_path.purge(RecordKind.NOTIFICATION, read_before, actor="LavenderTown") == 0
    assert [each["state"] for each in storage.notifications.query()] == ["waiting"]


def test_two_processes_store_and_send_a_message_once(
    channel: NotificationChannel,
    receiver: HttpReceiver,
    open_storage: Callable[[], Storage],
    storage: Storage,
) -> None:
    other = open_storage()
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben Bo look"))
    assert storage.notifications.collect(channel) + other.notifications.collect(channel) == 1
    both = [each.notifications.deliver_due([channel], BASE).delivered for each in (other, storage)]
    assert sum(both) == 1
    assert len(receiver.calls) == 1


def test_a_killed_sender_is_followed_by_another_with_the_same_id(
    channel: NotificationChannel, receiver: HttpReceiver, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment="@Ben Bo look"))
    storage.notifications.collect(channel)

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    monkeypatch.setattr(type(storage.notifications), "_finish", kill)
    with pytest.raises(Killed):
        storage.notifications.deliver_due([channel], BASE)
    monkeypatch.undo()
    assert storage.notifications.deliver_due([channel], BASE).delivered == 0
    later = clock.now() + dt.timedelta(minutes=11)
    assert storage.notifications.deliver_due([channel], BASE, later).delivered == 1
    assert receiver.ids()[0] == receiver.ids()[1]


def test_reports_that_are_not_the_latest_run_tell_nobody(
    channel: NotificationChannel, storage: Storage
) -> None:
    storage.save_report(report("old", created_at=at(-24), metadata={"dataset": "orders"}))
    assert storage.notifications.collect(channel) == 0
