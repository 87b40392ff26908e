"""Worklists over RPC: give failing rows out as files, and read the answers back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lavendertown.collaboration.parts.worklist_answers import AnswerConflict, SavedAnswers
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.paging import PAGING, next_page_token, read_page
from lavendertown.rpc.protocol.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role
from lavendertown.rpc.team.collaboration_messages import row_values
from lavendertown.rpc.team.files import FILE, check_file, check_files
from lavendertown.rpc.team.records import FindStorage
from lavendertown.rpc.team.worklists import (
    MAX_FILLED_FILES,
    collect_report_rows,
    read_filled_files,
    write_file,
)

_ACTOR = FieldSpec("actor", "string", comment="For whom the caller acts.")
_ID = FieldSpec("worklist_id", "string")
_EXAMPLE = "worklist.xlsx"
_WORKLIST = MessageSpec(
    "Worklist",
    (
        *(FieldSpec(name, "string") for name in ("id", "report_id", "dataset")),
        FieldSpec("owner", "string", comment="Empty for the rows of unassigned findings."),
        *(FieldSpec(name, "int32") for name in ("row_count", "done_count", "cannot_count")),
        FieldSpec("created_by", "string"),
        *(FieldSpec(name, "timestamp") for name in ("created_at", "updated_at", "deleted_at")),
        FieldSpec("last_read_by", "string", comment="Empty if there is nothing to undo."),
        FieldSpec("last_read_at", "timestamp"),
        FieldSpec("version", "int32"),
    ),
    comment="Rows of a report that one person got as a file.",
)
_NEW_WORKLIST = MessageSpec(
    "WorklistFile",
    (
        *(FieldSpec(name, "string") for name in ("id", "owner")),
        FieldSpec("row_count", "int32"),
        FieldSpec("file", FILE.name, comment="An Excel file."),
    ),
)
_ANSWER = MessageSpec(
    "WorklistAnswer",
    (
        FieldSpec("worklist_id", "string"),
        FieldSpec("place", "string", comment="Where it was read: the file and the row."),
        FieldSpec("answer", "string", comment="done or cannot."),
        FieldSpec("reason", "string"),
    ),
)
_CONFLICT = MessageSpec(
    "WorklistConflict",
    (
        FieldSpec("answer", _ANSWER.name),
        FieldSpec("row", "int64", comment="As the source counts it."),
        FieldSpec("key", "string"),
        *(FieldSpec(name, "string") for name in ("stored_answer", "stored_reason", "stored_by")),
        FieldSpec("stored_at", "timestamp"),
    ),
    comment="An answer that differs from the one that a colleague stored.",
)
_PROBLEM = MessageSpec(
    "WorklistProblem",
    (FieldSpec("place", "string"), FieldSpec("problem", "string")),
    comment="A row whose answer cannot be taken.",
)
_VERSION = MessageSpec("WorklistVersion", (_ID, FieldSpec("version", "int32")))


def worklist_methods(find_storage: FindStorage) -> Iterable[MethodSpec]:
    """Yield the methods about worklists.

    Args:
        find_storage: Returns the storage; called with each request.
    """
    service = _WorklistService(find_storage)
    yield MethodSpec(
        "QueryWorklists",
        MessageSpec(
            "QueryWorklistsRequest", (FieldSpec("report_id", "string", comment="Empty for all."), *PAGING)
        ),
        MessageSpec(
            "QueryWorklistsResponse",
            (
                FieldSpec("worklists", _WORKLIST.name, repeated=True),
                FieldSpec("next_page_token", "string", comment="Empty at the end."),
                FieldSpec("total", "int64", comment="How many match."),
            ),
        ),
        service.query,
        is_read=True,
        messages=(_WORKLIST,),
        comment="List worklists with their answers, the newest first.",
    )
    yield MethodSpec(
        "CreateWorklists",
        MessageSpec(
            "CreateWorklistsRequest",
            (
                FieldSpec("report_id", "string"),
                FieldSpec("file", FILE.name, comment="The file that the report was made of."),
                FieldSpec("finding_ids", "string", repeated=True, comment="All open ones by default."),
                FieldSpec("key", "string", repeated=True, comment="Columns; those of the report by default."),
                FieldSpec("first", "int32", comment="The first rows of each finding; 0 for all."),
                FieldSpec("table", "string", comment="The table to read of several."),
                _ACTOR,
            ),
        ),
        MessageSpec("CreateWorklistsResponse", (FieldSpec("worklists", _NEW_WORKLIST.name, repeated=True),)),
        service.create,
        role=Role.WRITER,
        is_large=True,
        messages=(FILE, _NEW_WORKLIST),
        comment="Give the failing rows of a report out, one file for each assignee.",
    )
    yield MethodSpec(
        "ReadWorklists",
        MessageSpec(
            "ReadWorklistsRequest",
            (
                FieldSpec("files", FILE.name, repeated=True, comment="Filled ones: Excel or CSV."),
                FieldSpec("dry_run", "bool", comment="Only say what would be stored."),
                FieldSpec("overwrite", "bool", comment="Replace different answers of colleagues."),
                _ACTOR,
            ),
        ),
        MessageSpec(
            "ReadWorklistsResponse",
            (
                FieldSpec("dry_run", "bool"),
                FieldSpec("saved", "int32"),
                FieldSpec("overwritten", "int32", comment="How many of them replaced one of a colleague."),
                FieldSpec("unchanged", "int32", comment="Answers that were stored before."),
                FieldSpec("open_count", "int32", comment="Rows without an answer."),
                FieldSpec("changes", _ANSWER.name, repeated=True, comment="New or changed answers."),
                FieldSpec("conflicts", _CONFLICT.name, repeated=True, comment="Not stored, or overwritten."),
                FieldSpec("problems", _PROBLEM.name, repeated=True),
                FieldSpec("worklists", _VERSION.name, repeated=True, comment="For UndoWorklists."),
            ),
        ),
        service.read,
        role=Role.WRITER,
        is_large=True,
        messages=(FILE, _ANSWER, _CONFLICT, _PROBLEM, _VERSION),
        comment="Store the answers in filled files.",
    )
    yield MethodSpec(
        "UndoWorklists",
        MessageSpec("UndoWorklistsRequest", (FieldSpec("worklists", _VERSION.name, repeated=True), _ACTOR)),
        MessageSpec("UndoWorklistsResponse", (FieldSpec("undone", "int32", comment="Number of answers."),)),
        service.undo,
        role=Role.WRITER,
        messages=(_VERSION,),
        comment="Take back the last reading; a worklist that was changed since stays as it is.",
    )
    for name, handler in (("DeleteWorklist", service.delete), ("RestoreWorklist", service.restore)):
        yield MethodSpec(
            name,
            MessageSpec(f"{name}Request", (_ID, _ACTOR)),
            MessageSpec(f"{name}Response", (FieldSpec("worklist", _WORKLIST.name),)),
            handler,
            role=Role.WRITER,
            messages=(_WORKLIST,),
        )


class _WorklistService:
    def __init__(self, find_storage: FindStorage) -> None:
        self._storage = find_storage

    def query(self, request: Any, call: Call) -> dict[str, Any]:
        limit, offset = read_page(request)
        found = self._storage().worklists.query(request.report_id or None)
        page = found[offset : offset + limit]
        return {
            "worklists": [row_values(row, _WORKLIST) for row in page],
            "next_page_token": next_page_token(offset + len(page), len(found)),
            "total": len(found),
        }

    def create(self, request: Any, call: Call) -> dict[str, Any]:
        check_file(request, example="orders.csv")
        if request.first < 0:
            raise InvalidInputError(f"The value of first is {request.first}; give 1 or more, or 0 for all.")
        storage = self._storage()
        rows = collect_report_rows(
            storage,
            request.report_id,
            list(request.finding_ids),
            first=request.first or None,
            key=list(request.key),
            content=request.file.content,
            name=request.file.name,
            table=request.table,
        )
        with acting_for(call.on_behalf_of(request.actor)):
            made = storage.worklists.create(request.report_id, rows, actor=call.actor(request.actor))
        return {
            "worklists": [
                {
                    "id": each.id,
                    "owner": each.owner,
                    "row_count": each.row_count,
                    "file": {"name": each.file_name, "content": write_file(each)},
                }
                for each in made
            ]
        }

    def read(self, request: Any, call: Call) -> dict[str, Any]:
        check_files(request.files, example=_EXAMPLE)
        if len(request.files) > MAX_FILLED_FILES:
            raise InvalidInputError(
                f"The request has {len(request.files):,} files; send at most {MAX_FILLED_FILES}."
            )
        filled = read_filled_files([(each.name, each.content) for each in request.files])
        worklists, author = self._storage().worklists, call.actor(request.actor)
        if request.dry_run:
            saved = SavedAnswers(worklists.preview(filled, author=author))
        else:
            with acting_for(call.on_behalf_of(request.actor)):
                saved = worklists.save_answers(filled, author=author, overwrite=request.overwrite)
        return {"dry_run": request.dry_run, **saved_values(saved)}

    def undo(self, request: Any, call: Call) -> dict[str, Any]:
        if not request.worklists:
            raise InvalidInputError(
                "The request has no worklists; send the ones that ReadWorklists returned."
            )
        versions = {each.worklist_id: each.version for each in request.worklists}
        with acting_for(call.on_behalf_of(request.actor)):
            undone = self._storage().worklists.undo(versions, actor=call.actor(request.actor))
        return {"undone": undone}

    def delete(self, request: Any, call: Call) -> dict[str, Any]:
        self._require(request.worklist_id)
        with acting_for(call.on_behalf_of(request.actor)):
            self._storage().worklists.delete(request.worklist_id, actor=call.actor(request.actor))
        return {"worklist": self._require(request.worklist_id)}

    def restore(self, request: Any, call: Call) -> dict[str, Any]:
        self._require(request.worklist_id)
        with acting_for(call.on_behalf_of(request.actor)):
            self._storage().worklists.restore(request.worklist_id, actor=call.actor(request.actor))
        return {"worklist": self._require(request.worklist_id)}

    def _require(self, worklist_id: str) -> dict[str, Any]:
        """Return a worklist, deleted or not."""
        row = self._storage().worklists.find(worklist_id)
        if row is None:
            raise NotFoundError(f"There is no worklist {worklist_id[:200]!r}; QueryWorklists lists the ids.")
        return row_values(row, _WORKLIST)


def saved_values(saved: SavedAnswers) -> dict[str, Any]:
    """Return what reading filled files changed, or would change."""
    preview = saved.preview
    return {
        "saved": saved.saved,
        "overwritten": saved.overwritten,
        "unchanged": preview.unchanged,
        "open_count": preview.open_count,
        "changes": [_answer_values(each) for each in preview.changes],
        "conflicts": [_conflict_values(each) for each in preview.conflicts],
        "problems": [{"place": each.place, "problem": each.text} for each in preview.problems],
        "worklists": [
            {"worklist_id": worklist_id, "version": version}
            for worklist_id, version in saved.versions.items()
        ],
    }


def _answer_values(answer: Any) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in ("worklist_id", "place", "answer", "reason")}


def _conflict_values(conflict: AnswerConflict) -> dict[str, Any]:
    return {
        "answer": _answer_values(conflict.answer),
        "row": conflict.row,
        "key": conflict.row_key,
        "stored_answer": conflict.stored.answer,
        "stored_reason": conflict.stored.reason,
        "stored_by": conflict.stored.by,
        "stored_at": conflict.stored.at,
    }
