"""Writing reports, their findings and what is derived from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.database import prepared
from lavendertown.database.identities import Identities
from lavendertown.database.sightings import gather
from lavendertown.database.sql import SEVERITY_CODE, among
from lavendertown.database.tables import (
    finding_rows,
    findings,
    report_tags,
    report_texts,
    reports,
)
from lavendertown.database.writer import Writer
from lavendertown.records.headers import severity_counts
from lavendertown.records.texts import finding_text, report_text
from lavendertown.records.values import FindingRecord, ReportRecord

# More than a save ever has; an import's would take much memory beside the records themselves.
_ROWS_AT_ONCE = 5_000
_INSERT = sa.insert(reports)
_INSERT_FINDING = sa.insert(findings)
_INSERT_ROWS = sa.insert(finding_rows)
_INSERT_TAG = sa.insert(report_tags)
_INSERT_TEXT = sa.insert(report_texts)
_NEWEST_KEY = sa.select(sa.func.coalesce(sa.func.max(reports.c.key), 0))
_NEXT_KEYS = sa.text("SELECT nextval(pg_get_serial_sequence('reports', 'key')) FROM generate_series(1, :n)")
_KEYS = sa.select(reports.c.id, reports.c.key).where(among(reports.c.id, "ids"))
_HELD = sa.select(findings.c.identity_key).distinct().where(among(findings.c.report_key, "keys"))
_CLEAR = [
    sa.delete(table).where(among(table.c.report_key, "keys"))
    for table in (finding_rows, findings, report_tags, report_texts)
]
_HEADER = (
    "title",
    "author",
    "dataset",
    "created_at",
    "updated_at",
    "finding_count",
    "error_count",
    "warning_count",
    "info_count",
    "version",
    "deleted_at",
    "tags",
    "ruleset",
    "metadata",
)
_TRASHED = ("updated_at", "version", "deleted_at")
_UPDATE = (
    sa.update(reports)
    .where(reports.c.key == sa.bindparam("k"))
    .values({column: sa.bindparam(f"v_{column}", type_=reports.c[column].type) for column in _HEADER})
)
_FLIP = (
    sa.update(reports)
    .where(reports.c.key == sa.bindparam("k"))
    .values({column: sa.bindparam(f"v_{column}", type_=reports.c[column].type) for column in _TRASHED})
)


def write(
    writer: Writer,
    identities: Identities,
    records: Sequence[ReportRecord],
    fresh: set[str],
    headers_only: frozenset[str],
) -> None:
    """Write reports: new ones, changed ones, and ones only put into or out of the trash."""
    new = [record for record in records if record.id in fresh]
    flipped = [record for record in records if record.id in headers_only]
    changed = [r for r in records if r.id not in fresh and r.id not in headers_only]
    touched: set[int] = set()
    connection = writer.connection
    keys = _new_keys(connection, new, identities.report_keys)
    if new:
        writer.execute(_INSERT, [{"key": keys[r.id], "id": r.id, **_header(r)} for r in new])
    if flipped or changed:
        old = [record.id for record in (*flipped, *changed)]
        keys |= dict(connection.execute(_KEYS, {"ids": old}).all())
        touched |= set(connection.scalars(_HELD, {"keys": [keys[record_id] for record_id in old]}))
    if flipped:
        writer.execute(_FLIP, [_bound(record, keys, _TRASHED) for record in flipped])
    if changed:
        _clear(writer, [keys[record.id] for record in changed])
        writer.execute(_UPDATE, [_bound(record, keys, _HEADER) for record in changed])
    written = [*new, *changed]
    if written:
        named = _write_findings(writer, identities, written, keys, fresh)
        touched |= {named[f.fingerprint] for record in changed for f in record.findings}
        _write_words(writer, written, keys)
    identities.recount(touched | identities.to_recount)
    identities.judge(identities.to_judge)


def _new_keys(
    connection: sa.Connection, new: Sequence[ReportRecord], foreseen: Sequence[int]
) -> dict[str, int]:
    if not new:
        return {}
    if len(foreseen) >= len(new):
        keys = list(foreseen[: len(new)])
    elif connection.dialect.name == "postgresql":
        keys = [row[0] for row in prepared.rows(connection, _NEXT_KEYS, {"n": len(new)})]
    else:
        newest = prepared.rows(connection, _NEWEST_KEY, {})[0][0]
        keys = list(range(newest + 1, newest + 1 + len(new)))
    return dict(zip((record.id for record in new), keys, strict=True))


def _clear(writer: Writer, keys: Sequence[int]) -> None:
    for statement in _CLEAR:
        writer.execute(statement, [{"keys": keys}])


def _bound(record: ReportRecord, keys: dict[str, int], columns: Sequence[str]) -> dict[str, Any]:
    header = _header(record)
    return {"k": keys[record.id], **{f"v_{column}": header[column] for column in columns}}


def _header(record: ReportRecord) -> dict[str, Any]:
    counts = severity_counts(record)
    return {
        "title": record.title,
        "author": record.author,
        "dataset": record.dataset,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "finding_count": len(record.findings),
        "error_count": counts["error"],
        "warning_count": counts["warning"],
        "info_count": counts["info"],
        "version": record.version,
        "deleted_at": record.deleted_at,
        "tags": list(record.tags) or None,
        "ruleset": record.ruleset,
        "metadata": record.metadata,
    }


def _write_findings(
    writer: Writer,
    identities: Identities,
    records: Sequence[ReportRecord],
    keys: dict[str, int],
    fresh: set[str],
) -> dict[str, int]:
    # Only live new reports count; the others are counted anew.
    named = identities.place(
        gather(
            (record.findings, record.created_at, int(record.id in fresh and record.deleted_at is None))
            for record in sorted(records, key=lambda record: (record.created_at, record.id))
        )
    )
    if len(records) == 1:
        writer.execute_columns(_INSERT_FINDING, _columns(records[0], named), _common(records[0], keys))
        writer.execute(_INSERT_ROWS, _rows(records[0], keys))
        return named
    columns: dict[str, list[Any]] = defaultdict(list)
    packed: list[dict[str, Any]] = []
    for record in records:
        for name, values in _columns(record, named).items():
            columns[name] += values
        for name, value in _common(record, keys).items():
            columns[name] += [value] * len(record.findings)
        packed += _rows(record, keys)
        if len(columns["position"]) >= _ROWS_AT_ONCE:
            writer.execute_columns(_INSERT_FINDING, columns)
            writer.execute(_INSERT_ROWS, packed)
            columns.clear()
            packed = []
    writer.execute_columns(_INSERT_FINDING, columns)
    writer.execute(_INSERT_ROWS, packed)
    return named


def _columns(record: ReportRecord, named: Mapping[str, int]) -> dict[str, Sequence[Any]]:
    """Return the rows of a report's findings, column by column: most of it happens outside of Python."""
    if not record.findings:
        return {}
    of = dict(zip(FindingRecord._fields, zip(*record.findings, strict=True), strict=True))
    return {
        "position": list(range(len(record.findings))),
        "identity_key": [named[fingerprint] for fingerprint in of["fingerprint"]],
        "severity": [SEVERITY_CODE[severity] for severity in of["severity"]],
        "ghost_type": of["ghost_type"],
        "column_name": of["column"],
        "dataset": of["dataset"],
        "description": of["description"],
        "row_count": of["row_count"],
        "share": of["share"],
        "fingerprint": of["fingerprint"],
        "metadata": of["metadata"],
        "search_text": list(map(finding_text, of["description"], of["column"], of["dataset"])),
    }


def _common(record: ReportRecord, keys: Mapping[str, int]) -> dict[str, Any]:
    """Return what all findings of a report have in common."""
    return {"report_key": keys[record.id], "seen_at": record.created_at}


def _rows(record: ReportRecord, keys: Mapping[str, int]) -> list[dict[str, Any]]:
    key = keys[record.id]
    return [
        {"report_key": key, "position": position, "data": finding.rows}
        for position, finding in enumerate(record.findings)
        if finding.rows is not None
    ]


def _write_words(writer: Writer, records: Sequence[ReportRecord], keys: dict[str, int]) -> None:
    texts = [{"report_key": keys[r.id], "text": report_text(r)} for r in records]
    writer.execute(_INSERT_TEXT, texts)
    tags = [{"report_key": keys[r.id], "tag": tag} for r in records for tag in r.tags]
    writer.execute(_INSERT_TAG, tags)
