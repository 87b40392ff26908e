"""Actions of the screens on worklists; each offers to undo it."""

from __future__ import annotations

from collections.abc import Sequence

from lavendertown.collaboration.parts.worklist_answers import SavedAnswers
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.interchange.worklists.answers import FilledRows
from lavendertown.interchange.worklists.worklist_file import Worklist
from lavendertown.ui import actions, inspections, queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import format_count


def create_worklists(
    result: InspectionResult, report: queries.Row, finding_ids: Sequence[str], key: Sequence[str], place: str
) -> list[Worklist]:
    """Give out the rows of findings; return the worklists, without any after an error.

    Args:
        result: The inspection that the report was saved from.
        report: The report, with its id and dataset.
        finding_ids: The findings; without any, all open ones.
        key: The columns that identify a row.
        place: The place of a notice.
    """
    made: list[Worklist] = []

    def work() -> None:
        worklists, actor = queries.current_storage().worklists, person.require_name()
        chosen = worklists.choose_findings(report["id"], finding_ids)
        rows = inspections.collect_worklist_rows(result, chosen, report["dataset"], key)
        made.extend(worklists.create(report["id"], rows, actor=actor))

    actions.run_action(work, place)
    return made


def delete_worklists(worklist_ids: Sequence[str]) -> None:
    """Move worklists to the trash, and offer to restore them."""

    def work() -> None:
        worklists, actor = queries.current_storage().worklists, person.require_name()
        deleted = [each for each in worklist_ids if worklists.delete(each, actor=actor)]
        text = f"{format_count(len(deleted), 'worklist')} moved to the trash."
        layout.queue_notice(text, undo=lambda: _restore_worklists(deleted))

    actions.run_action(work)


def _restore_worklists(worklist_ids: Sequence[str]) -> None:
    def work() -> None:
        for each in worklist_ids:
            queries.current_storage().worklists.restore(each, actor=person.require_name())
        layout.queue_notice("Undone.")

    actions.run_action(work)


def save_answers(filled: FilledRows, *, overwrite: bool, place: str) -> bool:
    """Store the answers of a filled file; return whether they were stored."""

    def work() -> None:
        saved = queries.current_storage().worklists.save_answers(
            filled, author=person.require_name(), overwrite=overwrite
        )
        layout.queue_notice(_describe(saved), undo=(lambda: _undo(saved)) if saved.saved else None)

    return actions.run_action(work, place)


def _describe(saved: SavedAnswers) -> str:
    text = f"{format_count(saved.saved, 'answer')} saved."
    if saved.overwritten:
        return f"{text} {saved.overwritten:,} of them replaced answers of colleagues."
    kept = len(saved.preview.conflicts)
    return f"{text} {format_count(kept, 'answer')} of colleagues kept." if kept else text


def _undo(saved: SavedAnswers) -> None:
    def work() -> None:
        count = queries.current_storage().worklists.undo(dict(saved.versions), actor=person.require_name())
        kept = saved.saved - count
        text = f"Undone: {format_count(count, 'answer')}."
        layout.queue_notice(f"{text} Files read since then keep {kept:,}." if kept else text)

    actions.run_action(work)
