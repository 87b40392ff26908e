"""Whether an open storage is still the one the settings name."""

from __future__ import annotations

from pathlib import Path

from lavendertown.config import Settings, load_settings, settings_files
from lavendertown.errors import StoreMovedError

_Signature = tuple[tuple[int, int, int] | None, ...]


class StillInUse:
    """Refuses a write when the settings have come to name another store since the storage was opened.

    Args:
        settings: What the storage was opened with.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files = settings_files(settings)
        self._seen: _Signature | None = None

    def __call__(self) -> None:
        """Compare; the settings files are read again only when they changed.

        Raises:
            StoreMovedError: The team's records live elsewhere now.
        """
        signature = tuple(map(_signature, self._files))
        if signature == self._seen:
            return
        now = load_settings(self._settings.root)
        if _store(now) != _store(self._settings):
            raise StoreMovedError(
                "The team's records were moved to another store; nothing was written here. Load the page "
                "again, or start the command again, and repeat your change."
            )
        self._seen = signature


def _store(settings: Settings) -> tuple[str, str]:
    where = str(settings.data_dir) if settings.storage_type == "file" else settings.database_url
    return settings.storage_type, where


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
