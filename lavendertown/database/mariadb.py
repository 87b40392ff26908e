"""What MariaDB, and MySQL, have to be told so that they answer as SQLite and PostgreSQL do."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler, MySQLTypeCompiler
from sqlalchemy.engine import URL, Engine

from lavendertown.database.errors import where
from lavendertown.errors import StorageUnavailableError

BACKENDS = ("mysql", "mariadb")
_LOCK_SECONDS = 60
_LOCKED = "lavendertown_locked"
_MODES = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
# Byte by byte, so that no letter equals another one. MySQL's ignores blanks at the end.
_COLLATIONS = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_bin"}
_LOCK = "SELECT GET_LOCK(CONCAT('lavendertown.', MD5(DATABASE())), :seconds)"


def options(url: URL) -> dict[str, Any]:
    """Return what an engine for this URL is made with."""
    backend = url.get_backend_name()
    # Else an UPDATE sees the new values of the columns it has assigned before. MySQL has no such mode.
    modes = f"{_MODES},SIMULTANEOUS_ASSIGNMENT" if backend == "mariadb" else _MODES
    setup = f"SET time_zone = '+00:00', innodb_lock_wait_timeout = 30, sql_mode = '{modes}'"
    return {
        "connect_args": {
            "charset": "utf8mb4",
            "collation": _COLLATIONS[backend],
            "connect_timeout": 10,
            "init_command": setup,
        },
        "isolation_level": "READ COMMITTED",
        # The server hangs up on connections that were idle for long.
        "pool_pre_ping": True,
        "pool_size": 10,
    }


def prepare(engine: Engine) -> None:
    """Let the engine's tables have our column types, collation and indexes."""
    engine.dialect.ddl_compiler = _Ddl
    engine.dialect.type_compiler_instance = _Types(engine.dialect)

    @sa.event.listens_for(engine, "reset")
    def reset(connection: Any, record: Any, _: object) -> None:
        if record.info.pop(_LOCKED, False):
            with connection.cursor() as cursor:
                cursor.execute("DO RELEASE_ALL_LOCKS()")


def lock_schema(connection: sa.Connection) -> None:
    """Let nobody else change the schema until the connection is given back.

    Raises:
        StorageUnavailableError: Somebody else has been at it for a minute.
    """
    if connection.scalar(sa.text(_LOCK), {"seconds": _LOCK_SECONDS}) != 1:
        raise StorageUnavailableError(
            f"Somebody else has been making tables in {where(connection.engine.url)} for {_LOCK_SECONDS} "
            "seconds; nothing was changed. Try again."
        )
    connection.info[_LOCKED] = True


def wait_for_tables(connection: sa.Connection) -> None:
    """On MariaDB, wait for whoever is making tables: they could be seen one by one."""
    if connection.dialect.name in BACKENDS:
        lock_schema(connection)


def one_writer(connection: sa.Connection) -> None:
    """On MariaDB, let no other unit of work write until the transaction ends; SQLite's own lock does that."""
    if connection.dialect.name in BACKENDS:
        connection.exec_driver_sql("SELECT version_num FROM alembic_version FOR UPDATE").all()


class _Types(MySQLTypeCompiler):
    """Column types that hold as much, and as exactly, as those of the other databases."""

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:
        # TEXT would end after 65,535 bytes.
        return super().visit_TEXT(type_, **kw) if type_.length else self.visit_LONGTEXT(type_, **kw)

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        # A length is required, and a longer one could not be unique beside another column.
        return self._extend_string(type_, {}, f"VARCHAR({type_.length or 255})")

    def visit_BLOB(self, type_: Any, **kw: Any) -> str:
        return super().visit_BLOB(type_, **kw) if type_.length else "LONGBLOB"

    def visit_JSON(self, type_: Any, **kw: Any) -> str:
        # MariaDB's JSON is this with a check, which refuses what is nested deeper than 32 times.
        return "LONGTEXT"

    def visit_DATETIME(self, type_: Any, **kw: Any) -> str:
        return "DATETIME(6)"

    def visit_TIME(self, type_: Any, **kw: Any) -> str:
        return "TIME(6)"

    def visit_NUMERIC(self, type_: Any, **kw: Any) -> str:
        # Without a precision there would be no digit after the point.
        return super().visit_NUMERIC(type_, **kw) if type_.precision else "NUMERIC(38, 10)"


class _Ddl(MySQLDDLCompiler):
    """Tables that compare text byte by byte, and unique indexes over some of the rows."""

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
        # No partial indexes here: a hidden column that is NULL in the other rows, for NULLs do not collide.
        prepare = self.preparer
        name = prepare.quote(index.name or "")
        of = self.sql_compiler.process(condition, include_table=False, literal_binds=True)
        columns = ", ".join(prepare.format_column(column) for column in index.columns)
        assert index.table is not None
        return (
            f"ALTER TABLE {prepare.format_table(index.table)} "
            f"ADD COLUMN {name} TINYINT GENERATED ALWAYS AS (IF({of}, 1, NULL)) VIRTUAL INVISIBLE, "
            f"ADD UNIQUE INDEX {name} ({columns}, {name})"
        )
