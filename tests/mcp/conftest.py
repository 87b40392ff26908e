"""The SDK's client, before a server on a real port, on files, SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage, get_storage_backend
from lavendertown.core import clock
from lavendertown.mcp.http_app import build_http_app
from lavendertown.models import GhostFinding
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.support.mcp import McpClient, no_running_loop
from tests.support.rpc import RpcServer, start_rpc

Connect = Callable[..., McpClient]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of a project of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    with no_running_loop():
        yield


@pytest.fixture
def storage() -> Iterator[Storage]:
    """The configured storage, with one report of three findings."""
    opened = get_storage_backend()
    opened.save_report(make_report("r-1"))
    yield opened
    opened.close()


@pytest.fixture(
    params=[
        "files",
        pytest.param("sqlite", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Where the records are kept; ask for it before ``storage``."""
    if request.param != "files":
        monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "team.db")
        monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", f"sqlite:///{tmp_path / 'team.db'}")
    if request.param == "postgres":
        monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", request.getfixturevalue("postgres_store_url"))
    return str(request.param)


@pytest.fixture
def server(storage: Storage) -> Iterator[RpcServer]:
    running = start_rpc(build_http_app(lambda: storage))
    yield running
    running.stop_soon()


@pytest.fixture
def connect(server: RpcServer, tokens: TokenStore) -> Connect:
    """Return a client with a new token."""

    def open_client(actor: str = "triage-bot", role: Role = Role.WRITER, mode: str = "auto") -> McpClient:
        return McpClient(f"{server.url}/mcp", tokens.create_token(actor, role)[0], mode)

    return open_client


@pytest.fixture
def tokens(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "data")


def make_report(report_id: str) -> ShareableReport:
    findings = [
        GhostFinding(
            "null",
            column,
            severity,
            f"{n + 2} of 100 values of {column} are missing.",
            row_indices=list(range(n + 2)),
            metadata={"check": "nulls", "dataset": "orders"},
        )
        for n, (column, severity) in enumerate([("price", "error"), ("city", "warning"), ("zip", "info")])
    ]
    return ShareableReport(
        report_id, "Orders", "Ana", clock.now(), findings=findings, metadata={"dataset": "orders"}
    )
