"""Findings: their occurrences in reports, their affected rows, and the ids they have had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

from lavendertown.collaboration import converters, filters
from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import row_positions
from lavendertown.core.errors import NotFoundError
from lavendertown.core.findings import GhostFinding
from lavendertown.profile.evidence import Evidence, FindingSamples
from lavendertown.records import validation
from lavendertown.records.json_records import merged_into_map
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind

_MAX_POSITION = 2**31 - 1
"""The highest position in a report that every backend can look up."""


class Findings(StoragePart):
    """The findings of a storage, one row for each occurrence."""

    def query(
        self,
        report_id: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        **filter_values: Unpack[filters.FindingFilters],
    ) -> list[dict[str, Any]]:
        """List findings: newest report first, then in the report's order, without their rows.

        Args:
            report_id: Only the findings of this report.
            limit: Maximum number of findings; None for all.
            offset: Number of findings to skip.
            **filter_values: finding_id, author, dataset, ghost_type, column, severity, status,
                tags, search, start_date, end_date, include_deleted.

        Returns:
            Dictionaries with finding_id, report_id, position, dataset, ghost_type, column,
            severity, description, row_count, share, metadata, seen_at, status, tags,
            comment_count, first_seen, last_seen, times_seen.
        """
        query = filters.build_finding_query(report_id=report_id, **filter_values)
        return [
            converters.summary_to_row(found)
            for found in self._context.store.scan(query, filters.make_page(limit, offset))
        ]

    def count(self, report_id: str | None = None, **filter_values: Unpack[filters.FindingFilters]) -> int:
        """Count the findings that :meth:`query` would list without a limit."""
        return self._context.store.count(filters.build_finding_query(report_id=report_id, **filter_values))

    def load_rows(self, report_id: str, position: int, limit: int | None = 100, offset: int = 0) -> list[Any]:
        """Return one page of a finding's affected row positions; empty where none are known.

        Raises:
            InvalidInputError: A number is negative or no whole number.
        """
        page = filters.make_page(limit, offset)
        place = filters.require_whole_number(position, "position")
        packed = None
        if validation.is_valid_id(report_id) and 0 <= place <= _MAX_POSITION:
            packed = self._context.store.finding_rows(report_id, place)
        return (
            row_positions.read_positions_page(packed, page.offset, page.limit) if packed is not None else []
        )

    def find_samples(self, evidence: Evidence, finding_id: str, column: str) -> FindingSamples | None:
        """Return the samples of a finding by its current id, or by the id that it had when it was saved.

        Args:
            evidence: The evidence of a report with the finding.
            finding_id: The current id of the finding.
            column: Its column: only ids of samples of this column, or of whole rows, are resolved.
        """
        if finding_id in evidence.samples:
            return evidence.samples[finding_id]
        for former, samples in evidence.samples.items():
            if samples.column in ("", column) and self.resolve_id(former) == finding_id:
                return samples
        return None

    def place_samples(self, evidence: Evidence, findings: Sequence[tuple[str, GhostFinding]]) -> Evidence:
        """Return evidence with the samples by the places of these findings in the list, and no others.

        Args:
            evidence: The evidence of a report with the findings.
            findings: The findings with their current ids.
        """
        found = (self.find_samples(evidence, name, each.column) for name, each in findings)
        samples = {str(place): each for place, each in enumerate(found) if each is not None}
        return replace(evidence, samples=samples)

    def resolve_id(self, finding_id: str) -> str:
        """Return the current id of a finding; an unknown id is returned unchanged."""
        return self._context.resolve_finding(finding_id)

    def require(self, finding_ids: Iterable[str]) -> None:
        """Raise an error for a finding that no report has: a decision on a mistyped id would be lost.

        Args:
            finding_ids: Current or old ids.

        Raises:
            NotFoundError: No report has one of the findings.
        """
        current = {each: self.resolve_id(each) for each in finding_ids}
        # PostgreSQL cannot be asked for every text, such as one with a NUL character.
        possible = [each for each in current.values() if validation.is_valid_id(each)]
        known = {found.finding_id for found in self._context.store.read_identities(possible)}
        for asked, name in current.items():
            if name not in known:
                raise NotFoundError(f"There is no finding {asked[:200]!r} in any report.")

    def find_merged(self, finding_id: str) -> list[str]:
        """Return the ids of the findings that were merged into this one."""
        name = self._context.resolve_finding(finding_id)
        into = merged_into_map(
            self._context.store.scan(FlatRecordQuery(RecordKind.TRIAGE, merged=True), ALL_ITEMS)
        )
        return [merged for merged in into if _follow_merges(into, merged) == name]


def _follow_merges(into: Mapping[str, str], name: str) -> str:
    """Follow merges of merges to the finding that is left."""
    for _ in into:
        name = into.get(name, name)
    return name
