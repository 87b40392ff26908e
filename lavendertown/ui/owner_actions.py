"""Changes of the owner rules of the team; each offers to undo it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lavendertown.core.owner_rules import OwnerRule
from lavendertown.ui import actions, queries
from lavendertown.ui.components.shared import layout, person

FORM = "owners"
"""The place of notices in the form of a rule."""
Rules = Sequence[OwnerRule]


def change_rules(change: Callable[[list[OwnerRule]], Rules], done: str, place: str = "page") -> bool:
    """Change the owner rules of the team; return whether they are as wanted now.

    Args:
        change: Returns the changed rules. It may raise a ``LavenderTownError``.
        done: What was done, in plain text.
        place: The place of the notice if the change is refused.
    """

    def work() -> None:
        owners = queries.current_storage().owner_rules
        version, before = owners.read_version(), owners.list_stored()
        saved = owners.save(change(list(before)), actor=person.require_name(), version=version)
        layout.queue_notice(done, undo=lambda: _restore_rules(before, saved))

    return actions.run_action(work, place)


def _restore_rules(before: Rules, version: int) -> None:
    """Undo a change, unless the rules were changed since."""

    def work() -> None:
        owners = queries.current_storage().owner_rules
        owners.save(before, actor=person.require_name(), version=version)
        layout.queue_notice("Undone.")

    actions.run_action(work)
