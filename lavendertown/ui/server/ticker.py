"""Run the ticks of the dashboard's server, if the setting ``tick_minutes`` asks for them."""

from __future__ import annotations

import logging
import threading

from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.tick import run_tick

_CHECK_SECONDS = 60
"""The time after which the settings are read again while ticks are off."""

log = logging.getLogger("lavendertown.tick")


class Ticker:
    """A thread that runs a tick every few minutes. The settings are read each time, so they may change."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        self._stop.clear()
        threading.Thread(target=self._run, name="ticker", daemon=True).start()

    def stop(self) -> None:
        """End the thread, after a tick that is running."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(run_due_tick())


def run_due_tick() -> float:
    """Run a tick if ticks are on; return the seconds until the next one. A failure is logged."""
    try:
        settings = load_settings()
        if not settings.tick_minutes:
            return _CHECK_SECONDS
        storage = get_storage_backend(settings)
        try:
            run_tick(storage, settings)
        finally:
            storage.close()
        return settings.tick_minutes * 60
    except (LavenderTownError, ImportError) as error:
        log.error("The tick failed: %s", error)
    except Exception:  # the thread must live on
        log.exception("The tick failed.")
    return _CHECK_SECONDS


ticker = Ticker()
