"""Compare saving with writing the same rows by sqlite3 (executemany) and psycopg2 (execute_values)."""

from __future__ import annotations

import datetime as dt
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2
from psycopg2.extras import execute_values, register_default_json
from sqlalchemy.engine import make_url

from benchmarks.common import Table, ms
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport

_Rows = dict[str, list[dict[str, Any]]]
_REPORT_ROWS = {
    "identities": "SELECT * FROM identities WHERE key IN "
    "(SELECT identity_key FROM findings WHERE report_key = {key}) ORDER BY key",
    "reports": "SELECT * FROM reports WHERE key = {key}",
    "findings": "SELECT * FROM findings WHERE report_key = {key} ORDER BY position",
    "report_texts": "SELECT * FROM report_texts WHERE report_key = {key}",
    "audit_log": "SELECT * FROM audit_log WHERE component = 'report' AND record_id = {id}",
}
_ANNOTATION_ROWS = {
    "identities": "SELECT * FROM identities WHERE key = "
    "(SELECT identity_key FROM annotations WHERE key = {key})",
    "annotations": "SELECT * FROM annotations WHERE key = {key}",
    "identity_tags": "SELECT * FROM identity_tags WHERE identity_key = "
    "(SELECT identity_key FROM annotations WHERE key = {key})",
    "audit_log": "SELECT * FROM audit_log WHERE component = 'annotation' AND record_id = {id}",
}
_CONFLICTS = {
    "identities": " ON CONFLICT (key) DO UPDATE SET last_seen = excluded.last_seen, "
    "times_seen = excluded.times_seen, last_count = excluded.last_count, last_share = excluded.last_share, "
    "status = excluded.status, comment_count = excluded.comment_count",
    "identity_tags": " ON CONFLICT DO NOTHING",
}


class PlainDriver:
    """A connection of the plain driver that reads the rows of a save and writes them to another database."""

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        self._mark = "%s"
        self._connection: Any
        if url.get_backend_name() == "sqlite":
            self._mark = "?"
            self._connection = sqlite3.connect(url.database or "", isolation_level=None)
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA wal_autocheckpoint=4000")
            self._connection.execute("PRAGMA foreign_keys=ON")
        else:
            self._connection = psycopg2.connect(database_url)
            register_default_json(self._connection, loads=lambda text: text)

    def read(self, statements: dict[str, str], table: str, record_id: str) -> _Rows:
        """Return the rows of one record."""
        cursor = self._connection.cursor()
        cursor.execute(f"SELECT key FROM {table} WHERE id = {self._mark}", (record_id,))
        (key,) = cursor.fetchone()
        rows_by_table: _Rows = {}
        for name, statement in statements.items():
            cursor.execute(
                statement.format(key=int(key), id=self._mark),
                (record_id,) if "{id}" in statement else (),
            )
            names = [column[0] for column in cursor.description]
            rows_by_table[name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        if self._mark == "%s":
            self._connection.rollback()
        return rows_by_table

    def write(self, rows: _Rows) -> None:
        """Write rows in one transaction."""
        cursor = self._connection.cursor()
        if self._mark == "?":
            cursor.execute("BEGIN IMMEDIATE")
        for table, table_rows in rows.items():
            if table_rows:
                self._insert(cursor, table, table_rows)
        if self._mark == "?":
            cursor.execute("COMMIT")
        else:
            self._connection.commit()

    def _insert(self, cursor: Any, table: str, rows: Sequence[dict[str, Any]]) -> None:
        names = ", ".join(f'"{name}"' for name in rows[0])
        values = [tuple(row.values()) for row in rows]
        head, tail = f"INSERT INTO {table} ({names}) VALUES ", _CONFLICTS.get(table, "")
        if self._mark == "?":
            marks = ", ".join("?" for _ in rows[0])
            cursor.executemany(f"{head}({marks}){tail}", values)
        else:
            execute_values(cursor, f"{head}%s{tail}", values)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def seconds(call: Callable[[Any], Any], value: Any) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call(value)
    return time.perf_counter() - start


def compare_with_plain_driver(
    table: Table,
    name: str,
    urls: tuple[str, str],
    limits: tuple[float, float],
    make_reports: Callable[[int], list[ShareableReport]],
    finding_ids: Sequence[str],
    rounds: int,
) -> None:
    """Time save_report and save_annotation in turns with writing the same rows by the plain driver.

    Args:
        table: The table for the results.
        name: The name of the database.
        urls: The URLs of the database to save to and of an empty one for the plain driver.
        limits: The limits of the ratio for the two calls.
        make_reports: Returns the reports of a round.
        finding_ids: The findings to annotate.
        rounds: The number of timed rounds.
    """
    storage = DatabaseStorage(urls[0])
    DatabaseStorage(urls[1]).close()
    source, target = PlainDriver(urls[0]), PlainDriver(urls[1])

    def compare(label: str, limit: float, save: Callable[[Any], Any], part: str, batches: Any) -> None:
        statements = _REPORT_ROWS if part == "reports" else _ANNOTATION_ROWS
        ours: list[float] = []
        plain: list[float] = []
        for batch in batches:
            for record in batch:
                ours.append(seconds(save, record))
                plain.append(seconds(target.write, source.read(statements, part, record.id)))
        # Skip the first round, which creates the findings.
        first = len(batches[0])
        a, b = statistics.median(ours[first:]), statistics.median(plain[first:])
        table.add(f"{label}, {name}, plain driver", ms(a), ms(b), f"{a / b:.2f}× (≤ {limit}×)")

    reports = [make_reports(turn) for turn in range(rounds + 1)]
    compare("save_report, 20 findings", limits[0], storage.save_report, "reports", reports)
    annotations = [
        [
            Annotation(
                f"plain-{turn}-{i}",
                finding_ids[i % len(finding_ids)],
                "Bob",
                dt.datetime.now(dt.UTC),
                "Seen.",
                ["a"],
                "reviewed",
            )
            for i in range(100)
        ]
        for turn in range(rounds + 1)
    ]
    compare("save_annotation", limits[1], storage.save_annotation, "annotations", annotations)
    for each in (source, target, storage):
        each.close()
