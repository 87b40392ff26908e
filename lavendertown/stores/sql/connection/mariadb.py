"""Settings and DDL that make MariaDB and MySQL behave like SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler, MySQLTypeCompiler
from sqlalchemy.engine import URL, Engine

from lavendertown.core import locks
from lavendertown.core.errors import ConfigurationError
from lavendertown.stores.sql.connection.errors import store_name, translate_errors
from lavendertown.stores.sql.statements.column_types import MariaDateTime, MariaTime

BACKENDS = ("mysql", "mariadb")
_LOCK_FLAG = "lavendertown_locked"
_SQL_MODES = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
# Compare text byte by byte, so that no two letters are equal. MySQL's collation ignores trailing spaces.
_COLLATIONS = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_bin"}
_LOCK_NAME = "CONCAT('lavendertown.', MD5(DATABASE()))"
_GET_LOCK = sa.text(f"SELECT GET_LOCK({_LOCK_NAME}, :seconds)")
_GET_LOCK_HOLDER = sa.text(f"SELECT IS_USED_LOCK({_LOCK_NAME})")


def engine_options(url: URL) -> dict[str, Any]:
    """Return the engine options for this URL."""
    backend = url.get_backend_name()
    # Without SIMULTANEOUS_ASSIGNMENT, an UPDATE reads the new values of columns that it assigned before.
    # MySQL has no such mode.
    modes = f"{_SQL_MODES},SIMULTANEOUS_ASSIGNMENT" if backend == "mariadb" else _SQL_MODES
    timeouts = f"innodb_lock_wait_timeout = {_wait_seconds()}, lock_wait_timeout = {_wait_seconds()}"
    setup = f"SET time_zone = '+00:00', {timeouts}, sql_mode = '{modes}'"
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "collation": _COLLATIONS[backend],
        "init_command": setup,
        # Otherwise a server could request any file of this machine, whatever the statement.
        "local_infile": False,
    }
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = 10
    return {
        "connect_args": arguments,
        "isolation_level": "READ COMMITTED",
        # The server closes connections that were idle for a long time.
        "pool_pre_ping": True,
        "pool_size": 10,
    }


def _wait_seconds() -> int:
    """Return the server's lock timeout in whole seconds, at least one."""
    return max(1, round(locks.waiting_times.get().give_up))


def configure_engine(engine: Engine) -> None:
    """Set the engine's column types, collation and index DDL, and release locks on return to the pool."""
    engine.dialect.ddl_compiler = _DdlCompiler
    columns: dict[Any, Any] = {sa.DateTime: MariaDateTime, sa.Time: MariaTime}
    engine.dialect.colspecs = {**engine.dialect.colspecs, **columns}
    engine.dialect.type_compiler_instance = _TypeCompiler(engine.dialect)
    seconds = _wait_seconds()

    @sa.event.listens_for(engine, "reset")
    def release_locks(connection: Any, record: Any, _: object) -> None:
        if record.info.pop(_LOCK_FLAG, False):
            with connection.cursor() as cursor:
                cursor.execute("DO RELEASE_ALL_LOCKS()")
                cursor.execute(f"SET lock_wait_timeout = {seconds}")


def lock_schema(connection: sa.Connection) -> None:
    """Lock the schema for changes by this connection until the connection returns to the pool.

    Waits first until no other session uses a table.

    Raises:
        StorageUnavailableError: Another session held the lock or used a table for too long; nothing was
            changed.
    """
    acquire_schema_lock(connection)
    quote = connection.dialect.identifier_preparer.quote
    if names := sa.inspect(connection).get_table_names():
        with translate_errors(connection.engine.url):
            connection.exec_driver_sql(f"LOCK TABLES {', '.join(f'{quote(name)} WRITE' for name in names)}")
            connection.exec_driver_sql("UNLOCK TABLES")
    # MariaDB cannot roll back DDL, so a schema change must not time out halfway.
    connection.exec_driver_sql("SET lock_wait_timeout = DEFAULT")


def acquire_schema_lock(connection: sa.Connection) -> None:
    """On MariaDB, wait until no other session changes the schema, and take the schema lock.

    Without it, other sessions would see a schema change table by table.

    Raises:
        StorageUnavailableError: Another session held the lock for too long.
    """
    if connection.dialect.name not in BACKENDS:
        return
    limits = locks.waiting_times.get()
    if connection.scalar(_GET_LOCK, {"seconds": limits.notice}) != 1:
        schema = f"the schema of {store_name(connection.engine.url)}"
        session = connection.scalar(_GET_LOCK_HOLDER)
        holder = f"another session (connection {session})" if session else "another session"
        locks.notify_waiting(schema, holder)
        if connection.scalar(_GET_LOCK, {"seconds": max(0.0, limits.give_up - limits.notice)}) != 1:
            raise locks.lock_timeout_error(schema, holder)
    connection.info[_LOCK_FLAG] = True


def block_other_writers(connection: sa.Connection) -> None:
    """On MariaDB, block other units of work until the transaction ends."""
    if connection.dialect.name in BACKENDS:
        connection.exec_driver_sql("SELECT version_num FROM alembic_version FOR UPDATE").all()


class _TypeCompiler(MySQLTypeCompiler):
    """Compile column types with the capacity and precision that they have on the other databases."""

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:
        # TEXT is limited to 65,535 bytes.
        return super().visit_TEXT(type_, **kw) if type_.length else self.visit_LONGTEXT(type_, **kw)

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        # A length is required. A longer default would be too long for a unique index over two columns.
        return self._extend_string(type_, {}, f"VARCHAR({type_.length or 255})")

    def visit_BLOB(self, type_: Any, **kw: Any) -> str:
        return super().visit_BLOB(type_, **kw) if type_.length else "LONGBLOB"

    def visit_JSON(self, type_: Any, **kw: Any) -> str:
        # MariaDB's JSON is LONGTEXT with a check that refuses more than 32 levels of nesting.
        return "LONGTEXT"

    def visit_DATETIME(self, type_: Any, **kw: Any) -> str:
        return "DATETIME(6)"

    def visit_TIME(self, type_: Any, **kw: Any) -> str:
        return "TIME(6)"

    def visit_NUMERIC(self, type_: Any, **kw: Any) -> str:
        # Without a precision, NUMERIC has no decimal places.
        return super().visit_NUMERIC(type_, **kw) if type_.precision else "NUMERIC(38, 10)"


class _DdlCompiler(MySQLDDLCompiler):
    """Compile tables that compare text byte by byte, and partial unique indexes."""

    def post_create_table(self, table: sa.Table) -> str:
        text = super().post_create_table(table)
        if any("char" in option or "collat" in option for option in table.kwargs):
            return text
        return f"{text} DEFAULT CHARSET=utf8mb4 COLLATE={_COLLATIONS[self.dialect.name]}"

    def visit_create_index(self, create: Any, **kw: Any) -> str:  # type: ignore[override]
        index: sa.Index = create.element
        condition = index.dialect_options["sqlite"]["where"]
        if not index.unique or condition is None:
            return super().visit_create_index(create, **kw)
        if not all(isinstance(each, sa.Column) for each in index.expressions):
            raise ConfigurationError(
                f"The unique index {index.name} has an expression, which MariaDB cannot index. "
                "Give the class a computed column and index that."
            )
        # MariaDB has no partial indexes. A hidden column that is NULL in the other rows, added to a unique
        # index, has the same effect, because NULLs are never duplicates.
        prepare = self.preparer
        name = prepare.quote(index.name or "")
        expression = self.sql_compiler.process(condition, include_table=False, literal_binds=True)
        columns = ", ".join(prepare.format_column(column) for column in index.columns)
        assert index.table is not None
        return (
            f"ALTER TABLE {prepare.format_table(index.table)} "
            f"ADD COLUMN {name} TINYINT GENERATED ALWAYS AS (IF({expression}, 1, NULL)) VIRTUAL INVISIBLE, "
            f"ADD UNIQUE INDEX {name} ({columns}, {name})"
        )
