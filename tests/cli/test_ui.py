"""The dashboard, started by the command line as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.support.dashboard import ROOT, Dashboard, free_port, serve_dashboard, start_dashboard

pytestmark = pytest.mark.slow


def listening(dashboard: Dashboard) -> set[str]:
    """The addresses that a dashboard listens on."""
    sockets = psutil.Process(dashboard.process.pid).net_connections("tcp")
    return {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}


def test_streamlit_run_listens_on_this_machine_only(tmp_path: Path) -> None:
    settings = {"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data")}
    dashboard = start_dashboard(settings, tmp_path / "log")
    try:
        assert listening(dashboard) == {"127.0.0.1"}
    finally:
        dashboard.stop()


def test_ui_serves_this_folders_store(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "lavendertown", "ui", "--port", str(port)]
    command += ["--data-dir", "ghosts", "--", "--server.maxUploadSize=7"]
    dashboard = serve_dashboard(command, port, {"PYTHONPATH": str(ROOT)}, tmp_path / "log", tmp_path)
    try:
        with urllib.request.urlopen(f"{dashboard.url}/healthz", timeout=30) as reply:
            assert json.load(reply) == {"status": "ok"}
        assert listening(dashboard) == {"127.0.0.1"}
        dashboard.process.send_signal(signal.SIGINT)
        dashboard.process.wait(30)
    finally:
        dashboard.stop()
    assert "Traceback" not in dashboard.log.read_text("utf-8")


def test_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "lavendertown", "ui", "--host", "127.0.0.1", "--port", port]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: Cannot listen on 127.0.0.1, port {port} (")
