"""Audit events as messages."""

from __future__ import annotations

from typing import Any

from lavendertown.records.record_classes import AuditEvent
from lavendertown.rpc.protocol.schema import FieldSpec, MessageSpec

AUDIT_EVENT = MessageSpec(
    "AuditEvent",
    (
        FieldSpec("at", "timestamp"),
        FieldSpec("actor", "string"),
        FieldSpec("component", "string"),
        FieldSpec("record_id", "string"),
        FieldSpec("operation", "string", comment="create, update, delete, soft_delete, restore, import …"),
        FieldSpec("before", "value"),
        FieldSpec("after", "value"),
        FieldSpec("on_behalf_of", "string", comment="For whom the actor acted."),
    ),
    comment="One change of one record.",
)


def audit_values(event: AuditEvent) -> dict[str, Any]:
    """Return an event's fields."""
    before = dict(event.before) if event.before is not None else None
    after = dict(event.after) if event.after is not None else None
    people = [state.pop("on_behalf_of", "") for state in (before, after) if state is not None]
    return {
        "at": event.at,
        "actor": event.actor,
        "component": event.component,
        "record_id": event.record_id,
        "operation": event.operation,
        "before": before,
        "after": after,
        "on_behalf_of": next(filter(None, people), ""),
    }
