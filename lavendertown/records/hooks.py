"""Hooks of the write path: before and after a change, and after the commit."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lavendertown.records.record_classes import AuditEvent, Record
from lavendertown.records.store import UnitOfWork

BeforeHook = Callable[[UnitOfWork, Record], Record | None]
"""Receives the record to be written; may raise to refuse it, or return a replacement."""
AfterHook = Callable[[UnitOfWork, Record], None]
"""Runs inside the unit of work after the write; an exception rolls back the unit of work."""
AfterCommitHook = Callable[[Sequence[AuditEvent]], None]
"""Runs after the commit, for effects outside the store. It cannot roll back anything."""


@dataclass
class Hooks:
    """The hooks of one write path, which run in the order of registration."""

    before: dict[tuple[str, str], list[BeforeHook]] = field(default_factory=dict)
    after: dict[tuple[str, str], list[AfterHook]] = field(default_factory=dict)
    after_commit: list[AfterCommitHook] = field(default_factory=list)

    def add_before(self, kind: str, operation: str, hook: BeforeHook) -> None:
        """Register a hook for ``operation``: create, update, delete or restore."""
        self.before.setdefault((kind, operation), []).append(hook)

    def add_after(self, kind: str, operation: str, hook: AfterHook) -> None:
        """Register a hook for ``operation``: create, update, delete or restore."""
        self.after.setdefault((kind, operation), []).append(hook)

    def run_before(self, unit: UnitOfWork, kind: str, operation: str, record: Record) -> Record:
        """Run the before-hooks and return the record to write."""
        for hook in self.before.get((kind, operation), ()):
            record = hook(unit, record) or record
        return record

    def run_after(self, unit: UnitOfWork, kind: str, operation: str, record: Record) -> None:
        """Run the after-hooks."""
        for hook in self.after.get((kind, operation), ()):
            hook(unit, record)


def is_refusal(error: BaseException) -> bool:
    """Return whether an error is the ``ValueError`` with which a hook refused a change."""
    if not isinstance(error, ValueError):
        return False
    runners = (Hooks.run_before.__code__, Hooks.run_after.__code__)
    return any(frame.f_code in runners for frame, _ in traceback.walk_tb(error.__traceback__))
