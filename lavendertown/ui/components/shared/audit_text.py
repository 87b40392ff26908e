"""Describe audit events in Markdown: actor, operation, record, and changed fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lavendertown.core import clock
from lavendertown.records.write_path import PURGE
from lavendertown.ui.components.shared import event_text
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_time,
    inline_code,
    reader_time_zone,
    status_name,
)

KINDS = {
    "report": "report",
    "annotation": "comment",
    "ruleset": "rule set",
    "finding": "finding",
    "person": "person",
    "view": "view",
    "dataset_settings": "settings of dataset",
    "incident": "incident",
    "worklist": "worklist",
    "store": "store",
    "notification": "notification",
}
"""Component → display name; components of an application are shown by their own name."""

OPERATIONS = {
    "create": ("Created", "created", ":green[:material/add_circle:]"),
    "update": ("Changed", "changed", ":blue[:material/edit:]"),
    "delete": ("Deleted", "deleted", ":red[:material/delete:]"),
    "soft_delete": ("Moved to trash", "moved to trash", ":red[:material/delete:]"),
    "restore": ("Restored", "restored", ":violet[:material/restore_from_trash:]"),
    PURGE: ("Removed for good", "removed", ":red[:material/delete_sweep:]"),
    "import": ("Imported", "imported", ":violet[:material/upload:]"),
    "import_bundle": ("Imported a bundle", "imported", ":violet[:material/folder_zip:]"),
    "undo_bundle": ("Undid the import of a bundle", "undid the import of", ":violet[:material/undo:]"),
}
"""Operation → name in a menu, verb in a sentence, icon."""

BUNDLE_OPERATIONS = ("import_bundle", "undo_bundle")

_MAX_LENGTH = 300
_HIDDEN = frozenset({"version", "updated_at", "id", "report_id"})


def component_name(component: str) -> str:
    """Return the display name of a component."""
    return KINDS.get(component, component)


def operation_name(name: str) -> str:
    """Return the name of an operation for a menu."""
    return OPERATIONS[name][0] if name in OPERATIONS else name


def operation_verb(name: str) -> str:
    """Return the verb of an operation for a sentence."""
    return OPERATIONS[name][1] if name in OPERATIONS else name


def operation_icon(event: Mapping[str, Any]) -> str:
    """Return the icon of an event's operation."""
    name = event["operation"]
    if name == "create" and event["component"] == "annotation":
        status = (event["after"] or {}).get("status")
        return ":gray[:material/flag:]" if status else ":gray[:material/chat_bubble:]"
    if event["component"] == "finding" and name in ("create", "update"):
        return ":gray[:material/tune:]"
    return OPERATIONS[name][2] if name in OPERATIONS else ":gray[:material/change_circle:]"


def finding_of_event(event: Mapping[str, Any]) -> str:
    """Return the id of the finding that an event concerns, or an empty string."""
    if event["component"] == "finding":
        return str(event["record_id"])
    fields = event["after"] or event["before"] or {}
    return str(fields.get("finding_id") or "") if event["component"] == "annotation" else ""


def _finding_label(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = names.get(finding_of_event(event))
    return (
        f"**{event_text.shorten_text(name)}**"
        if name
        else f"the finding {inline_code(finding_of_event(event))}"
    )


def describe_event(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Describe an event in Markdown: ``**Ana** created the report **Orders**``.

    Args:
        event: An audit event.
        names: The names of findings by id.
    """
    finding = _finding_label(event, names)
    if event["component"] == "annotation":
        return f"**{escape_markdown(event['actor'])}** {event_text.describe_annotation_event(event, finding)}"
    if event["component"] == "finding" and event["operation"] == "import":
        done = event_text.describe_decision_event(event, finding)
        return f"**{escape_markdown(event['actor'])}** imported a decision: {done}"
    if event["component"] == "finding" and event["operation"] in ("create", "update"):
        return f"**{escape_markdown(event['actor'])}** {event_text.describe_decision_event(event, finding)}"
    if event["component"] == "dataset_settings":
        return f"**{escape_markdown(event['actor'])}** {event_text.describe_settings_event(event)}"
    if event["component"] == "incident" and event["operation"] == "update":
        done = event_text.describe_incident_event(event, _record_name(event))
        return f"**{escape_markdown(event['actor'])}** {done}"
    if event["operation"] == PURGE:
        count = format_count((event["after"] or {}).get("removed", 0), component_name(event["component"]))
        return f"**{escape_markdown(event['actor'])}** removed {escape_markdown(count)} for good"
    done = escape_markdown(operation_verb(event["operation"]))
    return f"**{escape_markdown(event['actor'])}** {done} {_record_name(event)}"


def _record_name(event: Mapping[str, Any]) -> str:
    component, fields = event["component"], event["after"] or event["before"] or {}
    if component == "store" and event["operation"] in BUNDLE_OPERATIONS:
        return f"the bundle **{event_text.shorten_text(fields.get('file') or event['record_id'])}**"
    if component == "store":
        return f"all data from **{escape_markdown(event['record_id'])}**"
    name = fields.get("title") or fields.get("name") or event["record_id"]
    return f"the {escape_markdown(component_name(component))} **{event_text.shorten_text(name)}**"


def day_name(date: dt.date) -> str:
    """Return the name of a day: Today, Yesterday, or weekday and date."""
    today = clock.now().astimezone(reader_time_zone()).date()
    if date == today:
        return "Today"
    if date == today - dt.timedelta(days=1):
        return "Yesterday"
    return f"{date:%A}, {clock.format_day(date)}"


def changed_fields(event: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the changed fields as (name, before, after); all fields of a new record."""
    before, after = event["before"] or {}, event["after"] or {}
    if event["component"] == "dataset_settings":
        before, after = before.get("settings") or {}, after.get("settings") or {}
    names = [*after, *(name for name in before if name not in after)]
    return [
        (
            escape_markdown(name.replace("_", " ").capitalize()),
            field_value(name, before),
            field_value(name, after),
        )
        for name in names
        if name not in _HIDDEN and (before.get(name) or None) != (after.get(name) or None)
    ]


def field_value(name: str, fields: Mapping[str, Any]) -> str:
    """Return the display text of a field's value; a dash if empty."""
    value = fields.get(name)
    if value is None or value in ("", [], {}):
        return "—"
    if name == "status":
        return escape_markdown(status_name(str(value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return event_text.shorten_text(", ".join(map(str, value)), _MAX_LENGTH)
    if isinstance(value, dict):
        return event_text.shorten_text(
            ", ".join(f"{key}: {each}" for key, each in value.items()), _MAX_LENGTH
        )
    return (
        _format_time(value)
        if name.endswith(("_at", "_until"))
        else event_text.shorten_text(value, _MAX_LENGTH)
    )


def _format_time(text: object) -> str:
    try:
        when = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return event_text.shorten_text(text, _MAX_LENGTH)
    return format_time(clock.to_utc(when))
