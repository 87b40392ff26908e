"""A real RPC server on a real port, in front of a real database."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from lavendertown.collaboration.storage import Storage, get_storage_backend
from lavendertown.database import ModelAccessor, application, bootstrap
from lavendertown.rpc import ConnectClient, RpcApp, build_storage_bundle
from tests.rpc.models import RpcUser
from tests.support import mariadb
from tests.support.rpc import RpcServer, start_rpc


class Serve(Protocol):
    def __call__(self, app: RpcApp, **options: Any) -> RpcServer: ...


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a project of its own, in which local calls need no token."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", "off")


@pytest.fixture(autouse=True)
def no_running_loop() -> Iterator[None]:
    """Hide the event loop that Playwright keeps running in this thread once a browser test was here.

    The client would take every test for a coroutine.
    """
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[application.Database]:
    """An application's database on each backend, with its tables."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "app.db")
        url = f"sqlite:///{tmp_path / 'app.db'}"
    else:
        url = request.getfixturevalue("postgres_store_url" if request.param == "postgres" else "mariadb_url")
    bootstrap(database_url=url)
    yield application.current_database()
    application.current_database().close()


@pytest.fixture(params=["files", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def storage(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Storage]:
    """The configured storage of a team on each backend."""
    if request.param != "files":
        monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "team.db")
        monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", f"sqlite:///{tmp_path / 'team.db'}")
    if request.param == "postgres":
        monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", request.getfixturevalue("postgres_store_url"))
    opened = get_storage_backend()
    yield opened
    opened.close()


@pytest.fixture
def users(database: application.Database) -> ModelAccessor[RpcUser]:
    return ModelAccessor(RpcUser, "users")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an app until the end of the test."""
    running: list[RpcServer] = []

    def start(app: RpcApp, **options: Any) -> RpcServer:
        running.append(start_rpc(app.finalize(), **options))
        return running[-1]

    yield start
    for server in running:
        server.stop_soon()


@pytest.fixture
def server(users: ModelAccessor[RpcUser], serve: Serve) -> RpcServer:
    """The server of the document's quickstart."""
    app = RpcApp(name="my-app")
    app.add_bundle(build_storage_bundle(accessors=[users], max_records_per_model=100))
    return serve(app)


@pytest.fixture
def client(server: RpcServer) -> ConnectClient:
    return ConnectClient(server.url)
