"""Serve an ASGI app on a real port, and call it with curl."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

import uvicorn

STORAGE = "lavendertown.v1.StorageService"
START_SECONDS = 30.0
_ENDING: list[threading.Thread] = []


@dataclass
class RpcServer:
    """A running server.

    Attributes:
        url: Its address, without a slash at the end.
    """

    url: str
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """End the server and wait for that; open connections are cut off."""
        self.stop_soon()
        self.thread.join(START_SECONDS)

    def stop_soon(self) -> None:
        """Let the server end within its next tick of 0.1 s, while the next test begins."""
        while _ENDING:
            _ENDING.pop().join(START_SECONDS)
        self.server.should_exit = True
        self.server.force_exit = True
        _ENDING.append(self.thread)


def start_rpc(app: Any, host: str = "127.0.0.1", **options: Any) -> RpcServer:
    """Serve an app in a thread, and wait until it answers."""
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=0, log_level="error", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server ended at once"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return RpcServer(f"http://127.0.0.1:{port}", server, thread)


def curl(url: str, *options: str) -> tuple[int, str]:
    """Call an address with curl; return the status and the body."""
    command = ["curl", "-sS", "--max-time", "30", "--noproxy", "*", "-w", "\n%{http_code}", *options, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def post(server: RpcServer, method: str, request: Any, *options: str) -> tuple[int, Any]:
    """Call a method of the storage service with curl and JSON; return the status and the answer."""
    text = request if isinstance(request, str) else json.dumps(request)
    service = method if "/" in method else f"{STORAGE}/{method}"
    status, body = curl(
        f"{server.url}/{service}", "-H", "Content-Type: application/json", "-d", text, *options
    )
    return status, json.loads(body) if body else None


def wait_until_answering(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was started as a process answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        command = ["curl", "-s", "-o", "/dev/null", "--noproxy", "*", "--max-time", "5", url]
        if subprocess.run(command, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError("the server did not answer in time")
