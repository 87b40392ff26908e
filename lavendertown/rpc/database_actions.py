"""The RPC methods of an application's database: health, audit log, export, backup, restore, diagram."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from lavendertown.collaboration.filters import as_tuple
from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError, RefusedRowsError, SchemaError, StorageUnavailableError
from lavendertown.core.file_limits import MEGABYTE
from lavendertown.core.settings import load_settings
from lavendertown.database.application import Database
from lavendertown.database.audit_pages import Position, read_audit_page
from lavendertown.records.queries import AuditQuery
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.audit_messages import AUDIT_EVENT, audit_values
from lavendertown.rpc.protocol.messages import read_time
from lavendertown.rpc.protocol.paging import (
    read_iso_time,
    read_page_size,
    read_page_token,
    read_whole_number,
    write_page_token,
)
from lavendertown.rpc.protocol.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role
from lavendertown.stores.sql.copies.export import export_database
from lavendertown.stores.sql.health import check_health
from lavendertown.stores.sql.schema import schema_diagram
from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location

FindDatabase = Callable[[], Database]
_MAX_FILENAME = 100
_DRAW_SECONDS = 30
_NO_GRAPHVIZ = (
    "A picture is drawn by Graphviz, which the server has not installed; ask for the format dot, or install "
    "Graphviz there."
)
_NO_COPIES = (
    "A MariaDB is backed up and restored by its own programs, mariadb-dump and mariadb, on the server; "
    "DatabaseExportZip works here."
)
_FILE = (FieldSpec("data", "bytes"), FieldSpec("filename", "string"))


def database_methods(find_database: FindDatabase) -> tuple[MethodSpec, ...]:
    """Return the methods as parts of a service.

    Args:
        find_database: Returns the database; called with each request.
    """
    actions = _DatabaseActions(find_database)
    audit = MessageSpec(
        "DatabaseReadAuditRequest",
        (
            *(FieldSpec(name, "string", repeated=True) for name in ("component", "actor", "operation")),
            FieldSpec("record_id", "string", repeated=True),
            FieldSpec("since", "timestamp"),
            FieldSpec("until", "timestamp"),
            FieldSpec("page_size", "int32"),
            FieldSpec("page_token", "string"),
        ),
    )
    audit_answer = MessageSpec(
        "DatabaseReadAuditResponse",
        (FieldSpec("events", AUDIT_EVENT.name, repeated=True), FieldSpec("next_page_token", "string")),
    )
    diagram = MessageSpec(
        "DatabaseSchemaDiagramRequest",
        (FieldSpec("format", "string", comment="svg or dot; svg by default where Graphviz is installed."),),
    )
    health_answer = MessageSpec(
        "DatabaseHealthResponse",
        (
            FieldSpec("is_ok", "bool"),
            FieldSpec("backend", "string"),
            FieldSpec("state", "string"),
            FieldSpec("query_seconds", "double"),
            FieldSpec("revision", "string"),
            FieldSpec("expected_revision", "string"),
            FieldSpec("size_bytes", "int64"),
        ),
    )
    return (
        MethodSpec(
            "DatabaseHealth",
            MessageSpec("DatabaseHealthRequest"),
            health_answer,
            actions.read_health,
            is_read=True,
            aliases=("Database_Health",),
        ),
        MethodSpec(
            "DatabaseReadAudit",
            audit,
            audit_answer,
            actions.read_audit,
            is_read=True,
            aliases=("Database_Audit", "Database_ReadAudit"),
            messages=(AUDIT_EVENT,),
        ),
        MethodSpec(
            "DatabaseSchemaDiagram",
            diagram,
            MessageSpec("DatabaseSchemaDiagramResponse", _FILE),
            actions.draw_diagram,
            is_read=True,
            aliases=("Database_Diagram", "Database_SchemaDiagram"),
        ),
        MethodSpec(
            "DatabaseExportZip",
            MessageSpec("DatabaseExportZipRequest"),
            MessageSpec("DatabaseExportZipResponse", _FILE),
            actions.export_zip,
            role=Role.WRITER,
            is_large=True,
            aliases=("Database_ExportZip",),
            comment="Every table as CSV.",
        ),
        *_backup_methods(actions, ""),
        *_backup_methods(actions, "Sqlite"),
    )


def _backup_methods(actions: _DatabaseActions, suffix: str) -> Iterator[MethodSpec]:
    """Yield backup and restore, under today's names and under those of earlier clients."""
    yield MethodSpec(
        f"DatabaseBackup{suffix}",
        MessageSpec("DatabaseBackupRequest"),
        MessageSpec("DatabaseBackupResponse", _FILE),
        actions.back_up,
        role=Role.WRITER,
        is_large=True,
        aliases=(f"Database_Backup{suffix}",),
    )
    count = MessageSpec(
        "TableCount",
        (FieldSpec("name", "string"), FieldSpec("rows_before", "int64"), FieldSpec("rows_after", "int64")),
    )
    yield MethodSpec(
        f"DatabaseRestore{suffix}",
        MessageSpec(
            "DatabaseRestoreRequest",
            (
                FieldSpec("bytes", "bytes", comment="A backup or an export."),
                FieldSpec("filename", "string"),
                FieldSpec("integrity_check", "bool", comment="The file is checked in any case."),
                FieldSpec("dry_run", "bool", comment="Check everything and change nothing."),
                FieldSpec("actor", "string", comment="For whom the caller acts."),
            ),
        ),
        MessageSpec(
            "DatabaseRestoreResponse",
            (
                FieldSpec("restored", "bool", comment="False in a dry run."),
                FieldSpec("dry_run", "bool"),
                FieldSpec("tables", count.name, repeated=True),
                FieldSpec("backup", "string", comment="The name of the copy of what was replaced."),
            ),
        ),
        actions.restore,
        role=Role.WRITER,
        aliases=(f"Database_Restore{suffix}",),
        is_large=True,
        messages=(count,),
    )


class _DatabaseActions:
    def __init__(self, find_database: FindDatabase) -> None:
        self._find_database = find_database

    def _url(self) -> str:
        return self._find_database().url.render_as_string(hide_password=False)

    def _copied_url(self) -> str:
        """Return the URL of a database that can be backed up and restored by RPC."""
        if self._find_database().url.get_backend_name() == "mariadb":
            raise ConnectError(Code.FAILED_PRECONDITION, _NO_COPIES)
        return self._url()

    def read_health(self, request: Any, call: Call) -> dict[str, Any]:
        database = self._find_database()
        found = check_health(self._url())
        return {
            "is_ok": found.is_ok,
            "backend": database.url.get_backend_name(),
            "state": found.state.value,
            "query_seconds": found.query_seconds,
            "revision": found.revision,
            "expected_revision": found.expected_revision,
            "size_bytes": found.size_bytes,
        }

    def read_audit(self, request: Any, call: Call) -> dict[str, Any]:
        size = read_page_size(request.page_size)
        query = AuditQuery(
            actor=as_tuple(request.actor),
            component=as_tuple(request.component),
            operation=as_tuple(request.operation),
            record_id=as_tuple(request.record_id),
            since=read_time(request, "since"),
            until=read_time(request, "until"),
        )
        before: Position | None = None
        if request.page_token:
            at, key = read_page_token(request.page_token, read_iso_time, read_whole_number)
            before = at, key
        found = list(read_audit_page(self._find_database(), query, size + 1, before))
        token = ""
        if len(found) > size:
            del found[size:]
            token = write_page_token(found[-1].at.isoformat(), int(found[-1].key))
        return {"events": [audit_values(event) for event in found], "next_page_token": token}

    def draw_diagram(self, request: Any, call: Call) -> dict[str, Any]:
        program = shutil.which("dot")
        kind = request.format or ("svg" if program else "dot")
        if kind not in ("svg", "dot"):
            raise InvalidInputError(f"The format {kind[:20]!r} is not known; use svg or dot.")
        text = schema_diagram.render_dot(schema_diagram.read_database_boxes(self._find_database().url))
        if kind == "svg":
            if program is None:
                raise ConnectError(Code.FAILED_PRECONDITION, _NO_GRAPHVIZ)
            text = _draw_svg(program, text)
        return {"data": text.encode("utf-8"), "filename": f"schema.{kind}"}

    def export_zip(self, request: Any, call: Call) -> dict[str, Any]:
        with _temporary_folder() as folder:
            name = f"export-{clock.now():%Y%m%dT%H%M%S}.zip"
            return _file_values(export_database(self._url(), folder / name).file)

    def back_up(self, request: Any, call: Call) -> dict[str, Any]:
        with _temporary_folder() as folder:
            return _file_values(back_up(parse_location(self._copied_url()), folder).file)

    def restore(self, request: Any, call: Call) -> dict[str, Any]:
        if not request.bytes:
            raise InvalidInputError("The request has no file; send its content as bytes.")
        with _temporary_folder() as folder:
            file = folder / _safe_name(request.filename)
            file.write_bytes(request.bytes)
            with _without_paths(folder), acting_for(call.on_behalf_of(request.actor)):
                done = restore_store(
                    self._copied_url(), file, actor=call.actor(request.actor), dry_run=request.dry_run
                )
        names = sorted(done.rows.keys() | done.rows_before.keys())
        return {
            "restored": not request.dry_run,
            "dry_run": request.dry_run,
            "tables": [
                {
                    "name": name,
                    "rows_before": done.rows_before.get(name, 0),
                    "rows_after": done.rows.get(name, 0),
                }
                for name in names
            ],
            "backup": done.backup_file.name if done.backup_file else "",
        }


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lavendertown-rpc-") as folder:
        yield Path(folder)


def _file_values(file: Path) -> dict[str, Any]:
    """Return a file's content and name.

    Raises:
        ConnectError: It is larger than what may be sent.
    """
    most = load_settings().rpc_max_mb
    size = file.stat().st_size
    if size > most * MEGABYTE:
        raise ConnectError(
            Code.RESOURCE_EXHAUSTED,
            f"The file has {size / MEGABYTE:,.0f} MB, and the limit is {most:,} MB. Make it on the "
            "server with lavendertown db, or raise the setting rpc_max_mb.",
        )
    return {"data": file.read_bytes(), "filename": file.name}


def _safe_name(name: str) -> str:
    """Return a file's name of harmless characters that keeps its ending."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name).strip(".-")[-_MAX_FILENAME:]
    return kept or "backup"


@contextlib.contextmanager
def _without_paths(folder: Path) -> Iterator[None]:
    """Remove the temporary folder from messages about the file in it."""
    try:
        yield
    except RefusedRowsError as error:
        first = next(iter(error.problems), "")
        raise InvalidInputError(f"{error} {first}".replace(f"{folder}/", "").strip()) from error
    except InvalidInputError as error:
        raise InvalidInputError(str(error).replace(f"{folder}/", "")) from error
    except SchemaError as error:
        raise InvalidInputError(
            "The file and this database do not fit together: one is of another program or version; nothing "
            "was changed. Upgrade the database, or choose a backup of this one."
        ) from error


def _draw_svg(program: str, text: str) -> str:
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=text, capture_output=True, text=True, check=True, timeout=_DRAW_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StorageUnavailableError(f"Graphviz could not draw the tables: {error}") from error
    return done.stdout
