"""The tools: search findings, read one, comment, decide, undo.

A tool's docstring and the descriptions of its arguments are what an agent reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.core import clock, json_codec, statuses
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.statuses import StatusCategory
from lavendertown.inbox import InboxOrder, SnoozedFilter
from lavendertown.inbox.attention import AttentionReason
from lavendertown.mcp.finding_views import describe_finding, summarize_finding
from lavendertown.mcp.team_tools import AnyContext, FindingIds, OnBehalfOf, TeamTools, Texts
from lavendertown.mcp.undo import MAX_FINDINGS, UndoReference, answer_about_decision, undo_write
from lavendertown.records.identities import RunState
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.records import decide_findings

Severity: TypeAlias = Literal["info", "warning", "error"]
if TYPE_CHECKING:
    Status: TypeAlias = str
else:
    # The schema of the tools lists the names; a type checker cannot read them from a tuple.
    Status = Literal[statuses.NAMES]


class FindingTools(TeamTools):
    """The tools about the findings of a team's storage."""

    def list_tools(self) -> Iterator[Tool]:
        """Return the tools."""
        yield from self.make_tools(
            reads=(self.search_findings, self.read_finding),
            writes=(self.comment, self.set_status, self.assign, self.snooze, self.unsnooze, self.undo),
        )

    def search_findings(
        self,
        context: AnyContext,
        search: Annotated[str, Field(description="Words in the description, column or dataset.")] = "",
        dataset: Texts = [],  # noqa: B006 - pydantic copies defaults
        column: Texts = [],  # noqa: B006
        ghost_type: Annotated[Texts, Field(description="Such as null, duplicate, outlier, type.")] = [],  # noqa: B006
        severity: list[Severity] = [],  # noqa: B006
        status: list[Status] = [],  # noqa: B006
        state: Annotated[
            list[StatusCategory], Field(description="Whether the status is open or closed.")
        ] = [],  # noqa: B006
        attention: Annotated[
            list[AttentionReason], Field(description="Findings that need attention for one of these reasons.")
        ] = [],  # noqa: B006
        run_state: Annotated[
            list[RunState], Field(description="State in the newest runs of its dataset.")
        ] = [],  # noqa: B006
        assignee: Texts = [],  # noqa: B006
        is_unassigned: bool = False,
        author: Annotated[Texts, Field(description="Author of a comment.")] = [],  # noqa: B006
        mentions: Annotated[
            str, Field(description="Person whom a comment on the finding or on its incident mentions.")
        ] = "",
        tags: Annotated[Texts, Field(description="Findings that have all of these tags.")] = [],  # noqa: B006
        snoozed: SnoozedFilter = SnoozedFilter.INCLUDED,
        seen_since: Annotated[
            str, Field(description="Day or ISO time; only findings last seen since then.")
        ] = "",
        seen_until: Annotated[
            str, Field(description="Day or ISO time; only findings last seen until then.")
        ] = "",
        order: Annotated[InboxOrder, Field(description="Sort key, highest first.")] = InboxOrder.LAST_SEEN,
        limit: Annotated[int, Field(ge=1, le=MAX_FINDINGS)] = 20,
        offset: Annotated[
            int, Field(ge=0, description="Number of findings to skip: next_offset of the previous page.")
        ] = 0,
    ) -> dict[str, Any]:
        """List findings over all reports, each once. Of several values of a filter, any matches."""
        self._call(context, Role.READER)
        if is_unassigned and assignee:
            raise InvalidInputError("Give assignee or is_unassigned, but not both.")
        filters: dict[str, Any] = {
            "search": search,
            "dataset": dataset,
            "column": column,
            "ghost_type": ghost_type,
            "severity": severity,
            "status": status,
            "state": [each.value for each in state],
            "attention": [each.value for each in attention],
            "seen": [each.value for each in run_state],
            "assignee": "" if is_unassigned else assignee,
            "author": author,
            "mentions": mentions,
            "tags": tags,
            "snoozed": snoozed.value,
            "start_date": seen_since or None,
            "end_date": seen_until or None,
        }
        storage = self._storage()
        found = storage.inbox.query(limit, offset, order.value, **filters)
        total = storage.inbox.count(**filters)
        end = offset + len(found)
        plain: dict[str, Any] = json_codec.to_jsonable(
            {
                "findings": [summarize_finding(row) for row in found],
                "total": total,
                "next_offset": end if found and end < total else None,
            }
        )
        return plain

    def read_finding(self, finding_id: str, context: AnyContext) -> dict[str, Any]:
        """Return a finding with its occurrences, comments and changes, newest first."""
        self._call(context, Role.READER)
        return describe_finding(self._storage(), finding_id)

    def comment(
        self,
        finding_ids: FindingIds,
        context: AnyContext,
        comment: str = "",
        tags: Texts = [],  # noqa: B006
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Add a comment, tags or both to the discussion of findings."""
        if not comment.strip() and not tags:
            raise InvalidInputError("Give a comment, tags or both.")
        return self._decide(context, finding_ids, Decision(comment=comment, tags=tags), on_behalf_of)

    def set_status(
        self,
        finding_ids: FindingIds,
        status: Status,
        context: AnyContext,
        reason: Annotated[str, Field(description="Needed for fixed, accepted and false_positive.")] = "",
        comment: str = "",
        accepted_until: Annotated[
            str, Field(description="With accepted: a day or ISO time at which the acceptance ends.")
        ] = "",
        ceiling_rows: Annotated[
            int | None,
            Field(ge=0, description="With accepted: rows up to which it is; by default twice the present."),
        ] = None,
        has_no_ceiling: Annotated[bool, Field(description="With accepted: whatever its size.")] = False,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Set the status of findings."""
        decision = Decision(
            status=status,
            reason=reason or None,
            comment=comment,
            accepted_until=_read_end(accepted_until, "accepted_until") if accepted_until else None,
            ceiling_count=ceiling_rows,
            has_no_ceiling=has_no_ceiling,
        )
        return self._decide(context, finding_ids, decision, on_behalf_of)

    def assign(
        self,
        finding_ids: FindingIds,
        assignee: Annotated[str, Field(description="A name; empty for nobody.")],
        context: AnyContext,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Set the assignee of findings."""
        return self._decide(context, finding_ids, Decision(assignee=assignee), on_behalf_of)

    def snooze(
        self,
        finding_ids: FindingIds,
        context: AnyContext,
        until: Annotated[str, Field(description="A day or ISO time; without a zone, the server's.")] = "",
        factor: Annotated[
            float, Field(ge=0, description="Or until the affected rows have grown by this factor, such as 2.")
        ] = 0,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Hide findings from those that need attention, until a time, until they have grown, or either."""
        if not until and not factor:
            raise InvalidInputError("A snooze needs an end: give until, factor or both.")
        decision = Decision(
            snooze_until=_read_end(until, "until") if until else None, snooze_factor=factor or None
        )
        return self._decide(context, finding_ids, decision, on_behalf_of)

    def unsnooze(
        self, finding_ids: FindingIds, context: AnyContext, on_behalf_of: OnBehalfOf = ""
    ) -> dict[str, Any]:
        """End the snooze of findings."""
        return self._decide(context, finding_ids, Decision(unsnooze=True), on_behalf_of)

    def undo(
        self,
        undo: Annotated[UndoReference, Field(description="What the write returned as undo, unchanged.")],
        context: AnyContext,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Undo a write of yours. What was changed since, such as by a later decision, stays as it is."""
        call = self._call(context, Role.WRITER)
        return undo_write(self._storage(), undo, call, on_behalf_of)

    def _decide(
        self, context: AnyContext, finding_ids: list[str], decision: Decision, on_behalf_of: str
    ) -> dict[str, Any]:
        call = self._call(context, Role.WRITER)
        undo = decide_findings(self._storage(), finding_ids, decision, call, on_behalf_of)
        return answer_about_decision(undo)


def _read_end(text: str, name: str) -> dt.datetime:
    try:
        end = clock.parse_time(text)
    except (ValueError, OverflowError):
        raise InvalidInputError(
            f"{text[:100]!r} in {name} is not a time; give a day such as 2027-01-31, or an ISO time."
        ) from None
    if end <= clock.now():
        raise InvalidInputError(f"The time {text[:100]!r} in {name} has passed; give a later one.")
    return end
