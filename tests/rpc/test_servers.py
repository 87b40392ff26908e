"""The servers as people start them: with the dashboard, and alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lavendertown.rpc import ConnectClient, RpcError
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.support.dashboard import ROOT, free_port, serve_dashboard, start_dashboard
from tests.support.rpc import curl, wait_until_answering

pytestmark = pytest.mark.slow

QUICKSTART = """
from datetime import datetime
from typing import Optional
from sqlmodel import Field, SQLModel
from lavendertown.rpc import RpcApp, build_storage_bundle
from lavendertown.database import ModelAccessor, bootstrap

class User(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str
    email: str
    deleted_at: Optional[datetime] = Field(default=None, index=True)

bootstrap(database_url="sqlite:///./my_app.db", create_tables=True)
user_accessor = ModelAccessor(User, "users")
app = RpcApp(name="my-app")
storage_bundle = build_storage_bundle(
    accessors=[user_accessor],
    max_records_per_model=100,
    enable_db_actions=True
)
app.add_bundle(storage_bundle)
app.finalize()
"""


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[str]:
    """Run ``lavendertown rpc`` in a folder, and return its address."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAVENDERTOWN_")}
    environ |= {f"LAVENDERTOWN_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "lavendertown", "rpc", "--port", str(port), *arguments]
    environ["PYTHONPATH"] = str(ROOT)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        wait_until_answering(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_the_quickstart_of_the_document_is_served(tmp_path: Path) -> None:
    (tmp_path / "my_app.py").write_text(QUICKSTART)
    with running(tmp_path, "--app", "my_app:app", RPC_AUTHENTICATION="off") as url:
        client = ConnectClient(url)
        user = {"name": "Alice", "email": "alice@example.com"}
        assert client.call("UsersCreateRecord", {"record": user}).record.id == 1
        assert curl(f"{url}/healthz")[1] == '{"status":"ok","name":"my-app"}'


def test_the_teams_records_are_served_alone(tmp_path: Path) -> None:
    text, _ = TokenStore(tmp_path / "data").create_token("ci-bot", Role.WRITER)
    with running(tmp_path, DATA_DIR=str(tmp_path / "data")) as url:
        client = ConnectClient(url, token=text)
        client.call("SaveReport", {"report": {"id": "r-1", "title": "Orders"}})
        assert [each.author for each in client.call("QueryReports").reports] == ["ci-bot"]
        with pytest.raises(RpcError, match="needs a token"):
            ConnectClient(url).call("QueryReports")


def test_the_dashboard_serves_rpc_beside_its_screens(tmp_path: Path) -> None:
    text, _ = TokenStore(tmp_path / "data").create_token("ci-bot", Role.WRITER)
    dashboard = start_dashboard({"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data")}, tmp_path / "dashboard.log")
    try:
        client = ConnectClient(f"{dashboard.url}/rpc", token=text)
        client.call("SaveReport", {"report": {"id": "r-1", "title": "Orders"}})
        assert client.call("GetReport", {"id": "r-1"}).report.title == "Orders"
        with pytest.raises(RpcError, match="kept in plain files"):
            client.call("DatabaseHealth")
        [change] = client.stream_sync("StreamChanges", {"stop_at_end": True})
        assert change.event.actor == "ci-bot"
        assert curl(f"{dashboard.url}/healthz") == (200, '{"status":"ok"}')
        address = f"{dashboard.url}/rpc/lavendertown.v1.CollaborationService/QueryReports"
        status, body = curl(address, "-H", "Content-Type: application/json", "-d", "{}")
        assert (status, "needs a token" in body) == (401, True)
        endless = client.stream_sync("StreamChanges")
        assert next(endless).event.record_id == "r-1"
        dashboard.process.terminate()
        with pytest.raises(RpcError, match="The server is stopping"):
            next(endless)
        dashboard.process.wait(30)
    finally:
        dashboard.stop()


@pytest.mark.parametrize(("allowed", "status"), [("127.0.0.1", 401), ("", 200)])
def test_the_dashboard_trusts_the_proxy_that_connects(tmp_path: Path, allowed: str, status: int) -> None:
    settings = {
        "LAVENDERTOWN_DATA_DIR": str(tmp_path / "data"),
        "LAVENDERTOWN_RPC_PROXIES": "127.0.0.1",
        "FORWARDED_ALLOW_IPS": allowed,
    }
    dashboard = start_dashboard(settings, tmp_path / "dashboard.log")
    try:
        address = f"{dashboard.url}/rpc/lavendertown.v1.CollaborationService/QueryReports"
        headers = ("-H", "X-User: Maya", "-H", "X-Forwarded-For: 10.0.0.7")
        assert curl(address, "-H", "Content-Type: application/json", "-d", "{}", *headers)[0] == status
    finally:
        dashboard.stop()


def test_the_dashboard_serves_an_app_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "my_app.py").write_text(QUICKSTART)
    settings = {
        "LAVENDERTOWN_DATA_DIR": str(tmp_path / "data"),
        "LAVENDERTOWN_RPC_APP": "my_app:app",
        "LAVENDERTOWN_RPC_AUTHENTICATION": "off",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port := free_port())]
    settings["PYTHONPATH"] = str(ROOT)
    dashboard = serve_dashboard(command, port, settings, tmp_path / "dashboard.log", tmp_path)
    try:
        client = ConnectClient(f"{dashboard.url}/rpc")
        user = {"name": "Alice", "email": "alice@example.com"}
        assert client.call("UsersCreateRecord", {"record": user}).record.id == 1
        assert client.call("Database_ExportZip", {}).data[:2] == b"PK"
    finally:
        dashboard.stop()


def test_a_teams_database_is_backed_up_over_rpc(tmp_path: Path) -> None:
    with running(
        tmp_path, DATA_DIR=str(tmp_path / "data"), STORAGE_TYPE="database", RPC_AUTHENTICATION="off"
    ) as url:
        client = ConnectClient(url)
        client.call("SaveReport", {"report": {"id": "r-1", "title": "Orders"}})
        made = client.call("DatabaseBackup")
        client.call("SaveReport", {"report": {"id": "r-2", "title": "Orders"}})
        client.call("DatabaseRestore", {"bytes": made.data, "filename": made.filename})
        assert [each.id for each in client.call("QueryReports").reports] == ["r-1"]
        assert client.call("DatabaseHealth").is_ok


def test_an_app_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("app = 7\n")
    command = [sys.executable, "-m", "lavendertown", "rpc", "--app"]
    for target, words in {"other:app": "it must be an RpcApp", "none": "MODULE:ATTRIBUTE"}.items():
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [*command, target], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
