"""One unit of work on a database: a transaction that writes what the write path decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lavendertown.database import (
    audit,
    ledger,
    merging,
    plain_tables,
    read_records,
    write_annotations,
    write_reports,
)
from lavendertown.database.foresight import Foresight, look_ahead
from lavendertown.database.identities import Identities
from lavendertown.database.sql import among
from lavendertown.database.statistics import Statistics
from lavendertown.database.tables import rulesets
from lavendertown.database.writer import Writer
from lavendertown.records.contract import Unit
from lavendertown.records.texts import ruleset_text
from lavendertown.records.values import (
    PLAIN,
    AnnotationRecord,
    ChangeSet,
    Kind,
    Record,
    ReportRecord,
    RuleSetRecord,
    Stamp,
    TriageRecord,
)

_INSERT_RULESET = sa.insert(rulesets)


class DatabaseUnit(Unit):
    """One transaction."""

    def __init__(self, connection: sa.Connection, statistics: Statistics | None = None) -> None:
        self._writer = Writer(connection, keep_plans=True)
        self._statistics = statistics
        self._written = {"findings": 0, "annotations": 0}
        self._session: Session | None = None
        self._foresight: Foresight | None = None

    @property
    def connection(self) -> sa.Connection:
        """The open connection, inside the transaction, with all that was to be written."""
        self._writer.flush()
        return self._writer.connection

    @property
    def session(self) -> Session:
        """The transaction as an ORM session, for hooks; a ``commit()`` in it is only a savepoint."""
        connection = self.connection
        # What it is used for may change what was foreseen.
        self._foresight = None
        if self._session is None:
            self._session = Session(connection, join_transaction_mode="create_savepoint")
        return self._session

    def stamps(
        self, keys: Iterable[tuple[str, str]], foreseen: Sequence[Record] = ()
    ) -> Mapping[tuple[str, str], Stamp]:
        asked: dict[Kind, list[str]] = defaultdict(list)
        for kind, record_id in keys:
            asked[Kind(kind)].append(record_id)
        self._foresight = look_ahead(self._writer, asked, foreseen) if self._session is None else None
        wanted = self._foresight.stored if self._foresight is not None else asked
        found: dict[tuple[str, str], Stamp] = {}
        for kind, ids in wanted.items():
            found |= read_records.stamps(self.connection, kind, ids)
        return found

    def read(self, kind: str, record_id: str) -> Record | None:
        return read_records.read(self.connection, Kind(kind), record_id)

    def apply(self, changes: ChangeSet) -> None:
        if self._session is not None:
            self._session.flush()
        writer = self._writer
        known = Identities(writer.connection, writer, self._foresight)
        self._foresight = None
        reports = [record for record in changes.puts if isinstance(record, ReportRecord)]
        notes = [record for record in changes.puts if isinstance(record, AnnotationRecord)]
        sets = [record for record in changes.puts if isinstance(record, RuleSetRecord)]
        self._written["findings"] += sum(len(record.findings) for record in reports)
        self._written["annotations"] += len(notes)
        if reports:
            fresh = _fresh(changes, Kind.REPORT)
            write_reports.write(writer, known, reports, fresh, changes.headers_only)
        if changes.aliases:
            known.alias(changes.aliases)
        if notes:
            write_annotations.write(writer, known, notes, _fresh(changes, Kind.ANNOTATION))
        if sets:
            self._write_rulesets(sets, _fresh(changes, Kind.RULESET))
        self._write_triage(known, changes)
        for kind in (Kind.PERSON, Kind.VIEW):
            self._write_plain(kind, changes)
        audit.append(writer, changes.events)
        if changes.move is not None:
            ledger.write(self.connection, changes.move)
        if self._session is not None:
            # Inside of the savepoint that the session may have made.
            writer.flush()

    def settle(self) -> None:
        """Write what is waiting."""
        self._writer.flush()

    def commit(self) -> None:
        """Write what is waiting, as the last of the transaction."""
        if self._statistics is not None:
            for kind, rows in self._written.items():
                self._statistics.after(self._writer, kind, rows)
        self._writer.commit()

    def close(self) -> None:
        """Let go of the session, if hooks asked for one."""
        if self._session is not None:
            self._session.close()

    def _write_triage(self, known: Identities, changes: ChangeSet) -> None:
        records = [record for record in changes.puts if isinstance(record, TriageRecord)]
        if records:
            before = merging.merged(known.connection, [record.id for record in records])
            self._write_plain(Kind.TRIAGE, changes)
            merging.follow(known, before, records)

    def _write_plain(self, kind: Kind, changes: ChangeSet) -> None:
        records = [record for record in changes.puts if isinstance(record, PLAIN[kind])]
        if records:
            plain_tables.write(self.connection, kind, records, _fresh(changes, kind))

    def _write_rulesets(self, sets: Sequence[RuleSetRecord], fresh: set[str]) -> None:
        old = [record.id for record in sets if record.id not in fresh]
        if old:
            gone = sa.delete(rulesets).where(among(rulesets.c.name, "names"))
            self.connection.execute(gone, {"names": old})
        self.connection.execute(_INSERT_RULESET, [_ruleset(record) for record in sets])


def _fresh(changes: ChangeSet, kind: Kind) -> set[str]:
    return {record_id for of, record_id in changes.fresh if of is kind}


def _ruleset(record: RuleSetRecord) -> dict[str, Any]:
    return {
        "name": record.id,
        "description": record.description,
        "rule_count": len(record.rules),
        "updated_at": record.updated_at,
        "version": record.version,
        "deleted_at": record.deleted_at,
        "rules": list(record.rules),
        "search_text": ruleset_text(record.id, record.description),
    }
