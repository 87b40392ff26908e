"""Actions of the screens on incidents; each offers to undo it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lavendertown.collaboration.parts.incidents import Incidents
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.ui import actions, queries, triage_actions
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count
from lavendertown.ui.components.shared.markdown import Markdown


def group_findings(title: str, finding_ids: Sequence[str], assignee: str, place: str) -> bool:
    """Group findings into a new incident; return whether they were grouped."""

    def work() -> None:
        made = _incidents().create(title, finding_ids, assignee=assignee, actor=person.require_name())
        _queue_notice(
            f"{format_count(len(finding_ids), 'finding')} grouped into **{escape_markdown(title.strip())}**.",
            lambda: _incidents().delete(made, actor=person.require_name()),
        )

    return actions.run_action(work, place)


def add_findings(incident: queries.Row, finding_ids: Sequence[str], place: str) -> bool:
    """Add findings to an incident, given with its id and title; return whether they were added."""

    def work() -> None:
        added = _incidents().add_findings(incident["id"], finding_ids, actor=person.require_name())
        text = f"{format_count(len(added), 'finding')} added to **{escape_markdown(incident['title'])}**."
        if not added:
            layout.queue_notice(Markdown(f"**{escape_markdown(incident['title'])}** has them already."))
            return
        _queue_notice(
            text, lambda: _incidents().remove_findings(incident["id"], added, actor=person.require_name())
        )

    return actions.run_action(work, place)


def remove_finding(incident: queries.Row, finding_id: str) -> bool:
    """Remove a finding from an incident; return whether it was removed."""

    def work() -> None:
        _incidents().remove_findings(incident["id"], finding_id, actor=person.require_name())
        _queue_notice(
            f"1 finding removed from **{escape_markdown(incident['title'])}**.",
            lambda: _incidents().add_findings(incident["id"], finding_id, actor=person.require_name()),
        )

    return actions.run_action(work)


def rename_incident(incident: queries.Row, title: str, place: str) -> bool:
    """Change the title of the version of an incident that the page showed."""

    def work() -> None:
        saved = _incidents().set_title(
            incident["id"], title, actor=person.require_name(), version=incident["version"]
        )
        _queue_notice(
            f"Renamed to **{escape_markdown(title.strip())}**.",
            lambda: _incidents().set_title(
                incident["id"], incident["title"], actor=person.require_name(), version=saved
            ),
        )

    return actions.run_action(work, place)


def assign_incident(incident: queries.Row, assignee: str) -> bool:
    """Set the owner of the version of an incident that the page showed."""

    def work() -> None:
        saved = _incidents().assign(
            incident["id"], assignee, actor=person.require_name(), version=incident["version"]
        )
        _queue_notice(
            f"Owner: {escape_markdown(assignee)}." if assignee else "The incident has no owner.",
            lambda: _incidents().assign(
                incident["id"], incident["assignee"], actor=person.require_name(), version=saved
            ),
        )

    return actions.run_action(work)


def comment_on_incident(incident_id: str, text: str) -> bool:
    """Add a comment to the thread of an incident; return whether it was added."""

    def work() -> None:
        _incidents().comment(incident_id, text, author=person.require_name())

    return actions.run_action(work, actions.FORM)


def close_incident(incident: queries.Row, decision: Decision, done: str, place: str) -> bool:
    """Close the open findings of an incident in one act; return whether they were closed."""

    def work() -> None:
        undo = _incidents().close(incident["id"], decision, actor=person.require_name())
        layout.queue_notice(
            f"{format_count(len(undo.finding_ids), 'finding')} {done}.",
            undo=lambda: triage_actions.undo_decision(undo),
        )

    return actions.run_action(work, place)


def reopen_incident(incident: queries.Row) -> bool:
    """Open the closed findings of an incident in one act; return whether they were opened."""

    def work() -> None:
        undo = _incidents().reopen(incident["id"], actor=person.require_name())
        layout.queue_notice(
            f"{format_count(len(undo.finding_ids), 'finding')} reopened.",
            undo=lambda: triage_actions.undo_decision(undo),
        )

    return actions.run_action(work)


def delete_incident(incident: queries.Row) -> bool:
    """Move an incident to the trash; return whether it was moved."""

    def work() -> None:
        _incidents().delete(incident["id"], actor=person.require_name())
        _queue_notice(
            f"Deleted the incident **{escape_markdown(incident['title'])}**; its findings stay.",
            lambda: _incidents().restore(incident["id"], actor=person.require_name()),
        )

    return actions.run_action(work)


def restore_incident(incident: queries.Row) -> bool:
    """Restore an incident from the trash; return whether it was restored."""

    def work() -> None:
        _incidents().restore(incident["id"], actor=person.require_name())
        _queue_notice(
            f"Restored the incident **{escape_markdown(incident['title'])}**.",
            lambda: _incidents().delete(incident["id"], actor=person.require_name()),
        )

    return actions.run_action(work)


def _incidents() -> Incidents:
    return queries.current_storage().incidents


def _queue_notice(text: str, revert: Callable[[], object]) -> None:
    """Queue a notice in Markdown, whose Undo button reverts the action."""

    def undo() -> None:
        def work() -> None:
            revert()
            layout.queue_notice("Undone.")

        actions.run_action(work)

    layout.queue_notice(Markdown(text), undo=undo)
