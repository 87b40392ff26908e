"""What a person did at once, as one line of the feed: the audit events of one commit, or of deliveries."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR
from lavendertown.ui.components.shared import audit_text, event_text
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

Event = Mapping[str, Any]
_UNDOABLE = {("annotation", "create"), ("finding", "create"), ("finding", "update")}


@dataclass(frozen=True)
class Act:
    """Audit events of one commit, or of deliveries of notifications with nothing else between them.

    Attributes:
        events: The events, as the audit log lists them.
        undone_after: The time until the act was undone; None if it was not, as far as the list goes.
    """

    events: Sequence[Event]
    undone_after: dt.timedelta | None = None

    @property
    def at(self) -> dt.datetime:
        """The time of the act."""
        at: dt.datetime = self.events[0]["at"]
        return at

    @property
    def actor(self) -> str:
        """Who did it."""
        actor: str = self.events[0]["actor"]
        return actor

    @property
    def key(self) -> str:
        """A name of the act: its first event."""
        event = self.events[0]
        return f"{event['at'].isoformat()}:{event['component']}:{event['record_id']}"

    @property
    def imported_bundle(self) -> str:
        """The id of the bundle that the act imported; empty if it was something else."""
        imports = (each for each in self.events if each["operation"] == "import_bundle")
        return next((str(each["record_id"]) for each in imports if each["component"] == "store"), "")

    @property
    def is_undoable(self) -> bool:
        """Whether it was a decision about findings that nobody has undone yet."""
        kinds: set[tuple[str, str]] = {(event["component"], event["operation"]) for event in self.events}
        return self.undone_after is None and kinds.issubset(_UNDOABLE)


def group_events(events: Iterable[Event]) -> list[Act]:
    """Return the acts of these events, newest first. An act and its undo are one act."""
    groups: dict[tuple[dt.datetime, str], list[Event]] = {}
    newer: Event | None = None
    for event in events:
        if newer is None or not (_is_delivery(event) and _is_delivery(newer)):
            key = (event["at"], event["actor"])
        groups.setdefault(key, []).append(event)
        newer = event
    undone_at: dict[str, dt.datetime] = {}
    acts: list[Act] = []
    for group in groups.values():
        created = {each["record_id"] for each in group if _is_annotation(each, "create")}
        times = {undone_at.get(record_id) for record_id in created}
        undone = times.pop() if len(times) == 1 else None
        if undone is not None:
            acts = [act for act in acts if act.at != undone or not _takes_back(act.events, created)]
        deleted = [each["record_id"] for each in group if _is_annotation(each, "delete")]
        undone_at |= dict.fromkeys(deleted, group[0]["at"])
        acts.append(Act(group, undone - group[0]["at"] if undone is not None else None))
    return acts


def _is_delivery(event: Event) -> bool:
    """Return whether an event is a step of a notification that nobody took: stored, claimed, or finished."""
    is_step = event["component"] in ("notification", "channel") and event["operation"] in ("create", "update")
    return is_step and event["actor"] == AUTOMATIC_ACTOR


def _is_annotation(event: Event, operation: str) -> bool:
    return (event["component"], event["operation"]) == ("annotation", operation)


def _takes_back(events: Sequence[Event], created: set[str]) -> bool:
    return {each["record_id"] for each in events if _is_annotation(each, "delete")} == created


def describe_act(act: Act, names: Mapping[str, str]) -> str:
    """Describe an act in Markdown: ``**Maya** set **23 findings** to Reviewed, undone 5 s later``.

    Args:
        act: The act.
        names: The names of findings by id.
    """
    text = _describe_events(act.events, names)
    if act.undone_after is None:
        return text
    return f"{text} :gray[· undone {_format_duration(act.undone_after)} later]"


def _describe_events(events: Sequence[Event], names: Mapping[str, str]) -> str:
    bundles = [event for event in events if event["operation"] in audit_text.BUNDLE_OPERATIONS]
    if bundles:
        return audit_text.describe_event(bundles[0], names) + _describe_bundle(bundles[0])
    if all(map(_is_delivery, events)):
        return _describe_deliveries(events)
    # Evidence belongs to the report it was saved with.
    events = [event for event in events if event["component"] != "evidence"] or events
    findings = {audit_text.finding_of_event(event) for event in events}
    # What people wrote says more than the state that it changed.
    main = [event for event in events if event["component"] == "annotation"] or list(events)
    reports = [event for event in events if event["component"] == "report"]
    if len(reports) == 1:
        comments = len(events) - 1
        with_comments = f" with {format_count(comments, 'comment')}" if comments else ""
        return audit_text.describe_event(reports[0], names) + with_comments
    if len(main) == 1 or (len(findings) == 1 and "" not in findings):
        return audit_text.describe_event(main[0], names)
    actor = f"**{escape_markdown(events[0]['actor'])}**"
    if "" not in findings:
        shared = {_describe_decision(event) for event in main}
        if len(shared) == 1:
            return f"{actor} {shared.pop()}".replace(_PLACE, f"**{format_count(len(findings), 'finding')}**")
    counts = Counter(audit_text.component_name(event["component"]) for event in events)
    parts = " and ".join(format_count(number, escape_markdown(name)) for name, number in counts.items())
    operations = {event["operation"] for event in events}
    done = audit_text.operation_verb(operations.pop()) if len(operations) == 1 else "changed"
    return f"{actor} {escape_markdown(done)} {parts}"


def _describe_deliveries(events: Sequence[Event]) -> str:
    messages = {event["record_id"] for event in events if event["component"] == "notification"}
    sent = {event["record_id"] for event in events if (event["after"] or {}).get("delivered_at")}
    if not messages:
        return f"**{AUTOMATIC_ACTOR}** looked for changes to notify about"
    text = f"**{AUTOMATIC_ACTOR}** sent {format_count(len(sent), 'notification')}" if sent else ""
    waiting = len(messages - sent)
    if not waiting:
        return text
    unsent = f"has {format_count(waiting, 'notification')} to send"
    return f"{text}, and {unsent}" if text else f"**{AUTOMATIC_ACTOR}** {unsent}"


def _describe_bundle(event: Event) -> str:
    """Describe what the import of a bundle changed: `` with 1 report and 3 comments``."""
    after = event["after"] or {}
    counted = (("reports", "report"), ("comments", "comment"), ("decisions", "decision"))
    parts = [format_count(after[key], noun) for key, noun in counted if isinstance(after.get(key), int)]
    rare = (("incidents", "incident"), ("deletions", "deletion"))
    parts += [format_count(after[key], noun) for key, noun in rare if after.get(key)]
    return f": {', '.join(parts)}" if parts else ""


_PLACE = "\x00"


def _describe_decision(event: Event) -> str:
    if event["component"] == "annotation":
        return event_text.describe_annotation_event(event, _PLACE)
    return event_text.describe_decision_event(event, _PLACE)


def _format_duration(duration: dt.timedelta) -> str:
    seconds = round(duration.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return format_count(seconds // 3600, "hour") if seconds < 86400 else format_count(seconds // 86400, "day")
