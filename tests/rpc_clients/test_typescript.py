"""Clients in TypeScript, generated from the server's own ``.proto``, against a server on a real port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lavendertown.core.settings import load_settings
from lavendertown.database import ModelAccessor, application, bootstrap
from lavendertown.rpc import RpcApp, build_storage_bundle
from lavendertown.rpc.collaboration_service import build_collaboration_bundle
from lavendertown.rpc.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.models import RpcUser
from tests.support.rpc import RpcServer, start_rpc

HERE = Path(__file__).parent
INSTALLED = Path(os.environ["LAVENDERTOWN_TEST_RPC_CLIENTS"]).absolute()
"""Where ``scripts/rpc_clients.sh`` installed the packages of each client."""


@pytest.fixture(params=["required", "off"])
def authentication(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authentication: str) -> Iterator[RpcApp]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", authentication)
    bootstrap(database_url=f"sqlite:///{tmp_path / 'app.db'}")
    made = RpcApp(name="my-app")
    made.add_bundle(build_storage_bundle(accessors=[ModelAccessor(RpcUser, "users")]))
    made.add_bundle(build_collaboration_bundle())
    yield made.finalize()
    application.current_database().close()


@pytest.fixture
def server(app: RpcApp) -> Iterator[RpcServer]:
    started = start_rpc(app)
    yield started
    started.stop()


def run_client(name: str, app: RpcApp, folder: Path, *arguments: str) -> list[Any]:
    """Generate a client's code, compile it and run it; return the JSON lines it prints."""
    client = folder / name
    shutil.copytree(HERE / name, client)
    (client / "node_modules").symlink_to(INSTALLED / name / "node_modules")
    app.write_proto(client / "proto" / "app.proto")
    build = subprocess.run(["npm", "run", "build"], cwd=client, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stdout + build.stderr
    run = subprocess.run(
        ["node", "out/main.js", *arguments], cwd=client, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("authentication", ["off"])
def test_the_documents_sample_compiles_and_runs(app: RpcApp, server: RpcServer, tmp_path: Path) -> None:
    assert run_client("document", app, tmp_path, server.url) == [
        ["Alice", "alice@example.com"],
        ["Alice"],
        ["Alice Smith", "alice@example.com"],
        [],
        ["Alice Smith"],
        ["Alice Smith"],
    ]


@pytest.mark.parametrize("authentication", ["required"])
def test_every_protocol_of_todays_client_works(app: RpcApp, server: RpcServer, tmp_path: Path) -> None:
    text, _ = TokenStore(load_settings().data_dir).create_token("page", Role.WRITER)
    printed = run_client("current", app, tmp_path, server.url, text)
    assert printed == [
        {
            "transport": name,
            "name": name,
            "codes": ["NotFound", "AlreadyExists", "InvalidArgument", "Unauthenticated"],
            "last": name,
            "zip": "PK",
        }
        for name in ("json", "binary", "get", "grpcWeb")
    ]
