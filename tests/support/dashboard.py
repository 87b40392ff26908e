"""Start the real dashboard, ``streamlit run app.py``, in a separate process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0


@dataclass
class Dashboard:
    """A running dashboard.

    Attributes:
        url: Its URL, without a trailing slash.
        log: The file with the output of the server.
        process: The server process.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop the server; a second call has no effect."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """Return a free TCP port on loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start_dashboard(settings: Mapping[str, str], log: Path, app: Path = ROOT / "app.py") -> Dashboard:
    """Start a dashboard with only these settings and wait until it responds.

    Args:
        settings: LAVENDERTOWN_* variables; those of this process are not inherited.
        log: The file for the output of the server.
        app: The script to serve.

    Raises:
        RuntimeError: The server ended or did not respond in time; the message contains its output.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port)]
    command += ["--server.headless", "true"]
    return serve_dashboard(command, port, settings, log, ROOT)


def serve_dashboard(
    command: Sequence[str | Path], port: int, settings: Mapping[str, str], log: Path, folder: Path
) -> Dashboard:
    """Run a command that serves the dashboard on a port, in a folder, and wait until it responds.

    Raises:
        RuntimeError: As for :func:`start_dashboard`.
    """
    environ = {key: value for key, value in os.environ.items() if not key.startswith("LAVENDERTOWN_")}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**environ, **settings}, stdout=out, stderr=subprocess.STDOUT
        )
    dashboard = Dashboard(f"http://127.0.0.1:{port}", log, process)
    try:
        _wait_until_healthy(dashboard)
    except BaseException:
        dashboard.stop()
        raise
    return dashboard


def _wait_until_healthy(dashboard: Dashboard) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if dashboard.process.poll() is not None:
            break
        if _is_healthy(dashboard.url + "/_stcore/health"):
            return
        time.sleep(0.05)
    ended = dashboard.process.poll()
    state = (
        f"ended with status {ended}" if ended is not None else f"did not respond within {START_SECONDS:.0f} s"
    )
    raise RuntimeError(f"The dashboard {state}. Its output:\n{dashboard.log.read_text('utf-8', 'replace')}")


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
