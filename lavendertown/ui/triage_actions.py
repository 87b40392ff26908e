"""Triage actions of the screens; each offers to undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from lavendertown.collaboration.parts.triage import Decision, Undo, undo_from_events
from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.core.ticket_targets import find_ticket_target
from lavendertown.notifications import DeliveryError
from lavendertown.ui import actions, errors, queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, inline_code
from lavendertown.ui.components.shared.markdown import Markdown

FORM = "triage"
"""The place of notices in a dialog."""


def decide_findings(
    finding_ids: Sequence[str], decision: Decision, done: str, *, place: str = "page", seen: int | None = None
) -> bool:
    """Apply a decision to these findings; return whether it was applied.

    Args:
        finding_ids: The findings.
        decision: The decision.
        done: The rest of the notice after the number of findings: ``"assigned to Ana"``.
        place: The place of the notice if the decision is refused.
        seen: The triage version that the page showed, for a decision about one finding.
    """

    def work() -> None:
        versions = {finding_ids[0]: seen} if seen is not None else None
        undo = queries.current_storage().triage.decide(
            finding_ids, decision, actor=person.require_name(), versions=versions
        )
        layout.queue_notice(
            f"{format_count(len(undo.finding_ids), 'finding')} {done}.",
            undo=lambda: undo_decision(undo),
        )

    return actions.run_action(work, place)


def merge_findings(finding_ids: Sequence[str], into: str) -> bool:
    """Merge these findings into another one."""

    def work() -> None:
        undo = queries.current_storage().triage.merge_findings(finding_ids, into, actor=person.require_name())
        layout.queue_notice("The findings are one now.", undo=lambda: undo_decision(undo))

    return actions.run_action(work, FORM)


def adopt_history(finding_id: str, vanished_id: str) -> None:
    """Let a finding continue the history of one that disappeared."""

    def work() -> None:
        undo = queries.current_storage().triage.adopt_history(
            finding_id, vanished_id, actor=person.require_name()
        )
        layout.queue_notice(
            "They are one finding now; its thread goes on here.", undo=lambda: undo_decision(undo)
        )

    actions.run_action(work)


def adopt_dataset_history(former: str, dataset: str) -> None:
    """Let the dataset of a saved report continue the history of another dataset."""
    try:
        undo = queries.current_storage().datasets.adopt_history(former, dataset, actor=person.require_name())
    except LavenderTownError as error:
        reason = errors.error_message(error)[0]
        layout.queue_notice(reason, "problem", lead="The report is saved, its history is not adopted.")
    else:
        notice = Markdown(f"The history of {inline_code(former)} continues here.")
        layout.queue_notice(notice, undo=lambda: undo_decision(undo))


def unmerge_finding(finding_id: str) -> bool:
    """Undo the merge of a finding."""

    def work() -> None:
        undo = queries.current_storage().triage.unmerge_finding(finding_id, actor=person.require_name())
        layout.queue_notice("The finding is separate again.", undo=lambda: undo_decision(undo))

    return actions.run_action(work)


def create_ticket(finding_id: str, target_name: str, place: str) -> None:
    """Create a ticket about a finding in a configured tracker, or offer to send it again if that fails."""

    def work() -> None:
        settings = load_settings()
        target = find_ticket_target(settings.tickets, target_name)
        try:
            address = queries.current_storage().tickets.create(
                finding_id, target, settings.dashboard_url, actor=person.require_name()
            )
        except DeliveryError as error:
            layout.queue_notice(
                str(error),
                "problem",
                place=place,
                retry=lambda: create_ticket(finding_id, target_name, place),
            )
            return
        layout.queue_notice(f"Created a ticket in {target.name}. {address}".rstrip(), place=place)

    actions.run_action(work, place)


def undo_decision(undo: Undo) -> None:
    """Undo a decision; findings changed since then keep their new state."""

    def work() -> None:
        changed = queries.current_storage().triage.undo(undo, actor=person.require_name())
        kept = len(undo.finding_ids) - changed
        text = "Undone."
        if kept:
            text += f" {format_count(kept, 'finding')} changed since and stays as it is."
        layout.queue_notice(text)

    actions.run_action(work)


def undo_commit(at: dt.datetime, actor: str) -> None:
    """Undo the decision that a person made in one commit, at any later time."""
    undo_decision(undo_from_events(queries.current_storage().audit.query_commit(at, actor)))


def save_view(name: str, query: dict[str, list[str]]) -> bool:
    """Save a view of the findings for the team."""

    def work() -> None:
        queries.current_storage().views.save(name.strip(), query, author=person.require_name())
        layout.queue_notice(Markdown(f"Saved the view **{escape_markdown(name.strip())}** for everybody."))

    return actions.run_action(work, FORM)


def delete_view(name: str) -> None:
    """Delete a saved view and offer to undo it."""

    def work() -> None:
        storage = queries.current_storage()
        storage.views.delete(name, actor=person.require_name())

        def undo() -> None:
            actions.run_action(
                lambda: _discard_result(storage.views.restore(name, actor=person.require_name()))
            )

        layout.queue_notice(Markdown(f"Deleted the view **{escape_markdown(name)}**."), undo=undo)

    actions.run_action(work)


def _discard_result(_: object) -> None:
    return None
