"""The unit of work of a database store: a transaction that writes the changes of the write path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    AnnotationRecord,
    ChangeSet,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
    StoredVersion,
    TriageRecord,
)
from lavendertown.records.search_text import ruleset_text
from lavendertown.records.store import UnitOfWork
from lavendertown.stores.sql.connection import postgres
from lavendertown.stores.sql.reading import flat_records, record_reader
from lavendertown.stores.sql.schema.tables import rulesets
from lavendertown.stores.sql.statements.conditions import in_list
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.writing import annotation_writer, audit_log, merged_findings, report_writer
from lavendertown.stores.sql.writing.identities import Identities

_INSERT_RULESET = sa.insert(rulesets)


class DatabaseUnitOfWork(UnitOfWork):
    """A unit of work in one transaction.

    Args:
        batch: Executes the statements of the transaction.
    """

    def __init__(self, batch: StatementBatch) -> None:
        self._batch = batch
        self._session: Session | None = None

    @property
    def connection(self) -> sa.Connection:
        """The connection of the transaction, with all pending statements executed."""
        self._batch.flush()
        return self._batch.connection

    @property
    def session(self) -> Session:
        """An ORM session in the transaction, for hooks; its ``commit()`` only releases a savepoint."""
        connection = self.connection
        if self._session is None:
            self._session = Session(connection, join_transaction_mode="create_savepoint")
        return self._session

    def lock_versions(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], StoredVersion]:
        ids_by_kind: dict[RecordKind, list[str]] = defaultdict(list)
        for kind, record_id in keys:
            ids_by_kind[RecordKind(kind)].append(record_id)
        versions: dict[tuple[str, str], StoredVersion] = {}
        for kind, ids in ids_by_kind.items():
            versions |= record_reader.read_stored_versions(self._batch, kind, ids)
        return versions

    def read_record(self, kind: str, record_id: str) -> Record | None:
        return record_reader.read_record(self.connection, RecordKind(kind), record_id)

    def apply_changes(self, changes: ChangeSet) -> None:
        if self._session is not None:
            self._session.flush()
        batch = self._batch
        identities = Identities(batch.connection, batch)
        reports = [record for record in changes.records if isinstance(record, ReportRecord)]
        annotations = [record for record in changes.records if isinstance(record, AnnotationRecord)]
        rule_sets = [record for record in changes.records if isinstance(record, RuleSetRecord)]
        if reports:
            new_ids = _new_ids(changes, RecordKind.REPORT)
            report_writer.write_reports(batch, identities, reports, new_ids, changes.summary_only_ids)
        if changes.aliases:
            identities.add_aliases(changes.aliases)
        if annotations:
            annotation_writer.write_annotations(
                batch, identities, annotations, _new_ids(changes, RecordKind.ANNOTATION)
            )
        if rule_sets:
            self._write_rulesets(rule_sets, _new_ids(changes, RecordKind.RULESET))
        self._write_triage(identities, changes)
        for kind in FLAT_RECORD_CLASSES:
            if kind is not RecordKind.TRIAGE:
                self._write_flat_records(kind, changes)
        for kind in {kind for kind, _ in changes.removed}:
            removed = [record_id for of_kind, record_id in changes.removed if of_kind is kind]
            flat_records.remove_flat_records(self.connection, kind, removed)
        audit_log.append_events(batch, changes.events)
        if changes.migration is not None:
            audit_log.write_migration(self.connection, changes.migration)
        # Inside the savepoint that the session may have opened, and before the next hooks run.
        batch.flush()

    def flush_writes(self) -> None:
        """Execute all pending statements."""
        self._batch.flush()

    def commit(self) -> None:
        """Execute all pending statements and check that the transaction can be committed."""
        self._batch.flush()
        if self._batch.connection.dialect.name == "postgresql":
            postgres.refuse_failed_transaction(self._batch.connection)

    def close(self) -> None:
        """Close the session, if hooks used one."""
        if self._session is not None:
            self._session.close()

    def _write_triage(self, identities: Identities, changes: ChangeSet) -> None:
        records = [record for record in changes.records if isinstance(record, TriageRecord)]
        if records:
            before = merged_findings.read_merged(identities.connection, [record.id for record in records])
            self._write_flat_records(RecordKind.TRIAGE, changes)
            merged_findings.apply_merges(identities, before, records)

    def _write_flat_records(self, kind: RecordKind, changes: ChangeSet) -> None:
        records = [record for record in changes.records if isinstance(record, FLAT_RECORD_CLASSES[kind])]
        if records:
            flat_records.write_flat_records(self.connection, kind, records, _new_ids(changes, kind))

    def _write_rulesets(self, rule_sets: Sequence[RuleSetRecord], new_ids: set[str]) -> None:
        changed = [record.id for record in rule_sets if record.id not in new_ids]
        if changed:
            delete = sa.delete(rulesets).where(in_list(rulesets.c.name, "names"))
            self.connection.execute(delete, {"names": changed})
        self.connection.execute(_INSERT_RULESET, [_ruleset_row(record) for record in rule_sets])


def _new_ids(changes: ChangeSet, kind: RecordKind) -> set[str]:
    return {record_id for key_kind, record_id in changes.new_keys if key_kind is kind}


def _ruleset_row(record: RuleSetRecord) -> dict[str, Any]:
    derived = {"rule_count": len(record.rules), "search_text": ruleset_text(record)}
    return record_reader.RULESET_MAPPER.to_row(record) | derived
