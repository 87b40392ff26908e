"""Health, audit log, export, backup, restore and schema diagram of an application's database over RPC."""

from __future__ import annotations

import io
import zipfile

import pytest

from lavendertown.database import ModelAccessor, application
from lavendertown.rpc import ConnectClient, RpcError
from tests.rpc.models import RpcUser


def fill(users: ModelAccessor[RpcUser], *names: str) -> None:
    users.insert_many([RpcUser(name=name, email=f"{name}@example.org") for name in names], actor="Ann")


def test_health_says_that_all_is_well(client: ConnectClient, database: application.Database) -> None:
    found = client.call("DatabaseHealth")
    assert (found.is_ok, found.state, found.backend) == (True, "current", database.url.get_backend_name())
    assert found.revision == found.expected_revision


def test_the_audit_log_is_read_in_pages(client: ConnectClient, users: ModelAccessor[RpcUser]) -> None:
    fill(users, "a", "b", "c")
    seen, token = [], ""
    for _ in range(2):
        page = client.call("DatabaseReadAudit", {"component": ["users"], "page_size": 2, "page_token": token})
        seen += [(each.actor, each.operation, each.after["name"]) for each in page.events]
        token = page.next_page_token
    assert seen == [("Ann", "create", name) for name in ("c", "b", "a")]
    assert token == ""


def test_an_export_holds_every_table(client: ConnectClient, users: ModelAccessor[RpcUser]) -> None:
    fill(users, "a")
    made = client.call("Database_ExportZip", {})
    assert made.filename.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(made.data)) as file:
        assert b"a@example.org" in file.read("tables/rpc_users.csv")


def test_a_backup_is_tried_and_restored(
    client: ConnectClient, users: ModelAccessor[RpcUser], database: application.Database
) -> None:
    fill(users, "a")
    if database.url.get_backend_name() == "mariadb":
        with pytest.raises(RpcError, match="mariadb-dump"):
            client.call("Database_BackupSqlite", {})
        return
    made = client.call("Database_BackupSqlite", {})
    fill(users, "b")
    request = {"bytes": made.data, "filename": made.filename, "integrity_check": True, "dry_run": True}
    tried = client.call("Database_RestoreSqlite", request)
    counts = {each.name: (each.rows_before, each.rows_after) for each in tried.tables}
    assert (tried.restored, counts["rpc_users"]) == (False, (2, 1))
    assert len(users.all()) == 2
    done = client.call("Database_RestoreSqlite", {**request, "dry_run": False})
    assert (done.restored, bool(done.backup)) == (True, True)
    assert [each.name for each in users.all()] == ["a"]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"SQLite format 3\0 and nothing more"])
def test_a_file_that_is_no_backup_is_refused(
    client: ConnectClient, users: ModelAccessor[RpcUser], content: bytes
) -> None:
    fill(users, "a")
    with pytest.raises(RpcError) as caught:
        client.call("DatabaseRestore", {"bytes": content, "filename": "../../etc/backup.sqlite"})
    assert caught.value.code.value in ("invalid_argument", "failed_precondition")
    assert "/" not in str(caught.value)
    assert len(users.all()) == 1


def test_the_diagram_names_the_tables(client: ConnectClient) -> None:
    made = client.call("DatabaseSchemaDiagram", {"format": "dot"})
    assert made.filename == "schema.dot"
    assert b"rpc_users" in made.data
    with pytest.raises(RpcError, match="use svg or dot"):
        client.call("DatabaseSchemaDiagram", {"format": "png"})
