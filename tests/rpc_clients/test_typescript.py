"""Clients in TypeScript, generated from the server's own ``.proto``, against a server on a real port."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lavendertown.core.settings import load_settings
from lavendertown.database import ModelAccessor, application, bootstrap
from lavendertown.rpc import RpcApp, build_storage_bundle
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.collaboration_service import build_collaboration_bundle
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.models import RpcUser
from tests.rpc.test_servers import running
from tests.support.dashboard import ROOT
from tests.support.rpc import RpcServer, start_rpc

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "rpc.md"
_FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


def test_the_typescript_of_the_page_compiles_and_runs(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    for name, content in _FILE.findall(text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(HERE / "current" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(INSTALLED / "current" / "node_modules")
    token, _ = TokenStore(tmp_path / "data").create_token("page", Role.WRITER)
    [command] = re.findall(r"^lavendertown (rpc proto .*)$", text, re.MULTILINE)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "lavendertown", *command.split())
    for line in re.findall(r"^npx .*$", text, re.MULTILINE):
        run(*line.split())
    with running(tmp_path, "--app", "my_app:app", DATA_DIR=str(tmp_path / "data")) as url:
        main = tmp_path / "src" / "main.ts"
        written = main.read_text("utf-8").replace("http://localhost:8000", url).replace("lt_…", token)
        main.write_text(written, "utf-8")
        run("npx", "tsc")
        assert run("node", "out/main.js") == "1 Alice\n"
