"""Find Chromium and the options under which it runs quietly, offline and as root."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> Path | None:
    """The browser named by LAVENDERTOWN_TEST_CHROMIUM, else the first one installed; None without any."""
    named = os.environ.get("LAVENDERTOWN_TEST_CHROMIUM")
    if named:
        return Path(named)
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    return Path(found) if found else None


def launch_options(chromium: Path) -> dict[str, Any]:
    """What Playwright needs to start this browser."""
    return {"executable_path": str(chromium), "args": QUIET}
