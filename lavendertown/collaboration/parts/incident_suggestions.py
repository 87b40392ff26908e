"""Suggest which findings of a run have the same cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lavendertown.collaboration.parts.context import StorageContext
from lavendertown.core import statuses
from lavendertown.core.findings import WHOLE_ROW
from lavendertown.records.queries import FindingQuery
from lavendertown.records.record_classes import FindingSummary, Page

MAX_SUGGESTED = 50
_MAX_READ = 200
_WHOLE_TABLE = ("", WHOLE_ROW)


class CommonTrait(StrEnum):
    """What suggested findings have in common, in one run."""

    ROWS = "rows"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class RelatedFindings:
    """The findings that one run found together with a finding.

    Attributes:
        trait: What they have in common.
        finding_ids: The ids of the others.
    """

    trait: CommonTrait
    finding_ids: tuple[str, ...]


def find_related(context: StorageContext, finding_id: str) -> RelatedFindings | None:
    """Return the open findings in the last run of an open finding that may have the same cause.

    These are the findings with nearly the same rows (:mod:`lavendertown.detectors.related`), or else those on
    the same column.

    Args:
        context: The storage.
        finding_id: The current id of the finding.
    """
    last = context.store.last_occurrences([finding_id]).get(finding_id)
    if last is None:
        return None
    own_query = FindingQuery(report_id=last.report_id, finding_id=(finding_id,))
    own = next(iter(context.store.scan(own_query, Page(1))), None)
    if own is None or statuses.is_closed(own.status):
        return None
    related = _related_checks(own)
    columns = {column for _, column in related} | {own.column}.difference(_WHOLE_TABLE)
    if not columns:
        return None
    query = FindingQuery(report_id=last.report_id, column=tuple(sorted(columns)), status=statuses.OPEN_NAMES)
    found = [
        each
        for each in context.store.scan(query, Page(_MAX_READ))
        if each.finding_id != finding_id and each.dataset == own.dataset
    ]
    same_rows = _ids(each for each in found if (str(each.metadata.get("check")), each.column) in related)
    if same_rows:
        return RelatedFindings(CommonTrait.ROWS, same_rows)
    same_column = _ids(each for each in found if each.column == own.column and own.column not in _WHOLE_TABLE)
    return RelatedFindings(CommonTrait.COLUMN, same_column) if same_column else None


def _related_checks(finding: FindingSummary) -> set[tuple[str, str]]:
    """Return check and column of the findings with nearly the same rows."""
    related: Any = finding.metadata.get("related")
    if not isinstance(related, Sequence) or isinstance(related, str):
        return set()
    return {(str(each.get("check")), str(each.get("column"))) for each in related if isinstance(each, dict)}


def _ids(findings: Iterable[FindingSummary]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.finding_id for each in findings))[:MAX_SUGGESTED]
