"""Hooks around the write path: before and after a change, and after the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lavendertown.records.contract import Unit
from lavendertown.records.values import AuditEvent, Record

Before = Callable[[Unit, Record], Record | None]
"""Sees the record about to be written; may raise to refuse it, or return another in its place."""
After = Callable[[Unit, Record], None]
"""Runs inside the unit of work, after the write; raising undoes everything."""
Outward = Callable[[Sequence[AuditEvent]], None]
"""Runs after the commit: the place for what reaches outside. It cannot undo anything."""


@dataclass
class Hooks:
    """The hooks of one write path, run in the order they were registered."""

    before: dict[tuple[str, str], list[Before]] = field(default_factory=dict)
    after: dict[tuple[str, str], list[After]] = field(default_factory=dict)
    outward: list[Outward] = field(default_factory=list)

    def add_before(self, kind: str, operation: str, hook: Before) -> None:
        """Register a hook for ``operation``: create, update, delete or restore."""
        self.before.setdefault((kind, operation), []).append(hook)

    def add_after(self, kind: str, operation: str, hook: After) -> None:
        """Register a hook for ``operation``: create, update, delete or restore."""
        self.after.setdefault((kind, operation), []).append(hook)

    def run_before(self, unit: Unit, kind: str, operation: str, record: Record) -> Record:
        """Run the before-hooks; return the record to write."""
        for hook in self.before.get((kind, operation), ()):
            record = hook(unit, record) or record
        return record

    def run_after(self, unit: Unit, kind: str, operation: str, record: Record) -> None:
        """Run the after-hooks."""
        for hook in self.after.get((kind, operation), ()):
            hook(unit, record)
