"""The inbox: each finding once over all reports, filtered, counted and paged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from lavendertown.collaboration import filters
from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.incidents import Incidents
from lavendertown.collaboration.parts.trends import Trends
from lavendertown.core.errors import InvalidInputError
from lavendertown.inbox import Facet, InboxEntry, InboxOrder, InboxQuery, SnoozedFilter
from lavendertown.inbox.attention import AttentionReason
from lavendertown.inbox.attention_text import describe_attention
from lavendertown.records import validation
from lavendertown.records.identities import LastOccurrences


class InboxFilters(TypedDict, total=False):
    """Filters of the inbox; of several values, any matches.

    ``tags``: all must match. ``assignee``: "" is nobody. ``author``: wrote in the discussion.
    ``counted``: the findings behind a number in a chart, see
    :class:`~lavendertown.collaboration.chart_selection.ChartSelection`.
    ``twins``: only findings that resemble one that vanished when they appeared.
    ``seen``: new, regressed, ongoing, passing, not_checked, reading_changed or check_changed. ``state``:
    "open" or "closed".
    ``attention``: "any", or reasons of :class:`~lavendertown.inbox.attention.AttentionReason`.
    ``incident``: "any", or ids of incidents. ``due``: "overdue" or "not_yet". ``snoozed``: "hidden",
    "included" (the default) or "only". ``mentions``: the name of a person whom a comment on the finding or on
    its incident mentions. Dates: when the finding was last seen.
    """

    dataset: filters.OneOrMany
    severity: filters.OneOrMany
    status: filters.OneOrMany
    state: filters.OneOrMany
    seen: filters.OneOrMany
    attention: filters.OneOrMany
    due: filters.OneOrMany
    assignee: filters.OneOrMany
    tags: filters.OneOrMany
    ghost_type: filters.OneOrMany
    column: filters.OneOrMany
    author: filters.OneOrMany
    search: str | None
    mentions: str | None
    start_date: filters.DateLike
    end_date: filters.DateLike
    snoozed: str
    counted: str | None
    incident: filters.OneOrMany
    twins: bool


_FACETS = {
    "dataset": Facet.DATASET,
    "severity": Facet.SEVERITY,
    "status": Facet.STATUS,
    "state": Facet.STATE,
    "seen": Facet.RUN_STATE,
    "attention": Facet.ATTENTION,
    "due": Facet.DUE,
    "assignee": Facet.ASSIGNEE,
    "tags": Facet.TAG,
    "ghost_type": Facet.TYPE,
    "column": Facet.COLUMN,
    "author": Facet.AUTHOR,
}


class FindingsInbox(StoragePart):
    """The findings of a storage, each once."""

    def __init__(self, context: StorageContext, trends: Trends, incidents: Incidents) -> None:
        super().__init__(context)
        self._trends = trends
        self._incidents = incidents

    def query(
        self,
        limit: int | None = 50,
        offset: int = 0,
        order: str = "last_seen",
        **filter_values: Unpack[InboxFilters],
    ) -> list[dict[str, Any]]:
        """List findings over all reports, each once.

        Args:
            limit: Maximum number of findings; None for all.
            offset: Number of findings to skip.
            order: ``last_seen``, ``first_seen``, ``severity``, ``last_count``, ``times_seen`` or
                ``comment_count``, the highest first.
            **filter_values: See :class:`InboxFilters`.

        Returns:
            Dictionaries with finding_id, dataset, ghost_type, column, severity, description, status, seen,
            fixed_at, regressed_at, first_seen, last_seen, times_seen, comment_count, last_count, last_share,
            tags, assignee, owner_rule (by which it was assigned, or empty), close_reason, note, snoozed,
            snooze_until, snooze_factor, attention (why it needs attention, as codes), attention_text (the
            same in words), due_at, verified_in (the report that verified its fix, or empty), verified_at,
            runs_since_fix (the runs since then that did not complete its check), accepted_at, accepted_until,
            ceiling_count and ceiling_share (the size up to which it is accepted; both None without limit),
            has_no_ceiling (whether a person decided that), version (of the triage), twin (the id of the
            vanished finding it looks like, or empty), report_id and position (of the last occurrence),
            incident_id and incident_title (of its incident, or empty), and runs: the
            rows affected in the newest runs of its dataset, oldest first: 0 where it was not seen, None
            where their number is not known.
        """
        page = filters.make_page(limit, offset)
        entries = self._context.inbox_index.list_entries(
            self._build_query(filter_values, order), page.limit, page.offset
        )
        return self._build_rows(entries)

    def load_rows(self, finding_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return these findings as :meth:`query` lists them; those in no live report are left out."""
        names = dict.fromkeys(
            self._context.resolve_finding(name) for name in finding_ids if validation.is_valid_id(name)
        )
        return self._build_rows(list(self._context.inbox_index.find_entries(names).values()))

    def count(self, **filter_values: Unpack[InboxFilters]) -> int:
        """Count the findings that :meth:`query` would list without a limit."""
        return self._context.inbox_index.count_entries(self._build_query(filter_values))

    def count_passing_runs(self, finding_id: str) -> int:
        """Return how many of the latest runs in a row completed a finding's check without finding it.

        Only the latest 12 runs of its dataset count. 0 if no live report has the finding.
        """
        return self._context.inbox_index.count_passing_runs(self._context.resolve_finding(finding_id))

    def query_ids(self, order: str = "last_seen", **filter_values: Unpack[InboxFilters]) -> list[str]:
        """Return the ids of all findings that :meth:`query` would list without a limit."""
        return self._context.inbox_index.list_ids(self._build_query(filter_values, order))

    def count_by_value(self, **filter_values: Unpack[InboxFilters]) -> dict[str, dict[str, int]]:
        """Count findings by each value of each filter.

        Each facet ignores its own filter, to show the other choices; tags do not, since several tags must
        all match.
        """
        found = self._context.inbox_index.count_facets(self._build_query(filter_values))
        return {name: found[facet] for name, facet in _FACETS.items()}

    def _build_query(self, given: InboxFilters, order: str = "last_seen") -> InboxQuery:
        text, incident = given.get("counted"), given.get("incident")
        among = (
            self._trends.select_findings(ChartSelection.parse(text), given.get("dataset")) if text else None
        )
        if incident:
            members = frozenset(self._incidents.list_members(None if incident == "any" else incident))
            among = members if among is None else among & members
        query = _build_inbox_query(given, order)
        if query.mentions:
            query = replace(query, mentioned_ids=self._incidents.select_mentioned_members(query.mentions))
        return replace(query, finding_ids=among)

    def _build_rows(self, entries: Sequence[InboxEntry]) -> list[dict[str, Any]]:
        if not entries:
            return []
        names = [entry.identity.finding_id for entry in entries]
        recent = self._context.store.last_occurrences(names)
        incidents = self._incidents.find_by_findings(names)
        rows = [_inbox_row(entry, recent.get(entry.identity.finding_id)) for entry in entries]
        for row in rows:
            incident = incidents.get(row["finding_id"])
            row["incident_id"] = incident["id"] if incident else ""
            row["incident_title"] = incident["title"] if incident else ""
        return rows


def _build_inbox_query(given: InboxFilters, order: str = "last_seen") -> InboxQuery:
    unknown = sorted(set(given) - set(InboxFilters.__annotations__))
    if unknown:
        raise TypeError(f"unknown filter {unknown[0]!r}")
    chosen: dict[str, Any] = dict(given)
    try:
        snoozed, by = SnoozedFilter(chosen.get("snoozed", "included")), InboxOrder(order)
    except ValueError as error:
        raise InvalidInputError(f"Findings cannot be listed so: {error}.") from None
    return InboxQuery(
        facets={facet: _filter_values(chosen, name) for name, facet in _FACETS.items()},
        search=filters.fold_search(chosen.get("search")),
        mentions=chosen.get("mentions") or "",
        twins=bool(chosen.get("twins")),
        start_date=filters.first_instant(chosen.get("start_date")),
        end_date=filters.last_instant(chosen.get("end_date")),
        snoozed=snoozed,
        order=by,
    )


def _filter_values(chosen: dict[str, Any], name: str) -> tuple[str, ...]:
    value = chosen.get(name)
    if name == "attention" and value == "any":
        return tuple(AttentionReason)
    # Nobody is somebody to look for.
    return ("",) if name == "assignee" and value == "" else filters.as_tuple(value)


def _inbox_row(entry: InboxEntry, recent: LastOccurrences | None) -> dict[str, Any]:
    out = entry.identity._asdict()
    del out["check_key"]
    out["tags"] = list(entry.identity.tags)
    out["seen"] = entry.run_state.value
    triage = entry.triage
    out["assignee"] = triage.assignee if triage else ""
    out["owner_rule"] = triage.owner_rule if triage else ""
    out["close_reason"] = triage.close_reason if triage else ""
    out["note"] = triage.note if triage else ""
    out["snoozed"] = entry.snoozed
    out["twin"] = entry.predecessor_id
    out["snooze_until"] = triage.snooze_until if triage else None
    out["snooze_factor"] = triage.snooze_factor if triage else None
    out["attention"] = [reason.value for reason in entry.attention]
    out["attention_text"] = " ".join(describe_attention(entry))
    out["due_at"] = entry.due_at
    check, ceiling = entry.fix_check, entry.ceiling
    out["verified_in"] = check.report_id if check else ""
    out["verified_at"] = check.verified_at if check else None
    out["runs_since_fix"] = check.runs_waited if check else 0
    out["accepted_at"] = entry.acceptance.accepted_at if entry.acceptance else None
    out["accepted_until"] = triage.accepted_until if triage and entry.acceptance else None
    out["has_no_ceiling"] = triage.has_no_ceiling if triage and entry.acceptance else False
    out["ceiling_count"] = ceiling.row_count if ceiling else None
    out["ceiling_share"] = ceiling.share if ceiling else None
    out["version"] = triage.version if triage else 0
    counts = dict(recent.occurrences) if recent else {}
    out["runs"] = [counts.get(run_id, 0) for run_id in reversed(entry.run_ids)]
    out["report_id"] = recent.report_id if recent else ""
    out["position"] = recent.position if recent else 0
    if recent:
        out["description"] = recent.description
    return out
