"""How a change is said: who did what to what, and which fields became what. Values to Markdown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lavendertown import clock
from lavendertown.ui.components import event_words, words

KINDS = {
    "report": "report",
    "annotation": "comment",
    "ruleset": "rule set",
    "finding": "finding",
    "person": "person",
    "view": "view",
    "store": "store",
}
"""Component → its word; an application's own components are shown as they are named."""

OPERATIONS = {
    "create": ("Created", "created", ":green[:material/add_circle:]"),
    "update": ("Changed", "changed", ":blue[:material/edit:]"),
    "delete": ("Deleted", "deleted", ":red[:material/delete:]"),
    "soft_delete": ("Put into the trash", "put into the trash", ":red[:material/delete:]"),
    "restore": ("Restored", "restored", ":violet[:material/restore_from_trash:]"),
    "import": ("Imported", "imported", ":violet[:material/upload:]"),
}
"""Operation → its name in a menu, in a sentence, and its icon."""

_LONGEST = 300
_HIDDEN = frozenset({"version", "updated_at", "id"})


def kind(component: str) -> str:
    """Return the word for a component."""
    return KINDS.get(component, component)


def operation(name: str) -> str:
    """Return an operation's name for a menu."""
    return OPERATIONS[name][0] if name in OPERATIONS else name


def icon(event: Mapping[str, Any]) -> str:
    """Return the icon of what was done."""
    name = event["operation"]
    if name == "create" and event["component"] == "annotation":
        status = (event["after"] or {}).get("status")
        return ":gray[:material/flag:]" if status else ":gray[:material/chat_bubble:]"
    if event["component"] == "finding" and name in ("create", "update"):
        return ":gray[:material/tune:]"
    return OPERATIONS[name][2] if name in OPERATIONS else ":gray[:material/change_circle:]"


def about(event: Mapping[str, Any]) -> str:
    """Return the id of the finding that a change is about, empty where it is about none."""
    if event["component"] == "finding":
        return str(event["record_id"])
    known = event["after"] or event["before"] or {}
    return str(known.get("finding_id") or "") if event["component"] == "annotation" else ""


def _finding(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = names.get(about(event))
    return f"**{event_words.short(name)}**" if name else f"the finding {words.code(about(event))}"


def sentence(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say who did what to what, in Markdown: ``**Ana** created the report **Orders**``.

    Args:
        event: An audit event.
        names: What to call findings, by their ids.
    """
    finding = _finding(event, names)
    if event["component"] == "annotation":
        return f"**{words.plain(event['actor'])}** {event_words.said(event, finding)}"
    if event["component"] == "finding" and event["operation"] in ("create", "update"):
        return f"**{words.plain(event['actor'])}** {event_words.decided(event, finding)}"
    done = OPERATIONS[event["operation"]][1] if event["operation"] in OPERATIONS else event["operation"]
    return f"**{words.plain(event['actor'])}** {words.plain(done)} {_object(event)}"


def _object(event: Mapping[str, Any]) -> str:
    component, known = event["component"], event["after"] or event["before"] or {}
    if component == "store":
        return f"the whole store from **{words.plain(event['record_id'])}**"
    name = known.get("title") or known.get("name") or event["record_id"]
    return f"the {words.plain(kind(component))} **{event_words.short(name)}**"


def day(date: dt.date) -> str:
    """Name a day as the reader would."""
    today = clock.now().astimezone(words.zone()).date()
    if date == today:
        return "Today"
    if date == today - dt.timedelta(days=1):
        return "Yesterday"
    return f"{date:%A}, {date.day} {date:%b %Y}"


def changes(event: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the fields that changed: name, before, after; of a new record, all that it says."""
    before, after = event["before"] or {}, event["after"] or {}
    names = [*after, *(name for name in before if name not in after)]
    return [
        (words.plain(name.replace("_", " ").capitalize()), value(name, before), value(name, after))
        for name in names
        if name not in _HIDDEN and (before.get(name) or None) != (after.get(name) or None)
    ]


def value(name: str, fields: Mapping[str, Any]) -> str:
    """Return a field's value in words; a dash for none."""
    found = fields.get(name)
    if found is None or found in ("", [], {}):
        return "—"
    if name == "status":
        return words.plain(words.status_name(str(found)))
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, list):
        return event_words.short(", ".join(map(str, found)), _LONGEST)
    if isinstance(found, dict):
        return event_words.short(", ".join(f"{key}: {each}" for key, each in found.items()), _LONGEST)
    return _moment(found) if name.endswith(("_at", "_until")) else event_words.short(found, _LONGEST)


def _moment(text: object) -> str:
    try:
        when = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return event_words.short(text, _LONGEST)
    return words.moment(clock.to_utc(when))
