"""The samples of the document that RPC comes from run as they are written, with our import paths.

The TypeScript sample is run by ``make test-rpc-clients``.
"""

from __future__ import annotations

import asyncio
import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connectrpc.errors import ConnectError
from sqlmodel import SQLModel

from lavendertown.core.errors import ConfigurationError
from lavendertown.database import application
from tests.rpc.conftest import Serve
from tests.support.rpc import RpcServer

QUICKSTART = """
from datetime import datetime
from typing import Optional
from sqlmodel import Field, SQLModel
from lavendertown.rpc import RpcApp
from lavendertown.database import bootstrap
from lavendertown.database import ModelAccessor
from lavendertown.rpc import build_storage_bundle

class User(SQLModel, table=True):
    __tablename__ = "document_users"
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str
    email: str
    deleted_at: Optional[datetime] = Field(default=None, index=True)

# Initialize database
bootstrap(
    database_url="sqlite:///./my_app.db",
    create_tables=True
)

# Create accessor
user_accessor = ModelAccessor(User, "users")

# Build RPC bundle and add to app
app = RpcApp(name="my-app")
storage_bundle = build_storage_bundle(
    accessors=[user_accessor],
    max_records_per_model=100,
    enable_db_actions=True
)
app.add_bundle(storage_bundle)
app.finalize()
"""
PRODUCT = """
class Product(SQLModel, table=True):
    __tablename__ = "document_products"
    id: Optional[int] = Field(default=None, primary_key=True)
    title: str

bootstrap(database_url="sqlite:///./my_app.db", create_tables=True)
"""
SEVERAL_MODELS = """
# user_accessor was created earlier in the Quickstart example
# Reuse it here to bootstrap multiple models at once

product_accessor = ModelAccessor(Product, "products")

# Build bundle with multiple accessors
storage_bundle = build_storage_bundle(
    accessors=[user_accessor, product_accessor],
    max_records_per_model=100,
    enable_db_actions=True
)
app.add_bundle(storage_bundle)
"""
EXPORT = """
from lavendertown.rpc import ConnectClient

client = ConnectClient("http://localhost:8000")
response = await client.call("Database_ExportZip", {})
with open("backup.zip", "wb") as f:
    f.write(response.data)
"""
BACKUP = """
# Backup
backup_response = await client.call("Database_BackupSqlite", {})
with open(backup_response.filename, "wb") as f:
    f.write(backup_response.data)
"""
RESTORE = """
# Restore
with open("backup.sqlite", "rb") as f:
    restore_response = await client.call(
        "Database_RestoreSqlite",
        {
            "bytes": f.read(),
            "filename": "backup.sqlite",
            "integrity_check": True,
            "dry_run": False
        }
    )
"""
HOOKS = """
@user_accessor.before_insert()
def validate_email(session, instance):
    if "@" not in instance.email:
        raise ValueError("Invalid email")

@user_accessor.after_insert()
def log_creation(session, instance):
    print(f"User created: {instance.name}")
"""
AUDIT = """
from lavendertown import database
from lavendertown.database import AuditLog
from sqlmodel import select

with database.transaction() as session:
    logs = session.exec(select(AuditLog).where(AuditLog.component == "users")).all()
"""
ACCESSORS = """
# Create
user = user_accessor.insert(User(name="Alice", email="alice@example.com"), actor="admin")

# Read
user = user_accessor.get(user.id)

# Update
user.name = "Alice Smith"
user_accessor.save(user, actor="admin")

# Delete
user_accessor.delete(user.id, actor="admin")

# Restore (for soft-deleted models)
user_accessor.restore(user.id, actor="admin")
"""


_MODULES = itertools.count()


def execute(sample: str, names: dict[str, Any]) -> None:
    """Run a sample as a module of its own, without this one's ``annotations``."""
    exec(compile(sample, "sample", "exec", dont_inherit=True), names)


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """The names that the quickstart defines."""
    found: dict[str, Any] = {"__name__": f"document_{next(_MODULES)}"}
    execute(QUICKSTART, found)
    yield found
    application.current_database().close()
    for table in [each for each in SQLModel.metadata.tables.values() if each.name.startswith("document_")]:
        SQLModel.metadata.remove(table)


@pytest.fixture
def server(names: dict[str, Any], serve: Serve) -> RpcServer:
    return serve(names["app"])


def run_async(sample: str, names: dict[str, Any], server: RpcServer) -> None:
    """Run a sample that awaits, its server's address being the test's."""
    body = textwrap.indent(sample.replace("http://localhost:8000", server.url), "    ")
    execute(f"async def sample():\n{body}\n    globals().update(locals())\n", names)
    asyncio.run(names["sample"]())


def test_several_models_are_served_by_one_bundle(names: dict[str, Any], serve: Serve) -> None:
    execute(PRODUCT, names)
    execute(SEVERAL_MODELS, names)
    server = serve(names["app"])
    run_async(EXPORT, names, server)
    run_async('made = await client.call("ProductsCreateRecord", {"record": {"title": "x"}})', names, server)
    assert names["made"].record.title == "x"


def test_the_export_sample_writes_a_zip(names: dict[str, Any], server: RpcServer) -> None:
    run_async(EXPORT, names, server)
    assert Path("backup.zip").read_bytes()[:2] == b"PK"


def test_the_backup_and_restore_samples_bring_the_rows_back(names: dict[str, Any], server: RpcServer) -> None:
    execute(ACCESSORS, names)
    run_async(EXPORT, names, server)
    run_async(BACKUP, names, server)
    accessor = names["user_accessor"]
    accessor.insert(names["User"](name="Bob", email="bob@example.com"))
    run_async(RESTORE.replace('open("backup.sqlite"', "open(backup_response.filename"), names, server)
    assert names["restore_response"].restored
    assert [each.name for each in accessor.all()] == ["Alice Smith"]


def test_the_hooks_sample_refuses_and_prints(
    names: dict[str, Any], server: RpcServer, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(HOOKS, names)
    run_async(EXPORT, names, server)
    call = 'await client.call("UsersCreateRecord", {{"record": {{"name": "Alice", "email": "{}"}}}})'
    run_async(call.format("alice@example.com"), names, server)
    assert "User created: Alice" in capsys.readouterr().out
    with pytest.raises(Exception, match="Invalid email"):
        run_async(call.format("alice"), names, server)


def test_the_accessor_and_audit_samples_agree(names: dict[str, Any]) -> None:
    execute(ACCESSORS, names)
    execute(AUDIT, names)
    logged = [(each.operation, each.actor) for each in names["logs"]]
    assert logged == [(each, "admin") for each in ("create", "update", "soft_delete", "restore")]


def test_a_later_bundle_replaces_the_same_methods_and_keeps_their_numbers(
    names: dict[str, Any], serve: Serve
) -> None:
    app, users = names["app"], names["user_accessor"]
    before = app.proto
    app.add_bundle(names["build_storage_bundle"](accessors=[users], max_records_per_model=1))
    assert app.proto == before
    server = serve(app)
    create = 'await client.call("UsersCreateRecord", {"record": {"name": "Al", "email": "a@b.example"}})'
    run_async(EXPORT, names, server)
    run_async(create, names, server)
    with pytest.raises(ConnectError, match="users has 1 records, the limit"):
        run_async(create, names, server)


def test_another_class_of_the_same_component_is_refused_and_the_app_stays(names: dict[str, Any]) -> None:
    app, build = names["app"], names["build_storage_bundle"]
    execute(PRODUCT, names)
    before = app.proto
    other = names["ModelAccessor"](names["Product"], "users")
    with pytest.raises(ConfigurationError, match="another method UsersListRecords; rename a component"):
        app.add_bundle(build(accessors=[other], enable_db_actions=False))
    assert app.proto == before


def test_an_app_is_finalized_once_and_not_without_bundles(names: dict[str, Any]) -> None:
    app = names["app"]
    assert app.finalize() is app
    with pytest.raises(ConfigurationError, match="has no bundle"):
        names["RpcApp"](name="empty").finalize()
