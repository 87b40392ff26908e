"""Queries of the inbox: findings over all reports, runs of datasets, and when a fixed finding regressed.

The definition of a regression is :func:`lavendertown.records.identities.find_regression`; contract tests
compare the SQL with it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.core import statuses
from lavendertown.core.findings import SEVERITIES
from lavendertown.core.fingerprints import executed_check_keys
from lavendertown.records.identities import (
    MAX_RUNS,
    Acceptance,
    AnnotationText,
    DatasetRuns,
    Identity,
    LastOccurrences,
    StatusChange,
)
from lavendertown.records.record_classes import AuditEvent
from lavendertown.stores.sql.schema.tables import (
    annotations_table,
    audit_log,
    findings,
    identities,
    identity_tags,
    reports,
)
from lavendertown.stores.sql.statements.conditions import ACCEPTED_CODE, FIXED_CODE, SEVERITY_CODES, in_list
from lavendertown.stores.sql.writing.audit_log import EVENT_COLUMNS, event_from_row

# Not a join: without statistics, as after an import, PostgreSQL would start with a scan of all reports.
IN_LIVE_REPORT = (
    sa.select(reports.c.deleted_at.is_(None))
    .where(reports.c.key == findings.c.report_key)
    .correlate(findings)
    .scalar_subquery()
)
"""The condition that the report of an occurrence is not deleted."""


def first_occurrence_after(
    table: sa.Table, identity_key: sa.Column[int], fixed_at: sa.Column[dt.datetime]
) -> sa.ScalarSelect[dt.datetime]:
    """Return a subquery for the time of the first occurrence in a live report after a fix.

    Args:
        table: The table of the enclosing statement.
        identity_key: The table's column with the key of the finding's identity.
        fixed_at: The table's column with the time at which the finding was set to fixed.
    """
    return (
        sa.select(sa.func.min(findings.c.seen_at))
        .where(findings.c.identity_key == identity_key, findings.c.seen_at > fixed_at, IN_LIVE_REPORT)
        .correlate(table)
        .scalar_subquery()
    )


_I, _T, _A, _R, _F, _E = (
    identities.c,
    identity_tags.c,
    annotations_table.c,
    reports.c,
    findings.c,
    audit_log.c,
)
MAX_NEW_EVENTS = 1000
"""How many of the newest audit events are compared to find new ones."""

_IS_SEEN = _I.times_seen > 0
_IDENTITIES = sa.select(
    _I.key, _I.fingerprint, _I.dataset, _I.ghost_type, _I.column_name, _I.description, _I.severity,
    _I.status, _I.fixed_at, _I.regressed_at, _I.first_seen, _I.last_seen, _I.times_seen,
    _I.comment_count, _I.last_count, _I.last_share, _I.check_key,
).where(_IS_SEEN)  # fmt: skip
_TAGS = sa.select(_T.identity_key, _T.tag).order_by(_T.identity_key, _T.tag)
_ANNOTATION_TEXTS = (
    sa.select(_I.fingerprint, _A.author, _A.search_text)
    .join_from(annotations_table, identities, _I.key == _A.identity_key)
    .where(_A.deleted_at.is_(None))
)
_NUMBERED_RUNS = (
    sa.select(
        _R.key, _R.id, _R.dataset, _R.created_at,
        sa.func.row_number()
        .over(partition_by=_R.dataset, order_by=(_R.created_at.desc(), _R.id.desc()))
        .label("recency"),
    )
    .where(_R.deleted_at.is_(None))
)  # fmt: skip
_METADATA = sa.select(_R.key, _R.metadata).where(in_list(_R.key, "keys"))
_READING_DIGEST = _R.metadata["coverage"]["reading"]["digest"].as_string()
_COVERAGE = sa.select(_R.id, _R.dataset, _R.metadata).where(in_list(_R.id, "ids"))
_ACCEPTED_AT = (
    sa.select(_A.identity_key, sa.func.max(_A.created_at).label("accepted_at"))
    .where(_A.deleted_at.is_(None), _A.status == ACCEPTED_CODE)
    .group_by(_A.identity_key)
    .subquery()
)
# A report may have the same finding several times. The sum of bigints is a numeric in PostgreSQL.
_ROWS_IN_REPORT = sa.cast(sa.func.sum(_F.row_count), sa.BigInteger)
_COUNT_WHEN_ACCEPTED = (
    sa.select(_ROWS_IN_REPORT)
    .join(reports, _R.key == _F.report_key)
    .where(_F.identity_key == _I.key, _F.seen_at <= _ACCEPTED_AT.c.accepted_at, _R.deleted_at.is_(None))
    .group_by(_F.seen_at, _R.id)
    .order_by(_F.seen_at.desc(), _R.id.desc())
    .limit(1)
    .correlate(identities, _ACCEPTED_AT)
    .scalar_subquery()
)
_ACCEPTANCES = (
    sa.select(_I.fingerprint, _ACCEPTED_AT.c.accepted_at, _COUNT_WHEN_ACCEPTED)
    .join_from(identities, _ACCEPTED_AT, _I.key == _ACCEPTED_AT.c.identity_key)
    .where(_I.status == ACCEPTED_CODE)
)
_OCCURRENCES = (
    sa.select(
        _I.fingerprint, _F.report_key, _R.id.label("report_id"), _ROWS_IN_REPORT.label("row_count"),
        sa.func.row_number()
        .over(partition_by=_F.identity_key, order_by=(_F.seen_at.desc(), _R.id.desc()))
        .label("recency"),
    )
    .join_from(findings, identities, _I.key == _F.identity_key)
    .join(reports, _R.key == _F.report_key)
    .where(in_list(_I.fingerprint, "names"), _R.deleted_at.is_(None))
    .group_by(_I.fingerprint, _F.identity_key, _F.seen_at, _F.report_key, _R.id)
    .subquery()
)  # fmt: skip
_O = _OCCURRENCES.c
_LAST_OCCURRENCES = (
    sa.select(_O.fingerprint, _O.report_key, _O.report_id, _O.row_count)
    .where(_O.recency <= MAX_RUNS)
    .order_by(_O.fingerprint, _O.recency)
)
_LAST_DESCRIPTIONS = (
    sa.select(_I.fingerprint, _F.report_key, _R.id, _F.position, _F.description)
    .join_from(findings, identities, _I.key == _F.identity_key)
    .join(reports, _R.key == _F.report_key)
    .where(in_list(_I.fingerprint, "names"), in_list(_F.report_key, "keys"))
    .order_by(_F.position.desc())
)
_FINGERPRINTS = (
    sa.select(_I.fingerprint)
    .join_from(findings, identities, _I.key == _F.identity_key)
    .join(reports, _R.key == _F.report_key)
    .where(in_list(_R.id, "ids"))
    .distinct()
)
_FIRST_AFTER = first_occurrence_after(annotations_table, _A.identity_key, _A.created_at)
_STATUS_CHANGES = (
    sa.select(
        _I.fingerprint, _A.created_at, _A.status, _A.author,
        sa.case((_A.status == FIXED_CODE, _FIRST_AFTER)),
    )
    .join_from(annotations_table, identities, _I.key == _A.identity_key)
    .where(_A.deleted_at.is_(None), _A.status.is_not(None))
    .order_by(_A.created_at, _A.id)
)  # fmt: skip
_NEWEST_KEYS = sa.select(_E.key).order_by(_E.key.desc()).limit(MAX_NEW_EVENTS)
_NEW_EVENTS = sa.select(*EVENT_COLUMNS).where(in_list(_E.key, "keys")).order_by(_E.key)


def read_identities(
    connection: sa.Connection, fingerprints: Sequence[str] | None, datasets: Sequence[str] | None
) -> Iterator[Identity]:
    """Yield the identities of the findings in live reports."""
    statement: sa.Select[Any] = _IDENTITIES
    values: dict[str, list[str]] = {}
    if fingerprints is not None:
        statement = statement.where(in_list(_I.fingerprint, "names"))
        values["names"] = list(fingerprints)
    if datasets is not None:
        statement = statement.where(in_list(_I.dataset, "datasets"))
        values["datasets"] = list(datasets)
    rows = connection.execute(statement, values).all()
    few = len(rows) < MAX_NEW_EVENTS
    tags: dict[int, tuple[str, ...]] = defaultdict(tuple)
    tags_statement = _TAGS.where(in_list(_T.identity_key, "keys")) if few else _TAGS
    for key, tag in connection.execute(tags_statement, {"keys": [row.key for row in rows]} if few else {}):
        tags[key] += (tag,)
    for key, fingerprint, dataset, kind, column, text, severity, status, *rest in rows:
        labels = (SEVERITIES[severity], statuses.NAMES[status])
        yield Identity._make((fingerprint, dataset, kind, column, text, *labels, *rest, tags[key]))


def read_annotation_texts(
    connection: sa.Connection, fingerprints: Sequence[str] | None
) -> Iterable[AnnotationText]:
    """Return the texts of the live annotations."""
    if fingerprints is None:
        return map(AnnotationText._make, connection.execute(_ANNOTATION_TEXTS).all())
    statement = _ANNOTATION_TEXTS.where(in_list(_I.fingerprint, "names"))
    return map(AnnotationText._make, connection.execute(statement, {"names": list(fingerprints)}).all())


def read_latest_runs(connection: sa.Connection, datasets: Sequence[str] | None) -> dict[str, DatasetRuns]:
    """Return the latest runs of each dataset."""
    runs = _NUMBERED_RUNS if datasets is None else _NUMBERED_RUNS.where(in_list(_R.dataset, "datasets"))
    numbered = runs.subquery()
    newest = (
        sa.select(numbered.c.key, numbered.c.id, numbered.c.dataset, numbered.c.created_at)
        .where(numbered.c.recency <= MAX_RUNS)
        .order_by(numbered.c.dataset, numbered.c.recency)
    )
    rows_by_dataset: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(newest, {} if datasets is None else {"datasets": list(datasets)}):
        rows_by_dataset[row.dataset].append(row)
    latest_keys = {dataset: rows[0].key for dataset, rows in rows_by_dataset.items()}
    metadata_rows = connection.execute(_METADATA, {"keys": list(latest_keys.values())})
    metadata = {key: data for key, data in metadata_rows}  # noqa: C416
    all_keys = [row.key for rows in rows_by_dataset.values() for row in rows]
    digests = _read_reading_digests(connection, all_keys)
    return {
        dataset: DatasetRuns(
            tuple(row.created_at for row in rows),
            tuple(row.id for row in rows),
            executed_check_keys(metadata.get(latest_keys[dataset]) or {}, dataset),
            tuple(digests.get(row.key) or "" for row in rows),
        )
        for dataset, rows in rows_by_dataset.items()
    }


def _read_reading_digests(connection: sa.Connection, keys: Sequence[int]) -> dict[int, str | None]:
    """Return the digests of the settings that were given for these reports.

    The database takes them from the metadata, which is much faster than to decode all of it.
    """
    digest: sa.ColumnElement[str] = _READING_DIGEST
    if connection.dialect.name != "postgresql":
        # PostgreSQL stores no text that is not JSON. Elsewhere one damaged report must not hide all findings.
        digest = sa.case((sa.func.json_valid(sa.type_coerce(_R.metadata, sa.String)) == 1, digest))
    statement = sa.select(_R.key, digest).where(in_list(_R.key, "keys"))
    return {key: found for key, found in connection.execute(statement, {"keys": list(keys)})}  # noqa: C416


def read_executed_check_keys(
    connection: sa.Connection, report_ids: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Return the keys of the checks that each of these reports completed."""
    rows = connection.execute(_COVERAGE, {"ids": list(report_ids)})
    return {row.id: executed_check_keys(row.metadata or {}, row.dataset) for row in rows}


def read_acceptances(connection: sa.Connection, fingerprints: Sequence[str] | None) -> dict[str, Acceptance]:
    """Return the acceptance of each finding whose status is accepted."""
    statement = _ACCEPTANCES
    if fingerprints is not None:
        statement = statement.where(in_list(_I.fingerprint, "names"))
    rows = connection.execute(statement, {} if fingerprints is None else {"names": list(fingerprints)})
    return {fingerprint: Acceptance(accepted_at, count) for fingerprint, accepted_at, count in rows}


def read_last_occurrences(
    connection: sa.Connection, fingerprints: Sequence[str]
) -> dict[str, LastOccurrences]:
    """Return the last occurrences of these findings, by fingerprint."""
    occurrences: dict[str, list[Any]] = defaultdict(list)
    for fingerprint, *row in connection.execute(_LAST_OCCURRENCES, {"names": list(fingerprints)}):
        occurrences[fingerprint].append(row)
    last_reports = {fingerprint: rows[0][0] for fingerprint, rows in occurrences.items()}
    description_rows = connection.execute(
        _LAST_DESCRIPTIONS, {"names": list(occurrences), "keys": list(set(last_reports.values()))}
    )
    descriptions = {(fingerprint, key): rest for fingerprint, key, *rest in description_rows}
    return {
        fingerprint: LastOccurrences._make(
            (
                *descriptions[fingerprint, last_reports[fingerprint]],
                tuple((report_id, count) for _, report_id, count in rows),
            )
        )
        for fingerprint, rows in occurrences.items()
    }


def read_fingerprints(
    connection: sa.Connection, report_ids: Sequence[str], severities: Sequence[str]
) -> frozenset[str]:
    """Return the fingerprints of the findings in these reports."""
    if not severities:
        return frozenset(connection.scalars(_FINGERPRINTS, {"ids": list(report_ids)}))
    codes = [SEVERITY_CODES[severity] for severity in severities if severity in SEVERITY_CODES]
    statement = _FINGERPRINTS.where(in_list(_F.severity, "codes"))
    return frozenset(connection.scalars(statement, {"ids": list(report_ids), "codes": codes}))


def read_status_changes(connection: sa.Connection, datasets: Sequence[str] | None) -> list[StatusChange]:
    """Return the status changes by live annotations, oldest first."""
    statement, values = _STATUS_CHANGES, {}
    if datasets is not None:
        statement, values = statement.where(in_list(_I.dataset, "datasets")), {"datasets": list(datasets)}
    return [
        StatusChange(fingerprint, at, statuses.NAMES[status], author, regressed_at)
        for fingerprint, at, status, author, regressed_at in connection.execute(statement, values)
    ]


def read_new_events(
    connection: sa.Connection, mark: frozenset[int] | None
) -> tuple[frozenset[int], Sequence[AuditEvent] | None]:
    """Return the keys of the newest events, and the events whose keys are not in the mark.

    A lower key may be committed after a higher one, so all of the newest keys are compared. The events are
    None if there is no mark, or if too many were written since to compare.
    """
    newest = frozenset(connection.scalars(_NEWEST_KEYS))
    if mark is None:
        return newest, None
    new_keys = newest - mark
    if len(newest) == MAX_NEW_EVENTS and not (newest & mark):
        return newest, None
    rows = connection.execute(_NEW_EVENTS, {"keys": sorted(new_keys)}).all() if new_keys else ()
    return newest, [event_from_row(row) for row in rows]
