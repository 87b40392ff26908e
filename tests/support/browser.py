"""Find Chromium, and the options to run it offline and as root."""

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
    """Return the browser in LAVENDERTOWN_TEST_CHROMIUM, or the first installed one, or None."""
    configured = os.environ.get("LAVENDERTOWN_TEST_CHROMIUM")
    if configured:
        return Path(configured)
    installed = next((path for path in map(shutil.which, NAMES) if path), None)
    return Path(installed) if installed else None


def launch_options(chromium: Path) -> dict[str, Any]:
    """Return the launch options of Playwright for this browser."""
    return {"executable_path": str(chromium), "args": QUIET}
