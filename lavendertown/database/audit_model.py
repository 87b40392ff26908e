"""The audit log as a class, for an application's own queries."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import registry

from lavendertown.database.tables import audit_log


class AuditLog:
    """One change: when, who, what, and the record before and after. Only read."""

    id: Any
    timestamp: Any
    actor: Any
    component: Any
    record_id: Any
    operation: Any
    before: Any
    after: Any

    def __repr__(self) -> str:
        at: dt.datetime = self.timestamp
        return f"<AuditLog {self.operation} {self.component} {self.record_id} by {self.actor} at {at:%F %T}>"


registry(metadata=audit_log.metadata).map_imperatively(
    AuditLog, audit_log, properties={"id": audit_log.c.key, "timestamp": audit_log.c.at}
)
