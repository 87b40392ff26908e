"""Without the extra ``rpc`` everything else works, and RPC says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dashboard import ROOT

pytestmark = pytest.mark.slow

BLOCKED = """
import sys
sys.modules["connectrpc"] = None
sys.path.insert(0, {root!r})
"""
INSTALL = "pip install lavendertown[rpc]"


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = BLOCKED.format(root=str(ROOT)) + code
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("arguments", [["rpc"], ["rpc", "proto"]])
def test_the_command_line_says_what_to_install(tmp_path: Path, arguments: list[str]) -> None:
    done = run(f"from lavendertown.cli import cli; cli({arguments!r})", tmp_path)
    assert done.returncode == 2
    assert INSTALL in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["rpc", "mcp"])
def test_a_broken_part_of_our_own_is_named(tmp_path: Path, command: str) -> None:
    code = "del sys.modules['connectrpc']; sys.modules['lavendertown.rpc.tokens'] = None\n"
    done = run(f"{code}from lavendertown.cli import cli; cli(['{command}'])", tmp_path)
    assert done.returncode == 2
    assert "lavendertown.rpc.tokens" in done.stderr
    assert "pip install" not in done.stderr


def test_the_dashboard_names_no_library_for_a_broken_part(tmp_path: Path) -> None:
    done = run(
        "del sys.modules['connectrpc']; sys.modules['lavendertown.rpc.tokens'] = None\n"
        "import asyncio\n"
        "from lavendertown.ui.server.rpc_mount import RpcMount\n"
        "async def send(message): print(message.get('status', message.get('body')))\n"
        "asyncio.run(RpcMount()({'type': 'http'}, None, send))\n",
        tmp_path,
    )
    assert done.stdout.startswith("503\n"), done.stderr


def test_tokens_can_be_made_all_the_same(tmp_path: Path) -> None:
    arguments = ["rpc", "token", "create", "--actor", "ci-bot", "--role", "reader"]
    done = run(f"from lavendertown.cli import cli; cli({arguments!r})", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("lt_")


def test_importing_names_the_extra(tmp_path: Path) -> None:
    done = run("from lavendertown.rpc import RpcApp", tmp_path)
    assert INSTALL in done.stderr.splitlines()[-1]


def test_the_dashboard_answers_that_rpc_is_not_installed(tmp_path: Path) -> None:
    done = run(
        "import asyncio\n"
        "from lavendertown.ui.server.rpc_mount import RpcMount\n"
        "async def send(message): print(message.get('status', message.get('body')))\n"
        "asyncio.run(RpcMount()({'type': 'http'}, None, send))\n",
        tmp_path,
    )
    assert done.stdout.startswith("501\n"), done.stderr
    assert INSTALL in done.stdout
