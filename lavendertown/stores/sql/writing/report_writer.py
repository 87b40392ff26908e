"""Writing reports, their findings and the data derived from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.core.findings import SEVERITIES
from lavendertown.records.record_classes import ReportRecord
from lavendertown.records.search_text import finding_text, report_text
from lavendertown.records.summaries import count_severities
from lavendertown.stores.sql.reading.record_reader import FINDING_MAPPER, REPORT_MAPPER
from lavendertown.stores.sql.schema.tables import finding_rows, findings, report_tags, report_texts, reports
from lavendertown.stores.sql.statements.conditions import in_list
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.writing.identities import Identities, fold_occurrences

# More than any single save has; limits the memory of an import.
_ROWS_AT_ONCE = 5_000
_INSERT = sa.insert(reports)
_INSERT_FINDING = sa.insert(findings)
_INSERT_ROWS = sa.insert(finding_rows)
_INSERT_TAG = sa.insert(report_tags)
_INSERT_TEXT = sa.insert(report_texts)
_NEWEST_KEY = sa.select(sa.func.coalesce(sa.func.max(reports.c.key), 0))
_NEXT_KEYS = sa.text("SELECT nextval(pg_get_serial_sequence('reports', 'key')) FROM generate_series(1, :n)")
_KEYS_BY_ID = sa.select(reports.c.id, reports.c.key).where(in_list(reports.c.id, "ids"))
_IDENTITIES_OF_REPORTS = (
    sa.select(findings.c.identity_key).distinct().where(in_list(findings.c.report_key, "keys"))
)
_DELETE_DETAILS = [
    sa.delete(table).where(in_list(table.c.report_key, "keys"))
    for table in (finding_rows, findings, report_tags, report_texts)
]
_COUNT_COLUMNS = ("finding_count", *(f"{severity}_count" for severity in SEVERITIES))
_REPORT_COLUMNS = (*REPORT_MAPPER.column_names, *_COUNT_COLUMNS)
"""All columns except the key."""
_DELETION_COLUMNS = ("updated_at", "version", "deleted_at")
_UPDATE = (
    sa.update(reports)
    .where(reports.c.key == sa.bindparam("k"))
    .values({column: sa.bindparam(f"v_{column}", type_=reports.c[column].type) for column in _REPORT_COLUMNS})
)
_UPDATE_DELETED = (
    sa.update(reports)
    .where(reports.c.key == sa.bindparam("k"))
    .values(
        {column: sa.bindparam(f"v_{column}", type_=reports.c[column].type) for column in _DELETION_COLUMNS}
    )
)


def write_reports(
    batch: StatementBatch,
    identities: Identities,
    records: Sequence[ReportRecord],
    new_ids: set[str],
    summary_only_ids: frozenset[str],
) -> None:
    """Write reports: new ones, changed ones, and those that are only deleted or restored.

    Args:
        batch: Executes the statements.
        identities: The identities of the transaction.
        records: The reports.
        new_ids: The ids of new reports.
        summary_only_ids: The ids of reports that are only deleted or restored.
    """
    new = [record for record in records if record.id in new_ids]
    deleted_or_restored = [record for record in records if record.id in summary_only_ids]
    changed = [r for r in records if r.id not in new_ids and r.id not in summary_only_ids]
    touched: set[int] = set()
    connection = batch.connection
    keys = _new_keys(batch, new)
    if new:
        batch.execute(_INSERT, [{"key": keys[r.id], **_report_row(r)} for r in new])
    if deleted_or_restored or changed:
        stored_ids = [record.id for record in (*deleted_or_restored, *changed)]
        keys |= dict(connection.execute(_KEYS_BY_ID, {"ids": stored_ids}).all())
        touched |= set(
            connection.scalars(
                _IDENTITIES_OF_REPORTS, {"keys": [keys[record_id] for record_id in stored_ids]}
            )
        )
    if deleted_or_restored:
        batch.execute(
            _UPDATE_DELETED,
            [_update_parameters(record, keys, _DELETION_COLUMNS) for record in deleted_or_restored],
        )
    if changed:
        _delete_details(batch, [keys[record.id] for record in changed])
        batch.execute(_UPDATE, [_update_parameters(record, keys, _REPORT_COLUMNS) for record in changed])
    written = [*new, *changed]
    if written:
        identity_keys = _write_findings(batch, identities, written, keys, new_ids)
        touched |= {identity_keys[f.fingerprint] for record in changed for f in record.findings}
        _write_search_values(batch, written, keys)
    identities.recompute_counts(touched | identities.to_recount)
    identities.reopen_regressed(identities.to_reopen)


def _new_keys(batch: StatementBatch, new: Sequence[ReportRecord]) -> dict[str, int]:
    if not new:
        return {}
    if batch.connection.dialect.name == "postgresql":
        keys = [row[0] for row in batch.fetch_rows(_NEXT_KEYS, {"n": len(new)})]
    else:
        newest = batch.fetch_rows(_NEWEST_KEY, {})[0][0]
        keys = list(range(newest + 1, newest + 1 + len(new)))
    return dict(zip((record.id for record in new), keys, strict=True))


def _delete_details(batch: StatementBatch, keys: Sequence[int]) -> None:
    for statement in _DELETE_DETAILS:
        batch.execute(statement, [{"keys": keys}])


def _update_parameters(record: ReportRecord, keys: dict[str, int], columns: Sequence[str]) -> dict[str, Any]:
    row = _report_row(record)
    return {"k": keys[record.id], **{f"v_{column}": row[column] for column in columns}}


def _report_row(record: ReportRecord) -> dict[str, Any]:
    by_severity = {f"{name}_count": count for name, count in count_severities(record).items()}
    return REPORT_MAPPER.to_row(record) | {"finding_count": len(record.findings)} | by_severity


def _write_findings(
    batch: StatementBatch,
    identities: Identities,
    records: Sequence[ReportRecord],
    keys: dict[str, int],
    new_ids: set[str],
) -> dict[str, int]:
    # Only live new reports are counted here; recompute_counts counts the others.
    identity_keys = identities.upsert_identities(
        fold_occurrences(
            (record.findings, record.created_at, int(record.id in new_ids and record.deleted_at is None))
            for record in sorted(records, key=lambda record: (record.created_at, record.id))
        )
    )
    rows: list[dict[str, Any]] = []
    packed: list[dict[str, Any]] = []
    for record in records:
        rows += _finding_values(record, keys[record.id], identity_keys)
        packed += _packed_row_values(record, keys)
        if len(rows) >= _ROWS_AT_ONCE:
            batch.execute(_INSERT_FINDING, rows)
            batch.execute(_INSERT_ROWS, packed)
            rows, packed = [], []
    batch.execute(_INSERT_FINDING, rows)
    batch.execute(_INSERT_ROWS, packed)
    return identity_keys


def _finding_values(record: ReportRecord, key: int, identity_keys: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "report_key": key,
            "position": position,
            "identity_key": identity_keys[finding.fingerprint],
            "seen_at": record.created_at,
            "search_text": finding_text(finding),
            **FINDING_MAPPER.to_row(finding),
        }
        for position, finding in enumerate(record.findings)
    ]


def _packed_row_values(record: ReportRecord, keys: Mapping[str, int]) -> list[dict[str, Any]]:
    key = keys[record.id]
    return [
        {"report_key": key, "position": position, "data": finding.rows}
        for position, finding in enumerate(record.findings)
        if finding.rows is not None
    ]


def _write_search_values(
    batch: StatementBatch, records: Sequence[ReportRecord], keys: dict[str, int]
) -> None:
    texts = [{"report_key": keys[r.id], "text": report_text(r)} for r in records]
    batch.execute(_INSERT_TEXT, texts)
    tags = [{"report_key": keys[r.id], "tag": tag} for r in records for tag in r.tags]
    batch.execute(_INSERT_TAG, tags)
