"""What was said and decided about findings, in words. Audit events to Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.ui.components import words

LONGEST = 90
Event = Mapping[str, Any]
_DONE = {"update": "edited", "delete": "deleted", "restore": "restored"}


def short(text: object, most: int = LONGEST) -> str:
    """Return a text on one line, cut where it is too long, so that Markdown shows it letter for letter."""
    line = " ".join(str(text).split())
    return words.plain(line if len(line) <= most else line[: most - 1] + "…")


def said(event: Event, finding: str) -> str:
    """Say what somebody did to an annotation: ``set *finding* to Fixed: Mended``.

    Args:
        event: An audit event of an annotation.
        finding: What to call the finding, as Markdown.
    """
    known = event["after"] or event["before"] or {}
    comment, status, tags = known.get("comment"), known.get("status"), known.get("tags") or ()
    if event["operation"] != "create":
        done = _DONE.get(event["operation"]) or words.plain(event["operation"])
        return f"{done} a comment on {finding}: {short(comment or 'without words')}"
    text = f": {short(comment)}" if comment else ""
    if status:
        return f"set {finding} to {words.status_badge(status)}{text}"
    if tags and not comment:
        return f"tagged {finding} {words.tag_badges(tags)}"
    return f"commented on {finding}{text}"


def decided(event: Event, finding: str) -> str:
    """Say what somebody decided about a finding beside its thread: ``assigned *finding* to Ben``."""
    before, after = event["before"] or {}, event["after"] or {}
    told = [
        say(after, finding)
        for fields, say in _DECIDED
        if any((before.get(name) or None) != (after.get(name) or None) for name in fields)
    ]
    return " and ".join(told) if told else f"changed what is decided about {finding}"


def _assigned(after: Event, finding: str) -> str:
    who = after.get("assignee")
    return f"assigned {finding} to **{words.plain(who)}**" if who else f"left {finding} to nobody"


def _noted(after: Event, finding: str) -> str:
    note = after.get("note")
    return f"pinned a note on {finding}: {short(note)}" if note else f"took the note off {finding}"


def _snoozed(after: Event, finding: str) -> str:
    asleep = after.get("snooze_until") or after.get("snooze_factor")
    return f"put {finding} to sleep" if asleep else f"woke {finding}"


def _merged(after: Event, finding: str) -> str:
    into = after.get("merged_into")
    return f"merged {finding} into {words.code(str(into))}" if into else f"took {finding} apart again"


def _alone(after: Event, finding: str) -> str:
    alone = after.get("stands_alone")
    return f"said that {finding} stands for itself" if alone else f"let {finding} look like another one"


_DECIDED = (
    (("assignee",), _assigned),
    (("note",), _noted),
    (("snooze_until", "snooze_factor"), _snoozed),
    (("merged_into",), _merged),
    (("stands_alone",), _alone),
)
