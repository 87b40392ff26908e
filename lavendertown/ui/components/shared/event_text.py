"""Describe audit events of annotations and triage decisions in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.collaboration.parts.dataset_settings import CHECKS, ROW_KEY, dataset_of_settings
from lavendertown.collaboration.parts.imports import MAPPING
from lavendertown.collaboration.parts.ownership import TEAM
from lavendertown.collaboration.parts.source_checks import TEAM_SOURCES
from lavendertown.collaboration.parts.timeline import TEAM_TIMELINE, TIMELINE
from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.expectations import list_changes
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    inline_code,
    status_badge,
    tag_badges,
)

MAX_LENGTH = 90
Event = Mapping[str, Any]
_TAKEN_BACK = {"delete": "took back", "restore": "set again"}
_ADOPTION_REASONS = {
    "respelled_header": "the same check, and the header of the column is only written differently",
    "moved_column": "the same check, and the unnamed column with these values moved",
    "renamed_column": "the same check, and the column with these values has another name",
    "changed_parameters": "the same check with other limits",
}
_DONE = {"update": "edited", "delete": "deleted", "restore": "restored", "import": "imported"}


def shorten_text(text: object, max_length: int = MAX_LENGTH) -> str:
    """Return a text escaped for Markdown, on one line and shortened."""
    line = " ".join(str(text).split())
    return escape_markdown(line if len(line) <= max_length else line[: max_length - 1] + "…")


def describe_annotation_event(event: Event, finding: str) -> str:
    """Describe a change of an annotation: ``set *finding* to Fixed: Loader fixed``.

    Args:
        event: An audit event of an annotation.
        finding: The name of the finding as Markdown.
    """
    fields = event["after"] or event["before"] or {}
    comment, status, tags = fields.get("comment"), fields.get("status"), fields.get("tags") or ()
    if event["operation"] != "create":
        done = _DONE.get(event["operation"]) or escape_markdown(event["operation"])
        if comment:
            return f"{done} a comment on {finding}: {shorten_text(comment)}"
        what = f"the status {status_badge(status)}" if status else f"the tags {tag_badges(tags)}"
        return f"{_TAKEN_BACK.get(event['operation'], done)} {what} of {finding}"
    text = f": {shorten_text(comment)}" if comment else ""
    if status:
        return f"set {finding} to {status_badge(status)}{text}"
    if tags and not comment:
        return f"tagged {finding} {tag_badges(tags)}"
    return f"commented on {finding}{text}"


def describe_settings_event(event: Event) -> str:
    """Describe a change of a dataset's settings: ``changed the checks of *orders*: outliers: k 4``."""
    if event["record_id"] == TEAM:
        return "changed the owner rules"
    if event["record_id"] == TEAM_SOURCES:
        return _describe_source_checks(event)
    dataset = f"**{shorten_text(dataset_of_settings(event['record_id']))}**"
    before, after = ((event[name] or {}).get("settings") or {} for name in ("before", "after"))
    if before.get(MAPPING) != after.get(MAPPING):
        return "changed how the columns of imported results are read"
    if before.get(TIMELINE) != after.get(TIMELINE):
        on = "" if event["record_id"] == TEAM_TIMELINE else f" on {dataset}"
        return _describe_timeline(before.get(TIMELINE) or {}, after.get(TIMELINE) or {}) + on
    if before.get(ROW_KEY) != after.get(ROW_KEY):
        key = shorten_text(", ".join(map(str, (after.get(ROW_KEY) or {}).get("columns") or ["suggested"])))
        return f"changed the row key of {dataset}: {key}"
    if before.get(CHECKS) == after.get(CHECKS):
        return f"changed how files of {dataset} are read"
    try:
        changes = list_changes(*(CheckConfiguration.from_dict(each.get(CHECKS)) for each in (before, after)))
    except InvalidInputError:
        # The audit log keeps what other versions wrote.
        changes = []
    details = f": {shorten_text('; '.join(changes))}" if changes else ""
    return f"changed the checks of {dataset}{details}"


def _describe_source_checks(event: Event) -> str:
    before, after = ((event[name] or {}).get("settings") or {} for name in ("before", "after"))
    texts = [
        f"could not check **{shorten_text(name)}**: {shorten_text(_read_reason(after[name]))}"
        if name in after
        else f"checked **{shorten_text(name)}** again"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    return " and ".join(texts) or "changed nothing"


def _read_reason(failed: Event) -> str:
    """Return why a check failed, without its subject."""
    problem = str(failed.get("problem") or "")
    return problem.partition(": ")[2] or problem


def _describe_timeline(before: Event, after: Event) -> str:
    former, notes = (
        {str(note.get("id")): str(note.get("text")) for note in each.get("notes") or ()}
        for each in (before, after)
    )
    for key, text in notes.items():
        if key not in former:
            return f"added the note {shorten_text(text)} to the timeline"
    for key, text in former.items():
        if key not in notes:
            return f"deleted the note {shorten_text(text)} from the timeline"
    return "changed the timeline"


def describe_decision_event(event: Event, finding: str) -> str:
    """Describe a triage decision about a finding: ``assigned *finding* to Ben``."""
    before, after = event["before"] or {}, event["after"] or {}
    texts = [
        describe(after, finding)
        for fields, describe in _DECISION_TEXTS
        if any((before.get(name) or None) != (after.get(name) or None) for name in fields)
    ]
    return " and ".join(texts) if texts else f"changed {finding}"


def describe_incident_event(event: Event, incident: str) -> str:
    """Describe a change of an incident: ``added 2 findings to *incident*``."""
    before, after = event["before"] or {}, event["after"] or {}
    former, members = before.get("members") or [], after.get("members") or []
    added = sum(1 for name in members if name not in former)
    removed = sum(1 for name in former if name not in members)
    texts = []
    if added:
        texts.append(f"added {format_count(added, 'finding')} to {incident}")
    if removed:
        texts.append(f"removed {format_count(removed, 'finding')} from {incident}")
    if before.get("assignee") != after.get("assignee"):
        texts.append(_describe_assignment(after, incident))
    if before.get("title") != after.get("title"):
        texts.append(f"renamed {incident}, which was **{shorten_text(before.get('title') or '')}**")
    return " and ".join(texts) if texts else f"changed {incident}"


def _describe_assignment(after: Event, finding: str) -> str:
    who = after.get("assignee")
    by = " by owner rule" if after.get("owner_rule") else ""
    return f"assigned {finding} to **{escape_markdown(who)}**{by}" if who else f"unassigned {finding}"


def _describe_note(after: Event, finding: str) -> str:
    note = after.get("note")
    return f"pinned a note on {finding}: {shorten_text(note)}" if note else f"removed the note from {finding}"


def _describe_snooze(after: Event, finding: str) -> str:
    is_snoozed = after.get("snooze_until") or after.get("snooze_factor")
    return f"snoozed {finding}" if is_snoozed else f"unsnoozed {finding}"


def describe_adoption(event: Event) -> str:
    """Describe why findings were merged without a person: ``: the header …``; empty if a person did it."""
    reason = _ADOPTION_REASONS.get(str((event["after"] or {}).get("adopted_because")))
    return f": {reason}" if reason else ""


def _describe_merge(after: Event, finding: str) -> str:
    into = after.get("merged_into")
    if not into:
        return f"unmerged {finding}"
    return f"merged {finding} into {inline_code(str(into))}{describe_adoption({'after': after})}"


def _describe_separation(after: Event, finding: str) -> str:
    alone = after.get("stands_alone")
    return f"marked {finding} as not a duplicate" if alone else f"marked {finding} as a possible duplicate"


_DECISION_TEXTS = (
    (("assignee",), _describe_assignment),
    (("note",), _describe_note),
    (("snooze_until", "snooze_factor"), _describe_snooze),
    (("merged_into",), _describe_merge),
    (("stands_alone",), _describe_separation),
)
