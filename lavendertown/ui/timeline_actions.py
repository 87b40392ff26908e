"""Changes of the notes on the timeline; each offers to undo it."""

from __future__ import annotations

import datetime as dt

from lavendertown.collaboration.parts.timeline import TimelineNote
from lavendertown.ui import actions, queries
from lavendertown.ui.components.shared import layout, person

FORM = "timeline"
"""The place of notices in the form of a note."""


def add_note(text: str, at: dt.datetime, dataset: str) -> bool:
    """Add a note; return whether it was added."""

    def work() -> None:
        timeline = queries.current_storage().timeline
        note_id = timeline.add(text, at, dataset=dataset, actor=person.require_name())
        note = next(each for each in timeline.query(dataset or None) if each.id == note_id)
        layout.queue_notice("Note added.", undo=lambda: delete_note(note))

    return actions.run_action(work, FORM)


def delete_note(note: TimelineNote) -> None:
    """Delete a note."""

    def work() -> None:
        queries.current_storage().timeline.delete(note, actor=person.require_name())
        layout.queue_notice("Note deleted.", undo=lambda: _restore_note(note))

    actions.run_action(work)


def _restore_note(note: TimelineNote) -> None:
    def work() -> None:
        queries.current_storage().timeline.restore(note, actor=person.require_name())
        layout.queue_notice("Note restored.")

    actions.run_action(work)
