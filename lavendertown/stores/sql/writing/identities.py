"""The identities of findings: creating them, and counting their occurrences."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lavendertown.core import clock
from lavendertown.core.fingerprints import check_key, has_check_settings, mask_description, matches_masked
from lavendertown.records.identities import add_counts, add_shares, adopted_finding
from lavendertown.records.record_classes import FindingRecord
from lavendertown.records.search_text import identity_text
from lavendertown.stores.sql.reading.inbox_queries import IN_LIVE_REPORT
from lavendertown.stores.sql.schema.tables import findings, identities, reports
from lavendertown.stores.sql.statements.column_types import UtcDateTime
from lavendertown.stores.sql.statements.conditions import OPEN_CODE, SEVERITY_CODES, in_list
from lavendertown.stores.sql.statements.execution import StatementBatch, in_chunks
from lavendertown.stores.sql.writing.identity_lookup import (
    LOCK_IDENTITIES,
    IdentityLookup,
    IdentityRow,
    upsert_identity_rows,
)

_I = identities.c
_OCCURRENCES_AT_ONCE = 2_000

_FIRST, _LAST = sa.bindparam("first", type_=UtcDateTime()), sa.bindparam("last", type_=UtcDateTime())
_IS_PLACEHOLDER = _I.times_seen == 0
_IS_COUNTED = sa.bindparam("n", type_=sa.Integer()) > 0
_IS_NEWEST = sa.or_(_IS_PLACEHOLDER, _IS_COUNTED & (_I.last_seen <= _LAST))
_ADD_COUNTS = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"))
    .values(
        first_seen=sa.case(
            (sa.or_(_IS_PLACEHOLDER, _IS_COUNTED & (_I.first_seen > _FIRST)), _FIRST), else_=_I.first_seen
        ),
        last_seen=sa.case(
            (sa.or_(_IS_PLACEHOLDER, _IS_COUNTED & (_I.last_seen < _LAST)), _LAST), else_=_I.last_seen
        ),
        times_seen=_I.times_seen + sa.bindparam("n"),
        last_count=sa.case((_IS_NEWEST, sa.bindparam("rows", type_=sa.BigInteger())), else_=_I.last_count),
        last_share=sa.case((_IS_NEWEST, sa.bindparam("share", type_=sa.Double())), else_=_I.last_share),
    )
)
# For SQLite, which has one writer at a time, and for the usual case that the occurrence is the newest.
_ADD_NEWEST_COUNTS = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"))
    .values(
        last_seen=_LAST,
        times_seen=_I.times_seen + sa.bindparam("n"),
        last_count=sa.bindparam("rows", type_=sa.BigInteger()),
        last_share=sa.bindparam("share", type_=sa.Double()),
    )
)
# One statement for all rows: executemany would send one UPDATE per row.
_ADD_COUNTS_POSTGRES = sa.text(
    """
    UPDATE identities AS i SET
        first_seen = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.first < i.first_seen)
            THEN s.first ELSE i.first_seen END,
        last_seen = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.last > i.last_seen)
            THEN s.last ELSE i.last_seen END,
        times_seen = i.times_seen + s.n,
        last_count = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.last >= i.last_seen)
            THEN s.rows ELSE i.last_count END,
        last_share = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.last >= i.last_seen)
            THEN s.share ELSE i.last_share END
    FROM unnest(
        CAST(:k AS bigint[]), CAST(:n AS integer[]), CAST(:first AS timestamptz[]),
        CAST(:last AS timestamptz[]), CAST(:rows AS bigint[]), CAST(:share AS double precision[])
    ) AS s (k, n, first, last, rows, share)
    WHERE i.key = s.k
    """
)
_INSERT_IDENTITIES = sa.insert(identities)
# A separate statement, because a changed severity is rare.
_SET_SEVERITY = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), sa.or_(_I.times_seen == 0, _I.last_seen <= _LAST))
    .values(severity=sa.bindparam("code"))
)
_SET_DESCRIPTION = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), _I.last_seen <= _LAST)
    .values(description=sa.bindparam("p_description"), search_text=sa.bindparam("p_search_text"))
)
# Separate, too: only a check whose settings were changed has another key.
_SET_CHECK_KEY = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), _I.last_seen <= _LAST)
    .values(check_key=sa.bindparam("p_check_key"))
)
_DESCRIPTION_COLUMNS = ("dataset", "ghost_type", "column_name", "description", "check_key", "search_text")
_FILL_PLACEHOLDER = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), _I.times_seen == 0)
    .values({name: sa.bindparam(f"p_{name}") for name in _DESCRIPTION_COLUMNS})
)
_DESCRIBE = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"))
    .values({name: sa.bindparam(f"p_{name}") for name in _DESCRIPTION_COLUMNS})
)
_DATASETS = sa.select(reports.c.dataset).distinct().order_by(reports.c.dataset)


@dataclass(slots=True)
class OccurrenceTotals:
    """The occurrences of one finding in a change set: the newest, the first and last time, the count."""

    finding: FindingRecord
    first: dt.datetime
    last: dt.datetime
    count: int


def fold_occurrences(
    reports: Iterable[tuple[Sequence[FindingRecord], dt.datetime, int]],
) -> dict[str, OccurrenceTotals]:
    """Combine the occurrences in reports into totals for each fingerprint.

    A report counts once for a finding, with the rows of all its positions, and is otherwise like the first
    of them. Deleted reports do not
    count; they matter only for findings that no other report has.

    Args:
        reports: The findings, time and count of each report; the count is 0 for deleted reports, else 1.
    """
    totals: dict[str, OccurrenceTotals] = {}
    for occurrences, at, count in reports:
        report_totals = {
            finding.fingerprint: OccurrenceTotals(finding, at, at, count) for finding in reversed(occurrences)
        }
        if len(report_totals) < len(occurrences):
            _add_repeated(report_totals, occurrences)
        if not totals:
            totals = report_totals
            continue
        for fingerprint, occurrence in report_totals.items():
            total = totals.get(fingerprint)
            if total is None or count > total.count == 0:
                totals[fingerprint] = occurrence
            elif count or not total.count:
                if at >= total.last:
                    total.finding, total.last = occurrence.finding, at
                total.first = min(total.first, at)
                total.count += count
    return totals


def _add_repeated(totals: Mapping[str, OccurrenceTotals], occurrences: Sequence[FindingRecord]) -> None:
    """Add up the rows of the findings that are in one report several times."""
    repeated: dict[str, list[FindingRecord]] = defaultdict(list)
    for finding in occurrences:
        repeated[finding.fingerprint].append(finding)
    for fingerprint, found in repeated.items():
        if len(found) > 1:
            totals[fingerprint].finding = found[0]._replace(
                row_count=add_counts(each.row_count for each in found),
                share=add_shares(each.share for each in found),
            )


def write_counts(batch: StatementBatch, pairs: Sequence[tuple[IdentityRow, OccurrenceTotals]]) -> None:
    """Add occurrences to the counts of stored identities."""
    rows = [_count_parameters(identity, occurrence) for identity, occurrence in pairs]
    if batch.connection.dialect.name == "postgresql":
        for chunk in in_chunks(rows, _OCCURRENCES_AT_ONCE):
            batch.execute(_ADD_COUNTS_POSTGRES, [{name: [row[name] for row in chunk] for name in chunk[0]}])
        return
    newest: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for row, (identity, occurrence) in zip(rows, pairs, strict=True):
        (newest if _is_later(identity, occurrence) else others).append(row)
    batch.execute(_ADD_NEWEST_COUNTS, newest)
    batch.execute(_ADD_COUNTS, others)


def _count_parameters(identity: IdentityRow, occurrence: OccurrenceTotals) -> dict[str, Any]:
    return {
        "k": identity.key,
        "n": occurrence.count,
        "first": occurrence.first,
        "last": occurrence.last,
        "rows": occurrence.finding.row_count,
        "share": occurrence.finding.share,
    }


def _is_later(identity: IdentityRow, occurrence: OccurrenceTotals) -> bool:
    """Return whether an occurrence is later than all counted ones; on SQLite, which has one writer."""
    if not (occurrence.count and identity.times_seen and isinstance(identity.last_seen, int)):
        return False
    return identity.last_seen < clock.to_microseconds(occurrence.first)


class Identities(IdentityLookup):
    """Create, count and describe identities inside one transaction.

    Attributes:
        to_reopen: Keys of findings that were fixed and are seen again.
        to_recount: Keys to recompute: those of two findings in one change set, which were merged; and those
            seen in two reports of the same time, of which the one with the higher id counts as the last.
    """

    def __init__(self, connection: sa.Connection, batch: StatementBatch | None = None) -> None:
        super().__init__(connection, batch)
        self.to_reopen: set[int] = set()
        self.to_recount: set[int] = set()
        self._datasets: list[str] | None = None

    def upsert_identities(self, occurrences: Mapping[str, OccurrenceTotals]) -> dict[str, int]:
        """Create or update the identities of findings; return their keys by fingerprint."""
        legacy_ids = {s.finding.legacy_id: name for name, s in occurrences.items()}
        identities_by_name = self.find_identities([*occurrences, *legacy_ids])
        for legacy_id, name in legacy_ids.items():
            placeholder = identities_by_name.get(legacy_id)
            # An identity with another fingerprint is not a placeholder: the old id is its alias.
            if (
                placeholder
                and placeholder.fingerprint == legacy_id
                and not placeholder.times_seen
                and legacy_id not in occurrences
            ):
                identities_by_name[name] = self._replace_placeholder(
                    legacy_id, placeholder, name, identities_by_name.get(name)
                )
        # All writers use the same order, to avoid deadlocks. New findings of a report get neighboring keys,
        # so that the next report touches few pages.
        stored = [(identities_by_name[name], name) for name in occurrences if name in identities_by_name]
        stored_in_order = sorted(stored, key=lambda pair: pair[0].key)
        keys = {name: identity.key for identity, name in stored_in_order}
        if len(stored_in_order) < len(occurrences):
            new_names = sorted(
                (name for name in occurrences if name not in keys),
                key=lambda name: (occurrences[name].finding.dataset, occurrences[name].finding.column, name),
            )
            keys |= self._insert_identities(new_names, occurrences)
        if stored_in_order:
            self._update_identities(stored_in_order, occurrences)
        return keys

    def recompute_counts(self, keys: Collection[int]) -> None:
        """Recompute the counts, times and severity of identities from the live reports."""
        if not keys:
            return
        self._batch.flush()
        live_occurrences = (
            sa.select(findings.c.seen_at)
            .where(findings.c.identity_key == _I.key, IN_LIVE_REPORT)
            .correlate(identities)
        )
        report_id = sa.select(reports.c.id).where(reports.c.key == findings.c.report_key).correlate(findings)
        order = (findings.c.seen_at.desc(), report_id.scalar_subquery().desc(), findings.c.position)
        newest = live_occurrences.order_by(*order).limit(1)
        newest_report = (
            newest.with_only_columns(findings.c.report_key).correlate(identities).scalar_subquery()
        )
        repeated = findings.alias()
        in_newest = (
            sa.select(repeated.c.row_count)
            .where(repeated.c.identity_key == _I.key, repeated.c.report_key == newest_report)
            .correlate(identities)
        )
        rows = sa.cast(sa.func.sum(repeated.c.row_count), sa.BigInteger)
        share = sa.func.sum(repeated.c.share)

        def select_scalar(select: sa.Select[Any], column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
            return select.with_only_columns(column).scalar_subquery()

        first, last = (
            select_scalar(live_occurrences, sa.func.min(findings.c.seen_at)),
            select_scalar(live_occurrences, sa.func.max(findings.c.seen_at)),
        )
        values = {
            "times_seen": select_scalar(live_occurrences, sa.func.count(findings.c.report_key.distinct())),
            "first_seen": sa.func.coalesce(first, _I.first_seen),
            "last_seen": sa.func.coalesce(last, _I.last_seen),
            "severity": sa.func.coalesce(select_scalar(newest, findings.c.severity), _I.severity),
            "last_count": select_scalar(in_newest, rows),
            "last_share": select_scalar(in_newest, sa.case((share > 1, 1.0), else_=share)),
        }
        if self._is_postgres:
            self._connection.execute(LOCK_IDENTITIES, {"keys": sorted(keys)})
        statement = sa.update(identities).where(in_list(_I.key, "keys")).values(values)
        self._connection.execute(statement, {"keys": sorted(keys)})
        self.reopen_regressed(keys)

    def describe_unseen(self, identity: IdentityRow, merged: FindingRecord) -> None:
        """Describe a finding without occurrences like the finding that is merged into it.

        If it is the same finding in another dataset, it gets that dataset's name. Otherwise it looks like the
        merged finding, but its description stays empty, so that its first report describes it.
        """
        adopted = adopted_finding(merged, identity.fingerprint, self._known_datasets())
        if adopted is not None:
            # Findings that are adopted together mostly have the same dataset, so it is tried first next time.
            self._known_datasets().sort(key=lambda name: name != adopted.dataset)
            description = _describing_values(adopted)
        elif identity.description:
            return
        else:
            description = {**_describing_values(merged), "description": ""}
        self._batch.execute(_DESCRIBE, [{"k": identity.key, **_as_parameters(description)}])

    def _known_datasets(self) -> list[str]:
        if self._datasets is None:
            self._datasets = list(self.connection.scalars(_DATASETS))
        return self._datasets

    def _insert_identities(
        self, names: list[str], occurrences: Mapping[str, OccurrenceTotals]
    ) -> dict[str, int]:
        rows = [_identity_values(name, occurrences[name]) for name in names]
        if self._is_postgres:
            return upsert_identity_rows(self._batch, rows)
        last_key = self._connection.scalar(sa.select(sa.func.coalesce(sa.func.max(_I.key), 0))) or 0
        keys = {name: last_key + number for number, name in enumerate(names, start=1)}
        self._batch.execute(_INSERT_IDENTITIES, [{"key": keys[r["fingerprint"]], **r} for r in rows])
        return keys

    def _update_identities(
        self, stored: list[tuple[IdentityRow, str]], occurrences: Mapping[str, OccurrenceTotals]
    ) -> None:
        placeholders, undescribed, other_severity, reworded, rechecked = [], [], [], [], []
        previous_key = None
        for identity, name in stored:
            occurrence = occurrences[name]
            finding, key, count = occurrence.finding, identity.key, occurrence.count
            severity_code = SEVERITY_CODES[finding.severity]
            if identity.times_seen == 0 and identity.fingerprint == name:
                placeholders.append({"k": key, **_as_parameters(_describing_values(finding))})
            elif identity.times_seen == 0:
                self.describe_unseen(identity, finding)
            elif identity.fingerprint == name and not identity.description:
                undescribed.append({"k": key, **_as_parameters(_describing_values(finding))})
            elif (
                count
                and identity.fingerprint == name
                and not matches_masked(finding.description, identity.description)
            ):
                reworded.append({"k": key, "last": occurrence.last, **_description_parameters(finding)})
            if (
                count
                and identity.fingerprint == name
                and has_check_settings(finding.metadata, identity.check_key)
            ):
                check = check_key(finding.metadata, finding.dataset, finding.column)
                rechecked.append({"k": key, "last": occurrence.last, "p_check_key": check})
            if identity.severity != severity_code and (count or identity.times_seen == 0):
                other_severity.append({"k": key, "last": occurrence.last, "code": severity_code})
            if key == previous_key or _needs_recount(identity, occurrence, severity_code):
                self.to_recount.add(key)
            if identity.fixed and count:
                self.to_reopen.add(key)
            previous_key = key
        self._batch.execute(_FILL_PLACEHOLDER, placeholders)
        self._batch.execute(_DESCRIBE, undescribed)
        self._batch.execute(_SET_SEVERITY, other_severity)
        self._batch.execute(_SET_DESCRIPTION, reworded)
        self._batch.execute(_SET_CHECK_KEY, rechecked)
        write_counts(self._batch, [(identity, occurrences[name]) for identity, name in stored])


def _needs_recount(identity: IdentityRow, occurrence: OccurrenceTotals, code: int) -> bool:
    """Return whether a finding was seen twice at the same time with other values, so that ids decide."""
    finding = occurrence.finding
    return (
        identity.last_count != finding.row_count
        or identity.last_share != finding.share
        or identity.severity != code
    ) and identity.was_seen_at(occurrence.last)


def _describing_values(finding: FindingRecord) -> dict[str, str]:
    description, text = _description_parameters(finding).values()
    return {
        "dataset": finding.dataset,
        "ghost_type": finding.ghost_type,
        "column_name": finding.column,
        "description": description,
        "check_key": check_key(finding.metadata, finding.dataset, finding.column),
        "search_text": text,
    }


def _as_parameters(description: Mapping[str, str]) -> dict[str, str]:
    return {f"p_{column}": value for column, value in description.items()}


def _description_parameters(finding: FindingRecord) -> dict[str, str]:
    description = mask_description(finding.description)
    text = identity_text(description, finding.column, finding.dataset)
    return {"p_description": description, "p_search_text": text}


def _identity_values(name: str, occurrence: OccurrenceTotals) -> dict[str, Any]:
    finding = occurrence.finding
    return {
        "fingerprint": name,
        **_describing_values(finding),
        "severity": SEVERITY_CODES[finding.severity],
        "status": OPEN_CODE,
        "first_seen": occurrence.first,
        "last_seen": occurrence.last,
        "times_seen": occurrence.count,
        "comment_count": 0,
        "last_count": finding.row_count,
        "last_share": finding.share,
    }
