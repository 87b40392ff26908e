"""Worklists: failing rows that were given out to people as files, and the answers that came back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lavendertown.collaboration.conflict_retries import retry_on_conflict
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.findings import Findings
from lavendertown.collaboration.parts.triage import Triage
from lavendertown.collaboration.parts.worklist_answers import (
    AnswerConflict,
    AnswersPreview,
    SavedAnswers,
    StoredAnswer,
)
from lavendertown.core import clock, statuses
from lavendertown.core.errors import DamagedRecordError, InvalidInputError, NotFoundError
from lavendertown.core.findings import GhostFinding
from lavendertown.interchange.worklists.answers import FilledRows, RowAnswer, RowProblem
from lavendertown.interchange.worklists.worklist_file import CANNOT, DONE, FindingRows, Worklist
from lavendertown.records import validation
from lavendertown.records.queries import DeletedFilter, FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind, WorklistRecord
from lavendertown.records.validation import MAX_WORKLIST_ROWS, check_worklist
from lavendertown.records.write_path import SaveRecord

_NO_ROW = "The worklist has no such row. Copy the row id from the original file."


_Cell = tuple[str, str, int]
"""A report, a finding by its current id, and a position: what an answer is about, in any worklist."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a stored worklist: what it is about, its number as the source counts it, and its key."""

    cell: _Cell
    row: int
    key: str


@dataclass(frozen=True, slots=True)
class _LoadedWorklist:
    """A stored worklist with its rows and answers by their numbers."""

    record: WorklistRecord
    rows: Mapping[int, _Row]
    answers: Mapping[int, StoredAnswer]


class Worklists(StoragePart):
    """The worklists of a storage.

    A row of a finding counts as answered if it is in any live worklist of the report; of several answers, the
    latest counts.
    """

    def __init__(self, context: StorageContext, findings: Findings, triage: Triage) -> None:
        super().__init__(context)
        self._findings = findings
        self._triage = triage

    def choose_findings(
        self, report_id: str, finding_ids: Iterable[str] = (), first: int | None = None
    ) -> list[tuple[str, GhostFinding]]:
        """Return findings of a report with the positions of their rows, for a worklist.

        Args:
            report_id: The report.
            finding_ids: Current or old ids; by default all open findings whose rows are known.
            first: The maximum number of rows of each; None for all.

        Raises:
            NotFoundError: There is no such live report, or it does not have one of the findings.
            InvalidInputError: The rows of a finding are not known, no finding is left, or there are too many
                rows.
        """
        report = self._context.read_record(RecordKind.REPORT, report_id)
        if report is None or report.deleted_at is not None:
            raise NotFoundError(
                f"There is no report {report_id[:200]!r}. List them with `lavendertown report list`."
            )
        listed = self._findings.query(report_id, limit=None)
        wanted = {self._context.resolve_finding(name): name for name in finding_ids}
        for current, name in wanted.items():
            if not any(row["finding_id"] == current for row in listed):
                raise NotFoundError(f"The report {report_id!r} has no finding {name[:200]!r}.")
        chosen: list[tuple[str, GhostFinding]] = []
        for row in listed:
            if row["finding_id"] not in wanted if wanted else statuses.is_closed(row["status"]):
                continue
            positions = self._findings.load_rows(report_id, row["position"], first)
            if positions:
                chosen.append((row["finding_id"], _to_finding(row, positions)))
            elif wanted:
                raise InvalidInputError(
                    f"Which rows are affected is not recorded for the finding: {row['description']}"
                )
        if not chosen:
            raise InvalidInputError(
                f"The report {report_id!r} has no open finding whose rows are recorded; choose findings by "
                "their ids."
            )
        self._refuse_too_many(chosen)
        return chosen

    def create(self, report_id: str, findings: Sequence[FindingRows], *, actor: str) -> list[Worklist]:
        """Store a worklist for each assignee of these findings, and one for unassigned findings.

        Args:
            report_id: The report that the findings are in.
            findings: The findings with their rows.
            actor: Who gives the rows out.

        Raises:
            InvalidInputError: There are no rows, or too many.
        """
        by_owner: dict[str, list[FindingRows]] = defaultdict(list)
        owners = self._find_owners([each.finding_id for each in findings])
        for owner, each in zip(owners, findings, strict=True):
            by_owner[owner].append(each)
        if not any(each.positions for each in findings):
            raise InvalidInputError("The findings have no rows to give out; choose others.")
        made = [
            Worklist(f"w-{uuid.uuid4().hex[:12]}", owner, tuple(rows))
            for owner, rows in sorted(by_owner.items())
        ]
        now = clock.now()
        self._context.write_path.commit(
            [SaveRecord(_to_record(each, report_id, actor, now), 0, actor) for each in made]
        )
        return made

    def find(self, worklist_id: str) -> dict[str, Any] | None:
        """Return a worklist as :meth:`query` lists it, a deleted one too, or None."""
        record = self._context.read_record(RecordKind.WORKLIST, worklist_id)
        return _to_row(record) if isinstance(record, WorklistRecord) else None

    def query(self, report_id: str | None = None) -> list[dict[str, Any]]:
        """List the live worklists, of one report or all, the newest first.

        Returns:
            Dictionaries with id, report_id, dataset, owner, created_by, created_at, updated_at, version,
            deleted_at, row_count, done_count, cannot_count, last_read_by and last_read_at (empty and None if
            there is nothing to undo).
        """
        if report_id is not None and not validation.is_valid_id(report_id):
            return []
        rows = [_to_row(each) for each in self._read_records(report_id or "")]
        return sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)

    def count_answers(self, report_id: str) -> dict[str, dict[str, Any]]:
        """Return how many rows of the findings of a report are answered, by the current id of the finding.

        Returns:
            Only findings with rows in a worklist. Each is a dictionary with row_count, answered_count,
            done_count, cannot_count, and reasons: a list of dictionaries with row (as the source counts),
            key, answer, reason, by and at, for the answers that have a reason.
        """
        if not validation.is_valid_id(report_id):
            return {}
        worklists = self._load(self._read_records(report_id))
        answers = _latest_answers(worklists)
        counts: dict[str, dict[str, Any]] = {}
        for row in {row.cell: row for each in worklists for row in each.rows.values()}.values():
            of = counts.setdefault(
                row.cell[1],
                {"row_count": 0, "answered_count": 0, "done_count": 0, "cannot_count": 0, "reasons": []},
            )
            of["row_count"] += 1
            if row.cell in answers:
                named, answer = answers[row.cell]
                of["answered_count"] += 1
                of[f"{answer.answer}_count"] += 1
                if answer.reason:
                    of["reasons"].append({"row": named.row, "key": named.key, **asdict(answer)})
        for of in counts.values():
            of["reasons"].sort(key=lambda each: each["row"])
        return counts

    def preview(self, filled: FilledRows, *, author: str) -> AnswersPreview:
        """Return what reading filled files would change; nothing is written.

        Args:
            filled: The content of the files.
            author: Who reads them.

        Raises:
            NotFoundError: No worklist of this store has rows in the files.
        """
        return self._compare(filled, author)[0]

    def save_answers(self, filled: FilledRows, *, author: str, overwrite: bool = False) -> SavedAnswers:
        """Store the answers in filled files.

        Args:
            filled: The content of the files.
            author: Who reads them.
            overwrite: Whether to replace different answers that colleagues stored.

        Raises:
            NotFoundError: No worklist of this store has rows in the files.
            ConflictError: Others keep changing the same worklists.
        """

        def save_once() -> SavedAnswers:
            preview, records = self._compare(filled, author)
            overwritten = [each.answer for each in preview.conflicts] if overwrite else []
            answers = [*preview.changes, *overwritten]
            if not answers:
                return SavedAnswers(preview)
            versions = self._write(answers, records, author)
            return SavedAnswers(preview, len(answers), len(overwritten), versions)

        return retry_on_conflict(save_once)

    def undo(self, versions: Mapping[str, int | None], *, actor: str) -> int:
        """Undo the last reading of a filled file; return the number of answers that it changed.

        Args:
            versions: The worklists, with the versions after the reading. A worklist that was changed since
                stays as it is. With None, any version is undone.
            actor: Who undoes it.

        Raises:
            NotFoundError: There is no such live worklist.
            ConflictError: Somebody else changes a worklist at the same time.
        """
        changes, count = [], 0
        for worklist_id, version in versions.items():
            record = self._require(worklist_id)
            former = record.last_read.get("former")
            if not former or version not in (None, record.version):
                continue
            merged = {**record.answers, **former}
            answers = {number: each for number, each in merged.items() if each is not None}
            changes.append(
                SaveRecord(_with_answers(record, answers, {}), record.version, actor, from_store=True)
            )
            count += len(former)
        self._context.write_path.commit(changes)
        return count

    def delete(self, worklist_id: str, *, actor: str | None = None) -> bool:
        """Move a worklist with its answers to the trash; return False if it does not exist."""
        return self._context.delete_record(RecordKind.WORKLIST, worklist_id, actor)

    def undo_create(self, versions: Mapping[str, int], *, actor: str) -> int:
        """Move new worklists to the trash; return how many were moved.

        Args:
            versions: The worklists, with their versions. One that was changed since stays.
            actor: Who moves them.
        """
        return self._context.delete_versions(RecordKind.WORKLIST, versions, actor)

    def restore(self, worklist_id: str, *, actor: str | None = None) -> bool:
        """Restore a worklist from the trash; return False if it was not there."""
        return self._context.restore_record(RecordKind.WORKLIST, worklist_id, actor)

    def _find_owners(self, finding_ids: Sequence[str]) -> list[str]:
        """Return the assignee of each finding, empty if it has none."""
        names = [self._context.resolve_finding(name) for name in finding_ids]
        triage = self._triage.read_records(names)
        return [triage[name].assignee if name in triage else "" for name in names]

    def _refuse_too_many(self, chosen: Sequence[tuple[str, GhostFinding]]) -> None:
        owners = self._find_owners([name for name, _ in chosen])
        counts: Counter[str] = Counter()
        for owner, (_, finding) in zip(owners, chosen, strict=True):
            counts[owner] += len(finding.row_indices or ())
        owner, count = counts.most_common(1)[0]
        if count > MAX_WORKLIST_ROWS:
            whose = f"findings of {owner}" if owner else "unassigned findings"
            raise InvalidInputError(
                f"The {whose} have {count:,} rows; a worklist can have at most {MAX_WORKLIST_ROWS:,}. Choose "
                "fewer findings, or only the first rows of each."
            )

    def _compare(self, filled: FilledRows, author: str) -> tuple[AnswersPreview, dict[str, WorklistRecord]]:
        records, problems = self._read_named(filled)
        report_ids = {record.report_id for record in records.values()}
        worklists = self._load([each for name in report_ids for each in self._read_records(name)])
        stored = _latest_answers(worklists)
        rows = {
            (each.record.id, number): row
            for each in worklists
            if each.record.id in records
            for number, row in each.rows.items()
        }
        changes: list[RowAnswer] = []
        conflicts: list[AnswerConflict] = []
        unchanged = 0
        for answer in filled.answers:
            row = rows.get(answer.key)
            if row is None:
                if answer.worklist_id in records:
                    problems.append(RowProblem(answer.place, _NO_ROW))
                continue
            _, known = stored.get(row.cell, (None, None))
            if known is not None and answer.content == (known.answer, known.reason):
                unchanged += 1
            elif known is None or known.by == author:
                changes.append(answer)
            else:
                conflicts.append(AnswerConflict(answer, known, row.row, row.key))
        answered = {answer.key for answer in filled.answers}
        open_count = sum(key not in answered and row.cell not in stored for key, row in rows.items())
        return (
            AnswersPreview(
                tuple(changes), unchanged, tuple(conflicts), tuple(problems), open_count, tuple(records)
            ),
            records,
        )

    def _read_named(self, filled: FilledRows) -> tuple[dict[str, WorklistRecord], list[RowProblem]]:
        """Return the live worklists that files name, and the problems, one for each other worklist."""
        problems = list(filled.problems)
        counts = Counter(worklist_id for worklist_id, _ in filled.rows)
        records: dict[str, WorklistRecord] = {}
        for worklist_id in sorted(counts):
            try:
                records[worklist_id] = self._require(worklist_id)
            except NotFoundError as error:
                rows = f"{counts[worklist_id]:,} row{'' if counts[worklist_id] == 1 else 's'}"
                problems.append(RowProblem(rows, str(error)))
        if counts and not records:
            raise NotFoundError(problems[-1].text)
        return records, problems

    def _write(
        self, answers: Sequence[RowAnswer], records: Mapping[str, WorklistRecord], author: str
    ) -> dict[str, int]:
        """Store answers in their worklists in one unit of work; return the versions after it."""
        now = clock.now().isoformat()
        by_worklist: dict[str, dict[str, Any]] = defaultdict(dict)
        for answer in answers:
            by_worklist[answer.worklist_id][str(answer.number)] = {
                "answer": answer.answer,
                "reason": answer.reason,
                "by": author,
                "at": now,
            }
        changes = []
        for worklist_id, added in by_worklist.items():
            record = records[worklist_id]
            former = {number: record.answers.get(number) for number in added}
            last_read = {"by": author, "at": now, "former": former}
            changed = _with_answers(record, {**record.answers, **added}, last_read)
            changes.append(SaveRecord(changed, record.version, author))
        return {each.id: each.version for each in self._context.write_path.commit(changes)}

    def _read_records(self, report_id: str = "") -> list[WorklistRecord]:
        query = FlatRecordQuery(RecordKind.WORKLIST, deleted=DeletedFilter.HIDDEN, report_id=report_id)
        found = self._context.store.scan(query, ALL_ITEMS)
        return [record for record in found if isinstance(record, WorklistRecord)]

    def _require(self, worklist_id: str) -> WorklistRecord:
        record = self._context.read_record(RecordKind.WORKLIST, worklist_id)
        if not isinstance(record, WorklistRecord):
            raise NotFoundError(
                f"There is no worklist {worklist_id[:200]!r} in this store. Read the file where it was made."
            )
        if record.deleted_at is not None:
            raise NotFoundError(f"The worklist {worklist_id!r} was deleted; restore it from the trash.")
        return record

    def _load(self, records: Sequence[WorklistRecord]) -> list[_LoadedWorklist]:
        current: dict[str, str] = {}
        return [self._load_one(record, current) for record in records]

    def _load_one(self, record: WorklistRecord, current: dict[str, str]) -> _LoadedWorklist:
        """Return a worklist with its rows; ``current`` keeps the current ids of findings.

        Raises:
            DamagedRecordError: The record was changed outside of LavenderTown.
        """
        try:
            check_worklist(record)
        except InvalidInputError as error:
            raise DamagedRecordError(f"{error} Restore it from a backup, or delete it.") from error
        rows: dict[int, _Row] = {}
        for entry in record.findings:
            name = entry["finding_id"]
            if name not in current:
                current[name] = self._context.resolve_finding(name)
            for position, key in zip(entry["positions"], entry["keys"], strict=True):
                cell = record.report_id, current[name], position
                rows[len(rows) + 1] = _Row(cell, position + entry["first_row"], key)
        answers = {
            int(number): StoredAnswer(
                each["answer"], each["reason"], each["by"], clock.parse_time(each["at"])
            )
            for number, each in record.answers.items()
        }
        return _LoadedWorklist(record, rows, answers)


def _to_finding(row: Mapping[str, Any], positions: list[int]) -> GhostFinding:
    return GhostFinding(
        row["ghost_type"],
        row["column"],
        row["severity"],
        row["description"],
        positions,
        dict(row["metadata"]),
    )


def _to_record(worklist: Worklist, report_id: str, actor: str, now: dt.datetime) -> WorklistRecord:
    entries = tuple(
        {
            "finding_id": each.finding_id,
            "first_row": each.first_row,
            "positions": list(each.positions),
            "keys": list(each.stored_keys) or [""] * len(each.positions),
        }
        for each in worklist.findings
    )
    return WorklistRecord(
        worklist.id,
        report_id,
        worklist.findings[0].dataset,
        worklist.owner,
        actor,
        now,
        worklist.row_count,
        0,
        0,
        entries,
        {},
        {},
        clock.EPOCH,
    )


def _with_answers(
    record: WorklistRecord, answers: Mapping[str, Any], last_read: Mapping[str, Any]
) -> WorklistRecord:
    counts = Counter(each["answer"] for each in answers.values())
    return replace(
        record,
        answers=dict(answers),
        last_read=dict(last_read),
        done_count=counts[DONE],
        cannot_count=counts[CANNOT],
    )


def _to_row(record: WorklistRecord) -> dict[str, Any]:
    read_at = record.last_read.get("at")
    return {
        "id": record.id,
        "report_id": record.report_id,
        "dataset": record.dataset,
        "owner": record.owner,
        "created_by": record.created_by,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "version": record.version,
        "deleted_at": record.deleted_at,
        "row_count": record.row_count,
        "done_count": record.done_count,
        "cannot_count": record.cannot_count,
        "last_read_by": record.last_read.get("by", ""),
        "last_read_at": clock.parse_time(read_at) if read_at else None,
    }


def _latest_answers(worklists: Iterable[_LoadedWorklist]) -> dict[_Cell, tuple[_Row, StoredAnswer]]:
    """Return the latest answer for each row in these worklists, with the row as its worklist names it."""
    latest: dict[_Cell, tuple[_Row, StoredAnswer]] = {}
    for worklist in worklists:
        for number, answer in worklist.answers.items():
            row = worklist.rows[number]
            if row.cell not in latest or latest[row.cell][1].at < answer.at:
                latest[row.cell] = row, answer
    return latest
