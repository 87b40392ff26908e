"""MCP where people find it: beside RPC, on the dashboard's port and alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.rpc import ConnectClient
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.test_servers import QUICKSTART, running
from tests.support.dashboard import ROOT, start_dashboard
from tests.support.mcp import McpClient
from tests.support.rpc import curl

pytestmark = pytest.mark.slow


def test_the_rpc_server_serves_mcp_too(storage: Storage, tokens: TokenStore, tmp_path: Path) -> None:
    token, _ = tokens.create_token("triage-bot", Role.WRITER)
    with running(tmp_path, DATA_DIR=str(tmp_path / "data")) as url:
        client = McpClient(f"{url}/mcp", token)
        [found] = client.call("search_findings", limit=1)["findings"]
        client.call("assign", finding_ids=[found["finding_id"]], assignee="Ben")
        changes = ConnectClient(url, token=token).call("ListChanges").changes
        assert [each.event.actor for each in changes][-1] == "triage-bot"


def test_the_dashboard_serves_mcp_too(storage: Storage, tokens: TokenStore, tmp_path: Path) -> None:
    token, _ = tokens.create_token("triage-bot", Role.WRITER)
    dashboard = start_dashboard({"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data")}, tmp_path / "dashboard.log")
    try:
        for mode in ("auto", "legacy"):
            client = McpClient(f"{dashboard.url}/mcp", token, mode)
            assert client.call("search_findings")["total"] == 3
        status, body = curl(f"{dashboard.url}/mcp", "-d", "{}")
        assert (status, "needs a token" in json.loads(body)["error"]["message"]) == (401, True)
    finally:
        dashboard.stop()


def test_an_app_of_ones_own_is_served_without_the_teams_findings(tmp_path: Path) -> None:
    (tmp_path / "my_app.py").write_text(QUICKSTART)
    with running(tmp_path, "--app", "my_app:app", RPC_AUTHENTICATION="off") as url:
        assert curl(f"{url}/mcp", "-d", "{}")[0] == 404


@pytest.mark.parametrize(
    "make",
    [
        "from lavendertown.ui.server.rpc_mount import McpMount; app = McpMount()",
        "from lavendertown.mcp.mount import mount_mcp; app = mount_mcp(None, None)",
    ],
)
def test_without_the_sdk_the_servers_say_so(tmp_path: Path, make: str) -> None:
    program = f"""
import asyncio, sys
sys.modules["mcp"] = None
sys.path.insert(0, {str(ROOT)!r})
{make}
async def send(message): print(message.get("status", message.get("body")))
asyncio.run(app({{"type": "http", "path": "/mcp"}}, None, send))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("501\n"), done.stderr
    assert "pip install lavendertown[mcp]" in done.stdout
