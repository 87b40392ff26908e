"""The store contract over SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database import (
    audit,
    desk_queries,
    finding_queries,
    ledger,
    mariadb,
    plain_tables,
    prepared,
    read_records,
    report_queries,
    schema,
)
from lavendertown.database.engine import make_engine, make_folder, read_url
from lavendertown.database.errors import translated, where
from lavendertown.database.gate import Gate
from lavendertown.database.identities import Identities
from lavendertown.database.statistics import Statistics
from lavendertown.database.tables import audit_log, finding_rows, identity_aliases, reports, triage
from lavendertown.database.unit import DatabaseUnit
from lavendertown.database.walk import OnDamage, walk_events, walk_records
from lavendertown.database.ways import Ways
from lavendertown.records.contract import Store, Unit
from lavendertown.records.identities import Identity, Recent, Run, Said, Turn
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    By,
    FindingQuery,
    PlainQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.values import FIRST, AuditEvent, Damage, Kind, Move, Page, Record

_ROWS = (
    sa.select(finding_rows.c.data)
    .join_from(finding_rows, reports, reports.c.key == finding_rows.c.report_key)
    .where(reports.c.id == sa.bindparam("id"), finding_rows.c.position == sa.bindparam("position"))
)
# The findings that people merged are told of by their triage records.
_ALIASES = sa.select(identity_aliases.c.alias, identity_aliases.c.name).where(
    ~sa.exists().where(
        triage.c.id == identity_aliases.c.alias, triage.c.merged_into != "", triage.c.deleted_at.is_(None)
    )
)
_NEWEST = sa.select(audit_log.c.key).order_by(audit_log.c.key.desc()).limit(1000).subquery()
# On PostgreSQL a lower key may be committed after a higher one; the sum sees that among the newest
# thousand, a maximum would not.
_REVISION = sa.select(sa.func.max(_NEWEST.c.key), sa.func.sum(_NEWEST.c.key))


class DatabaseStore(Store):
    """Reports, annotations and rule sets in a database.

    Args:
        database_url: A SQLAlchemy URL of SQLite, PostgreSQL or MariaDB. An empty database gets its tables.

    Raises:
        ConfigurationError: The URL is not one, or its driver is missing.
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """

    def __init__(self, database_url: str | URL) -> None:
        self.url = database_url if isinstance(database_url, URL) else read_url(database_url)
        make_folder(self.url)
        self.engine: Engine = make_engine(self.url)
        self._gate = Gate(self.url)
        self._opening = threading.Lock()
        self._ready = False
        self._ways = Ways(self.engine)
        self._statistics = Statistics()
        try:
            self._open()
        except BaseException:
            # An open connection keeps files of SQLite's beside a database that was refused.
            self.close()
            raise

    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        self._open()
        with translated(self.url), self._gate.held(), self._ways.write() as connection:
            mariadb.one_writer(connection)
            unit = DatabaseUnit(connection, self._statistics)
            try:
                yield unit
            finally:
                unit.close()
            unit.commit()

    def read(self, kind: Kind, record_id: str) -> Record | None:
        with self._snapshot() as connection:
            return read_records.read(connection, kind, record_id)

    def read_many(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Record]:
        with self._snapshot() as connection:
            return read_records.read_many(connection, kind, ids)

    def walk(self, kind: Kind, on_damage: OnDamage) -> Iterator[Record]:
        """Yield every record of a kind, deleted ones too, a few in memory at a time."""
        return walk_records(self._snapshot, kind, on_damage)

    def walk_events(self, since: dt.datetime, on_damage: OnDamage) -> Iterator[AuditEvent]:
        """Yield the audit events from a moment on, oldest first, a few in memory at a time."""
        return walk_events(self._snapshot, since, on_damage)

    def scan(self, query: Query, page: Page = FIRST) -> Sequence[Any]:
        if isinstance(query, ReportQuery):
            statement, values = report_queries.page_statement(self._resolved(query), page)
            with self._read() as connection:
                return report_queries.headers(connection, prepared.rows(connection, statement, values))
        statement, values = self._statement(query)
        if page.limit is not None or page.offset:
            statement = statement.limit(page.limit).offset(page.offset or None)
        with self._read() as connection:
            rows = connection.execute(statement, values).all()
            if isinstance(query, FindingQuery):
                return finding_queries.finding_headers(connection, rows)
        if isinstance(query, AnnotationQuery):
            return [read_records.annotation(row) for row in rows]
        if isinstance(query, AuditQuery):
            return [audit.event(row) for row in rows]
        if isinstance(query, PlainQuery):
            return [plain_tables.record(query.kind, row) for row in rows]
        return [finding_queries.ruleset_header(row) for row in rows]

    def count(self, query: Query) -> int:
        if isinstance(query, ReportQuery):
            statement, values = report_queries.count_statement(self._resolved(query))
        else:
            listed, values = self._statement(query)
            statement = sa.select(sa.func.count()).select_from(listed.order_by(None).subquery())
        with self._read() as connection:
            return connection.scalar(statement, values) or 0

    def group(self, query: ReportQuery, by: By) -> Mapping[str, int]:
        with self._read() as connection:
            return report_queries.group(connection, self._resolved(query), by)

    def resolve(self, finding_id: str) -> str:
        with self._read() as connection:
            return Identities(connection).resolve([finding_id])[0]

    def aliases(self) -> Mapping[str, str]:
        with self._read() as connection:
            return {alias: name for alias, name in connection.execute(_ALIASES)}  # noqa: C416

    def finding_rows(self, report_id: str, position: int) -> bytes | None:
        with self._read() as connection:
            found = connection.scalar(_ROWS, {"id": report_id, "position": position})
        return bytes(found) if found is not None else None

    def identities(
        self, names: Sequence[str] | None = None, datasets: Sequence[str] | None = None
    ) -> Iterable[Identity]:
        with self._snapshot() as connection:
            return list(desk_queries.read_identities(connection, names, datasets))

    def said(self, names: Sequence[str] | None = None) -> Iterable[Said]:
        with self._read() as connection:
            return list(desk_queries.read_said(connection, names))

    def runs(self, datasets: Sequence[str] | None = None) -> Mapping[str, Run]:
        with self._snapshot() as connection:
            return desk_queries.read_runs(connection, datasets)

    def recent(self, names: Sequence[str]) -> Mapping[str, Recent]:
        with self._snapshot() as connection:
            return desk_queries.read_recent(connection, names)

    def fingerprints(self, report_ids: Sequence[str], severities: Sequence[str] = ()) -> frozenset[str]:
        with self._read() as connection:
            return desk_queries.read_fingerprints(connection, report_ids, severities)

    def turns(self, datasets: Sequence[str] | None = None) -> Sequence[Turn]:
        with self._read() as connection:
            return desk_queries.read_turns(connection, datasets)

    def events_since(self, mark: Any) -> tuple[Any, Sequence[AuditEvent] | None]:
        with self._snapshot() as connection:
            return desk_queries.read_events(connection, mark)

    def known_tags(self) -> Sequence[str]:
        with self._read() as connection:
            return list(connection.scalars(report_queries.known_tags_statement()))

    def revision(self) -> str:
        with self._read() as connection:
            newest, total = connection.execute(_REVISION).one()
        return f"{newest or 0}.{total or 0}"

    def moves(self) -> Sequence[Move]:
        with self._read() as connection:
            return ledger.read(connection)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        self._open()
        with translated(self.url), self._gate.held(), self.engine.begin() as connection:
            if self.url.get_backend_name() == "postgresql":
                # Every unit of work begins with a lock here, and waits for it now.
                connection.execute(sa.text("LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE"))
            mariadb.one_writer(connection)
            yield

    def check(self) -> None:
        with self._read() as connection:
            connection.execute(sa.select(reports.c.key).limit(1)).all()

    def describe(self) -> str:
        return where(self.url)

    def damage(self) -> Sequence[Damage]:
        return ()

    def close(self) -> None:
        self._ways.close()
        self.engine.dispose()

    def _open(self) -> None:
        """Make sure of the schema, once."""
        if self._ready:
            return
        with self._opening, translated(self.url):
            if not self._ready:
                schema.ensure(self.engine, self._gate)
                self._ready = True

    @contextlib.contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        """A connection for single statements, each seeing what is committed when it starts."""
        self._open()
        with translated(self.url), self._ways.read() as connection:
            yield connection

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[sa.Connection]:
        """A connection whose statements all see the same moment."""
        self._open()
        with translated(self.url), self._ways.snapshot() as connection:
            yield connection

    def _resolve(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            return ()
        with self._read() as connection:
            return tuple(Identities(connection).resolve(names))

    def _resolved(self, query: ReportQuery) -> ReportQuery:
        if query.finding_id is None:
            return query
        return replace(query, finding_id=self.resolve(query.finding_id))

    def _statement(
        self, query: FindingQuery | AnnotationQuery | RuleSetQuery | AuditQuery | PlainQuery
    ) -> tuple[sa.Select[Any], dict[str, Any]]:
        match query:
            case FindingQuery():
                query = replace(query, finding_ids=self._resolve(query.finding_ids))
                return finding_queries.findings_statement(query)
            case AnnotationQuery():
                names = self._resolve(query.finding_ids)
                return finding_queries.annotations_statement(query, names)
            case RuleSetQuery():
                return finding_queries.rulesets_statement(query)
            case AuditQuery():
                return audit.select(query)
            case PlainQuery():
                return plain_tables.statement(query)
