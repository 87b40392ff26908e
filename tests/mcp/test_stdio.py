"""``lavendertown mcp``: a real process, and the SDK's client on its standard input and output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.support.dashboard import ROOT
from tests.support.mcp import McpClient, ToolRefused, stdio_server

pytestmark = pytest.mark.slow


def test_an_agent_decides_and_undoes(storage: Storage, tokens: TokenStore, tmp_path: Path) -> None:
    token, _ = tokens.create_token("triage-bot", Role.WRITER)
    client = McpClient(stdio_server(tmp_path, LAVENDERTOWN_RPC_TOKEN=token))
    found = client.call("search_findings", severity=["error"])["findings"]
    name = found[0]["finding_id"]
    made = client.call("set_status", finding_ids=[name], status="reviewed")
    assert storage.query_findings(finding_id=name)[0]["status"] == "reviewed"
    client.call("undo", undo=made["undo"])
    assert storage.query_findings(finding_id=name)[0]["status"] == "open"
    assert {each["actor"] for each in storage.audit_log(component="annotation")} == {"triage-bot"}


def test_a_reader_reads_only(storage: Storage, tokens: TokenStore, tmp_path: Path) -> None:
    token, _ = tokens.create_token("reader-bot", Role.READER)
    client = McpClient(stdio_server(tmp_path, LAVENDERTOWN_RPC_TOKEN=token))
    [found] = client.call("search_findings", limit=1)["findings"]
    with pytest.raises(ToolRefused, match="role writer"):
        client.call("assign", finding_ids=[found["finding_id"]], assignee="Ben")


def test_a_revoked_token_ends_a_running_server(storage: Storage, tokens: TokenStore, tmp_path: Path) -> None:
    token, made = tokens.create_token("triage-bot", Role.WRITER)
    client = McpClient(stdio_server(tmp_path, LAVENDERTOWN_RPC_TOKEN=token))
    [before] = client.call_all(("search_findings", {}))
    assert not before.is_error
    search = ("search_findings", {})
    [first, second] = client.call_all(search, search, between=lambda: tokens.revoke_token(made.id))
    assert (first.is_error, second.is_error) == (False, True)
    assert "The token is not valid" in second.content[0].text  # type: ignore[union-attr]


def test_without_authentication_no_token_is_needed(storage: Storage, tmp_path: Path) -> None:
    client = McpClient(stdio_server(tmp_path, LAVENDERTOWN_RPC_AUTHENTICATION="off"))
    [found] = client.call("search_findings", limit=1)["findings"]
    client.call("comment", finding_ids=[found["finding_id"]], comment="Hello.", on_behalf_of="Maya")
    assert [each["actor"] for each in storage.audit_log(component="annotation")] == ["Maya"]


@pytest.mark.parametrize(
    ("token", "words"), [("", "A token is needed in LAVENDERTOWN_RPC_TOKEN."), ("lt_a_b", "is not valid")]
)
def test_no_valid_token_is_refused_in_one_sentence(tmp_path: Path, token: str, words: str) -> None:
    done = _run_command(["-m", "lavendertown", "mcp"], tmp_path, LAVENDERTOWN_RPC_TOKEN=token)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_while_the_agent_is_connected(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "LAVENDERTOWN_RPC_AUTHENTICATION": "off"}
    command = [sys.executable, "-m", "lavendertown", "mcp"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert b'"id":1' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT


def test_without_the_sdk_it_says_what_to_install(tmp_path: Path) -> None:
    program = 'import sys; sys.modules["mcp"] = None\nfrom lavendertown.cli import cli; cli(["mcp"])'
    done = _run_command(["-c", program], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install lavendertown[mcp]" in done.stderr
    assert "Traceback" not in done.stderr


def _run_command(arguments: list[str], folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
