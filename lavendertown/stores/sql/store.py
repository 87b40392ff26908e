"""The store in a SQLite, PostgreSQL or MariaDB database."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.records.change_feed import ChangePage
from lavendertown.records.identities import (
    Acceptance,
    AnnotationText,
    DatasetRuns,
    Identity,
    LastOccurrences,
    StatusChange,
)
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    FindingQuery,
    FlatRecordQuery,
    Query,
    ReportFacet,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import (
    FIRST_PAGE,
    AuditEvent,
    MigrationRecord,
    Page,
    Record,
    RecordKind,
    UnreadableItem,
)
from lavendertown.records.store import Store, UnitOfWork
from lavendertown.stores.sql.connection import mariadb
from lavendertown.stores.sql.connection.engine import (
    Transactions,
    make_database_folder,
    make_engine,
    read_url,
)
from lavendertown.stores.sql.connection.errors import store_name, translate_errors
from lavendertown.stores.sql.connection.write_locks import LockWatch, WriteLock
from lavendertown.stores.sql.reading import (
    change_feed,
    flat_records,
    inbox_queries,
    record_queries,
    record_reader,
    report_queries,
)
from lavendertown.stores.sql.reading.record_reader import OnUnreadable
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.tables import audit_log, finding_rows, identity_aliases, reports, triage
from lavendertown.stores.sql.statements import execution
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.unit_of_work import DatabaseUnitOfWork
from lavendertown.stores.sql.writing.audit_log import event_from_row, events_statement, read_migrations
from lavendertown.stores.sql.writing.identities import Identities

_FINDING_ROWS_QUERY = (
    sa.select(finding_rows.c.data)
    .join_from(finding_rows, reports, reports.c.key == finding_rows.c.report_key)
    .where(reports.c.id == sa.bindparam("id"), finding_rows.c.position == sa.bindparam("position"))
)
# Without the aliases of merged findings, which their triage records already describe.
_ALIASES_QUERY = sa.select(identity_aliases.c.alias, identity_aliases.c.name).where(
    ~sa.exists().where(
        triage.c.id == identity_aliases.c.alias, triage.c.merged_into != "", triage.c.deleted_at.is_(None)
    )
)
_NEWEST_EVENTS = sa.select(audit_log.c.key).order_by(audit_log.c.key.desc()).limit(1000).subquery()
# On PostgreSQL, a lower key may be committed after a higher one. That changes the sum of the newest
# thousand keys, but not the maximum.
_REVISION_QUERY = sa.select(sa.func.max(_NEWEST_EVENTS.c.key), sa.func.sum(_NEWEST_EVENTS.c.key))

# Autovacuum gathers statistics only within a minute, and until then an inbox filter may take a second.
# SKIP_LOCKED leaves locked tables to autovacuum.
_ANALYZE = sa.text(
    "ANALYZE (SKIP_LOCKED) reports, report_tags, report_texts, identities, identity_tags, findings, "
    "annotations"
)
# This lock conflicts with the lock of block_writes, and not with other units of work.
_WAIT_FOR_FREEZE = sa.text("LOCK TABLE audit_log IN ROW EXCLUSIVE MODE")


class DatabaseStore(Store):
    """A store in a database.

    Args:
        database_url: A SQLAlchemy URL of SQLite, PostgreSQL or MariaDB. The tables are created if the
            database is empty.

    Raises:
        ConfigurationError: The URL is invalid, or its driver is not installed.
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """

    def __init__(self, database_url: str | URL) -> None:
        self.url = database_url if isinstance(database_url, URL) else read_url(database_url)
        make_database_folder(self.url)
        self.engine: Engine = make_engine(self.url)
        self._write_lock = WriteLock(self.url)
        self._schema_check_lock = threading.Lock()
        self._has_schema = False
        self._transactions = Transactions(self.engine)
        self._lock_watch = LockWatch(self.engine)
        try:
            self._ensure_schema()
        except BaseException:
            # An open connection would leave SQLite's -wal and -shm files next to the refused database.
            self.close()
            raise

    @contextlib.contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        self._ensure_schema()
        with (
            translate_errors(self.url),
            self._write_lock.acquire(),
            self._transactions.begin_write() as connection,
            self._lock_watch.watch_connection(connection),
        ):
            mariadb.block_other_writers(connection)
            batch = StatementBatch(connection)
            if connection.dialect.name == "postgresql":
                batch.execute(_WAIT_FOR_FREEZE, [{}])
            unit = DatabaseUnitOfWork(batch)
            try:
                yield unit
            finally:
                unit.close()
            unit.commit()

    def read_record(self, kind: RecordKind, record_id: str) -> Record | None:
        with self._snapshot_connection() as connection:
            return record_reader.read_record(connection, kind, record_id)

    def read_records(self, kind: RecordKind, ids: Sequence[str]) -> Mapping[str, Record]:
        with self._snapshot_connection() as connection:
            return record_reader.read_records(connection, kind, ids)

    def iterate_records(self, kind: RecordKind, on_unreadable: OnUnreadable) -> Iterator[Record]:
        """Yield every record of a kind, deleted ones too, with only a batch in memory at a time."""
        return record_reader.iterate_records(self._snapshot_connection, kind, on_unreadable)

    def iterate_events(self, since: dt.datetime, on_unreadable: OnUnreadable) -> Iterator[AuditEvent]:
        """Yield the audit events from a time on, oldest first, with only a batch in memory at a time."""
        return record_reader.iterate_events(self._snapshot_connection, since, on_unreadable)

    def scan(self, query: Query, page: Page = FIRST_PAGE) -> Sequence[Any]:
        if isinstance(query, ReportQuery):
            statement, values = report_queries.page_statement(self._with_fingerprint(query), page)
            with self._read_connection() as connection:
                return report_queries.report_summaries(
                    connection, execution.fetch_rows(connection, statement, values)
                )
        statement, values = self._list_statement(query)
        if page.limit is not None or page.offset:
            statement = statement.limit(page.limit).offset(page.offset or None)
        with self._read_connection() as connection:
            rows = connection.execute(statement, values).all()
            if isinstance(query, FindingQuery):
                return record_queries.finding_summaries(connection, rows)
        if isinstance(query, AnnotationQuery):
            return [record_reader.annotation_from_row(row) for row in rows]
        if isinstance(query, AuditQuery):
            return [event_from_row(row) for row in rows]
        if isinstance(query, FlatRecordQuery):
            return [flat_records.flat_record_from_row(query.kind, row) for row in rows]
        return [record_queries.ruleset_summary(row) for row in rows]

    def count(self, query: Query) -> int:
        if isinstance(query, ReportQuery):
            statement, values = report_queries.count_statement(self._with_fingerprint(query))
        else:
            list_statement, values = self._list_statement(query)
            statement = sa.select(sa.func.count()).select_from(list_statement.order_by(None).subquery())
        with self._read_connection() as connection:
            return connection.scalar(statement, values) or 0

    def group_reports(self, query: ReportQuery, by: ReportFacet) -> Mapping[str, int]:
        with self._read_connection() as connection:
            return report_queries.count_by_facet(connection, self._with_fingerprint(query), by)

    def resolve_fingerprint(self, finding_id: str) -> str:
        with self._read_connection() as connection:
            return Identities(connection).resolve_fingerprints([finding_id])[0]

    def aliases(self) -> Mapping[str, str]:
        with self._read_connection() as connection:
            return {alias: name for alias, name in connection.execute(_ALIASES_QUERY)}  # noqa: C416

    def finding_rows(self, report_id: str, position: int) -> bytes | None:
        with self._read_connection() as connection:
            data = connection.scalar(_FINDING_ROWS_QUERY, {"id": report_id, "position": position})
        return bytes(data) if data is not None else None

    def read_identities(
        self, fingerprints: Sequence[str] | None = None, datasets: Sequence[str] | None = None
    ) -> Iterable[Identity]:
        with self._snapshot_connection() as connection:
            return list(inbox_queries.read_identities(connection, fingerprints, datasets))

    def annotation_texts(self, fingerprints: Sequence[str] | None = None) -> Iterable[AnnotationText]:
        with self._read_connection() as connection:
            return list(inbox_queries.read_annotation_texts(connection, fingerprints))

    def latest_runs(self, datasets: Sequence[str] | None = None) -> Mapping[str, DatasetRuns]:
        with self._snapshot_connection() as connection:
            return inbox_queries.read_latest_runs(connection, datasets)

    def executed_check_keys(self, report_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        with self._read_connection() as connection:
            return inbox_queries.read_executed_check_keys(connection, report_ids)

    def acceptances(self, fingerprints: Sequence[str] | None = None) -> Mapping[str, Acceptance]:
        with self._read_connection() as connection:
            return inbox_queries.read_acceptances(connection, fingerprints)

    def last_occurrences(self, fingerprints: Sequence[str]) -> Mapping[str, LastOccurrences]:
        with self._snapshot_connection() as connection:
            return inbox_queries.read_last_occurrences(connection, fingerprints)

    def report_fingerprints(
        self, report_ids: Sequence[str], severities: Sequence[str] = ()
    ) -> frozenset[str]:
        with self._read_connection() as connection:
            return inbox_queries.read_fingerprints(connection, report_ids, severities)

    def status_changes(self, datasets: Sequence[str] | None = None) -> Sequence[StatusChange]:
        with self._read_connection() as connection:
            return inbox_queries.read_status_changes(connection, datasets)

    def events_since(self, mark: Any) -> tuple[Any, Sequence[AuditEvent] | None]:
        with self._snapshot_connection() as connection:
            return inbox_queries.read_new_events(connection, mark)

    def read_changes(self, cursor: str, limit: int) -> ChangePage:
        with self._read_connection() as connection:
            return change_feed.read_changes(connection, cursor, limit)

    def end_of_changes(self) -> str:
        with self._read_connection() as connection:
            return change_feed.read_end(connection)

    def known_tags(self) -> Sequence[str]:
        with self._read_connection() as connection:
            return list(connection.scalars(report_queries.known_tags_statement()))

    def change_token(self) -> str:
        with self._read_connection() as connection:
            newest, total = connection.execute(_REVISION_QUERY).one()
        return f"{newest or 0}.{total or 0}"

    def migrations(self) -> Sequence[MigrationRecord]:
        with self._read_connection() as connection:
            return read_migrations(connection)

    @contextlib.contextmanager
    def block_writes(self) -> Iterator[None]:
        self._ensure_schema()
        with (
            translate_errors(self.url),
            self._write_lock.acquire(),
            self.engine.begin() as connection,
            self._lock_watch.watch_connection(connection),
        ):
            if self.url.get_backend_name() == "postgresql":
                # Conflicts with the lock that each unit of work takes first (_WAIT_FOR_FREEZE).
                connection.execute(sa.text("LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE"))
            mariadb.block_other_writers(connection)
            yield

    def analyze(self) -> None:
        if self.url.get_backend_name() == "postgresql":
            with self._read_connection() as connection:
                connection.execute(_ANALYZE)

    def check_readable(self) -> None:
        with self._read_connection() as connection:
            connection.execute(sa.select(reports.c.key).limit(1)).all()

    def describe(self) -> str:
        return store_name(self.url)

    def unreadable_items(self) -> Sequence[UnreadableItem]:
        return ()

    def close(self) -> None:
        self._lock_watch.close()
        self.engine.dispose()

    def _ensure_schema(self) -> None:
        """Check the schema, and create the tables of an empty database, on the first call."""
        if self._has_schema:
            return
        with self._schema_check_lock, translate_errors(self.url):
            if not self._has_schema:
                revisions.ensure_schema(self.engine, self._write_lock)
                self._has_schema = True

    @contextlib.contextmanager
    def _read_connection(self) -> Iterator[sa.Connection]:
        """Open a connection for single statements; each sees the data committed when it starts."""
        self._ensure_schema()
        with translate_errors(self.url), self._transactions.autocommit_read() as connection:
            yield connection

    @contextlib.contextmanager
    def _snapshot_connection(self) -> Iterator[sa.Connection]:
        """Open a connection whose statements all see the same snapshot."""
        self._ensure_schema()
        with translate_errors(self.url), self._transactions.snapshot_read() as connection:
            yield connection

    def _resolve_fingerprints(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            return ()
        with self._read_connection() as connection:
            return tuple(Identities(connection).resolve_fingerprints(names))

    def _with_fingerprint(self, query: ReportQuery) -> ReportQuery:
        if query.finding_id is None:
            return query
        return replace(query, finding_id=self.resolve_fingerprint(query.finding_id))

    def _list_statement(
        self, query: FindingQuery | AnnotationQuery | RuleSetQuery | AuditQuery | FlatRecordQuery
    ) -> tuple[sa.Select[Any], dict[str, Any]]:
        match query:
            case FindingQuery():
                query = replace(query, finding_id=self._resolve_fingerprints(query.finding_id))
                return record_queries.findings_statement(query)
            case AnnotationQuery():
                fingerprints = self._resolve_fingerprints(query.finding_id)
                return record_queries.annotations_statement(query, fingerprints)
            case RuleSetQuery():
                return record_queries.rulesets_statement(query)
            case AuditQuery():
                return events_statement(query)
            case FlatRecordQuery():
                return flat_records.flat_records_statement(query)
