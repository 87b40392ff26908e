"""Notifications: found in what was committed, stored in the same store, and delivered.

The audit log is the outbox: it is written in the unit of work of each change, and the change feed returns
each event once, in the order of the commits. So no change waits for a message, and none loses one. The
messages and the position up to which a channel has followed are committed together.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.inbox import FindingsInbox
from lavendertown.collaboration.parts.notification_causes import NotificationCauses
from lavendertown.collaboration.parts.people import People
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR
from lavendertown.collaboration.parts.views import Views
from lavendertown.core import clock
from lavendertown.core.errors import ConflictError, InvalidInputError, NotFoundError
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.notifications import DeliveryError, Message, MessageItem, deliver
from lavendertown.records.change_feed import Change
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    ChannelRecord,
    NotificationRecord,
    Page,
    PersonRecord,
    RecordKind,
)
from lavendertown.records.write_path import SaveRecord

TEST_EVENT = "test"
RETRY_MINUTES = (1, 5, 30, 120, 480, 1440)
"""The pauses after failed attempts; after the last one, a message is given up."""
LEASE = dt.timedelta(minutes=10)
"""A message whose sender was killed is sent again after this time."""
_PAGE = 500
_MAX_UNSAVED_EVENTS = 500
_OWN_COMPONENTS = (RecordKind.NOTIFICATION, RecordKind.CHANNEL)


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """The outcome of a round of deliveries.

    Attributes:
        delivered: The number of messages that their receivers accepted.
        failed: The number of those that they did not accept; they are sent again, or given up.
    """

    delivered: int = 0
    failed: int = 0


class Notifications(StoragePart):
    """The notifications of a storage."""

    def __init__(self, context: StorageContext, inbox: FindingsInbox, people: People, views: Views) -> None:
        super().__init__(context)
        self._causes = NotificationCauses(context, inbox, people, views)

    def collect(self, channel: NotificationChannel, now: dt.datetime | None = None) -> int:
        """Store the messages about everything that happened since the last time, and return their number.

        The first time, it stores none: a new channel begins with what happens next.

        Args:
            channel: The channel.
            now: The time up to which due dates and other times are followed; by default the current time.
        """
        now = clock.now() if now is None else now
        record = self._read_position(channel.name)
        if record is None:
            start = ChannelRecord(channel.name, self._context.store.end_of_changes(), now, clock.EPOCH)
            self._context.write_path.commit([SaveRecord(start, actor=AUTOMATIC_ACTOR, only_if_missing=True)])
            return 0
        changes = self._read_changes(record)
        events = [each.event for each in changes if each.event.component not in _OWN_COMPONENTS]
        until = max(now, record.checked_until)
        messages = [
            *self._causes.from_events(channel, events),
            *self._causes.from_times(channel, record.checked_until, until),
        ]
        if not messages and len(changes) < _MAX_UNSAVED_EVENTS:
            # Nothing is lost: the next time begins where this one did.
            return 0
        cursor = changes[-1].cursor if changes else record.cursor
        position = replace(record, cursor=cursor, checked_until=until)
        try:
            stored = self._context.write_path.commit(
                [
                    SaveRecord(position, record.version, AUTOMATIC_ACTOR),
                    *(self._save_new(channel, message, now) for message in messages),
                ]
            )
        except ConflictError:
            # Another process has stored the same messages.
            return 0
        return len(stored) - 1

    def deliver_due(
        self, channels: Sequence[NotificationChannel], base_url: str, now: dt.datetime | None = None
    ) -> DeliveryCounts:
        """Send the messages that are due.

        Each is claimed before it is sent, so that no other process sends it at the same time. If this process
        is killed after that, the message is sent again after :data:`LEASE`, with the same id.

        Args:
            channels: The configured channels.
            base_url: The address of the dashboard; empty for messages without links.
            now: Messages that are due by then; by default by the current time.
        """
        now = clock.now() if now is None else now
        by_name = {channel.name: channel for channel in channels}
        delivered = failed = 0
        for record in self._list_records(pending=True):
            if record.next_attempt_at is None or record.next_attempt_at > now:
                continue
            claimed = self._claim(record, now)
            if claimed is None:
                continue
            error = self._send(by_name.get(record.channel), claimed, base_url)
            self._finish(claimed, error)
            delivered, failed = delivered + (error is None), failed + (error is not None)
        return DeliveryCounts(delivered, failed)

    def remove_old(self, keep_days: int, now: dt.datetime | None = None) -> int:
        """Remove messages that were delivered or given up long ago, and return their number.

        Neither is sent a second time: the position of a channel is stored apart from its messages.

        Args:
            keep_days: The days for which they are kept after the last attempt; 0 keeps all.
            now: The time that counts as the current one.
        """
        if not keep_days:
            return 0
        until = (clock.now() if now is None else now) - dt.timedelta(days=keep_days)
        query, removed = FlatRecordQuery(RecordKind.NOTIFICATION, finished_until=until), 0
        while old := self._context.store.scan(query, Page(_PAGE)):
            count = self._context.write_path.purge(RecordKind.NOTIFICATION, old, actor=AUTOMATIC_ACTOR)
            if not count:
                break  # Somebody else changes them at the same time; the next round has them.
            removed += count
        return removed

    def query(self, limit: int | None = 50, offset: int = 0) -> list[dict[str, Any]]:
        """List the messages, newest first.

        Returns:
            Dictionaries with id, channel, event, recipient, title, created_at, attempts, next_attempt_at,
            delivered_at, problem and state: ``"delivered"``, ``"waiting"`` or ``"failed"``.
        """
        total = self.count()
        end = max(total - offset, 0)
        start = 0 if limit is None else max(end - limit, 0)
        found = self._list_records(Page(end - start, start)) if end > start else []
        return [_to_row(record) for record in reversed(found)]

    def count(self) -> int:
        """Return the number of messages."""
        return self._context.store.count(FlatRecordQuery(RecordKind.NOTIFICATION))

    def send_again(self, message_id: str, *, actor: str | None = None) -> None:
        """Make a message due at once, delivered or not.

        Raises:
            NotFoundError: There is no such message.
        """
        record = self._context.read_record(RecordKind.NOTIFICATION, message_id)
        if not isinstance(record, NotificationRecord) or record.deleted_at is not None:
            raise NotFoundError(
                f"There is no notification {message_id!r}; `lavendertown notifications list` has the ids."
            )
        due = replace(record, attempts=0, next_attempt_at=clock.now(), delivered_at=None, problem="")
        self._context.write_path.commit([SaveRecord(due, record.version, actor)])

    def send_test(
        self, channel: NotificationChannel, base_url: str, *, recipient: str = "", actor: str | None = None
    ) -> dict[str, Any]:
        """Send a test message at once, and return it as :meth:`query` lists it; it is not sent again.

        Args:
            channel: The channel.
            base_url: The address of the dashboard.
            recipient: The person who receives it, where messages reach one person.
            actor: The name in the audit log.
        """
        now = clock.now()
        item = MessageItem("If you can read this, notifications reach you.", "", "/")
        message_id = f"n-{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(8)}"
        message = Message(message_id, TEST_EVENT, "Test of LavenderTown", now, recipient, "", (item,))
        change = self._save_new(channel, message, now)
        stored = self._context.write_path.commit([replace(change, actor=actor)])[0]
        claimed = self._claim(stored, now) if isinstance(stored, NotificationRecord) else None
        if claimed is None:
            raise ConflictError(
                "The test message is being sent by another process; look at the deliveries.",
                kind="notification",
                record_id=message_id,
            )
        error = self._send(channel, claimed, base_url)
        return _to_row(self._finish(claimed, error, is_final=True))

    def _read_position(self, name: str) -> ChannelRecord | None:
        record = self._context.read_record(RecordKind.CHANNEL, name)
        return record if isinstance(record, ChannelRecord) else None

    def _read_changes(self, position: ChannelRecord) -> list[Change]:
        """Return all changes after a position.

        After a migration or a restore its cursor belongs to another log. Then the changes since the position
        was stored are read again; those that were seen already have messages, which are not stored twice.
        """
        try:
            return list(self._iterate_changes(position.cursor))
        except InvalidInputError:
            return [each for each in self._iterate_changes("") if each.event.at >= position.updated_at]

    def _iterate_changes(self, cursor: str) -> Iterator[Change]:
        while True:
            page = self._context.store.read_changes(cursor, _PAGE)
            yield from page.changes
            if not page.has_more:
                return
            cursor = page.cursor

    def _save_new(self, channel: NotificationChannel, message: Message, now: dt.datetime) -> SaveRecord:
        record = NotificationRecord(
            message.id,
            channel.name,
            message.event,
            message.recipient,
            message.title,
            message.content(),
            now,
            clock.EPOCH,
            next_attempt_at=now,
        )
        return SaveRecord(record, actor=AUTOMATIC_ACTOR, only_if_missing=True)

    def _claim(self, record: NotificationRecord, now: dt.datetime) -> NotificationRecord | None:
        """Postpone a message's next attempt while it is sent; None if another process has it."""
        claimed = replace(record, attempts=record.attempts + 1, next_attempt_at=now + LEASE)
        try:
            stored = self._context.write_path.commit([SaveRecord(claimed, record.version, AUTOMATIC_ACTOR)])
        except ConflictError:
            return None
        return stored[0] if isinstance(stored[0], NotificationRecord) else None

    def _send(
        self, channel: NotificationChannel | None, record: NotificationRecord, base_url: str
    ) -> DeliveryError | None:
        if channel is None:
            return DeliveryError(f"The channel {record.channel} is no longer configured.", is_final=True)
        message = Message.from_content(
            record.id, record.event, record.title, record.recipient, record.content
        )
        try:
            deliver(channel, message, base_url, self._find_mail(record.recipient))
        except DeliveryError as error:
            return error
        return None

    def _find_mail(self, name: str) -> str:
        person = self._context.read_record(RecordKind.PERSON, name) if name else None
        return person.mail if isinstance(person, PersonRecord) else ""

    def _finish(
        self, record: NotificationRecord, error: DeliveryError | None, *, is_final: bool = False
    ) -> NotificationRecord:
        now = clock.now()
        if error is None:
            done = replace(record, next_attempt_at=None, delivered_at=now, problem="")
        else:
            gives_up = is_final or error.is_final or record.attempts > len(RETRY_MINUTES)
            pause = dt.timedelta(minutes=RETRY_MINUTES[min(record.attempts, len(RETRY_MINUTES)) - 1])
            done = replace(record, next_attempt_at=None if gives_up else now + pause, problem=str(error))
        # A conflict means that somebody asked to send it again in the meantime, which counts.
        with contextlib.suppress(ConflictError):
            self._context.write_path.commit([SaveRecord(done, record.version, AUTOMATIC_ACTOR)])
        return done

    def _list_records(self, page: Page = ALL_ITEMS, *, pending: bool = False) -> list[NotificationRecord]:
        query = FlatRecordQuery(RecordKind.NOTIFICATION, pending=pending)
        found = self._context.store.scan(query, page)
        return [each for each in found if isinstance(each, NotificationRecord)]


def _to_row(record: NotificationRecord) -> dict[str, Any]:
    waiting = "waiting" if record.next_attempt_at is not None else "failed"
    return {
        "id": record.id,
        "channel": record.channel,
        "event": record.event,
        "recipient": record.recipient,
        "title": record.title,
        "created_at": record.created_at,
        "attempts": record.attempts,
        "next_attempt_at": record.next_attempt_at,
        "delivered_at": record.delivered_at,
        "problem": record.problem,
        "state": "delivered" if record.delivered_at is not None else waiting,
    }
