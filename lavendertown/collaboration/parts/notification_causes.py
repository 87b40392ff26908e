"""What people are notified about: changes in the change feed, and times that have come."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.inbox import FindingsInbox
from lavendertown.collaboration.parts.people import People
from lavendertown.collaboration.parts.views import Views
from lavendertown.collaboration.view_filters import saved_view_filters
from lavendertown.core.notification_channels import (
    ASSIGNMENT,
    DIGEST,
    ENDED,
    MENTION,
    OVERDUE,
    STOPPED,
    VIEW_PREFIX,
    NotificationChannel,
)
from lavendertown.core.statuses import StatusCategory
from lavendertown.inbox.attention import AttentionReason
from lavendertown.notifications import Message, MessageItem, make_message_id
from lavendertown.notifications.messages import (
    dataset_path,
    describe_finding,
    finding_path,
    incident_path,
    limit_items,
    list_path,
    report_path,
)
from lavendertown.records.identities import DatasetRuns, RunState, find_mentions
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    IncidentRecord,
    RecordKind,
    ReportRecord,
    TriageRecord,
)
from lavendertown.records.search_text import fold_text

_MIN_RUNS = 3
_LATE_FACTOR = 1.5
"""A dataset has stopped if this multiple of its longest pause so far has passed since its last run."""
_MIN_PAUSE = dt.timedelta(hours=1)
_NEW_STATES = (RunState.NEW, RunState.REGRESSED)


class NotificationCauses(StoragePart):
    """Finds what to notify people about."""

    def __init__(self, context: StorageContext, inbox: FindingsInbox, people: People, views: Views) -> None:
        super().__init__(context)
        self._inbox = inbox
        self._people = people
        self._views = views

    def from_events(self, channel: NotificationChannel, events: Sequence[AuditEvent]) -> Iterator[Message]:
        """Yield the messages about changes.

        What was undone since is left out: a deleted comment, an assignment that was reversed.

        Args:
            channel: The channel.
            events: Audit events in the order of their commits; of each commit, all.
        """
        if MENTION in channel.events:
            yield from self._find_mentions(channel, events)
        if ASSIGNMENT in channel.events:
            yield from self._find_assignments(channel, events)
        for event in events:
            if event.component == RecordKind.REPORT and event.operation == "create":
                yield from self._find_report_messages(channel, event)

    def from_times(
        self, channel: NotificationChannel, since: dt.datetime, until: dt.datetime
    ) -> Iterator[Message]:
        """Yield the messages about what became due after ``since``, up to ``until``."""
        if OVERDUE in channel.events:
            yield from self._find_overdue(channel, since, until)
        if ENDED in channel.events:
            yield from self._find_ended(channel, since, until)
        if STOPPED in channel.events:
            yield from self._find_stopped_datasets(channel, since, until)
        if DIGEST in channel.events:
            yield from self._build_digest(channel, since, until)

    def _find_mentions(self, channel: NotificationChannel, events: Iterable[AuditEvent]) -> Iterator[Message]:
        names = {fold_text(row["name"]): str(row["name"]) for row in self._people.list_known()}
        groups: dict[tuple[dt.datetime, str, str], list[AnnotationRecord]] = defaultdict(list)
        for event in events:
            if event.component != RecordKind.ANNOTATION or event.operation not in ("create", "update"):
                continue
            mentioned = _read_mentions(event.after) - _read_mentions(event.before)
            recipients = sorted(names[each] for each in mentioned if each in names)
            note = self._context.read_record(RecordKind.ANNOTATION, event.record_id) if recipients else None
            if isinstance(note, AnnotationRecord) and note.deleted_at is None:
                for recipient in recipients:
                    if recipient != event.actor:
                        groups[event.at, event.actor, recipient].append(note)
        for (at, actor, recipient), notes in groups.items():
            items = [self._describe_comment(note) for note in notes]
            title = f"{actor} mentioned {_you_or(recipient, channel)}"
            yield _build_message(channel, MENTION, title, at, items, recipient=recipient, actor=actor)

    def _describe_comment(self, note: AnnotationRecord) -> MessageItem:
        incident = self._context.read_record(RecordKind.INCIDENT, note.finding_id)
        if isinstance(incident, IncidentRecord):
            return MessageItem(incident.title, note.comment, incident_path(incident.id))
        (item,) = self._describe_findings([note.finding_id])
        return MessageItem(item.text, note.comment, item.path, item.finding_id)

    def _find_assignments(
        self, channel: NotificationChannel, events: Sequence[AuditEvent]
    ) -> Iterator[Message]:
        kinds = {str(RecordKind.TRIAGE), str(RecordKind.INCIDENT)}
        former: dict[tuple[str, str], str] = {}
        groups: dict[tuple[dt.datetime, str, str], list[AuditEvent]] = defaultdict(list)
        for event in events:
            if event.component not in kinds:
                continue
            before = str((event.before or {}).get("assignee") or "")
            after = str((event.after or {}).get("assignee") or "")
            key = (event.component, event.record_id)
            if former.setdefault(key, before) == after or before == after:
                continue
            if after and after != event.actor and self._read_assignee(event) == after:
                groups[event.at, event.actor, after].append(event)
        for (at, actor, recipient), group in groups.items():
            items = self._describe_assigned(group)
            what = items[0].text if len(items) == 1 else f"{len(items):,} findings"
            title = f"{actor} assigned {_you_or(recipient, channel)} {what}"
            path = items[0].path if len(items) == 1 else list_path(view="all", assignee=recipient)
            yield _build_message(
                channel, ASSIGNMENT, title, at, items, recipient=recipient, actor=actor, path=path
            )

    def _read_assignee(self, event: AuditEvent) -> str:
        record = self._context.read_record(RecordKind(event.component), event.record_id)
        is_live = isinstance(record, TriageRecord | IncidentRecord) and record.deleted_at is None
        return record.assignee if is_live and isinstance(record, TriageRecord | IncidentRecord) else ""

    def _describe_assigned(self, events: Sequence[AuditEvent]) -> list[MessageItem]:
        findings = [each.record_id for each in events if each.component == RecordKind.TRIAGE]
        incidents = [
            MessageItem(str((each.after or {}).get("title") or ""), "", incident_path(each.record_id))
            for each in events
            if each.component == RecordKind.INCIDENT
        ]
        return self._describe_findings(findings) + incidents

    def _describe_findings(self, finding_ids: Sequence[str]) -> list[MessageItem]:
        """Return an item for each finding, also for one that no report has."""
        rows = {row["finding_id"]: row for row in self._inbox.load_rows(finding_ids)}
        items = []
        for name in finding_ids:
            row = rows.get(self._context.resolve_finding(name))
            items.append(
                _finding_item(row) if row else MessageItem(f"Finding {name}", "", finding_path(name), name)
            )
        return items

    def _find_report_messages(self, channel: NotificationChannel, event: AuditEvent) -> Iterator[Message]:
        """Yield the messages about a new report, if it is the latest run of its dataset."""
        report = self._context.read_record(RecordKind.REPORT, event.record_id)
        if not isinstance(report, ReportRecord) or report.deleted_at is not None or not report.dataset:
            return
        runs = self._context.store.latest_runs([report.dataset]).get(report.dataset)
        if runs is None or runs.report_ids[0] != report.id:
            return
        for name in channel.views:
            yield from self._find_new_in_view(channel, name, report, event)
        if STOPPED in channel.events:
            yield from self._find_stopped_checks(channel, report, runs, event)

    def _find_new_in_view(
        self, channel: NotificationChannel, name: str, report: ReportRecord, event: AuditEvent
    ) -> Iterator[Message]:
        view = next((each for each in self._views.query() if each["name"] == name), None)
        if view is None:
            return
        chosen = saved_view_filters(view["query"], view["author"])
        rows = [
            row
            for row in self._inbox.query(None, 0, "severity", **chosen)
            if row["report_id"] == report.id and row["seen"] in _NEW_STATES
        ]
        if not rows:
            return
        count = _count(len(rows), "new finding")
        title = f"{count} in {name}: {report.dataset}"
        items = [_finding_item(row) for row in rows]
        yield _build_message(
            channel, f"{VIEW_PREFIX}{name}", title, event.at, items, report.id, path=report_path(report.id)
        )

    def _find_stopped_checks(
        self, channel: NotificationChannel, report: ReportRecord, runs: DatasetRuns, event: AuditEvent
    ) -> Iterator[Message]:
        if len(runs.report_ids) < 2:
            return
        before = self._context.store.executed_check_keys([runs.report_ids[1]])
        missing = before.get(runs.report_ids[1], frozenset()) - runs.executed_check_keys
        if not missing:
            return
        identities = self._context.store.read_identities(datasets=[report.dataset])
        affected = [each.finding_id for each in identities if each.check_key in missing]
        items = self._describe_findings(affected)
        title = f"{_count(len(missing), 'check')} of {report.dataset} did not run, but did in the run before"
        yield _build_message(channel, STOPPED, title, event.at, items, report.id, path=report_path(report.id))

    def _find_overdue(
        self, channel: NotificationChannel, since: dt.datetime, until: dt.datetime
    ) -> Iterator[Message]:
        rows = [
            row
            for row in self._inbox.query(None, 0, "severity", due=["overdue"])
            if row["due_at"] is not None and since < row["due_at"] <= until
        ]
        for recipient, group in _group_by_assignee(rows, channel):
            title = f"{_count(len(group), 'finding')} overdue"
            items = [_finding_item(row, _assigned_to(row, channel)) for row in group]
            path = list_path(due="overdue", **({"assignee": recipient} if recipient else {}))
            yield _build_message(channel, OVERDUE, title, until, items, since, recipient=recipient, path=path)

    def _find_ended(
        self, channel: NotificationChannel, since: dt.datetime, until: dt.datetime
    ) -> Iterator[Message]:
        rows = [
            row
            for row in self._inbox.query(None, 0, "severity", attention=[AttentionReason.EXPIRED])
            if any(
                row[name] is not None and since < row[name] <= until
                for name in ("accepted_until", "snooze_until")
            )
        ]
        for recipient, group in _group_by_assignee(rows, channel):
            title = f"{_count(len(group), 'snooze or acceptance', 'snoozes or acceptances')} ended"
            items = [_finding_item(row, _assigned_to(row, channel)) for row in group]
            path = list_path(view="attention", attention="expired")
            yield _build_message(channel, ENDED, title, until, items, since, recipient=recipient, path=path)

    def _find_stopped_datasets(
        self, channel: NotificationChannel, since: dt.datetime, until: dt.datetime
    ) -> Iterator[Message]:
        for dataset, runs in sorted(self._context.store.latest_runs().items()):
            times = runs.run_times
            if len(times) < _MIN_RUNS:
                continue
            pause = max(max(later - earlier for later, earlier in pairwise(times)), _MIN_PAUSE)
            deadline = times[0] + pause * _LATE_FACTOR
            if since < deadline <= until:
                title = f"{dataset} has stopped reporting"
                detail = f"The last run was on {times[0]:%Y-%m-%d at %H:%M} UTC."
                items = [MessageItem(dataset, detail, dataset_path(dataset))]
                yield _build_message(
                    channel, STOPPED, title, deadline, items, dataset, path=dataset_path(dataset)
                )

    def _build_digest(
        self, channel: NotificationChannel, since: dt.datetime, until: dt.datetime
    ) -> Iterator[Message]:
        due = find_last_digest(channel, until)
        if due <= since:
            return
        week = due - dt.timedelta(weeks=1)
        open_counts = self._inbox.count_by_value(state=[StatusCategory.OPEN])["dataset"]
        attention = self._inbox.count_by_value(attention="any")["dataset"]
        overdue = self._inbox.count_by_value(due=["overdue"])["dataset"]
        new = self._count_new(week)
        items = []
        for name in sorted({*open_counts, *attention, *overdue, *new}):
            numbers = [
                f"{counts[name]:,} {label}"
                for counts, label in (
                    (open_counts, "open"),
                    (attention, "need attention"),
                    (overdue, "overdue"),
                    (new, "new"),
                )
                if counts.get(name)
            ]
            if numbers:
                items.append(MessageItem(name or "No dataset", ", ".join(numbers), dataset_path(name)))
        title = (
            f"Week to {due:%Y-%m-%d}: {_count(sum(open_counts.values()), 'open finding')}, "
            f"{sum(attention.values()):,} need attention, {sum(new.values()):,} new"
        )
        yield _build_message(channel, DIGEST, title, due, items)

    def _count_new(self, since: dt.datetime) -> Mapping[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for identity in self._context.store.read_identities():
            if identity.first_seen >= since:
                counts[identity.dataset] += 1
        return counts


def find_last_digest(channel: NotificationChannel, until: dt.datetime) -> dt.datetime:
    """Return when the weekly digest was last due, at or before a time."""
    day = until.date() - dt.timedelta(days=(until.weekday() - channel.digest_weekday) % 7)
    due = dt.datetime.combine(day, channel.digest_time, dt.UTC)
    return due if due <= until else due - dt.timedelta(weeks=1)


def _build_message(
    channel: NotificationChannel,
    event: str,
    title: str,
    at: dt.datetime,
    items: Sequence[MessageItem],
    *cause: object,
    recipient: str = "",
    actor: str = "",
    path: str = "",
) -> Message:
    shown, more = limit_items(items)
    message_id = make_message_id(at, channel.name, event, recipient, actor, *cause)
    target = path or (items[0].path if len(items) == 1 else "/")
    return Message(message_id, event, title, at, recipient, actor, shown, more, target)


def _read_mentions(summary: Mapping[str, Any] | None) -> frozenset[str]:
    comment = str((summary or {}).get("comment") or "")
    return find_mentions([fold_text(comment)]) if comment else frozenset()


def _you_or(recipient: str, channel: NotificationChannel) -> str:
    return "you" if channel.is_personal else recipient


def _finding_item(row: Mapping[str, Any], detail: str = "") -> MessageItem:
    return MessageItem(describe_finding(row), detail, finding_path(row["finding_id"]), row["finding_id"])


def _assigned_to(row: Mapping[str, Any], channel: NotificationChannel) -> str:
    return "" if channel.is_personal or not row["assignee"] else f"assigned to {row['assignee']}"


def _group_by_assignee(
    rows: Sequence[Mapping[str, Any]], channel: NotificationChannel
) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the rows by their assignees where a message reaches one person, else all of them."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["assignee"] if channel.is_personal else ""].append(row)
    return sorted(groups.items())


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
