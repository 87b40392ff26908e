"""Incidents over RPC: list and read them, group findings, change, discuss, close and open them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from lavendertown.collaboration.parts.incidents import Incidents
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.core.statuses import FIXED, StatusCategory
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.paging import PAGING, next_page_token, read_page
from lavendertown.rpc.protocol.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role
from lavendertown.rpc.team.collaboration_messages import (
    ANNOTATION,
    TRIAGED_FINDING,
    annotation_values,
    row_values,
)
from lavendertown.rpc.team.records import FindStorage

_ACTOR = FieldSpec("actor", "string", comment="For whom the caller acts.")
_ID = FieldSpec("incident_id", "string")
_FINDINGS = FieldSpec("finding_ids", "string", repeated=True)
_VERSION = FieldSpec("version", "int32", optional=True, comment="Sent back, it refuses any other version.")
_INCIDENT = MessageSpec(
    "Incident",
    (
        FieldSpec("id", "string"),
        FieldSpec("title", "string"),
        FieldSpec("assignee", "string", comment="Its owner; empty for nobody."),
        FieldSpec("state", "string", comment="open while one of its findings is, else closed."),
        FieldSpec("status", "string", comment="The one that all its findings have; empty if they differ."),
        FieldSpec("finding_ids", "string", repeated=True, comment="In the order in which they were added."),
        FieldSpec("open_count", "int32"),
        FieldSpec("absent_count", "int32", comment="How many are in no live report; they count as closed."),
        FieldSpec("comment_count", "int32"),
        FieldSpec("created_by", "string"),
        *(FieldSpec(name, "timestamp") for name in ("created_at", "updated_at", "deleted_at")),
        FieldSpec("version", "int32"),
    ),
    comment="Findings with one cause.",
)
_ANSWER = FieldSpec("incident", _INCIDENT.name)


def incident_methods(find_storage: FindStorage) -> Iterable[MethodSpec]:
    """Yield the methods about incidents.

    Args:
        find_storage: Returns the storage; called with each request.
    """
    service = _IncidentService(find_storage)
    yield MethodSpec(
        "QueryIncidents",
        MessageSpec(
            "QueryIncidentsRequest",
            (
                FieldSpec("state", "string", comment="open or closed; empty for both."),
                FieldSpec("assignee", "string", repeated=True),
                FieldSpec("include_deleted", "bool"),
                *PAGING,
            ),
        ),
        MessageSpec(
            "QueryIncidentsResponse",
            (
                FieldSpec("incidents", _INCIDENT.name, repeated=True),
                FieldSpec("next_page_token", "string", comment="Empty at the end."),
                FieldSpec("total", "int64", comment="How many match."),
            ),
        ),
        service.query,
        is_read=True,
        messages=(_INCIDENT,),
        comment="List incidents, open ones first, then the newest first.",
    )
    yield MethodSpec(
        "GetIncident",
        MessageSpec("GetIncidentRequest", (_ID, *PAGING)),
        MessageSpec(
            "GetIncidentResponse",
            (
                _ANSWER,
                FieldSpec("findings", TRIAGED_FINDING.name, repeated=True, comment="Those in live reports."),
                FieldSpec("next_page_token", "string", comment="For more findings; empty at the end."),
                FieldSpec("comments", ANNOTATION.name, repeated=True, comment="Oldest first."),
            ),
        ),
        service.get,
        is_read=True,
        messages=(_INCIDENT, TRIAGED_FINDING, ANNOTATION),
        comment="Read an incident with a page of its findings, and all of its comments.",
    )
    yield from _writing_methods(service)


def _writing_methods(service: _IncidentService) -> Iterable[MethodSpec]:
    title = FieldSpec("title", "string")
    assignee = FieldSpec("assignee", "string", comment="Empty for nobody.")
    yield _write("CreateIncident", (title, _FINDINGS, assignee, _ACTOR), service.create)
    yield _write("AddToIncident", (_ID, _FINDINGS, _VERSION, _ACTOR), service.add)
    yield _write("RemoveFromIncident", (_ID, _FINDINGS, _VERSION, _ACTOR), service.remove)
    yield _write("RenameIncident", (_ID, title, _VERSION, _ACTOR), service.rename)
    yield _write("AssignIncident", (_ID, assignee, _VERSION, _ACTOR), service.assign)
    comment = FieldSpec("comment", "string")
    comment_id = FieldSpec("annotation_id", "string", comment="The id of the comment.")
    yield _write("CommentOnIncident", (_ID, comment, _ACTOR), service.comment, comment_id)
    closing = (
        FieldSpec("status", "string", comment="fixed by default, accepted or false_positive."),
        FieldSpec("reason", "string", comment="Why they are closed; required."),
    )
    yield _write(
        "CloseIncident",
        (_ID, *closing, _ACTOR),
        service.close,
        FieldSpec("finding_ids", "string", repeated=True, comment="The findings that it closed."),
        comment="Close all open findings of an incident, all or none.",
    )
    yield _write(
        "ReopenIncident",
        (_ID, FieldSpec("comment", "string", comment="On each of the findings."), _ACTOR),
        service.reopen,
        FieldSpec("finding_ids", "string", repeated=True, comment="The findings that it opened."),
        comment="Open all closed findings of an incident, all or none.",
    )
    yield _write("DeleteIncident", (_ID, _ACTOR), service.delete, comment="Its findings stay as they are.")
    yield _write("RestoreIncident", (_ID, _ACTOR), service.restore)


def _write(
    name: str,
    fields: tuple[FieldSpec, ...],
    handler: Callable[[Any, Call], dict[str, Any]],
    *more: FieldSpec,
    comment: str = "",
) -> MethodSpec:
    """Declare a method that changes an incident, and answers with the incident as it is then."""
    return MethodSpec(
        name,
        MessageSpec(f"{name}Request", fields),
        MessageSpec(f"{name}Response", (_ANSWER, *more)),
        handler,
        role=Role.WRITER,
        messages=(_INCIDENT,),
        comment=comment,
    )


class _IncidentService:
    def __init__(self, find_storage: FindStorage) -> None:
        self._storage = find_storage

    def query(self, request: Any, call: Call) -> dict[str, Any]:
        if request.state not in ("", *StatusCategory):
            raise InvalidInputError(f"The state {request.state[:40]!r} is unknown; use open or closed.")
        limit, offset = read_page(request)
        found = self._storage().incidents.query(
            request.state or None, tuple(request.assignee), include_deleted=request.include_deleted
        )
        page = found[offset : offset + limit]
        return {
            "incidents": [_incident_values(row) for row in page],
            "next_page_token": next_page_token(offset + len(page), len(found)),
            "total": len(found),
        }

    def get(self, request: Any, call: Call) -> dict[str, Any]:
        limit, offset = read_page(request)
        storage = self._storage()
        row = _require_row(storage.incidents, request.incident_id)
        members = row["members"][offset : offset + limit]
        found = storage.inbox.load_rows(members)
        return {
            "incident": _incident_values(row),
            "findings": [row_values(each, TRIAGED_FINDING) for each in found],
            "next_page_token": next_page_token(offset + len(members), len(row["members"])),
            "comments": list(map(annotation_values, storage.incidents.list_comments(request.incident_id))),
        }

    def create(self, request: Any, call: Call) -> dict[str, Any]:
        storage = self._storage()
        storage.findings.require(request.finding_ids)
        with acting_for(call.on_behalf_of(request.actor)):
            made = storage.incidents.create(
                request.title,
                request.finding_ids,
                assignee=request.assignee.strip(),
                actor=call.actor(request.actor),
            )
        return {"incident": _incident_values(_require_row(storage.incidents, made))}

    def add(self, request: Any, call: Call) -> dict[str, Any]:
        self._storage().findings.require(request.finding_ids)
        return self._change(request, call, Incidents.add_findings, finding_ids=request.finding_ids)

    def remove(self, request: Any, call: Call) -> dict[str, Any]:
        return self._change(request, call, Incidents.remove_findings, finding_ids=request.finding_ids)

    def rename(self, request: Any, call: Call) -> dict[str, Any]:
        return self._change(request, call, Incidents.set_title, title=request.title)

    def assign(self, request: Any, call: Call) -> dict[str, Any]:
        return self._change(request, call, Incidents.assign, assignee=request.assignee.strip())

    def comment(self, request: Any, call: Call) -> dict[str, Any]:
        actor = call.actor(request.actor)
        answer, made = self._write(
            request,
            call,
            lambda incidents: incidents.comment(request.incident_id, request.comment, author=actor),
        )
        return {**answer, "annotation_id": made}

    def close(self, request: Any, call: Call) -> dict[str, Any]:
        decision = Decision(status=request.status or FIXED.name, reason=request.reason or None)
        actor = call.actor(request.actor)
        answer, undo = self._write(
            request, call, lambda incidents: incidents.close(request.incident_id, decision, actor=actor)
        )
        return {**answer, "finding_ids": undo.finding_ids}

    def reopen(self, request: Any, call: Call) -> dict[str, Any]:
        actor = call.actor(request.actor)
        answer, undo = self._write(
            request,
            call,
            lambda incidents: incidents.reopen(request.incident_id, comment=request.comment, actor=actor),
        )
        return {**answer, "finding_ids": undo.finding_ids}

    def delete(self, request: Any, call: Call) -> dict[str, Any]:
        _require_row(self._storage().incidents, request.incident_id)
        actor = call.actor(request.actor)
        answer, _ = self._write(
            request, call, lambda incidents: incidents.delete(request.incident_id, actor=actor)
        )
        return answer

    def restore(self, request: Any, call: Call) -> dict[str, Any]:
        _require_row(self._storage().incidents, request.incident_id, include_deleted=True)
        actor = call.actor(request.actor)
        answer, _ = self._write(
            request, call, lambda incidents: incidents.restore(request.incident_id, actor=actor)
        )
        return answer

    def _change(
        self, request: Any, call: Call, change: Callable[..., object], **values: Any
    ) -> dict[str, Any]:
        """Change the version of the incident that the request names, or else any."""
        version = request.version if request.HasField("version") else None
        change = partial(change, actor=call.actor(request.actor), version=version, **values)
        answer, _ = self._write(request, call, lambda incidents: change(incidents, request.incident_id))
        return answer

    def _write(
        self, request: Any, call: Call, write: Callable[[Incidents], Any]
    ) -> tuple[dict[str, Any], Any]:
        """Write to an incident; return the answer with the incident as it is then, and what it returned."""
        incidents = self._storage().incidents
        with acting_for(call.on_behalf_of(request.actor)):
            done = write(incidents)
        row = _require_row(incidents, request.incident_id, include_deleted=True)
        return {"incident": _incident_values(row)}, done


def _require_row(incidents: Incidents, incident_id: str, *, include_deleted: bool = False) -> dict[str, Any]:
    row = incidents.find(incident_id)
    if row is None or (row["deleted_at"] is not None and not include_deleted):
        raise NotFoundError(f"There is no incident {incident_id[:200]!r}; QueryIncidents lists the ids.")
    return row


def _incident_values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row_values(row, _INCIDENT), "finding_ids": row["members"]}
