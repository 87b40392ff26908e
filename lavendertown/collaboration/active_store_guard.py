"""A guard that refuses writes after the settings switched to another store."""

from __future__ import annotations

from pathlib import Path

from lavendertown.core.errors import StoreMovedError
from lavendertown.core.settings import Settings, list_settings_files, load_settings

_Signature = tuple[tuple[int, int, int] | None, ...]


class ActiveStoreGuard:
    """Refuses writes once the settings name another store than the open one.

    Args:
        settings: The settings that the storage was opened with.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files = list_settings_files(settings)
        self._last_signatures: _Signature | None = None

    def __call__(self) -> None:
        """Compare the settings; files are read again only if they changed.

        Raises:
            StoreMovedError: The settings name another store now.
        """
        signature = tuple(map(_file_signature, self._files))
        if signature == self._last_signatures:
            return
        now = load_settings(self._settings.root)
        if _configured_store(now) != _configured_store(self._settings):
            raise StoreMovedError(
                "The team's records were moved to another store; nothing was written here. Reload the page, "
                "or start the command again, and repeat your change."
            )
        self._last_signatures = signature


def _configured_store(settings: Settings) -> tuple[str, str]:
    where = str(settings.data_dir) if settings.storage_type == "file" else settings.database_url
    return settings.storage_type, where


def _file_signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
