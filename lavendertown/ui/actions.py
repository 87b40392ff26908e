"""Write actions of the screens. Each reports its result as a notice instead of raising expected errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.imports import ImportPreview
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.core import clock
from lavendertown.core.errors import ConflictError, InvalidInputError, LavenderTownError, NotFoundError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.settings import load_settings
from lavendertown.interchange import ReadRun
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.masking import prepare_coverage, prepare_evidence, prepare_findings
from lavendertown.records.record_classes import RecordKind
from lavendertown.transfer.bundles import importing as bundles
from lavendertown.transfer.bundles import undoing
from lavendertown.transfer.bundles.importing import BundlePreview
from lavendertown.transfer.bundles.merging import DeletionState, MergeState
from lavendertown.transfer.bundles.reading import Bundle
from lavendertown.ui import errors, queries, replaced_data
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_relative_time,
    status_name,
)
from lavendertown.ui.components.shared.markdown import Markdown

FORM = "form"
"""The place of notices about a comment: above its form."""


@dataclass(frozen=True)
class AnnotationDraft:
    """The input of the comment form of a thread.

    Attributes:
        finding_id: The finding to comment on.
        comment: The comment in Markdown.
        tags: Tags for the finding.
        status: The new status; None keeps the current one.
        displayed_status: The status of the finding that the page showed.
    """

    finding_id: str
    comment: str
    tags: tuple[str, ...]
    status: str | None
    displayed_status: str


def run_action(work: Callable[[], None], place: str = "page") -> bool:
    """Run an action; on an expected error, queue its message as a notice and return False.

    Args:
        work: The action.
        place: The place on the page for the notice.
    """
    try:
        with replaced_data.expect_drawn_data():
            work()
    except ConflictError as error:
        layout.queue_notice("", "conflict", place=place, lead=f"Not saved: {_describe_conflict(error)}")
    except LavenderTownError as error:
        layout.queue_notice(errors.error_message(error)[0], "problem", place=place, lead="Not saved.")
    else:
        return True
    return False


def _describe_conflict(error: ConflictError) -> str:
    """Return who changed the record and what to do next, from the audit log if the error lacks it."""
    if error.kind in ("finding", "store") and error.stored_version is None:
        return str(error)
    last = queries.last_change(error.kind, error.record_id)
    if last is None:
        return str(error)
    done = "deleted" if last["operation"] == "delete" else "changed"
    things = {
        "annotation": "comment",
        "finding": "finding",
        "incident": "incident",
        "dataset_settings": "configuration",
    }
    thing = things.get(error.kind, "report")
    who = f"{last['actor']} {done} this {thing} {format_relative_time(last['at'])}."
    return who if done == "deleted" else f"{who} Review the change, then save again to overwrite it."


def add_annotation(draft: AnnotationDraft) -> bool:
    """Add a comment, tags and a status to a finding; return whether they were saved.

    If the draft sets a status and another user changed the status since the page was drawn, nothing is
    saved and the input is kept.
    """

    def work() -> None:
        if draft.status:
            _check_displayed_status(draft)
        decision = Decision(status=draft.status, comment=draft.comment.strip(), tags=draft.tags)
        queries.current_storage().triage.decide(draft.finding_id, decision, actor=person.require_name())

    return run_action(work, FORM)


def _check_displayed_status(draft: AnnotationDraft) -> None:
    """Raise if the status of the finding differs from the one that the page showed."""
    last = next((a for a in reversed(queries.list_annotations(draft.finding_id)) if a.status), None)
    if last is None or last.status == draft.displayed_status or last.author == person.current_name():
        return
    raise ConflictError(
        f"{last.author} set this finding to {status_name(last.status or '')} "
        f"{format_relative_time(last.timestamp)}. Your input is kept; submit it again to set your status.",
        kind="finding",
        record_id=draft.finding_id,
        changed_by=last.author,
    )


def edit_comment(annotation: Annotation, comment: str) -> bool:
    """Change the text of the user's own comment, unless it was changed elsewhere."""

    def work() -> None:
        _require_own(annotation)
        queries.current_storage().save_annotation(
            replace(annotation, comment=comment.strip()), actor=person.require_name()
        )

    return run_action(work, FORM + annotation.id)


def delete_comment(annotation: Annotation) -> bool:
    """Delete the user's own comment and offer to undo it."""

    def work() -> None:
        _require_own(annotation)
        queries.current_storage().delete_annotation(annotation.id, actor=person.require_name())
        layout.queue_notice("Comment deleted.", undo=lambda: restore_comment(annotation.id))

    return run_action(work, FORM)


def restore_comment(annotation_id: str) -> None:
    """Restore a deleted comment."""
    run_action(
        lambda: _discard_result(
            queries.current_storage().restore_annotation(annotation_id, actor=person.require_name())
        )
    )


def _require_own(annotation: Annotation) -> None:
    if annotation.author != person.current_name():
        raise InvalidInputError(
            f"This comment is by {annotation.author}; you can change only your own comments."
        )


def change_report(report_id: str, version: int, change: Callable[[ShareableReport], None]) -> bool:
    """Change a report that the page showed in this version; return whether it was saved."""

    def work() -> None:
        storage = queries.current_storage()
        report = storage.load_report(report_id)
        if report is None:
            raise NotFoundError(f"No report {report_id!r}; it may have been deleted. Reload the page.")
        report.version = version
        report.annotations = []
        change(report)
        storage.save_report(report, actor=person.require_name())

    return run_action(work)


def rename_report(report_id: str, version: int, title: str) -> bool:
    """Change the title of a report."""
    if not title.strip():
        layout.queue_notice("A report needs a title.", "problem", lead="Not saved.")
        return False

    def change(report: ShareableReport) -> None:
        report.title = title.strip()

    return change_report(report_id, version, change)


def retag_report(report_id: str, version: int, tags: Sequence[str]) -> bool:
    """Replace the tags of a report."""

    def change(report: ShareableReport) -> None:
        report.metadata["tags"] = list(tags)

    return change_report(report_id, version, change)


def delete_report(report_id: str, title: str) -> bool:
    """Move a report to the trash and offer to undo it."""

    def work() -> None:
        if not queries.current_storage().delete_report(report_id, actor=person.require_name()):
            raise NotFoundError(f"No report {report_id!r}; it may have been deleted. Reload the page.")
        layout.queue_notice(
            Markdown(f"Deleted **{escape_markdown(title)}**."), undo=lambda: _undo_delete_report(report_id)
        )

    return run_action(work)


def _undo_delete_report(report_id: str) -> None:
    restore_report(report_id)


def restore_report(report_id: str) -> bool:
    """Restore a report from the trash."""

    def work() -> None:
        if queries.current_storage().restore_report(report_id, actor=person.require_name()):
            layout.queue_notice("Report restored.")

    return run_action(work)


def import_bundle(bundle: Bundle) -> BundlePreview | None:
    """Merge a bundle into the team's records; return what that changed, or None on an error."""
    merged: list[BundlePreview] = []

    def work() -> None:
        merged.append(bundles.import_bundle(queries.current_storage(), bundle, actor=person.require_name()))
        queries.forget_moment()
        preview = merged[0]
        if preview.changes_nothing:
            layout.queue_notice("Everything in this bundle is here already, or newer here; nothing changed.")
            return
        written = (MergeState.NEW, MergeState.CHANGED)
        reports = format_count(preview.count(*written, kind=RecordKind.REPORT), "report")
        comments = format_count(preview.count(*written, kind=RecordKind.ANNOTATION), "comment")
        decisions = format_count(preview.count(*written, kind=RecordKind.TRIAGE), "decision")
        incidents = preview.count(*written, kind=RecordKind.INCIDENT)
        trashed = preview.deletions[DeletionState.TRASHED]
        layout.queue_notice(
            f"Imported {_join_with_incidents([reports, comments, decisions], incidents)}."
            + (f" {format_count(trashed, 'record')} moved to the trash." if trashed else ""),
            undo=lambda: _undo_imported_bundle(preview.bundle_id),
        )

    return merged[0] if run_action(work, "import") else None


def _join_with_incidents(parts: list[str], incidents: int) -> str:
    parts = [*parts, format_count(incidents, "incident")] if incidents else parts
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _undo_imported_bundle(bundle_id: str) -> None:
    if undo_bundle(bundle_id):
        layout.queue_navigation(layout.REPORTS)


def undo_bundle(bundle_id: str) -> bool:
    """Take back the import of a bundle."""

    def work() -> None:
        undo = undoing.undo_bundle(queries.current_storage(), bundle_id, actor=person.require_name())
        queries.forget_moment()
        if undo is None:
            layout.queue_notice("The import is undone already.")
            return
        kept = ""
        if undo.kept:
            kept = f" Changed since, and left as they are: {format_count(undo.kept, 'record')}."
        reports = format_count(undo.reports, "report")
        comments = format_count(undo.annotations, "comment")
        decisions = format_count(undo.triage, "decision")
        undone = _join_with_incidents([reports, comments, decisions], undo.incidents)
        layout.queue_notice(f"Undone: {undone}.{kept}")

    return run_action(work)


def import_runs(
    runs: Sequence[ReadRun], columns: Sequence[str] = (), mapping: Mapping[str, str] | None = None
) -> list[ImportPreview] | None:
    """Save results of another tool as reports; return what that changed, or None on an error.

    Args:
        runs: The results.
        columns: The columns of the table that they were read from, if it was read with a mapping.
        mapping: That mapping, to remember it for tables with the same columns.
    """
    saved: list[ImportPreview] = []

    def work() -> None:
        if mapping is not None:
            queries.current_storage().imports.save_mapping(columns, mapping, actor=person.require_name())
        saved.extend(queries.current_storage().imports.save(runs, author=person.require_name()))
        added = [each.report_id for each in saved if not each.is_saved]
        count = sum(each.findings for each in saved if not each.is_saved)
        if added:
            text = f"Imported {format_count(count, 'finding')}."
            layout.queue_notice(text, undo=lambda: _undo_import(added))
        else:
            layout.queue_notice("These results were imported before; nothing changed.")

    return saved if run_action(work, "import") else None


def _undo_import(report_ids: Sequence[str]) -> None:
    def work() -> None:
        for report_id in report_ids:
            queries.current_storage().delete_report(report_id, actor=person.require_name())
        layout.queue_notice(f"Undone: {format_count(len(report_ids), 'report')} moved to the trash.")
        layout.queue_navigation(layout.REPORTS)

    run_action(work)


def _discard_result(_: object) -> None:
    return None


def save_inspection(
    findings: Sequence[GhostFinding],
    title: str,
    dataset: str,
    tags: Sequence[str],
    note: str,
    coverage: dict[str, Any],
    evidence: Evidence,
    with_samples: bool,
    file: str,
    source: str,
    reading: Mapping[str, Any] | None = None,
    row_key: Sequence[str] | None = None,
) -> str | None:
    """Save the findings of an inspection as a new report; return its id, or None on an error.

    Args:
        findings: All findings, with their row positions.
        title, dataset, tags, note, file, source: What the report says of itself.
        coverage: The checks that ran.
        evidence: The evidence, not masked, with the samples by the positions of the findings.
        with_samples: Whether to keep values of the table; the settings can forbid it.
        reading: The settings to store for the next files of the dataset; None to leave them unchanged.
        row_key: The row key to store for them; None to leave it unchanged.
    """
    report_id = f"r-{uuid.uuid4().hex[:12]}"

    def work() -> None:
        if not title.strip() or not dataset.strip():
            raise InvalidInputError("A report needs a title and a dataset.")
        settings = load_settings()
        settings = replace(settings, evidence_samples=settings.evidence_samples and with_samples)
        metadata: dict[str, Any] = {
            "dataset": dataset.strip(),
            "tags": list(tags),
            "coverage": prepare_coverage(coverage, settings),
            "file": file,
        }
        if source:
            metadata["source"] = source
        if note.strip():
            metadata["note"] = note.strip()
        named = [replace(f, metadata={**f.metadata, "dataset": dataset.strip()}) for f in findings]
        ids = [get_finding_id(finding) for finding in named]
        # First, so that no report is saved if somebody else changes the settings at the same time.
        dataset_settings = queries.current_storage().dataset_settings
        if reading is not None:
            dataset_settings.save(dataset.strip(), "reading", reading, actor=person.require_name())
        if row_key is not None:
            dataset_settings.save_row_key(dataset.strip(), row_key, actor=person.require_name())
        queries.current_storage().save_report(
            ShareableReport(
                id=report_id,
                title=title.strip(),
                author=person.require_name(),
                created_at=clock.now(),
                findings=prepare_findings(named, settings),
                metadata=metadata,
            ),
            evidence=prepare_evidence(evidence, settings).named(ids),
        )

    return report_id if run_action(work, "save") else None


def save_hidden_columns(names: Sequence[str]) -> bool:
    """Save the columns that the user hides in the list of findings; return whether they were saved."""

    def work() -> None:
        name = person.require_name()
        queries.current_storage().people.save(name, hidden_columns=names, actor=name)

    return run_action(work)
