"""Every write of the screens. Each says what came of it in one notice and never raises what it foresees."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lavendertown import clock
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.triage import CLOSED, Decision
from lavendertown.errors import ConflictError, InvalidInputError, LavenderTownError, NotFoundError
from lavendertown.models import GhostFinding
from lavendertown.ui import problems, reads
from lavendertown.ui.components import frame, person, words

FORM = "form"
"""Where the sentences about a comment are shown: above the form it was typed into."""


@dataclass(frozen=True)
class Draft:
    """What somebody wrote in the form under a thread.

    Attributes:
        finding_id: The finding it is about.
        comment: Markdown.
        tags: Tags for the finding.
        status: The new status; None keeps it.
        seen_status: The finding's status on the writer's screen.
    """

    finding_id: str
    comment: str
    tags: tuple[str, ...]
    status: str | None
    seen_status: str


def attempt(work: Callable[[], None], place: str = "page") -> bool:
    """Do some work; on an error leave its sentence for the next page and return False.

    Args:
        work: What to do.
        place: Where on the page the sentence belongs.
    """
    try:
        work()
    except ConflictError as error:
        frame.say(f"**Not saved: {_who_changed(error)}**", "conflict", place=place)
    except LavenderTownError as error:
        frame.say(f"**Not saved.** {problems.sentence(error)[0]}", "problem", place=place)
    else:
        return True
    return False


def _who_changed(error: ConflictError) -> str:
    """Say who was faster and what to do now; the audit log knows where the error does not."""
    if error.kind == "finding" and error.stored_version is None:
        return str(error)
    last = reads.last_change(error.kind, error.record_id)
    if last is None:
        return str(error)
    done = "deleted" if last["operation"] == "delete" else "changed"
    thing = {"annotation": "comment", "finding": "finding"}.get(error.kind, "report")
    who = f"{words.plain(last['actor'])} {done} this {thing} {words.ago(last['at'])}."
    return who if done == "deleted" else f"{who} Look at it, then save again to put yours on top."


def annotate(draft: Draft) -> bool:
    """Add a comment, tags and a status to a finding; say whether it was saved.

    Refused, with what was typed kept, when somebody else changed the finding's status since this
    page was drawn and the draft would set it too.
    """

    def work() -> None:
        if not draft.comment.strip() and not draft.tags and not draft.status:
            raise InvalidInputError("Write a comment, pick a tag or choose a status.")
        if draft.status:
            _refuse_unseen(draft)
        comment = draft.comment.strip()
        if draft.status in CLOSED and not comment:
            raise InvalidInputError("Closing a finding needs a reason; say in the comment why.")
        decision = Decision(draft.status, comment if draft.status in CLOSED else None, comment, draft.tags)
        reads.storage().decide(draft.finding_id, decision, actor=person.me())

    return attempt(work, FORM)


def _refuse_unseen(draft: Draft) -> None:
    """Raise where the finding's status is no longer the one on the writer's screen."""
    last = next((a for a in reversed(reads.discussion(draft.finding_id)) if a.status), None)
    if last is None or last.status == draft.seen_status or last.author == person.me():
        return
    raise ConflictError(
        f"{words.plain(last.author)} set this finding to {words.status_name(last.status or '')} "
        f"{words.ago(last.timestamp)}. What you typed is kept; send it again to set your status.",
        kind="finding",
        record_id=draft.finding_id,
        changed_by=last.author,
    )


def edit_comment(annotation: Annotation, comment: str) -> bool:
    """Change the text of one's own comment, unless it changed elsewhere meanwhile."""

    def work() -> None:
        _own(annotation)
        if not comment.strip() and not annotation.tags and not annotation.status:
            raise InvalidInputError("The comment would be empty; delete it instead.")
        reads.storage().save_annotation(replace(annotation, comment=comment.strip()), actor=person.me())

    return attempt(work, FORM + annotation.id)


def delete_comment(annotation: Annotation) -> bool:
    """Delete one's own comment, with a way back."""

    def work() -> None:
        _own(annotation)
        reads.storage().delete_annotation(annotation.id, actor=person.me())
        frame.say("Comment deleted.", undo=lambda: restore_comment(annotation.id))

    return attempt(work, FORM)


def restore_comment(annotation_id: str) -> None:
    """Bring a deleted comment back."""
    attempt(lambda: _ignore(reads.storage().restore_annotation(annotation_id, actor=person.me())))


def _own(annotation: Annotation) -> None:
    if annotation.author != person.me():
        raise InvalidInputError(f"This comment is {annotation.author}'s; you can change your own.")


def change_report(report_id: str, version: int, change: Callable[[ShareableReport], None]) -> bool:
    """Change a report that was on the screen in this version; say whether it was saved."""

    def work() -> None:
        storage = reads.storage()
        report = storage.load_report(report_id)
        if report is None:
            raise NotFoundError(f"No report {report_id!r}; it may have been deleted meanwhile.")
        report.version = version
        report.annotations = []
        change(report)
        storage.save_report(report, actor=person.me())

    return attempt(work)


def rename(report_id: str, version: int, title: str) -> bool:
    """Give a report another title."""
    if not title.strip():
        frame.say("**Not saved.** A report needs a title.", "problem")
        return False

    def change(report: ShareableReport) -> None:
        report.title = title.strip()

    return change_report(report_id, version, change)


def retag(report_id: str, version: int, tags: Sequence[str]) -> bool:
    """Give a report other tags."""

    def change(report: ShareableReport) -> None:
        report.metadata["tags"] = list(tags)

    return change_report(report_id, version, change)


def delete_report(report_id: str, title: str) -> bool:
    """Put a report into the trash, with a way back."""

    def work() -> None:
        if not reads.storage().delete_report(report_id, actor=person.me()):
            raise NotFoundError(f"No report {report_id!r}; it may have been deleted meanwhile.")
        frame.say(f"Deleted **{words.plain(title)}**.", undo=lambda: _restore(report_id))

    return attempt(work)


def _restore(report_id: str) -> None:
    restore_report(report_id)


def restore_report(report_id: str) -> bool:
    """Take a report out of the trash."""

    def work() -> None:
        if reads.storage().restore_report(report_id, actor=person.me()):
            frame.say("The report is back.")

    return attempt(work)


def _ignore(_: object) -> None:
    return None


def save_inspection(
    findings: Sequence[GhostFinding],
    title: str,
    dataset: str,
    tags: Sequence[str],
    note: str,
    coverage: dict[str, Any],
) -> str | None:
    """Save what an inspection found as a new report; return its id, None when it was refused."""
    report_id = f"r-{uuid.uuid4().hex[:12]}"

    def work() -> None:
        if not title.strip() or not dataset.strip():
            raise InvalidInputError("A report needs a title and a dataset.")
        metadata: dict[str, Any] = {
            "dataset": dataset.strip(),
            "tags": list(tags),
            "coverage": coverage,
        }
        if note.strip():
            metadata["note"] = note.strip()
        own = [replace(f, metadata={**f.metadata, "dataset": dataset.strip()}) for f in findings]
        reads.storage().save_report(
            ShareableReport(
                id=report_id,
                title=title.strip(),
                author=person.me(),
                created_at=clock.now(),
                findings=own,
                metadata=metadata,
            )
        )

    return report_id if attempt(work, "save") else None
