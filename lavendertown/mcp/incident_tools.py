"""The tools about incidents: list and read them, group findings, close an incident and reopen it.

A tool's docstring and the descriptions of its arguments are what an agent reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.core import json_codec, statuses
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.core.statuses import StatusCategory
from lavendertown.mcp.finding_views import summarize_finding
from lavendertown.mcp.team_tools import AnyContext, FindingIds, OnBehalfOf, TeamTools, Texts
from lavendertown.mcp.undo import (
    FIRST_VERSION,
    MAX_FINDINGS,
    UndoReference,
    answer_about_decision,
    answer_with_undo,
)
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.schema import Role

MAX_COMMENTS = 50
IncidentId: TypeAlias = Annotated[str, Field(description="From list_incidents.")]
if TYPE_CHECKING:
    ClosingStatus: TypeAlias = str
else:
    # The schema of the tools lists the names; a type checker cannot read them from a tuple.
    ClosingStatus = Literal[statuses.CLOSED_NAMES]


class IncidentTools(TeamTools):
    """The tools about the incidents of a team's storage."""

    def list_tools(self) -> Iterator[Tool]:
        """Return the tools."""
        yield from self.make_tools(
            reads=(self.list_incidents, self.read_incident),
            writes=(self.group_findings, self.close_incident, self.reopen_incident),
        )

    def list_incidents(
        self,
        context: AnyContext,
        state: Annotated[StatusCategory | None, Field(description="Only open or closed ones.")] = None,
        assignee: Annotated[Texts, Field(description="Owner of the incident.")] = [],  # noqa: B006
        limit: Annotated[int, Field(ge=1, le=MAX_FINDINGS)] = 20,
        offset: Annotated[int, Field(ge=0, description="Number of incidents to skip.")] = 0,
    ) -> dict[str, Any]:
        """List incidents, which group findings with one cause: open ones first, then the newest first."""
        self._call(context, Role.READER)
        found = self._storage().incidents.query(state.value if state else None, assignee)
        page = found[offset : offset + limit]
        end = offset + len(page)
        plain: dict[str, Any] = json_codec.to_jsonable(
            {
                "incidents": [_summarize_incident(row) for row in page],
                "total": len(found),
                "next_offset": end if page and end < len(found) else None,
            }
        )
        return plain

    def read_incident(self, incident_id: IncidentId, context: AnyContext) -> dict[str, Any]:
        """Return an incident with its findings (at most 100) and its last 50 comments."""
        self._call(context, Role.READER)
        storage = self._storage()
        row = storage.incidents.find(incident_id)
        if row is None or row["deleted_at"] is not None:
            raise NotFoundError(
                f"There is no incident {incident_id[:200]!r}; list_incidents returns the ids."
            )
        comments = [
            {"author": note.author, "at": note.timestamp, "comment": note.comment}
            for note in storage.incidents.list_comments(incident_id)[-MAX_COMMENTS:]
        ]
        findings = storage.inbox.load_rows(row["members"][:MAX_FINDINGS])
        plain: dict[str, Any] = json_codec.to_jsonable(
            {
                "incident": _summarize_incident(row),
                "findings": [summarize_finding(each) for each in findings],
                "comments": comments,
            }
        )
        return plain

    def group_findings(
        self,
        title: Annotated[str, Field(description="The cause, in a few words.")],
        finding_ids: FindingIds,
        context: AnyContext,
        assignee: Annotated[str, Field(description="Owner of the incident; empty for nobody.")] = "",
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Group findings with one cause into a new incident. A finding is in one incident at most."""
        call = self._call(context, Role.WRITER)
        storage = self._storage()
        storage.findings.require(finding_ids)
        with acting_for(call.on_behalf_of(on_behalf_of)):
            made = storage.incidents.create(
                title, finding_ids, assignee=assignee, actor=call.actor(on_behalf_of)
            )
        return answer_with_undo({"incident_id": made}, UndoReference(incident_versions={made: FIRST_VERSION}))

    def close_incident(
        self,
        incident_id: IncidentId,
        status: ClosingStatus,
        reason: Annotated[str, Field(description="Why; colleagues read it.")],
        context: AnyContext,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Close all open findings of an incident in one act, with one reason. `undo` reverts it."""
        call = self._call(context, Role.WRITER)
        storage = self._storage()
        row = storage.incidents.find(incident_id)
        _check_size(row["open_count"] if row else 0, "open", "close")
        with acting_for(call.on_behalf_of(on_behalf_of)):
            undo = storage.incidents.close(
                incident_id, Decision(status=status, reason=reason), actor=call.actor(on_behalf_of)
            )
        return answer_about_decision(undo)

    def reopen_incident(
        self,
        incident_id: IncidentId,
        comment: Annotated[str, Field(description="Why; colleagues read it.")],
        context: AnyContext,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Open all closed findings of an incident in one act. `undo` reverts it."""
        call = self._call(context, Role.WRITER)
        storage = self._storage()
        row = storage.incidents.find(incident_id)
        _check_size(len(row["members"]) - row["open_count"] if row else 0, "closed", "reopen")
        with acting_for(call.on_behalf_of(on_behalf_of)):
            undo = storage.incidents.reopen(incident_id, comment=comment, actor=call.actor(on_behalf_of))
        return answer_about_decision(undo)


def _check_size(count: int, state: str, act: str) -> None:
    if count > MAX_FINDINGS:
        raise InvalidInputError(
            f"The incident has {count:,} {state} findings, and a tool changes at most {MAX_FINDINGS}; ask a "
            f"person to {act} it."
        )


def _summarize_incident(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "incident_id": row["id"],
        "title": row["title"],
        "assignee": row["assignee"],
        "state": row["state"],
        "status": row["status"],
        "finding_count": len(row["members"]),
        "open_count": row["open_count"],
        "comment_count": row["comment_count"],
        "created_by": row["created_by"],
        "created_at": row["created_at"],
    }
