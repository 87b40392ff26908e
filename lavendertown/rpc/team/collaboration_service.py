"""The team's records over RPC: reports, comments, statuses, assignments, and the stream of changes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.audit_messages import AUDIT_EVENT, audit_values
from lavendertown.rpc.bundle import RpcBundle
from lavendertown.rpc.protocol.messages import read_time
from lavendertown.rpc.protocol.paging import PAGING, next_page_token, read_page, read_page_size
from lavendertown.rpc.protocol.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role, ServiceSpec
from lavendertown.rpc.shutdown import is_stopping
from lavendertown.rpc.team.bundle_methods import bundle_methods
from lavendertown.rpc.team.collaboration_messages import (
    ANNOTATION,
    FINDING,
    OCCURRENCE,
    REPORT,
    SUMMARY,
    TRIAGED_FINDING,
    annotation_values,
    json_text,
    read_evidence,
    read_report,
    report_values,
    row_values,
)
from lavendertown.rpc.team.import_method import import_method
from lavendertown.rpc.team.incident_methods import incident_methods
from lavendertown.rpc.team.records import ConfiguredStore, FindStorage, decide_findings
from lavendertown.rpc.team.worklist_methods import worklist_methods
from lavendertown.rpc.threads import run_in_thread

COLLABORATION_SERVICE = "CollaborationService"
POLL_SECONDS = 1.0
"""How often a stream looks for changes."""
MAX_STREAMS = 100
"""How many streams a process keeps open at the same time."""
_PAGE = 200
_ACTOR = FieldSpec("actor", "string", comment="For whom the caller acts.")
_TIMES = (FieldSpec("start_date", "timestamp"), FieldSpec("end_date", "timestamp"))
_CHANGE = MessageSpec(
    "Change",
    (
        FieldSpec("event", AUDIT_EVENT.name),
        FieldSpec("cursor", "string", comment="Reading on from here gives each later change once."),
    ),
)
_REPORT_FILTERS = ("author", "dataset", "status", "severity", "tags")
_FINDING_FILTERS = (
    *("finding_id", "author", "dataset", "ghost_type", "column", "severity", "status", "tags"),
)

_INBOX_FILTERS = (
    *("dataset", "ghost_type", "column", "severity", "status", "state", "seen", "attention", "due"),
    *("assignee", "author", "tags"),
)


def build_collaboration_bundle(find_storage: FindStorage | None = None) -> RpcBundle:
    """Return the service over a team's storage.

    Args:
        find_storage: Returns the storage, and is called with each request; by default the configured one,
            which is opened when it is first needed.
    """
    find_storage = find_storage or ConfiguredStore(get_storage_backend)
    service = _Collaboration(find_storage)
    methods = (
        *_report_methods(service),
        *_query_methods(service),
        *_triage_methods(service),
        *_change_methods(service),
        import_method(find_storage),
        *incident_methods(find_storage),
        *worklist_methods(find_storage),
        *bundle_methods(find_storage),
    )
    return RpcBundle((ServiceSpec(COLLABORATION_SERVICE, methods),))


def _report_methods(service: _Collaboration) -> Iterable[MethodSpec]:
    report = FieldSpec("report", REPORT.name)
    parts = (FINDING, ANNOTATION, REPORT)
    yield MethodSpec(
        "SaveReport",
        MessageSpec(
            "SaveReportRequest",
            (
                report,
                _ACTOR,
                FieldSpec(
                    "evidence_json",
                    "string",
                    comment="As GetEvidence returns it; empty to keep what is stored.",
                ),
            ),
        ),
        MessageSpec("SaveReportResponse", (FieldSpec("id", "string"), FieldSpec("version", "int32"))),
        service.save_report,
        role=Role.WRITER,
        is_large=True,
        messages=parts,
    )
    yield MethodSpec(
        "GetReport",
        MessageSpec("GetReportRequest", (FieldSpec("id", "string"),)),
        MessageSpec("GetReportResponse", (report,)),
        service.get_report,
        is_read=True,
        messages=parts,
    )
    yield MethodSpec(
        "GetEvidence",
        MessageSpec("GetEvidenceRequest", (FieldSpec("report_id", "string"),)),
        MessageSpec(
            "GetEvidenceResponse",
            (FieldSpec("evidence_json", "string", comment="Empty if the report has no evidence."),),
        ),
        service.get_evidence,
        is_read=True,
    )


def _query_methods(service: _Collaboration) -> Iterable[MethodSpec]:
    yield _query("QueryReports", "reports", SUMMARY, _REPORT_FILTERS, (), service.query_reports)
    in_report = (FieldSpec("report_id", "string"),)
    yield _query("QueryFindings", "findings", OCCURRENCE, _FINDING_FILTERS, in_report, service.query_findings)
    yield _query(
        "QueryInbox",
        "findings",
        TRIAGED_FINDING,
        _INBOX_FILTERS,
        (
            FieldSpec("needs_attention", "bool", comment="Only those that do, for any reason."),
            FieldSpec("mentions", "string", comment="A person whom their comments or incidents mention."),
        ),
        service.query_inbox,
    )


def _triage_methods(service: _Collaboration) -> Iterable[MethodSpec]:
    yield MethodSpec(
        "Annotate",
        MessageSpec(
            "AnnotateRequest",
            (
                FieldSpec("finding_id", "string"),
                FieldSpec("comment", "string"),
                FieldSpec("tags", "string", repeated=True),
                FieldSpec("status", "string", comment="Sets the finding's status too."),
                _ACTOR,
            ),
        ),
        MessageSpec("AnnotateResponse", (FieldSpec("annotation", ANNOTATION.name),)),
        service.annotate,
        role=Role.WRITER,
        messages=(ANNOTATION,),
    )
    ids = FieldSpec("finding_ids", "string", repeated=True)
    yield MethodSpec(
        "SetStatus",
        MessageSpec(
            "SetStatusRequest",
            (
                ids,
                FieldSpec("status", "string"),
                FieldSpec("reason", "string", comment="Needed by a status that closes a finding."),
                FieldSpec("comment", "string"),
                _ACTOR,
                FieldSpec("accepted_until", "timestamp", comment="With accepted: when that ends."),
                FieldSpec(
                    "ceiling_count", "int64", optional=True, comment="With accepted: up to these rows."
                ),
                FieldSpec("ceiling_share", "double", optional=True, comment="The same as a share, 0 to 1."),
                FieldSpec("has_no_ceiling", "bool", comment="With accepted: whatever its size."),
            ),
        ),
        MessageSpec("SetStatusResponse", (ids,)),
        service.set_status,
        role=Role.WRITER,
    )
    yield MethodSpec(
        "Assign",
        MessageSpec(
            "AssignRequest", (ids, FieldSpec("assignee", "string", comment="Empty for nobody."), _ACTOR)
        ),
        MessageSpec("AssignResponse", (ids,)),
        service.assign,
        role=Role.WRITER,
    )


def _change_methods(service: _Collaboration) -> Iterable[MethodSpec]:
    cursor = FieldSpec("cursor", "string", comment="Empty for the beginning.")
    from_now = FieldSpec("from_now", "bool", comment="Begin with the next change instead.")
    component = FieldSpec("component", "string", repeated=True, comment="Only changes of these components.")
    yield MethodSpec(
        "ListChanges",
        MessageSpec("ListChangesRequest", (cursor, from_now, component, FieldSpec("page_size", "int32"))),
        MessageSpec(
            "ListChangesResponse",
            (FieldSpec("changes", _CHANGE.name, repeated=True), cursor, FieldSpec("has_more", "bool")),
        ),
        service.list_changes,
        is_read=True,
        messages=(_CHANGE, AUDIT_EVENT),
    )
    yield MethodSpec(
        "StreamChanges",
        MessageSpec(
            "StreamChangesRequest",
            (cursor, from_now, component, FieldSpec("stop_at_end", "bool", comment="Do not wait for more.")),
        ),
        _CHANGE,
        service.stream_changes,
        is_read=True,
        is_stream=True,
        messages=(AUDIT_EVENT,),
    )


def _query(
    name: str,
    rows: str,
    row: MessageSpec,
    filters: Sequence[str],
    more: tuple[FieldSpec, ...],
    handler: Callable[[Any, Call], dict[str, Any]],
) -> MethodSpec:
    request = (
        *more,
        *(FieldSpec(each, "string", repeated=True) for each in filters),
        FieldSpec("search", "string"),
        *_TIMES,
        FieldSpec("include_deleted", "bool"),
        *PAGING,
    )
    response = (
        FieldSpec(rows, row.name, repeated=True),
        FieldSpec("next_page_token", "string", comment="Empty at the end."),
        FieldSpec("total", "int64", comment="How many match."),
    )
    return MethodSpec(
        name,
        MessageSpec(f"{name}Request", request),
        MessageSpec(f"{name}Response", response),
        handler,
        is_read=True,
        messages=(row,),
    )


class _Collaboration:
    def __init__(self, find_storage: FindStorage) -> None:
        self._storage = find_storage
        self._streams = 0

    def save_report(self, request: Any, call: Call) -> dict[str, Any]:
        if not request.HasField("report"):
            raise InvalidInputError("The request has no report.")
        actor = call.actor(request.actor)
        report = read_report(request.report, actor)
        storage = self._storage()
        with acting_for(call.on_behalf_of(request.actor)):
            version = storage.reports.save_versioned(
                report, actor=actor, evidence=read_evidence(request.evidence_json)
            )
        return {"id": report.id, "version": version}

    def get_report(self, request: Any, call: Call) -> dict[str, Any]:
        found = self._storage().load_report(request.id)
        if found is None:
            raise NotFoundError(f"There is no report {request.id[:200]!r}.")
        return {"report": report_values(found)}

    def get_evidence(self, request: Any, call: Call) -> dict[str, Any]:
        storage = self._storage()
        found = storage.reports.find(request.report_id)
        if found is None or found["deleted_at"] is not None:
            raise NotFoundError(f"There is no report {request.report_id[:200]!r}.")
        evidence = storage.reports.load_evidence(request.report_id)
        return {"evidence_json": json_text(evidence.to_dict()) if evidence is not None else ""}

    def query_reports(self, request: Any, call: Call) -> dict[str, Any]:
        storage, chosen = self._storage(), _filters(request, _REPORT_FILTERS)
        limit, offset = read_page(request)
        found = storage.query_reports(limit=limit, offset=offset, **chosen)
        total = storage.count_reports(**chosen)
        return {
            "reports": [row_values(row, SUMMARY) for row in found],
            "next_page_token": next_page_token(offset + len(found), total),
            "total": total,
        }

    def query_findings(self, request: Any, call: Call) -> dict[str, Any]:
        storage, chosen = self._storage(), _filters(request, _FINDING_FILTERS)
        limit, offset = read_page(request)
        report_id = request.report_id or None
        found = storage.query_findings(report_id, limit=limit, offset=offset, **chosen)
        total = storage.findings.count(report_id, **chosen)
        return {
            "findings": [row_values(row, OCCURRENCE) for row in found],
            "next_page_token": next_page_token(offset + len(found), total),
            "total": total,
        }

    def query_inbox(self, request: Any, call: Call) -> dict[str, Any]:
        storage, chosen = self._storage(), _filters(request, _INBOX_FILTERS)
        if chosen.pop("include_deleted"):
            raise InvalidInputError("The inbox has no deleted findings; leave include_deleted out.")
        if request.needs_attention:
            chosen["attention"] = "any"
        chosen["mentions"] = request.mentions
        limit, offset = read_page(request)
        found = storage.inbox.query(limit, offset, **chosen)
        total = storage.inbox.count(**chosen)
        return {
            "findings": [row_values(row, TRIAGED_FINDING) for row in found],
            "next_page_token": next_page_token(offset + len(found), total),
            "total": total,
        }

    def annotate(self, request: Any, call: Call) -> dict[str, Any]:
        actor = call.actor(request.actor)
        annotation = Annotation(
            id=uuid.uuid4().hex,
            finding_id=request.finding_id,
            author=actor,
            timestamp=clock.now(),
            comment=request.comment,
            tags=list(request.tags),
            status=request.status or None,
        )
        storage = self._storage()
        storage.findings.require([request.finding_id])
        with acting_for(call.on_behalf_of(request.actor)):
            saved = storage.annotations.save_versioned(annotation, actor=actor)
        return {"annotation": annotation_values(saved)}

    def set_status(self, request: Any, call: Call) -> dict[str, Any]:
        if not request.status:
            raise InvalidInputError("The request has no status.")
        decision = Decision(
            status=request.status,
            reason=request.reason or None,
            comment=request.comment,
            accepted_until=read_time(request, "accepted_until"),
            ceiling_count=request.ceiling_count if request.HasField("ceiling_count") else None,
            ceiling_share=request.ceiling_share if request.HasField("ceiling_share") else None,
            has_no_ceiling=request.has_no_ceiling,
        )
        return self._decide(request, call, decision)

    def assign(self, request: Any, call: Call) -> dict[str, Any]:
        return self._decide(request, call, Decision(assignee=request.assignee))

    def _decide(self, request: Any, call: Call, decision: Decision) -> dict[str, Any]:
        undo = decide_findings(self._storage(), request.finding_ids, decision, call, request.actor)
        return {"finding_ids": undo.finding_ids}

    def list_changes(self, request: Any, call: Call) -> dict[str, Any]:
        storage, size = self._storage(), read_page_size(request.page_size)
        if request.from_now:
            return {"changes": [], "cursor": storage.audit.end_of_changes()}
        page = storage.audit.read_changes(request.cursor, size)
        wanted = set(request.component)
        return {
            "changes": [
                {"event": audit_values(each.event), "cursor": each.cursor}
                for each in page.changes
                if not wanted or each.event.component in wanted
            ],
            "cursor": page.cursor,
            "has_more": page.has_more,
        }

    async def stream_changes(self, request: Any, call: Call) -> AsyncIterator[dict[str, Any]]:
        if self._streams >= MAX_STREAMS:
            raise ConnectError(
                Code.RESOURCE_EXHAUSTED,
                f"{MAX_STREAMS} streams are open, the limit; end one, or use ListChanges.",
            )
        self._streams += 1
        try:
            async for values in self._follow(request, call):
                yield values
        finally:
            self._streams -= 1

    async def _follow(self, request: Any, call: Call) -> AsyncIterator[dict[str, Any]]:
        storage = await run_in_thread(self._storage)
        cursor = await run_in_thread(storage.audit.end_of_changes) if request.from_now else request.cursor
        wanted = set(request.component)
        while True:
            await _refuse_ended_stream(call)
            page = await run_in_thread(storage.audit.read_changes, cursor, _PAGE)
            for each in page.changes:
                if not wanted or each.event.component in wanted:
                    yield {"event": audit_values(each.event), "cursor": each.cursor}
            cursor = page.cursor
            if not page.has_more:
                if request.stop_at_end:
                    return
                await asyncio.sleep(POLL_SECONDS)


async def _refuse_ended_stream(call: Call) -> None:
    """Raise an error if a stream's token is no longer valid, or the server is stopping."""
    if not await run_in_thread(call.caller.is_still_valid):
        raise ConnectError(Code.UNAUTHENTICATED, "The token was revoked or has expired; create another one.")
    if is_stopping():
        raise ConnectError(Code.UNAVAILABLE, "The server is stopping; read on from the last cursor later.")


def _filters(request: Any, names: Iterable[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {name: tuple(getattr(request, name)) or None for name in names}
    chosen |= {name: read_time(request, name) for name in ("start_date", "end_date")}
    return {**chosen, "search": request.search or None, "include_deleted": request.include_deleted}
