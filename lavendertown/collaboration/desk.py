"""The desk: every finding once over all reports, filtered, counted and paged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from lavendertown.collaboration import filters
from lavendertown.collaboration.counted import Counted
from lavendertown.collaboration.trends import Trends
from lavendertown.errors import InvalidInputError
from lavendertown.records import rules
from lavendertown.records.identities import Recent
from lavendertown.records.inbox import Entry, Facet, InboxQuery, Order, Snoozed


class DeskFilters(TypedDict, total=False):
    """What findings can be filtered by; one value or several, any of which matches.

    ``tags``: all of them. ``assignee``: "" is nobody. ``author``: who wrote in the thread.
    ``counted``: a figure's own, see :class:`~lavendertown.collaboration.counted.Counted`. ``twins``: only
    those that look like one that vanished when they came.
    ``seen``: new, regressed, ongoing, passing or not_checked. ``snoozed``: "hidden", "included" (the
    default) or "only". ``mentions``: a name. Dates: when it was seen last, as everywhere.
    """

    dataset: filters.Words
    severity: filters.Words
    status: filters.Words
    seen: filters.Words
    assignee: filters.Words
    tags: filters.Words
    ghost_type: filters.Words
    column: filters.Words
    author: filters.Words
    search: str | None
    mentions: str | None
    start_date: filters.When
    end_date: filters.When
    snoozed: str
    counted: str | None
    twins: bool


_FACETS = {
    "dataset": Facet.DATASET,
    "severity": Facet.SEVERITY,
    "status": Facet.STATUS,
    "seen": Facet.SEEN,
    "assignee": Facet.ASSIGNEE,
    "tags": Facet.TAG,
    "ghost_type": Facet.TYPE,
    "column": Facet.COLUMN,
    "author": Facet.AUTHOR,
}


class Desk(Trends):
    """The findings of a storage, each once."""

    def query_desk(
        self,
        limit: int | None = 50,
        offset: int = 0,
        order: str = "last_seen",
        **filter_values: Unpack[DeskFilters],
    ) -> list[dict[str, Any]]:
        """List findings over all reports, each once.

        Args:
            limit: At most so many; None for all.
            offset: Leave so many out at the start.
            order: ``last_seen``, ``first_seen``, ``severity``, ``last_count``, ``times_seen`` or
                ``comment_count``, the highest first.
            **filter_values: See :class:`DeskFilters`.

        Returns:
            Dictionaries with finding_id, dataset, ghost_type, column, severity, description, status,
            seen, fixed_at, regressed_at, first_seen, last_seen, times_seen, comment_count, last_count,
            last_share, tags, assignee, close_reason, note, snoozed, snooze_until, snooze_factor,
            version (of the triage), twin (the id of the vanished finding it looks like, or empty),
            report_id and position (of the last occurrence), and runs: the
            rows affected in the newest runs of its dataset, oldest first: 0 where it was not seen, None
            where their number is not known.
        """
        page = filters.page(limit, offset)
        entries = self.inbox.page(self._query(filter_values, order), page.limit, page.offset)
        return self._rows(entries)

    def find_on_desk(self, finding_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return these findings as :meth:`query_desk` lists them, those that live reports hold."""
        names = dict.fromkeys(self.resolve_finding(name) for name in finding_ids if rules.is_id(name))
        return self._rows(list(self.inbox.entries(names).values()))

    def count_desk(self, **filter_values: Unpack[DeskFilters]) -> int:
        """Count the findings that :meth:`query_desk` would list without a limit."""
        return self.inbox.count(self._query(filter_values))

    def desk_ids(self, order: str = "last_seen", **filter_values: Unpack[DeskFilters]) -> list[str]:
        """Return the ids of all findings that :meth:`query_desk` would list without a limit."""
        return self.inbox.names(self._query(filter_values, order))

    def desk_facets(self, **filter_values: Unpack[DeskFilters]) -> dict[str, dict[str, int]]:
        """Count findings by each value of what they can be filtered by.

        Each leaves its own filter out, so that it shows what else could be chosen; but tags, which
        narrow one another.
        """
        found = self.inbox.facets(self._query(filter_values))
        return {name: found[facet] for name, facet in _FACETS.items()}

    def _query(self, given: DeskFilters, order: str = "last_seen") -> InboxQuery:
        text = given.get("counted")
        among = self.counted(Counted.parse(text), given.get("dataset")) if text else None
        return replace(_query(given, order), among=among)

    def _rows(self, entries: Sequence[Entry]) -> list[dict[str, Any]]:
        recent = self.store.recent([entry.identity.finding_id for entry in entries]) if entries else {}
        return [_row(entry, recent.get(entry.identity.finding_id)) for entry in entries]


def _query(given: DeskFilters, order: str = "last_seen") -> InboxQuery:
    unknown = sorted(set(given) - set(DeskFilters.__annotations__))
    if unknown:
        raise TypeError(f"unknown filter {unknown[0]!r}")
    chosen: dict[str, Any] = dict(given)
    try:
        snoozed, by = Snoozed(chosen.get("snoozed", "included")), Order(order)
    except ValueError as error:
        raise InvalidInputError(f"Findings cannot be listed so: {error}.") from None
    return InboxQuery(
        facets={facet: _words(chosen, name) for name, facet in _FACETS.items()},
        search=filters.needle(chosen.get("search")),
        mentions=chosen.get("mentions") or "",
        twins=bool(chosen.get("twins")),
        start=filters.first_instant(chosen.get("start_date")),
        end=filters.last_instant(chosen.get("end_date")),
        snoozed=snoozed,
        order=by,
    )


def _words(chosen: dict[str, Any], name: str) -> tuple[str, ...]:
    value = chosen.get(name)
    # Nobody is somebody to look for.
    return ("",) if name == "assignee" and value == "" else filters.words(value)


def _row(entry: Entry, recent: Recent | None) -> dict[str, Any]:
    out = entry.identity._asdict()
    del out["check_key"]
    out["tags"] = list(entry.identity.tags)
    out["seen"] = entry.seen.value
    triage = entry.triage
    out["assignee"] = triage.assignee if triage else ""
    out["close_reason"] = triage.close_reason if triage else ""
    out["note"] = triage.note if triage else ""
    out["snoozed"] = entry.snoozed
    out["twin"] = entry.twin
    out["snooze_until"] = triage.snooze_until if triage else None
    out["snooze_factor"] = triage.snooze_factor if triage else None
    out["version"] = triage.version if triage else 0
    counts = dict(reversed(recent.seen)) if recent else {}
    out["runs"] = [counts.get(at, 0) for at in reversed(entry.runs)]
    out["report_id"] = recent.report_id if recent else ""
    out["position"] = recent.position if recent else 0
    if recent:
        out["description"] = recent.description
    return out
