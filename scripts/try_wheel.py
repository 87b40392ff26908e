"""Install the built wheel as a stranger would, outside the checkout, and use it: ``make test-wheel``.

Once without extras on plain files, once as ``[all]`` on SQLite: ``lavendertown ui`` opens the dashboard,
a person inspects a file there and saves a report, and the installed Python finds it in the store.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.browser.screens import come_in, inspect_and_save
from tests.support.browser import find_chromium, launch_options
from tests.support.dashboard import ROOT, Dashboard, free_port, serve

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


def newest_wheel() -> Path:
    wheels = sorted((ROOT / "dist").glob("lavendertown-*.whl"), key=lambda path: path.stat().st_mtime)
    if not wheels:
        raise SystemExit("There is no wheel in dist/; run: make wheel")
    return wheels[-1]


def install(wheel: Path, extras: str, folder: Path) -> Path:
    """Install the wheel into a new environment; return the environment's folder of commands."""
    home = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), f"{wheel}{extras}"], check=True, cwd=folder)
    return home / "bin"


def visit(dashboard: Dashboard, table: Path) -> None:
    """Save a report in the browser; no request may go anywhere but to the dashboard."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium was found; run: scripts/chromium.sh")
    asked: set[str] = set()
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(**launch_options(chromium)).new_page()
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
        come_in(page, dashboard.url, "Wanda Wheel")
        inspect_and_save(page, table, "From the wheel")
    if asked - {"", "127.0.0.1"}:
        raise SystemExit(f"The dashboard asked other machines: {sorted(asked)}")


def python(commands: Path, source: str, folder: Path, settings: dict[str, str]) -> str:
    command = [str(commands / "python"), "-I", "-c", source]
    return subprocess.check_output(command, cwd=folder, env={**os.environ, **settings}, text=True)


def try_out(wheel: Path, extras: str, settings: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="lavendertown-wheel-") as name:
        folder = Path(name)
        commands = install(wheel, extras, folder)
        subprocess.run([commands / "lavendertown", "--help"], check=True, stdout=subprocess.DEVNULL)
        (folder / "table.csv").write_text(TABLE)
        port = free_port()
        command = [str(commands / "lavendertown"), "ui", "--port", str(port)]
        dashboard = serve(command, port, settings, folder / "log", folder)
        try:
            visit(dashboard, folder / "table.csv")
        finally:
            dashboard.stop()
        found = python(commands, COUNT, folder, settings).strip()
        if found != "['From the wheel'] True":
            raise SystemExit(f"The installed package does not find the saved report: {found}")
        if not extras:
            print(python(commands, NO_DATABASE, folder, settings).strip())
    print(f"{wheel.name}{extras}: installed, opened, saved and found")


def main() -> None:
    wheel = newest_wheel()
    try_out(wheel, "", {})
    try_out(wheel, "[all]", {"LAVENDERTOWN_STORAGE_TYPE": "database"})


if __name__ == "__main__":
    main()
