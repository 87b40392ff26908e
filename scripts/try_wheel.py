"""Install the built wheel outside the checkout and use it: ``make test-wheel``.

This runs without extras on files, and with ``[all]`` on SQLite: ``lavendertown ui`` opens the dashboard, a
user inspects a file and saves a report, and the installed package reads the report from the store.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.browser.screens import inspect_and_save, open_as_visitor
from tests.support.browser import find_chromium, launch_options
from tests.support.dashboard import ROOT, Dashboard, free_port, serve_dashboard

TABLE = "id,price,city\n" + "".join(f"{n},{n * 3 % 17 or ''},Oslo\n" for n in range(200))
COUNT = """
from lavendertown import Inspector
from lavendertown.collaboration.storage import get_storage_backend
storage = get_storage_backend()
print([row["title"] for row in storage.query_reports()], len(Inspector("table.csv").detect()) > 0)
storage.close()
"""
NO_DATABASE = """
from lavendertown.collaboration.database_storage import DatabaseStorage
try:
    DatabaseStorage()
except ImportError as error:
    print(error)
"""


def find_newest_wheel() -> Path:
    wheels = sorted((ROOT / "dist").glob("lavendertown-*.whl"), key=lambda path: path.stat().st_mtime)
    if not wheels:
        raise SystemExit("No wheel in dist/; run: make wheel")
    return wheels[-1]


def install_wheel(wheel: Path, extras: str, folder: Path) -> Path:
    """Install the wheel into a new environment; return the folder with its commands."""
    home = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), f"{wheel}{extras}"], check=True, cwd=folder)
    return home / "bin"


def save_report_in_browser(dashboard: Dashboard, table: Path) -> None:
    """Save a report in the browser, and check that all requests go to the dashboard."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("Chromium was not found; run: scripts/chromium.sh")
    hosts: set[str] = set()
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(**launch_options(chromium)).new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or ""))
        open_as_visitor(page, dashboard.url, "Wanda Wheel")
        inspect_and_save(page, table, "From the wheel")
    if hosts - {"", "127.0.0.1"}:
        raise SystemExit(f"The dashboard sent requests to other hosts: {sorted(hosts)}")


def run_python(commands: Path, source: str, folder: Path, settings: dict[str, str]) -> str:
    command = [str(commands / "python"), "-I", "-c", source]
    return subprocess.check_output(command, cwd=folder, env={**os.environ, **settings}, text=True)


def try_wheel(wheel: Path, extras: str, settings: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="lavendertown-wheel-") as name:
        folder = Path(name)
        commands = install_wheel(wheel, extras, folder)
        subprocess.run([commands / "lavendertown", "--help"], check=True, stdout=subprocess.DEVNULL)
        (folder / "table.csv").write_text(TABLE)
        port = free_port()
        command = [str(commands / "lavendertown"), "ui", "--port", str(port)]
        dashboard = serve_dashboard(command, port, settings, folder / "log", folder)
        try:
            save_report_in_browser(dashboard, folder / "table.csv")
        finally:
            dashboard.stop()
        output = run_python(commands, COUNT, folder, settings).strip()
        if output != "['From the wheel'] True":
            raise SystemExit(f"The installed package does not find the saved report: {output}")
        if not extras:
            print(run_python(commands, NO_DATABASE, folder, settings).strip())
    print(f"{wheel.name}{extras}: installed, opened, saved and found")


def main() -> None:
    wheel = find_newest_wheel()
    try_wheel(wheel, "", {})
    try_wheel(wheel, "[all]", {"LAVENDERTOWN_STORAGE_TYPE": "database"})


if __name__ == "__main__":
    main()
